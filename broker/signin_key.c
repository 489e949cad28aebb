/* New sign-in passkeys. */
#include "signin_key.h"

#include <string.h>

#include "lockbox/visible.h"

#include "passkey.h"
#include "proof.h"

/* Every key has one purpose: one that approves does not sign in, here. */
static enum lb_err
unused(struct app *app, struct reply *reply, const char *fp)
{
	struct signin_key_row other;
	enum lb_err r;

	if (trusts_know(app->trusts, fp))
		return reply_refuse(reply, "pinned_key", "%s", fp);
	r = store_signin_key_get(app->store, fp, &other);
	if (r == LB_OK)
		return reply_refuse(reply, "key_taken", "%s", fp);
	return r == LB_ERR_MISSING ? LB_OK : r;
}

static enum lb_err
proven(struct app *app, const struct call *call, struct reply *reply,
    const char *text, const char *armor, const struct signin_key_row *key,
    char ret_nonce[static LB_NONCE_LEN + 1])
{
	struct proof proof;
	const char *wrong;
	enum lb_err r;

	if ((r = proof_of(app, call, reply, text, armor, &key->key,
		 key->principal, &proof)) != LB_OK)
		return r;
	wrong = passkey_wrong(
	    &proof.sig, app->conf.rp_id, app->conf.origin, PASSKEY_VERIFIED);
	if (wrong != NULL)
		return reply_refuse(reply, "signin_refused", "%s", wrong);
	memcpy(ret_nonce, proof.doc.nonce, sizeof(proof.doc.nonce));
	return LB_OK;
}

enum lb_err
signin_key_read(struct app *app, const struct call *call, struct reply *reply,
    json_t *o, const char *principal, struct signin_key_row *ret,
    char ret_nonce[static LB_NONCE_LEN + 1])
{
	struct signin_key_row k = { .created_at = call->now };
	const char *key, *label, *text, *armor;
	enum lb_err r;

	if (json_unpack_ex(o, NULL, JSON_STRICT, "{s:s, s:s, s:s, s:s}", "key",
		&key, "label", &label, "text", &text, "signature", &armor) != 0)
		return reply_refuse(
		    reply, "bad_json", "key, label, text, signature");
	if (lb_sshkey_parse(key, &k.key) != LB_OK ||
	    !lb_sshkey_is_passkey(&k.key))
		return reply_refuse(reply, "bad_value", "key: no passkey");
	if ((*label != '\0' && !lb_text_visible(label, strlen(label))) ||
	    lb_text_copy(k.label, sizeof(k.label), label) != LB_OK)
		return reply_refuse(reply, "bad_value", "label");
	ROW_TEXT(k.principal, principal);
	if ((r = proven(app, call, reply, text, armor, &k, ret_nonce)) !=
		LB_OK ||
	    (r = unused(app, reply, k.key.fp)) != LB_OK)
		return r;
	*ret = k;
	return LB_OK;
}

static bool
count(void *arg, const struct signin_key_row *row)
{
	(void)row;
	++*(size_t *)arg;
	return true;
}

enum lb_err
signin_key_room(struct app *app, struct reply *reply, const char *tenant,
    const char *principal)
{
	size_t n = 0;
	enum lb_err r;

	r = store_signin_key_each(app->store, tenant, principal, count, &n);
	if (r == LB_OK && n >= SIGNIN_KEYS_MAX)
		r = reply_refuse(reply, "too_many_keys",
		    "at most %d, remove one first", SIGNIN_KEYS_MAX);
	return r;
}
