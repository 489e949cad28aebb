/*
 * Comes by a grant for what somebody wants to do: the live one, or one that is
 * asked for now. Speaks on stderr alone.
 */
#ifndef LOCKBOX_CLI_OBTAIN_H
#define LOCKBOX_CLI_OBTAIN_H

#include "api.h"
#include "compose.h"
#include "cover.h"
#include "lockbox/papers.h"

/*
 * ask      reason, ticket, duration, timeout and so on of the request; who,
 *          where and with what key is the need's
 * only     do not ask: no grant is no error then
 * ret_id   of the grant; "" when there is none
 * ret      what it says; written when there is one
 *
 * A request of one's own that is open and asks for all of it is waited for
 * instead of asking twice. An enum ending, as wait_decided's.
 */
int obtain_grant(struct api *api, const struct cover_need *need,
    const struct compose_flags *ask, bool only,
    char ret_id[static LB_SHA256_LEN + 1], struct lb_grant *ret);

#endif
