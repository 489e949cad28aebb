/* Root's words with this host's agent: one packet there, one back. */
#ifndef LOCKBOX_CLI_AGENT_TALK_H
#define LOCKBOX_CLI_AGENT_TALK_H

#include <stddef.h>
#include <sys/uio.h>

#include "cli.h"
#include "lockbox/door.h"

/* An agent that can be spoken to. */
struct agent_talk {
	const struct cli *cli;
	char socket[108];
};

#define AGENT_CONF_FLAG(at)                                                    \
	{                                                                      \
		"agent-conf", 0, FLAG_TEXT, (at), "FILE",                      \
		    "default /etc/lockbox/agent.conf"                          \
	}

/* By its configuration; NULL: the usual one. Only for root. An enum ending. */
int agent_talk_open(
    const struct cli *cli, const char *conf_path, struct agent_talk *ret);

/* Say it, and receive at most size bytes. An enum ending. */
int agent_talk_exchange(const struct agent_talk *t, struct iovec *part,
    size_t count, void *ret, size_t size, size_t *ret_len);

/* An order about sessions (lockbox/door.h), and what comes of it. */
int agent_talk_order(const struct agent_talk *t, uint32_t phase, int64_t sid,
    struct lb_door_session *ret);

/* It said what no agent of this version says; returns ENDING_FAILED. */
int agent_talk_garbage(const struct agent_talk *t);

#endif
