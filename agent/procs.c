/* /proc and pidfds. */
#include "procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lockbox/text.h"

#define PROCS_MAX     131072 /* processes, of all looks */
#define END_TREE_MAX  1024   /* processes below one asker */
#define END_TREE_LOOK 16     /* looks before we kill what we have */
#define WALK_BYTES    1024   /* of names of /proc at a time */

/* The start of a small file, NUL-terminated. */
static enum lb_err
read_small(const char *path, char *ret, size_t ret_size)
{
	size_t len = 0;
	ssize_t n;
	int fd, saved;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
	/* To the end: the first half of a number is another number. */
	do {
		n = read(fd, ret + len, ret_size - 1 - len);
		if (n > 0)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	saved = errno;
	(void)close(fd); /* was only read */
	errno = saved;
	if (n < 0)
		return errno == ESRCH ? LB_ERR_MISSING : LB_ERR_IO;
	ret[len] = '\0';
	return LB_OK;
}

/* A file of /proc/PID that holds one number. */
static enum lb_err
read_number(pid_t pid, const char *name, uint32_t *ret)
{
	char path[64], text[32];
	enum lb_err r;
	int64_t v;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((r = read_small(path, text, sizeof(text))) != LB_OK)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if ((r = lb_number_parse(text, 0, UINT32_MAX, &v)) != LB_OK)
		return r;
	*ret = (uint32_t)v;
	return LB_OK;
}

enum lb_err
procs_sid(pid_t pid, uint32_t *ret)
{
	return read_number(pid, "sessionid", ret);
}

enum lb_err
procs_loginuid(pid_t pid, uint32_t *ret)
{
	return read_number(pid, "loginuid", ret);
}

/* Field n of a stat line, 4 the parent's: all behind the name are numbers but
 * the state, 3. */
static enum lb_err
stat_number(const char *state, int n, int64_t *ret)
{
	const char *p = state;
	char *end;

	for (int i = 3; i < n; i++) {
		p = strchr(p, ' ');
		if (p == NULL)
			return LB_ERR_FORMAT;
		p++;
	}
	*ret = strtoll(p, &end, 10);
	return end != p && (*end == ' ' || *end == '\n') ? LB_OK
							 : LB_ERR_FORMAT;
}

/* What /proc/PID/stat says; the name in it may hold anything. */
static enum lb_err
read_stat(const char *stat, struct procs_one *ret)
{
	const char *p = strrchr(stat, ')');
	int64_t parent, tty, threads;
	enum lb_err r;

	if (p == NULL || strlen(p) < 5 || p[1] != ' ' || p[3] != ' ')
		return LB_ERR_FORMAT;
	p += 2;
	if ((r = stat_number(p, 4, &parent)) != LB_OK ||
	    (r = stat_number(p, 7, &tty)) != LB_OK ||
	    (r = stat_number(p, 20, &threads)) != LB_OK)
		return r;
	if (parent < 0 || parent > INT32_MAX)
		return LB_ERR_FORMAT;
	ret->parent = (pid_t)parent;
	ret->tty = (unsigned int)tty;
	ret->stopped = *p == 'T' || *p == 't';
	/* A dead first thread is no dead process. */
	ret->gone = (*p == 'Z' || *p == 'X') && threads <= 1;
	return LB_OK;
}

static enum lb_err
read_one(pid_t pid, struct procs_one *ret)
{
	char path[64], text[1024];
	enum lb_err r;

	ret->pid = pid;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((r = read_small(path, text, sizeof(text))) != LB_OK ||
	    (r = read_stat(text, ret)) != LB_OK)
		return r;
	return procs_sid(pid, &ret->sid);
}

enum lb_err
procs_parent(pid_t pid, pid_t *ret)
{
	char path[64], text[1024];
	struct procs_one one;
	enum lb_err r;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((r = read_small(path, text, sizeof(text))) != LB_OK ||
	    (r = read_stat(text, &one)) != LB_OK)
		return r;
	*ret = one.parent;
	return LB_OK;
}

enum lb_err
procs_boot_id(char ret[static PROCS_BOOT_ID_LEN + 1])
{
	char text[64];
	enum lb_err r;

	r = read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	if (r != LB_OK)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (strlen(text) != PROCS_BOOT_ID_LEN)
		return LB_ERR_FORMAT;
	memcpy(ret, text, PROCS_BOOT_ID_LEN + 1);
	return LB_OK;
}

enum lb_err
procs_pidfd_pid(int pidfd, pid_t *ret)
{
	char path[64], text[512];
	const char *p;
	enum lb_err r;
	long v;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if ((r = read_small(path, text, sizeof(text))) != LB_OK)
		return r;
	p = strstr(text, "\nPid:\t");
	if (p == NULL)
		return LB_ERR_FORMAT;
	v = strtol(p + strlen("\nPid:\t"), NULL, 10);
	if (v == -1 || v == 0) /* gone, or outside our pid namespace */
		return LB_ERR_MISSING;
	if (v < 1 || v > INT32_MAX)
		return LB_ERR_FORMAT;
	*ret = (pid_t)v;
	return LB_OK;
}

enum lb_err
procs_pidfd_open(pid_t pid, int *ret_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == ESRCH ? LB_ERR_MISSING : LB_ERR_IO;
	*ret_fd = fd;
	return LB_OK;
}

enum lb_err
procs_signal(int pidfd, int sig)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0)
		return LB_OK;
	return errno == ESRCH ? LB_ERR_MISSING : LB_ERR_IO;
}

static enum lb_err
add_one(struct procs_all *all, const struct procs_one *one)
{
	struct procs_one *item;
	size_t size;

	if (all->count == PROCS_MAX)
		return LB_ERR_LIMIT;
	if (all->count == all->size) {
		size = all->size == 0 ? 256 : all->size * 2;
		item = reallocarray(all->item, size, sizeof(*item));
		if (item == NULL)
			return LB_ERR_MEMORY;
		all->item = item;
		all->size = size;
	}
	all->item[all->count++] = *one;
	return LB_OK;
}

/* A few names at a time: the list is as old as its oldest. *r: the first that
 * could not be looked at, though it is there. */
static enum lb_err
walk_some(int fd, bool (*one)(void *arg, const struct procs_one *p), void *arg,
    enum lb_err *r, bool *ret_more)
{
	union {
		struct dirent64 head; /* aligns */
		char bytes[WALK_BYTES];
	} buf;
	const struct dirent64 *de;
	struct procs_one p = { 0 };
	enum lb_err seen;
	int64_t pid;
	long n;

	n = syscall(SYS_getdents64, fd, &buf, sizeof(buf));
	if (n < 0)
		return LB_ERR_IO;
	*ret_more = n > 0;
	for (long at = 0; at < n; at += de->d_reclen) {
		de = (const void *)(buf.bytes + at);
		if (lb_number_parse(de->d_name, 1, INT32_MAX, &pid) != LB_OK)
			continue;
		seen = read_one((pid_t)pid, &p);
		if (seen != LB_OK && seen != LB_ERR_MISSING && *r == LB_OK)
			*r = seen;
		if (seen == LB_OK && !one(arg, &p)) {
			*ret_more = false;
			return LB_OK;
		}
	}
	return LB_OK;
}

enum lb_err
procs_walk(bool (*one)(void *arg, const struct procs_one *p), void *arg)
{
	enum lb_err r = LB_OK, unseen = LB_OK;
	bool more = true;
	int fd;

	fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return LB_ERR_IO;
	while (r == LB_OK && more)
		r = walk_some(fd, one, arg, &unseen, &more);
	(void)close(fd); /* was only read */
	return r != LB_OK ? r : unseen;
}

struct look {
	struct procs_all *all;
	enum lb_err r;
};

static bool
look_add(void *arg, const struct procs_one *one)
{
	struct look *look = arg;

	look->r = add_one(look->all, one);
	return look->r == LB_OK;
}

enum lb_err
procs_look(struct procs_all *all)
{
	struct look look = { all, LB_OK };
	size_t before = all->count;
	enum lb_err r;

	r = procs_walk(look_add, &look);
	if (r == LB_OK)
		r = look.r;
	if (r != LB_OK)
		all->count = before;
	return r;
}

enum lb_err
procs_signal_in(pid_t pid, uint32_t sid, int sig)
{
	uint32_t now;
	enum lb_err r;
	int fd;

	if (pid <= 1 || pid == getpid() || sid == PROCS_SID_UNSET)
		return LB_ERR_STATE;
	if ((r = procs_pidfd_open(pid, &fd)) != LB_OK)
		return r;
	if ((r = procs_sid(pid, &now)) == LB_OK)
		r = now == sid ? procs_signal(fd, sig) : LB_ERR_STATE;
	(void)close(fd); /* only names a process */
	return r;
}

enum lb_err
procs_cgroup(pid_t pid, char *ret, size_t ret_size)
{
	static const char *const own[] = { "\n0::/", "\n1:name=systemd:/" };
	char path[64], text[4096] = "\n";
	const char *p = NULL;
	enum lb_err r;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	if ((r = read_small(path, text + 1, sizeof(text) - 1)) != LB_OK)
		return r;
	for (size_t i = 0; i < 2 && p == NULL; i++) {
		p = strstr(text, own[i]);
		if (p != NULL)
			p += strlen(own[i]) - 1;
		if (p != NULL && p[1] == '\n')
			p = NULL; /* the root of a hierarchy nobody uses */
	}
	if (p == NULL)
		return LB_ERR_MISSING;
	n = strcspn(p, "\n");
	if (n >= ret_size)
		return LB_ERR_RANGE;
	memcpy(ret, p, n);
	ret[n] = '\0';
	return LB_OK;
}

void
procs_clear(struct procs_all *all)
{
	free(all->item);
	*all = (struct procs_all){ 0 };
}

bool
procs_has_sid(const struct procs_all *all, uint32_t sid)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->item[i].sid == sid && !all->item[i].gone)
			return true;
	return false;
}

/* What procs_end_tree holds: every pid once, the root first. */
struct tree {
	size_t count;
	struct {
		pid_t pid;
		int fd;
	} item[END_TREE_MAX];
};

static bool
tree_has(const struct tree *t, pid_t pid)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->item[i].pid == pid)
			return true;
	return false;
}

/* Stop one that descends from the tree. LB_ERR_MISSING: it slipped away. */
static enum lb_err
tree_add(struct tree *t, const struct procs_one *one)
{
	pid_t parent;
	int fd = -1;
	enum lb_err r;

	if (t->count == END_TREE_MAX || one->pid == 1 || one->pid == getpid())
		return LB_ERR_MISSING;
	if ((r = procs_pidfd_open(one->pid, &fd)) != LB_OK)
		return r;
	/* The pid may be another's by now: ask again, holding the pidfd. */
	if ((r = procs_parent(one->pid, &parent)) == LB_OK)
		r = parent == one->parent ? procs_signal(fd, SIGSTOP)
					  : LB_ERR_MISSING;
	if (r != LB_OK) {
		(void)close(fd); /* nothing to save */
		return r;
	}
	t->item[t->count].pid = one->pid;
	t->item[t->count].fd = fd;
	t->count++;
	return LB_OK;
}

/* One look: was one found, or might one have been missed? */
static bool
tree_grow(struct tree *t)
{
	struct procs_all all = { 0 };
	bool more = false;

	if (procs_look(&all) != LB_OK)
		more = true;
	for (size_t i = 0; i < all.count; i++) {
		const struct procs_one *one = &all.item[i];

		if (tree_has(t, one->parent) && !tree_has(t, one->pid) &&
		    tree_add(t, one) != LB_ERR_MISSING)
			more = true;
	}
	procs_clear(&all);
	return more;
}

/* Children before their parents: who is not killed is still found from the
 * root, stopped, the next time. */
static enum lb_err
tree_kill(const struct tree *t, size_t *ret_killed)
{
	enum lb_err r;

	*ret_killed = 0;
	for (size_t i = t->count; i-- > 0;) {
		r = procs_signal(t->item[i].fd, SIGKILL);
		if (r == LB_OK)
			++*ret_killed;
		else if (r != LB_ERR_MISSING)
			return r;
	}
	return LB_OK;
}

enum lb_err
procs_end_tree(int pidfd, pid_t pid, size_t *ret_killed)
{
	struct tree *t = NULL;
	enum lb_err r;

	if (pid <= 1 || pid == getpid())
		return LB_ERR_STATE;
	if ((r = procs_signal(pidfd, SIGSTOP)) != LB_OK)
		return r;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return LB_ERR_MEMORY; /* it is stopped, at least */
	t->item[0].pid = pid;
	t->item[0].fd = pidfd;
	t->count = 1;
	for (int i = 0; i < END_TREE_LOOK && tree_grow(t); i++)
		;
	r = tree_kill(t, ret_killed);
	for (size_t i = 1; i < t->count; i++)
		(void)close(t->item[i].fd); /* ours, nothing to save */
	free(t);
	return r;
}
