/* Asking: requests made, listed, drafted and withdrawn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "body.h"
#include "handlers.h"
#include "lists.h"
#include "matter.h"
#include "passing.h"
#include "render.h"

/* A request that is about to be made. Large: heap. */
struct making {
	struct matter m;
	struct idem_row idem;
	struct lb_sshsig sig;
	char covered[LB_SHA256_LEN + 1];
};

static enum lb_err
request_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const struct request_row *q)
{
	call_etag(reply, q->version);
	return reply_json(reply, status, render_request(app, q, call->now));
}

/* Read it again and answer. */
static enum lb_err
request_again(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const char *id)
{
	struct request_row *q = calloc(1, sizeof(*q));
	enum lb_err r = LB_ERR_MEMORY;

	if (q != NULL && (r = store_request_get(app->store, id, q)) == LB_OK)
		r = request_answer(app, call, reply, status, q);
	free(q);
	return r;
}

static bool
person_has(const struct person_row *p, const char *key_fp)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (strcmp(p->key[i].fp, key_fp) == 0)
			return true;
	return false;
}

/* The body's text, verified by a key of the caller's, then read. */
static enum lb_err
text_read(struct app *app, const struct call *call, struct reply *reply,
    struct making *k, const char *text, const char *armor)
{
	struct request_row *q = &k->m.q;
	size_t len = strlen(text);
	enum lb_err r;

	if ((r = store_person_get(
		 app->store, call->caller.principal, &k->m.engineer)) != LB_OK)
		return r;
	if (sheet_verify(armor, LB_NS_REQUEST, text, len, &k->sig) != LB_OK ||
	    !person_has(&k->m.engineer, k->sig.key.fp))
		return reply_refuse(
		    reply, "bad_signature", "not by a key of the roster's");
	if (lb_text_copy(q->text, sizeof(q->text), text) != LB_OK ||
	    lb_request_parse(text, len, &q->doc) != LB_OK)
		return reply_refuse(
		    reply, "bad_document", "not a lockbox-request-v1");
	q->text_len = len;
	lb_doc_id(text, len, q->sha256);
	return lb_text_copy(q->signature, sizeof(q->signature), armor);
}

/* Would hosts believe that this engineer asked? */
static bool
signed_for_hosts(const struct making *k, int64_t now)
{
	const struct lb_trust *t = k->m.held->trust;
	const struct request_row *q = &k->m.q;
	struct sheet *s;
	bool good;

	if (t->engineer.count == 0)
		return true;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return false;
	sheet_init(s, &lb_request_type, q->text, q->text_len);
	good = sheet_sign(s, q->signature) == LB_OK &&
	    lb_trust_request_signed(t, &s->part, &q->doc, now);
	free(s);
	return good;
}

static enum lb_err
hosts_known(struct app *app, struct reply *reply, const struct lb_request *q)
{
	struct host_row h;
	enum lb_err r;

	for (size_t i = 0; i < q->host.count; i++) {
		r = store_host_get(app->store, q->tenant, q->host.item[i], &h);
		if (r == LB_ERR_MISSING)
			return reply_refuse(
			    reply, "unknown_host", "%s", q->host.item[i]);
		if (r != LB_OK)
			return r;
	}
	return LB_OK;
}

static enum lb_err
request_checked(struct app *app, const struct call *call, struct reply *reply,
    struct making *k)
{
	const struct lb_request *q = &k->m.q.doc;
	const char *code = NULL;
	enum lb_err r;

	k->m.held = trusts_take(app->trusts, q->tenant);
	r = store_tenant_get(app->store, q->tenant, &k->m.tenant);
	if (r != LB_OK)
		return r; /* no such tenant: 404 */
	if (k->m.held == NULL)
		return LB_ERR_STORE;
	r = rules_request_check(q, &call->caller, &k->m.engineer,
	    app->conf.name, k->m.held->trust, matter_longest(&k->m), call->now,
	    &code);
	if (r != LB_OK)
		return reply_refuse(reply, code, "%s", "");
	if ((r = hosts_known(app, reply, q)) != LB_OK)
		return r;
	if (!signed_for_hosts(k, call->now))
		return reply_refuse(reply, "would_not_pass", "%s",
		    "the trust document has no engineer line for this key");
	if (!rules_can_be_approved(k->m.held->trust, q, call->now))
		return reply_refuse(reply, "nobody_can_approve", "%s", "");
	return LB_OK;
}

static bool
covers_take(void *arg, struct grant_row *g)
{
	struct making *k = arg;

	struct reply spare = { 0 };

	/* Trust, or the roster, may have changed since it was approved: then
	 * it opens nothing, and another must be asked for. */
	if (!rules_state_live(g->state) ||
	    !rules_covers(&g->doc, &k->m.q.doc, k->m.q.created_at) ||
	    passing_judge(k->m.held->trust, &g->bundle, g->sha256, &g->doc,
		k->m.q.created_at, &spare) != LB_OK)
		return true;
	memcpy(k->covered, g->sha256, sizeof(k->covered));
	return false;
}

/* A live grant of this engineer's that is enough already. */
static enum lb_err
covering_find(struct app *app, struct making *k)
{
	struct list_query q = { 0 };

	memcpy(q.engineer, k->m.q.doc.engineer, sizeof(q.engineer));
	return store_grant_each(app->store, &q, covers_take, k);
}

static enum lb_err
covered_answer(struct app *app, const struct call *call, struct reply *reply,
    const char *id)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if ((r = store_grant_get(app->store, id, &g)) != LB_OK)
		return r;
	r = reply_json(reply, 200,
	    json_pack("{s:o}", "covered_by", render_grant(app, &g, call->now)));
	grant_row_clear(&g);
	return r;
}

/* One open request per engineer and scope; an old one may have lapsed. */
static enum lb_err
open_checked(struct app *app, const struct call *call, struct reply *reply,
    const struct request_row *q)
{
	struct request_row *o = calloc(1, sizeof(*o));
	enum lb_err r = LB_ERR_MEMORY;

	if (o == NULL)
		return r;
	r = store_request_open(app->store, q->doc.engineer, q->scope, o);
	if (r == LB_ERR_MISSING)
		r = LB_OK;
	else if (r == LB_OK && call->now >= o->lapses_at)
		r = matter_settle(app, call, o);
	else if (r == LB_OK && strcmp(o->sha256, q->sha256) != 0)
		r = reply_refuse(reply, "request_open", "%s", o->doc.request);
	free(o);
	return r;
}

/* The very same text again is the same request. */
static enum lb_err
conflict_answer(struct app *app, const struct call *call, struct reply *reply,
    const struct request_row *q)
{
	struct request_row *o = calloc(1, sizeof(*o));
	enum lb_err r = LB_ERR_MEMORY;

	if (o == NULL)
		return r;
	r = store_request_get(app->store, q->doc.request, o);
	if (r == LB_OK && strcmp(o->sha256, q->sha256) == 0)
		r = request_answer(app, call, reply, 201, o);
	else if (r == LB_OK)
		r = reply_refuse(reply, "id_taken", "%s", "");
	else if (r == LB_ERR_MISSING)
		r = reply_refuse(reply, "request_open", "%s", "");
	free(o);
	return r;
}

static enum lb_err
request_store(struct app *app, const struct call *call, struct reply *reply,
    struct making *k)
{
	struct request_row *q = &k->m.q;
	struct change c = { .request = q };
	enum lb_err r;

	q->state = k->m.tenant.endorsement ? STATE_PENDING_ENDORSEMENT
					   : STATE_PENDING_APPROVAL;
	q->lapses_at = call->now +
	    (k->m.tenant.endorsement ? k->m.tenant.endorse_ttl
				     : k->m.tenant.approve_ttl);
	if (k->idem.key[0] != '\0') {
		ROW_TEXT(k->idem.arg, q->doc.request);
		c.idem = &k->idem;
	}
	call_event(
	    app, call, &c, "request.created", q->doc.engineer, q->doc.tenant);
	matter_event(&k->m, &c);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		return conflict_answer(app, call, reply, q);
	if (r != LB_OK)
		return r;
	return request_again(app, call, reply, 201, q->doc.request);
}

static enum lb_err
request_make(struct app *app, const struct call *call, struct reply *reply,
    struct making *k, const json_t *root)
{
	const char *text, *armor;
	enum lb_err r;

	/* Unpacking changes nothing. */
	if (json_unpack_ex((json_t *)(uintptr_t)root, NULL, JSON_STRICT,
		"{s:s, s:s}", "text", &text, "signature", &armor) != 0)
		return reply_refuse(reply, "bad_json", "text, signature");
	k->m.q.created_at = call->now;
	if ((r = text_read(app, call, reply, k, text, armor)) != LB_OK ||
	    (r = request_checked(app, call, reply, k)) != LB_OK ||
	    (r = rules_scope(&k->m.q.doc, k->m.q.scope)) != LB_OK ||
	    (r = covering_find(app, k)) != LB_OK)
		return r;
	if (k->covered[0] != '\0')
		return covered_answer(app, call, reply, k->covered);
	if ((r = open_checked(app, call, reply, &k->m.q)) != LB_OK)
		return r;
	return request_store(app, call, reply, k);
}

enum lb_err
request_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct making *k = calloc(1, sizeof(*k));
	json_t *root = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (k == NULL)
		return r;
	if ((r = call_idem(app, call, "requests", reply, &k->idem)) != LB_OK)
		goto out;
	if (k->idem.arg[0] != '\0') {
		r = request_again(app, call, reply, 201, k->idem.arg);
		goto out;
	}
	if ((r = call_limit(
		 app, reply, LIMIT_REQUEST, call->caller.principal)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	r = request_make(app, call, reply, k, root);
out:
	json_decref(root);
	matter_clear(app, &k->m);
	free(k);
	return r;
}

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

/* The request of the path, if the caller may see it. */
static enum lb_err
request_seen(struct app *app, const struct call *call, struct request_row *q)
{
	enum lb_err r;

	if (!lb_id_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_request_get(app->store, call->arg, q)) != LB_OK)
		return r;
	if (!rules_may_see(&call->caller, q->doc.tenant, q->doc.engineer))
		return LB_ERR_MISSING;
	return LB_OK;
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
