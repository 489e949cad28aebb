/* Sessions and nonces. A token is stored as a keyed hash only. */
#include "caller.h"

#include <string.h>

#include <sodium.h>

static void
token_hash(const struct app *app, const char *token,
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
	token_hash(app, ret, ret_hash);
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

enum lb_err
caller_roles(struct app *app, int64_t now, struct caller *c)
{
	struct person_row p;
	enum lb_err r;

	c->roles = 0;
	c->tenant_count = 0;
	r = store_person_get(app->store, c->principal, &p);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	for (size_t i = 0; r == LB_OK && p.active && i < p.key_count; i++)
		if (strcmp(p.key[i].fp, c->key_fp) == 0)
			c->roles |= p.roles;
	trusts_match(app->trusts, now, c);
	return LB_OK;
}

static enum lb_err
needed(struct reply *reply)
{
	return reply_refuse(reply, "signin_needed", "%s", "");
}

enum lb_err
caller_read(struct app *app, const struct call *call, struct reply *reply,
    struct caller *ret)
{
	char hash[ROW_TOKEN_HASH_LEN + 1];
	struct session_row s;
	struct caller c = { 0 };
	enum lb_err r;

	if (call->authorization == NULL ||
	    strncmp(call->authorization, "Bearer ", 7) != 0 ||
	    strlen(call->authorization + 7) != CALLER_TOKEN_LEN)
		return needed(reply);
	token_hash(app, call->authorization + 7, hash);
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
	c.expires_at = s.expires_at;
	if ((r = caller_roles(app, call->now, &c)) != LB_OK)
		return r;
	if (c.roles == 0)
		return needed(reply); /* nobody any more */
	*ret = c;
	return LB_OK;
}
