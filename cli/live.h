/*
 * What the broker has already for somebody who wants to enter a host: a live
 * grant, an open request. What it answers is read from the signed texts, not
 * from the members beside them.
 */
#ifndef LOCKBOX_CLI_LIVE_H
#define LOCKBOX_CLI_LIVE_H

#include <jansson.h>

#include "api.h"
#include "cover.h"

/* What is wanted, as a person says it. */
struct live_wish {
	const char *tenant; /* NULL: the configuration's, or the host's */
	const char *host;
	const char *login; /* NULL: the configuration's, or one's own name */
	const char *key;   /* FILE or SHA256:...; NULL: the one that signs */
	struct lb_services service;
};

/* Make a need of it. All functions here return an enum ending. */
int live_need(
    struct api *api, const struct live_wish *w, struct cover_need *ret);

/*
 * The live grant that covers it and lasts longest. Without one the ending is
 * ENDING_DONE, and *ret is NULL.
 *
 * ret_paper  what it says; written when there is one
 */
int live_grant(struct api *api, const struct cover_need *need, json_t **ret,
    struct lb_grant *ret_paper);

/*
 * The live grants that a session on that host may rest on by now, if it began
 * with that one: itself, and those of the same engineer that end later and
 * list all its services and logins, for hosts let these take its place.
 *
 * ret  an array; may be empty
 */
int live_carriers(struct api *api, const char *host,
    const struct lb_grant *began, const char *began_id, json_t **ret);

/* An open request of one's own that asks for all of it, or NULL. */
int live_request(struct api *api, const struct cover_need *need, json_t **ret);

#endif
