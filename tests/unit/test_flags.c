/* Flags: every spelling that is let in, and each mistake told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "flags.h"

#define NOW INT64_C(1772460000) /* 2026-03-02T14:00:00Z */

struct sample {
	bool loud;
	const char *name;
	int64_t span, count, start;
	struct flag_list host;
};

#define O(member) offsetof(struct sample, member)
static const struct flag table[] = {
	{ "loud", 'l', FLAG_SWITCH, O(loud), NULL, "" },
	{ "name", 'n', FLAG_TEXT, O(name), "X", "" },
	{ "span", 0, FLAG_SPAN, O(span), "X", "" },
	{ "count", 0, FLAG_NUMBER, O(count), "X", "" },
	{ "start", 0, FLAG_WHEN, O(start), "X", "" },
	{ "host", 0, FLAG_LIST, O(host), "X", "" },
	{ NULL, 'f', FLAG_TEXT, O(name), "X", "" },
	{ 0 },
};
#undef O

static char *operand[16];
static size_t operands, plain;
static char what[FLAG_WHAT_MAX];

static enum lb_err
parse(struct sample *s, ...)
{
	struct flag_set set = { table, s };
	char *argv[16];
	va_list ap;
	int argc = 0;

	memset(s, 0, sizeof(*s));
	va_start(ap, s);
	while ((argv[argc] = va_arg(ap, char *)) != NULL)
		argc++;
	va_end(ap);
	return flags_parse(
	    &set, 1, argc, argv, NOW, operand, &operands, &plain, what);
}

static void
test_flags_every_spelling(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(parse(&s, "-l", "one", "--name", "a b", "--span=90m",
			     "--host", "h1", "--host=h2", "--count", "7", "two",
			     "--start", "2h", NULL),
	    LB_OK);
	assert_true(s.loud);
	assert_string_equal(s.name, "a b");
	assert_int_equal(s.span, 5400);
	assert_int_equal(s.count, 7);
	assert_int_equal(s.start, NOW + 7200);
	assert_int_equal(s.host.count, 2);
	assert_string_equal(s.host.item[1], "h2");
	assert_int_equal(operands, 2);
	assert_string_equal(operand[0], "one");
	assert_string_equal(operand[1], "two");
	assert_null(operand[2]);

	assert_int_equal(
	    parse(&s, "-nvalue", "--start", "2026-03-02T15:00:00Z", NULL),
	    LB_OK);
	assert_string_equal(s.name, "value");
	assert_int_equal(s.start, NOW + 3600);
	assert_int_equal(
	    parse(&s, "-f", "-", "-", "--", "--loud", NULL), LB_OK);
	assert_string_equal(s.name, "-");
	assert_int_equal(operands, 2);
	assert_string_equal(operand[1], "--loud");
	assert_false(s.loud);
}

static void
test_flags_mistakes(void **state)
{
	static const struct {
		const char *a, *b, *c, *d, *told;
	} row[] = {
		{ "--nam", "x", NULL, NULL, "unknown flag" },
		{ "--names", "x", NULL, NULL, "unknown flag" },
		{ "-x", NULL, NULL, NULL, "unknown flag" },
		{ "--name", NULL, NULL, NULL, "needs a value" },
		{ "--loud=yes", NULL, NULL, NULL, "takes no value" },
		{ "--name", "a", "--name", "b", "twice" },
		{ "--span", "1h", "--span", "1h", "twice" },
		{ "--span", "soon", NULL, NULL, "a span such as" },
		{ "--count", "-1", NULL, NULL, "a whole number" },
		{ "--count", "99999999999", NULL, NULL, "a whole number" },
		{ "--start", "noon", NULL, NULL, "a time such as" },
	};
	struct sample s;

	(void)state;
	assert_int_equal(parse(&s, "--name", "a", NULL), LB_OK);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_not_equal(
		    parse(&s, row[i].a, row[i].b, row[i].c, row[i].d, NULL),
		    LB_OK);
		assert_non_null(strstr(what, row[i].told));
	}
}

static void
test_flags_tell_what_stood_before_the_dashes(void **state)
{
	struct sample s;

	(void)state;
	assert_int_equal(parse(&s, "one", "--", "two", "-l", NULL), LB_OK);
	assert_int_equal(operands, 3);
	assert_int_equal(plain, 1);
	assert_int_equal(parse(&s, "one", "two", "-l", NULL), LB_OK);
	assert_int_equal(operands, 2);
	assert_int_equal(plain, 2);
	/* A value may be two dashes as well. */
	assert_int_equal(parse(&s, "-n", "--", "one", NULL), LB_OK);
	assert_int_equal(plain, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags_tell_what_stood_before_the_dashes),
		cmocka_unit_test(test_flags_every_spelling),
		cmocka_unit_test(test_flags_mistakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
