/*
 * What a refused engineer reads: whose door and what is missing, the exact
 * next command, the reference that syslog has too. Pure.
 */
#ifndef LOCKBOX_AGENT_TELL_H
#define LOCKBOX_AGENT_TELL_H

#include <stdint.h>

#include "lockbox/door.h"

struct tell_facts {
	const char *code;    /* doc/codes.md */
	const char *message; /* the broker's, verified; may be empty */
	const char *tenant;  /* may be empty: not known */
	const char *host, *login;
	const char *service; /* what a grant calls it: sshd, sudo, su */
	const char *ref;
};

/* Three lines of printable ASCII, each at most LB_TELL_MAX chars. */
void tell_refusal(
    const struct tell_facts *f, char ret[LB_TELL_LINES][LB_TELL_MAX + 1]);

/* One line: let in without the broker. */
void tell_offline(int64_t not_after, char ret[LB_TELL_LINES][LB_TELL_MAX + 1]);

/* One line: from now on the session ends when this grant ends, too. */
void tell_rests(const char *service, int64_t deadline,
    char ret[LB_TELL_LINES][LB_TELL_MAX + 1]);

#endif
