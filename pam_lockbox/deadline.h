/*
 * One deadline for everything a hook waits for. Kept on CLOCK_BOOTTIME, which
 * goes on in suspend and never steps.
 */
#ifndef PAM_LOCKBOX_DEADLINE_H
#define PAM_LOCKBOX_DEADLINE_H

#include <stdint.h>

#include "lockbox/err.h"

struct deadline {
	int64_t end_ms; /* 0: over */
};

/* span_ms from now. LB_ERR_IO when the kernel has no clock for us. */
enum lb_err deadline_start(int span_ms, struct deadline *ret) LB_MUST_CHECK;

/* The earlier of outer and span_ms from now; over if the clock fails. */
struct deadline deadline_within(const struct deadline *outer, int span_ms);

/* Milliseconds left; 0 when it is over or the clock fails. */
int deadline_left_ms(const struct deadline *d);

/*
 * Wait until fd is ready for one of poll's events, or is broken: what is
 * done to it next says which. Signals do not end the wait.
 * LB_ERR_TIMEOUT when the deadline passes first, LB_ERR_IO when poll fails.
 */
enum lb_err deadline_wait(
    const struct deadline *d, int fd, short events) LB_MUST_CHECK;

/* Sleep span_ms at most, and not past the deadline. */
void deadline_nap(const struct deadline *d, int span_ms);

#endif
