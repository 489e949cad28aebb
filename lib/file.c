/* Opening files that decide, and replacing files as a whole. */
#include "lockbox/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_WRITE (S_IWGRP | S_IWOTH)
#define OTHERS_ANY   (S_IRWXG | S_IRWXO)
#define TMP_TRIES    8
#define TMP_LEN      24 /* ".lockbox-" and 15 hex digits, without NUL */

/* What a file must be. */
struct want {
	uid_t owner;      /* or root */
	mode_t forbidden; /* none of these mode bits */
	size_t max;       /* bytes */
};

/* Close, and leave errno as it was. Accepts -1. */
static void
fd_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
}

/* What openat and fstatat say when the path is not what it should be. */
static enum lb_err
open_error(void)
{
	switch (errno) {
	case ENOENT:
		return LB_ERR_MISSING;
	case ELOOP:   /* a symbolic link where a file should be */
	case ENOTDIR: /* one, or a file, where a directory should be */
	case ENXIO:   /* a socket or FIFO */
	case ENODEV:
		return LB_ERR_UNTRUSTED;
	default:
		return LB_ERR_IO;
	}
}

/*
 * ret_shared  others may put files into the directory: it is sticky, so they
 *             cannot touch those of its owner
 */
static enum lb_err
dir_check(int fd, uid_t owner, bool *ret_shared)
{
	struct stat st;
	bool shared;

	if (fstat(fd, &st) != 0)
		return LB_ERR_IO;
	shared = (st.st_mode & OTHERS_WRITE) != 0;
	if (!S_ISDIR(st.st_mode) || (st.st_uid != 0 && st.st_uid != owner) ||
	    (shared && ((st.st_mode & S_ISVTX) == 0 || st.st_uid != 0)))
		return LB_ERR_UNTRUSTED;
	*ret_shared = shared;
	return LB_OK;
}

static enum lb_err
file_check(const struct stat *st, const struct want *want, bool shared)
{
	if (!S_ISREG(st->st_mode) ||
	    (st->st_uid != 0 && st->st_uid != want->owner) ||
	    (st->st_mode & want->forbidden) != 0)
		return LB_ERR_UNTRUSTED;
	/* Others could have linked an old file of the owner's there. */
	if (shared && st->st_nlink > 1)
		return LB_ERR_UNTRUSTED;
	if (st->st_size < 0 || (uintmax_t)st->st_size > want->max)
		return LB_ERR_RANGE;
	return LB_OK;
}

/*
 * Take the next name off an absolute path. False for "." and "..", for a name
 * too long, and where none is left.
 */
static bool
path_next(const char **path, char ret[static NAME_MAX + 1])
{
	const char *s = *path + strspn(*path, "/");
	size_t len = strcspn(s, "/");

	if (len == 0 || len > NAME_MAX)
		return false;
	memcpy(ret, s, len);
	ret[len] = '\0';
	*path = s + len;
	return strcmp(ret, ".") != 0 && strcmp(ret, "..") != 0;
}

/*
 * Walk down to the directory that holds the last name of path, checking each.
 *
 * ret_dir   O_PATH, owned by the caller
 * ret_name  the last name
 */
static enum lb_err
walk(const char *path, uid_t owner, int *ret_dir,
    char ret_name[static NAME_MAX + 1], bool *ret_shared)
{
	const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	char name[NAME_MAX + 1];
	bool shared;
	int dir = -1, next = -1;
	enum lb_err r = LB_ERR_UNTRUSTED;

	if (path[0] != '/')
		goto out;
	if ((dir = open("/", flags)) < 0) {
		r = LB_ERR_IO;
		goto out;
	}
	for (;;) {
		if ((r = dir_check(dir, owner, &shared)) != LB_OK)
			goto out;
		r = LB_ERR_UNTRUSTED;
		if (!path_next(&path, name))
			goto out;
		if (*path == '\0')
			break;
		if ((next = openat(dir, name, flags)) < 0) {
			r = open_error();
			goto out;
		}
		fd_close(dir);
		dir = next;
	}
	*ret_dir = dir;
	dir = -1; /* handed over */
	memcpy(ret_name, name, sizeof(name));
	*ret_shared = shared;
	r = LB_OK;
out:
	fd_close(dir);
	return r;
}

static enum lb_err
open_wanted(const char *path, const struct want *want, int *ret_fd)
{
	char name[NAME_MAX + 1];
	struct stat st;
	bool shared = false;
	int dir = -1, fd = -1;
	enum lb_err r;

	if ((r = walk(path, want->owner, &dir, name, &shared)) != LB_OK)
		goto out;
	/* Opening a device can already do something: look first. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		r = open_error();
		goto out;
	}
	if ((r = file_check(&st, want, shared)) != LB_OK)
		goto out;
	fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		r = open_error();
		goto out;
	}
	/* What was looked at above may be another file: this one counts. */
	if (fstat(fd, &st) != 0) {
		r = LB_ERR_IO;
		goto out;
	}
	if ((r = file_check(&st, want, shared)) != LB_OK)
		goto out;
	*ret_fd = fd;
	fd = -1; /* handed over */
out:
	fd_close(fd);
	fd_close(dir);
	return r;
}

/* To the end, whatever fstat said: the file may grow or shrink meanwhile. */
static enum lb_err
read_all(int fd, struct lb_buf *b)
{
	char chunk[4096];
	ssize_t n;
	enum lb_err r;

	do {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0)
			r = errno == EINTR ? LB_OK : LB_ERR_IO;
		else
			r = lb_buf_add(b, chunk, (size_t)n);
	} while (r == LB_OK && n != 0);
	explicit_bzero(chunk, sizeof(chunk));
	return r;
}

static enum lb_err
read_wanted(const char *path, const struct want *want, struct lb_buf *ret)
{
	struct lb_buf b = { .max = want->max }; /* also when it grows */
	int fd = -1;
	enum lb_err r;

	if ((r = open_wanted(path, want, &fd)) != LB_OK ||
	    (r = read_all(fd, &b)) != LB_OK ||
	    (r = lb_buf_add(ret, b.data, b.len)) != LB_OK)
		goto out;
out:
	fd_close(fd);
	lb_buf_clear(&b);
	return r;
}

enum lb_err
lb_file_open_trusted(const char *path, uid_t owner, size_t max, int *ret_fd)
{
	const struct want want = { owner, OTHERS_WRITE, max };

	return open_wanted(path, &want, ret_fd);
}

enum lb_err
lb_file_read_trusted(
    const char *path, uid_t owner, size_t max, struct lb_buf *ret)
{
	const struct want want = { owner, OTHERS_WRITE, max };

	return read_wanted(path, &want, ret);
}

enum lb_err
lb_file_read_secret(
    const char *path, uid_t owner, size_t max, struct lb_buf *ret)
{
	const struct want want = { owner, OTHERS_ANY, max };

	return read_wanted(path, &want, ret);
}

enum lb_err
lb_file_write(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return LB_ERR_IO;
		p += n;
		len -= (size_t)n;
	}
	return LB_OK;
}

/* Create a file of a name nobody uses. */
static enum lb_err
tmp_create(int dir, char ret_name[static TMP_LEN + 1], int *ret_fd)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

	for (int i = 0; i < TMP_TRIES; i++) {
		uint64_t n;
		int fd;

		if (getrandom(&n, sizeof(n), 0) != sizeof(n))
			return LB_ERR_IO;
		(void)snprintf(ret_name, TMP_LEN + 1, ".lockbox-%015llx",
		    (unsigned long long)(n >> 4));
		fd = openat(dir, ret_name, flags, S_IRUSR | S_IWUSR);
		if (fd >= 0) {
			*ret_fd = fd;
			return LB_OK;
		}
		if (errno != EEXIST)
			break;
	}
	return LB_ERR_IO;
}

/* Open the directory of path; ret_name is the rest, borrowed from path. */
static enum lb_err
dir_of(const char *path, int *ret_dir, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char dir[PATH_MAX] = ".";
	size_t len = (size_t)(name - path);

	if (*name == '\0' || len >= sizeof(dir)) {
		errno = *name == '\0' ? EISDIR : ENAMETOOLONG;
		return LB_ERR_IO;
	}
	if (len > 0) {
		memcpy(dir, path, len);
		dir[len] = '\0';
	}
	*ret_dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_name = name;
	return *ret_dir < 0 ? LB_ERR_IO : LB_OK;
}

enum lb_err
lb_file_write_atomic(
    const char *path, mode_t mode, const void *bytes, size_t len)
{
	char tmp[TMP_LEN + 1] = "";
	const char *name = NULL;
	int dir = -1, fd = -1, saved;
	enum lb_err r;

	if ((r = dir_of(path, &dir, &name)) != LB_OK ||
	    (r = tmp_create(dir, tmp, &fd)) != LB_OK) {
		tmp[0] = '\0'; /* not there, or not ours */
		goto out;
	}
	if ((r = lb_file_write(fd, bytes, len)) != LB_OK)
		goto out;
	r = LB_ERR_IO;
	if (fchmod(fd, mode) != 0 || fsync(fd) != 0 ||
	    renameat(dir, tmp, dir, name) != 0)
		goto out;
	tmp[0] = '\0'; /* it has become the file */
	if (fsync(dir) != 0)
		goto out;
	r = LB_OK;
out:
	saved = errno;
	if (tmp[0] != '\0')
		(void)unlinkat(dir, tmp, 0); /* nothing more can be done */
	errno = saved;
	fd_close(fd);
	fd_close(dir);
	return r;
}
