/*
 * Every call that the module makes fails once, each in its turn, in every way
 * it can; then it fails from there on. Whatever happens: PAM_SUCCESS only with
 * its line in syslog, no descriptor and no memory left behind, in time.
 *
 * The module's sources are linked in here and their calls wrapped by the
 * linker (--wrap); only the hook under test runs with the wrappers armed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>

#include "lockbox/verdict.h"

#include "world.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SHORT    -1 /* not an error: fewer bytes than there are */

enum call {
	CALL_ANY,
	CALL_MALLOC,
	CALL_OPEN,
	CALL_FSTAT,
	CALL_READ,
	CALL_CLOSE,
	CALL_SOCKET,
	CALL_CONNECT,
	CALL_GETSOCKOPT,
	CALL_POLL,
	CALL_SENDMSG,
	CALL_SEND,
	CALL_RECV,
	CALL_PIDFD,
	CALL_CLOCK,
	CALL_PASSWD,
	CALL_RANDOM,
	CALL_COUNT,
};

static struct {
	bool armed;
	enum call call;
	unsigned seen, fail_at;
	bool forever;
	int error;
	int memory; /* blocks not yet freed */
	bool killed;
	bool folds; /* the name service ignores case */
	unsigned total[CALL_COUNT];
} fault;

static bool
fails(enum call call)
{
	if (!fault.armed)
		return false;
	fault.total[call]++;
	if (fault.call != CALL_ANY && fault.call != call)
		return false;
	fault.seen++;
	if (fault.forever ? fault.seen < fault.fail_at
			  : fault.seen != fault.fail_at)
		return false;
	errno = fault.error;
	return true;
}

/* For calls that know no short counts: SHORT is a plain failure. */
static bool
fails_plainly(enum call call)
{
	if (!fails(call))
		return false;
	if (fault.error == SHORT)
		errno = EIO;
	return true;
}

/* --wrap makes each call of NAME one of __wrap_NAME. */
#define WRAP(type, name, params, args, call, failed)                           \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		if (fails_plainly(call))                                       \
			return failed;                                         \
		return __real_##name args;                                     \
	}

#define WRAP_BYTES(name, params, args, call)                                   \
	ssize_t __real_##name params;                                          \
	ssize_t __wrap_##name params;                                          \
	ssize_t __wrap_##name params                                           \
	{                                                                      \
		ssize_t n;                                                     \
                                                                               \
		if (!fails(call))                                              \
			return __real_##name args;                             \
		if (fault.error != SHORT)                                      \
			return -1;                                             \
		n = __real_##name args;                                        \
		return n > 0 ? n - 1 : n;                                      \
	}

WRAP(int, fstat64, (int fd, struct stat *st), (fd, st), CALL_FSTAT, -1)
WRAP(int, fstatat64, (int fd, const char *path, struct stat *st, int flags),
    (fd, path, st, flags), CALL_FSTAT, -1)
WRAP(int, socket, (int domain, int type, int protocol),
    (domain, type, protocol), CALL_SOCKET, -1)
WRAP(int, connect, (int fd, const struct sockaddr *sa, socklen_t len),
    (fd, sa, len), CALL_CONNECT, -1)
WRAP(int, getsockopt, (int fd, int level, int name, void *val, socklen_t *len),
    (fd, level, name, val, len), CALL_GETSOCKOPT, -1)
WRAP(
    int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms), CALL_POLL, -1)
WRAP_BYTES(sendmsg, (int fd, const struct msghdr *msg, int flags),
    (fd, msg, flags), CALL_SENDMSG)
/* A datagram goes whole or not at all: no short count. */
WRAP(ssize_t, send, (int fd, const void *buf, size_t len, int flags),
    (fd, buf, len, flags), CALL_SEND, -1)
WRAP(int, pidfd_open, (pid_t pid, unsigned int flags), (pid, flags), CALL_PIDFD,
    -1)
WRAP(int, clock_gettime, (clockid_t id, struct timespec *ts), (id, ts),
    CALL_CLOCK, -1)
WRAP(int, getpwuid_r,
    (uid_t uid, struct passwd *pw, char *buf, size_t size,
	struct passwd **found),
    (uid, pw, buf, size, found), CALL_PASSWD, errno)
WRAP_BYTES(getrandom, (void *buf, size_t len, unsigned int flags),
    (buf, len, flags), CALL_RANDOM)

/* A name service may find a login by another spelling of its name. */
int __real_getpwnam_r(const char *name, struct passwd *pw, char *buf,
    size_t size, struct passwd **found);
int __wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf,
    size_t size, struct passwd **found);
int
__wrap_getpwnam_r(const char *name, struct passwd *pw, char *buf, size_t size,
    struct passwd **found)
{
	int r;

	if (fails_plainly(CALL_PASSWD))
		return errno;
	r = __real_getpwnam_r(name, pw, buf, size, found);
	if (fault.armed && fault.folds && r == 0 && *found != NULL)
		pw->pw_name[0] ^= 0x20;
	return r;
}

/* A byte at a time, and half a packet. */
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t
__wrap_read(int fd, void *buf, size_t len)
{
	if (!fails(CALL_READ))
		return __real_read(fd, buf, len);
	if (fault.error != SHORT)
		return -1;
	return __real_read(fd, buf, len > 1 ? 1 : len);
}

ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t
__wrap_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t n;

	if (!fails(CALL_RECV))
		return __real_recv(fd, buf, len, flags);
	if (fault.error != SHORT)
		return -1;
	n = __real_recv(fd, buf, len, flags);
	return n > 0 ? n / 2 : n;
}

/* A close that fails has closed all the same. */
int __real_close(int fd);
int __wrap_close(int fd);
int
__wrap_close(int fd)
{
	int r = __real_close(fd);

	return fails_plainly(CALL_CLOSE) ? -1 : r;
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int
__wrap_open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (fails_plainly(CALL_OPEN))
		return -1;
	return __real_open64(path, flags, mode);
}

int __real_openat64(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
int
__wrap_openat64(int dir, const char *path, int flags, ...)
{
	if (fails_plainly(CALL_OPEN))
		return -1;
	return __real_openat64(dir, path, flags, 0600);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *
__wrap_malloc(size_t size)
{
	void *p;

	if (fails_plainly(CALL_MALLOC))
		return NULL;
	p = __real_malloc(size);
	if (fault.armed && p != NULL)
		fault.memory++;
	return p;
}

void __real_free(void *p);
void __wrap_free(void *p);
void
__wrap_free(void *p)
{
	if (fault.armed && p != NULL)
		fault.memory--;
	__real_free(p);
}

int __real_kill(pid_t pid, int sig);
int __wrap_kill(pid_t pid, int sig);
int
__wrap_kill(pid_t pid, int sig)
{
	if (!fault.armed)
		return __real_kill(pid, sig);
	fault.killed = pid == getpid() && sig == SIGKILL;
	return 0;
}

/* --- one run --- */

static struct world w;

struct scene {
	const char *name;
	const char *service, *user, *ruser;
	bool session;
	uint32_t verdict; /* what the agent says */
	bool agent_exempts;
	uid_t agent_uid;
	bool inside; /* with a loginuid of daemon's */
	int want;    /* without any fault */
};

static const struct scene scenes[] = {
	{ "allowed", "sshd", "deploy", "", false, LB_VERDICT_ALLOW, false, 0,
	    false, PAM_SUCCESS },
	{ "allowed, agent of its own user", "sshd", "deploy", "", false,
	    LB_VERDICT_ALLOW, false, 5, false, PAM_SUCCESS },
	{ "denied", "sshd", "deploy", "", false, LB_VERDICT_DENY, false, 0,
	    false, PAM_PERM_DENIED },
	{ "session allowed", "sshd", "deploy", "", true, LB_VERDICT_ALLOW,
	    false, 0, false, PAM_SUCCESS },
	{ "session denied", "sshd", "deploy", "", true, LB_VERDICT_DENY, false,
	    0, false, PAM_SESSION_ERR },
	{ "exempt", "cron", "daemon", "", false, LB_VERDICT_DENY, false, 0,
	    false, PAM_IGNORE },
	{ "managed caller", "su", "root", "nobody", false, LB_VERDICT_DENY,
	    false, 0, false, PAM_PERM_DENIED },
	{ "managed caller inside", "su", "root", "daemon", false,
	    LB_VERDICT_DENY, false, 0, true, PAM_PERM_DENIED },
	{ "exempt caller inside", "sudo", "root", "daemon", false,
	    LB_VERDICT_DENY, true, 0, true, PAM_IGNORE },
};

static unsigned told;

static int
converse(int n, const struct pam_message **msg, struct pam_response **resp,
    void *data)
{
	(void)msg;
	(void)data;
	*resp = NULL;
	told += (unsigned)n;
	return PAM_SUCCESS;
}

static int
fd_count(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int
hook_run(const struct scene *scene, pam_handle_t *pamh)
{
	char conf[128], sock[128], log[128];
	const char *argv[] = { conf, sock, log, "agent_user=games" };
	int rv;

	snprintf(conf, sizeof(conf), "conf=%s", w.conf);
	snprintf(sock, sizeof(sock), "socket=%s", w.socket);
	snprintf(log, sizeof(log), "log=%s", w.log);
	fault.armed = true;
	if (scene->session)
		rv = pam_sm_open_session(pamh, 0, 4, argv);
	else
		rv = pam_sm_acct_mgmt(pamh, 0, 4, argv);
	fault.armed = false;
	return rv;
}

/* The result, and the line that goes with it. */
static void
result_check(
    const struct scene *scene, int rv, unsigned lines, const char *line)
{
	const char *decision = line_value(line, "decision");

	assert_in_range(lines, 0, 1);
	if (rv == PAM_SUCCESS) {
		assert_int_equal(scene->want, PAM_SUCCESS);
		assert_int_equal(lines, 1);
		assert_string_equal(decision, "allow");
	} else if (rv == PAM_IGNORE) {
		assert_int_equal(scene->want, PAM_IGNORE);
		assert_true(lines == 0 || strcmp(decision, "exempt") == 0);
	} else {
		assert_int_equal(
		    rv, scene->session ? PAM_SESSION_ERR : PAM_PERM_DENIED);
		assert_true(lines == 0 || strcmp(decision, "deny") == 0);
		if (scene->session)
			assert_true(fault.killed);
	}
}

static int
run(const struct scene *scene)
{
	static char line[1][2048];
	struct pam_conv conv = { converse, NULL };
	pam_handle_t *pamh = NULL;
	int64_t start = now_ms();
	unsigned lines;
	int rv, fds;

	assert_int_equal(pam_start_confdir(
			     scene->service, scene->user, &conv, w.pamd, &pamh),
	    PAM_SUCCESS);
	assert_int_equal(
	    pam_set_item(pamh, PAM_RUSER, scene->ruser), PAM_SUCCESS);
	fds = fd_count();
	fault.seen = 0;
	fault.memory = 0;
	fault.killed = false;
	told = 0;
	memset(fault.total, 0, sizeof(fault.total));
	rv = hook_run(scene, pamh);
	assert_int_equal(fd_count(), fds);
	assert_int_equal(fault.memory, 0);
	assert_in_range(now_ms() - start, 0, 5700);
	memset(line, 0, sizeof(line));
	lines = world_log_drain(&w, line, 1);
	result_check(scene, rv, lines, line[0]);
	pam_end(pamh, rv);
	return rv;
}

static bool
loginuid_set(const char *text)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

/* False when this machine cannot play the scene. */
static bool
scene_open(const struct scene *scene)
{
	struct lb_door_reply r =
	    world_reply(scene->session ? LB_PHASE_SESSION : LB_PHASE_ACCOUNT,
		scene->verdict);

	(void)loginuid_set("4294967295");
	if (scene->inside && !loginuid_set("1"))
		return false;
	if (scene->agent_exempts) {
		r.exempt = 1;
		memset(r.code, 0, sizeof(r.code));
		strcpy(r.code, "exempt");
	}
	world_reply_set(&w, &r);
	world_agent(&w, MOCK_REPLY, scene->agent_uid);
	memset(&fault, 0, sizeof(fault));
	return true;
}

/* Errors after which a good call follows: nothing may be lost by them. */
static bool
passes_over(enum call call, int error)
{
	switch (call) {
	case CALL_READ:
		return error == EINTR || error == SHORT;
	case CALL_CONNECT:
		return error == EINTR || error == EAGAIN;
	case CALL_SENDMSG:
	case CALL_RECV:
		return error == EINTR || error == EAGAIN;
	case CALL_POLL:
		return error == EINTR;
	case CALL_SEND:
	case CALL_CLOSE:
		return true; /* the line is sent again; the final best effort */
	default:
		return false;
	}
}

static void
test_each_call_failing_once(void **state)
{
	static const int errors[] = { EINTR, EAGAIN, EMFILE, ENOMEM, EIO,
		ENOSPC, EACCES, ECONNREFUSED, SHORT };
	unsigned runs = 0, skipped = 0;

	(void)state;
	for (size_t s = 0; s < COUNT(scenes); s++) {
		unsigned total[CALL_COUNT];

		if (!scene_open(&scenes[s])) {
			skipped++;
			continue;
		}
		assert_int_equal(run(&scenes[s]), scenes[s].want);
		memcpy(total, fault.total, sizeof(total));
		for (enum call c = CALL_MALLOC; c < CALL_COUNT; c++)
			for (unsigned n = 1; n <= total[c]; n++)
				for (size_t e = 0; e < COUNT(errors); e++) {
					int rv;

					fault.call = c;
					fault.fail_at = n;
					fault.error = errors[e];
					rv = run(&scenes[s]);
					runs++;
					if (passes_over(c, errors[e]) &&
					    rv != scenes[s].want)
						fail_msg("%s: call %d no. %u "
							 "error %d: %d",
						    scenes[s].name, c, n,
						    errors[e], rv);
				}
		fault.fail_at = 0;
		assert_int_equal(run(&scenes[s]), scenes[s].want);
	}
	print_message("%u runs, %u scenes skipped\n", runs, skipped);
	assert_true(runs > 1000);
}

/* What the module cannot do without: in no scene may it be let in. */
static void
test_needed_calls_deny(void **state)
{
	static const enum call needed[] = { CALL_MALLOC, CALL_OPEN, CALL_FSTAT,
		CALL_READ, CALL_PIDFD, CALL_GETSOCKOPT, CALL_SENDMSG,
		CALL_RECV };

	(void)state;
	assert_true(scene_open(&scenes[0]));
	assert_int_equal(run(&scenes[0]), PAM_SUCCESS);
	for (size_t i = 0; i < COUNT(needed); i++) {
		assert_true(fault.total[needed[i]] > 0);
		fault.call = needed[i];
		fault.error = EIO;
		fault.forever = true;
		fault.fail_at = 1;
		assert_int_equal(run(&scenes[0]), PAM_PERM_DENIED);
		assert_true(told > 0);
		fault.fail_at = UINT32_MAX;
		assert_int_equal(run(&scenes[0]), PAM_SUCCESS);
	}
}

/* B03: from the n-th on everything of a kind fails, and then all kinds. */
static void
test_calls_failing_for_ever(void **state)
{
	(void)state;
	for (size_t s = 0; s < COUNT(scenes); s++) {
		unsigned total[CALL_COUNT] = { 0 };

		if (!scene_open(&scenes[s]))
			continue;
		assert_int_equal(run(&scenes[s]), scenes[s].want);
		memcpy(total, fault.total, sizeof(total));
		for (enum call c = CALL_MALLOC; c < CALL_COUNT; c++)
			total[CALL_ANY] += total[c];
		fault.forever = true;
		fault.error = ENOMEM;
		for (enum call c = CALL_ANY; c < CALL_COUNT; c++)
			for (unsigned n = 1; n <= total[c]; n++) {
				fault.call = c;
				fault.fail_at = n;
				(void)run(&scenes[s]);
			}
	}
}

static void
test_logins_found_by_another_spelling_do_not_count(void **state)
{
	static const size_t scene[] = { 1, 5 }; /* agent's user; @system */

	(void)state;
	for (size_t i = 0; i < COUNT(scene); i++) {
		const struct scene *s = &scenes[scene[i]];

		assert_true(scene_open(s));
		assert_int_equal(run(s), s->want);
		fault.folds = true;
		assert_int_equal(run(s), PAM_PERM_DENIED);
	}
}

static int
setup(void **state)
{
	(void)state;
	world_open(&w, "",
	    "exempt = cron @system\nexempt = su root\n"
	    "exempt = sudo daemon\n");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_close(&w);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call_failing_once),
		cmocka_unit_test(test_needed_calls_deny),
		cmocka_unit_test(test_calls_failing_for_ever),
		cmocka_unit_test(
		    test_logins_found_by_another_spelling_do_not_count),
	};

	world_need_root();
	return cmocka_run_group_tests(tests, setup, teardown);
}
