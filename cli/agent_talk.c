/* Speaking with lockbox-agent as root. */
#include "agent_talk.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "files.h"
#include "lockbox/conf.h"
#include "output.h"

/* The agent's own table: one meaning, one source. */
#include "config.h"

#define ANSWER_S 10 /* seconds that the agent may take */

int
agent_talk_open(
    const struct cli *cli, const char *conf_path, struct agent_talk *ret)
{
	const char *path = conf_path != NULL ? conf_path : CONFIG_AGENT;
	struct lb_conf_error error = { 0 };
	struct config_agent conf;

	if (geteuid() != 0)
		return out_fail(cli, ENDING_DENIED, "only root does this");
	if (config_agent_load(path, &conf, &error) != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "%s:%zu: %s", path,
		    error.line, error.what);
	ret->cli = cli;
	if (lb_text_copy(ret->socket, sizeof(ret->socket), conf.socket) !=
	    LB_OK)
		return out_fail(cli, ENDING_CONFIG,
		    "%s: the socket's path is too long", path);
	return ENDING_DONE;
}

static enum lb_err
agent_connect(const char *path, int *ret_fd)
{
	const struct timeval wait = { .tv_sec = ANSWER_S };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	enum lb_err r;
	int fd;

	if ((r = lb_text_copy(sun.sun_path, sizeof(sun.sun_path), path)) !=
	    LB_OK)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return LB_ERR_IO;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		(void)close(fd); /* said nothing */
		return LB_ERR_UNREACHABLE;
	}
	*ret_fd = fd;
	return LB_OK;
}

/* One packet there, one back. */
static enum lb_err
exchange(int fd, struct iovec *part, size_t count, void *ret, size_t size,
    size_t *ret_len)
{
	const struct msghdr msg = { .msg_iov = part, .msg_iovlen = count };
	ssize_t n;

	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		return LB_ERR_IO;
	n = recv(fd, ret, size, MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN ? LB_ERR_TIMEOUT : LB_ERR_IO;
	*ret_len = (size_t)n;
	return LB_OK;
}

int
agent_talk_exchange(const struct agent_talk *t, struct iovec *part,
    size_t count, void *ret, size_t size, size_t *ret_len)
{
	enum lb_err r;
	int fd;

	if ((r = agent_connect(t->socket, &fd)) != LB_OK)
		return out_fail(t->cli, ENDING_UNAVAILABLE,
		    "no lockbox-agent at '%s'", t->socket);
	r = exchange(fd, part, count, ret, size, ret_len);
	(void)close(fd); /* all was said */
	if (r != LB_OK)
		return out_fail(t->cli, ENDING_FAILED, "ask lockbox-agent: %s",
		    files_why(r));
	return ENDING_DONE;
}

int
agent_talk_garbage(const struct agent_talk *t)
{
	return out_fail(t->cli, ENDING_FAILED, "ask lockbox-agent: %s",
	    files_why(LB_ERR_PEER));
}

int
agent_talk_order(const struct agent_talk *t, uint32_t phase, int64_t sid,
    struct lb_door_session *ret)
{
	struct lb_door_order order = { LB_DOOR_VERSION, phase, sid };
	struct iovec part = { &order, sizeof(order) };
	struct lb_door_session reply;
	size_t len;
	int rv;

	rv = agent_talk_exchange(t, &part, 1, &reply, sizeof(reply), &len);
	if (rv != ENDING_DONE)
		return rv;
	if (lb_door_session_check(&reply, len, ret) != LB_OK ||
	    ret->phase != phase)
		return agent_talk_garbage(t);
	return ENDING_DONE;
}
