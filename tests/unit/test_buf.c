/* The buffer: growth, ceiling, unchanged on error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/buf.h"

static void
test_buf_add_grows(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(lb_buf_adds(&b, "0123456789"), LB_OK);
	assert_int_equal(b.len, 10000);
	assert_int_equal(strlen(b.data), 10000);
	assert_memory_equal(b.data + 9990, "0123456789", 11);
	lb_buf_clear(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	lb_buf_clear(&b);
}

static void
test_buf_add_nothing_gives_data(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(lb_buf_add(&b, NULL, 0), LB_OK);
	assert_string_equal(b.data, "");
	lb_buf_clear(&b);
}

static void
test_buf_holds_nul_bytes(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(lb_buf_add(&b, "a\0b", 3), LB_OK);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
	lb_buf_clear(&b);
}

static void
test_buf_ceiling(void **state)
{
	struct lb_buf b = { .max = 100 };
	char bytes[101];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(lb_buf_add(&b, bytes, 99), LB_OK);
	assert_int_equal(lb_buf_adds(&b, "yz"), LB_ERR_RANGE);
	assert_int_equal(lb_buf_addf(&b, "%d", 42), LB_ERR_RANGE);
	assert_int_equal(b.len, 99);
	assert_int_equal(b.data[99], '\0');
	assert_int_equal(lb_buf_adds(&b, "y"), LB_OK);
	assert_int_equal(lb_buf_adds(&b, ""), LB_OK);
	assert_int_equal(lb_buf_adds(&b, "z"), LB_ERR_RANGE);
	assert_int_equal(b.len, 100);
	lb_buf_clear(&b);
	assert_int_equal(b.max, 100);
	assert_int_equal(lb_buf_add(&b, bytes, 101), LB_ERR_RANGE);
	assert_null(b.data);
}

static void
test_buf_fit(void **state)
{
	struct lb_buf b = { .max = 5000 };

	(void)state;
	assert_int_equal(lb_buf_fit(&b), LB_OK);
	assert_null(b.data);
	assert_int_equal(lb_buf_adds(&b, "once"), LB_OK);
	assert_int_equal(lb_buf_fit(&b), LB_OK);
	assert_int_equal(b.size, 5);
	assert_string_equal(b.data, "once");
	assert_int_equal(lb_buf_fit(&b), LB_OK);
	assert_int_equal(lb_buf_adds(&b, " more"), LB_OK);
	assert_string_equal(b.data, "once more");
	assert_int_equal(b.max, 5000);
	lb_buf_clear(&b);
}

static void
test_buf_add_refuses_absurd_length(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(lb_buf_adds(&b, "kept"), LB_OK);
	assert_int_equal(lb_buf_add(&b, "x", SIZE_MAX), LB_ERR_MEMORY);
	assert_int_equal(lb_buf_add(&b, "x", SIZE_MAX / 4 + 1), LB_ERR_MEMORY);
	assert_string_equal(b.data, "kept");
	lb_buf_clear(&b);
}

static void
test_buf_addf_long(void **state)
{
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(lb_buf_addf(&b, "%s: %d\n", "count", 7), LB_OK);
	assert_int_equal(lb_buf_addf(&b, "%500d", 8), LB_OK);
	assert_int_equal(b.len, 509);
	assert_memory_equal(b.data, "count: 7\n   ", 12);
	assert_int_equal(b.data[508], '8');
	lb_buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_add_grows),
		cmocka_unit_test(test_buf_add_nothing_gives_data),
		cmocka_unit_test(test_buf_holds_nul_bytes),
		cmocka_unit_test(test_buf_ceiling),
		cmocka_unit_test(test_buf_fit),
		cmocka_unit_test(test_buf_add_refuses_absurd_length),
		cmocka_unit_test(test_buf_addf_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
