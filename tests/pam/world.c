/* A small world for the module: see world.h. */
#include "world.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>
#include <security/pam_modules.h>

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, \
			    #cond, strerror(errno));                           \
			abort();                                               \
		}                                                              \
	} while (0)

void
world_need_root(void)
{
	if (geteuid() == 0)
		return;
	fprintf(stderr, "skipped: needs root, for files that root owns\n");
	exit(WORLD_SKIP);
}

static void
path_join(char *ret, size_t size, const char *dir, const char *name)
{
	int n = snprintf(ret, size, "%s/%s", dir, name);

	CHECK(n > 0 && (size_t)n < size);
}

static void
file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t len = strlen(text);

	CHECK(fd >= 0);
	CHECK(write(fd, text, len) == (ssize_t)len);
	CHECK(close(fd) == 0);
}

static struct sockaddr_un
address(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	CHECK(strlen(path) < sizeof(sa.sun_path));
	memcpy(sa.sun_path, path, strlen(path));
	return sa;
}

void
world_log_open(struct world *w)
{
	struct sockaddr_un sa = address(w->log);

	world_log_close(w);
	w->log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(w->log_fd >= 0);
	CHECK(bind(w->log_fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
}

void
world_log_close(struct world *w)
{
	if (w->log_fd >= 0)
		close(w->log_fd);
	w->log_fd = -1;
	unlink(w->log);
}

unsigned
world_log_drain(struct world *w, char lines[][2048], unsigned max)
{
	unsigned count = 0;
	char line[2048];
	ssize_t n;

	while (w->log_fd >= 0 &&
	    (n = recv(w->log_fd, line, sizeof(line) - 1, MSG_DONTWAIT)) >= 0) {
		line[n] = '\0';
		if (count < max)
			memcpy(lines[count], line, sizeof(line));
		count++;
	}
	return count;
}

void
world_open(struct world *w, const char *module, const char *conf)
{
	memset(w, 0, sizeof(*w));
	w->module = module;
	w->log_fd = -1;
	strcpy(w->dir, "/tmp/lockbox-pam.XXXXXX");
	CHECK(mkdtemp(w->dir) != NULL);
	path_join(w->conf, sizeof(w->conf), w->dir, "pam.conf");
	path_join(w->socket, sizeof(w->socket), w->dir, "agent.sock");
	path_join(w->log, sizeof(w->log), w->dir, "log");
	path_join(w->pamd, sizeof(w->pamd), w->dir, "pam.d");
	CHECK(chmod(w->dir, 0755) == 0);
	CHECK(mkdir(w->pamd, 0755) == 0);
	w->shared = mmap(NULL, sizeof(*w->shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(w->shared != MAP_FAILED);
	world_stack(w, "other",
	    "auth required pam_deny.so\naccount required pam_deny.so\n"
	    "session required pam_deny.so\npassword required pam_deny.so\n");
	world_conf(w, conf);
	world_log_open(w);
}

void
world_close(struct world *w)
{
	char command[128];

	world_agent_stop(w);
	world_log_close(w);
	munmap(w->shared, sizeof(*w->shared));
	snprintf(command, sizeof(command), "rm -rf %s", w->dir);
	CHECK(system(command) == 0);
}

void
world_conf(struct world *w, const char *text)
{
	file_write(w->conf, text);
}

/* Replace every occurrence of word; ret holds size bytes. */
static void
replace(
    const char *text, const char *word, const char *by, char *ret, size_t size)
{
	size_t at = 0;

	while (*text != '\0') {
		if (strncmp(text, word, strlen(word)) == 0) {
			CHECK(at + strlen(by) < size);
			memcpy(ret + at, by, strlen(by));
			at += strlen(by);
			text += strlen(word);
		} else {
			CHECK(at + 1 < size);
			ret[at++] = *text++;
		}
	}
	ret[at] = '\0';
}

static void
module_args(const struct world *w, char *ret, size_t size)
{
	int n = snprintf(
	    ret, size, "conf=%s socket=%s log=%s", w->conf, w->socket, w->log);

	CHECK(n > 0 && (size_t)n < size);
}

void
world_stack(struct world *w, const char *service, const char *text)
{
	char path[256], args[512], one[8192], two[8192];

	module_args(w, args, sizeof(args));
	replace(text, "MODULE", w->module, one, sizeof(one));
	replace(one, "ARGS", args, two, sizeof(two));
	path_join(path, sizeof(path), w->pamd, service);
	file_write(path, two);
}

/* --- the agent --- */

static pid_t
pidfd_owner(int fd)
{
	char path[64], text[512];
	const char *at;
	ssize_t n;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return 0;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strstr(text, "\nPid:");
	return at == NULL ? 0 : (pid_t)atoi(at + 5);
}

static bool
mock_read_ask(int fd, struct mock_shared *s)
{
	static char bytes[80000];
	struct iovec iov = { bytes, sizeof(bytes) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	int pidfd;

	if (n <= 0)
		return false;
	s->pidfd_pid = 0;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS) {
		memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
		s->pidfd_pid = pidfd_owner(pidfd);
		close(pidfd);
	}
	s->ask_ok = lb_door_ask_check(bytes, (size_t)n, &s->ask) == LB_OK;
	s->asks++;
	return true;
}

static void
mock_serve(int fd, struct mock_shared *s)
{
	char bytes[4096];
	ssize_t n;

	if (!mock_read_ask(fd, s) || s->mock == MOCK_CLOSE)
		return;
	if (s->delay_ms > 0)
		poll(NULL, 0, (int)s->delay_ms);
	if (s->mock == MOCK_REPLY && s->ask.phase != LB_PHASE_CLOSE)
		(void)!send(fd, s->reply, s->reply_len, MSG_NOSIGNAL);
	n = recv(fd, bytes, sizeof(bytes), 0);
	if (n > 0) {
		s->final_ok =
		    lb_door_final_check(bytes, (size_t)n, &s->final) == LB_OK;
		s->finals++;
	}
}

static int
mock_listen(struct world *w, uid_t uid)
{
	struct sockaddr_un sa = address(w->socket);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	unlink(w->socket);
	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	CHECK(chmod(w->socket, 0666) == 0);
	if (w->shared->mock == MOCK_NO_LISTEN)
		return fd;
	/* The kernel keeps whoever calls listen() as the peer. */
	CHECK(seteuid(uid) == 0);
	CHECK(listen(fd, w->shared->mock == MOCK_DEAF ? 0 : 250) == 0);
	CHECK(seteuid(0) == 0);
	return fd;
}

static void
mock_main(int fd, struct mock_shared *s)
{
	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (c < 0)
			continue;
		mock_serve(c, s);
		close(c);
		s->closed++;
	}
}

void
world_agent(struct world *w, enum mock mock, uid_t uid)
{
	int fd, filler;

	world_agent_stop(w);
	w->shared->mock = mock;
	w->shared->asks = w->shared->closed = w->shared->finals = 0;
	memset(&w->shared->ask, 0, sizeof(w->shared->ask));
	memset(&w->shared->final, 0, sizeof(w->shared->final));
	if (mock == MOCK_ABSENT)
		return;
	fd = mock_listen(w, uid);
	if (mock == MOCK_DEAF) {
		struct sockaddr_un sa = address(w->socket);

		/* One connection fills a backlog of none; it is left open. */
		filler = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		CHECK(connect(filler, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	}
	w->agent = fork();
	CHECK(w->agent >= 0);
	if (w->agent == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (mock == MOCK_DEAF || mock == MOCK_NO_LISTEN)
			for (;;)
				pause();
		mock_main(fd, w->shared);
	}
	close(fd);
}

void
world_agent_stop(struct world *w)
{
	if (w->agent > 0) {
		kill(w->agent, SIGKILL);
		waitpid(w->agent, NULL, 0);
	}
	w->agent = 0;
	unlink(w->socket);
}

void
world_agent_settle(struct world *w, unsigned closed)
{
	for (int i = 0; i < 2000 && w->shared->closed < closed; i++)
		poll(NULL, 0, 1);
}

struct lb_door_reply
world_reply(enum lb_phase phase, uint32_t verdict)
{
	struct lb_door_reply r = { 0 };
	bool allow = verdict == LB_VERDICT_ALLOW;

	r.version = LB_DOOR_VERSION;
	r.phase = phase;
	r.verdict = verdict;
	strcpy(r.code, allow ? "granted" : "no_grant");
	strcpy(r.ref, "7K2M-9QXT-04VB");
	strcpy(r.tenant, "acme");
	strcpy(r.host, "db1.acme.example");
	r.sid = -1;
	if (allow) {
		strcpy(r.engineer, "avm@provider.example");
		strcpy(r.key,
		    "SHA256:aJ2mYyCJ9Yq0bRkqxz4cFTwYqjZ1uZC1nU5p2dQ3xYo");
		strcpy(r.request, "sha256:");
		memset(r.request + 7, 'a', 64);
		strcpy(r.grant, "sha256:");
		memset(r.grant + 7, 'b', 64);
		r.sid = 42;
		r.not_after = 1772467200; /* 2026-03-02T16:00:00Z */
		r.lease_end = 1772461800; /* 2026-03-02T14:30:00Z */
	} else {
		strcpy(r.tell[0], "acme has not approved access to this host.");
		strcpy(r.tell[1], "Ask with: lockbox request create acme");
		strcpy(r.tell[2], "Reference: 7K2M-9QXT-04VB");
	}
	return r;
}

void
world_reply_set(struct world *w, const struct lb_door_reply *reply)
{
	memcpy(w->shared->reply, reply, sizeof(*reply));
	w->shared->reply_len = sizeof(*reply);
}

/* --- one call of the module --- */

/* Written by the process that calls, read by the test. */
struct trial_shared {
	volatile int rv;
	volatile unsigned told;
	char tell[WORLD_LINES][WORLD_TEXT];
	int style[WORLD_LINES];
	char note[WORLD_TEXT];
};

static bool
loginuid_write(const char *text)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return ok;
}

static bool
loginuid_is_unset(void)
{
	char text[16] = "";
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strcmp(text, "4294967295") == 0;
}

bool
world_audit_works(void)
{
	pid_t pid = fork();
	int status = 1;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit((loginuid_is_unset() || loginuid_write("4294967295")) &&
			    loginuid_write("0")
			? 0
			: 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

static void
loginuid_prepare(const struct trial *t)
{
	char text[16];

	if (!loginuid_is_unset())
		CHECK(loginuid_write("4294967295"));
	if (!t->loginuid_set)
		return;
	snprintf(text, sizeof(text), "%u", t->loginuid);
	CHECK(loginuid_write(text));
}

static int
converse(int n, const struct pam_message **msg, struct pam_response **resp,
    void *data)
{
	struct trial_shared *s = data;

	*resp = calloc((size_t)n, sizeof(**resp));
	for (int i = 0; i < n; i++) {
		if (s->told < WORLD_LINES) {
			snprintf(
			    s->tell[s->told], WORLD_TEXT, "%s", msg[i]->msg);
			s->style[s->told] = msg[i]->msg_style;
		}
		s->told++;
	}
	return *resp == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static const struct {
	const char *symbol;
	int (*stack)(pam_handle_t *, int);
} entries[] = {
	[ENTRY_AUTH] = { "pam_sm_authenticate", pam_authenticate },
	[ENTRY_SETCRED] = { "pam_sm_setcred", pam_setcred },
	[ENTRY_ACCOUNT] = { "pam_sm_acct_mgmt", pam_acct_mgmt },
	[ENTRY_OPEN] = { "pam_sm_open_session", pam_open_session },
	[ENTRY_CLOSE] = { "pam_sm_close_session", pam_close_session },
	[ENTRY_CHAUTHTOK] = { "pam_sm_chauthtok", pam_chauthtok },
};

static int
hook_call(const struct world *w, const struct trial *t, pam_handle_t *pamh)
{
	char conf[128], sock[128], log[128], rest[4096];
	const char *argv[32];
	int (*hook)(pam_handle_t *, int, int, const char **);
	void *so = dlopen(w->module, RTLD_NOW);
	int argc = 0, rv;

	CHECK(so != NULL);
	*(void **)&hook = dlsym(so, entries[t->entry].symbol);
	CHECK(hook != NULL);
	snprintf(conf, sizeof(conf), "conf=%s", w->conf);
	snprintf(sock, sizeof(sock), "socket=%s", w->socket);
	snprintf(log, sizeof(log), "log=%s", w->log);
	if (!t->bare) {
		argv[argc++] = conf;
		argv[argc++] = sock;
		argv[argc++] = log;
	}
	snprintf(rest, sizeof(rest), "%s", t->args == NULL ? "" : t->args);
	for (char *save = NULL, *a = strtok_r(rest, " ", &save); a != NULL;
	     a = strtok_r(NULL, " ", &save))
		argv[argc++] = a;
	if (t->before != NULL)
		t->before(t->context);
	rv = hook(pamh, t->flags, argc, argv);
	if (t->after != NULL)
		t->after(t->context);
	dlclose(so);
	return rv;
}

static void
item_set(pam_handle_t *pamh, int item, const char *value)
{
	if (value != NULL)
		CHECK(pam_set_item(pamh, item, value) == PAM_SUCCESS);
}

static int
trial_call(const struct world *w, const struct trial *t, struct trial_shared *s)
{
	struct pam_conv conv = { converse, s };
	pam_handle_t *pamh = NULL;
	char info[LB_AUTH_INFO_MAX + 256];
	int rv;

	if (t->no_conv)
		conv.conv = NULL;
	CHECK(pam_start_confdir(t->service, t->user, &conv, w->pamd, &pamh) ==
	    PAM_SUCCESS);
	item_set(pamh, PAM_RHOST, t->rhost);
	item_set(pamh, PAM_RUSER, t->ruser);
	item_set(pamh, PAM_TTY, t->tty);
	if (t->auth_info != NULL) {
		snprintf(
		    info, sizeof(info), "SSH_AUTH_INFO_0=%s", t->auth_info);
		CHECK(pam_putenv(pamh, info) == PAM_SUCCESS);
	}
	if (t->through_stack) {
		if (t->before != NULL)
			t->before(t->context);
		rv = entries[t->entry].stack(pamh, t->flags);
		if (t->after != NULL)
			t->after(t->context);
	} else {
		rv = hook_call(w, t, pamh);
	}
	pam_end(pamh, rv);
	return rv;
}

static int
elapsed_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - start->tv_sec) * 1000 +
	    (now.tv_nsec - start->tv_nsec) / 1000000);
}

void
trial_run(struct world *w, const struct trial *t, struct outcome *ret)
{
	struct trial_shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec start;
	int status;
	pid_t pid;

	CHECK(s != MAP_FAILED);
	memset(ret, 0, sizeof(*ret));
	s->rv = -1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		struct trial mine = *t;

		if (t->before != NULL && t->context == NULL)
			mine.context = s->note;
		else if (t->after != NULL && t->context == NULL)
			mine.context = s->note;
		mine.world = w;
		loginuid_prepare(t);
		if (t->real_uid != 0)
			CHECK(setreuid(t->real_uid, 0) == 0);
		s->rv = trial_call(w, &mine, s);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	ret->elapsed_ms = elapsed_since(&start);
	ret->rv = s->rv;
	ret->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!ret->killed)
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	ret->told = s->told;
	memcpy(ret->tell, s->tell, sizeof(ret->tell));
	memcpy(ret->style, s->style, sizeof(ret->style));
	memcpy(ret->note, s->note, sizeof(ret->note));
	munmap(s, sizeof(*s));
	ret->logged = world_log_drain(w, ret->log, WORLD_LINES);
}

const char *
line_value(const char *line, const char *key)
{
	static char value[2048];
	char want[64];
	const char *at;
	size_t n = 0;

	snprintf(want, sizeof(want), " %s=\"", key);
	at = strstr(line, want);
	if (at == NULL)
		return "(absent)";
	for (at += strlen(want); *at != '"' && *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			value[n++] = *at++;
		value[n++] = *at;
	}
	value[n] = '\0';
	return value;
}
