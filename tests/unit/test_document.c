/* lib/document.c and lib/values.c: the parser, the writer, sorting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/document.h"
#include "lockbox/text.h"

/* A document that has a line of every shape. */
struct sample {
	char name[9];
	char note[17]; /* optional */
	struct LB_LIST_OF(3, LB_LOGIN_MAX + 1) login;
	struct LB_LIST_OF(2, LB_HOST_MAX + 1) host; /* at least one */
	char word[9];
	char code[9];
	int64_t number;
	int64_t maybe; /* optional, 1..9 */
	int64_t at;
	int64_t end; /* optional */
};

#define AT(member)   offsetof(struct sample, member)
#define SIZE(member) sizeof(((struct sample *)0)->member)

static const char *const words[] = { "stop", "go", NULL };

static const struct lb_doc_line sample_lines[] = {
	{ "name", 1, 1, LB_LINE_NAME, AT(name), SIZE(name), 0, 0, NULL },
	{ "note", 0, 1, LB_LINE_TEXT, AT(note), SIZE(note), 0, 0, NULL },
	{ "login", 0, 3, LB_LINE_LOGIN, AT(login), LB_LOGIN_MAX + 1, 0, 0,
	    NULL },
	{ "host", 1, 2, LB_LINE_HOST, AT(host), LB_HOST_MAX + 1, 0, 0, NULL },
	{ "word", 1, 1, LB_LINE_WORD, AT(word), SIZE(word), 0, 0, words },
	{ "code", 1, 1, LB_LINE_WORD, AT(code), SIZE(code), 0, 0, NULL },
	{ "number", 1, 1, LB_LINE_NUMBER, AT(number), 0, 0, 99, NULL },
	{ "maybe", 0, 1, LB_LINE_NUMBER, AT(maybe), 0, 1, 9, NULL },
	{ "at", 1, 1, LB_LINE_TIME, AT(at), 0, 0, 0, NULL },
	{ "end", 0, 1, LB_LINE_TIME, AT(end), 0, 0, 0, NULL },
	{ 0 },
};

static enum lb_err
sample_check(const void *doc)
{
	const struct sample *s = doc;

	return s->number == 13 ? LB_ERR_RANGE : LB_OK;
}

static const struct lb_doc_type sample_type = { "lockbox-sample-v1", 400,
	sizeof(struct sample), sample_lines, sample_check, false };

#define MAGIC "lockbox-sample-v1\n"
#define HEAD  MAGIC "name: acme\n"
#define LOGIN "login: ada\nlogin: bob\nlogin: cyd\n"
#define HOSTS "host: db1\n"
#define TAIL                                                                   \
	"word: go\ncode: a_b\nnumber: 0\n"                                     \
	"at: 2026-03-02T14:00:00Z\n"
#define FULL                                                                   \
	HEAD "note: a b\n" LOGIN "host: db1\n"                                 \
	     "host: db2\nword: go\ncode: a_b.c2\n"                             \
	     "number: 7\nmaybe: 9\n"                                           \
	     "at: 2026-03-02T14:00:00Z\n"                                      \
	     "end: 2026-03-02T16:00:00Z\n"

static enum lb_err
parse(const char *text, size_t len, struct sample *ret)
{
	return lb_doc_parse(&sample_type, text, len, ret);
}

static void
test_doc_parse_fills_every_field(void **state)
{
	struct sample s;

	(void)state;
	memset(&s, 0xa5, sizeof(s));
	assert_int_equal(parse(FULL, strlen(FULL), &s), LB_OK);
	assert_string_equal(s.name, "acme");
	assert_string_equal(s.note, "a b");
	assert_int_equal(s.login.count, 3);
	assert_string_equal(s.login.item[0], "ada");
	assert_string_equal(s.login.item[2], "cyd");
	assert_int_equal(s.host.count, 2);
	assert_string_equal(s.host.item[1], "db2");
	assert_string_equal(s.word, "go");
	assert_string_equal(s.code, "a_b.c2");
	assert_int_equal(s.number, 7);
	assert_int_equal(s.maybe, 9);
	assert_int_equal(s.at, 1772460000);
	assert_int_equal(s.end, 1772467200);
}

static void
test_doc_parse_absent_lines_are_empty(void **state)
{
	static const char text[] = HEAD HOSTS TAIL;
	struct sample s;

	(void)state;
	memset(&s, 0xa5, sizeof(s));
	assert_int_equal(parse(text, strlen(text), &s), LB_OK);
	assert_string_equal(s.note, "");
	assert_int_equal(s.login.count, 0);
	assert_int_equal(s.number, 0);
	assert_int_equal(s.maybe, 0);
	assert_int_equal(s.end, 0);
}

static void
test_doc_parse_refuses(void **state)
{
	static const struct {
		const char *text;
		enum lb_err want;
	} row[] = {
		{ HEAD HOSTS TAIL, LB_OK },
		{ "", LB_ERR_FORMAT },
		{ "lockbox-sample-v1", LB_ERR_FORMAT },
		{ MAGIC, LB_ERR_FORMAT },
		{ "lockbox-sample-v2\nname: acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ " " HEAD HOSTS TAIL, LB_ERR_FORMAT },
		{ "\n" HEAD HOSTS TAIL, LB_ERR_FORMAT },
		{ "\xef\xbb\xbf" HEAD HOSTS TAIL, LB_ERR_FORMAT },
		/* missing, twice, unknown, out of order, another spelling */
		{ MAGIC HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD TAIL, LB_ERR_FORMAT },
		{ HEAD "name: acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "colour: red\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC HOSTS "name: acme\n" TAIL, LB_ERR_FORMAT },
		{ MAGIC "Name: acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC "name:acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC "name:  acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC "name: acme \n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC "name: acme\r\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC "name: \n" HOSTS TAIL, LB_ERR_FORMAT },
		{ MAGIC " name: acme\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD HOSTS TAIL "\n", LB_ERR_FORMAT },
		{ HEAD HOSTS TAIL "x", LB_ERR_FORMAT },
		{ HEAD HOSTS TAIL "lockbox-sample-v1\n", LB_ERR_FORMAT },
		/* lists: strictly ascending, within bounds */
		{ HEAD LOGIN HOSTS TAIL, LB_OK },
		{ HEAD "login: bob\nlogin: ada\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "login: ada\nlogin: ada\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD LOGIN "login: dan\n" HOSTS TAIL, LB_ERR_RANGE },
		{ HEAD "login: ada\n" HOSTS "login: bob\n" TAIL,
		    LB_ERR_FORMAT },
		{ HEAD "host: db1\nhost: db10\n" TAIL, LB_OK },
		{ HEAD "host: db10\nhost: db1\n" TAIL, LB_ERR_FORMAT },
		/* values */
		{ MAGIC "name: acmeacme\n" HOSTS TAIL, LB_OK },
		{ MAGIC "name: acmeacme1\n" HOSTS TAIL, LB_ERR_RANGE },
		{ MAGIC "name: ACME\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "note: 0123456789abcdef\n" HOSTS TAIL, LB_OK },
		{ HEAD "note: 0123456789abcdefg\n" HOSTS TAIL, LB_ERR_RANGE },
		{ HEAD "note: a  b\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "note: a\tb\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "note: a\xe2\x80\xae"
		       "b\n" HOSTS TAIL,
		    LB_ERR_FORMAT },
		{ HEAD "note: a\xff\n" HOSTS TAIL, LB_ERR_FORMAT },
		{ HEAD "note: gr\xc3\xbc\xc3\x9f\n" HOSTS TAIL, LB_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct sample s, before;
		enum lb_err r;

		memset(&s, 0xa5, sizeof(s));
		before = s;
		r = parse(row[i].text, strlen(row[i].text), &s);
		if (r != row[i].want)
			print_error("row %zu: %s\n", i, row[i].text);
		assert_int_equal(r, row[i].want);
		if (r != LB_OK)
			assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void
test_doc_parse_refuses_values(void **state)
{
	static const struct {
		const char *line, *bad;
		enum lb_err want;
	} row[] = {
		{ "word: go\n", "word: stop\n", LB_OK },
		{ "word: go\n", "word: g\n", LB_ERR_FORMAT },
		{ "word: go\n", "word: gone\n", LB_ERR_FORMAT },
		{ "code: a_b\n", "code: a\n", LB_OK },
		{ "code: a_b\n", "code: 1a\n", LB_ERR_FORMAT },
		{ "code: a_b\n", "code: a-b\n", LB_ERR_FORMAT },
		{ "code: a_b\n", "code: aaaaaaaaa\n", LB_ERR_RANGE },
		{ "number: 0\n", "number: 99\n", LB_OK },
		{ "number: 0\n", "number: 100\n", LB_ERR_RANGE },
		{ "number: 0\n", "number: 13\n", LB_ERR_RANGE }, /* check */
		{ "number: 0\n", "number: 00\n", LB_ERR_FORMAT },
		{ "number: 0\n", "number: +1\n", LB_ERR_FORMAT },
		{ "number: 0\n", "number: -1\n", LB_ERR_FORMAT },
		{ "number: 0\n", "number: 0x1\n", LB_ERR_FORMAT },
		{ "number: 0\n", "number: 1\nmaybe: 1\n", LB_OK },
		{ "number: 0\n", "number: 1\nmaybe: 0\n", LB_ERR_RANGE },
		{ "at: 2026-03-02T14:00:00Z\n", "at: 2024-02-29T23:59:59Z\n",
		    LB_OK },
		{ "at: 2026-03-02T14:00:00Z\n", "at: 2026-02-29T14:00:00Z\n",
		    LB_ERR_FORMAT },
		{ "at: 2026-03-02T14:00:00Z\n", "at: 2026-03-02T14:00:60Z\n",
		    LB_ERR_FORMAT },
		{ "at: 2026-03-02T14:00:00Z\n", "at: 2026-03-02 14:00:00Z\n",
		    LB_ERR_FORMAT },
		{ "at: 2026-03-02T14:00:00Z\n", "at: 1999-12-31T23:59:59Z\n",
		    LB_ERR_RANGE },
	};
	static const char good[] = HEAD HOSTS TAIL;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *at = strstr(good, row[i].line);
		char text[512];
		struct sample s;
		enum lb_err r;

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good,
		    row[i].bad, at + strlen(row[i].line));
		r = parse(text, strlen(text), &s);
		if (r != row[i].want)
			print_error("row %zu: %s\n", i, text);
		assert_int_equal(r, row[i].want);
	}
}

static void
test_doc_parse_refuses_nul(void **state)
{
	char text[] = FULL;
	struct sample s;

	(void)state;
	assert_int_equal(parse(text, strlen(text), &s), LB_OK);
	/* with the string's own NUL, and with one in each place */
	assert_int_equal(parse(text, sizeof(text), &s), LB_ERR_FORMAT);
	for (size_t i = 0; i < strlen(FULL); i++) {
		char kept = text[i];

		text[i] = '\0';
		assert_int_equal(parse(text, strlen(FULL), &s), LB_ERR_FORMAT);
		text[i] = kept;
	}
}

static void
test_doc_parse_total_cap(void **state)
{
	struct lb_doc_type small = sample_type;
	struct sample s;

	(void)state;
	small.text_max = strlen(FULL);
	assert_int_equal(lb_doc_parse(&small, FULL, strlen(FULL), &s), LB_OK);
	small.text_max--;
	assert_int_equal(
	    lb_doc_parse(&small, FULL, strlen(FULL), &s), LB_ERR_RANGE);
}

static void
test_doc_parse_long_line(void **state)
{
	struct lb_doc_type wide = sample_type;
	char value[1030], *text;
	struct sample s;

	(void)state;
	wide.text_max = 20000;
	for (size_t n = 1020; n < 1030; n++) {
		memset(value, 'a', n);
		value[n] = '\0';
		assert_int_equal(
		    asprintf(&text, HEAD "note: %s\n" HOSTS TAIL, value),
		    (int)(strlen(HEAD "note: \n" HOSTS TAIL) + n));
		assert_int_equal(
		    lb_doc_parse(&wide, text, strlen(text), &s), LB_ERR_RANGE);
		free(text);
	}
}

/* Whatever is read, is written back with the same bytes. */
static bool
reads_back(const char *text, size_t len)
{
	struct lb_buf out = { 0 };
	struct sample s;

	if (parse(text, len, &s) != LB_OK)
		return false;
	assert_int_equal(lb_doc_write(&sample_type, &s, &out), LB_OK);
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, text, len);
	lb_buf_clear(&out);
	return true;
}

static void
test_doc_write_gives_same_bytes(void **state)
{
	static const char bare[] = HEAD HOSTS TAIL;

	(void)state;
	assert_true(reads_back(FULL, strlen(FULL)));
	assert_true(reads_back(bare, strlen(bare)));
}

static void
test_doc_truncated_or_changed_fails_or_reads_back(void **state)
{
	char text[] = FULL;
	size_t len = strlen(FULL), good = 0;

	(void)state;
	/* Optional lines at the end may fall away whole. */
	for (size_t i = 0; i < len; i++)
		if (reads_back(text, i))
			assert_int_equal(
			    i, len - strlen("end: 2026-03-02T16:00:00Z\n"));
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];

		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;
			good += reads_back(text, len);
		}
		text[i] = kept;
	}
	assert_true(good > len); /* the unchanged ones, and other values */
}

static void
test_doc_write_appends(void **state)
{
	struct lb_buf out = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(parse(FULL, strlen(FULL), &s), LB_OK);
	assert_int_equal(lb_buf_adds(&out, "before\n"), LB_OK);
	assert_int_equal(lb_doc_write(&sample_type, &s, &out), LB_OK);
	assert_string_equal(out.data, "before\n" FULL);
	lb_buf_clear(&out);
}

static void
write_refuses(const struct sample *s, enum lb_err want)
{
	struct lb_buf out = { 0 };

	assert_int_equal(lb_buf_adds(&out, "x"), LB_OK);
	assert_int_equal(lb_doc_write(&sample_type, s, &out), want);
	assert_string_equal(out.data, "x");
	lb_buf_clear(&out);
}

static void
test_doc_write_refuses(void **state)
{
	struct sample good, s;
	struct lb_buf out = { 0 };

	(void)state;
	assert_int_equal(parse(FULL, strlen(FULL), &good), LB_OK);
	s = good;
	assert_int_equal(lb_doc_write(&sample_type, &s, &out), LB_OK);
	lb_buf_clear(&out);

	memset(s.name, 'a', sizeof(s.name)); /* no end */
	write_refuses(&s, LB_ERR_RANGE);
	s = good;
	s.name[0] = '\0';
	write_refuses(&s, LB_ERR_FORMAT);
	s = good;
	strcpy(s.note, "a\nb: c");
	write_refuses(&s, LB_ERR_FORMAT);
	s = good;
	s.host.count = 0;
	write_refuses(&s, LB_ERR_FORMAT);
	s = good;
	s.host.count = 3;
	write_refuses(&s, LB_ERR_RANGE);
	s = good;
	strcpy(s.login.item[0], "zoe"); /* not sorted */
	write_refuses(&s, LB_ERR_FORMAT);
	s = good;
	strcpy(s.word, "gone");
	write_refuses(&s, LB_ERR_FORMAT);
	s = good;
	s.number = 100;
	write_refuses(&s, LB_ERR_RANGE);
	s = good;
	s.number = 13; /* sample_check */
	write_refuses(&s, LB_ERR_RANGE);
	s = good;
	s.at = 0;
	write_refuses(&s, LB_ERR_RANGE);
	s = good;
	s.end = -1;
	write_refuses(&s, LB_ERR_RANGE);
}

static void
test_doc_write_total_cap(void **state)
{
	struct lb_doc_type small = sample_type;
	struct lb_buf out = { 0 };
	struct sample s;

	(void)state;
	assert_int_equal(parse(FULL, strlen(FULL), &s), LB_OK);
	small.text_max = strlen(FULL) - 1;
	assert_int_equal(lb_doc_write(&small, &s, &out), LB_ERR_RANGE);
	assert_int_equal(out.len, 0);
	small.text_max++;
	assert_int_equal(lb_doc_write(&small, &s, &out), LB_OK);
	lb_buf_clear(&out);
}

static void
test_doc_sort(void **state)
{
	struct sample want, s;

	(void)state;
	assert_int_equal(parse(FULL, strlen(FULL), &want), LB_OK);
	s = want;
	strcpy(s.login.item[0], "cyd");
	strcpy(s.login.item[2], "ada");
	strcpy(s.host.item[0], "db2");
	strcpy(s.host.item[1], "db1");
	lb_doc_sort(&sample_type, &s);
	assert_memory_equal(&s, &want, sizeof(s));

	strcpy(s.login.item[0], "cyd");
	strcpy(s.login.item[1], "bob");
	strcpy(s.host.item[1], "db1");
	lb_doc_sort(&sample_type, &s);
	assert_int_equal(s.login.count, 2);
	assert_string_equal(s.login.item[0], "bob");
	assert_string_equal(s.login.item[1], "cyd");
	assert_string_equal(s.login.item[2], "");
	assert_int_equal(s.host.count, 1);
	assert_string_equal(s.host.item[1], "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doc_parse_fills_every_field),
		cmocka_unit_test(test_doc_parse_absent_lines_are_empty),
		cmocka_unit_test(test_doc_parse_refuses),
		cmocka_unit_test(test_doc_parse_refuses_values),
		cmocka_unit_test(test_doc_parse_refuses_nul),
		cmocka_unit_test(test_doc_parse_total_cap),
		cmocka_unit_test(test_doc_parse_long_line),
		cmocka_unit_test(test_doc_write_gives_same_bytes),
		cmocka_unit_test(
		    test_doc_truncated_or_changed_fails_or_reads_back),
		cmocka_unit_test(test_doc_write_appends),
		cmocka_unit_test(test_doc_write_refuses),
		cmocka_unit_test(test_doc_write_total_cap),
		cmocka_unit_test(test_doc_sort),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
