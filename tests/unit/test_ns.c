/* Namespaces: ten, each found by its exact name only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/ns.h"

static void
test_ns_name_and_find_agree(void **state)
{
	(void)state;
	for (int bit = 0; bit < 10; bit++) {
		enum lb_ns ns = (enum lb_ns)(1 << bit);

		assert_int_equal(lb_ns_find(lb_ns_name(ns)), ns);
	}
	assert_string_equal(lb_ns_name(LB_NS_APPROVE), "lockbox-approve-v1");
	assert_string_equal(lb_ns_name(LB_NS_TRUST), "lockbox-trust-v1");
}

static void
test_ns_find_is_exact(void **state)
{
	static const char *const none[] = { "", "lockbox-approve-v", "file",
		"lockbox-approve-v1 ", "Lockbox-approve-v1",
		"lockbox-approve-v2", "lockbox-approve-v11", "git" };

	(void)state;
	assert_int_equal(lb_ns_find("lockbox-approve-v1"), LB_NS_APPROVE);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(lb_ns_find(none[i]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ns_name_and_find_agree),
		cmocka_unit_test(test_ns_find_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
