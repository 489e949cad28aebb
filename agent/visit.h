/*
 * One visit at the door, from the ask to the final verdict: gathers the facts,
 * goes the way that decide.h says, asks the broker, replies.
 * Source: design section 5.
 */
#ifndef LOCKBOX_AGENT_VISIT_H
#define LOCKBOX_AGENT_VISIT_H

#include <stdint.h>

#include "agent.h"
#include "door.h"

#define VISITS_MAX 2048 /* connections of the module at once */
/* Our reply is due before the module gives up: its clock began before ours. */
#define VISIT_ANSWER_MS (LB_DOOR_ANSWER_MS - 400)

/* Begin one; peer is taken over, whatever happens. */
void visit_begin(struct agent *a, const struct door_peer *peer);

/* The state was written, or could not be: tell those who waited for it. */
void visit_saved_all(struct agent *a, uint64_t round, enum lb_err result);

/* End the visits whose time is over; when to come again in boottime ms, -1:
 * never. */
int64_t visit_expire_all(struct agent *a, int64_t now_boot_ms);

/* Let go of everybody, without a word. */
void visit_drop_all(struct agent *a);

#endif
