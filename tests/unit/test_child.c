/* Running programs: what they print, their end, and signals passed on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static int
attend(const char *script)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	int status = -1;

	assert_int_equal(child_attend(argv, &status), LB_OK);
	return status;
}

static void
test_child_run_reads_what_is_printed(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "cat; exit 7", NULL };
	struct lb_buf b = { 0 };
	int status = -1;

	(void)state;
	assert_int_equal(child_run(argv, "text", 4, false, &b, &status), LB_OK);
	assert_int_equal(status, 7);
	assert_string_equal(b.data, "text");
	lb_buf_clear(&b);
}

static void
test_child_attend_passes_the_end_through(void **state)
{
	const char *const missing[] = { "/nonexistent/program", NULL };
	int status = -1;

	(void)state;
	assert_int_equal(attend("exit 0"), 0);
	assert_int_equal(attend("exit 255"), 255);
	assert_int_equal(attend("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(child_attend(missing, &status), LB_ERR_MISSING);
	assert_int_equal(status, -1);
}

static void
test_child_attend_leaves_signals_as_they_were(void **state)
{
	static const int sig[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP };
	struct sigaction sa;

	(void)state;
	/* Ctrl-C is the child's: it is not ignored there, and not our end. */
	assert_int_equal(
	    attend("kill -INT $PPID; kill -INT $$; exit 3"), 128 + SIGINT);
	assert_int_equal(attend("kill -PIPE $$"), 128 + SIGPIPE);
	for (size_t i = 0; i < sizeof(sig) / sizeof(sig[0]); i++) {
		assert_int_equal(sigaction(sig[i], NULL, &sa), 0);
		assert_true(sa.sa_handler == SIG_DFL);
	}
}

static void
test_child_attend_passes_sigterm_on(void **state)
{
	(void)state;
	assert_int_equal(attend("trap 'kill $!; exit 9' TERM; sleep 5 & "
				"kill -TERM $PPID; wait"),
	    9);
	assert_int_equal(attend("trap 'kill $!; exit 8' HUP; sleep 5 & "
				"kill -HUP $PPID; wait"),
	    8);
}

/* Ctrl-Z: the child's stop is ours, and both go on. */
static void
test_child_attend_stops_with_its_child(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)setpgid(0, 0);
		_exit(attend("kill -STOP $$; exit 6") == 6 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	/* A shell's "fg": the whole group goes on. */
	assert_int_equal(kill(-pid, SIGCONT), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child_run_reads_what_is_printed),
		cmocka_unit_test(test_child_attend_passes_the_end_through),
		cmocka_unit_test(test_child_attend_leaves_signals_as_they_were),
		cmocka_unit_test(test_child_attend_passes_sigterm_on),
		cmocka_unit_test(test_child_attend_stops_with_its_child),
	};

	/* Under nohup or in a job of the background some are ignored. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN); /* as the program has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
