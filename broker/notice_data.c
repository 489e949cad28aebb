/* What a notice says. */
#include "notice_data.h"

#include <stdlib.h>

#include "render.h"

static json_t *
request_json(const struct request_row *q)
{
	char code[LB_CODE_LEN + 1];
	json_t *o = json_object();

	lb_request_code(q->sha256, code);
	render_set(&o, "id", json_string(q->doc.request));
	render_set(&o, "sha256", json_string(q->sha256));
	render_set(&o, "code", json_string(code));
	render_set(&o, "state", json_string(row_state_name(q->state)));
	render_asked(&o, &q->doc);
	render_set(&o, "lapses_at",
	    render_time(q->state == STATE_PENDING_ENDORSEMENT ||
			q->state == STATE_PENDING_APPROVAL
		    ? q->lapses_at
		    : 0));
	return o;
}

static json_t *
grant_json(const struct grant_row *g, bool brief)
{
	json_t *o = json_object();

	render_set(&o, "id", json_string(g->sha256));
	render_set(&o, "state", json_string(row_state_name(g->state)));
	if (!brief)
		render_set(&o, "hosts",
		    render_names(g->doc.host.item[0], g->doc.host.count,
			sizeof(g->doc.host.item[0])));
	render_set(&o, "logins",
	    render_names(g->doc.login.item[0], g->doc.login.count,
		sizeof(g->doc.login.item[0])));
	render_set(&o, "services",
	    render_names(g->doc.service.item[0], g->doc.service.count,
		sizeof(g->doc.service.item[0])));
	render_set(&o, "not_before", render_time(g->doc.not_before));
	render_set(&o, "not_after", render_time(g->doc.not_after));
	return o;
}

static json_t *
session_json(const struct stay_row *s)
{
	json_t *o = json_object();

	render_set(&o, "id", render_text(s->opened_at != 0 ? s->id : ""));
	render_set(&o, "host", json_string(s->host));
	render_set(&o, "session", json_integer(s->session));
	render_set(&o, "login", render_text(s->login));
	render_set(&o, "service", render_text(s->service));
	render_set(&o, "rhost", render_text(s->rhost));
	render_set(&o, "engineer", render_text(s->engineer));
	render_set(&o, "grant", render_text(s->grant));
	render_set(&o, "ends_at", render_time(s->ends_at));
	return o;
}

static json_t *
trust_json(const struct trust_row *t)
{
	json_t *o = json_object();

	render_set(&o, "sha256", json_string(t->sha256));
	render_set(&o, "serial", json_integer(t->serial));
	return o;
}

static void
event_set(
    json_t **o, const struct change *c, const struct lb_event *e, bool brief)
{
	render_set(o, "tenant", json_string(e->tenant));
	render_set(o, "actor", json_string(e->actor));
	render_set(o, "detail", render_text(brief ? "" : e->detail));
	if (c->request != NULL)
		render_set(o, "request", request_json(c->request));
	if (c->grant != NULL)
		render_set(o, "grant", grant_json(c->grant, brief));
	if (c->trust != NULL)
		render_set(o, "trust", trust_json(c->trust));
}

static void
step_set(json_t **o, const struct step *step)
{
	render_set(o, "tenant", json_string(step->stay.tenant));
	render_set(o, "session", session_json(&step->stay));
	if (step->kind == STEP_ENDED)
		render_set(o, "cause", render_text(step->stay.cause));
}

static enum lb_err
data_write(const struct change *c, const struct lb_event *e,
    const struct step *step, bool brief, struct lb_buf *ret)
{
	json_t *o = json_object();
	char *text;
	enum lb_err r;

	if (step != NULL)
		step_set(&o, step);
	else
		event_set(&o, c, e, brief);
	text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (text == NULL)
		return LB_ERR_MEMORY;
	ret->max = NOTICE_DATA_MAX;
	r = lb_buf_adds(ret, text);
	free(text);
	return r;
}

/* Nothing may come to nothing because much is to be told of it. */
enum lb_err
notice_data_write(const struct change *c, const struct lb_event *e,
    const struct step *step, struct lb_buf *ret)
{
	enum lb_err r = data_write(c, e, step, false, ret);

	return r == LB_ERR_RANGE ? data_write(c, e, step, true, ret) : r;
}
