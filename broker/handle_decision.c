/* The routes on which a signature decides, and the web hook. */
#include <stdlib.h>
#include <string.h>

#include "lockbox/visible.h"

#include "decision.h"
#include "handlers.h"
#include "render.h"

static enum lb_err
matter_answer(struct app *app, const struct call *call, struct reply *reply,
    const struct matter *m)
{
	call_etag(reply, m->q.version);
	return reply_json(reply, 200, render_request(app, &m->q, call->now));
}

static enum lb_err
matter_grant_answer(struct app *app, const struct call *call,
    struct reply *reply, const struct matter *m)
{
	call_etag(reply, m->grant.version);
	return reply_json(reply, 200, render_grant(app, &m->grant, call->now));
}

/* The signature is read before anything is looked up, so that whether a
 * request exists makes no difference to what is wrong with a signature. */
static enum lb_err
verdict_read(struct reply *reply, struct verdict_in *v)
{
	if (v->reason == NULL)
		v->reason = "";
	if (v->reason[0] != '\0' &&
	    (strlen(v->reason) > LB_REASON_MAX ||
		!lb_text_visible(v->reason, strlen(v->reason))))
		return reply_refuse(reply, "bad_value", "reason");
	if (lb_sshsig_parse(v->armor, strlen(v->armor), &v->sig) != LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	return LB_OK;
}

typedef enum lb_err decider(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v, struct matter *m);

/* Decide about the request of the path. */
static enum lb_err
decide_id(struct app *app, const struct call *call, struct reply *reply,
    struct verdict_in *v, decider *decide)
{
	struct matter *m = calloc(1, sizeof(*m));
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = verdict_read(reply, v)) != LB_OK)
		goto out;
	if (!lb_id_valid(call->arg)) {
		r = LB_ERR_MISSING;
		goto out;
	}
	if ((r = store_request_get(app->store, call->arg, &m->q)) != LB_OK ||
	    (r = matter_load(app, call->now, m)) != LB_OK ||
	    (r = decide(app, call, reply, v, m)) != LB_OK)
		goto out;
	r = matter_answer(app, call, reply, m);
out:
	matter_clear(app, m);
	free(m);
	return r;
}

/* An If-Match is looked at by whoever may know the request at all. */
static enum lb_err
matched(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m, decider *decide)
{
	struct person_row p;
	enum lb_err r;

	if (call->if_match != NULL &&
	    (trust_line_of(m->held->trust, v->sig.key.fp) != NULL ||
		store_person_by_key(app->store, v->sig.key.fp, &p) == LB_OK) &&
	    (r = call_match(call, reply, m->q.version)) != LB_OK)
		return r;
	return decide(app, call, reply, v, m);
}

static enum lb_err
endorse_matched(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return matched(app, call, reply, v, m, decide_endorse);
}

static enum lb_err
approve_matched(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return matched(app, call, reply, v, m, decide_approve);
}

/* A deny or revoke wins over whatever happened meanwhile: only a caller who
 * gives an If-Match wants it otherwise. */
static enum lb_err
deny_matched(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return matched(app, call, reply, v, m, decide_deny);
}

static enum lb_err
decision_json(
    struct app *app, const struct call *call, struct reply *reply, json_t **ret)
{
	enum lb_err r;

	if ((r = call_limit_address(app, call, reply, LIMIT_DECISION)) != LB_OK)
		return r;
	return call_json(call, reply, ret);
}

enum lb_err
request_endorse(struct app *app, const struct call *call, struct reply *reply)
{
	struct verdict_in v = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = decision_json(app, call, reply, &root)) != LB_OK)
		return r;
	if (json_unpack_ex(
		root, NULL, JSON_STRICT, "{s:s}", "signature", &v.armor) != 0)
		r = reply_refuse(reply, "bad_json", "signature");
	else
		r = decide_id(app, call, reply, &v, endorse_matched);
	json_decref(root);
	return r;
}

enum lb_err
request_approve(struct app *app, const struct call *call, struct reply *reply)
{
	struct verdict_in v = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = decision_json(app, call, reply, &root)) != LB_OK)
		return r;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s}", "text",
		&v.text, "signature", &v.armor) != 0) {
		r = reply_refuse(reply, "bad_json", "text, signature");
	} else {
		v.text_len = strlen(v.text);
		r = decide_id(app, call, reply, &v, approve_matched);
	}
	json_decref(root);
	return r;
}

enum lb_err
request_deny(struct app *app, const struct call *call, struct reply *reply)
{
	struct verdict_in v = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?s}", "signature",
		&v.armor, "reason", &v.reason) != 0)
		r = reply_refuse(reply, "bad_json", "signature, reason");
	else
		r = decide_id(app, call, reply, &v, deny_matched);
out:
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_DECISION, r);
}

/* Load the request of a grant. */
static enum lb_err
matter_of_grant(struct app *app, const struct call *call, const char *sha256,
    struct matter *m)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if (!lb_sha256_valid(sha256))
		return LB_ERR_MISSING;
	if ((r = store_grant_get(app->store, sha256, &g)) != LB_OK)
		return r;
	r = store_request_get(app->store, g.request_id, &m->q);
	grant_row_clear(&g);
	if (r != LB_OK)
		return r == LB_ERR_MISSING ? LB_ERR_STORE : r;
	return matter_load(app, call->now, m);
}

static enum lb_err
revoke_id(struct app *app, const struct call *call, struct reply *reply,
    struct verdict_in *v)
{
	struct matter *m = calloc(1, sizeof(*m));
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = verdict_read(reply, v)) == LB_OK &&
	    (r = matter_of_grant(app, call, call->arg, m)) == LB_OK &&
	    (r = decide_revoke(app, call, reply, v, m)) == LB_OK)
		r = matter_grant_answer(app, call, reply, m);
	matter_clear(app, m);
	free(m);
	return r;
}

enum lb_err
grant_revoke(struct app *app, const struct call *call, struct reply *reply)
{
	struct verdict_in v = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?s}", "signature",
		&v.armor, "reason", &v.reason) != 0)
		r = reply_refuse(reply, "bad_json", "signature, reason");
	else
		r = revoke_id(app, call, reply, &v);
out:
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_DECISION, r);
}

/* The grant's text tells which request it is for. */
static enum lb_err
hook_grant(struct app *app, const struct call *call, struct reply *reply,
    struct verdict_in *v, struct matter *m, enum lb_ns ns)
{
	struct lb_grant *g;
	char id[LB_SHA256_LEN + 1];
	enum lb_err r;

	if (ns == LB_NS_REVOKE) {
		lb_doc_id(v->text, v->text_len, id);
		if ((r = matter_of_grant(app, call, id, m)) != LB_OK ||
		    (r = decide_revoke(app, call, reply, v, m)) != LB_OK)
			return r;
		return matter_grant_answer(app, call, reply, m);
	}
	g = malloc(sizeof(*g));
	if (g == NULL)
		return LB_ERR_MEMORY;
	if (lb_grant_parse(v->text, v->text_len, g) != LB_OK)
		r = reply_refuse(
		    reply, "bad_document", "not a lockbox-grant-v1");
	else
		r = store_request_by_sha(app->store, g->request, &m->q);
	free(g);
	if (r != LB_OK || (r = matter_load(app, call->now, m)) != LB_OK ||
	    (r = decide_approve(app, call, reply, v, m)) != LB_OK)
		return r;
	return matter_answer(app, call, reply, m);
}

static enum lb_err
hook_request(struct app *app, const struct call *call, struct reply *reply,
    struct verdict_in *v, struct matter *m)
{
	char id[LB_SHA256_LEN + 1];
	enum lb_err r;

	lb_doc_id(v->text, v->text_len, id);
	if ((r = store_request_by_sha(app->store, id, &m->q)) != LB_OK ||
	    (r = matter_load(app, call->now, m)) != LB_OK ||
	    (r = decide_deny(app, call, reply, v, m)) != LB_OK)
		return r;
	return matter_answer(app, call, reply, m);
}

/* By document and namespace; the signature has been verified. */
static enum lb_err
hook_decide(struct app *app, const struct call *call, struct reply *reply,
    const struct lb_part *part, struct verdict_in *v, struct matter *m)
{
	enum lb_ns ns = lb_ns_find(v->sig.ns);
	bool grant = part->type == &lb_grant_type;

	if (!(grant && (ns == LB_NS_APPROVE || ns == LB_NS_REVOKE)) &&
	    !(part->type == &lb_request_type && ns == LB_NS_DENY))
		return reply_refuse(reply, "bad_document",
		    "a grant to approve or revoke, or a request to deny");
	if (!trusts_know(app->trusts, v->sig.key.fp))
		return LB_ERR_MISSING;
	if (lb_sshsig_verify(&v->sig, ns, v->text, v->text_len) != LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	if (grant)
		return hook_grant(app, call, reply, v, m, ns);
	return hook_request(app, call, reply, v, m);
}

static enum lb_err
hook_read(struct app *app, const struct call *call, struct reply *reply,
    const struct lb_bundle *b, struct matter *m)
{
	const struct lb_part *part = &b->part[0];
	struct verdict_in v = { 0 };
	struct lb_buf armor = { 0 };
	enum lb_err r;

	if (b->count != 1 || part->sig_count != 1)
		return reply_refuse(
		    reply, "bad_document", "one document, one signature");
	if ((r = lb_buf_add(&armor, part->sigs[0].text, part->sigs[0].len)) !=
	    LB_OK)
		return r;
	v.armor = armor.data;
	v.text = part->doc.text;
	v.text_len = part->doc.len;
	if ((r = verdict_read(reply, &v)) == LB_OK)
		r = hook_decide(app, call, reply, part, &v, m);
	lb_buf_clear(&armor);
	return r;
}

enum lb_err
hook_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct matter *m = calloc(1, sizeof(*m));
	struct lb_bundle *b = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (m == NULL)
		return r;
	if ((r = lb_bundle_split(call->body, call->body_len, &b)) == LB_OK)
		r = hook_read(app, call, reply, b, m);
	r = call_limit_failed(app, call, reply, LIMIT_DECISION, r);
	lb_bundle_free(b);
	matter_clear(app, m);
	free(m);
	return r;
}
