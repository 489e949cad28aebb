/*
 * The grants of a door (tenant, host, login) as questions need them, kept in
 * memory until one of them or any person changes. The store decides; this only
 * spares asking it the same again.
 */
#ifndef BROKER_DOORS_H
#define BROKER_DOORS_H

#include <stdbool.h>

#include "store.h"

struct doors;

/* What of a grant matters at the door. Borrowed by the taker. */
struct door_grant {
	char sha256[LB_SHA256_LEN + 1];
	char broker[LB_NAME_MAX + 1];
	enum state state; /* as stored */
	int64_t not_before, not_after;
	struct lb_services service;
	struct lb_keyfps engineer_key;    /* those left: rules_keys_left */
	struct lb_buf bundle, killing;    /* as in grant_row */
	size_t bundle_sigs, killing_sigs; /* signatures in them */
};

typedef bool door_taker(void *arg, const struct door_grant *g);

enum lb_err doors_new(struct doors **ret) LB_MUST_CHECK;
void doors_free(struct doors *d); /* accepts NULL */

/* As store_grant_at_door. take must not call any of these. */
enum lb_err doors_each(struct doors *d, struct store *st, const char *tenant,
    const char *host, const char *login, int64_t now, door_taker *take,
    void *arg) LB_MUST_CHECK;

/* This grant was made or changed: every door that it lists is read again. Call
 * after the commit, before answering. */
void doors_forget(struct doors *d, const struct lb_grant *grant);

/* A person was changed, who may have grants anywhere. Call as doors_forget. */
void doors_forget_all(struct doors *d);

#endif
