/* The module's packets, and whose they are. */
#include "door.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "procs.h"

enum lb_err
door_accept(int listen_fd, struct door_peer *ret)
{
	struct ucred who;
	socklen_t len = sizeof(who);
	int fd;

	fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM
		    ? LB_ERR_LIMIT
		    : LB_ERR_STATE;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0 ||
	    len != sizeof(who) || who.uid != 0 || who.pid <= 0) {
		(void)close(fd); /* told nothing */
		return LB_ERR_FORBIDDEN;
	}
	*ret = (struct door_peer){ .fd = fd, .pidfd = -1, .pid = who.pid };
	return LB_OK;
}

void
door_peer_close(struct door_peer *p)
{
	if (p->pidfd >= 0)
		(void)close(p->pidfd); /* only names a process */
	if (p->fd >= 0)
		(void)close(p->fd); /* all was said */
	p->fd = p->pidfd = -1;
}

/* Room for more descriptors than anybody sends, to close them all. */
#define FDS_MAX 8

/* Take the descriptors out of a message: the only one, or none is kept. */
static int
only_descriptor(struct msghdr *msg)
{
	int fds[FDS_MAX], kept = -1;
	size_t count = 0, n;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n && count < FDS_MAX; i++)
			memcpy(&fds[count++], CMSG_DATA(c) + i * sizeof(int),
			    sizeof(int));
	}
	if (count == 1 && (msg->msg_flags & MSG_CTRUNC) == 0)
		kept = fds[0];
	for (size_t i = 0; i < count; i++)
		if (fds[i] != kept)
			(void)close(fds[i]); /* not asked for */
	return kept;
}

/* One packet; *fd is -1 when not exactly one descriptor came along. */
static enum lb_err
receive(int fd, void *buf, size_t size, size_t *ret_len, int *ret_fd)
{
	union {
		struct cmsghdr head; /* aligns */
		char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { buf, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;

	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? LB_ERR_STATE
							 : LB_ERR_PEER;
	*ret_fd = only_descriptor(&msg);
	if (n == 0 || (msg.msg_flags & MSG_TRUNC) != 0) {
		if (*ret_fd >= 0)
			(void)close(*ret_fd); /* came with nothing */
		return n == 0 ? LB_ERR_PEER : LB_ERR_FORMAT;
	}
	*ret_len = (size_t)n;
	return LB_OK;
}

static enum lb_err
root_word(const char *buf, size_t len, struct door_word *ret)
{
	if (lb_door_order_check(buf, len, &ret->order) == LB_OK)
		return LB_OK;
	return lb_door_accept_check(
	    buf, len, &ret->bundle.text, &ret->bundle.len);
}

enum lb_err
door_receive_ask(
    struct door_peer *p, struct lb_door_ask *ret, struct door_word *ret_word)
{
	/* Large; one thread. */
	static char buf[sizeof(struct lb_door_accept) + LB_DOOR_BUNDLE_MAX];
	enum lb_err r;
	size_t len;
	pid_t pid;
	int fd;

	*ret_word = (struct door_word){ 0 };
	if ((r = receive(p->fd, buf, sizeof(buf), &len, &fd)) != LB_OK)
		return r;
	if (fd < 0)
		return root_word(buf, len, ret_word);
	p->pidfd = fd; /* closed with the peer */
	if (lb_door_ask_check(buf, len, ret) != LB_OK)
		return LB_ERR_FORMAT;
	r = procs_pidfd_pid(fd, &pid);
	if (r == LB_ERR_MISSING) /* a close is often said while leaving */
		return ret->phase == LB_PHASE_CLOSE ? LB_OK : LB_ERR_PEER;
	return r == LB_OK && pid == p->pid ? LB_OK : LB_ERR_FORBIDDEN;
}

/* One packet. */
static enum lb_err
reply_with(const struct door_peer *p, const void *reply, size_t size)
{
	ssize_t n;

	n = send(p->fd, reply, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == (ssize_t)size ? LB_OK : LB_ERR_PEER;
}

enum lb_err
door_reply_accepted(
    const struct door_peer *p, const struct lb_door_accepted *reply)
{
	return reply_with(p, reply, sizeof(*reply));
}

enum lb_err
door_reply_session(
    const struct door_peer *p, const struct lb_door_session *reply)
{
	return reply_with(p, reply, sizeof(*reply));
}

enum lb_err
door_receive_final(const struct door_peer *p, struct lb_door_final *ret)
{
	struct lb_door_final buf;
	enum lb_err r;
	size_t len;
	int fd;

	if ((r = receive(p->fd, &buf, sizeof(buf), &len, &fd)) != LB_OK)
		return r;
	if (fd >= 0)
		(void)close(fd); /* a final has none */
	return lb_door_final_check(&buf, len, ret);
}

enum lb_err
door_reply(const struct door_peer *p, const struct lb_door_reply *reply)
{
	return reply_with(p, reply, sizeof(*reply));
}
