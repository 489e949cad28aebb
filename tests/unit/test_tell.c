/* The words: three lines, printable, never too long, a command that works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tell.h"

typedef char lines_t[LB_TELL_LINES][LB_TELL_MAX + 1];

static const struct tell_facts sample = {
	.code = "no_grant",
	.message = "",
	.tenant = "acme",
	.host = "web1",
	.login = "deploy",
	.service = "sshd",
	.ref = "0123-4567-89AB",
};

static void
assert_lines(char lines[LB_TELL_LINES][LB_TELL_MAX + 1])
{
	for (size_t i = 0; i < LB_TELL_LINES; i++) {
		size_t len = strlen(lines[i]);

		assert_in_range(len, 1, LB_TELL_MAX);
		for (size_t j = 0; j < len; j++)
			assert_in_range(lines[i][j], ' ', '~');
		for (size_t j = len; j <= LB_TELL_MAX; j++)
			assert_int_equal(lines[i][j], '\0');
	}
}

static void
test_tell_refusal(void **state)
{
	struct tell_facts f = sample;
	lines_t lines;

	(void)state;
	tell_refusal(&f, lines);
	assert_lines(lines);
	assert_string_equal(lines[0],
	    "lockbox: acme: nobody has approved a login as deploy on web1");
	assert_string_equal(lines[1],
	    "ask with: lockbox request create --tenant acme --host web1 "
	    "--login deploy --reason '...'");
	assert_string_equal(lines[2], "reference: 0123-4567-89AB (no_grant)");
	f.service = "sudo";
	f.code = "service_not_granted";
	tell_refusal(&f, lines);
	assert_non_null(
	    strstr(lines[1], " --service sshd --service sudo --reason "));
	f.code = "pending_approval";
	tell_refusal(&f, lines);
	assert_string_equal(lines[0],
	    "lockbox: acme: the request for deploy on web1 waits for the "
	    "customer's approval");
	/* The broker's own words replace ours, for its own codes only. */
	f.message = "request A waits for Anna until 14:00";
	tell_refusal(&f, lines);
	assert_string_equal(lines[0],
	    "lockbox: acme: deploy on web1: request A waits for Anna until "
	    "14:00");
	assert_string_equal(lines[1], "see how it stands: lockbox request ls");
}

/* What is wrong here is not blamed on the broker. */
static void
test_tell_own_faults(void **state)
{
	static const char *const codes[] = { "agent_unable", "courier_garbage",
		"courier_unreachable", "grant_unreadable", "internal",
		"key_unusable", "login_unknown", "phase_unknown", "spool_full",
		"state_unwritable", "system_error", "trust_unusable" };
	struct tell_facts f = sample;
	lines_t lines;

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		f.code = codes[i];
		tell_refusal(&f, lines);
		assert_lines(lines);
		assert_string_equal(lines[1],
		    "the host's administrator can see why with: "
		    "lockbox doctor");
	}
}

static void
test_tell_what_it_does_not_know(void **state)
{
	struct tell_facts f = sample;
	lines_t lines;

	(void)state;
	f.code = "some_new_code";
	f.tenant = "";
	tell_refusal(&f, lines);
	assert_lines(lines);
	assert_string_equal(lines[0],
	    "lockbox: what the broker sent does not "
	    "prove a login as deploy on web1");
}

static void
test_tell_long_and_strange(void **state)
{
	char host[LB_HOST_MAX + 1], message[LB_MESSAGE_MAX + 1];
	struct tell_facts f = sample;
	lines_t lines;

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	memset(message, 'm', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	f.host = host;
	f.message = message;
	tell_refusal(&f, lines);
	assert_lines(lines);
	assert_string_equal(lines[0] + LB_TELL_MAX - 3, "...");
	assert_string_equal(
	    lines[1], "ask with: lockbox request create --help");
	f = sample;
	f.message = "Gr\xc3\xbc\xc3\x9f"
		    "e\x1b[31m\n%s%n";
	tell_refusal(&f, lines);
	assert_lines(lines);
	assert_non_null(strstr(lines[0], "Gr????e?[31m?%s%n"));
}

static void
test_tell_rests(void **state)
{
	lines_t lines;

	(void)state;
	tell_rests("sudo", 1772460000, lines);
	assert_string_equal(lines[0],
	    "lockbox: with this sudo the whole "
	    "session now ends at 2026-03-02T14:00:00Z");
	assert_string_equal(lines[1], "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tell_refusal),
		cmocka_unit_test(test_tell_own_faults),
		cmocka_unit_test(test_tell_what_it_does_not_know),
		cmocka_unit_test(test_tell_long_and_strange),
		cmocka_unit_test(test_tell_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
