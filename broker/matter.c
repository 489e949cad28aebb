/* A request and all that is needed to decide about it. */
#include "matter.h"

#include <stdlib.h>
#include <string.h>

enum lb_err
matter_load(struct app *app, int64_t now, struct matter *m)
{
	const struct request_row *q = &m->q;
	enum lb_err r;

	m->state = rules_state_at(
	    q->state, q->lapses_at, q->not_before, q->not_after, now);
	m->held = trusts_take(app->trusts, q->doc.tenant);
	if (m->held == NULL)
		return LB_ERR_STORE;
	if ((r = store_tenant_get(app->store, q->doc.tenant, &m->tenant)) !=
	    LB_OK)
		return r == LB_ERR_MISSING ? LB_ERR_STORE : r;
	r = store_person_get(app->store, q->doc.engineer, &m->engineer);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	m->engineer_known = r == LB_OK;
	if (q->grant[0] == '\0')
		return LB_OK;
	r = store_grant_get(app->store, q->grant, &m->grant);
	m->grant_loaded = r == LB_OK;
	return r == LB_ERR_MISSING ? LB_ERR_STORE : r;
}

void
matter_clear(struct app *app, struct matter *m)
{
	trusts_give(app->trusts, m->held);
	grant_row_clear(&m->grant);
	memset(m, 0, sizeof(*m));
}

int64_t
matter_longest(const struct matter *m)
{
	return m->held->trust->longest;
}

void
matter_event(const struct matter *m, struct change *c)
{
	struct lb_event *e = change_event(c);

	memcpy(e->request, m->q.sha256, sizeof(e->request));
	memcpy(e->grant, m->q.grant, sizeof(e->grant));
}

static const char *
settle_event(enum state s)
{
	if (s == STATE_LAPSED)
		return "request.lapsed";
	return s == STATE_ACTIVE ? "grant.active" : "grant.expired";
}

enum lb_err
matter_settle(
    struct app *app, const struct call *call, const struct request_row *q)
{
	struct matter *m = calloc(1, sizeof(*m));
	struct change c = { 0 };
	enum lb_err r;

	if (m == NULL)
		return LB_ERR_MEMORY;
	m->q = *q;
	if ((r = matter_load(app, call->now, m)) != LB_OK ||
	    m->state == m->q.state)
		goto out;
	m->q.state = m->state;
	c.request = &m->q;
	if (m->grant_loaded) {
		m->grant.state = m->state;
		c.grant = &m->grant;
	}
	call_event(app, call, &c, settle_event(m->state), app->conf.name,
	    m->q.doc.tenant);
	matter_event(m, &c);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		r = LB_OK;
out:
	matter_clear(app, m);
	free(m);
	return r;
}
