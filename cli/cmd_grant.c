/* lockbox grant ls, show, revoke, return, stop. */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "decide.h"
#include "grant.h"
#include "lockbox/clock.h"
#include "output.h"
#include "pin.h"
#include "sign.h"

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

/* Sign the revocation, see that it counts, send it. */
static int
revoke(struct api *api, const struct grant_opt *o, const json_t *grant,
    const struct lb_grant *paper, json_t **ret)
{
	const char *text = api_str(grant, "text");
	struct review review = { .grant = *paper };
	struct lb_trust *trust = NULL;
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig;
	char key[PATH_MAX];
	bool pinned;
	int rv;

	if ((rv = decide_reason(api->cli, o->reason)) != ENDING_DONE ||
	    (rv = decide_key(api, o->key, key)) != ENDING_DONE ||
	    (rv = pin_fetch(api, paper->tenant, &trust, &pinned)) !=
		ENDING_DONE)
		goto out;
	decide_show_text(api->cli, text, strlen(text), LB_NS_REVOKE);
	if (!out_confirm(api->cli, "Revoke it, and end its sessions?")) {
		rv = out_fail(api->cli, ENDING_FAILED, "nothing was signed");
		goto out;
	}
	rv = sign_text(
	    api->cli, key, LB_NS_REVOKE, text, strlen(text), &armor, &sig);
	if (rv != ENDING_DONE)
		goto out;
	if (review_signer(&review, trust, &sig, LB_NS_REVOKE, lb_clock_now()) !=
	    LB_OK) {
		rv = out_fail(api->cli, ENDING_DENIED,
		    "the signature would not count: %s; nothing was sent",
		    review.what);
		goto out;
	}
	rv = api_post(api,
	    json_pack(
		"{s:s, s:s*}", "signature", armor.data, "reason", o->reason),
	    ret, "/v1/grants/%s/revoke", api_str(grant, "id"));
out:
	lb_trust_free(trust);
	lb_buf_clear(&armor);
	return rv;
}

static int
revoke_run(struct cli *cli, const void *opt, char **operand)
{
	json_t *grant = NULL, *reply = NULL;
	struct lb_grant paper;
	struct api api = { 0 };
	int rv;

	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = grant_fetch(&api, operand[0], &grant, &paper)) ==
		ENDING_DONE &&
	    (rv = revoke(&api, opt, grant, &paper, &reply)) == ENDING_DONE)
		rv = grant_print(cli, reply);
	json_decref(reply);
	json_decref(grant);
	api_close(&api);
	return rv;
}

/* Return and stop: closing needs only the broker. body is stolen. */
static int
close_by(struct cli *cli, const char *typed, const char *verb, json_t *body)
{
	json_t *grant = NULL, *reply = NULL;
	struct api api = { 0 };
	int rv;

	if ((rv = api_open(cli, true, &api)) != ENDING_DONE) {
		json_decref(body);
		return rv;
	}
	if ((rv = grant_fetch(&api, typed, &grant, NULL)) == ENDING_DONE) {
		rv = api_post(&api, json_incref(body), &reply,
		    "/v1/grants/%s/%s", api_str(grant, "id"), verb);
		if (rv == ENDING_DONE)
			rv = grant_print(cli, reply);
	}
	json_decref(reply);
	json_decref(grant);
	json_decref(body);
	api_close(&api);
	return rv;
}

static int
return_run(struct cli *cli, const void *opt, char **operand)
{
	(void)opt;
	return close_by(cli, operand[0], "return", json_object());
}

static int
stop_run(struct cli *cli, const void *opt, char **operand)
{
	const struct grant_opt *o = opt;
	int rv;

	if (o->reason == NULL)
		return out_fail(cli, ENDING_USAGE, "--reason is needed");
	if ((rv = decide_reason(cli, o->reason)) != ENDING_DONE)
		return rv;
	return close_by(
	    cli, operand[0], "stop", json_pack("{s:s}", "reason", o->reason));
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
