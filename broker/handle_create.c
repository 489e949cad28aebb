/* Asking: a request is checked, covered by what is live, or made. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "matter.h"
#include "passing.h"
#include "render.h"
#include "request_view.h"

/* A request that is about to be made. Large: heap. */
struct making {
	struct matter m;
	struct idem_row idem;
	struct lb_sshsig sig;
	char covered[LB_SHA256_LEN + 1];
};

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
