/*
 * Is what somebody wants to do at a door allowed by a grant, or asked for by a
 * request? Pure: no input or output, no clock of its own.
 */
#ifndef LOCKBOX_CLI_COVER_H
#define LOCKBOX_CLI_COVER_H

#include <stdbool.h>
#include <stdint.h>

#include "lockbox/papers.h"

/* One person, with one key, at one door. */
struct cover_need {
	char tenant[LB_NAME_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	char key[LB_KEYFP_LEN + 1];
	char host[LB_HOST_MAX + 1];
	char login[LB_LOGIN_MAX + 1];
	struct lb_services service; /* all of them */
};

/* Whether a grant covers it, or the first thing that is in the way. */
enum cover {
	COVER_ALL = 0,
	COVER_TENANT,
	COVER_ENGINEER,
	COVER_KEY,
	COVER_HOST,
	COVER_LOGIN,
	COVER_SERVICE,
	COVER_NOT_YET, /* everything else fits */
	COVER_OVER,
};

/* now in UNIX seconds. What the grant's approvals are worth is not seen. */
enum cover cover_grant(
    const struct lb_grant *g, const struct cover_need *need, int64_t now);

/* Would a grant to all that this request asks for, given now, cover it? */
bool cover_request(
    const struct lb_request *q, const struct cover_need *need, int64_t now);

/* For people: "another login", "not yet". */
const char *cover_text(enum cover c);

#endif
