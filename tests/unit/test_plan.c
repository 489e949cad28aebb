/* When sessions are warned, asked about and ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan.h"

static const struct state_session sample = {
	.deadline = 2000,
	.deadline_boot_ms = 500000,
	.lease_end = 1800,
	.lease_end_boot_ms = 300000,
};

static void
test_plan_over_by_whichever_clock_is_first(void **state)
{
	static const struct {
		int64_t now, boot_ms;
		const char *want;
	} row[] = {
		{ 1799, 299999, NULL },
		{ 1800, 100000, "lease_over" },
		{ 1000, 300000, "lease_over" },
		{ 1999, 300000, "lease_over" },
		{ 2000, 0, "expired" },
		{ 0, 500000, "expired" }, /* the wall clock was set back */
		{ 9999, 999999, "expired" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *got =
		    plan_over(&sample, row[i].now, row[i].boot_ms);

		if (row[i].want == NULL)
			assert_null(got);
		else
			assert_string_equal(got, row[i].want);
	}
}

static void
test_plan_left(void **state)
{
	(void)state;
	assert_int_equal(plan_left_ms(&sample, 1000, 0), 500000);
	assert_int_equal(plan_left_ms(&sample, 1700, 0), 300000);
	assert_int_equal(plan_left_ms(&sample, 2001, 0), 0);
	assert_int_equal(plan_lease_left_ms(&sample, 1000, 100000), 200000);
	assert_int_equal(plan_lease_left_ms(&sample, 1000, 300001), 0);
}

static void
test_plan_warned(void **state)
{
	static const int64_t warn[] = { 900, 300, 60 };
	static const struct {
		int64_t left_ms;
		size_t want;
	} row[] = { { 900001, 0 }, { 900000, 1 }, { 300001, 1 }, { 300000, 2 },
		{ 60000, 3 }, { 0, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    plan_warned(warn, 3, row[i].left_ms), row[i].want);
	assert_int_equal(plan_warned(warn, 0, 0), 0);
}

static void
test_plan_ask(void **state)
{
	(void)state;
	assert_int_equal(plan_ask_ms(1800000, true, 0), 900000);
	for (uint32_t chance = 0; chance < 5000; chance += 7) {
		int64_t ms = plan_ask_ms(1800000, true, chance);

		assert_true(ms > 720000 && ms <= 900000);
		assert_true(plan_retry_ms(900000, chance) <= PLAN_RETRY_MS);
		assert_true(plan_retry_ms(900000, chance) > 24000);
	}
	assert_int_equal(plan_ask_ms(10000, true, 0), 5000);
	assert_int_equal(plan_ask_ms(10000, false, 0), PLAN_RETRY_MS);
	assert_int_equal(plan_ask_ms(0, true, 0), 1000); /* never a spin */
	assert_int_equal(plan_retry_ms(40000, 0), 10000);
	assert_int_equal(plan_retry_ms(0, 0), 1000);
}

static void
test_plan_ending_runs_its_course(void **state)
{
	struct plan_ending p;

	(void)state;
	plan_ending_begin(&p, 1000);
	assert_int_equal(p.step, PLAN_TERM);
	assert_int_equal(p.due_ms, 1000 + PLAN_READ_MS);
	plan_ending_next(&p, 0, 1500);
	assert_int_equal(p.step, PLAN_STOP);
	assert_int_equal(p.due_ms, 1500 + PLAN_LEAVE_MS);
	plan_ending_next(&p, 3, 1800);
	assert_int_equal(p.step, PLAN_STOP);
	assert_int_equal(p.due_ms, 1800); /* at once: what runs forks */
	plan_ending_next(&p, 0, 1801);
	assert_int_equal(p.step, PLAN_KILL);
	plan_ending_next(&p, 3, 1802);
	assert_int_equal(p.step, PLAN_KILL);
	assert_true(p.due_ms > 1802);
	plan_ending_next(&p, 0, 1812);
	assert_int_equal(p.step, PLAN_KILL); /* one quiet look is none */
	plan_ending_next(&p, 1, 1813);
	plan_ending_next(&p, 0, 1823);
	assert_int_equal(p.step, PLAN_KILL);
	plan_ending_next(&p, 0, 1823);
	assert_int_equal(p.step, PLAN_DONE);
	plan_ending_next(&p, 5, 1830);
	assert_int_equal(p.step, PLAN_DONE);
}

/* What cannot be stopped must not keep us from killing. */
static void
test_plan_ending_stops_only_so_long(void **state)
{
	struct plan_ending p;
	int64_t now = 0;
	int n = 0;

	(void)state;
	plan_ending_begin(&p, now);
	plan_ending_next(&p, 0, now);
	for (; p.step == PLAN_STOP; n++)
		plan_ending_next(&p, 9, now);
	assert_int_equal(n, PLAN_STOPS);
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(p.step, PLAN_KILL);
		plan_ending_next(&p, 1, now);
		assert_true(p.due_ms > now && p.due_ms <= now + 1000);
		now = p.due_ms;
	}
}

static void
test_plan_scope_of(void **state)
{
	static const struct {
		const char *cgroup;
		uint32_t sid;
		bool want;
	} row[] = {
		{ "/user.slice/user-1001.slice/session-7.scope", 7, true },
		{ "/user.slice/user-1001.slice/session-7.scope/x", 7, true },
		{ "/user.slice/user-1001.slice/session-7.scope", 71, false },
		{ "/user.slice/user-1001.slice/session-71.scope", 7, false },
		{ "/user.slice/user-1001.slice/session-c7.scope", 7, false },
		{ "/user.slice/user-1001.slice/session-7.scopes", 7, false },
		{ "/user.slice/user-1.slice/user@1.service/session-7.scope", 7,
		    false },
		{ "/user.slice/user-.slice/session-7.scope", 7, false },
		{ "/user.slice/session-7.scope", 7, false },
		{ "/system.slice/ssh.service", 7, false },
		{ "/x/user.slice/user-1.slice/session-7.scope", 7, false },
		{ "/", 7, false },
		{ "", 7, false },
		{ "/user.slice/user-1.slice/session-4294967295.scope",
		    PROCS_SID_UNSET, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    plan_scope_of(row[i].cgroup, row[i].sid), row[i].want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_over_by_whichever_clock_is_first),
		cmocka_unit_test(test_plan_left),
		cmocka_unit_test(test_plan_warned),
		cmocka_unit_test(test_plan_ask),
		cmocka_unit_test(test_plan_ending_runs_its_course),
		cmocka_unit_test(test_plan_ending_stops_only_so_long),
		cmocka_unit_test(test_plan_scope_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
