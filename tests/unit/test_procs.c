/* What is read of processes, on processes of our own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "procs.h"
#include "selftest.h"

static pid_t
child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

static void
bury(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_procs_of_ourselves(void **state)
{
	char boot_id[PROCS_BOOT_ID_LEN + 1];
	pid_t parent = 0;
	uint32_t sid;

	(void)state;
	assert_int_equal(procs_parent(getpid(), &parent), LB_OK);
	assert_int_equal(parent, getppid());
	/* A name that looks like the rest of the line. */
	assert_int_equal(prctl(PR_SET_NAME, "x) R 1 1 1"), 0);
	assert_int_equal(procs_parent(getpid(), &parent), LB_OK);
	assert_int_equal(parent, getppid());
	assert_int_equal(procs_boot_id(boot_id), LB_OK);
	if (access("/proc/self/sessionid", R_OK) != 0)
		skip();
	assert_int_equal(procs_sid(getpid(), &sid), LB_OK);
}

static void
test_procs_pidfd(void **state)
{
	pid_t pid = child(), named = 0;
	int fd = -1;

	(void)state;
	assert_int_equal(procs_pidfd_open(pid, &fd), LB_OK);
	assert_int_equal(procs_pidfd_pid(fd, &named), LB_OK);
	assert_int_equal(named, pid);
	assert_int_equal(procs_signal(fd, 0), LB_OK);
	bury(pid);
	named = 0;
	assert_int_equal(procs_pidfd_pid(fd, &named), LB_ERR_MISSING);
	assert_int_equal(procs_signal(fd, 0), LB_ERR_MISSING);
	assert_int_equal(procs_parent(pid, &named), LB_ERR_MISSING);
	assert_int_equal(named, 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(procs_pidfd_pid(STDIN_FILENO, &named), LB_ERR_FORMAT);
}

static void
test_procs_look(void **state)
{
	struct procs_all all = { 0 };
	pid_t pid = child();
	bool found = false;
	size_t first;

	(void)state;
	if (access("/proc/self/sessionid", R_OK) != 0)
		skip();
	assert_int_equal(procs_look(&all), LB_OK);
	for (size_t i = 0; i < all.count; i++)
		if (all.item[i].pid == pid) {
			found = true;
			assert_int_equal(all.item[i].parent, getpid());
			assert_true(procs_has_sid(&all, all.item[i].sid));
		}
	assert_true(found);
	/* A second look keeps what the first one found. */
	all.item[0].sid = 12345;
	first = all.count;
	assert_int_equal(procs_look(&all), LB_OK);
	assert_true(all.count > first);
	assert_true(procs_has_sid(&all, 12345));
	procs_clear(&all);
	assert_false(procs_has_sid(&all, PROCS_SID_UNSET));
	bury(pid);
}

/* A child with a child of its own; tells its pid. */
static pid_t
family(pid_t *ret_grandchild)
{
	pid_t pid, inner;
	int tell[2];

	assert_int_equal(pipe(tell), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		inner = fork();
		if (inner == 0)
			(void)setsid();
		else
			(void)!write(tell[1], &inner, sizeof(inner));
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(tell[0], ret_grandchild, sizeof(*ret_grandchild)),
	    sizeof(*ret_grandchild));
	(void)close(tell[0]);
	(void)close(tell[1]);
	return pid;
}

static void
test_procs_end_tree(void **state)
{
	pid_t other = child(), pid, grandchild = 0;
	size_t killed = 0;
	int fd = -1, status;

	(void)state;
	if (access("/proc/self/sessionid", R_OK) != 0)
		skip();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	pid = family(&grandchild);
	assert_int_equal(procs_pidfd_open(pid, &fd), LB_OK);
	assert_int_equal(procs_end_tree(fd, pid, &killed), LB_OK);
	assert_int_equal(killed, 2);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(waitpid(grandchild, &status, 0), grandchild);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(kill(other, 0), 0);
	assert_int_equal(procs_end_tree(fd, pid, &killed), LB_ERR_MISSING);
	assert_int_equal(procs_end_tree(fd, getpid(), &killed), LB_ERR_STATE);
	assert_int_equal(procs_end_tree(fd, 1, &killed), LB_ERR_STATE);
	assert_int_equal(close(fd), 0);
	bury(other);
}

static void
test_selftest_run(void **state)
{
	const char *why = NULL;
	pid_t pid;

	(void)state;
	if (access("/proc/self/sessionid", R_OK) != 0)
		skip();
	pid = child();
	assert_int_equal(selftest_run(pid, &why), LB_OK);
	assert_null(why);
	bury(pid);
	assert_int_not_equal(selftest_run(pid, &why), LB_OK);
	assert_non_null(why);
	if (geteuid() == 0) { /* whoever may not signal it */
		pid = fork();
		if (pid == 0)
			_exit(setresuid(65534, 65534, 65534) == 0 &&
				    selftest_run(1, &why) == LB_ERR_IO &&
				    strstr(why, "CAP_KILL") != NULL
				? 0
				: 1);
		int status;

		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_procs_of_ourselves),
		cmocka_unit_test(test_procs_pidfd),
		cmocka_unit_test(test_procs_look),
		cmocka_unit_test(test_procs_end_tree),
		cmocka_unit_test(test_selftest_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
