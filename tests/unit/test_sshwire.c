/* Tests of SSH's wire forms: strings, canonical base64, armor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "sshwire.h"

#define LABEL "TEST"

static void
test_wire_string_takes_whole_fields_only(void **state)
{
	static const uint8_t bytes[] = { 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 1 };
	struct lb_bytes c = { bytes, sizeof(bytes) }, b = { 0 };

	(void)state;
	assert_int_equal(lb_wire_string(&c, &b), LB_OK);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.p, "ab", 2);
	/* The second says one byte follows, and none does. */
	assert_int_equal(lb_wire_string(&c, &b), LB_ERR_FORMAT);
	assert_int_equal(c.len, 4);
	assert_int_equal(b.len, 2);
}

static void
test_wire_string_length_past_the_end(void **state)
{
	static const uint8_t bytes[] = { 0xff, 0xff, 0xff, 0xff, 'a' };
	struct lb_bytes c = { bytes, sizeof(bytes) }, b = { 0 };

	(void)state;
	assert_int_equal(lb_wire_string(&c, &b), LB_ERR_FORMAT);
	assert_int_equal(c.len, sizeof(bytes));
}

static void
test_wire_word_is_visible_ascii(void **state)
{
	static const struct {
		uint8_t bytes[8];
		size_t len;
		enum lb_err want;
	} row[] = {
		{ { 0, 0, 0, 3, 'a', '!', '~' }, 7, LB_OK },
		{ { 0, 0, 0, 0 }, 4, LB_ERR_FORMAT },
		{ { 0, 0, 0, 3, 'a', ' ', 'b' }, 7, LB_ERR_FORMAT },
		{ { 0, 0, 0, 3, 'a', 0, 'b' }, 7, LB_ERR_FORMAT },
		{ { 0, 0, 0, 3, 'a', 'b', 0x7f }, 7, LB_ERR_FORMAT },
		{ { 0, 0, 0, 3, 'a', 'b', 0x80 }, 7, LB_ERR_FORMAT },
		{ { 0, 0, 0, 4, 'a', 'b', 'c', 'd' }, 8, LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_bytes c = { row[i].bytes, row[i].len };
		char word[4] = "old";

		assert_int_equal(
		    lb_wire_word(&c, word, sizeof(word)), row[i].want);
		assert_string_equal(word, row[i].want == LB_OK ? "a!~" : "old");
	}
}

static void
test_wire_mpint256_has_one_spelling(void **state)
{
	static const struct {
		uint8_t bytes[40];
		size_t len;
		enum lb_err want;
	} row[] = {
		{ { 1 }, 1, LB_OK },
		{ { 0x7f, 0xff }, 2, LB_OK },
		{ { 0, 0x80 }, 2, LB_OK },
		{ { 0 }, 0, LB_ERR_FORMAT },       /* zero */
		{ { 0 }, 1, LB_ERR_FORMAT },       /* zero, spelled out */
		{ { 0x80 }, 1, LB_ERR_FORMAT },    /* negative */
		{ { 0, 0x7f }, 2, LB_ERR_FORMAT }, /* needless zero */
		{ { 0, 0, 0x80 }, 3, LB_ERR_FORMAT },
		{ { 0, 0xff }, 33, LB_OK }, /* 256 bits */
		{ { 0x7f }, 32, LB_OK },
		{ { 1 }, 33, LB_ERR_FORMAT },
		{ { 0, 0xff }, 34, LB_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint8_t bytes[44], got[32] = { 9 };
		struct lb_writer w = { bytes, 0, sizeof(bytes) };
		struct lb_bytes c = { bytes, 0 };

		lb_put_string(&w, row[i].bytes, row[i].len);
		c.len = w.len;
		assert_int_equal(lb_wire_mpint256(&c, got), row[i].want);
		if (row[i].want != LB_OK)
			assert_int_equal(got[0], 9);
		else if (row[i].len < 33)
			assert_memory_equal(
			    got + 32 - row[i].len, row[i].bytes, row[i].len);
	}
}

/* Of all texts of four characters that decode, each is what encoding gives. */
static void
test_base64_has_one_spelling(void **state)
{
	static const char chars[] = "ABCXYZabcxyz0189+/=-_ \n~";
	size_t n = sizeof(chars) - 1, accepted = 0;

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		char text[5] = { chars[i % n], chars[i / n % n],
			chars[i / n / n % n], chars[i / n / n / n], '\0' };
		char again[5];
		uint8_t bytes[3];
		size_t len = 0;

		if (lb_base64_decode(text, 4, bytes, sizeof(bytes), &len) !=
		    LB_OK)
			continue;
		sodium_bin2base64(again, sizeof(again), bytes, len,
		    sodium_base64_VARIANT_ORIGINAL);
		assert_string_equal(text, again);
		accepted++;
	}
	assert_true(accepted > 18 * 18 * 18 * 18);
}

/* Every byte at every place: only the alphabet's 64, and padding at the end. */
static void
test_base64_alphabet(void **state)
{
	size_t accepted = 0;

	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t i = 0; i < 4; i++) {
			char text[4] = { 'A', 'A', 'A', 'A' };
			uint8_t bytes[3];
			size_t len = 0;

			text[i] = (char)c;
			if (lb_base64_decode(
				text, 4, bytes, sizeof(bytes), &len) != LB_OK)
				continue;
			assert_true(c < 0x80);
			accepted++;
		}
	assert_int_equal(accepted, 64 * 4 + 1);
}

static void
test_base64_refuses(void **state)
{
	static const struct {
		const char *text;
		enum lb_err want;
	} row[] = {
		{ "YWJj", LB_OK },
		{ "YWI=", LB_OK },
		{ "YQ==", LB_OK },
		{ "", LB_ERR_FORMAT },
		{ "YWI", LB_ERR_FORMAT },
		{ "YWJ=", LB_ERR_FORMAT },
		{ "YR==", LB_ERR_FORMAT },
		{ "Y===", LB_ERR_FORMAT },
		{ "====", LB_ERR_FORMAT },
		{ "YQ==YQ==", LB_ERR_FORMAT },
		{ "YW J", LB_ERR_FORMAT },
		{ "YWJjYWI=", LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint8_t bytes[4];
		size_t len = 99;

		assert_int_equal(
		    lb_base64_decode(row[i].text, strlen(row[i].text), bytes,
			sizeof(bytes), &len),
		    row[i].want);
		assert_true(row[i].want == LB_OK || len == 99);
	}
}

static void
test_armor_forms(void **state)
{
	static const struct {
		const char *text;
		enum lb_err want;
	} row[] = {
#define B "-----BEGIN TEST-----\n"
#define E "-----END TEST-----\n"
		{ B "YWJj\n" E, LB_OK },
		{ B "YW\nJj\n" E, LB_OK },
		{ B "YWJ\nj\n" E, LB_OK },
		{ B "Y\nWJj\n" E, LB_ERR_FORMAT },
		{ B "YW\nJ\nj\n" E, LB_ERR_FORMAT },
		{ B "YW\n\nJj\n" E, LB_ERR_FORMAT },
		{ B "YWJj\n\n" E, LB_ERR_FORMAT },
		{ B "YWJj" E, LB_ERR_FORMAT },
		{ B "YWJj\r\n" E, LB_ERR_FORMAT },
		{ B "YWJj \n" E, LB_ERR_FORMAT },
		{ B E, LB_ERR_FORMAT },
		{ "\n" B "YWJj\n" E, LB_ERR_FORMAT },
		{ B "YWJj\n" E "\n", LB_ERR_FORMAT },
		{ B "YWJj\n-----END TEST-----", LB_ERR_FORMAT },
		{ B "YWJj\n-----END TOST-----\n", LB_ERR_FORMAT },
		{ "-----BEGIN TOST-----\nYWJj\n" E, LB_ERR_FORMAT },
		{ B "YWJjYWJj\n" E, LB_ERR_RANGE },
		{ B "YWJj\n", LB_ERR_FORMAT },
		{ "", LB_ERR_FORMAT },
#undef B
#undef E
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint8_t bytes[3];
		size_t len = 99;

		assert_int_equal(
		    lb_armor_open(LABEL, row[i].text, strlen(row[i].text),
			bytes, sizeof(bytes), &len),
		    row[i].want);
		if (row[i].want == LB_OK)
			assert_memory_equal(bytes, "abc", len);
		else
			assert_int_equal(len, 99);
	}
}

static void
test_armor_round_trip_every_length(void **state)
{
	uint8_t bytes[300], got[300];

	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		struct lb_buf b = { 0 };
		size_t len = 0;

		assert_int_equal(lb_armor_close(LABEL, bytes, n, &b), LB_OK);
		assert_int_equal(
		    lb_armor_open(LABEL, b.data, b.len, got, sizeof(got), &len),
		    LB_OK);
		assert_int_equal(len, n);
		assert_memory_equal(got, bytes, n);
		lb_buf_clear(&b);
	}
}

static void
test_armor_lines_of_76_at_most(void **state)
{
	(void)state;
	for (size_t width = 70; width <= 80; width++) {
		char text[512] = "-----BEGIN TEST-----\n";
		size_t n = strlen(text), len = 0;
		uint8_t bytes[256];

		memset(text + n, 'A', width);
		text[n + width] = '\n';
		memset(text + n + width + 1, 'A', 4 - width % 4);
		strcat(text, "\n-----END TEST-----\n");
		assert_int_equal(lb_armor_open(LABEL, text, strlen(text), bytes,
				     sizeof(bytes), &len),
		    width <= 76 ? LB_OK : LB_ERR_FORMAT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_string_takes_whole_fields_only),
		cmocka_unit_test(test_wire_string_length_past_the_end),
		cmocka_unit_test(test_wire_word_is_visible_ascii),
		cmocka_unit_test(test_wire_mpint256_has_one_spelling),
		cmocka_unit_test(test_base64_has_one_spelling),
		cmocka_unit_test(test_base64_alphabet),
		cmocka_unit_test(test_base64_refuses),
		cmocka_unit_test(test_armor_forms),
		cmocka_unit_test(test_armor_round_trip_every_length),
		cmocka_unit_test(test_armor_lines_of_76_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
