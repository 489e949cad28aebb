/* A tenant's trust documents: reading them, and a successor with all its
 * signatures. */
#include <string.h>

#include "handlers.h"
#include "successor.h"
#include "tenant_view.h"

struct gather {
	struct lb_buf *ret;
	enum lb_err r;
};

static bool
trust_take(void *arg, const struct trust_row *row)
{
	struct gather *g = arg;

	g->r = lb_buf_add(g->ret, row->bundle.data, row->bundle.len);
	return g->r == LB_OK;
}

enum lb_err
trust_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct gather g = { &reply->body, LB_OK };
	struct tenant_row t;
	enum lb_err r;

	if (!rules_may_see_tenant(&call->caller, call->arg))
		return LB_ERR_MISSING;
	if ((r = store_tenant_get(app->store, call->arg, &t)) != LB_OK ||
	    (r = store_trust_each(app->store, call->arg, call->query.after,
		 trust_take, &g)) != LB_OK)
		return r;
	if (g.r != LB_OK)
		return g.r;
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	return LB_OK;
}

/*
 * The signature decides: nobody needs to be signed in. Whoever has none of the
 * tenant's keys learns nothing, not even that the tenant exists.
 */
static enum lb_err
successor_add(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct lb_part *part)
{
	const struct lb_pinned *by;
	enum lb_err r;

	if (held == NULL || (by = successor_signer(held->trust, part)) == NULL)
		return LB_ERR_MISSING;
	if (strcmp(part->id, held->trust->id) != 0 &&
	    (r = successor_take(
		 app, call, reply, held, by->principal, part, NULL)) != LB_OK)
		return r;
	return tenant_answer(app, call, reply, 200, held->trust->tenant);
}

enum lb_err
trust_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct lb_bundle *b = NULL;
	struct held *held = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(call->body, call->body_len, &b)) != LB_OK)
		goto out;
	if (b->count != 1 || b->part[0].type != &lb_trust_type) {
		r = reply_refuse(reply, "bad_document",
		    "one trust document with its signatures");
		goto out;
	}
	held = trusts_take(app->trusts, call->arg);
	r = successor_add(app, call, reply, held, &b->part[0]);
out:
	trusts_give(app->trusts, held);
	lb_bundle_free(b);
	return call_limit_failed(app, call, reply, LIMIT_DECISION, r);
}
