/* Sockets from and messages to the service manager. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lockbox/text.h"

#define LISTEN_FD 3 /* the first that is passed in */
#define BACKLOG   1024

static struct {
	int fd;
	int64_t watchdog_ms;
} manager = { -1, 0 };

/* A number from the environment; -1 when it is not there or none. */
static int64_t
env_number(const char *name)
{
	const char *s = getenv(name);
	int64_t v;

	if (s == NULL || lb_number_parse(s, 0, INT64_MAX, &v) != LB_OK)
		return -1;
	return v;
}

/* The one socket that is passed in; LB_ERR_MISSING when none is. */
static enum lb_err
passed_in(int type, int *ret_fd)
{
	int got, listening;
	socklen_t len = sizeof(int);

	if (env_number("LISTEN_PID") != getpid())
		return LB_ERR_MISSING;
	if (env_number("LISTEN_FDS") != 1 ||
	    getsockopt(LISTEN_FD, SOL_SOCKET, SO_TYPE, &got, &len) != 0 ||
	    got != type)
		return LB_ERR_STATE;
	len = sizeof(int);
	if (getsockopt(
		LISTEN_FD, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 ||
	    listening != 1)
		return LB_ERR_STATE;
	if (fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) != 0)
		return LB_ERR_IO;
	*ret_fd = LISTEN_FD;
	return LB_OK;
}

/* Take away a socket that an earlier run left. */
static enum lb_err
clear_path(const char *path)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? LB_OK : LB_ERR_IO;
	if (!S_ISSOCK(st.st_mode))
		return LB_ERR_CONFLICT;
	return unlink(path) == 0 ? LB_OK : LB_ERR_IO;
}

static enum lb_err
make_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[108];

	if (slash == NULL || (size_t)(slash - path) >= sizeof(dir))
		return LB_ERR_RANGE;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	if (dir[0] == '\0' || mkdir(dir, 0755) == 0 || errno == EEXIST)
		return LB_OK;
	return LB_ERR_IO;
}

static enum lb_err
bind_at(int fd, const char *path, uid_t owner)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t old;
	int rc;

	memcpy(sun.sun_path, path, strlen(path) + 1);
	old = umask(0177);
	rc = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
	(void)umask(old); /* cannot fail */
	if (rc != 0 || listen(fd, BACKLOG) != 0)
		return LB_ERR_IO;
	if (owner != geteuid() && lchown(path, owner, (gid_t)-1) != 0)
		return LB_ERR_IO;
	return LB_OK;
}

enum lb_err
service_listen(const char *path, int type, uid_t owner, int *ret_fd)
{
	int fd = -1;
	enum lb_err r;

	if ((r = passed_in(type, ret_fd)) != LB_ERR_MISSING)
		return r;
	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return LB_ERR_RANGE;
	if ((r = make_directory(path)) != LB_OK ||
	    (r = clear_path(path)) != LB_OK)
		return r;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return LB_ERR_IO;
	if ((r = bind_at(fd, path, owner)) != LB_OK) {
		(void)close(fd); /* nobody came yet */
		return r;
	}
	*ret_fd = fd;
	return LB_OK;
}

void
service_open(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int64_t usec = env_number("WATCHDOG_USEC");
	size_t len;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    (len = strlen(path)) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* abstract */
	manager.fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (manager.fd < 0)
		return;
	if (connect(manager.fd, (struct sockaddr *)&sun,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) !=
	    0) {
		(void)close(manager.fd); /* nobody there */
		manager.fd = -1;
		return;
	}
	if (usec > 0)
		manager.watchdog_ms = usec / 2000; /* twice as often */
}

void
service_tell(const char *what)
{
	if (manager.fd >= 0)
		(void)send(manager.fd, what, strlen(what),
		    MSG_NOSIGNAL | MSG_DONTWAIT); /* the next one may arrive */
}

int64_t
service_watchdog_ms(void)
{
	return manager.watchdog_ms;
}
