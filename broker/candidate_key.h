/* New candidates: what they must prove, and whose they may become. */
#ifndef BROKER_CANDIDATE_KEY_H
#define BROKER_CANDIDATE_KEY_H

#include "call.h"

/*
 * Read {"key", "label", "text", "signature"}: a key that shall be pinned for
 * that principal of the tenant. It signed a lockbox-signin-v1 just now, is of
 * a page that trust names if it is a passkey, and is nobody's yet: in no line
 * of trust, none to sign in with, no candidate.
 *
 * ret        tenant and principal are set; of the rest, what the key says
 * ret_nonce  what it signed: to be spent by the change that adds it
 *
 * Refused with "bad_json", "bad_value", those of proof_of, "key_taken",
 * "candidate_refused", "too_many".
 */
enum lb_err candidate_key_read(struct app *app, const struct call *call,
    struct reply *reply, json_t *o, const struct lb_trust *trust,
    struct candidate_row *ret,
    char ret_nonce[static LB_NONCE_LEN + 1]) LB_MUST_CHECK;

#endif
