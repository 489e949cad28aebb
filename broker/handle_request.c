/* Requests that are there: listed, shown, withdrawn. */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "lists.h"
#include "matter.h"
#include "render.h"
#include "request_view.h"

/* Does this row belong on the page the query asks for? */
static bool
row_wanted(const struct call *call, const char *id, const char *tenant,
    const char *engineer, const struct lb_hosts *hosts, enum state state)
{
	const struct query *q = &call->query;

	return rules_may_see(&call->caller, tenant, engineer) &&
	    (q->state == 0 || q->state == state) &&
	    (q->host[0] == '\0' || lb_hosts_has(hosts, q->host)) &&
	    strncmp(id, q->prefix, strlen(q->prefix)) == 0;
}

struct request_page {
	struct app *app;
	struct page p;
};

static bool
requests_take(void *arg, struct request_row *q)
{
	struct request_page *l = arg;
	const struct call *call = l->p.call;
	enum state s = rules_state_at(
	    q->state, q->lapses_at, q->not_before, q->not_after, call->now);

	if (!row_wanted(call, q->doc.request, q->doc.tenant, q->doc.engineer,
		&q->doc.host, s))
		return page_skip(&l->p, q->created_at, q->sha256);
	if (page_full(&l->p))
		return false;
	page_add(&l->p, render_request(l->app, q, call->now), q->created_at,
	    q->sha256);
	return true;
}

enum lb_err
requests_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct request_page l = { .app = app };
	struct list_query q;
	enum lb_err r = LB_OK;

	if (call->query.stay != 0 || call->query.delivery != 0)
		return reply_refuse(reply, "bad_query", "state");
	page_init(&l.p, call);
	if (page_bounds(call, &q))
		r = store_request_each(app->store, &q, requests_take, &l);
	return page_end(&l.p, r, reply);
}

enum lb_err
request_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct request_row *q = calloc(1, sizeof(*q));
	enum lb_err r = LB_ERR_MEMORY;

	if (q != NULL && (r = request_seen(app, call, q)) == LB_OK)
		r = request_answer(app, call, reply, 200, q);
	free(q);
	return r;
}

enum lb_err
request_cancel(struct app *app, const struct call *call, struct reply *reply)
{
	struct matter *m = calloc(1, sizeof(*m));
	struct change c = { 0 };
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = call_nothing(call, reply)) != LB_OK ||
	    (r = request_seen(app, call, &m->q)) != LB_OK ||
	    (r = call_match(call, reply, m->q.version)) != LB_OK ||
	    (r = matter_load(app, call->now, m)) != LB_OK)
		goto out;
	if (strcmp(m->q.doc.engineer, call->caller.principal) != 0) {
		r = reply_refuse(reply, "role_needed", "its engineer");
		goto out;
	}
	if (rules_move(m->state, HAPPENS_CANCEL, &m->q.state) != LB_OK) {
		r = reply_refuse(
		    reply, "wrong_state", "%s", row_state_name(m->state));
		goto out;
	}
	c.request = &m->q;
	call_event(app, call, &c, "request.cancelled", call->caller.principal,
	    m->q.doc.tenant);
	matter_event(m, &c);
	if ((r = call_commit(app, &c)) != LB_OK)
		goto out;
	r = request_again(app, call, reply, 200, m->q.doc.request);
out:
	matter_clear(app, m);
	free(m);
	return r;
}
