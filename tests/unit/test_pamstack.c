/* PAM stacks: the one that gates, and each way in which ours does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "pamstack.h"

/* Files of a pam.d that exists only here. */
struct file {
	const char *name, *text;
};

static struct pamstack stack;
static char what[PAMSTACK_WHAT_MAX];

static enum lb_err
read_file(void *arg, const char *name, struct lb_buf *ret)
{
	for (const struct file *f = arg; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return lb_buf_adds(ret, f->text);
	return LB_ERR_MISSING;
}

static enum lb_err
load(const struct file *files)
{
	return pamstack_load(
	    read_file, (void *)(uintptr_t)files, "sshd", &stack, what);
}

#define COMMON                                                                 \
	{ "common-account",                                                    \
		"account [success=1 new_authtok_reqd=done default=ignore] "    \
		"pam_unix.so\naccount requisite pam_deny.so\n"                 \
		"account required pam_permit.so\n" },                          \
	{                                                                      \
		"common-session", "session required pam_unix.so\n"             \
	}

static void
test_pamstack_follows_includes(void **state)
{
	static const struct file files[] = {
		{ "sshd",
		    "# a comment\n"
		    "@include common-account # and another\n"
		    "account \\\n  requisite \\\n  pam_x.so a=1 b\n"
		    "-session optional pam_systemd.so\n"
		    "account include more\n"
		    "session substack more\n" },
		{ "more",
		    "account required /lib/pam_acc.so\n"
		    "session required pam_ses.so\n" },
		COMMON,
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(load(files), LB_OK);
	assert_int_equal(stack.count, 7);
	assert_string_equal(stack.line[0].control,
	    "[success=1 new_authtok_reqd=done default=ignore]");
	assert_string_equal(stack.line[0].file, "common-account");
	assert_string_equal(stack.line[3].module, "pam_x.so");
	assert_string_equal(stack.line[3].args, "a=1 b");
	assert_string_equal(stack.line[4].type, "session");
	assert_true(stack.line[4].silent);
	assert_string_equal(stack.line[5].module, "/lib/pam_acc.so");
	assert_false(stack.line[5].substack);
	assert_string_equal(stack.line[6].module, "pam_ses.so");
	assert_true(stack.line[6].substack);
}

static void
test_pamstack_refuses(void **state)
{
	static const struct {
		const char *text, *told;
		enum lb_err want;
	} row[] = {
		{ "acount required pam_x.so\n", "sshd:1: not a line",
		    LB_ERR_FORMAT },
		{ "\naccount required\n", "sshd:2: not a line", LB_ERR_FORMAT },
		{ "account [success=1 pam_x.so\n", "not a line",
		    LB_ERR_FORMAT },
		{ "@include nowhere\n", "not there", LB_ERR_FORMAT },
		{ "account include sshd\n", "too deep", LB_ERR_RANGE },
	};

	(void)state;
	stack.count = 99;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct file files[] = { { "sshd", row[i].text },
			{ NULL, NULL } };

		assert_int_equal(load(files), row[i].want);
		assert_non_null(strstr(what, row[i].told));
		assert_int_equal(stack.count, 99);
	}
	const struct file none[] = { { NULL, NULL } };

	assert_int_equal(load(none), LB_ERR_MISSING);
}

static void
test_account_faults(void **state)
{
	static const struct {
		const char *text, *fault; /* NULL: it gates */
	} row[] = {
		{ "account requisite pam_lockbox.so\n@include common-account\n",
		    NULL },
		{ "auth sufficient pam_x.so\naccount requisite "
		  "/opt/pam_lockbox.so conf=/x\n",
		    NULL },
		{ "account include gate\naccount required pam_x.so\n", NULL },
		{ "@include common-account\n", "has no account line" },
		{ "@include common-account\naccount requisite "
		  "pam_lockbox.so\n",
		    "another account line before" },
		{ "account required pam_lockbox.so\n", "not as requisite" },
		{ "account sufficient pam_lockbox.so\n", "not as requisite" },
		{ "account [default=ignore] pam_lockbox.so\n",
		    "not as requisite" },
		{ "account substack gate\n", "in a substack" },
		{ "account requisite pam_lockbox.so.bak\n",
		    "has no account line" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct file files[] = { { "sshd", row[i].text },
			{ "gate", "account requisite pam_lockbox.so\n" },
			COMMON, { NULL, NULL } };
		const char *fault;

		assert_int_equal(load(files), LB_OK);
		fault = pamstack_account_fault(&stack);
		if (row[i].fault == NULL)
			assert_null(fault);
		else
			assert_non_null(strstr(fault, row[i].fault));
	}
}

static void
test_session_faults(void **state)
{
#define UID  "session required pam_loginuid.so\n"
#define OURS "session requisite pam_lockbox.so\n"
#define ENV  "session required pam_env.so user_readenv=1\n"
	static const struct {
		const char *text, *fault;
	} row[] = {
		{ UID OURS ENV, NULL },
		{ "account required pam_env.so\n" UID OURS, NULL },
		{ UID ENV, "has no session line" },
		{ UID ENV OURS, "pam_env before" },
		{ ENV UID OURS, "pam_env before" },
		{ OURS UID ENV, "without pam_loginuid" },
		{ UID "session optional pam_lockbox.so\n", "not as requisite" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct file files[] = { { "sshd", row[i].text },
			{ NULL, NULL } };
		const char *fault;

		assert_int_equal(load(files), LB_OK);
		fault = pamstack_session_fault(&stack);
		if (row[i].fault == NULL)
			assert_null(fault);
		else
			assert_non_null(strstr(fault, row[i].fault));
	}
}

static void
test_sshd_value(void **state)
{
	static const char dump[] = "port 22\nusepam yes\nlistenaddress [::]\n"
				   "pubkeyauthentication no\nlast";
	char value[16];

	(void)state;
	assert_string_equal(
	    doctor_sshd_value(dump, "usepam", value, sizeof(value)), "yes");
	assert_string_equal(
	    doctor_sshd_value(dump, "port", value, sizeof(value)), "22");
	assert_string_equal(doctor_sshd_value(dump, "pubkeyauthentication",
				value, sizeof(value)),
	    "no");
	assert_null(doctor_sshd_value(dump, "use", value, sizeof(value)));
	assert_null(doctor_sshd_value(dump, "yes", value, sizeof(value)));
	assert_null(doctor_sshd_value(dump, "last", value, sizeof(value)));
	assert_null(doctor_sshd_value("", "usepam", value, sizeof(value)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pamstack_follows_includes),
		cmocka_unit_test(test_pamstack_refuses),
		cmocka_unit_test(test_account_faults),
		cmocka_unit_test(test_session_faults),
		cmocka_unit_test(test_sshd_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
