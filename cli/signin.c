/* Signs in and keeps the session. */
#include "signin.h"

#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/papers.h"
#include "output.h"
#include "sign.h"

#define SESSION_LEFT 60 /* seconds: renewed when less is left */

/*
 * The nonce is for this broker only: a broker that passes on another's nonce
 * under its own address would get a signature for the other.
 */
static int
nonce_check(struct api *api, const json_t *reply, struct lb_signin *ret)
{
	const char *broker = api_str(reply, "broker");
	const char *nonce = api_str(reply, "nonce");
	const char *known = api->settings.broker;

	if (!lb_name_valid(broker) || !lb_nonce_valid(nonce))
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "is %s a lockbox broker? its answer is none",
		    api->settings.url);
	if (known[0] != '\0' && strcmp(known, broker) != 0)
		return out_fail(api->cli, ENDING_DENIED,
		    "this broker calls itself '%s', the configuration knows "
		    "it as '%s': not signing in",
		    broker, known);
	memcpy(api->settings.broker, broker, strlen(broker) + 1);
	memcpy(ret->broker, broker, strlen(broker) + 1);
	memcpy(ret->nonce, nonce, sizeof(ret->nonce));
	memcpy(ret->principal, api->settings.principal, sizeof(ret->principal));
	ret->time = lb_clock_now();
	return ENDING_DONE;
}

int
signin_sign(struct api *api, const json_t *nonce, struct lb_buf *ret_text,
    struct lb_buf *ret_armor)
{
	struct lb_signin paper = { 0 };
	int rv;

	if ((rv = nonce_check(api, nonce, &paper)) != ENDING_DONE)
		return rv;
	if (lb_doc_write(&lb_signin_type, &paper, ret_text) != LB_OK)
		return out_fail(
		    api->cli, ENDING_FAILED, "the sign-in cannot be written");
	return sign_text(api->cli, api->settings.key, LB_NS_SIGNIN,
	    ret_text->data, ret_text->len, ret_armor, NULL);
}

static int
session_take(struct api *api, const json_t *reply)
{
	const char *token = api_str(reply, "token");

	api->expires_at = api_at(reply, "expires_at");
	if (token[0] == '\0' || api->expires_at == 0 ||
	    strspn(token,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
		"uvwxyz0123456789-._~+/=") != strlen(token) ||
	    lb_text_copy(api->token, sizeof(api->token), token) != LB_OK)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker's answer is no session");
	memcpy(api->principal, api->settings.principal, sizeof(api->principal));
	return api_session_save(api);
}

int
signin_do(struct api *api, json_t **ret)
{
	struct lb_buf text = { 0 }, armor = { 0 };
	json_t *nonce = NULL, *reply = NULL;
	int rv;

	/* An old token has no business here. */
	api->token[0] = '\0';
	if ((rv = api_post(api, NULL, &nonce, "/v1/signin/nonce")) ==
		ENDING_DONE &&
	    (rv = signin_sign(api, nonce, &text, &armor)) == ENDING_DONE &&
	    (rv = api_post(api,
		 json_pack(
		     "{s:s, s:s}", "text", text.data, "signature", armor.data),
		 &reply, "/v1/signin")) == ENDING_DONE)
		rv = session_take(api, reply);
	if (rv == ENDING_DONE && ret != NULL)
		*ret = json_incref(reply);
	json_decref(reply);
	json_decref(nonce);
	lb_buf_clear(&armor);
	lb_buf_clear(&text);
	return rv;
}

int
signin_renew(struct api *api)
{
	if (api->token[0] != '\0' &&
	    api->expires_at - lb_clock_now() > SESSION_LEFT)
		return ENDING_DONE;
	if (api->settings.principal[0] != '\0' && api->settings.key[0] != '\0')
		return signin_do(api, NULL);
	(void)out_fail(api->cli, ENDING_DENIED, "not signed in to this broker");
	out_hint(api->cli, "lockbox signin");
	return ENDING_DENIED;
}

int
signin_open(struct cli *cli, struct api *ret)
{
	int rv;

	if ((rv = api_open(cli, false, ret)) == ENDING_DONE &&
	    (rv = signin_renew(ret)) != ENDING_DONE)
		api_close(ret);
	return rv;
}
