/*
 * Signing a page in that has no key: it shows a code, and somebody who has a
 * key confirms it with "lockbox signin --browser". What is signed holds a nonce
 * of that page alone, so a signature for one page opens no other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "body.h"
#include "caller.h"
#include "crockford.h"
#include "enter.h"
#include "handlers.h"
#include "proof.h"
#include "render.h"

#define CODE_CHARS 8 /* 40 bits, for ten minutes, guessed at a limited rate */
#define CODE_TTL   (10 * 60) /* seconds */
#define CODE_TRIES 4         /* to find one that is free */

static void
code_hash(const struct app *app, const char *code,
    char ret[static ROW_TOKEN_HASH_LEN + 1])
{
	uint8_t hash[ROW_TOKEN_HASH_LEN / 2];

	app_hash(app, "browser code", code, hash, sizeof(hash));
	lb_hex_encode(hash, sizeof(hash), ret);
}

/* What a browser calls itself, as far as it is printable. */
static void
agent_copy(const char *agent, char ret[static ROW_AGENT_MAX + 1])
{
	size_t n = 0;

	for (; agent != NULL && agent[n] != '\0' && n < ROW_AGENT_MAX; n++)
		ret[n] = agent[n];
	ret[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (ret[i] < ' ' || ret[i] > '~')
			ret[i] = '?';
}

/* A code that nobody has now; shown as XXXX-XXXX. */
static enum lb_err
code_make(struct app *app, struct browser_row *row, char ret[CODE_CHARS + 2])
{
	char code[CODE_CHARS + 1];
	uint8_t bits[CODE_CHARS * 5 / 8];
	enum lb_err r = LB_ERR_CONFLICT;

	for (int i = 0; r == LB_ERR_CONFLICT && i < CODE_TRIES; i++) {
		randombytes_buf(bits, sizeof(bits));
		crockford_encode(bits, sizeof(bits), CODE_CHARS, code);
		code_hash(app, code, row->code_hash);
		r = store_browser_add(app->store, row);
	}
	(void)snprintf(ret, CODE_CHARS + 2, "%.4s-%.4s", code, code + 4);
	return r;
}

static enum lb_err
own_page(const struct call *call, struct reply *reply)
{
	if (call->from == ORIGIN_OWN)
		return LB_OK;
	return reply_refuse(
	    reply, "foreign_origin", "only the broker's own page");
}

enum lb_err
browser_begin(struct app *app, const struct call *call, struct reply *reply)
{
	char poll[CALLER_TOKEN_LEN + 1], code[CODE_CHARS + 2];
	uint8_t nonce[LB_NONCE_LEN / 2];
	struct browser_row row = { .created_at = call->now,
		.expires_at = call->now + CODE_TTL };
	json_t *o = NULL;
	enum lb_err r;

	if ((r = call_nothing(call, reply)) != LB_OK ||
	    (r = own_page(call, reply)) != LB_OK ||
	    (r = call_limit_address(app, call, reply, LIMIT_SIGNIN)) != LB_OK)
		return r;
	caller_token_make(app, poll, row.poll_hash);
	randombytes_buf(nonce, sizeof(nonce));
	lb_hex_encode(nonce, sizeof(nonce), row.nonce);
	(void)snprintf(row.address, sizeof(row.address), "%s", call->address);
	agent_copy(call->agent, row.agent);
	if ((r = code_make(app, &row, code)) == LB_OK) {
		o = json_pack("{s:s, s:s}", "code", code, "poll", poll);
		render_set(&o, "expires_at", render_time(row.expires_at));
		r = reply_json(reply, 200, o);
	}
	sodium_memzero(poll, sizeof(poll));
	return r;
}

static enum lb_err
over(struct reply *reply)
{
	return reply_refuse(reply, "code_over", "%s", "");
}

/* The page that waits with this code; refused alike whatever is wrong. */
static enum lb_err
page_find(struct app *app, const struct call *call, struct reply *reply,
    const char *typed, struct browser_row *ret)
{
	char code[CODE_CHARS + 1], hash[ROW_TOKEN_HASH_LEN + 1];
	enum lb_err r;

	if (crockford_read(typed, CODE_CHARS, code) != LB_OK)
		return over(reply);
	code_hash(app, code, hash);
	r = store_browser_by_code(app->store, hash, ret);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK &&
		(ret->principal[0] != '\0' || call->now >= ret->expires_at)))
		return over(reply);
	return r;
}

enum lb_err
browser_look(struct app *app, const struct call *call, struct reply *reply)
{
	struct browser_row row;
	const char *code;
	json_t *root = NULL, *o;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s}", "code", &code) !=
	    0)
		r = reply_refuse(reply, "bad_json", "code");
	else
		r = page_find(app, call, reply, code, &row);
	if (r != LB_OK)
		goto out;
	o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "broker", app->conf.name,
	    "nonce", row.nonce, "address", row.address, "agent", row.agent,
	    "here", call->address);
	render_set(&o, "at", render_time(row.created_at));
	r = reply_json(reply, 200, o);
out:
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_SIGNIN, r);
}

/* Who confirms: an ssh key that is somebody's. */
static enum lb_err
confirmer(struct app *app, const struct call *call, struct reply *reply,
    const struct proof *proof, struct browser_row *row)
{
	struct caller who = { .sign_in = SIGN_IN_SSH };
	enum lb_err r;

	if (proof->sig.webauthn)
		return reply_refuse(reply, "signin_refused",
		    "a passkey signs in on the page itself");
	ROW_TEXT(who.principal, proof->doc.principal);
	ROW_TEXT(who.key_fp, proof->sig.key.fp);
	if ((r = caller_roles(app, call->now, &who)) != LB_OK)
		return r;
	if (who.roles == 0)
		return reply_refuse(reply, "signin_refused", "%s", "");
	ROW_TEXT(row->principal, who.principal);
	ROW_TEXT(row->key_fp, who.key_fp);
	return LB_OK;
}

static enum lb_err
confirm(struct app *app, const struct call *call, struct reply *reply,
    struct browser_row *row)
{
	struct change c = { .browser = row };
	enum lb_err r;

	call_event(
	    app, call, &c, "person.browser_confirmed", row->principal, "");
	(void)snprintf(change_event(&c)->detail,
	    sizeof(change_event(&c)->detail), "%s for a page at %s",
	    row->key_fp, row->address);
	if ((r = call_commit(app, &c)) == LB_ERR_CONFLICT)
		return over(reply);
	if (r != LB_OK)
		return r;
	return reply_json(reply, 200,
	    json_pack("{s:s, s:s, s:s}", "principal", row->principal, "address",
		row->address, "agent", row->agent));
}

enum lb_err
browser_confirm(struct app *app, const struct call *call, struct reply *reply)
{
	const char *code, *text, *armor;
	struct browser_row row;
	struct proof proof;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s, s:s}", "code",
		&code, "text", &text, "signature", &armor) != 0) {
		r = reply_refuse(reply, "bad_json", "code, text, signature");
		goto out;
	}
	if ((r = page_find(app, call, reply, code, &row)) == LB_OK &&
	    (r = proof_read(
		 app, call, reply, text, armor, row.nonce, &proof)) == LB_OK &&
	    (r = confirmer(app, call, reply, &proof, &row)) == LB_OK)
		r = confirm(app, call, reply, &row);
out:
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_SIGNIN, r);
}

/* Confirmed: the page gets its session, once. */
static enum lb_err
page_enter(struct app *app, const struct call *call, struct reply *reply,
    struct browser_row *row)
{
	struct caller who = { .sign_in = SIGN_IN_SSH };
	struct change c = { .browser = row };
	enum lb_err r;

	ROW_TEXT(who.principal, row->principal);
	ROW_TEXT(who.key_fp, row->key_fp);
	if ((r = caller_roles(app, call->now, &who)) != LB_OK)
		return r;
	if (who.roles == 0)
		return reply_refuse(reply, "signin_refused", "%s", "");
	row->over = true;
	r = enter(app, call, reply, &who, row->nonce, &c, true);
	return r == LB_ERR_CONFLICT ? over(reply) : r;
}

static enum lb_err
poll(struct app *app, const struct call *call, struct reply *reply,
    const char *secret)
{
	char hash[ROW_TOKEN_HASH_LEN + 1];
	struct browser_row row;
	enum lb_err r;

	caller_token_hash(app, secret, hash);
	r = store_browser_by_poll(app->store, hash, &row);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK && (row.over || call->now >= row.expires_at)))
		return over(reply);
	if (r != LB_OK)
		return r;
	if (row.principal[0] != '\0')
		return page_enter(app, call, reply, &row);
	return reply_json(reply, 202, json_pack("{s:s}", "state", "waiting"));
}

enum lb_err
browser_poll(struct app *app, const struct call *call, struct reply *reply)
{
	const char *secret;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s}", "poll", &secret) !=
	    0)
		r = reply_refuse(reply, "bad_json", "poll");
	else if ((r = own_page(call, reply)) == LB_OK)
		r = poll(app, call, reply, secret);
out:
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_SIGNIN, r);
}
