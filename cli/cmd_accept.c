/* lockbox host accept: root hands a signed bundle to the host's agent. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "commands.h"
#include "files.h"
#include "lockbox/conf.h"
#include "lockbox/door.h"
#include "output.h"

/* The agent's own table: one meaning, one source. */
#include "config.h"

#define ANSWER_S 10 /* seconds that the agent may take */

struct accept_opt {
	const char *conf;
};

static const struct flag accept_flags[] = {
	{ "agent-conf", 0, FLAG_TEXT, offsetof(struct accept_opt, conf), "FILE",
	    "default /etc/lockbox/agent.conf" },
	{ 0 },
};

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
hand_over(int fd, struct lb_buf *text, struct lb_door_accepted *ret)
{
	struct lb_door_accept head = { LB_DOOR_VERSION, LB_DOOR_ACCEPT };
	struct iovec part[2] = {
		{ &head, sizeof(head) },
		{ text->data, text->len },
	};
	const struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };
	struct lb_door_accepted reply;
	ssize_t n;

	if (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0)
		return LB_ERR_IO;
	n = recv(fd, &reply, sizeof(reply), MSG_TRUNC);
	if (n < 0)
		return errno == EAGAIN ? LB_ERR_TIMEOUT : LB_ERR_IO;
	return lb_door_accepted_check(&reply, (size_t)n, ret) == LB_OK
	    ? LB_OK
	    : LB_ERR_PEER;
}

/* In words, for the codes of doc/codes.md that root can do something about. */
static const char *
why_text(const char *code)
{
	static const struct {
		const char *code, *text;
	} row[] = {
		{ "offline_denied",
		    "this host's trust document does not say offline: allow" },
		{ "too_many", "this host keeps as many as it may" },
		{ "grant_host", "it is not for this host" },
		{ "grant_over", "its time is over" },
		{ "grant_revoked", "it was revoked" },
		{ "request_denied", "its request was denied" },
		{ "request_missing",
		    "the engineer's signed request must be in the bundle" },
		{ "approvals_missing", "approvals are missing" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(code, row[i].code) == 0)
			return row[i].text;
	return "it would open nothing here";
}

static int
tell(const struct cli *cli, const struct lb_door_accepted *p)
{
	if (p->refused > 0)
		out_fail(cli, ENDING_FAILED, "%u grants are not kept: %s (%s)",
		    p->refused, why_text(p->why), p->why);
	if (strcmp(p->code, "accepted") == 0) {
		out_line(cli->out,
		    "accepted: %u trust documents, %u grants, %u denies and "
		    "revokes; %u sessions end",
		    p->trusts, p->grants, p->kills, p->ended);
		return ENDING_DONE;
	}
	if (strcmp(p->code, "nothing_new") == 0)
		return p->refused > 0
		    ? ENDING_FAILED
		    : out_fail(cli, ENDING_FAILED,
			  "nothing in it is new here, or signed by somebody "
			  "whom this host's trust document names");
	return out_fail(
	    cli, ENDING_FAILED, "the agent did not take it: %s", p->code);
}

static int
accept_run(struct cli *cli, const void *opt, char **operand)
{
	const struct accept_opt *o = opt;
	const char *path = o->conf != NULL ? o->conf : CONFIG_AGENT;
	struct lb_door_accepted reply = { 0 };
	struct lb_conf_error error = { 0 };
	struct config_agent conf;
	struct lb_buf text = { 0 };
	int rv = ENDING_FAILED, fd = -1;
	enum lb_err r;

	if (geteuid() != 0)
		return out_fail(cli, ENDING_DENIED, "only root does this");
	if (config_agent_load(path, &conf, &error) != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "%s:%zu: %s", path,
		    error.line, error.what);
	if ((r = files_read(operand[0], LB_DOOR_BUNDLE_MAX, &text)) != LB_OK ||
	    text.len == 0)
		rv = out_fail(cli, ENDING_FAILED, "read '%s': %s", operand[0],
		    files_why(r != LB_OK ? r : LB_ERR_FORMAT));
	else if ((r = agent_connect(conf.socket, &fd)) != LB_OK)
		rv = out_fail(cli, ENDING_UNAVAILABLE,
		    "no lockbox-agent at '%s'", conf.socket);
	else if ((r = hand_over(fd, &text, &reply)) != LB_OK)
		rv = out_fail(
		    cli, ENDING_FAILED, "ask lockbox-agent: %s", files_why(r));
	else
		rv = tell(cli, &reply);
	if (fd >= 0)
		(void)close(fd); /* all was said */
	lb_buf_clear(&text);
	return rv;
}

const struct command accept_commands[] = {
	{ "host", "accept", "FILE", 1, 1,
	    "root on the host: hand a signed revoke, deny, trust document or "
	    "grant to the agent",
	    accept_flags, sizeof(struct accept_opt), accept_run,
	    "lockbox host accept revoke.bundle\n"
	    "lockbox host accept grant.bundle\n" },
	{ 0 },
};
