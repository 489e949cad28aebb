/*
 * What an approver's tool checks before a person signs: that what the broker
 * shows is what the engineer asked, and that the grant to be signed says
 * exactly that, or less where the person wants less. Pure: no input or output,
 * no clock of its own.
 */
#ifndef LOCKBOX_CLI_REVIEW_H
#define LOCKBOX_CLI_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

#define REVIEW_WHAT_MAX   256
#define REVIEW_EARLY      60  /* seconds not-before may lie before "now" */
#define REVIEW_DRAFT_GOOD 600 /* seconds a draft may be old */
#define REVIEW_CLOCKS     60  /* seconds between the broker's clock and ours */

/* What the broker says about a request, borrowed. NULL: it does not say. */
struct review_claim {
	const char *id, *sha256, *code, *tenant;
	const char *text, *signature;
	const char *endorser, *endorsement; /* principal and signature */
};

/* A request that was checked, and then its grant. Holds no pointers. */
struct review {
	struct lb_request request;
	char request_id[LB_SHA256_LEN + 1];
	char code[LB_CODE_LEN + 1];
	struct lb_sshkey engineer; /* the key that signed the request */
	bool engineer_pinned;      /* the customer pins engineers' keys */
	char endorser[LB_PRINCIPAL_MAX + 1]; /* empty: nobody endorsed it */
	struct lb_sshkey endorser_key;       /* whose, only the broker knows */
	struct lb_grant grant;
	char grant_id[LB_SHA256_LEN + 1];
	char what[REVIEW_WHAT_MAX]; /* on error: what is wrong, for people */
};

/* Less than was asked; zero and empty lists mean: as asked. */
struct review_narrow {
	int64_t not_before, duration;
	struct lb_hosts host;
	struct lb_logins login;
	struct lb_services service;
};

/*
 * Check a request: its text parses and has the id, sha256, code and tenant
 * that were claimed; the engineer's signature over it verifies, by a pinned
 * engineer's key where trust pins any; the endorsement, if there is one,
 * verifies too, and is not the engineer's own, by name or by any key.
 *
 * trust  the customer's; NULL: not looked at (then the host still does)
 * ret    filled on LB_OK; what is filled on error
 *
 * LB_ERR_FORMAT, LB_ERR_SIGNATURE, LB_ERR_FORBIDDEN (not the pinned key, or
 * the engineer's own endorsement)
 */
enum lb_err review_request(const struct review_claim *claim,
    const struct lb_trust *trust, int64_t now,
    struct review *ret) LB_MUST_CHECK;

/*
 * Check a grant's text against the request in r: within it (lb_grant_within),
 * same keys, and hosts, logins, services, span and beginning exactly as asked
 * or as narrow says.
 *
 * fixed    another approver has signed this text already: it may say less
 *          than narrow, never more
 * longest  the most a grant of this customer may last; a draft is cut there
 * r        grant and grant_id are filled on LB_OK; what on error
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE (says more, or something else)
 */
enum lb_err review_grant(struct review *r, const char *text, size_t len,
    const struct review_narrow *narrow, bool fixed, int64_t longest,
    int64_t now) LB_MUST_CHECK;

/*
 * May this key approve this grant for the customer now; what says why not.
 * sig  the signature that was made
 */
enum lb_err review_signer(struct review *r, const struct lb_trust *trust,
    const struct lb_sshsig *sig, enum lb_ns ns, int64_t now) LB_MUST_CHECK;

#endif
