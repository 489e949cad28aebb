/* Runs a program and reads what it prints, or hands the terminal over. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A file in memory that holds the bytes, at its start. */
static enum lb_err
input_open(const void *input, size_t len, int *ret)
{
	const char *s = input;
	ssize_t n;
	int fd;

	if ((fd = memfd_create("input", MFD_CLOEXEC)) < 0)
		return LB_ERR_IO;
	for (size_t at = 0; at < len; at += (size_t)n) {
		n = write(fd, s + at, len - at);
		if (n <= 0)
			goto fail;
	}
	if (lseek(fd, 0, SEEK_SET) != 0)
		goto fail;
	*ret = fd;
	return LB_OK;
fail:
	(void)close(fd); /* nothing kept */
	return LB_ERR_IO;
}

static enum lb_err
spawn(const char *const *argv, int in, int out, bool quiet, pid_t *ret)
{
	posix_spawn_file_actions_t act;
	posix_spawnattr_t attr;
	sigset_t pipe;
	int rc;

	if (posix_spawn_file_actions_init(&act) != 0)
		return LB_ERR_MEMORY;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&act);
		return LB_ERR_MEMORY;
	}
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	rc = posix_spawnattr_setsigdefault(&attr, &pipe) |
	    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF) |
	    posix_spawn_file_actions_adddup2(&act, in, STDIN_FILENO) |
	    posix_spawn_file_actions_adddup2(&act, out, STDOUT_FILENO);
	if (rc == 0 && quiet)
		rc = posix_spawn_file_actions_addopen(
		    &act, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (rc == 0)
		rc = posix_spawnp(ret, argv[0], &act, &attr,
		    (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&act);
	errno = rc;
	return rc == 0 ? LB_OK : rc == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
}

static enum lb_err
drain(int fd, struct lb_buf *ret)
{
	char chunk[4096];
	enum lb_err r = LB_OK;
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return LB_ERR_IO;
		/* Read on to the end, so that the child can finish. */
		if (r == LB_OK)
			r = lb_buf_add(ret, chunk, (size_t)n);
	}
	return r;
}

static enum lb_err
reap(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return LB_ERR_IO;
	*ret_status =
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return LB_OK;
}

enum lb_err
child_run(const char *const *argv, const void *input, size_t input_len,
    bool quiet, struct lb_buf *ret, int *ret_status)
{
	int in = -1, out[2] = { -1, -1 }, status = 0;
	enum lb_err r, waited;
	pid_t pid;

	if ((r = input_open(input, input_len, &in)) != LB_OK)
		goto out;
	if (pipe2(out, O_CLOEXEC) != 0) {
		r = LB_ERR_IO;
		goto out;
	}
	if ((r = spawn(argv, in, out[1], quiet, &pid)) != LB_OK)
		goto out;
	(void)close(out[1]); /* ours; the child has its own */
	out[1] = -1;
	r = drain(out[0], ret);
	waited = reap(pid, &status);
	if (r == LB_OK)
		r = waited;
	if (r == LB_OK)
		*ret_status = status;
out:
	if (in >= 0)
		(void)close(in);
	if (out[0] >= 0)
		(void)close(out[0]);
	if (out[1] >= 0)
		(void)close(out[1]);
	return r;
}

/* Whom signals to us are passed on to; 0: nobody. */
static volatile sig_atomic_t attended;

static void
pass_on(int sig)
{
	if (attended > 0)
		(void)kill((pid_t)attended, sig); /* nobody to tell */
}

/* What a shell leaves to the program in front of it, and what it passes on. */
static const struct {
	int sig;
	void (*handler)(int);
} attending[] = {
	{ SIGINT, SIG_IGN },
	{ SIGQUIT, SIG_IGN },
	{ SIGTERM, pass_on },
	{ SIGHUP, pass_on },
};
#define ATTENDING (sizeof(attending) / sizeof(attending[0]))

static void
signals_take(struct sigaction ret_before[static ATTENDING])
{
	struct sigaction sa = { .sa_flags = SA_RESTART };

	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ATTENDING; i++) {
		(void)sigaction(attending[i].sig, NULL, &ret_before[i]);
		sa.sa_handler = attending[i].handler;
		/* What was ignored when we began stays ignored (nohup). */
		if (ret_before[i].sa_handler != SIG_IGN)
			(void)sigaction(attending[i].sig, &sa, NULL);
	}
}

static void
signals_give_back(const struct sigaction before[static ATTENDING])
{
	for (size_t i = 0; i < ATTENDING; i++)
		(void)sigaction(attending[i].sig, &before[i], NULL);
}

/* Spawn with the signals that we had: those of the list are held meanwhile. */
static enum lb_err
attend_spawn(const char *const *argv,
    const struct sigaction before[static ATTENDING], const sigset_t *mask,
    pid_t *ret)
{
	posix_spawnattr_t attr;
	sigset_t reset;
	int rc;

	(void)sigemptyset(&reset);
	(void)sigaddset(&reset, SIGPIPE);
	for (size_t i = 0; i < ATTENDING; i++)
		if (before[i].sa_handler != SIG_IGN)
			(void)sigaddset(&reset, attending[i].sig);
	if (posix_spawnattr_init(&attr) != 0)
		return LB_ERR_MEMORY;
	rc = posix_spawnattr_setsigdefault(&attr, &reset) |
	    posix_spawnattr_setsigmask(&attr, mask) |
	    posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	if (rc == 0)
		rc = posix_spawnp(ret, argv[0], NULL, &attr,
		    (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	errno = rc;
	return rc == 0 ? LB_OK : rc == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
}

/* Until it has ended; it stays a zombie, so that its pid stays its own. */
static enum lb_err
attend(pid_t pid)
{
	siginfo_t info;

	for (;;) {
		if (waitid(P_PID, (id_t)pid, &info,
			WEXITED | WSTOPPED | WNOWAIT) != 0) {
			if (errno == EINTR)
				continue;
			return LB_ERR_IO;
		}
		if (info.si_code != CLD_STOPPED)
			return LB_OK;
		/* Take the news, and let our shell have the terminal. */
		(void)waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG);
		(void)raise(SIGSTOP);
	}
}

enum lb_err
child_attend(const char *const *argv, int *ret_status)
{
	struct sigaction before[ATTENDING];
	sigset_t held, mask;
	pid_t pid = 0;
	enum lb_err r, reaped;

	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGTERM);
	(void)sigaddset(&held, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &held, &mask);
	signals_take(before);
	if ((r = attend_spawn(argv, before, &mask, &pid)) == LB_OK)
		attended = pid;
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	if (r == LB_OK)
		r = attend(pid);
	attended = 0;
	signals_give_back(before);
	if (pid > 0) {
		reaped = reap(pid, ret_status);
		r = r == LB_OK ? reaped : r;
	}
	return r;
}
