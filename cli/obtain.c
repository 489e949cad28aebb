/* Comes by a grant: finds it, or asks and waits for it. */
#include "obtain.h"

#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "blanks.h"
#include "grant.h"
#include "live.h"
#include "lockbox/clock.h"
#include "output.h"
#include "request.h"
#include "sign.h"
#include "wait.h"

#define ABOUT_MAX 512 /* bytes, with NUL */

/* Ask anew, with what the need says in place of flags. */
static int
ask_new(struct api *api, const struct cover_need *need,
    const struct compose_flags *ask, struct asked *ret)
{
	struct compose_flags f = *ask;
	char about[ABOUT_MAX];
	struct blanks b;
	int rv;

	f.tenant = need->tenant;
	f.host = (struct flag_list){ 1, { need->host } };
	f.login = (struct flag_list){ 1, { need->login } };
	f.ssh_key = (struct flag_list){ 1, { need->key } };
	(void)snprintf(about, sizeof(about),
	    "no live grant for %s@%s, asking %s", need->login, need->host,
	    need->tenant);
	if ((rv = blanks_fill(api->cli, about, &f, &b)) != ENDING_DONE)
		return rv;
	return asking_send(api, &f, ret);
}

/*
 * Take an open request up, if it is what one's own key signed: a broker that
 * made it up would have its code told to the approver by the engineer.
 */
static bool
open_take(struct api *api, const char *key, json_t *request, struct asked *ret)
{
	struct review *review = malloc(sizeof(*review));
	char fp[LB_KEYFP_LEN + 1];
	bool own;

	own = review != NULL &&
	    request_review(api, request, NULL, review) == ENDING_DONE &&
	    sign_fingerprint(api->cli, key, fp) == ENDING_DONE &&
	    strcmp(review->engineer.fp, fp) == 0;
	if (own) {
		memcpy(ret->id, review->request.request, sizeof(ret->id));
		memcpy(ret->sha256, review->request_id, sizeof(ret->sha256));
		memcpy(ret->code, review->code, sizeof(ret->code));
		ret->reply = json_incref(request);
	}
	free(review);
	return own;
}

/* The request to wait for: one that is open already, or a new one. */
static int
ask_once(struct api *api, const struct cover_need *need,
    const struct compose_flags *ask, struct asked *ret)
{
	const char *key = ask->key != NULL ? ask->key : api->settings.key;
	json_t *open = NULL;
	int rv;

	if ((rv = live_request(api, need, &open)) != ENDING_DONE)
		return rv;
	if (open != NULL && open_take(api, key, open, ret))
		out_note(api->cli, "you have asked for this already");
	else
		rv = ask_new(api, need, ask, ret);
	json_decref(open);
	if (rv != ENDING_DONE || ret->id[0] == '\0')
		return rv;
	out_note(api->cli, "request  %s", ret->id);
	out_note(api->cli, "code     %s", ret->code);
	out_note(api->cli,
	    "waiting for the decision; Ctrl-C stops the waiting, not the "
	    "request");
	return ENDING_DONE;
}

/* Why there will be no grant of this request. */
static int
refused(const struct cli *cli, const json_t *request)
{
	const json_t *denial = json_object_get(request, "denial");
	const char *who = api_str(denial, "principal");
	const char *why = api_str(denial, "reason");

	return out_fail(cli, ENDING_DENIED, "the request is %s%s%s%s%s",
	    api_str(request, "state"), who[0] != '\0' ? " by " : "", who,
	    why[0] != '\0' ? ": " : "", why);
}

/* What was given may say less than was asked for, or begin later. */
static int
given_check(const struct cli *cli, const struct cover_need *need,
    const struct lb_grant *g)
{
	enum cover c = cover_grant(g, need, lb_clock_now());
	struct cover_need plain = *need;
	char at[OUT_TIME_MAX];

	if (c == COVER_SERVICE) {
		/* Enough to enter: the first of a need is sshd. */
		plain.service.count = 1;
		c = cover_grant(g, &plain, lb_clock_now());
		if (c == COVER_ALL)
			out_note(cli, "it was approved without sudo");
	}
	if (c == COVER_ALL)
		return ENDING_DONE;
	if (c != COVER_NOT_YET)
		return out_fail(cli, ENDING_DENIED,
		    "what was approved does not open this: %s", cover_text(c));
	out_time(g->not_before, at);
	return out_fail(cli, ENDING_LATER,
	    "it was approved, but from %s on: run this again then", at);
}

static int
grant_take(struct api *api, const struct cover_need *need, const char *id,
    char ret_id[static LB_SHA256_LEN + 1], struct lb_grant *ret)
{
	json_t *grant = NULL;
	int rv;

	if (!lb_sha256_valid(id))
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker speaks of a grant, and names none");
	if ((rv = grant_fetch(api, id, &grant, ret)) != ENDING_DONE)
		return rv;
	json_decref(grant);
	memcpy(ret_id, id, LB_SHA256_LEN + 1);
	return given_check(api->cli, need, ret);
}

static int
ask_and_wait(struct api *api, const struct cover_need *need,
    const struct compose_flags *ask, char ret_id[static LB_SHA256_LEN + 1],
    struct lb_grant *ret)
{
	int64_t until = ask->timeout != 0 ? lb_clock_now() + ask->timeout : 0;
	struct asked asked = { 0 };
	json_t *request = NULL;
	int rv;

	if ((rv = ask_once(api, need, ask, &asked)) != ENDING_DONE)
		return rv;
	if (asked.id[0] == '\0') {
		rv = grant_take(
		    api, need, api_str(asked.reply, "id"), ret_id, ret);
	} else {
		rv = wait_decided(api, asked.id, asked.sha256, until, &request);
		if (rv == ENDING_DONE)
			rv = grant_take(
			    api, need, api_str(request, "grant"), ret_id, ret);
		else if (rv == ENDING_DENIED && request != NULL)
			rv = refused(api->cli, request);
	}
	json_decref(request);
	asking_clear(&asked);
	return rv;
}

int
obtain_grant(struct api *api, const struct cover_need *need,
    const struct compose_flags *ask, bool only,
    char ret_id[static LB_SHA256_LEN + 1], struct lb_grant *ret)
{
	json_t *grant = NULL;
	int rv;

	ret_id[0] = '\0';
	if ((rv = live_grant(api, need, &grant, ret)) != ENDING_DONE)
		return rv;
	if (grant != NULL)
		memcpy(ret_id, api_str(grant, "id"), LB_SHA256_LEN + 1);
	else if (!only)
		rv = ask_and_wait(api, need, ask, ret_id, ret);
	json_decref(grant);
	return rv;
}
