/* Rate limits: tokens spent and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>

#include "limits.h"

#define HOUR_MS INT64_C(3600000)

static struct limits *
make(int64_t per_hour)
{
	const int64_t rates[LIMIT_KINDS] = { 0, per_hour, per_hour, per_hour,
		per_hour, per_hour };
	struct limits *l;

	assert_int_equal(limits_new(rates, &l), LB_OK);
	return l;
}

static void
test_limits_take_burst_then_rate(void **state)
{
	struct limits *l = make(40); /* 10 at once, one in 90 s */
	int64_t now = 1000 * HOUR_MS, wait;

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(limits_take(l, LIMIT_SIGNIN, "a", now), 0);
	wait = limits_take(l, LIMIT_SIGNIN, "a", now);
	assert_in_range(wait, 90, 91);
	/* asking again does not make it longer */
	assert_int_equal(limits_take(l, LIMIT_SIGNIN, "a", now), wait);
	assert_int_not_equal(limits_take(l, LIMIT_SIGNIN, "a", now + 89000), 0);
	assert_int_equal(limits_take(l, LIMIT_SIGNIN, "a", now + 90000), 0);
	assert_int_not_equal(limits_take(l, LIMIT_SIGNIN, "a", now + 90001), 0);
	limits_free(l);
}

static void
test_limits_address_counts_networks(void **state)
{
	static const struct {
		const char *address, *want;
	} row[] = {
		{ "192.0.2.7", "192.0.2.7" },
		{ "::ffff:192.0.2.7", "::ffff:192.0.2.7" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" },
		{ "2001:db8:1:2:ffff::", "2001:db8:1:2::" },
		{ "2001:db8:1:3::1", "2001:db8:1:3::" },
		{ "unknown", "unknown" },
		{ "", "" },
	};
	char got[INET6_ADDRSTRLEN];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		limits_address(row[i].address, got);
		assert_string_equal(got, row[i].want);
	}
}

static void
test_limits_take_names_and_kinds_apart(void **state)
{
	struct limits *l = make(20); /* 5 at once */
	int64_t now = 1000 * HOUR_MS;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(limits_take(l, LIMIT_SIGNIN, "a", now), 0);
	assert_int_not_equal(limits_take(l, LIMIT_SIGNIN, "a", now), 0);
	assert_int_equal(limits_take(l, LIMIT_SIGNIN, "b", now), 0);
	assert_int_equal(limits_take(l, LIMIT_REQUEST, "a", now), 0);
	limits_free(l);
}

static void
test_limits_take_full_again_after_an_hour(void **state)
{
	struct limits *l = make(1000000);
	int64_t now = 1000 * HOUR_MS;

	(void)state;
	for (int i = 0; i < 250000; i++)
		assert_int_equal(limits_take(l, LIMIT_READ, "a", now), 0);
	assert_int_not_equal(limits_take(l, LIMIT_READ, "a", now), 0);
	now += 1000 * HOUR_MS;
	for (int i = 0; i < 250000; i++)
		assert_int_equal(limits_take(l, LIMIT_READ, "a", now), 0);
	assert_int_not_equal(limits_take(l, LIMIT_READ, "a", now), 0);
	/* a clock that steps back gives nothing */
	assert_int_not_equal(limits_take(l, LIMIT_READ, "a", now - HOUR_MS), 0);
	limits_free(l);
}

static void
test_limits_take_more_names_than_fit(void **state)
{
	struct limits *l = make(20);
	int64_t now = 1000 * HOUR_MS;
	char name[32];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(
		    limits_take(l, LIMIT_SIGNIN, name, now + i), 0);
	}
	limits_free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_take_burst_then_rate),
		cmocka_unit_test(test_limits_address_counts_networks),
		cmocka_unit_test(test_limits_take_names_and_kinds_apart),
		cmocka_unit_test(test_limits_take_full_again_after_an_hour),
		cmocka_unit_test(test_limits_take_more_names_than_fit),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
