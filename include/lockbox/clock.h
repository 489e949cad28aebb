/* Instants as UNIX seconds UTC, their one spelling, and the clocks. */
#ifndef LOCKBOX_CLOCK_H
#define LOCKBOX_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#define LB_TIME_LEN 20 /* "2026-03-02T14:00:00Z", chars without NUL */
#define LB_TIME_MIN INT64_C(946684800)  /* 2000-01-01T00:00:00Z */
#define LB_TIME_MAX INT64_C(4102444799) /* 2099-12-31T23:59:59Z */

/*
 * "2026-03-02T14:00:00Z" and nothing else; real calendar days; no leap
 * second. LB_ERR_FORMAT, or LB_ERR_RANGE outside LB_TIME_MIN..LB_TIME_MAX.
 * Needs only libc and does not look at the locale or TZ.
 */
enum lb_err lb_time_parse(const char *s, int64_t *ret) LB_MUST_CHECK;

/* Asserts LB_TIME_MIN <= at <= LB_TIME_MAX. */
void lb_time_format(int64_t at, char ret[static LB_TIME_LEN + 1]);

/*
 * A span as people write it: "45s", "30m", "2h", "1h30m", "1d" or plain
 * seconds. LB_ERR_FORMAT otherwise; LB_ERR_RANGE when it is 0 or over 400 d.
 */
enum lb_err lb_span_parse(const char *s, int64_t *ret_seconds) LB_MUST_CHECK;

/* "2h", "1h30m", "45s", ...; below 0 is "0s". ret_size at least 32. */
void lb_span_format(int64_t seconds, char *ret, size_t ret_size);

/* CLOCK_REALTIME in seconds. Aborts when the kernel has no clock. */
int64_t lb_clock_now(void);

/* CLOCK_BOOTTIME in milliseconds: goes on in suspend, never steps. */
int64_t lb_clock_boottime_ms(void);

#endif
