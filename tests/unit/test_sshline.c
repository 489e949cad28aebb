/* The command line of ssh: what a person said becomes no option of ssh. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sshline.h"

static void
test_sshline_target_table(void **state)
{
	static const struct {
		const char *word, *login, *host; /* host NULL: refused */
	} row[] = {
		{ "db1", "", "db1" },
		{ "deploy@db1", "deploy", "db1" },
		{ "a.b-c_d@db1.example", "a.b-c_d", "db1.example" },
		{ "", NULL, NULL },
		{ "@db1", NULL, NULL },
		{ "deploy@", NULL, NULL },
		{ "de@ploy@db1", NULL, NULL },
		{ "-oProxyCommand=x", NULL, NULL },
		{ "-l@db1", NULL, NULL },
		{ "deploy@-db1", NULL, NULL },
		{ "deploy@DB1", NULL, NULL },
		{ "deploy@db1:22", NULL, NULL },
		{ "deploy@10.0.0.1 x", NULL, NULL },
		{ "abcdefghijklmnopqrstuvwxyzabcdefg@db1", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct sshline_target t = { "before", "before" };
		enum lb_err r = sshline_target(row[i].word, &t);

		if (row[i].host == NULL) {
			assert_int_equal(r, LB_ERR_FORMAT);
			assert_string_equal(t.login, "before");
			assert_string_equal(t.host, "before");
			continue;
		}
		assert_int_equal(r, LB_OK);
		assert_string_equal(t.login, row[i].login);
		assert_string_equal(t.host, row[i].host);
	}
}

static void
line_is(const struct sshline *l, const char *want)
{
	const char **argv = sshline_make(l);
	struct lb_buf b = { 0 };

	assert_non_null(argv);
	assert_int_equal(sshline_quote(argv, &b), LB_OK);
	assert_string_equal(b.data, want);
	lb_buf_clear(&b);
	free(argv);
}

static void
test_sshline_make_and_quote(void **state)
{
	char *none[] = { NULL };
	char dash[] = "-l", quote[] = "it's a $HOME; *", empty[] = "",
	     accent[] = "p\xc3\xa9";
	char *command[] = { dash, quote, empty, accent, NULL };
	struct flag_list no = { 0 }, two = { 2, { "Port=2222", "User=root" } };
	struct sshline l = { "deploy", "db1", NULL, &no, none };

	(void)state;
	line_is(&l, "ssh -l deploy -- db1");
	l.key = "/home/avm/my key";
	l.option = &two;
	l.to = "-oProxyCommand=x";
	l.command = command;
	line_is(&l,
	    "ssh -o Port=2222 -o User=root -o IdentitiesOnly=yes "
	    "-i '/home/avm/my key' -l deploy -- -oProxyCommand=x "
	    "-l 'it'\\''s a $HOME; *' '' 'p\xc3\xa9'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sshline_target_table),
		cmocka_unit_test(test_sshline_make_and_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
