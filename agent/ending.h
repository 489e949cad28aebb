/*
 * Ends sessions: notice, SIGTERM to the monitor, then everything that has the
 * audit session id, or sits in the scope that logind made for it, is stopped
 * and killed until nothing of it is left. Never blocks: each look at the
 * processes is one turn of the loop. Source: design section 8.
 *
 * Only a registered session is ever a target, never PROCS_SID_UNSET, pid 1,
 * ourselves, or a process of another registered session.
 */
#ifndef LOCKBOX_AGENT_ENDING_H
#define LOCKBOX_AGENT_ENDING_H

#include <stdint.h>

#include "agent.h"

struct ending;

/*
 * End it, because of cause (doc/codes.md, section 2); code says it more
 * closely, or is "". Written down at once, so that a crash does not save it.
 * Nothing happens when it is being ended already, or is none of ours.
 */
void ending_begin(
    struct agent *a, uint32_t sid, const char *cause, const char *code);

/* Go on with those that an earlier run of the agent began to end. */
void ending_resume(struct agent *a);

/* Do what is due; when to come again in boottime ms, -1: never. */
int64_t ending_tend(struct agent *a, int64_t now_boot_ms);

void ending_drop_all(struct agent *a);

/* The one line of a session's end, and its report; killed processes, if it
 * was us. */
void ending_record(struct agent *a, struct state_session *s, const char *cause,
    const char *code, size_t killed);

#endif
