/* Opening a session. */
#ifndef BROKER_ENTER_H
#define BROKER_ENTER_H

#include "call.h"

/*
 * Open a session for somebody who proved who he is, and answer with who he is
 * then and the token: in a cookie if that is asked for.
 *
 * who    principal, key_fp, sign_in, roles and tenants are set
 * nonce  what was signed; spent by this
 * c      what else changes with it, or empty
 *
 * LB_ERR_CONFLICT  the nonce was used, or somebody was faster with c
 */
enum lb_err enter(struct app *app, const struct call *call, struct reply *reply,
    struct caller *who, const char *nonce, struct change *c,
    bool cookie) LB_MUST_CHECK;

#endif
