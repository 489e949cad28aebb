/* The SQLite back end: sessions, and what people sign in with. */
#include <string.h>

#include "store_sqlite_cursor.h"

/* Reads the next row into row; false: there is none, or it does not fit. */
typedef bool row_next(struct cursor *k, void *row);

/* The one row of a key. */
static enum lb_err
one(void *p, enum stmt i, const char *key, row_next *next, void *row)
{
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, i);
	k.r = sqlite_bind(k.s, "t", key);
	found = next(&k, row);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	return found ? LB_OK : LB_ERR_MISSING;
}

static bool
session_next(struct cursor *k, void *row)
{
	struct session_row *s = row;
	char sign_in[LB_WORD_MAX + 1] = "";

	if (!cursor_next(k))
		return false;
	memset(s, 0, sizeof(*s));
	TEXT(k, s->hash);
	TEXT(k, s->principal);
	TEXT(k, s->key_fp);
	TEXT(k, s->nonce);
	s->created_at = cursor_int(k);
	s->expires_at = cursor_int(k);
	s->ended = cursor_int(k) != 0;
	TEXT(k, sign_in);
	s->sign_in = row_sign_in_find(sign_in);
	if (k->r == LB_OK && s->sign_in == 0)
		k->r = LB_ERR_STORE;
	return k->r == LB_OK;
}

enum lb_err
sqlite_session_get(void *p, const char *hash, struct session_row *ret)
{
	struct session_row row;
	enum lb_err r;

	if ((r = one(p, SESSION_GET, hash, session_next, &row)) == LB_OK)
		*ret = row;
	return r;
}

static bool
signin_key_next(struct cursor *k, void *row)
{
	struct signin_key_row *s = row;
	char key[LB_KEY_TEXT_MAX + 1] = "";

	if (!cursor_next(k))
		return false;
	memset(s, 0, sizeof(*s));
	TEXT(k, s->tenant);
	TEXT(k, s->principal);
	TEXT(k, key);
	TEXT(k, s->label);
	s->created_at = cursor_int(k);
	s->used_at = cursor_int(k);
	if (k->r == LB_OK && lb_sshkey_parse(key, &s->key) != LB_OK)
		k->r = LB_ERR_STORE;
	return k->r == LB_OK;
}

enum lb_err
sqlite_signin_key_get(void *p, const char *key_fp, struct signin_key_row *ret)
{
	struct signin_key_row row;
	enum lb_err r;

	r = one(p, SIGNIN_KEY_GET, key_fp, signin_key_next, &row);
	if (r == LB_OK)
		*ret = row;
	return r;
}

enum lb_err
sqlite_signin_key_each(void *p, const char *tenant, const char *principal,
    signin_key_taker *take, void *arg)
{
	struct signin_key_row row;
	struct cursor k;

	cursor_open(&k, p, SIGNIN_KEY_LIST);
	k.r = sqlite_bind(k.s, "tt", tenant, principal);
	while (signin_key_next(&k, &row))
		if (!take(arg, &row))
			break;
	return cursor_close(&k);
}

static bool
browser_next(struct cursor *k, void *row)
{
	struct browser_row *b = row;

	if (!cursor_next(k))
		return false;
	memset(b, 0, sizeof(*b));
	TEXT(k, b->code_hash);
	TEXT(k, b->poll_hash);
	b->version = cursor_int(k);
	TEXT(k, b->nonce);
	TEXT(k, b->address);
	TEXT(k, b->agent);
	b->created_at = cursor_int(k);
	b->expires_at = cursor_int(k);
	TEXT(k, b->principal);
	TEXT(k, b->key_fp);
	b->over = cursor_int(k) != 0;
	return k->r == LB_OK;
}

enum lb_err
sqlite_browser_by_code(void *p, const char *hash, struct browser_row *ret)
{
	struct browser_row row;
	enum lb_err r;

	if ((r = one(p, BROWSER_OF_CODE, hash, browser_next, &row)) == LB_OK)
		*ret = row;
	return r;
}

enum lb_err
sqlite_browser_by_poll(void *p, const char *hash, struct browser_row *ret)
{
	struct browser_row row;
	enum lb_err r;

	if ((r = one(p, BROWSER_OF_POLL, hash, browser_next, &row)) == LB_OK)
		*ret = row;
	return r;
}

static enum lb_err
browser_insert(struct conn *w, const void *arg)
{
	const struct browser_row *b = arg;
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[BROWSER_ADD], "tttttii", b->code_hash,
		 b->poll_hash, b->nonce, b->address, b->agent, b->created_at,
		 b->expires_at)) != LB_OK)
		return r;
	return sqlite_once_one(w, BROWSER_ADD);
}

enum lb_err
sqlite_browser_add(void *p, const struct browser_row *row)
{
	return sqlite_write(p, browser_insert, row);
}

static enum lb_err
browser_set(struct conn *w, const struct browser_row *b)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[BROWSER_SET], "titti", b->code_hash,
		 b->version, b->principal, b->key_fp, (int64_t)b->over)) !=
	    LB_OK)
		return r;
	return sqlite_once_one(w, BROWSER_SET);
}

static enum lb_err
session_write(struct conn *w, const struct session_row *s)
{
	enum stmt i = s->ended ? SESSION_END : SESSION_ADD;
	enum lb_err r;

	if (s->ended)
		r = sqlite_bind(w->stmt[i], "t", s->hash);
	else
		r = sqlite_bind(w->stmt[i], "ttttiit", s->hash, s->principal,
		    s->key_fp, s->nonce, s->created_at, s->expires_at,
		    row_sign_in_name(s->sign_in));
	if (r != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static enum lb_err
signin_key_write(struct conn *w, const struct signin_key_row *k, bool remove)
{
	char key[LB_KEY_TEXT_MAX + 1];
	enum stmt i = SIGNIN_KEY_DROP;
	enum lb_err r;

	if (remove) {
		r = sqlite_bind(
		    w->stmt[i], "ttt", k->tenant, k->principal, k->key.fp);
	} else if (k->used_at != 0) {
		i = SIGNIN_KEY_USED;
		r = sqlite_bind(w->stmt[i], "ttti", k->tenant, k->principal,
		    k->key.fp, k->used_at);
	} else {
		i = SIGNIN_KEY_ADD;
		lb_sshkey_format(&k->key, key);
		r = sqlite_bind(w->stmt[i], "ttttti", k->tenant, k->principal,
		    k->key.fp, key, k->label, k->created_at);
	}
	if (r != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

enum lb_err
sqlite_signin_write(struct conn *w, const struct change *c)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; i < 2; i++)
		if (r == LB_OK && c->nonce[i] != NULL &&
		    (r = sqlite_bind(w->stmt[NONCE_SPEND], "ti", c->nonce[i],
			 c->nonce_at)) == LB_OK)
			r = sqlite_once_one(w, NONCE_SPEND);
	if (r == LB_OK && c->session != NULL)
		r = session_write(w, c->session);
	if (r == LB_OK && c->signin_key != NULL)
		r = signin_key_write(w, c->signin_key, c->signin_key_remove);
	if (r == LB_OK && c->browser != NULL)
		r = browser_set(w, c->browser);
	return r;
}

enum lb_err
sqlite_signin_purge(struct conn *w, int64_t sessions_before)
{
	static const enum stmt each[] = { SESSION_PURGE, BROWSER_PURGE,
		NONCE_PURGE };
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < 3; i++)
		if ((r = sqlite_bind(w->stmt[each[i]], "i", sessions_before)) ==
		    LB_OK)
			r = sqlite_once(w->stmt[each[i]]);
	return r;
}
