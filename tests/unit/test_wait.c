/* The line that tells how a request stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wait.h"

#define NOW INT64_C(1772460000) /* 2026-03-02T14:00:00Z */

static void
test_wait_line_table(void **state)
{
	static const struct {
		const char *request, *want;
	} row[] = {
		{ "{\"state\": \"pending_endorsement\", \"waiting_for\": [],"
		  " \"lapses_at\": \"2026-03-02T15:30:00Z\"}",
		    "lapses in 1h30m  waiting for a manager of the provider" },
		{ "{\"state\": \"pending_approval\", \"waiting_for\":"
		  " [\"anna@acme.example\", \"bert@acme.example\"],"
		  " \"lapses_at\": \"2026-03-03T02:00:00Z\"}",
		    "lapses in 12h  waiting for anna@acme.example, "
		    "bert@acme.example" },
		/* what a broker may leave out */
		{ "{\"state\": \"pending_approval\"}", "waiting for nobody" },
		{ "{\"lapses_at\": \"2026-03-02T14:00:00Z\"}",
		    "waiting for nobody" },
		{ "{\"waiting_for\": [1, \"anna\"], \"lapses_at\": 7}",
		    "waiting for ?, anna" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		json_t *request = json_loads(row[i].request, 0, NULL);
		struct lb_buf b = { 0 };

		assert_non_null(request);
		assert_int_equal(wait_line(request, NOW, &b), LB_OK);
		assert_string_equal(b.data, row[i].want);
		lb_buf_clear(&b);
		json_decref(request);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait_line_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
