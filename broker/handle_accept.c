/* An invited person brings a key. */
#include <stdio.h>
#include <string.h>

#include "lockbox/visible.h"

#include "body.h"
#include "candidate.h"
#include "handlers.h"
#include "invitation.h"
#include "proof.h"
#include "render.h"

#define CANDIDATES_MAX 128 /* of one tenant */

/* What he sends. */
struct accept {
	const char *tenant, *principal, *code;
	const char *key, *label, *text, *armor; /* of the candidate */
};

static enum lb_err
refused(struct reply *reply)
{
	return reply_refuse(reply, "invitation_refused", "%s", "");
}

/* A wrong code is counted; the fifth burns the invitation. */
static enum lb_err
code_wrong(struct app *app, const struct call *call, struct reply *reply,
    struct invitation_row *i)
{
	struct change c = { .invitation = i };
	enum lb_err r;

	i->wrong_codes++;
	if (i->wrong_codes >= INVITATION_TRIES_MAX)
		i->salt[0] = '\0';
	call_event(
	    app, call, &c, "invitation.refused", app->conf.name, i->tenant);
	ROW_TEXT(change_event(&c)->detail, call->address);
	if ((r = call_commit(app, &c)) != LB_OK && r != LB_ERR_CONFLICT)
		return r;
	return refused(reply);
}

/*
 * The invitation that the code is for. None, over, burnt, a wrong code: all
 * look the same.
 */
static enum lb_err
invitation_find(struct app *app, const struct call *call, struct reply *reply,
    const struct accept *a, struct invitation_row *ret)
{
	enum lb_err r;

	r = store_invitation_get(app->store, a->tenant, a->principal, ret);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK && !invitation_open(ret, call->now)))
		return refused(reply);
	if (r != LB_OK)
		return r;
	if (!invitation_fits(app, ret, a->code))
		return code_wrong(app, call, reply, ret);
	return LB_OK;
}

/* The key's own word that it shall be this person's. */
static enum lb_err
key_prove(struct app *app, const struct call *call, struct reply *reply,
    const struct accept *a, struct proof *ret)
{
	struct lb_sshkey key;
	enum lb_err r;

	if (strlen(a->label) > ROW_LABEL_MAX ||
	    !lb_text_visible(a->label, strlen(a->label)))
		return reply_refuse(reply, "bad_value", "label");
	if (lb_sshkey_parse(a->key, &key) != LB_OK)
		return reply_refuse(reply, "bad_value", "key");
	if ((r = proof_read(app, call, reply, a->text, a->armor, NULL, ret)) !=
	    LB_OK)
		return r;
	if (!lb_sshkey_equal(&key, &ret->sig.key))
		return reply_refuse(reply, "bad_signature", "by another key");
	if (strcmp(ret->doc.principal, a->principal) != 0)
		return reply_refuse(
		    reply, "bad_signature", "of another principal");
	return LB_OK;
}

struct others {
	const char *key_fp;
	size_t count;
	bool has;
};

static bool
others_take(void *arg, const struct candidate_row *row)
{
	struct others *o = arg;

	o->count++;
	o->has |= strcmp(row->key_fp, o->key_fp) == 0;
	return true;
}

/* Does somebody sign in with it: the provider's person, or a sign-in key? */
static enum lb_err
signs_in(struct app *app, const char *key_fp, bool *ret)
{
	struct signin_key_row key;
	struct person_row person;
	enum lb_err r;

	r = store_person_by_key(app->store, key_fp, &person);
	if (r == LB_ERR_MISSING)
		r = store_signin_key_get(app->store, key_fp, &key);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	*ret = r == LB_OK;
	return LB_OK;
}

/* Is it nobody's yet: no line's, none to sign in
 * with, no candidate's? */
static enum lb_err
key_free(struct app *app, struct reply *reply, const char *tenant,
    const struct lb_sshsig *sig)
{
	struct others others = { .key_fp = sig->key.fp };
	struct held *held = trusts_take(app->trusts, tenant);
	const char *code;
	enum lb_err r;

	if (held == NULL)
		return LB_ERR_MISSING;
	code = candidate_refuses(held->trust, sig);
	trusts_give(app->trusts, held);
	if (code != NULL)
		return reply_refuse(reply, code, "%s", sig->key.fp);
	if ((r = signs_in(app, sig->key.fp, &others.has)) != LB_OK)
		return r;
	if ((r = store_candidate_each(
		 app->store, tenant, others_take, &others)) != LB_OK)
		return r;
	if (others.has)
		return reply_refuse(reply, "key_taken", "%s", sig->key.fp);
	if (others.count >= CANDIDATES_MAX)
		return reply_refuse(reply, "too_many", "candidates");
	return LB_OK;
}

static enum lb_err
accept_answer(struct reply *reply, const struct candidate_row *c)
{
	json_t *o = json_object();

	render_set(&o, "signin_key", json_null());
	render_set(&o, "candidate", json_string(c->key_fp));
	render_set(&o, "page", render_text(c->origin));
	return reply_json(reply, 201, o);
}

/* A moment ago: the invitation, or else the nonce. */
static enum lb_err
used_up(struct app *app, struct reply *reply, const struct invitation_row *i)
{
	struct invitation_row now;
	enum lb_err r;

	r = store_invitation_by_id(app->store, i->id, &now);
	if (r == LB_ERR_MISSING || (r == LB_OK && now.version != i->version))
		return refused(reply);
	return r == LB_OK ? reply_refuse(reply, "nonce_over", "%s", "") : r;
}

/* The key is there and the invitation is gone, or nothing happened. */
static enum lb_err
accept_store(struct app *app, const struct call *call, struct reply *reply,
    const struct accept *a, const struct invitation_row *i,
    const struct proof *p)
{
	const struct lb_sshkey *key = &p->sig.key;
	struct candidate_row row = { .owner = i->owner, .at = call->now };
	struct change c = { .invitation = i,
		.invitation_remove = true,
		.candidate = &row,
		.nonce = p->doc.nonce,
		.nonce_at = call->now };
	enum lb_err r;

	ROW_TEXT(row.id, i->id);
	ROW_TEXT(row.tenant, i->tenant);
	ROW_TEXT(row.principal, i->principal);
	ROW_TEXT(row.label, a->label);
	ROW_TEXT(row.key_fp, key->fp);
	ROW_TEXT(row.origin, p->sig.webauthn ? p->sig.origin : "");
	ROW_TEXT(row.invited_by, i->invited_by);
	lb_sshkey_format(key, row.key);
	call_event(
	    app, call, &c, "invitation.accepted", i->principal, i->tenant);
	(void)snprintf(change_event(&c)->detail,
	    sizeof(change_event(&c)->detail), "candidate %s", key->fp);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		return used_up(app, reply, i);
	return r == LB_OK ? accept_answer(reply, &row) : r;
}

static enum lb_err
accept_read(struct reply *reply, json_t *root, struct accept *ret)
{
	if (json_unpack_ex(root, NULL, JSON_STRICT,
		"{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "tenant",
		&ret->tenant, "principal", &ret->principal, "code", &ret->code,
		"candidate", "key", &ret->key, "label", &ret->label, "text",
		&ret->text, "signature", &ret->armor) != 0)
		return reply_refuse(
		    reply, "bad_json", "tenant, principal, code, candidate");
	if (!lb_name_valid(ret->tenant) || !lb_principal_valid(ret->principal))
		return reply_refuse(reply, "bad_value", "tenant or principal");
	return LB_OK;
}

static enum lb_err
accept_do(struct app *app, const struct call *call, struct reply *reply,
    const struct accept *a)
{
	struct invitation_row i;
	struct proof p;
	enum lb_err r;

	if ((r = invitation_find(app, call, reply, a, &i)) != LB_OK ||
	    (r = key_prove(app, call, reply, a, &p)) != LB_OK ||
	    (r = key_free(app, reply, i.tenant, &p.sig)) != LB_OK)
		return r;
	return accept_store(app, call, reply, a, &i, &p);
}

enum lb_err
invitation_accept(struct app *app, const struct call *call, struct reply *reply)
{
	struct accept a = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) == LB_OK &&
	    (r = accept_read(reply, root, &a)) == LB_OK)
		r = accept_do(app, call, reply, &a);
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_ENROL, r);
}
