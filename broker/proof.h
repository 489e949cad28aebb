/*
 * A signed lockbox-signin-v1: somebody holds that key, now, and speaks to this
 * broker. What he may with it is the next question.
 */
#ifndef BROKER_PROOF_H
#define BROKER_PROOF_H

#include "call.h"

struct proof {
	struct lb_signin doc;
	struct lb_sshsig sig;
};

/*
 * Verify first, read afterwards: the signature, then the document, its broker,
 * its time and its nonce. That nobody used the nonce before is only certain
 * once a change that spends it is committed.
 *
 * nonce  the one that must stand there; NULL: one of caller_nonce_make
 *
 * Refused with "bad_signature", "bad_document", "signin_refused", "nonce_over".
 */
enum lb_err proof_read(struct app *app, const struct call *call,
    struct reply *reply, const char *text, const char *armor, const char *nonce,
    struct proof *ret) LB_MUST_CHECK;

/*
 * As proof_read with a nonce of caller_nonce_make: by that key, for that
 * principal. Besides refused with "bad_signature" (by another key) and
 * "signin_refused" (for another name).
 */
enum lb_err proof_of(struct app *app, const struct call *call,
    struct reply *reply, const char *text, const char *armor,
    const struct lb_sshkey *key, const char *principal,
    struct proof *ret) LB_MUST_CHECK;

#endif
