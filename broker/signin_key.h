/* Sign-in passkeys: whose they may become, and what a new one must prove. */
#ifndef BROKER_SIGNIN_KEY_H
#define BROKER_SIGNIN_KEY_H

#include "call.h"

#define SIGNIN_KEYS_MAX 10 /* of one person */

/*
 * Read {"key", "label", "text", "signature"}: a new sign-in passkey of that
 * principal. It must be a passkey of the broker's own page that signed a
 * lockbox-signin-v1 there just now, its owner verified, and neither pinned by
 * a trust document nor anybody's sign-in key already.
 *
 * ret        its tenant is left empty
 * ret_nonce  what it signed: to be spent by the change that adds it
 *
 * Refused with "bad_json", "bad_value", those of proof_read, "pinned_key",
 * "key_taken".
 */
enum lb_err signin_key_read(struct app *app, const struct call *call,
    struct reply *reply, json_t *o, const char *principal,
    struct signin_key_row *ret,
    char ret_nonce[static LB_NONCE_LEN + 1]) LB_MUST_CHECK;

/* Room for one more? "too_many_keys" */
enum lb_err signin_key_room(struct app *app, struct reply *reply,
    const char *tenant, const char *principal) LB_MUST_CHECK;

#endif
