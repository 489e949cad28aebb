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
