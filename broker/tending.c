/* Who may look after a tenant's people. */
#include "tending.h"

enum lb_err
tending_take(struct app *app, const struct call *call, const char *tenant,
    struct held **ret)
{
	struct held *held = trusts_take(app->trusts, tenant);

	if (held == NULL || !rules_may_tend(&call->caller, tenant)) {
		trusts_give(app->trusts, held);
		return LB_ERR_MISSING;
	}
	*ret = held;
	return LB_OK;
}

bool
tending_may(struct app *app, const struct call *call, const char *tenant)
{
	struct held *held;

	if (tending_take(app, call, tenant, &held) != LB_OK)
		return false;
	trusts_give(app->trusts, held);
	return true;
}

bool
tending_sees(const struct call *call, const char *tenant)
{
	const struct caller *c = &call->caller;

	return (c->roles & (ROLE_OPERATOR | ROLE_AUDITOR)) != 0 ||
	    rules_is_of_tenant(c, tenant);
}
