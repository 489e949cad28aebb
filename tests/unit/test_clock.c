/* Instants and spans: one spelling, real days, no locale, no TZ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lockbox/clock.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define KEPT    INT64_C(-4711) /* must still stand there after an error */

static void
test_time_parse_boundaries(void **state)
{
	static const struct {
		const char *s;
		enum lb_err r;
		int64_t at;
	} row[] = {
		{ "2026-03-02T14:00:00Z", LB_OK, 1772460000 },
		{ "2000-01-01T00:00:00Z", LB_OK, LB_TIME_MIN },
		{ "2099-12-31T23:59:59Z", LB_OK, LB_TIME_MAX },
		{ "1999-12-31T23:59:59Z", LB_ERR_RANGE, 0 },
		{ "2100-01-01T00:00:00Z", LB_ERR_RANGE, 0 },
		{ "0000-01-01T00:00:00Z", LB_ERR_RANGE, 0 },
		{ "9999-12-31T23:59:59Z", LB_ERR_RANGE, 0 },
		{ "2024-02-29T00:00:00Z", LB_OK, 1709164800 },
		{ "2000-02-29T00:00:00Z", LB_OK, 951782400 },
		{ "2023-02-29T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2100-02-29T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-04-31T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-01-32T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-00-01T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-13-01T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-01-00T00:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-01-01T24:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-01-01T23:60:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-12-31T23:59:60Z", LB_ERR_FORMAT, 0 },
		{ "", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:00:00", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:00:00Z ", LB_ERR_FORMAT, 0 },
		{ " 2026-03-02T14:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02 14:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:00:00z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02t14:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026/03/02T14:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-3-02T14:00:000Z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:00:0 Z", LB_ERR_FORMAT, 0 },
		{ "+026-03-02T14:00:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:-1:00Z", LB_ERR_FORMAT, 0 },
		{ "2026-03-02T14:00:00+00:00", LB_ERR_FORMAT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		int64_t at = KEPT;

		assert_int_equal(lb_time_parse(row[i].s, &at), row[i].r);
		assert_int_equal(at, row[i].r == LB_OK ? row[i].at : KEPT);
	}
}

/* Against libc, every day at a second that wanders. */
static void
test_time_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t at = LB_TIME_MIN; at <= LB_TIME_MAX; at += 86400 + 61) {
		time_t t = (time_t)at;
		struct tm tm;
		char want[64], got[LB_TIME_LEN + 1];
		int64_t back = KEPT;

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(
		    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm),
		    LB_TIME_LEN);
		lb_time_format(at, got);
		assert_string_equal(got, want);
		assert_int_equal(lb_time_parse(got, &back), LB_OK);
		assert_int_equal(back, at);
	}
}

static void
test_time_format_ends_of_years(void **state)
{
	(void)state;
	for (int64_t year = 2000; year <= 2099; year++) {
		char s[64], got[LB_TIME_LEN + 1];
		int64_t at;

		(void)snprintf(s, sizeof(s), "%d-12-31T23:59:59Z", (int)year);
		assert_int_equal(lb_time_parse(s, &at), LB_OK);
		lb_time_format(at, got);
		assert_string_equal(got, s);
		if (year == 2099)
			continue;
		(void)snprintf(
		    s, sizeof(s), "%d-01-01T00:00:00Z", (int)year + 1);
		lb_time_format(at + 1, got);
		assert_string_equal(got, s);
	}
}

static void
test_time_ignores_tz(void **state)
{
	char got[LB_TIME_LEN + 1];
	int64_t at;

	(void)state;
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	assert_int_equal(lb_time_parse("2026-07-02T14:00:00Z", &at), LB_OK);
	assert_int_equal(at, 1783000800);
	lb_time_format(at, got);
	assert_string_equal(got, "2026-07-02T14:00:00Z");
	assert_int_equal(unsetenv("TZ"), 0);
}

static void
test_span_parse_boundaries(void **state)
{
	static const struct {
		const char *s;
		enum lb_err r;
		int64_t seconds;
	} row[] = {
		{ "45s", LB_OK, 45 },
		{ "30m", LB_OK, 1800 },
		{ "2h", LB_OK, 7200 },
		{ "1h30m", LB_OK, 5400 },
		{ "1d", LB_OK, 86400 },
		{ "1d2h3m4s", LB_OK, 93784 },
		{ "90m", LB_OK, 5400 },
		{ "3600", LB_OK, 3600 },
		{ "1", LB_OK, 1 },
		{ "400d", LB_OK, 34560000 },
		{ "34560000", LB_OK, 34560000 },
		{ "400d1s", LB_ERR_RANGE, 0 },
		{ "34560001", LB_ERR_RANGE, 0 },
		{ "0", LB_ERR_RANGE, 0 },
		{ "0h", LB_ERR_RANGE, 0 },
		{ "9223372036854775807d", LB_ERR_RANGE, 0 },
		{ "99999999999999999999999999h", LB_ERR_RANGE, 0 },
		{ "34560000d34560000h", LB_ERR_RANGE, 0 },
		{ "", LB_ERR_FORMAT, 0 },
		{ "h", LB_ERR_FORMAT, 0 },
		{ "2hours", LB_ERR_FORMAT, 0 },
		{ "2H", LB_ERR_FORMAT, 0 },
		{ "2 h", LB_ERR_FORMAT, 0 },
		{ " 2h", LB_ERR_FORMAT, 0 },
		{ "2h ", LB_ERR_FORMAT, 0 },
		{ "-2h", LB_ERR_FORMAT, 0 },
		{ "+2h", LB_ERR_FORMAT, 0 },
		{ "02h", LB_ERR_FORMAT, 0 },
		{ "1.5h", LB_ERR_FORMAT, 0 },
		{ "30m1h", LB_ERR_FORMAT, 0 },
		{ "1h1h", LB_ERR_FORMAT, 0 },
		{ "1h30", LB_ERR_FORMAT, 0 },
		{ "1w", LB_ERR_FORMAT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		int64_t seconds = KEPT;

		assert_int_equal(lb_span_parse(row[i].s, &seconds), row[i].r);
		assert_int_equal(
		    seconds, row[i].r == LB_OK ? row[i].seconds : KEPT);
	}
}

static void
test_span_format(void **state)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} row[] = {
		{ 45, "45s" },
		{ 60, "1m" },
		{ 61, "1m1s" },
		{ 7200, "2h" },
		{ 5400, "1h30m" },
		{ 86400, "1d" },
		{ 93784, "1d2h3m4s" },
		{ 0, "0s" },
		{ -1, "0s" },
		{ INT64_MIN, "0s" },
		{ INT64_MAX, "106751991167300d15h30m7s" },
	};
	char got[32];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		lb_span_format(row[i].seconds, got, sizeof(got));
		assert_string_equal(got, row[i].want);
	}
	for (int64_t s = 1; s < 34560000; s += 4999) {
		int64_t back;

		lb_span_format(s, got, sizeof(got));
		assert_int_equal(lb_span_parse(got, &back), LB_OK);
		assert_int_equal(back, s);
	}
}

static void
test_clocks_go_on(void **state)
{
	int64_t before = lb_clock_boottime_ms();
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };

	(void)state;
	assert_true(lb_clock_now() > LB_TIME_MIN);
	assert_int_equal(nanosleep(&nap, NULL), 0);
	assert_in_range(lb_clock_boottime_ms() - before, 20, 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_time_parse_boundaries),
		cmocka_unit_test(test_time_agrees_with_libc),
		cmocka_unit_test(test_time_format_ends_of_years),
		cmocka_unit_test(test_time_ignores_tz),
		cmocka_unit_test(test_span_parse_boundaries),
		cmocka_unit_test(test_span_format),
		cmocka_unit_test(test_clocks_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
