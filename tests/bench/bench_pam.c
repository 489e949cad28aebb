/*
 * Times PAM's account decision for one login through several service
 * directories in turns, so that all of them see the same machine.
 *
 *   bench_pam cold ROUNDS LOGIN DIR...    a fresh process each: exec to exit
 *   bench_pam warm ROUNDS LOGIN DIR...    one process, modules loaded
 *   bench_pam once LOGIN DIR              one decision; what "cold" runs
 *
 * Each DIR holds a file "sshd". One line per round: nanoseconds for each DIR.
 * Whoever is not let in ends the program with exit code 1: a refusal is no
 * measurement. BENCH_AUTH_INFO, when set, is what sshd would say of the key.
 */
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <security/pam_appl.h>

#define SERVICE  "sshd"
#define DIRS_MAX 8

extern char **environ;

static int64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Whatever a module says is not for us. */
static int
converse(int count, const struct pam_message **message,
    struct pam_response **ret, void *arg)
{
	(void)message;
	(void)arg;
	*ret = calloc((size_t)count, sizeof(**ret));
	return *ret == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static const struct pam_conv conv = { converse, NULL };

static pam_handle_t *
start(const char *login, const char *dir)
{
	const char *info = getenv("BENCH_AUTH_INFO");
	char line[1024];
	pam_handle_t *h;

	if (pam_start_confdir(SERVICE, login, &conv, dir, &h) != PAM_SUCCESS)
		return NULL;
	if (info != NULL) {
		(void)snprintf(line, sizeof(line), "SSH_AUTH_INFO_0=%s", info);
		if (pam_putenv(h, line) != PAM_SUCCESS)
			return NULL;
	}
	return h;
}

static bool
decide(pam_handle_t *h)
{
	int rv = pam_acct_mgmt(h, 0);

	if (rv == PAM_SUCCESS)
		return true;
	fprintf(stderr, "bench_pam: not let in: %s\n", pam_strerror(h, rv));
	return false;
}

static int
once(const char *login, const char *dir)
{
	pam_handle_t *h = start(login, dir);
	bool in = h != NULL && decide(h);

	if (h != NULL)
		(void)pam_end(h, PAM_SUCCESS);
	return in ? 0 : 1;
}

/* From asking for the process to having its exit code. */
static bool
cold_one(const char *self, const char *login, const char *dir, int64_t *ret)
{
	char *argv[] = { strdup(self), strdup("once"), strdup(login),
		strdup(dir), NULL };
	int64_t from = now_ns();
	bool in = false;
	int status;
	pid_t pid;

	if (argv[0] != NULL && argv[1] != NULL && argv[2] != NULL &&
	    argv[3] != NULL &&
	    posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0 &&
	    waitpid(pid, &status, 0) == pid)
		in = status == 0;
	*ret = now_ns() - from;
	for (size_t i = 0; i < 4; i++)
		free(argv[i]);
	return in;
}

static void
print_round(const int64_t *ns, int count)
{
	for (int i = 0; i < count; i++)
		printf("%s%" PRId64, i > 0 ? " " : "", ns[i]);
	printf("\n");
}

static int
cold(long rounds, const char *login, char **dirs, int count)
{
	int64_t ns[DIRS_MAX];

	for (long n = 0; n < rounds; n++) {
		for (int i = 0; i < count; i++)
			if (!cold_one("/proc/self/exe", login, dirs[i], &ns[i]))
				return 1;
		print_round(ns, count);
	}
	return 0;
}

static int
warm(long rounds, const char *login, char **dirs, int count)
{
	pam_handle_t *h[DIRS_MAX];
	int64_t ns[DIRS_MAX], from;

	for (int i = 0; i < count; i++)
		if ((h[i] = start(login, dirs[i])) == NULL || !decide(h[i]))
			return 1;
	for (long n = 0; n < rounds; n++) {
		for (int i = 0; i < count; i++) {
			from = now_ns();
			if (!decide(h[i]))
				return 1;
			ns[i] = now_ns() - from;
		}
		print_round(ns, count);
	}
	for (int i = 0; i < count; i++)
		(void)pam_end(h[i], PAM_SUCCESS);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "once") == 0)
		return once(argv[2], argv[3]);
	if (argc >= 5 && argc - 4 <= DIRS_MAX && strcmp(argv[1], "cold") == 0)
		return cold(atol(argv[2]), argv[3], argv + 4, argc - 4);
	if (argc >= 5 && argc - 4 <= DIRS_MAX && strcmp(argv[1], "warm") == 0)
		return warm(atol(argv[2]), argv[3], argv + 4, argc - 4);
	fprintf(stderr, "usage: bench_pam cold|warm ROUNDS LOGIN DIR...\n");
	return 2;
}
