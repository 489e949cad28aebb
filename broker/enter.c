/* Sessions begin here. */
#include "enter.h"

#include <string.h>

#include <sodium.h>

#include "caller.h"
#include "render.h"

static enum lb_err
answer(const struct app *app, struct reply *reply, const struct caller *who,
    const char *token, bool cookie)
{
	json_t *o = render_caller(who);

	if (cookie)
		caller_cookie(reply, token, app->conf.session);
	else
		render_set(&o, "token", json_string(token));
	return reply_json(reply, 200, o);
}

enum lb_err
enter(struct app *app, const struct call *call, struct reply *reply,
    struct caller *who, const char *nonce, struct change *c, bool cookie)
{
	char token[CALLER_TOKEN_LEN + 1];
	struct session_row s = { .sign_in = who->sign_in,
		.created_at = call->now,
		.expires_at = call->now + app->conf.session };
	enum lb_err r;

	who->expires_at = s.expires_at;
	memcpy(s.principal, who->principal, sizeof(s.principal));
	memcpy(s.key_fp, who->key_fp, sizeof(s.key_fp));
	memcpy(s.nonce, nonce, sizeof(s.nonce));
	caller_token_make(app, token, s.hash);
	c->session = &s;
	c->nonce[0] = s.nonce;
	c->nonce_at = call->now;
	call_event(app, call, c, "person.signed_in", who->principal, "");
	/* Whose name it is, the key says: tenants choose names themselves. */
	ROW_TEXT(change_event(c)->detail, who->key_fp);
	if ((r = call_commit(app, c)) == LB_OK) {
		metrics_count(&app->metrics.signins);
		r = answer(app, reply, who, token, cookie);
	}
	sodium_memzero(token, sizeof(token));
	return r;
}
