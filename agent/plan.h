/*
 * What is due for a live session, and what comes next in ending one. Pure:
 * the record, the settings and both clocks come in as arguments.
 * Source: design section 8; the pauses are measured.
 */
#ifndef LOCKBOX_AGENT_PLAN_H
#define LOCKBOX_AGENT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state.h"

#define PLAN_READ_MS  500   /* from the notice to the first signal */
#define PLAN_LEAVE_MS 300   /* for the monitor to leave in good order */
#define PLAN_STOPS    24    /* looks for what still runs, before we kill */
#define PLAN_RETRY_MS 30000 /* between questions that nobody answered */

/*
 * NULL, or why the session's time is over: "expired", "lease_over". By
 * whichever clock says so first: the wall clock may have been set back, and
 * the other may not have been running when the record was made.
 */
const char *plan_over(
    const struct state_session *s, int64_t now, int64_t now_boot_ms);

/*
 * How long until the deadline, or until the lease's end, in ms, by the clock
 * that is nearer to it; 0 when it is over.
 */
int64_t plan_left_ms(
    const struct state_session *s, int64_t now, int64_t now_boot_ms);
int64_t plan_lease_left_ms(
    const struct state_session *s, int64_t now, int64_t now_boot_ms);

/*
 * How many of the warnings have had their time, left_ms before the end.
 *
 * warn  seconds before the end, descending
 */
size_t plan_warned(const int64_t *warn, size_t count, int64_t left_ms);

/*
 * When to ask the broker again, from now on, in ms. chance is any number; it
 * spreads the hosts' questions.
 *
 * After an answer: about half of what is left of the lease. A lease that
 * reaches the deadline need not be renewed, and is asked about at most every
 * PLAN_RETRY_MS. After a failure: PLAN_RETRY_MS, sooner near the lease's end.
 */
int64_t plan_ask_ms(int64_t lease_left_ms, bool renewable, uint32_t chance);
int64_t plan_retry_ms(int64_t lease_left_ms, uint32_t chance);

/* The steps of ending a session. */
enum plan_step {
	PLAN_TERM, /* SIGTERM to the monitor */
	PLAN_STOP, /* look for what runs, stop it */
	PLAN_KILL, /* look for what is left, kill it */
	PLAN_DONE,
};

struct plan_ending {
	enum plan_step step; /* what is to be done at due_ms */
	int64_t due_ms;      /* CLOCK_BOOTTIME */
	unsigned int looks;  /* in this step */
	unsigned int quiet;  /* looks in a row that found nothing */
};

/* The notice has just been written. */
void plan_ending_begin(struct plan_ending *p, int64_t now_boot_ms);

/* The step was done: what it found to stop or to kill. */
void plan_ending_next(struct plan_ending *p, size_t found, int64_t now_boot_ms);

/*
 * Is that cgroup the scope that logind made for the audit session, or below
 * it: /user.slice/user-UID.slice/session-SID.scope and nothing else.
 */
bool plan_scope_of(const char *cgroup, uint32_t sid);

#endif
