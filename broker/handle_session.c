/* Sessions on hosts, as the hosts reported them: looking only. */
#include <string.h>

#include "handlers.h"
#include "lists.h"
#include "render.h"

static bool
sessions_take(void *arg, const struct stay_row *s)
{
	struct page *p = arg;
	const struct query *q = &p->call->query;
	bool live = s->ended_at == 0;

	if (!rules_may_see(&p->call->caller, s->tenant, s->engineer) ||
	    (q->stay != 0 && (q->stay == STAY_LIVE) != live) ||
	    (q->host[0] != '\0' && strcmp(q->host, s->host) != 0) ||
	    (strncmp(s->id, q->prefix, strlen(q->prefix)) != 0 &&
		strncmp(s->id + 7, q->prefix, strlen(q->prefix)) != 0))
		return page_skip(p, s->opened_at, s->id);
	if (page_full(p))
		return false;
	page_add(p, render_stay(s), s->opened_at, s->id);
	return true;
}

enum lb_err
sessions_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct list_query q;
	struct page p;
	enum lb_err r = LB_OK;

	if (call->query.state != 0 || call->query.delivery != 0)
		return reply_refuse(reply, "bad_query", "state: live, ended");
	page_init(&p, call);
	if (page_bounds(call, &q)) {
		q.live = call->query.stay == STAY_LIVE;
		r = store_stay_each(app->store, &q, sessions_take, &p);
	}
	return page_end(&p, r, reply);
}

enum lb_err
session_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct stay_row s;
	enum lb_err r;

	if (!lb_sha256_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_stay_get(app->store, call->arg, &s)) != LB_OK)
		return r;
	if (!rules_may_see(&call->caller, s.tenant, s.engineer))
		return LB_ERR_MISSING;
	return reply_json(reply, 200, render_stay(&s));
}
