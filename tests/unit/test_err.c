/* Every error has its own phrase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/err.h"

#define ERR_LAST LB_ERR_LIMIT

static void
test_err_text_is_distinct(void **state)
{
	(void)state;
	assert_string_equal(lb_err_text(LB_OK), "no error");
	for (int a = 0; a >= ERR_LAST; a--) {
		const char *text = lb_err_text((enum lb_err)a);

		assert_non_null(text);
		assert_string_not_equal(text, "unknown error");
		for (int b = 0; b > a; b--)
			assert_string_not_equal(
			    text, lb_err_text((enum lb_err)b));
	}
}

static void
test_err_text_of_no_error(void **state)
{
	(void)state;
	assert_string_equal(lb_err_text((enum lb_err)1), "unknown error");
	assert_string_equal(
	    lb_err_text((enum lb_err)(ERR_LAST - 1)), "unknown error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_text_is_distinct),
		cmocka_unit_test(test_err_text_of_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
