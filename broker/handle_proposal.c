/* A successor of a tenant's trust whose owners sign one by one. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "parts.h"
#include "render.h"
#include "successor.h"
#include "tenant_view.h"

/* How often to look again when another owner signed at the same moment. */
#define TRIES_MAX 8

/* What an owner sends. */
struct offer {
	const char *text, *armor;
	bool replace;
	struct sheet sheet; /* the text with that one signature */
};

/* A proposal with the signatures it has, as one part. */
static enum lb_err
proposal_sheet(const struct proposal_row *p, struct sheet *ret)
{
	enum lb_err r = LB_OK;

	sheet_init(ret, &lb_trust_type, p->text.data, p->text.len);
	for (size_t i = 0; r == LB_OK && i < p->signing_count; i++)
		r = sheet_sign(ret, p->signing[i].signature);
	return r;
}

/* When that owner's signature came. */
static int64_t
signing_at(const struct proposal_row *p, const struct lb_pinned *owner)
{
	for (size_t i = 0; i < p->signing_count; i++)
		if (strcmp(p->signing[i].key_fp, owner->key.fp) == 0)
			return p->signing[i].at;
	return 0;
}

static json_t *
signers_json(const struct proposal_row *p, const struct lb_trust_signers *s)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < s->count; i++) {
		json_t *o = json_object();

		render_set(&o, "principal", json_string(s->who[i]->principal));
		render_set(&o, "at", render_time(signing_at(p, s->who[i])));
		render_add(&a, o);
	}
	return a;
}

static json_t *
bundle_json(const struct proposal_row *p)
{
	struct lb_buf b = { 0 };
	json_t *s = NULL;
	enum lb_err r;

	r = lb_buf_add(&b, p->text.data, p->text.len);
	for (size_t i = 0; r == LB_OK && i < p->signing_count; i++)
		r = lb_buf_adds(&b, p->signing[i].signature);
	if (r == LB_OK)
		s = json_stringn(b.data, b.len);
	lb_buf_clear(&b);
	return s;
}

static json_t *
proposal_json(const struct proposal_row *p, const struct lb_trust *current,
    const struct lb_trust_signers *s)
{
	json_t *o = json_object();

	render_set(&o, "text", json_stringn(p->text.data, p->text.len));
	render_set(&o, "sha256", json_string(p->sha256));
	render_set(&o, "serial", json_integer(p->serial));
	render_set(&o, "by", json_string(p->by));
	render_set(&o, "at", render_time(p->at));
	render_set(&o, "signatures", signers_json(p, s));
	render_set(&o, "needed", json_integer((json_int_t)current->threshold));
	render_set(&o, "bundle", bundle_json(p));
	return o;
}

/*
 * The proposal as it stands: signatures are counted anew each time, since keys
 * leave their dates. LB_ERR_MISSING: none that could still come into force.
 */
static enum lb_err
proposal_read(
    struct app *app, const struct held *held, int64_t now, json_t **ret)
{
	struct lb_trust_signers signers = { 0 };
	struct sheet *sheet = malloc(sizeof(*sheet));
	struct proposal_row p = { 0 };
	struct lb_trust *next = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (sheet == NULL)
		goto out;
	if ((r = store_proposal_get(app->store, held->trust->tenant, &p)) !=
		LB_OK ||
	    (r = proposal_sheet(&p, sheet)) != LB_OK)
		goto out;
	r = lb_trust_propose(held->trust, &sheet->part, now, &signers, &next);
	if (r == LB_ERR_STATE)
		r = LB_ERR_MISSING; /* of a trust that is gone */
	if (r != LB_OK && r != LB_ERR_SIGNATURE)
		goto out;
	*ret = proposal_json(&p, held->trust, &signers);
	r = *ret != NULL ? LB_OK : LB_ERR_MEMORY;
out:
	lb_trust_free(next);
	proposal_row_clear(&p);
	free(sheet);
	return r;
}

enum lb_err
proposal_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct held *held;
	json_t *o = NULL;
	enum lb_err r = LB_ERR_MISSING;

	if (!rules_may_see_tenant(&call->caller, call->arg))
		return r;
	held = trusts_take(app->trusts, call->arg);
	if (held != NULL)
		r = proposal_read(app, held, call->now, &o);
	trusts_give(app->trusts, held);
	return r == LB_OK ? reply_json(reply, 200, o) : r;
}

/* What became of it: null as proposal means that it is in force. */
static enum lb_err
sign_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status)
{
	struct held *held = trusts_take(app->trusts, call->arg);
	json_t *o = json_object(), *p = NULL;
	struct tenant_row t;
	enum lb_err r = LB_ERR_MISSING;

	if (held != NULL)
		r = proposal_read(app, held, call->now, &p);
	if (r == LB_ERR_MISSING)
		p = json_null();
	if ((r == LB_OK || r == LB_ERR_MISSING) &&
	    (r = store_tenant_get(app->store, call->arg, &t)) == LB_OK) {
		render_set(&o, "proposal", p);
		render_set(&o, "tenant", tenant_view(app, &t, held, call->now));
		p = NULL; /* handed over */
	}
	trusts_give(app->trusts, held);
	json_decref(p);
	if (r != LB_OK) {
		json_decref(o);
		return r;
	}
	return reply_json(reply, status, o);
}

/* Lay the offer's signature beside those that are there. */
static enum lb_err
signing_add(const struct call *call, const struct offer *o,
    const struct lb_pinned *owner, struct proposal_row *p)
{
	struct signing s = { .at = call->now };

	ROW_TEXT(s.key_fp, owner->key.fp);
	ROW_TEXT(s.principal, owner->principal);
	if (lb_text_copy(s.signature, sizeof(s.signature), o->armor) != LB_OK)
		return LB_ERR_SIGNATURE;
	return proposal_row_sign(p, &s);
}

static enum lb_err
proposal_begin(const struct call *call, const struct offer *o,
    const struct lb_trust *next, const struct lb_pinned *owner,
    struct proposal_row *p)
{
	ROW_TEXT(p->tenant, next->tenant);
	ROW_TEXT(p->sha256, next->id);
	ROW_TEXT(p->by, owner->principal);
	p->serial = next->serial;
	p->at = call->now;
	return lb_buf_add(&p->text, o->text, strlen(o->text));
}

/*
 * One change: the signature, if it is news, is kept, or it was the last that was needed and
 * the document is in force. gone is a proposal that this one replaces.
 */
static enum lb_err
signing_store(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const char *actor, const struct proposal_row *p,
    bool news, const struct proposal_row *gone)
{
	struct change c = { .proposal = p, .proposal_gone = gone };
	struct lb_trust_signers signers = { 0 };
	struct sheet *sheet = malloc(sizeof(*sheet));
	struct lb_trust *next = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (sheet == NULL)
		goto out;
	if ((r = proposal_sheet(p, sheet)) != LB_OK)
		goto out;
	r = lb_trust_propose(
	    held->trust, &sheet->part, call->now, &signers, &next);
	if (r != LB_OK) {
		r = successor_refuse(reply, held->trust, r);
		goto out;
	}
	if (signers.count >= held->trust->threshold) {
		r = successor_take(app, call, reply, held, actor, &sheet->part,
		    p->version != 0 ? p : gone);
		goto out;
	}
	if (!news)
		goto out;
	call_event(app, call, &c,
	    p->version != 0 ? "trust.proposal_signed" : "trust.proposed", actor,
	    p->tenant);
	ROW_TEXT(change_event(&c)->detail, p->sha256);
	r = call_commit(app, &c);
out:
	lb_trust_free(next);
	free(sheet);
	return r;
}

static enum lb_err
other_refuse(struct reply *reply, const struct proposal_row *p)
{
	return reply_refuse(
	    reply, "proposal_open", "%s by %s", p->sha256, p->by);
}

/*
 * The offer against what stands open now. The same signature once more adds
 * nothing, unless by now it is enough.
 */
static enum lb_err
offer_sign(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct offer *o, const struct lb_trust *next,
    const struct lb_pinned *owner, unsigned int *ret_status)
{
	struct proposal_row was = { 0 }, begun = { 0 }, *p = &was;
	bool open, ours, news;
	enum lb_err r;

	r = store_proposal_get(app->store, next->tenant, &was);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	open = r == LB_OK;
	ours = open && strcmp(was.sha256, next->id) == 0;
	r = LB_OK;
	if (open && !ours && !o->replace)
		r = other_refuse(reply, &was);
	else if (!ours)
		r = proposal_begin(call, o, next, owner, p = &begun);
	news = signing_at(p, owner) == 0;
	if (r == LB_OK && news)
		r = signing_add(call, o, owner, p);
	if (r == LB_OK)
		r = signing_store(app, call, reply, held, owner->principal, p,
		    news, open && !ours ? &was : NULL);
	if (r == LB_OK)
		*ret_status = ours ? 200 : 201;
	proposal_row_clear(&was);
	proposal_row_clear(&begun);
	return r;
}

/*
 * The signature decides, as with a whole successor: whoever has none of the
 * tenant's keys learns nothing. Then it must be one that counts.
 */
static enum lb_err
offer_take(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct offer *o, unsigned int *ret_status)
{
	const struct lb_part *part = &o->sheet.part;
	struct lb_trust_signers signer = { 0 };
	struct lb_trust *next = NULL;
	enum lb_err r;

	if (held == NULL || successor_signer(held->trust, part) == NULL)
		return LB_ERR_MISSING;
	if (strcmp(part->id, held->trust->id) == 0)
		return LB_OK; /* in force already */
	r = lb_trust_propose(held->trust, part, call->now, &signer, &next);
	if (r == LB_ERR_SIGNATURE)
		return reply_refuse(reply, "trust_refused",
		    "the signature is none of an owner that counts");
	if (r != LB_OK)
		return successor_refuse(reply, held->trust, r);
	r = offer_sign(
	    app, call, reply, held, o, next, signer.who[0], ret_status);
	lb_trust_free(next);
	return r;
}

static enum lb_err
offer_read(struct reply *reply, json_t *root, struct offer *o)
{
	int replace = 0;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s, s?b}", "text",
		&o->text, "signature", &o->armor, "replace", &replace) != 0)
		return reply_refuse(
		    reply, "bad_json", "text, signature, replace");
	o->replace = replace != 0;
	sheet_init(&o->sheet, &lb_trust_type, o->text, strlen(o->text));
	return sheet_sign(&o->sheet, o->armor);
}

enum lb_err
proposal_sign(struct app *app, const struct call *call, struct reply *reply)
{
	struct offer *o = malloc(sizeof(*o));
	unsigned int status = 200;
	json_t *root = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (o == NULL)
		goto out;
	if ((r = call_json(call, reply, &root)) != LB_OK ||
	    (r = offer_read(reply, root, o)) != LB_OK)
		goto out;
	r = LB_ERR_CONFLICT;
	for (int i = 0; i < TRIES_MAX && r == LB_ERR_CONFLICT; i++) {
		struct held *held = trusts_take(app->trusts, call->arg);

		r = offer_take(app, call, reply, held, o, &status);
		trusts_give(app->trusts, held);
	}
	if (r == LB_OK)
		r = sign_answer(app, call, reply, status);
out:
	json_decref(root);
	free(o);
	return call_limit_failed(app, call, reply, LIMIT_DECISION, r);
}

/* It carries no signature: closing needs only the broker. */
static enum lb_err
proposal_drop(struct app *app, const struct call *call, struct reply *reply)
{
	struct proposal_row p = { 0 };
	struct change c = { .proposal_gone = &p };
	enum lb_err r;

	if ((r = store_proposal_get(app->store, call->arg, &p)) != LB_OK)
		return r;
	call_event(app, call, &c, "trust.proposal_withdrawn",
	    call->caller.principal, p.tenant);
	ROW_TEXT(change_event(&c)->detail, p.sha256);
	r = call_commit(app, &c);
	proposal_row_clear(&p);
	return r == LB_OK ? reply_empty(reply) : r;
}

enum lb_err
proposal_withdraw(struct app *app, const struct call *call, struct reply *reply)
{
	enum lb_err r;

	if (!rules_is_approver(&call->caller, call->arg))
		return LB_ERR_MISSING;
	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	return proposal_drop(app, call, reply);
}
