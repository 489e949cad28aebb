/* Signing in and out, and who one is then. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "body.h"
#include "caller.h"
#include "enter.h"
#include "handlers.h"
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

enum lb_err
signin_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct proof proof;
	struct caller who = { .sign_in = SIGN_IN_SSH };
	struct change c = { 0 };
	json_t *root = NULL;
	bool proven = false, cookie;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK ||
	    (r = signin_read(app, call, reply, root, &proof, &cookie)) != LB_OK)
		goto out;
	if (proof.sig.webauthn) {
		r = reply_refuse(reply, "bad_signature", "%s", "");
		goto out;
	}
	memcpy(who.principal, proof.doc.principal, sizeof(who.principal));
	memcpy(who.key_fp, proof.sig.key.fp, sizeof(who.key_fp));
	if ((r = caller_roles(app, call->now, &who)) != LB_OK)
		goto out;
	if (who.roles == 0) {
		r = reply_refuse(reply, "signin_refused", "%s", "");
		goto out;
	}
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
