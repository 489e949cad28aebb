/*
 * The trust documents in force, one per tenant, kept in memory: asked for at
 * every question and every decision. The store has them all.
 */
#ifndef BROKER_TRUSTS_H
#define BROKER_TRUSTS_H

#include <stdbool.h>

#include "lockbox/trust.h"

#include "rules.h"
#include "store.h"

/* The trust in force, and the ids of those before it. Read only. */
struct held {
	struct lb_trust *trust;
	size_t past_count;
	struct {
		char sha256[LB_SHA256_LEN + 1];
		int64_t serial;
	} * past;       /* ascending */
	int references; /* guarded by the lock of trusts.c */
};

struct trusts;

/* Read and check every chain in the store. LB_ERR_STORE: one does not hold. */
enum lb_err trusts_load(struct store *st, struct trusts **ret) LB_MUST_CHECK;
void trusts_free(struct trusts *t); /* accepts NULL */

/* Read one tenant's chain again, after it was committed. */
enum lb_err trusts_reload(
    struct trusts *t, struct store *st, const char *tenant) LB_MUST_CHECK;

/* Given back with trusts_give; NULL: no such tenant. */
struct held *trusts_take(struct trusts *t, const char *tenant);
void trusts_give(struct trusts *t, struct held *h); /* accepts NULL */

/* The serial of a document of this chain; 0: none of it. */
int64_t held_serial(const struct held *h, const char *sha256);

/*
 * Fill in the tenants whose approver, hook or delegate lines, in their dates,
 * carry this principal with this key, and what he is there.
 */
void trusts_match(struct trusts *t, int64_t now, struct caller *c);

/*
 * The same for a name without one of its keys, as an approver of that one
 * tenant: what a sign-in passkey of the tenant's people is good for.
 */
void trusts_match_name(
    struct trusts *t, int64_t now, const char *tenant, struct caller *c);

/*
 * Does that tenant (NULL: any) pin a page of this origin, for passkeys of this
 * RP-ID (NULL: any), and serve it itself?
 */
bool trusts_page(struct trusts *t, const char *tenant, const char *rp_id,
    const char *origin);

/* Does any tenant's approver, hook or delegate line have this key? */
bool trusts_know(struct trusts *t, const char *key_fp);

/* The line of that key among approvers, hooks and delegates, or NULL. */
const struct lb_pinned *trust_line_of(
    const struct lb_trust *t, const char *key_fp);

#endif
