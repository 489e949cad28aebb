/* One deadline for everything a hook waits for. */
#include "deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

/* 0 when there is no clock. */
static int64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) != 0)
		return 0;
	/* 0 is taken: the first millisecond after boot is the second one. */
	return 1 + (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum lb_err
deadline_start(int span_ms, struct deadline *ret)
{
	int64_t now = now_ms();

	if (now == 0)
		return LB_ERR_IO;
	ret->end_ms = now + span_ms;
	return LB_OK;
}

struct deadline
deadline_within(const struct deadline *outer, int span_ms)
{
	struct deadline d = { 0 };

	if (deadline_start(span_ms, &d) == LB_OK && d.end_ms > outer->end_ms)
		d = *outer;
	return d;
}

int
deadline_left_ms(const struct deadline *d)
{
	int64_t now = now_ms();

	if (now == 0 || now >= d->end_ms)
		return 0;
	if (d->end_ms - now > INT_MAX)
		return INT_MAX;
	return (int)(d->end_ms - now);
}

enum lb_err
deadline_wait(const struct deadline *d, int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	int left, n;

	while ((left = deadline_left_ms(d)) > 0) {
		n = poll(&p, 1, left);
		if (n > 0)
			return LB_OK;
		if (n < 0 && errno != EINTR)
			return LB_ERR_IO;
	}
	return LB_ERR_TIMEOUT;
}

void
deadline_nap(const struct deadline *d, int span_ms)
{
	int left = deadline_left_ms(d);

	/* A signal may cut it short: the caller looks at the deadline. */
	(void)poll(NULL, 0, left < span_ms ? left : span_ms);
}
