/* Who is calling: sessions, nonces, and what a token says. */
#ifndef BROKER_CALLER_H
#define BROKER_CALLER_H

#include "call.h"

#define CALLER_COOKIE    "__Host-lockbox"
#define CALLER_TOKEN_LEN 43  /* base64url of 256 bits, chars */
#define CALLER_NONCE_TTL 300 /* seconds */

/* What an Origin header (may be NULL) says. */
enum origin_from caller_from(struct app *app, const char *origin);

/*
 * Who stands behind "Bearer TOKEN" or the cookie; roles and tenants as they
 * are now, not as they were at sign-in. On another page than the broker's own
 * only people of the tenants that pin it are somebody. "signin_needed" in
 * reply when nobody is.
 */
enum lb_err caller_read(struct app *app, const struct call *call,
    struct reply *reply, struct caller *ret) LB_MUST_CHECK;

/*
 * May they call from there: a page that a tenant serves speaks for that
 * tenant's people alone.
 */
bool caller_page_good(
    struct app *app, const struct call *call, const struct caller *c);

/* Fill in roles and tenants of principal, key_fp and sign_in. */
enum lb_err caller_roles(
    struct app *app, int64_t now, struct caller *c) LB_MUST_CHECK;

/* A nonce that this broker (any of its processes) will know again. */
void caller_nonce_make(
    const struct app *app, int64_t now, char ret[static LB_NONCE_LEN + 1]);
bool caller_nonce_good(const struct app *app, const char *nonce, int64_t now);

/* Have the browser keep a token for that many seconds, or forget it: "", 0. */
void caller_cookie(struct reply *reply, const char *token, int64_t ttl);

/* A new random token and what is stored of it. */
void caller_token_make(const struct app *app,
    char ret[static CALLER_TOKEN_LEN + 1],
    char ret_hash[static ROW_TOKEN_HASH_LEN + 1]);
void caller_token_hash(const struct app *app, const char *token,
    char ret[static ROW_TOKEN_HASH_LEN + 1]);

#endif
