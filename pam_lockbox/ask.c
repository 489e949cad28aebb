/* One packet to the agent, one back, one with what became of it. */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lockbox/verdict.h"

#define ASK_BUSY_NAP_MS 10   /* between tries when the backlog is full */
#define PASSWD_MAX      8192 /* bytes of one entry */

enum lb_err
ask_fill(const struct login *l, enum lb_phase phase, bool exempt_rule,
    struct lb_door_ask *ret)
{
	struct lb_door_ask a = { 0 };
	enum lb_err r;

	a.version = LB_DOOR_VERSION;
	a.phase = phase;
	a.exempt_rule = exempt_rule;
	a.auth_info_known = l->auth_info[0] != '\0';
	if ((r = lb_text_copy(a.service, sizeof(a.service), l->service)) !=
		LB_OK ||
	    (r = lb_text_copy(a.login, sizeof(a.login), l->user)) != LB_OK ||
	    (r = lb_text_copy(a.ruser, sizeof(a.ruser), l->ruser)) != LB_OK ||
	    (r = lb_text_copy(a.rhost, sizeof(a.rhost), l->rhost)) != LB_OK ||
	    (r = lb_text_copy(a.tty, sizeof(a.tty), l->tty)) != LB_OK ||
	    (r = lb_text_copy(
		 a.auth_info, sizeof(a.auth_info), l->auth_info)) != LB_OK)
		return r;
	/* The agent's own check, so that both sides agree on what is well
	 * formed, and a refusal names the login and not the agent. */
	return lb_door_ask_check(&a, sizeof(a), ret);
}

static enum lb_err
connect_error(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
	case ECONNRESET:
	case EACCES:
	case EPERM:
	case EPROTOTYPE:
	case ELOOP:
		return LB_ERR_UNREACHABLE;
	default:
		return LB_ERR_IO;
	}
}

/*
 * A full backlog gives EAGAIN at once on a non-blocking unix socket, and
 * nothing to poll for: try again until the deadline.
 */
static enum lb_err
connect_within(int fd, const char *path, const struct deadline *d)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	enum lb_err r;

	r = lb_text_copy(sa.sun_path, sizeof(sa.sun_path), path);
	if (r != LB_OK)
		return r;
	while (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return connect_error(errno);
		if (deadline_left_ms(d) == 0)
			return LB_ERR_TIMEOUT;
		if (errno == EAGAIN)
			deadline_nap(d, ASK_BUSY_NAP_MS);
	}
	return LB_OK;
}

/* Only root, or the user that the agent runs as, may answer. */
static enum lb_err
peer_check(int fd, const char *agent_user)
{
	char buf[PASSWD_MAX];
	struct passwd pw, *found = NULL;
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    len != sizeof(peer))
		return LB_ERR_IO;
	if (peer.uid == 0)
		return LB_OK;
	if (getpwnam_r(agent_user, &pw, buf, sizeof(buf), &found) != 0 ||
	    found == NULL || strcmp(found->pw_name, agent_user) != 0 ||
	    found->pw_uid != peer.uid)
		return LB_ERR_UNTRUSTED;
	return LB_OK;
}

static enum lb_err
agent_open(const struct options *opt, const struct deadline *d, int *ret_fd)
{
	enum lb_err r;
	int fd;

	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return LB_ERR_IO;
	if ((r = connect_within(fd, opt->socket, d)) != LB_OK ||
	    (r = peer_check(fd, opt->agent_user)) != LB_OK)
		goto out;
	*ret_fd = fd;
	fd = -1; /* handed over */
out:
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* The other side is gone, or it is our own system that fails. */
static enum lb_err
stream_error(int error)
{
	if (error == EPIPE || error == ECONNRESET || error == ENOTCONN ||
	    error == ECONNREFUSED)
		return LB_ERR_UNREACHABLE;
	return LB_ERR_IO;
}

static enum lb_err
ask_send(
    int fd, const struct lb_door_ask *ask, int pidfd, const struct deadline *d)
{
	struct lb_door_ask copy = *ask; /* an iovec takes no const */
	struct iovec iov = { &copy, sizeof(copy) };
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
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	enum lb_err r;
	ssize_t n;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pidfd, sizeof(int));
	for (;;) {
		n = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == (ssize_t)sizeof(copy))
			return LB_OK;
		if (n >= 0)
			return LB_ERR_IO;
		if (errno != EINTR && errno != EAGAIN)
			return stream_error(errno);
		if ((r = deadline_wait(d, fd, POLLOUT)) != LB_OK)
			return r;
	}
}

static enum lb_err
reply_receive(int fd, const struct deadline *d, struct lb_door_reply *ret)
{
	struct lb_door_reply reply;
	enum lb_err r;
	ssize_t n;

	for (;;) {
		if ((r = deadline_wait(d, fd, POLLIN)) != LB_OK)
			return r;
		/* MSG_TRUNC: the packet's own length, however long. */
		n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
		if (n > 0)
			break;
		if (n == 0)
			return LB_ERR_UNREACHABLE;
		if (errno != EINTR && errno != EAGAIN)
			return stream_error(errno);
	}
	if (lb_door_reply_check(&reply, (size_t)n, ret) != LB_OK)
		return LB_ERR_PEER;
	return LB_OK;
}

/* Well formed; but is it an answer to this ask? */
static bool
reply_fits(const struct lb_door_ask *ask, const struct lb_door_reply *reply)
{
	if (reply->phase != ask->phase)
		return false;
	if (reply->exempt && !ask->exempt_rule)
		return false;
	/* Only sshd's account phase is followed by one that looks again. */
	if (reply->provisional &&
	    (ask->phase != LB_PHASE_ACCOUNT ||
		strcmp(ask->service, "sshd") != 0))
		return false;
	return true;
}

static enum lb_err
ask_open(const struct options *opt, const struct lb_door_ask *ask,
    const struct deadline *d, int *ret_fd)
{
	int fd = -1, pidfd;
	enum lb_err r;

	if ((pidfd = pidfd_open(getpid(), 0)) < 0)
		return LB_ERR_IO;
	if ((r = agent_open(opt, d, &fd)) != LB_OK ||
	    (r = ask_send(fd, ask, pidfd, d)) != LB_OK)
		goto out;
	*ret_fd = fd;
	fd = -1; /* handed over */
out:
	(void)close(pidfd);
	if (fd >= 0)
		(void)close(fd);
	return r;
}

enum lb_err
ask_agent(const struct options *opt, const struct lb_door_ask *ask,
    const struct deadline *d, int *ret_fd, struct lb_door_reply *ret)
{
	struct lb_door_reply reply;
	enum lb_err r;
	int fd = -1;

	if ((r = ask_open(opt, ask, d, &fd)) != LB_OK ||
	    (r = reply_receive(fd, d, &reply)) != LB_OK)
		goto out;
	if (!reply_fits(ask, &reply)) {
		r = LB_ERR_PEER;
		goto out;
	}
	*ret = reply;
	*ret_fd = fd;
	fd = -1; /* handed over */
out:
	if (fd >= 0)
		(void)close(fd);
	return r;
}

enum lb_err
ask_tell(const struct options *opt, const struct lb_door_ask *ask,
    const struct deadline *d)
{
	enum lb_err r;
	int fd = -1;

	if ((r = ask_open(opt, ask, d, &fd)) == LB_OK)
		(void)close(fd);
	return r;
}

void
ask_final(int fd, const struct lb_door_final *final)
{
	ssize_t n;

	do
		n = send(
		    fd, final, sizeof(*final), MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
}
