/* New candidates. */
#include "candidate_key.h"

#include <string.h>

#include "lockbox/visible.h"

#include "candidate.h"
#include "proof.h"

#define CANDIDATES_MAX 128 /* of one tenant */

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

/* Is it nobody's yet? */
static enum lb_err
unused(struct app *app, struct reply *reply, const char *tenant, const char *fp)
{
	struct others others = { .key_fp = fp };
	enum lb_err r;

	if ((r = signs_in(app, fp, &others.has)) != LB_OK ||
	    (r = store_candidate_each(
		 app->store, tenant, others_take, &others)) != LB_OK)
		return r;
	if (others.has)
		return reply_refuse(reply, "key_taken", "%s", fp);
	if (others.count >= CANDIDATES_MAX)
		return reply_refuse(reply, "too_many", "candidates");
	return LB_OK;
}

enum lb_err
candidate_key_read(struct app *app, const struct call *call,
    struct reply *reply, json_t *o, const struct lb_trust *trust,
    struct candidate_row *ret, char ret_nonce[static LB_NONCE_LEN + 1])
{
	const char *key, *label, *text, *armor, *code;
	struct lb_sshkey k;
	struct proof p;
	enum lb_err r;

	if (json_unpack_ex(o, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:s}", "key",
		&key, "label", &label, "text", &text, "signature", &armor) != 0)
		return reply_refuse(
		    reply, "bad_json", "key, label, text, signature");
	if (strlen(label) > ROW_LABEL_MAX ||
	    !lb_text_visible(label, strlen(label)))
		return reply_refuse(reply, "bad_value", "label");
	if (lb_sshkey_parse(key, &k) != LB_OK)
		return reply_refuse(reply, "bad_value", "key");
	if ((r = proof_of(app, call, reply, text, armor, &k, ret->principal,
		 &p)) != LB_OK)
		return r;
	if ((code = candidate_refuses(trust, &p.sig)) != NULL)
		return reply_refuse(reply, code, "%s", k.fp);
	if ((r = unused(app, reply, ret->tenant, k.fp)) != LB_OK)
		return r;
	ROW_TEXT(ret->key, key);
	ROW_TEXT(ret->key_fp, k.fp);
	ROW_TEXT(ret->label, label);
	ROW_TEXT(ret->origin, p.sig.webauthn ? p.sig.origin : "");
	memcpy(ret_nonce, p.doc.nonce, sizeof(p.doc.nonce));
	return LB_OK;
}
