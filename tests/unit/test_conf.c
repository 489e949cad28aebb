/* Configuration: what is let in, and that a mistyped gate stays shut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockbox/conf.h"
#include "lockbox/text.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

struct sample {
	char broker[16];
	char note[8];
	char tag[8];
	char ca[32];
	int64_t port;
	int64_t lease;
	bool offline;
	size_t calls;
	char last[32];
};

static enum lb_err
call_exempt(void *conf, const char *value)
{
	struct sample *s = conf;

	if (strcmp(value, "forbidden") == 0)
		return LB_ERR_FORBIDDEN;
	if (s->calls == 3)
		return LB_ERR_RANGE;
	s->calls++;
	return lb_text_copy(s->last, sizeof(s->last), value);
}

static enum lb_err
call_name(void *conf, const char *value)
{
	(void)conf;
	return lb_name_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static const struct lb_conf_option table[] = {
	{ "broker", LB_CONF_TEXT, true, offsetof(struct sample, broker), 16, 1,
	    0, call_name },
	{ "note", LB_CONF_TEXT, false, offsetof(struct sample, note), 8, 0, 0,
	    NULL },
	{ "tag", LB_CONF_TEXT, false, offsetof(struct sample, tag), 8, 3, 0,
	    NULL },
	{ "ca", LB_CONF_PATH, false, offsetof(struct sample, ca), 32, 0, 0,
	    NULL },
	{ "port", LB_CONF_NUMBER, false, offsetof(struct sample, port), 0, 1,
	    65535, NULL },
	{ "lease", LB_CONF_SPAN, false, offsetof(struct sample, lease), 0, 600,
	    86400, NULL },
	{ "offline", LB_CONF_BOOL, false, offsetof(struct sample, offline), 0,
	    0, 0, NULL },
	{ "exempt", LB_CONF_CALL, false, 0, 0, 0, 0, call_exempt },
	{ 0 },
};

static enum lb_err
parse(const char *text, struct sample *s, struct lb_conf_error *e)
{
	memset(s, 0, sizeof(*s));
	s->port = 443;
	memset(e, 0x5a, sizeof(*e));
	return lb_conf_parse(table, text, strlen(text), s, e);
}

static void
test_conf_everything(void **state)
{
	struct lb_conf_error e, untouched;
	struct sample s;

	(void)state;
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_int_equal(parse("# a comment = with this\n"
			       "\n"
			       "  \t \n"
			       "\t# another\n"
			       "broker=prod.example\n"
			       "  note =  a = b  \t\n"
			       "ca = /etc/ssl/ca.pem\n"
			       "port = 8443\n"
			       "lease = 1h30m\n"
			       "offline = yes\n"
			       "exempt = login root\n"
			       "exempt = cron @system",
			     &s, &e),
	    LB_OK);
	assert_memory_equal(&e, &untouched, sizeof(e));
	assert_string_equal(s.broker, "prod.example");
	assert_string_equal(s.note, "a = b");
	assert_string_equal(s.ca, "/etc/ssl/ca.pem");
	assert_int_equal(s.port, 8443);
	assert_int_equal(s.lease, 5400);
	assert_true(s.offline);
	assert_int_equal(s.calls, 2);
	assert_string_equal(s.last, "cron @system");
}

static void
test_conf_keeps_defaults(void **state)
{
	struct lb_conf_error e;
	struct sample s;

	(void)state;
	assert_int_equal(parse("broker = b\n", &s, &e), LB_OK);
	assert_int_equal(s.port, 443);
	assert_int_equal(
	    parse("broker = b\noffline = no\nnote =\n", &s, &e), LB_OK);
	assert_false(s.offline);
	assert_string_equal(s.note, "");
	assert_int_equal(parse("broker = b\ntag = abc\n", &s, &e), LB_OK);
	assert_string_equal(s.tag, "abc");
}

static void
test_conf_errors(void **state)
{
	static const struct {
		const char *text;
		enum lb_err r;
		size_t line;
		const char *what;
	} row[] = {
		{ "", LB_ERR_FORMAT, 0, "missing option 'broker'" },
		{ "# broker = b\n", LB_ERR_FORMAT, 0,
		    "missing option 'broker'" },
		{ "broker = b\nbrokr = c\n", LB_ERR_FORMAT, 2,
		    "unknown option 'brokr'" },
		{ "broker = b\nBroker = c\n", LB_ERR_FORMAT, 2,
		    "unknown option 'Broker'" },
		{ "broker = b\n\n\nbroker = b\n", LB_ERR_FORMAT, 4,
		    "repeated option 'broker'" },
		{ "broker\n", LB_ERR_FORMAT, 1, "no '=' after 'broker'" },
		{ "broker b\n", LB_ERR_FORMAT, 1, "no '=' after 'broker b'" },
		{ "broker: b\n", LB_ERR_FORMAT, 1, "no '=' after 'broker: b'" },
		{ "= b\n", LB_ERR_FORMAT, 1, "unknown option ''" },
		{ "[main]\n", LB_ERR_FORMAT, 1, "no '=' after '[main]'" },
		{ "\xef\xbb\xbf"
		  "broker = b\n",
		    LB_ERR_FORMAT, 1,
		    "unknown option '\\xef\\xbb\\xbf"
		    "broker'" },
		{ "broker =\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'broker'" },
		{ "broker = B\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'broker'" },
		{ "broker = b # mine\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'broker'" },
		{ "broker = \"b\"\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'broker'" },
		{ "broker = 0123456789abcdef\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'broker'" },
		{ "tag = ab\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'tag'" },
		{ "ca = etc/ca.pem\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'ca'" },
		{ "ca =\n", LB_ERR_FORMAT, 1, "bad value of option 'ca'" },
		{ "ca = /23456789012345678901234567890ab\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'ca'" },
		{ "port =\n", LB_ERR_FORMAT, 1, "bad value of option 'port'" },
		{ "port = 08443\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'port'" },
		{ "port = 0\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'port'" },
		{ "port = 65536\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'port'" },
		{ "lease = 599s\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'lease'" },
		{ "lease = 1d1s\n", LB_ERR_RANGE, 1,
		    "value out of range of option 'lease'" },
		{ "lease = long\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'lease'" },
		{ "offline = true\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'offline'" },
		{ "offline = Yes\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'offline'" },
		{ "offline =\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'offline'" },
		{ "exempt =\n", LB_ERR_FORMAT, 1,
		    "bad value of option 'exempt'" },
		{ "exempt = forbidden\n", LB_ERR_FORBIDDEN, 1,
		    "refused value of option 'exempt'" },
		{ "exempt = a\nexempt = b\nexempt = c\nexempt = d\n",
		    LB_ERR_RANGE, 4, "value out of range of option 'exempt'" },
		{ "broker = b\r\n", LB_ERR_FORMAT, 1, "control byte" },
		{ "broker = b\n\r\n", LB_ERR_FORMAT, 2, "control byte" },
		{ "broker = b\n# \x1b[2J\n", LB_ERR_FORMAT, 2, "control byte" },
		{ "broker = b\nnote = a\x7f\n", LB_ERR_FORMAT, 2,
		    "control byte" },
		{ "broker = b\nnote = a\tb\n", LB_ERR_FORMAT, 2,
		    "tab in option 'note'" },
		{ "broker = b\nnote = 12345678\n", LB_ERR_RANGE, 2,
		    "value out of range of option 'note'" },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct lb_conf_error e;
		struct sample s;

		assert_int_equal(parse(row[i].text, &s, &e), row[i].r);
		assert_string_equal(e.what, row[i].what);
		assert_int_equal(e.line, row[i].line);
	}
}

static void
test_conf_nul_bytes(void **state)
{
	static const char text[] = "broker = b\nnote = a\0b\n";
	struct lb_conf_error e;
	struct sample s = { 0 };

	(void)state;
	assert_int_equal(lb_conf_parse(table, text, 19, &s, &e), LB_OK);
	assert_int_equal(lb_conf_parse(table, text, sizeof(text) - 1, &s, &e),
	    LB_ERR_FORMAT);
	assert_int_equal(e.line, 2);
	assert_int_equal(lb_conf_parse(table, text, 20, &s, &e), LB_ERR_FORMAT);
	assert_int_equal(
	    lb_conf_parse(table, "broker = b\n", 12, &s, &e), LB_ERR_FORMAT);
	assert_int_equal(e.line, 2);
}

/* text need not end in NUL: nothing behind text_len is looked at. */
static void
test_conf_stops_at_text_len(void **state)
{
	struct lb_conf_error e;
	struct sample s = { 0 };
	char *text = malloc(10);

	(void)state;
	assert_non_null(text);
	memcpy(text, "broker = b", 10);
	assert_int_equal(lb_conf_parse(table, text, 10, &s, &e), LB_OK);
	assert_string_equal(s.broker, "b");
	free(text);
	assert_int_equal(lb_conf_parse(table, NULL, 0, &s, &e), LB_ERR_FORMAT);
}

static void
test_conf_line_boundary(void **state)
{
	static char text[LB_CONF_LINE_MAX + 64];
	struct lb_conf_error e;
	struct sample s = { 0 };

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "broker = b", 10);
	text[LB_CONF_LINE_MAX] = '\n';
	assert_int_equal(
	    lb_conf_parse(table, text, LB_CONF_LINE_MAX + 1, &s, &e), LB_OK);
	text[LB_CONF_LINE_MAX] = ' ';
	text[LB_CONF_LINE_MAX + 1] = '\n';
	assert_int_equal(
	    lb_conf_parse(table, text, LB_CONF_LINE_MAX + 2, &s, &e),
	    LB_ERR_RANGE);
	assert_string_equal(e.what, "line too long");
	assert_int_equal(e.line, 1);

	/* A comment is no exception, nor a last line without an end. */
	text[0] = '#';
	assert_int_equal(
	    lb_conf_parse(table, text, LB_CONF_LINE_MAX + 1, &s, &e),
	    LB_ERR_RANGE);
}

static void
test_conf_file_boundary(void **state)
{
	static char text[LB_CONF_FILE_MAX + 1];
	struct lb_conf_error e;
	struct sample s = { 0 };

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, "broker = b\n", 11);
	assert_int_equal(
	    lb_conf_parse(table, text, LB_CONF_FILE_MAX, &s, &e), LB_OK);
	assert_int_equal(
	    lb_conf_parse(table, text, LB_CONF_FILE_MAX + 1, &s, &e),
	    LB_ERR_RANGE);
	assert_string_equal(e.what, "file too long");
	assert_int_equal(e.line, 0);
}

static void
test_conf_long_unknown_name_is_cut(void **state)
{
	char text[200];
	struct lb_conf_error e;
	struct sample s;

	(void)state;
	memset(text, 'x', sizeof(text));
	(void)strcpy(text + 190, " = y\n");
	assert_int_equal(parse(text, &s, &e), LB_ERR_FORMAT);
	assert_true(strlen(e.what) < 100);
	assert_string_equal(e.what + strlen(e.what) - 5, "x...'");
}

static void
test_conf_load(void **state)
{
	char dir[] = "/tmp/lockbox-conf-XXXXXX", path[64];
	struct lb_conf_error e;
	struct sample s = { 0 };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/conf", dir);
	assert_int_equal(
	    lb_conf_load(table, path, geteuid(), &s, &e), LB_ERR_MISSING);
	assert_string_equal(e.what, "not found");
	assert_int_equal(e.line, 0);

	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs("broker = b\nport = 1\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(lb_conf_load(table, path, geteuid(), &s, &e), LB_OK);
	assert_string_equal(s.broker, "b");
	assert_int_equal(s.port, 1);

	assert_int_equal(chmod(path, 0666), 0);
	memset(&s, 0, sizeof(s));
	assert_int_equal(
	    lb_conf_load(table, path, geteuid(), &s, &e), LB_ERR_UNTRUSTED);
	assert_string_equal(s.broker, "");
	assert_int_equal(chmod(path, 0644), 0);

	assert_int_equal(truncate(path, LB_CONF_FILE_MAX + 1), 0);
	assert_int_equal(
	    lb_conf_load(table, path, geteuid(), &s, &e), LB_ERR_RANGE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(
	    lb_conf_load(table, path, geteuid(), &s, &e), LB_ERR_UNTRUSTED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_everything),
		cmocka_unit_test(test_conf_keeps_defaults),
		cmocka_unit_test(test_conf_errors),
		cmocka_unit_test(test_conf_nul_bytes),
		cmocka_unit_test(test_conf_stops_at_text_len),
		cmocka_unit_test(test_conf_line_boundary),
		cmocka_unit_test(test_conf_file_boundary),
		cmocka_unit_test(test_conf_long_unknown_name_is_cut),
		cmocka_unit_test(test_conf_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
