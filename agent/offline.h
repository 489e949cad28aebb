/*
 * What root hands over for the time when the broker is away: grants, kept
 * until they open nothing any more. Source: design section 8; why it is what
 * it is: doc/threat-model.md.
 */
#ifndef LOCKBOX_AGENT_OFFLINE_H
#define LOCKBOX_AGENT_OFFLINE_H

#include <stdbool.h>

#include "lockbox/bundle.h"
#include "lockbox/door.h"
#include "lockbox/judge.h"

#include "agent.h"

/*
 * Keep the bundle's grants that may be kept (lb_grant_keepable): counted in
 * ret->grants. Those that somebody signed to approve and that may not are
 * counted in ret->refused, ret->why says why not of the last; "too_many" at
 * STATE_HANDED_MAX. What is kept already is not counted.
 */
void offline_keep(struct agent *a, const struct lb_bundle *bundle,
    struct lb_door_accepted *ret);

/* Forget those that could not be handed over any more: over, revoked, denied,
 * not of this trust. */
void offline_tidy(struct agent *a);

/* Is there anything that might let somebody in without an answer? */
bool offline_possible(const struct agent *a);

#endif
