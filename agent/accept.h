/*
 * Signed bundles that root hands over: trust documents, denies, revokes and
 * grants reach this host without any broker. Source: design sections 1 and 8.
 */
#ifndef LOCKBOX_AGENT_ACCEPT_H
#define LOCKBOX_AGENT_ACCEPT_H

#include <stddef.h>

#include "lockbox/door.h"

#include "agent.h"

/* Take what the bundle brings, judge every live session by it at once, and
 * fill in the reply. text is borrowed. */
void accept_take(struct agent *a, const char *text, size_t len,
    struct lb_door_accepted *ret);

#endif
