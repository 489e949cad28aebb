/*
 * What root at this host may have the agent do with live sessions, without any
 * broker: see them, end one.
 */
#ifndef LOCKBOX_AGENT_ORDERS_H
#define LOCKBOX_AGENT_ORDERS_H

#include "lockbox/door.h"

#include "agent.h"

/*
 * Do it, and fill in the reply. An end is begun here, and goes its usual way
 * (ending.h) with the cause "ended_by_root"; one that ends already is only
 * told. Nothing but a registered session is ever ended.
 */
void orders_take(struct agent *a, const struct lb_door_order *order,
    struct lb_door_session *ret);

#endif
