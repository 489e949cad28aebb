/* lockbox grant ls, show, revoke, return, stop. */
#include <stdlib.h>
#include <string.h>

#include "closing.h"
#include "commands.h"
#include "grant.h"
#include "lockbox/clock.h"
#include "output.h"
#include "pin.h"

struct grant_opt {
	const char *state, *tenant, *host, *key, *reason;
	int64_t limit;
};

#define O(member) offsetof(struct grant_opt, member)
static const struct flag ls_flags[] = {
	{ "state", 0, FLAG_TEXT, O(state), "STATE", "only those" },
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "only that customer's" },
	{ "host", 0, FLAG_TEXT, O(host), "HOST", "only for that host" },
	{ "limit", 0, FLAG_NUMBER, O(limit), "N",
	    "at most that many (default 50)" },
	{ 0 },
};

static const struct flag revoke_flags[] = {
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT",
	    "why, as the engineer will read it" },
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "private key, or .pub of one in ssh-agent" },
	{ 0 },
};

static const struct flag stop_flags[] = {
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT", "why (needed)" },
	{ 0 },
};
#undef O

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct grant_opt *o = opt;
	struct lb_buf query = { 0 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_filters(&api, o->state, o->tenant, o->host, &query)) ==
		ENDING_DONE &&
	    (rv = api_list(&api, "/v1/grants", query.data,
		 o->limit != 0 ? (size_t)o->limit : API_LIST_DEFAULT,
		 &items)) == ENDING_DONE)
		rv = grant_print_list(cli, items);
	json_decref(items);
	lb_buf_clear(&query);
	api_close(&api);
	return rv;
}

/* Do its approvals count for the customer: said beside what the broker says. */
static int
approvals_tell(struct api *api, const struct lb_trust *trust,
    const struct lb_part *part, const struct lb_grant *grant)
{
	struct lb_quorum *q = calloc(1, sizeof(*q));
	const struct cli *cli = api->cli;

	if (q == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	lb_trust_count_approvals(trust, part, grant, lb_clock_now(), q);
	if (q->reached)
		out_note(cli, "checked here: %zu of %zu approvals count%s",
		    q->counted, q->needed,
		    q->by_delegate ? " (by a delegate)" : "");
	else
		out_note(cli,
		    "checked here: it opens nothing now (%s: %zu of "
		    "%zu count)",
		    q->code != NULL ? q->code : "unknown", q->counted,
		    q->needed);
	free(q);
	return ENDING_DONE;
}

static int
approvals_check(struct api *api, const char *id, const struct lb_grant *grant)
{
	struct grant_papers papers = { 0 };
	struct lb_trust *trust = NULL;
	bool pinned;
	int rv;

	if ((rv = grant_papers_fetch(api, id, &papers)) == ENDING_DONE &&
	    (rv = pin_fetch(api, grant->tenant, &trust, &pinned)) ==
		ENDING_DONE)
		rv = approvals_tell(api, trust, papers.part, grant);
	lb_trust_free(trust);
	grant_papers_clear(&papers);
	return rv;
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct lb_grant paper;
	struct api api = { 0 };
	json_t *grant = NULL;
	int rv;

	(void)opt;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = grant_fetch(&api, operand[0], &grant, &paper)) ==
		ENDING_DONE &&
	    (rv = grant_print(cli, grant)) == ENDING_DONE &&
	    (rv = approvals_check(&api, api_str(grant, "id"), &paper)) ==
		ENDING_DONE &&
	    strcmp(api_str(grant, "state"), "active") == 0)
		grant_hint(cli, grant);
	json_decref(grant);
	api_close(&api);
	return rv;
}

/* The three ways to end one, by what closes it. */
static int
close_by(struct cli *cli, const struct grant_opt *o, const char *typed,
    int (*by)(struct api *, const struct grant_opt *, const json_t *,
	const struct lb_grant *, json_t **))
{
	json_t *grant = NULL, *reply = NULL;
	struct lb_grant paper;
	struct api api = { 0 };
	int rv;

	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = grant_fetch(&api, typed, &grant, &paper)) == ENDING_DONE &&
	    (rv = by(&api, o, grant, &paper, &reply)) == ENDING_DONE)
		rv = grant_print(cli, reply);
	json_decref(reply);
	json_decref(grant);
	api_close(&api);
	return rv;
}

static int
by_revoke(struct api *api, const struct grant_opt *o, const json_t *grant,
    const struct lb_grant *paper, json_t **ret)
{
	return closing_revoke(api, o->key, o->reason, grant, paper, ret);
}

static int
by_return(struct api *api, const struct grant_opt *o, const json_t *grant,
    const struct lb_grant *paper, json_t **ret)
{
	(void)o;
	(void)paper;
	return closing_return(api, grant, ret);
}

static int
by_stop(struct api *api, const struct grant_opt *o, const json_t *grant,
    const struct lb_grant *paper, json_t **ret)
{
	(void)paper;
	return closing_stop(api, o->reason, grant, ret);
}

static int
revoke_run(struct cli *cli, const void *opt, char **operand)
{
	return close_by(cli, opt, operand[0], by_revoke);
}

static int
return_run(struct cli *cli, const void *opt, char **operand)
{
	return close_by(cli, opt, operand[0], by_return);
}

static int
stop_run(struct cli *cli, const void *opt, char **operand)
{
	const struct grant_opt *o = opt;

	if (o->reason == NULL)
		return out_fail(cli, ENDING_USAGE, "--reason is needed");
	return close_by(cli, opt, operand[0], by_stop);
}

const struct command grant_commands[] = {
	{ "grant", "ls", NULL, 0, 0, "list grants, newest first", ls_flags,
	    sizeof(struct grant_opt), ls_run,
	    "lockbox grant ls --state active\n" },
	{ "grant", "show", "ID", 1, 1,
	    "show one grant, and check its approvals here", NULL, 0, show_run,
	    "lockbox grant show 3fe1\n" },
	{ "grant", "revoke", "ID", 1, 1,
	    "a customer: end a grant and its sessions, by signature",
	    revoke_flags, sizeof(struct grant_opt), revoke_run,
	    "lockbox grant revoke 3fe1 --reason \"not needed any more\"\n" },
	{ "grant", "return", "ID", 1, 1, "an engineer: hand a grant back early",
	    NULL, 0, return_run, "lockbox grant return 3fe1\n" },
	{ "grant", "stop", "ID", 1, 1,
	    "a manager of the provider: stop a grant", stop_flags,
	    sizeof(struct grant_opt), stop_run,
	    "lockbox grant stop 3fe1 --reason \"wrong host\"\n" },
	{ 0 },
};
