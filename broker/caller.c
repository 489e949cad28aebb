/* Sessions and nonces. A token is stored as a keyed hash only. */
#include "caller.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "headers.h"

void
caller_token_hash(const struct app *app, const char *token,
    char ret[static ROW_TOKEN_HASH_LEN + 1])
{
	uint8_t hash[ROW_TOKEN_HASH_LEN / 2];

	app_hash(app, "session", token, hash, sizeof(hash));
	lb_hex_encode(hash, sizeof(hash), ret);
}

void
caller_token_make(const struct app *app, char ret[static CALLER_TOKEN_LEN + 1],
    char ret_hash[static ROW_TOKEN_HASH_LEN + 1])
{
	uint8_t bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	(void)sodium_bin2base64(ret, CALLER_TOKEN_LEN + 1, bytes, sizeof(bytes),
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof(bytes));
	caller_token_hash(app, ret, ret_hash);
}

/* Time and randomness in the clear, then a keyed hash of both. */
static void
nonce_seal(const struct app *app, char nonce[static LB_NONCE_LEN + 1])
{
	uint8_t hash[16];

	nonce[LB_NONCE_LEN / 2] = '\0';
	app_hash(app, "nonce", nonce, hash, sizeof(hash));
	lb_hex_encode(hash, LB_NONCE_LEN / 4, nonce + LB_NONCE_LEN / 2);
}

void
caller_nonce_make(
    const struct app *app, int64_t now, char ret[static LB_NONCE_LEN + 1])
{
	uint8_t head[8];
	uint32_t at = (uint32_t)now;

	for (size_t i = 0; i < 4; i++)
		head[i] = (uint8_t)(at >> (24 - 8 * i));
	randombytes_buf(head + 4, 4);
	lb_hex_encode(head, sizeof(head), ret);
	nonce_seal(app, ret);
}

bool
caller_nonce_good(const struct app *app, const char *nonce, int64_t now)
{
	char own[LB_NONCE_LEN + 1];
	uint8_t head[8];
	uint32_t at = 0;

	if (!lb_nonce_valid(nonce))
		return false;
	memcpy(own, nonce, sizeof(own));
	nonce_seal(app, own);
	if (sodium_memcmp(own, nonce, LB_NONCE_LEN) != 0)
		return false;
	own[LB_NONCE_LEN / 2] = '\0';
	if (lb_hex_decode(own, head, sizeof(head)) != LB_OK)
		return false;
	for (size_t i = 0; i < 4; i++)
		at = at << 8 | head[i];
	return now >= (int64_t)at && now - (int64_t)at < CALLER_NONCE_TTL;
}

/* The provider's roles of that name: with one of its own keys, or any key. */
static enum lb_err
provider_roles(struct app *app, struct caller *c, bool any_key)
{
	struct person_row p;
	enum lb_err r;

	r = store_person_get(app->store, c->principal, &p);
	if (r == LB_ERR_MISSING || (r == LB_OK && !p.active))
		return LB_OK;
	if (r != LB_OK)
		return r;
	if (any_key)
		c->roles |= p.roles;
	for (size_t i = 0; i < p.key_count; i++)
		if (strcmp(p.key[i].fp, c->key_fp) == 0)
			c->roles |= p.roles;
	return LB_OK;
}

/*
 * A sign-in passkey is a name's in one realm: the provider or one tenant. One
 * that a trust document came to pin is none any more.
 */
static enum lb_err
passkey_roles(struct app *app, int64_t now, struct caller *c)
{
	struct signin_key_row k;
	enum lb_err r;

	r = store_signin_key_get(app->store, c->key_fp, &k);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK &&
		(strcmp(k.principal, c->principal) != 0 ||
		    trusts_know(app->trusts, c->key_fp))))
		return LB_OK;
	if (r != LB_OK)
		return r;
	if (k.tenant[0] == '\0')
		return provider_roles(app, c, true);
	trusts_match_name(app->trusts, now, k.tenant, c);
	return LB_OK;
}

enum lb_err
caller_roles(struct app *app, int64_t now, struct caller *c)
{
	enum lb_err r = LB_OK;

	c->roles = 0;
	c->tenant_count = 0;
	switch (c->sign_in) {
	case SIGN_IN_SSH:
		r = provider_roles(app, c, false);
		trusts_match(app->trusts, now, c);
		break;
	case SIGN_IN_PINNED:
		trusts_match(app->trusts, now, c);
		break;
	case SIGN_IN_PASSKEY:
		r = passkey_roles(app, now, c);
		break;
	}
	return r;
}

static enum lb_err
needed(struct reply *reply)
{
	return reply_refuse(reply, "signin_needed", "%s", "");
}

enum origin_from
caller_from(struct app *app, const char *origin)
{
	if (origin == NULL)
		return ORIGIN_NONE;
	if (strcmp(origin, app->conf.origin) == 0)
		return ORIGIN_OWN;
	return trusts_page(app->trusts, NULL, NULL, origin) ? ORIGIN_PAGE
							    : ORIGIN_FOREIGN;
}

bool
caller_page_good(
    struct app *app, const struct call *call, const struct caller *c)
{
	if (call->from == ORIGIN_NONE || call->from == ORIGIN_OWN)
		return true;
	for (size_t i = 0; i < c->tenant_count; i++)
		if (trusts_page(app->trusts, c->tenant[i], NULL, call->origin))
			return true;
	return false;
}

/* The token, of a header or the cookie: one of them, says origin.c. */
static bool
token_read(const struct call *call, char ret[static CALLER_TOKEN_LEN + 1])
{
	if (call->authorization == NULL)
		return cookie_read(call->cookie, CALLER_COOKIE, ret,
			   CALLER_TOKEN_LEN + 1) == LB_OK &&
		    strlen(ret) == CALLER_TOKEN_LEN;
	if (strncmp(call->authorization, "Bearer ", 7) != 0 ||
	    strlen(call->authorization + 7) != CALLER_TOKEN_LEN)
		return false;
	memcpy(ret, call->authorization + 7, CALLER_TOKEN_LEN + 1);
	return true;
}

void
caller_cookie(struct reply *reply, const char *token, int64_t ttl)
{
	(void)snprintf(reply->set_cookie, sizeof(reply->set_cookie),
	    CALLER_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; "
			  "Max-Age=%" PRId64,
	    token, ttl);
}

enum lb_err
caller_read(struct app *app, const struct call *call, struct reply *reply,
    struct caller *ret)
{
	char hash[ROW_TOKEN_HASH_LEN + 1], token[CALLER_TOKEN_LEN + 1] = "";
	struct session_row s;
	struct caller c = { 0 };
	enum lb_err r;

	if (!token_read(call, token))
		return needed(reply);
	caller_token_hash(app, token, hash);
	sodium_memzero(token, sizeof(token));
	r = store_session_get(app->store, hash, &s);
	if (r == LB_ERR_MISSING)
		return needed(reply);
	if (r != LB_OK)
		return r;
	if (s.ended || call->now >= s.expires_at)
		return needed(reply);
	memcpy(c.principal, s.principal, sizeof(c.principal));
	memcpy(c.key_fp, s.key_fp, sizeof(c.key_fp));
	memcpy(c.session, s.hash, sizeof(c.session));
	c.sign_in = s.sign_in;
	c.expires_at = s.expires_at;
	if ((r = caller_roles(app, call->now, &c)) != LB_OK)
		return r;
	if (c.roles == 0 || !caller_page_good(app, call, &c))
		return needed(reply); /* nobody any more, or not here */
	*ret = c;
	return LB_OK;
}
