/* Who is calling: sessions, nonces, and what a token says. */
#ifndef BROKER_CALLER_H
#define BROKER_CALLER_H

#include "call.h"

#define CALLER_TOKEN_LEN 43  /* base64url of 256 bits, chars */
#define CALLER_NONCE_TTL 300 /* seconds */

/*
 * Who stands behind "Bearer TOKEN"; roles and tenants as they are now, not as
 * they were at sign-in. "signin_needed" in reply when nobody does.
 */
enum lb_err caller_read(struct app *app, const struct call *call,
    struct reply *reply, struct caller *ret) LB_MUST_CHECK;

/* Fill in roles and tenants of principal and key_fp. */
enum lb_err caller_roles(
    struct app *app, int64_t now, struct caller *c) LB_MUST_CHECK;

/* A nonce that this broker (any of its processes) will know again. */
void caller_nonce_make(
    const struct app *app, int64_t now, char ret[static LB_NONCE_LEN + 1]);
bool caller_nonce_good(const struct app *app, const char *nonce, int64_t now);

/* A new random token and what is stored of it. */
void caller_token_make(const struct app *app,
    char ret[static CALLER_TOKEN_LEN + 1],
    char ret_hash[static ROW_TOKEN_HASH_LEN + 1]);

#endif
