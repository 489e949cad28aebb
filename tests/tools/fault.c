/*
 * Loaded in front of libc (LD_PRELOAD): lets chosen calls of a program fail.
 * Which, and how, stands in the file that FAULT_CONTROL names; it is mapped
 * once, before the program closes its sandbox, and read as memory from then
 * on. Without that variable everything works. See tests/system/fault.py.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* How a call fails, besides the errno of its kind (0) and a given errno. */
#define HOW_SHORT -1 /* fewer bytes than there are, or than were given */
#define HOW_DIE   -2 /* SIGKILL, after half of it if it is a write */

/* Kinds of calls; also which of them can be cut short or interrupted. */
enum kind {
	MEMORY = 1,
	FILES = 2,
	SOCKETS = 4,
	PROCS = 8,
	CLOCK = 16,
	EVENTS = 32,
	RANDOM = 64,
	PRIVS = 128,
	BYTES = 256,
	INTR = 512,
};

/* The control file; tests/system/fault.py has the same. */
struct control {
	atomic_uint armed;
	uint32_t kinds; /* that are counted and fail */
	uint32_t from;  /* the number of the first that fails, from 1 */
	uint32_t count; /* how many fail, one after another */
	int32_t how;
	atomic_uint seen; /* since it was armed */
	atomic_uint failed;
	atomic_int blocks; /* of memory that are not freed */
	char name[32];     /* of the last that failed */
};

static struct control none, *control = &none;

/* No call of ours may be one of those that fail. */
static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("FAULT_CONTROL");
	void *at;
	int fd;

	if (path == NULL)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	at = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	(void)syscall(SYS_close, fd); /* it stays mapped */
	control = at;
}

/* Packets go whole or not at all. */
static bool
is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &len) !=
	    0 ||
	    type == SOCK_STREAM;
}

static bool
fails(const char *name, unsigned int kinds, int error)
{
	struct control *c = control;
	unsigned int n;

	if (atomic_load(&c->armed) == 0 || (c->kinds & kinds) == 0 ||
	    (c->how == HOW_SHORT && (kinds & BYTES) == 0) ||
	    (c->how == EINTR && (kinds & INTR) == 0))
		return false;
	n = atomic_fetch_add(&c->seen, 1) + 1;
	if (n < c->from || n - c->from >= c->count)
		return false;
	atomic_fetch_add(&c->failed, 1);
	strncpy(c->name, name, sizeof(c->name) - 1);
	if (c->how == HOW_DIE && strcmp(name, "write") != 0)
		(void)syscall(SYS_tgkill, getpid(), gettid(), SIGKILL);
	errno = c->how == 0 ? error : c->how;
	return true;
}

static void *
real(const char *name)
{
	void *at = dlsym(RTLD_NEXT, name);

	if (at == NULL)
		abort();
	return at;
}

/* ISO C knows no way from void * to a function. */
#define REAL(type, name, params)                                               \
	static type(*next) params;                                             \
	if (next == NULL) {                                                    \
		void *found = real(#name);                                     \
                                                                               \
		memcpy(&next, &found, sizeof(next));                           \
	}

#define WRAP(type, name, params, args, kinds, error, failed)                   \
	EXPORT type name params;                                               \
	type name params                                                       \
	{                                                                      \
		REAL(type, name, params)                                       \
		if (fails(#name, kinds, error))                                \
			return failed;                                         \
		return next args;                                              \
	}

/* Those that may take fewer bytes than len. */
#define WRAP_SOME(name, params, args, kinds, error)                            \
	EXPORT ssize_t name params;                                            \
	ssize_t name params                                                    \
	{                                                                      \
		REAL(ssize_t, name, params)                                    \
		if (!fails(                                                    \
			#name, (kinds) | (is_stream(fd) ? BYTES : 0), error))  \
			return next args;                                      \
		if (control->how != HOW_SHORT && control->how != HOW_DIE)      \
			return -1;                                             \
		len = control->how == HOW_DIE ? len / 2 : len > 1;             \
		return next args;                                              \
	}

/* --- memory ---------------------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

EXPORT void *
malloc(size_t size)
{
	void *p;

	if (fails("malloc", MEMORY, ENOMEM))
		return NULL;
	p = __libc_malloc(size);
	if (p != NULL)
		atomic_fetch_add(&control->blocks, 1);
	return p;
}

EXPORT void *
calloc(size_t count, size_t size)
{
	void *p;

	if (fails("calloc", MEMORY, ENOMEM))
		return NULL;
	p = __libc_calloc(count, size);
	if (p != NULL)
		atomic_fetch_add(&control->blocks, 1);
	return p;
}

EXPORT void *
realloc(void *old, size_t size)
{
	void *p;

	if (fails("realloc", MEMORY, ENOMEM))
		return NULL;
	p = __libc_realloc(old, size);
	if (p != NULL && old == NULL)
		atomic_fetch_add(&control->blocks, 1);
	return p;
}

EXPORT void
free(void *p)
{
	if (p != NULL)
		atomic_fetch_sub(&control->blocks, 1);
	__libc_free(p);
}

WRAP(int, mlock, (const void *at, size_t len), (at, len), MEMORY, ENOMEM, -1)
WRAP(int, mprotect, (void *at, size_t len, int prot), (at, len, prot), MEMORY,
    ENOMEM, -1)

/* --- files ------------------------------------------------------------------ */

EXPORT int
open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	REAL(int, open64, (const char *, int, ...))
	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (fails("open", FILES | INTR, EMFILE))
		return -1;
	return next(path, flags, mode);
}

EXPORT int
openat64(int dir, const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	REAL(int, openat64, (int, const char *, int, ...))
	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
	va_end(ap);
	if (fails("openat", FILES | INTR, ENOSPC))
		return -1;
	return next(dir, path, flags, mode);
}

WRAP_SOME(
    read, (int fd, void *buf, size_t len), (fd, buf, len), FILES | INTR, EIO)

EXPORT ssize_t
write(int fd, const void *buf, size_t len)
{
	ssize_t n;

	REAL(ssize_t, write, (int, const void *, size_t))
	if (!fails("write", FILES | INTR | BYTES, ENOSPC))
		return next(fd, buf, len);
	if (control->how == HOW_SHORT)
		return next(fd, buf, len > 1);
	if (control->how != HOW_DIE)
		return -1;
	n = next(fd, buf, len / 2);
	(void)syscall(SYS_tgkill, getpid(), gettid(), SIGKILL);
	return n;
}

/* A close that fails has closed all the same. */
EXPORT int
close(int fd)
{
	int r;

	REAL(int, close, (int))
	r = next(fd);
	return fails("close", FILES, EIO) ? -1 : r;
}

WRAP(int, fstat64, (int fd, struct stat64 *st), (fd, st), FILES, EIO, -1)
WRAP(int, stat64, (const char *path, struct stat64 *st), (path, st), FILES, EIO,
    -1)
WRAP(int, lstat64, (const char *path, struct stat64 *st), (path, st), FILES,
    EIO, -1)
WRAP(int, fstatat64, (int fd, const char *path, struct stat64 *st, int flags),
    (fd, path, st, flags), FILES, EIO, -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), FILES, EROFS, -1)
WRAP(int, fsync, (int fd), (fd), FILES | INTR, EIO, -1)
WRAP(int, fdatasync, (int fd), (fd), FILES | INTR, EIO, -1)
WRAP(int, ftruncate64, (int fd, off64_t len), (fd, len), FILES | INTR, EIO, -1)
WRAP(off64_t, lseek64, (int fd, off64_t at, int from), (fd, at, from), FILES,
    EIO, -1)
WRAP(
    int, rename, (const char *from, const char *to), (from, to), FILES, EIO, -1)
WRAP(int, renameat, (int a, const char *from, int b, const char *to),
    (a, from, b, to), FILES, EIO, -1)
WRAP(int, unlink, (const char *path), (path), FILES, EIO, -1)
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags),
    FILES, EIO, -1)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), FILES, ENOSPC,
    -1)
WRAP(DIR *, opendir, (const char *path), (path), FILES, EMFILE, NULL)
WRAP(struct dirent64 *, readdir64, (DIR * dir), (dir), FILES, EIO, NULL)

EXPORT int
fcntl64(int fd, int op, ...)
{
	va_list ap;
	long arg;

	REAL(int, fcntl64, (int, int, ...))
	va_start(ap, op);
	arg = va_arg(ap, long);
	va_end(ap);
	if (fails("fcntl", FILES, EMFILE))
		return -1;
	return next(fd, op, arg);
}

/* --- sockets ---------------------------------------------------------------- */

WRAP(int, socket, (int domain, int type, int protocol),
    (domain, type, protocol), SOCKETS, EMFILE, -1)
WRAP(int, bind, (int fd, __CONST_SOCKADDR_ARG sa, socklen_t len), (fd, sa, len),
    SOCKETS, EADDRINUSE, -1)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), SOCKETS, EADDRINUSE, -1)
WRAP(int, connect, (int fd, __CONST_SOCKADDR_ARG sa, socklen_t len),
    (fd, sa, len), SOCKETS | INTR, ECONNREFUSED, -1)
WRAP(int, accept4, (int fd, __SOCKADDR_ARG sa, socklen_t *len, int flags),
    (fd, sa, len, flags), SOCKETS | INTR, EMFILE, -1)
WRAP(int, getsockopt, (int fd, int level, int name, void *val, socklen_t *len),
    (fd, level, name, val, len), SOCKETS, ENOBUFS, -1)
WRAP(int, setsockopt,
    (int fd, int level, int name, const void *val, socklen_t len),
    (fd, level, name, val, len), SOCKETS, ENOBUFS, -1)
WRAP(int, getsockname, (int fd, __SOCKADDR_ARG sa, socklen_t *len),
    (fd, sa, len), SOCKETS, ENOBUFS, -1)
WRAP(int, getpeername, (int fd, __SOCKADDR_ARG sa, socklen_t *len),
    (fd, sa, len), SOCKETS, ENOBUFS, -1)
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
    (domain, type, protocol, fds), SOCKETS, EMFILE, -1)
WRAP_SOME(recv, (int fd, void *buf, size_t len, int flags),
    (fd, buf, len, flags), SOCKETS | INTR, ECONNRESET)
WRAP_SOME(send, (int fd, const void *buf, size_t len, int flags),
    (fd, buf, len, flags), SOCKETS | INTR, EPIPE)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),
    (fd, msg, flags), SOCKETS | INTR, ENOBUFS, -1)
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),
    (fd, msg, flags), SOCKETS | INTR, ENOMEM, -1)

/* --- waiting ----------------------------------------------------------------- */

WRAP(int, epoll_create1, (int flags), (flags), EVENTS, EMFILE, -1)
WRAP(int, epoll_ctl, (int fd, int op, int of, struct epoll_event *e),
    (fd, op, of, e), EVENTS, ENOMEM, -1)
WRAP(int, epoll_wait, (int fd, struct epoll_event *e, int max, int ms),
    (fd, e, max, ms), INTR, EINTR, -1)
WRAP(int, signalfd, (int fd, const sigset_t *mask, int flags),
    (fd, mask, flags), EVENTS, EMFILE, -1)

/* --- processes, time, chance -------------------------------------------------- */

/* Of the calls by number only these fail. */
EXPORT long
syscall(long number, ...)
{
	va_list ap;
	long a[6];

	REAL(long, syscall, (long, ...))
	va_start(ap, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_pidfd_open && fails("pidfd_open", PROCS, EMFILE))
		return -1;
	if (number == SYS_pidfd_send_signal &&
	    fails("pidfd_send_signal", PROCS, EPERM))
		return -1;
	if ((number == SYS_capget || number == SYS_capset ||
		number == SYS_seccomp) &&
	    fails("capabilities or seccomp", PRIVS, EPERM))
		return -1;
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

WRAP(int, clock_gettime, (clockid_t id, struct timespec *ts), (id, ts), CLOCK,
    EINVAL, -1)
WRAP(ssize_t, getrandom, (void *buf, size_t len, unsigned int flags),
    (buf, len, flags), RANDOM, EIO, -1)
WRAP(int, getentropy, (void *buf, size_t len), (buf, len), RANDOM, EIO, -1)

/* --- becoming somebody ---------------------------------------------------------- */

WRAP(int, setresuid, (uid_t r, uid_t e, uid_t s), (r, e, s), PRIVS, EAGAIN, -1)
WRAP(int, setresgid, (gid_t r, gid_t e, gid_t s), (r, e, s), PRIVS, EPERM, -1)
WRAP(int, setgroups, (size_t count, const gid_t *list), (count, list), PRIVS,
    ENOMEM, -1)
WRAP(int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *limit),
    (what, limit), PRIVS, EPERM, -1)
WRAP(int, sigprocmask, (int how, const sigset_t *set, sigset_t *old),
    (how, set, old), PRIVS, EINVAL, -1)

EXPORT int
prctl(int op, ...)
{
	va_list ap;
	unsigned long a[4];

	REAL(int, prctl, (int, ...))
	va_start(ap, op);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (fails("prctl", PRIVS, EPERM))
		return -1;
	return next(op, a[0], a[1], a[2], a[3]);
}
