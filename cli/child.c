/* Runs a program and reads what it prints. */
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
