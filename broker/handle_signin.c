/* Signing in and out, and who one is then. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "body.h"
#include "caller.h"
#include "enter.h"
#include "handlers.h"
#include "passkey.h"
#include "proof.h"
#include "render.h"

enum lb_err
nonce_post(struct app *app, const struct call *call, struct reply *reply)
{
	char nonce[LB_NONCE_LEN + 1], until[LB_TIME_LEN + 1];
	enum lb_err r;

	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	caller_nonce_make(app, call->now, nonce);
	lb_time_format(call->now + CALLER_NONCE_TTL, until);
	return reply_json(reply, 200,
	    json_pack("{s:s, s:s, s:s}", "broker", app->conf.name, "nonce",
		nonce, "expires_at", until));
}

/* Only our own page may have a cookie: it would be sent to us alone. */
static enum lb_err
signin_read(struct app *app, const struct call *call, struct reply *reply,
    json_t *root, struct proof *ret, bool *ret_cookie)
{
	const char *text, *armor;
	int cookie = 0;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s, s?b}", "text",
		&text, "signature", &armor, "cookie", &cookie) != 0)
		return reply_refuse(
		    reply, "bad_json", "text, signature, cookie");
	if (cookie && call->from != ORIGIN_OWN)
		return reply_refuse(reply, "foreign_origin",
		    "only the broker's own page gets a cookie");
	*ret_cookie = cookie != 0;
	return proof_read(app, call, reply, text, armor, NULL, ret);
}

/* A sign-in passkey, on our own page. */
static enum lb_err
passkey_who(struct app *app, const struct call *call, struct reply *reply,
    const struct proof *p, struct caller *who, struct signin_key_row *key)
{
	const char *wrong;

	wrong = passkey_wrong(
	    &p->sig, app->conf.rp_id, app->conf.origin, PASSKEY_VERIFIED);
	if (wrong == NULL && call->from == ORIGIN_PAGE)
		wrong = "signed on another page";
	if (wrong != NULL)
		return reply_refuse(reply, "signin_refused", "%s", wrong);
	who->sign_in = SIGN_IN_PASSKEY;
	key->used_at = call->now;
	return LB_OK;
}

/* A pinned passkey, on a page that its customer serves. */
static enum lb_err
pinned_who(struct app *app, const struct call *call, struct reply *reply,
    const struct proof *p, struct caller *who)
{
	const char *wrong;

	if (!trusts_know(app->trusts, p->sig.key.fp))
		return reply_refuse(reply, "signin_refused", "%s", "");
	if (call->from != ORIGIN_PAGE)
		return reply_refuse(reply, "pinned_key", "%s", "");
	wrong = passkey_wrong(
	    &p->sig, p->sig.key.application, call->origin, LB_SIG_TOUCH);
	if (wrong != NULL)
		return reply_refuse(reply, "signin_refused", "%s", wrong);
	who->sign_in = SIGN_IN_PINNED;
	return LB_OK;
}

/* Is it somebody, and may he sign in from there? */
static bool
place_good(struct app *app, const struct call *call, const struct proof *p,
    const struct caller *who)
{
	if (who->roles == 0 || !caller_page_good(app, call, who))
		return false;
	if (who->sign_in != SIGN_IN_PINNED)
		return true;
	/* RP-ID and origin stand in one line of one of his tenants. */
	for (size_t i = 0; i < who->tenant_count; i++)
		if (trusts_page(app->trusts, who->tenant[i],
			p->sig.key.application, call->origin))
			return true;
	return false;
}

/* Who that is, if it is anybody; a sign-in passkey is noted as used. */
static enum lb_err
signin_who(struct app *app, const struct call *call, struct reply *reply,
    const struct proof *p, struct caller *who, struct signin_key_row *key,
    struct change *c)
{
	enum lb_err r = LB_OK;

	ROW_TEXT(who->principal, p->doc.principal);
	ROW_TEXT(who->key_fp, p->sig.key.fp);
	who->sign_in = SIGN_IN_SSH;
	if (p->sig.webauthn) {
		r = store_signin_key_get(app->store, who->key_fp, key);
		if (r == LB_OK) {
			c->signin_key = key;
			r = passkey_who(app, call, reply, p, who, key);
		} else if (r == LB_ERR_MISSING) {
			r = pinned_who(app, call, reply, p, who);
		}
	}
	if (r != LB_OK || (r = caller_roles(app, call->now, who)) != LB_OK)
		return r;
	if (!place_good(app, call, p, who))
		return reply_refuse(reply, "signin_refused", "%s", "");
	return LB_OK;
}

enum lb_err
signin_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct signin_key_row key;
	struct proof proof;
	struct caller who = { 0 };
	struct change c = { 0 };
	json_t *root = NULL;
	bool proven = false, cookie;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK ||
	    (r = signin_read(app, call, reply, root, &proof, &cookie)) !=
		LB_OK ||
	    (r = signin_who(app, call, reply, &proof, &who, &key, &c)) != LB_OK)
		goto out;
	proven = true;
	if ((r = call_limit(app, reply, LIMIT_SIGNIN, who.key_fp)) == LB_OK)
		r = enter(app, call, reply, &who, proof.doc.nonce, &c, cookie);
	if (r == LB_ERR_CONFLICT)
		r = reply_refuse(reply, "nonce_over", "%s", "");
out:
	json_decref(root);
	if (proven)
		return r;
	return call_limit_failed(app, call, reply, LIMIT_SIGNIN, r);
}

enum lb_err
signout_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct session_row s = { .ended = true };
	struct change c = { .session = &s };
	enum lb_err r;

	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	memcpy(s.hash, call->caller.session, sizeof(s.hash));
	call_event(
	    app, call, &c, "person.signed_out", call->caller.principal, "");
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	if (call->cookie != NULL)
		caller_cookie(reply, "", 0);
	return reply_empty(reply);
}

enum lb_err
whoami_get(struct app *app, const struct call *call, struct reply *reply)
{
	(void)app;
	return reply_json(reply, 200, render_caller(&call->caller));
}
