/* Grants and records: looking at them, and closing a grant early. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/visible.h"

#include "decision.h"
#include "handlers.h"
#include "lists.h"
#include "render.h"

struct grant_page {
	struct app *app;
	struct page p;
};

static bool
grants_take(void *arg, struct grant_row *g)
{
	struct grant_page *l = arg;
	const struct call *call = l->p.call;
	const struct query *q = &call->query;
	enum state s = rules_state_at(
	    g->state, 0, g->doc.not_before, g->doc.not_after, call->now);

	if (!rules_may_see(&call->caller, g->doc.tenant, g->doc.engineer) ||
	    (q->state != 0 && q->state != s) ||
	    (q->host[0] != '\0' && !lb_hosts_has(&g->doc.host, q->host)) ||
	    (strncmp(g->sha256, q->prefix, strlen(q->prefix)) != 0 &&
		strncmp(g->sha256 + 7, q->prefix, strlen(q->prefix)) != 0))
		return page_skip(&l->p, g->created_at, g->sha256);
	if (page_full(&l->p))
		return false;
	page_add(&l->p, render_grant(l->app, g, call->now), g->created_at,
	    g->sha256);
	return true;
}

enum lb_err
grants_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct grant_page l = { .app = app };
	struct list_query q;
	enum lb_err r = LB_OK;

	if (call->query.stay != 0 || call->query.delivery != 0)
		return reply_refuse(reply, "bad_query", "state");
	page_init(&l.p, call);
	if (page_bounds(call, &q))
		r = store_grant_each(app->store, &q, grants_take, &l);
	return page_end(&l.p, r, reply);
}

/* The grant of the path, if the caller may see it. */
static enum lb_err
grant_seen(struct app *app, const struct call *call, struct grant_row *g)
{
	enum lb_err r;

	if (!lb_sha256_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_grant_get(app->store, call->arg, g)) != LB_OK)
		return r;
	if (!rules_may_see(&call->caller, g->doc.tenant, g->doc.engineer))
		return LB_ERR_MISSING;
	return LB_OK;
}

enum lb_err
grant_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if ((r = grant_seen(app, call, &g)) == LB_OK) {
		call_etag(reply, g.version);
		r = reply_json(reply, 200, render_grant(app, &g, call->now));
	}
	grant_row_clear(&g);
	return r;
}

enum lb_err
grant_bundle(struct app *app, const struct call *call, struct reply *reply)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if ((r = grant_seen(app, call, &g)) == LB_OK)
		r = reply_text(reply, 200, "text/plain; charset=utf-8",
		    g.bundle.data, g.bundle.len);
	grant_row_clear(&g);
	return r;
}

/* Load the request of the grant of the path, if the caller may see it. */
static enum lb_err
closing_load(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if ((r = grant_seen(app, call, &g)) == LB_OK &&
	    (r = call_match(call, reply, g.version)) == LB_OK)
		r = store_request_get(app->store, g.request_id, &m->q);
	grant_row_clear(&g);
	if (r != LB_OK)
		return r;
	return matter_load(app, call->now, m);
}

static enum lb_err
close_answer(struct app *app, const struct call *call, struct reply *reply,
    enum happening what, const char *reason, struct matter *m)
{
	enum lb_err r;

	if ((r = decide_close(app, call, reply, what, reason, m)) != LB_OK)
		return r;
	call_etag(reply, m->grant.version);
	return reply_json(reply, 200, render_grant(app, &m->grant, call->now));
}

enum lb_err
grant_return(struct app *app, const struct call *call, struct reply *reply)
{
	struct matter *m = calloc(1, sizeof(*m));
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = call_nothing(call, reply)) != LB_OK ||
	    (r = closing_load(app, call, reply, m)) != LB_OK)
		goto out;
	if (strcmp(m->q.doc.engineer, call->caller.principal) != 0)
		r = reply_refuse(reply, "role_needed", "its engineer");
	else
		r = close_answer(app, call, reply, HAPPENS_RETURN, "", m);
out:
	matter_clear(app, m);
	free(m);
	return r;
}

enum lb_err
grant_stop(struct app *app, const struct call *call, struct reply *reply)
{
	struct matter *m = calloc(1, sizeof(*m));
	const char *reason;
	json_t *root = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(
		root, NULL, JSON_STRICT, "{s:s}", "reason", &reason) != 0 ||
	    strlen(reason) > LB_REASON_MAX ||
	    !lb_text_visible(reason, strlen(reason)))
		r = reply_refuse(reply, "bad_value", "reason");
	else if ((r = closing_load(app, call, reply, m)) == LB_OK)
		r = close_answer(app, call, reply, HAPPENS_REVOKE, reason, m);
out:
	json_decref(root);
	matter_clear(app, m);
	free(m);
	return r;
}

static bool
events_take(void *arg, struct event_row *e)
{
	struct page *p = arg;

	if (!rules_may_see_events(&p->call->caller, e->doc.tenant))
		return page_skip(p, e->number, "");
	if (page_full(p))
		return false;
	page_add(p, render_event(e), e->number, "");
	return true;
}

/* A customer's person who has several tenants names one. */
enum lb_err
events_list(struct app *app, const struct call *call, struct reply *reply)
{
	const struct caller *c = &call->caller;
	struct list_query q = { .before_at = call->query.before_at };
	const char *tenant = call->query.tenant;
	struct page p;
	enum lb_err r = LB_OK;

	if (tenant[0] == '\0' && !rules_may_see_events(c, "")) {
		if (c->tenant_count > 1)
			return reply_refuse(reply, "ambiguous", "%s", "");
		tenant = c->tenant[0];
	}
	if (tenant[0] != '\0') {
		memcpy(q.tenant[0], tenant, strlen(tenant) + 1);
		q.tenant_count = 1;
	}
	page_init(&p, call);
	if (q.tenant_count == 0 || rules_may_see_events(c, q.tenant[0]))
		r = store_event_each(app->store, &q, events_take, &p);
	return page_end(&p, r, reply);
}
