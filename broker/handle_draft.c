/* The grant's text that approvers sign: composed, narrowed, fixed. */
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "body.h"
#include "handlers.h"
#include "matter.h"
#include "render.h"
#include "request_view.h"

static enum lb_err
narrowing_list(const json_t *a, size_t max, size_t size, char *item,
    size_t *count, bool (*valid)(const char *))
{
	if (a == NULL)
		return LB_OK;
	if (json_array_size(a) == 0)
		return LB_ERR_FORMAT; /* nothing at all is no narrowing */
	return body_list(a, max, size, item, count, valid);
}

static enum lb_err
narrowing_read(
    struct reply *reply, json_t *root, struct narrowing *n, bool *ret_replace)
{
	const json_t *hosts = NULL, *logins = NULL, *services = NULL;
	const char *not_before = NULL;
	json_int_t duration = 0;
	int replace = 0;

	if (json_unpack_ex(root, NULL, JSON_STRICT,
		"{s?s, s?I, s?o, s?o, s?o, s?b}", "not_before", &not_before,
		"duration", &duration, "hosts", &hosts, "logins", &logins,
		"services", &services, "replace", &replace) != 0)
		return reply_refuse(reply, "bad_json",
		    "not_before, duration, hosts, logins, services, replace");
	if ((not_before != NULL &&
		lb_time_parse(not_before, &n->not_before) != LB_OK) ||
	    duration < 0 ||
	    narrowing_list(hosts, LB_HOSTS_MAX, sizeof(n->host.item[0]),
		n->host.item[0], &n->host.count, lb_host_valid) != LB_OK ||
	    narrowing_list(logins, LB_LOGINS_MAX, sizeof(n->login.item[0]),
		n->login.item[0], &n->login.count, lb_login_valid) != LB_OK ||
	    narrowing_list(services, LB_SERVICES_MAX,
		sizeof(n->service.item[0]), n->service.item[0],
		&n->service.count, lb_service_valid) != LB_OK)
		return reply_refuse(reply, "bad_value", "narrowing");
	n->duration = duration;
	*ret_replace = replace != 0;
	return LB_OK;
}

/*
 * An approver takes back a text that was signed but has not opened anything:
 * the next one stands without signatures.
 */
static enum lb_err
fixed_drop(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m)
{
	struct change c = { .request = &m->q, .approvals_drop = true };
	enum lb_err r;

	if (!rules_is_of_tenant(&call->caller, m->q.doc.tenant))
		return reply_refuse(reply, "role_needed", "approver");
	lb_doc_id(m->q.draft, m->q.draft_len, c.drop_grant);
	m->q.draft[0] = '\0';
	m->q.draft_len = 0;
	call_event(app, call, &c, "draft.replaced", call->caller.principal,
	    m->q.doc.tenant);
	matter_event(m, &c);
	memcpy(change_event(&c)->grant, c.drop_grant, sizeof(c.drop_grant));
	if ((r = call_commit(app, &c)) == LB_OK)
		m->q.version++;
	return r;
}

static enum lb_err
draft_answer(struct reply *reply, const struct request_row *q, const char *text,
    size_t len, int64_t until, bool fixed)
{
	char id[LB_SHA256_LEN + 1];
	json_t *o = json_object();

	lb_doc_id(text, len, id);
	render_set(&o, "text", json_stringn(text, len));
	render_set(&o, "sha256", json_string(id));
	render_set(&o, "good_until", render_time(until));
	render_set(&o, "fixed", json_boolean(fixed));
	call_etag(reply, q->version);
	return reply_json(reply, 200, o);
}

static enum lb_err
draft_make(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m, json_t *root)
{
	struct narrowing n = { 0 };
	struct lb_grant g;
	struct lb_buf text = { 0 };
	bool replace;
	enum lb_err r;

	if ((r = narrowing_read(reply, root, &n, &replace)) != LB_OK)
		return r;
	if (m->state != STATE_PENDING_APPROVAL)
		return reply_refuse(
		    reply, "wrong_state", "%s", row_state_name(m->state));
	if (m->q.draft_len > 0 && !replace && json_object_size(root) > 0)
		return reply_refuse(reply, "draft_fixed", "%s", "");
	if (m->q.draft_len > 0 && !replace)
		return draft_answer(reply, &m->q, m->q.draft, m->q.draft_len,
		    m->q.lapses_at, true);
	if (rules_draft(&m->q.doc, m->q.sha256, &n, matter_longest(m),
		call->now, &g) != LB_OK)
		return reply_refuse(reply, "not_within", "%s", "");
	/* Signatures go only for a text that can take their place. */
	if (m->q.draft_len > 0 &&
	    (r = fixed_drop(app, call, reply, m)) != LB_OK)
		return r;
	if ((r = lb_doc_write(&lb_grant_type, &g, &text)) == LB_OK)
		r = draft_answer(reply, &m->q, text.data, text.len,
		    call->now + RULES_DRAFT_TTL, false);
	lb_buf_clear(&text);
	return r;
}

enum lb_err
request_draft(struct app *app, const struct call *call, struct reply *reply)
{
	struct matter *m = calloc(1, sizeof(*m));
	json_t *root = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = request_seen(app, call, &m->q)) == LB_OK &&
	    (r = call_match(call, reply, m->q.version)) == LB_OK &&
	    (r = matter_load(app, call->now, m)) == LB_OK &&
	    (r = call_json(call, reply, &root)) == LB_OK)
		r = draft_make(app, call, reply, m, root);
	json_decref(root);
	matter_clear(app, m);
	free(m);
	return r;
}
