/* P-256: what is a point, and what is refused as a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "p256.h"

/* RFC 6979, A.2.5: the key, and its signature of "sample" with SHA-256. */
static const uint8_t pk[LB_P256_POINT_LEN] = { 0x04, 0x60, 0xfe, 0xd4, 0xba,
	0x25, 0x5a, 0x9d, 0x31, 0xc9, 0x61, 0xeb, 0x74, 0xc6, 0x35, 0x6d, 0x68,
	0xc0, 0x49, 0xb8, 0x92, 0x3b, 0x61, 0xfa, 0x6c, 0xe6, 0x69, 0x62, 0x2e,
	0x60, 0xf2, 0x9f, 0xb6, 0x79, 0x03, 0xfe, 0x10, 0x08, 0xb8, 0xbc, 0x99,
	0xa4, 0x1a, 0xe9, 0xe9, 0x56, 0x28, 0xbc, 0x64, 0xf2, 0xf1, 0xb2, 0x0c,
	0x2d, 0x7e, 0x9f, 0x51, 0x77, 0xa3, 0xc2, 0x94, 0xd4, 0x46, 0x22,
	0x99 };
static const uint8_t sig[LB_P256_SIG_LEN] = { 0xef, 0xd4, 0x8b, 0x2a, 0xac,
	0xb6, 0xa8, 0xfd, 0x11, 0x40, 0xdd, 0x9c, 0xd4, 0x5e, 0x81, 0xd6, 0x9d,
	0x2c, 0x87, 0x7b, 0x56, 0xaa, 0xf9, 0x91, 0xc3, 0x4d, 0x0e, 0xa8, 0x4e,
	0xaf, 0x37, 0x16, 0xf7, 0xcb, 0x1c, 0x94, 0x2d, 0x65, 0x7c, 0x41, 0xd4,
	0x36, 0xc7, 0xa1, 0xb6, 0xe2, 0x9f, 0x65, 0xf3, 0xe9, 0x00, 0xdb, 0xb9,
	0xaf, 0xf4, 0x06, 0x4d, 0xc4, 0xab, 0x2f, 0x84, 0x3a, 0xcd, 0xa8 };
/* The field's prime and the group's order. */
static const uint8_t prime[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xff };
static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
	0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25,
	0x51 };

static void
test_check_point(void **state)
{
	uint8_t bad[LB_P256_POINT_LEN];

	(void)state;
	assert_int_equal(lb_p256_check(pk), LB_OK);
	for (size_t i = 0; i < sizeof(pk); i++) {
		memcpy(bad, pk, sizeof(pk));
		bad[i] ^= 1;
		assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
	}
	memset(bad, 0, sizeof(bad)); /* infinity's first byte */
	assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
	bad[0] = 0x04;
	assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
	memcpy(bad + 1, prime, sizeof(prime)); /* x = 0, spelled otherwise */
	assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
}

/* A hybrid point (06, 07) is on the curve, but not in the one spelling. */
static void
test_check_hybrid(void **state)
{
	uint8_t bad[LB_P256_POINT_LEN];

	(void)state;
	memcpy(bad, pk, sizeof(pk));
	assert_int_equal(lb_p256_check(bad), LB_OK);
	bad[0] = 0x07; /* y is odd */
	assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
	bad[0] = 0x06;
	assert_int_equal(lb_p256_check(bad), LB_ERR_FORMAT);
}

static void
test_verify(void **state)
{
	uint8_t bad[LB_P256_POINT_LEN];

	(void)state;
	assert_int_equal(lb_p256_verify(pk, sig, "sample", 6), LB_OK);
	assert_int_equal(
	    lb_p256_verify(pk, sig, "samplf", 6), LB_ERR_SIGNATURE);
	assert_int_equal(
	    lb_p256_verify(pk, sig, "sample", 5), LB_ERR_SIGNATURE);
	memcpy(bad, pk, sizeof(pk));
	bad[64] ^= 1;
	assert_int_equal(lb_p256_verify(bad, sig, "sample", 6), LB_ERR_FORMAT);
}

static void
test_verify_range(void **state)
{
	uint8_t bad[LB_P256_SIG_LEN];

	(void)state;
	for (int half = 0; half < 2; half++) {
		memcpy(bad, sig, sizeof(sig));
		assert_int_equal(lb_p256_verify(pk, bad, "sample", 6), LB_OK);
		memset(bad + 32 * half, 0, 32);
		assert_int_equal(
		    lb_p256_verify(pk, bad, "sample", 6), LB_ERR_SIGNATURE);
		memcpy(bad + 32 * half, order, 32);
		assert_int_equal(
		    lb_p256_verify(pk, bad, "sample", 6), LB_ERR_SIGNATURE);
		memset(bad + 32 * half, 0xff, 32);
		assert_int_equal(
		    lb_p256_verify(pk, bad, "sample", 6), LB_ERR_SIGNATURE);
	}
	memset(bad, 0, sizeof(bad));
	assert_int_equal(
	    lb_p256_verify(pk, bad, "sample", 6), LB_ERR_SIGNATURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_point),
		cmocka_unit_test(test_check_hybrid),
		cmocka_unit_test(test_verify),
		cmocka_unit_test(test_verify_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
