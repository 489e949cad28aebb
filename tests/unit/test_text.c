/* Names, escaping, hex, numbers and the request code at their edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/text.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void
fill(char *ret, char c, size_t len)
{
	memset(ret, c, len);
	ret[len] = '\0';
}

/* One predicate, the longest value it takes, and which bytes it takes. */
struct alphabet {
	bool (*valid)(const char *s);
	size_t max;
	const char *first, *rest;
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

static const struct alphabet alphabets[] = {
	{ lb_name_valid, LB_NAME_MAX, LOWER DIGIT, LOWER DIGIT ".-" },
	{ lb_principal_valid, LB_PRINCIPAL_MAX, UPPER LOWER DIGIT,
	    UPPER LOWER DIGIT "._@+-" },
	{ lb_login_valid, LB_LOGIN_MAX, UPPER LOWER "_",
	    UPPER LOWER DIGIT "_.-" },
	{ lb_service_valid, LB_SERVICE_MAX, LOWER, LOWER DIGIT "_-" },
	{ lb_rhost_valid, LB_RHOST_MAX, UPPER LOWER DIGIT ".:%_-",
	    UPPER LOWER DIGIT ".:%_-" },
};

static void
test_names_take_their_alphabet_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS(alphabets); i++) {
		const struct alphabet *a = &alphabets[i];

		for (int c = 1; c < 256; c++) {
			char first[] = { (char)c, 'a', '\0' };
			char rest[] = { 'a', (char)c, '\0' };

			assert_int_equal(
			    a->valid(first), strchr(a->first, c) != NULL);
			assert_int_equal(
			    a->valid(rest), strchr(a->rest, c) != NULL);
		}
	}
}

static void
test_names_take_their_length_only(void **state)
{
	char s[512];

	(void)state;
	for (size_t i = 0; i < ROWS(alphabets); i++) {
		const struct alphabet *a = &alphabets[i];

		assert_false(a->valid(""));
		for (size_t len = 1; len <= a->max; len++) {
			fill(s, 'a', len);
			assert_true(a->valid(s));
		}
		fill(s, 'a', a->max + 1);
		assert_false(a->valid(s));
	}
}

static void
test_host_valid(void **state)
{
	static const struct {
		const char *s;
		bool want;
	} row[] = {
		{ "db1", true },
		{ "a", true },
		{ "0", true },
		{ "db1.prod.example.com", true },
		{ "xn--bcher-kva.example", true },
		{ "10.0.0.1", true },
		{ "a--b", true },
		{ "", false },
		{ ".", false },
		{ "db1.", false },
		{ ".db1", false },
		{ "db1..prod", false },
		{ "-db1", false },
		{ "db1-", false },
		{ "db1-.prod", false },
		{ "db1.-prod", false },
		{ "DB1", false },
		{ "db_1", false },
		{ "db1 ", false },
		{ "db*", false },
		{ "db1/prod", false },
		{ "db1\nprod", false },
		{ "fe80::1", false },
		{ "b\xc3\xbc"
		  "cher",
		    false },
	};
	char s[300];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++)
		assert_int_equal(lb_host_valid(row[i].s), row[i].want);

	fill(s, 'a', 63);
	assert_true(lb_host_valid(s));
	fill(s, 'a', 64);
	assert_false(lb_host_valid(s));

	fill(s, 'a', LB_HOST_MAX);
	for (size_t i = 31; i < LB_HOST_MAX; i += 32)
		s[i] = '.';
	assert_true(lb_host_valid(s));
	s[LB_HOST_MAX] = 'a';
	s[LB_HOST_MAX + 1] = '\0';
	assert_false(lb_host_valid(s));
}

/* Every byte of a valid value replaced by every other byte. */
static size_t
count_variants(bool (*valid)(const char *), const char *good)
{
	size_t n = 0;
	char s[128];

	for (size_t i = 0; i < strlen(good); i++) {
		for (int c = 1; c < 256; c++) {
			(void)strcpy(s, good);
			s[i] = (char)c;
			n += valid(s) ? 1 : 0;
		}
	}
	return n;
}

static void
test_sha256_valid(void **state)
{
	static const char good[] = "sha256:00112233445566778899aabbccddeeff"
				   "00112233445566778899aabbccddeeff";
	char s[128];

	(void)state;
	assert_int_equal(strlen(good), LB_SHA256_LEN);
	assert_true(lb_sha256_valid(good));
	/* the prefix only as it is, each digit 16 ways */
	assert_int_equal(count_variants(lb_sha256_valid, good), 7 + 64 * 16);
	(void)strcpy(s, good);
	s[LB_SHA256_LEN - 1] = '\0';
	assert_false(lb_sha256_valid(s));
	(void)strcpy(s, good);
	(void)strcat(s, "0");
	assert_false(lb_sha256_valid(s));
	assert_false(lb_sha256_valid(""));
	assert_false(lb_sha256_valid("sha256:"));
}

static void
test_keyfp_valid(void **state)
{
	static const char good[] =
	    "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM";
	char s[128];

	(void)state;
	assert_int_equal(strlen(good), LB_KEYFP_LEN);
	assert_true(lb_keyfp_valid(good));
	assert_int_equal(
	    count_variants(lb_keyfp_valid, good), 7 + 42 * 64 + 16);
	(void)strcpy(s, good);
	(void)strcat(s, "=");
	assert_false(lb_keyfp_valid(s));
	s[LB_KEYFP_LEN - 1] = '\0';
	assert_false(lb_keyfp_valid(s));
	assert_false(lb_keyfp_valid(""));
	assert_false(lb_keyfp_valid("MD5:16:27"));
}

static void
test_id_valid(void **state)
{
	static const char good[] = "01JNBDJ3ZKWXVT8Q5M2R7H9PCE";

	(void)state;
	assert_int_equal(strlen(good), LB_ID_LEN);
	assert_true(lb_id_valid(good));
	assert_int_equal(count_variants(lb_id_valid, good), 8 + 25 * 32);
	assert_true(lb_id_valid("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
	assert_false(lb_id_valid("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
	assert_false(lb_id_valid("01JNBDJ3ZKWXVT8Q5M2R7H9PC"));
	assert_false(lb_id_valid("01JNBDJ3ZKWXVT8Q5M2R7H9PCEE"));
	assert_false(lb_id_valid("01jnbdj3zkwxvt8q5m2r7h9pce"));
	assert_false(lb_id_valid("01JNBDJ3ZKWXVT8Q5M2R7H9PCU"));
	assert_false(lb_id_valid(""));
}

static void
test_nonce_valid(void **state)
{
	(void)state;
	assert_true(lb_nonce_valid("00112233445566778899aabbccddeeff"));
	assert_false(lb_nonce_valid("00112233445566778899aabbccddeef"));
	assert_false(lb_nonce_valid("00112233445566778899aabbccddeeff0"));
	assert_false(lb_nonce_valid("00112233445566778899AABBCCDDEEFF"));
	assert_false(lb_nonce_valid(""));
}

static void
test_escape_every_byte(void **state)
{
	char got[16], want[16];

	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;

		if (c == '"' || c == '\\')
			(void)snprintf(want, sizeof(want), "\\%c", c);
		else if (c >= 0x20 && c < 0x7f)
			(void)snprintf(want, sizeof(want), "%c", c);
		else
			(void)snprintf(
			    want, sizeof(want), "\\x%02x", (unsigned)c);
		lb_text_escape(&byte, 1, got, sizeof(got));
		assert_string_equal(got, want);
	}
	lb_text_escape(NULL, 0, got, sizeof(got));
	assert_string_equal(got, "");
	lb_text_escape("a\"b\\c\nd\0e", 9, got, sizeof(got));
	assert_string_equal(got, "a\\\"b\\\\c\\x0ad...");
}

static void
test_escape_cuts_at_whole_escapes(void **state)
{
	static const struct {
		const char *s;
		const char *want; /* in 8 bytes */
	} row[] = {
		{ "1234567", "1234567" },
		{ "12345678", "1234..." },
		{ "12345\n", "1234..." },
		{ "123\n", "123\\x0a" },
		{ "\n\n", "\\x0a..." },
		{ "1\n\n", "1..." },
		{ "\"\"\"a", "\\\"\\\"\\\"a" },
		{ "\"\"\"\"", "\\\"\\\"..." },
		{ "1\"\"\"\"", "1\\\"..." },
	};
	char got[9];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		got[8] = '!';
		lb_text_escape(row[i].s, strlen(row[i].s), got, 8);
		assert_string_equal(got, row[i].want);
		assert_int_equal(got[8], '!');
	}
}

static void
test_copy_never_truncates(void **state)
{
	char got[4] = "old";

	(void)state;
	assert_int_equal(lb_text_copy(got, sizeof(got), "abcd"), LB_ERR_RANGE);
	assert_string_equal(got, "old");
	assert_int_equal(lb_text_copy(got, 0, ""), LB_ERR_RANGE);
	assert_int_equal(lb_text_copy(got, sizeof(got), "abc"), LB_OK);
	assert_string_equal(got, "abc");
	assert_int_equal(lb_text_copy(got, 1, ""), LB_OK);
	assert_string_equal(got, "");
}

static void
test_hex_round_trip(void **state)
{
	uint8_t bytes[256], back[256];
	char s[513];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	lb_hex_encode(bytes, sizeof(bytes), s);
	assert_int_equal(strlen(s), 512);
	assert_memory_equal(s + 498, "f9fafbfcfdfeff", 15);
	assert_int_equal(lb_hex_decode(s, back, sizeof(back)), LB_OK);
	assert_memory_equal(bytes, back, sizeof(back));
}

static void
test_hex_decode_is_strict(void **state)
{
	static const char *const bad[] = { "", "0", "00", "00f", "00fff",
		"00ff0", "00FF", "00fg", " 0ff", "0x0f", "00f\n" };
	uint8_t got[2] = { 0x11, 0x22 };

	(void)state;
	for (size_t i = 0; i < ROWS(bad); i++) {
		assert_int_equal(lb_hex_decode(bad[i], got, 2), LB_ERR_FORMAT);
		assert_memory_equal(got, "\x11\x22", 2);
	}
	assert_int_equal(lb_hex_decode("00ff", got, 2), LB_OK);
	assert_memory_equal(got, "\x00\xff", 2);
	assert_int_equal(lb_hex_decode("", got, 0), LB_OK);
	assert_int_equal(lb_hex_decode("00", got, SIZE_MAX), LB_ERR_FORMAT);
}

static void
test_number_parse_boundaries(void **state)
{
	static const struct {
		const char *s;
		int64_t lo, hi;
		enum lb_err r;
		int64_t want;
	} row[] = {
		{ "0", 0, 10, LB_OK, 0 },
		{ "10", 0, 10, LB_OK, 10 },
		{ "11", 0, 10, LB_ERR_RANGE, 0 },
		{ "4", 5, 10, LB_ERR_RANGE, 0 },
		{ "5", 5, 10, LB_OK, 5 },
		{ "9223372036854775807", 0, INT64_MAX, LB_OK, INT64_MAX },
		{ "9223372036854775808", 0, INT64_MAX, LB_ERR_RANGE, 0 },
		{ "18446744073709551617", 0, INT64_MAX, LB_ERR_RANGE, 0 },
		{ "99999999999999999999999", 0, 10, LB_ERR_RANGE, 0 },
		{ "", 0, 10, LB_ERR_FORMAT, 0 },
		{ "00", 0, 10, LB_ERR_FORMAT, 0 },
		{ "01", 0, 10, LB_ERR_FORMAT, 0 },
		{ "+1", 0, 10, LB_ERR_FORMAT, 0 },
		{ "-1", -5, 10, LB_ERR_FORMAT, 0 },
		{ "-0", -5, 10, LB_ERR_FORMAT, 0 },
		{ " 1", 0, 10, LB_ERR_FORMAT, 0 },
		{ "1 ", 0, 10, LB_ERR_FORMAT, 0 },
		{ "1\n", 0, 10, LB_ERR_FORMAT, 0 },
		{ "0x1", 0, 10, LB_ERR_FORMAT, 0 },
		{ "1e1", 0, 10, LB_ERR_FORMAT, 0 },
		{ "1.0", 0, 10, LB_ERR_FORMAT, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		int64_t got = -4711;

		assert_int_equal(
		    lb_number_parse(row[i].s, row[i].lo, row[i].hi, &got),
		    row[i].r);
		assert_int_equal(got, row[i].r == LB_OK ? row[i].want : -4711);
	}
}

/* Expected codes were computed by hand from the digits' bits. */
static void
test_request_code(void **state)
{
	static const struct {
		const char *first; /* 16 hex digits; 48 zeros follow */
		const char *code;
	} row[] = {
		{ "0000000000000000", "0000-0000-0000" },
		{ "ffffffffffffffff", "ZZZZ-ZZZZ-ZZZZ" },
		{ "fffffffffffffff0", "ZZZZ-ZZZZ-ZZZZ" },
		{ "000000000000001f", "0000-0000-0001" },
		{ "8000000000000000", "G000-0000-0000" },
		{ "0842108421084210", "1111-1111-1111" },
		{ "00443214c74254b0", "0123-4567-89AB" },
	};
	char id[LB_SHA256_LEN + 1], code[LB_CODE_LEN + 1];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		(void)snprintf(
		    id, sizeof(id), "sha256:%s%048d", row[i].first, 0);
		assert_true(lb_sha256_valid(id));
		lb_request_code(id, code);
		assert_string_equal(code, row[i].code);
	}
}

/* Ten digits of base64 are the same 60 bits. */
static void
test_key_code(void **state)
{
	static const struct {
		const char *first; /* 10 digits of base64; 33 zeros follow */
		const char *code;
	} row[] = {
		{ "AAAAAAAAAA", "0000-0000-0000" },
		{ "//////////", "ZZZZ-ZZZZ-ZZZZ" },
		{ "AAAAAAAAAf", "0000-0000-000Z" },
		{ "gAAAAAAAAA", "G000-0000-0000" },
		{ "CEIQhCEIQh", "1111-1111-1111" },
		{ "AEQyFMdCVL", "0123-4567-89AB" },
	};
	char fp[LB_KEYFP_LEN + 1], code[LB_CODE_LEN + 1];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		(void)snprintf(fp, sizeof(fp),
		    "SHA256:%sAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", row[i].first);
		assert_true(lb_keyfp_valid(fp));
		lb_key_code(fp, code);
		assert_string_equal(code, row[i].code);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_take_their_alphabet_only),
		cmocka_unit_test(test_names_take_their_length_only),
		cmocka_unit_test(test_host_valid),
		cmocka_unit_test(test_sha256_valid),
		cmocka_unit_test(test_keyfp_valid),
		cmocka_unit_test(test_id_valid),
		cmocka_unit_test(test_nonce_valid),
		cmocka_unit_test(test_escape_every_byte),
		cmocka_unit_test(test_escape_cuts_at_whole_escapes),
		cmocka_unit_test(test_copy_never_truncates),
		cmocka_unit_test(test_hex_round_trip),
		cmocka_unit_test(test_hex_decode_is_strict),
		cmocka_unit_test(test_number_parse_boundaries),
		cmocka_unit_test(test_request_code),
		cmocka_unit_test(test_key_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
