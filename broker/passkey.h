/*
 * Does a passkey's signature come from where it must: what ssh-keygen does not
 * look at. Pure. That it verifies, says lb_sshsig_verify.
 * Source: WebAuthn Level 2, section 7.2; design section 4.
 */
#ifndef BROKER_PASSKEY_H
#define BROKER_PASSKEY_H

#include "lockbox/sshsig.h"

#define PASSKEY_VERIFIED (LB_SIG_TOUCH | LB_SIG_VERIFIED)

/*
 * What is wrong, for people; NULL: nothing.
 *
 * rp_id   the RP-ID it must have been made for
 * origin  the page it must have been used on
 * flags   what its person must have done: LB_SIG_TOUCH, PASSKEY_VERIFIED
 */
const char *passkey_wrong(const struct lb_sshsig *sig, const char *rp_id,
    const char *origin, uint8_t flags);

#endif
