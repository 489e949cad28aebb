/* Codes that people carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crockford.h"

static void
test_crockford_encode(void **state)
{
	static const uint8_t bits[5] = { 0xff, 0x00, 0x44, 0x32, 0x14 };
	char code[9];

	(void)state;
	crockford_encode(bits, 5, 8, code);
	assert_string_equal(code, "ZW048CGM");
	crockford_encode(bits, 1, 2, code);
	assert_string_equal(code, "ZW");
}

static void
test_crockford_read(void **state)
{
	static const struct {
		const char *typed, *want;
	} row[] = {
		{ "7Q2K9DXM", "7Q2K9DXM" },
		{ "7Q2K-9DXM", "7Q2K9DXM" },
		{ " 7q2k - 9dxm ", "7Q2K9DXM" },
		{ "oOiIlL00", "00111100" },
		{ "7Q2K9DX", NULL },
		{ "7Q2K9DXMM", NULL },
		{ "7Q2K9DXU", NULL },
		{ "7Q2K.9DXM", NULL },
		{ "7Q2K9DXM\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char code[9] = "kept";

		assert_int_equal(crockford_read(row[i].typed, 8, code),
		    row[i].want != NULL ? LB_OK : LB_ERR_FORMAT);
		assert_string_equal(
		    code, row[i].want != NULL ? row[i].want : "kept");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crockford_encode),
		cmocka_unit_test(test_crockford_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
