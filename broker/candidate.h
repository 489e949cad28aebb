/*
 * May a key be brought to a tenant's owners for signing into trust? Pure: what
 * is known of the key comes in. It gets no power by it.
 */
#ifndef BROKER_CANDIDATE_H
#define BROKER_CANDIDATE_H

#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

/*
 * sig  verified: the key's own, over something that names whose it shall be
 *
 * Returns NULL, or the code of a refusal: "key_taken" (pinned already, in
 * whatever line), "candidate_refused" (a passkey of no pinned page).
 */
const char *candidate_refuses(
    const struct lb_trust *t, const struct lb_sshsig *sig);

#endif
