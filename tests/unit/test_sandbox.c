/*
 * What is left after the sandbox has closed. Each try is a process of its own
 * that says by its exit code which step was not as it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "landlock.h"
#include "sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#ifndef WITH_SANITIZER
#define WITH_SANITIZER 0
#endif

/* Run step in a child; its wait status. */
static int
status_of(int (*step)(void))
{
	int status = -1;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(step());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

#define MUST(n, condition)                                                     \
	do {                                                                   \
		if (!(condition))                                              \
			return n;                                              \
	} while (0)

static bool
refused(int rc)
{
	return rc < 0 && errno == EPERM;
}

static int
agent_steps(void)
{
	int fd;

	MUST(1, sandbox_no_core() == LB_OK);
	MUST(2, (fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0); /* control */
	MUST(3, sandbox_close_agent() == LB_OK);
	MUST(4, refused(socket(AF_INET, SOCK_STREAM, 0)));
	MUST(5, refused(socket(AF_NETLINK, SOCK_RAW, 0)));
	MUST(6, socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	MUST(7, open("/dev/null", O_RDWR) >= 0);
	MUST(8, refused(listen(fd, 1)));
	MUST(9, refused(chown("/dev/null", 0, 0)));
	MUST(10, refused(kill(getpid(), 0)));
	MUST(11,
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0) == MAP_FAILED);
	MUST(12,
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	MUST(13, refused(unshare(CLONE_NEWUSER)));
	return 0;
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
courier_steps(void)
{
	pthread_t thread;

	MUST(1, sandbox_no_core() == LB_OK);
	MUST(2, sandbox_close_courier() == LB_OK);
	MUST(3, socket(AF_INET, SOCK_STREAM, 0) >= 0);
	MUST(4, socket(AF_INET6, SOCK_DGRAM, 0) >= 0);
	MUST(5, refused(socket(AF_PACKET, SOCK_RAW, 0)));
	MUST(6, open("/dev/null", O_RDONLY) >= 0);
	MUST(7, refused(open("/dev/null", O_WRONLY)));
	MUST(8, refused(open("/dev/null", O_RDWR)));
	MUST(9, refused(open("/tmp/lockbox-none", O_RDONLY | O_CREAT, 0600)));
	MUST(10, pthread_create(&thread, NULL, nothing, NULL) == 0);
	MUST(11, pthread_join(thread, NULL) == 0);
	MUST(12, refused(unlink("/tmp/lockbox-none")));
	MUST(13, refused(kill(getpid(), 0)));
	MUST(14,
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0) == MAP_FAILED);
	return 0;
}

static int
agent_execs(void)
{
	char *argv[] = { NULL };

	MUST(1, sandbox_no_core() == LB_OK && sandbox_close_agent() == LB_OK);
	(void)execv("/bin/true", argv);
	return 2;
}

static int
courier_execs(void)
{
	char *argv[] = { NULL };

	MUST(1, sandbox_no_core() == LB_OK && sandbox_close_courier() == LB_OK);
	(void)execv("/bin/true", argv);
	return 2;
}

static int
courier_forks(void)
{
	pid_t pid;

	MUST(1, sandbox_no_core() == LB_OK && sandbox_close_courier() == LB_OK);
	pid = fork();
	if (pid == 0)
		_exit(0);
	return refused(pid) ? 0 : 2;
}

static void
test_sandbox_agent(void **state)
{
	(void)state;
	if (WITH_SANITIZER)
		skip();
	assert_int_equal(status_of(agent_steps), 0);
	assert_int_equal(WTERMSIG(status_of(agent_execs)), SIGSYS);
}

static void
test_sandbox_courier(void **state)
{
	(void)state;
	if (WITH_SANITIZER)
		skip();
	assert_int_equal(status_of(courier_steps), 0);
	assert_int_equal(WTERMSIG(status_of(courier_execs)), SIGSYS);
	assert_int_equal(status_of(courier_forks), 0);
}

/* --- becoming somebody ------------------------------------------------------- */

static int
become_steps(void)
{
	MUST(1, sandbox_become("root", false) == LB_ERR_FORBIDDEN);
	MUST(2, sandbox_become("no-such-user-here", false) == LB_ERR_MISSING);
	MUST(3, geteuid() == 0);
	MUST(4, sandbox_become("nobody", true) == LB_OK);
	MUST(5, geteuid() != 0 && getuid() != 0);
	MUST(6, setuid(0) != 0 && seteuid(0) != 0);
	MUST(7, kill(1, 0) == 0); /* CAP_KILL */
	MUST(8, open("/etc/shadow", O_RDONLY) < 0);
	return 0;
}

static int
become_powerless(void)
{
	MUST(1, kill(1, 0) == 0);
	MUST(2, sandbox_become("nobody", false) == LB_OK);
	MUST(3, kill(1, 0) != 0 && errno == EPERM);
	return 0;
}

static void
test_sandbox_become(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_of(become_steps), 0);
	assert_int_equal(status_of(become_powerless), 0);
}

/* --- files --------------------------------------------------------------------- */

static int
landlock_steps(void)
{
	static const char *const folders[] = { "/etc", "/no/such/folder",
		NULL };
	enum lb_err r;

	MUST(1, open("/usr/bin/env", O_RDONLY) >= 0); /* control */
	MUST(2, sandbox_no_core() == LB_OK);
	r = landlock_read_only(folders);
	if (r == LB_ERR_UNSUPPORTED)
		return 77;
	MUST(3, r == LB_OK);
	MUST(4, open("/etc/passwd", O_RDONLY) >= 0);
	MUST(5, open("/usr/bin/env", O_RDONLY) < 0 && errno == EACCES);
	MUST(6, open("/etc/passwd", O_WRONLY) < 0);
	MUST(7, open("/proc/self/environ", O_RDONLY) < 0 && errno == EACCES);
	return 0;
}

static void
test_landlock_read_only(void **state)
{
	int status = status_of(landlock_steps);

	(void)state;
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox_agent),
		cmocka_unit_test(test_sandbox_courier),
		cmocka_unit_test(test_sandbox_become),
		cmocka_unit_test(test_landlock_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
