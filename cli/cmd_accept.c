/* lockbox host accept: root hands a signed bundle to the host's agent. */
#include <string.h>

#include "agent_talk.h"
#include "commands.h"
#include "files.h"
#include "output.h"

struct accept_opt {
	const char *conf;
};

static const struct flag accept_flags[] = {
	AGENT_CONF_FLAG(offsetof(struct accept_opt, conf)),
	{ 0 },
};

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
hand_over(const struct agent_talk *t, struct lb_buf *text,
    struct lb_door_accepted *ret)
{
	struct lb_door_accept head = { LB_DOOR_VERSION, LB_DOOR_ACCEPT };
	struct iovec part[2] = {
		{ &head, sizeof(head) },
		{ text->data, text->len },
	};
	struct lb_door_accepted reply;
	size_t len;
	int rv;

	rv = agent_talk_exchange(t, part, 2, &reply, sizeof(reply), &len);
	if (rv == ENDING_DONE &&
	    lb_door_accepted_check(&reply, len, ret) != LB_OK)
		rv = agent_talk_garbage(t);
	return rv;
}

static int
accept_run(struct cli *cli, const void *opt, char **operand)
{
	const struct accept_opt *o = opt;
	struct lb_door_accepted reply = { 0 };
	struct lb_buf text = { 0 };
	struct agent_talk t;
	enum lb_err r;
	int rv;

	if ((rv = agent_talk_open(cli, o->conf, &t)) != ENDING_DONE)
		return rv;
	if ((r = files_read(operand[0], LB_DOOR_BUNDLE_MAX, &text)) != LB_OK ||
	    text.len == 0)
		rv = out_fail(cli, ENDING_FAILED, "read '%s': %s", operand[0],
		    files_why(r != LB_OK ? r : LB_ERR_FORMAT));
	else if ((rv = hand_over(&t, &text, &reply)) == ENDING_DONE)
		rv = tell(cli, &reply);
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
