/* Calls of those who look after a tenant's people. */
#ifndef BROKER_TENDING_H
#define BROKER_TENDING_H

#include "call.h"

/*
 * The trust in force of a tenant that this caller may tend (rules_may_tend);
 * given back with trusts_give. LB_ERR_MISSING: no such tenant, or not for him.
 */
enum lb_err tending_take(struct app *app, const struct call *call,
    const char *tenant, struct held **ret) LB_MUST_CHECK;

/* May he tend it; for what needs no more of the trust than that. */
bool tending_may(struct app *app, const struct call *call, const char *tenant);

/* May he see what was told of it: the provider's operators and auditors, and
 * the tenant's own people. */
bool tending_sees(const struct call *call, const char *tenant);

#endif
