/* What people read: nothing from the network moves their cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"

static void
test_out_escape_table(void **state)
{
	static const struct {
		const char *bytes, *want;
	} row[] = {
		{ "plain", "plain" },
		{ "a\\b \"c\"", "a\\b \"c\"" },
		{ "one\ntwo\tthree\r", "one\\x0atwo\\x09three\\x0d" },
		{ "\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m" },
		{ "del\x7f", "del\\x7f" },
		{ "caf\xc3\xa9 \xe6\x97\xa5", "caf\xc3\xa9 \xe6\x97\xa5" },
		/* C1 control, right-to-left override, zero width, BOM */
		{ "\xc2\x9b"
		  "31m",
		    "\\xc2\\x9b31m" },
		{ "a\xe2\x80\xae"
		  "b",
		    "a\\xe2\\x80\\xaeb" },
		{ "a\xe2\x80\x8b"
		  "b",
		    "a\\xe2\\x80\\x8bb" },
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },
		/* not UTF-8: alone, overlong, surrogate, cut */
		{ "\xff", "\\xff" },
		{ "\xc0\x80", "\\xc0\\x80" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "x\xe6\x97", "x\\xe6\\x97" },
		/* four marks on a letter are let pass, the fifth is not */
		{ "o\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81",
		    "o\xcc\x81\xcc\x81\xcc\x81\xcc\x81\\xcc\\x81" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_buf b = { 0 };

		assert_int_equal(
		    out_escape(row[i].bytes, strlen(row[i].bytes), &b), LB_OK);
		assert_string_equal(b.data, row[i].want);
		lb_buf_clear(&b);
	}
}

static void
test_out_cut_to_columns(void **state)
{
	static const struct {
		const char *text;
		size_t columns;
		const char *want;
	} row[] = {
		{ "waiting", 0, "waiting" },
		{ "waiting", 8, "waiting" },
		{ "waiting", 7, "waiting" },
		{ "waiting", 6, "wai..." },
		{ "waiting", 3, "..." },
		{ "waiting", 2, ".." },
		{ "", 1, "" },
		/* two columns each, and one with a mark on it */
		{ "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 6,
		    "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5" },
		{ "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 5,
		    "\xe6\x97\xa5..." },
		{ "\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 4, "..." },
		{ "o\xcc\x81o\xcc\x81o\xcc\x81o\xcc\x81o", 4, "o\xcc\x81..." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char *s = strdup(row[i].text);

		assert_non_null(s);
		out_cut(s, row[i].columns);
		assert_string_equal(s, row[i].want);
		free(s);
	}
}

/* Run something that prints, and compare. */
#define PRINTED(want, call)                                                    \
	do {                                                                   \
		char *text_ = NULL;                                            \
		size_t len_ = 0;                                               \
		FILE *f = open_memstream(&text_, &len_);                       \
                                                                               \
		assert_non_null(f);                                            \
		call;                                                          \
		assert_int_equal(fclose(f), 0);                                \
		assert_string_equal(text_, want);                              \
		free(text_);                                                   \
	} while (0)

static void
test_out_line_is_one_line(void **state)
{
	(void)state;
	PRINTED("hello 7\n", out_line(f, "hello %d", 7));
	PRINTED("a\\x0ab\n", out_line(f, "%s", "a\nb"));
	PRINTED("  | one\n  | t\\x1bwo\n",
	    out_document(f, "  | ", "one\nt\x1bwo\n", 8));
}

static void
test_out_table_aligns_and_escapes(void **state)
{
	struct out_table t = { .columns = 3 };

	(void)state;
	out_row(&t, "ID", "WHO", "STATE");
	out_row(&t, "1", "caf\xc3\xa9", "open");
	out_row(&t, "22", "a\nb", NULL);
	PRINTED("ID  WHO     STATE\n"
		"1   caf\xc3\xa9    open\n"
		"22  a\\x0ab  \n",
	    assert_int_equal(out_table_print(f, &t), LB_OK));
	assert_int_equal(t.count, 0);
	t.columns = 2;
	out_field(&t, "left", "%d s", 5);
	PRINTED("left  5 s\n", assert_int_equal(out_table_print(f, &t), LB_OK));
}

static void
test_out_streams(void **state)
{
	struct cli cli = { 0 };

	(void)state;
	PRINTED("lockbox: no such 'x'\n",
	    (cli.err = f,
		assert_int_equal(out_fail(&cli, 77, "no such '%s'", "x"), 77)));
	PRINTED("next: wait\n", (cli.err = f, out_hint(&cli, "wait")));
	cli.quiet = true;
	PRINTED(
	    "", (cli.err = f, out_hint(&cli, "wait"), out_note(&cli, "so")));
	PRINTED("", (cli.err = f, out_debug(&cli, "so")));
}

static void
test_out_json_is_plain_ascii(void **state)
{
	struct cli cli = { 0 };

	(void)state;
	PRINTED("{\n  \"a\": \"\\u001B[1m\\u007f\\u00E9\"\n}\n",
	    (cli.out = f,
		assert_int_equal(
		    out_json(
			&cli, json_pack("{s:s}", "a", "\x1b[1m\x7f\xc3\xa9")),
		    ENDING_DONE)));
}

static void
test_out_times(void **state)
{
	char text[OUT_TIME_MAX];

	(void)state;
	assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
	tzset();
	out_time(1772460000, text);
	assert_string_equal(text, "2026-03-02 15:00:00 CET");
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	out_time(1772460000, text);
	assert_string_equal(text, "2026-03-02 14:00:00 UTC");
	out_time(0, text);
	assert_string_equal(text, "-");
	out_when(5400, 0, text);
	assert_string_equal(text, "in 1h30m");
	out_when(0, 45, text);
	assert_string_equal(text, "45s ago");
	out_when(7, 7, text);
	assert_string_equal(text, "now");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_out_escape_table),
		cmocka_unit_test(test_out_cut_to_columns),
		cmocka_unit_test(test_out_line_is_one_line),
		cmocka_unit_test(test_out_table_aligns_and_escapes),
		cmocka_unit_test(test_out_streams),
		cmocka_unit_test(test_out_json_is_plain_ascii),
		cmocka_unit_test(test_out_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
