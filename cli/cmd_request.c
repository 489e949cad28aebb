/* lockbox request create, ls, show, wait, cancel: the engineer's side. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "asking.h"
#include "commands.h"
#include "compose.h"
#include "lockbox/clock.h"
#include "output.h"
#include "request.h"
#include "wait.h"

#define O(member) offsetof(struct compose_flags, member)
static const struct flag create_flags[] = {
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "the customer" },
	{ "host", 0, FLAG_LIST, O(host), "HOST", "a host to enter" },
	{ "login", 0, FLAG_LIST, O(login), "LOGIN",
	    "an account there (default: your own name here)" },
	{ "service", 0, FLAG_LIST, O(service), "SERVICE",
	    "sshd (default), sudo, su, ..." },
	{ "sudo", 0, FLAG_SWITCH, O(sudo), NULL, "sudo too" },
	{ "duration", 0, FLAG_SPAN, O(duration), "SPAN",
	    "for how long (default 2h)" },
	{ "start", 0, FLAG_WHEN, O(start), "TIME|SPAN",
	    "not before then (default: from the approval on)" },
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT",
	    "why, as the customer will read it" },
	{ "reason-type", 0, FLAG_TEXT, O(reason_type), "TYPE",
	    "default customer_initiated_support" },
	{ "ticket", 0, FLAG_TEXT, O(ticket), "TEXT", "your ticket" },
	{ "extends", 0, FLAG_TEXT, O(extends), "GRANT",
	    "the grant that this one prolongs" },
	{ "ssh-key", 0, FLAG_LIST, O(ssh_key), "FILE|SHA256:...",
	    "a key you will log in with (default: the one that signs)" },
	{ "key", 0, FLAG_TEXT, O(key), "FILE", "the key that signs" },
	{ "no-wait", 0, FLAG_SWITCH, O(no_wait), NULL,
	    "do not wait for the decision" },
	{ "timeout", 0, FLAG_SPAN, O(timeout), "SPAN",
	    "wait at most that long" },
	{ 0 },
};
#undef O

struct ls_opt {
	const char *state, *tenant, *host;
	int64_t limit;
	bool waiting;
};

#define O(member) offsetof(struct ls_opt, member)
static const struct flag ls_flags[] = {
	{ "state", 0, FLAG_TEXT, O(state), "STATE", "only those" },
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "only that customer's" },
	{ "host", 0, FLAG_TEXT, O(host), "HOST", "only for that host" },
	{ "waiting", 0, FLAG_SWITCH, O(waiting), NULL,
	    "only what waits for you" },
	{ "limit", 0, FLAG_NUMBER, O(limit), "N",
	    "at most that many (default 50)" },
	{ 0 },
};
#undef O

struct wait_opt {
	int64_t timeout;
};

static const struct flag wait_flags[] = {
	{ "timeout", 0, FLAG_SPAN, offsetof(struct wait_opt, timeout), "SPAN",
	    "wait at most that long (then exit 124)" },
	{ 0 },
};

static int
create_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = asking_run(&api, opt);
	api_close(&api);
	return rv;
}

static bool
waits_for(const json_t *request, const char *principal)
{
	const json_t *list = json_object_get(request, "waiting_for");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s != NULL && strcmp(s, principal) == 0)
			return true;
	}
	return false;
}

static void
keep_waiting(json_t *items, const char *principal)
{
	for (size_t i = json_array_size(items); i-- > 0;)
		if (!waits_for(json_array_get(items, i), principal))
			(void)json_array_remove(items, i); /* i is in range */
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct ls_opt *o = opt;
	struct lb_buf query = { 0 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_filters(&api, o->state, o->tenant, o->host, &query)) ==
		ENDING_DONE &&
	    (rv = api_list(&api, "/v1/requests", query.data,
		 o->limit != 0 ? (size_t)o->limit : API_LIST_DEFAULT,
		 &items)) == ENDING_DONE) {
		if (o->waiting)
			keep_waiting(items, api.principal);
		rv = request_print_list(cli, items);
	}
	json_decref(items);
	lb_buf_clear(&query);
	api_close(&api);
	return rv;
}

/* What somebody who looks at a request may do next. */
static void
show_hint(const struct cli *cli, const json_t *request)
{
	const char *state = api_str(request, "state");
	const char *id = api_str(request, "id");

	if (strcmp(state, "pending_endorsement") == 0)
		out_hint(cli, "a manager: lockbox request endorse %s", id);
	else if (strcmp(state, "pending_approval") == 0)
		out_hint(cli,
		    "the customer: lockbox request approve %s, or "
		    "deny",
		    id);
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	struct review review;
	json_t *request = NULL;
	int rv;

	(void)opt;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = request_fetch(&api, operand[0], &request)) == ENDING_DONE &&
	    (rv = request_review(&api, request, NULL, &review)) ==
		ENDING_DONE &&
	    (rv = request_print(cli, request)) == ENDING_DONE)
		show_hint(cli, request);
	json_decref(request);
	api_close(&api);
	return rv;
}

static int
wait_run(struct cli *cli, const void *opt, char **operand)
{
	const struct wait_opt *o = opt;
	char id[LB_ID_LEN + 1];
	struct api api = { 0 };
	int rv;

	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_request_id(&api, operand[0], id)) == ENDING_DONE)
		rv = wait_print(&api, id, NULL,
		    o->timeout != 0 ? lb_clock_now() + o->timeout : 0);
	api_close(&api);
	return rv;
}

static int
cancel_run(struct cli *cli, const void *opt, char **operand)
{
	char id[LB_ID_LEN + 1];
	struct api api = { 0 };
	json_t *request = NULL;
	int rv;

	(void)opt;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_request_id(&api, operand[0], id)) == ENDING_DONE &&
	    (rv = api_post(&api, NULL, &request, "/v1/requests/%s/cancel",
		 id)) == ENDING_DONE)
		rv = request_print(cli, request);
	json_decref(request);
	api_close(&api);
	return rv;
}

const struct command request_commands[] = {
	{ "request", "create", NULL, 0, 0, "ask a customer for access",
	    create_flags, sizeof(struct compose_flags), create_run,
	    "lockbox request create --tenant acme --host db1 --login deploy "
	    "--duration 2h \\\n"
	    "    --ticket INC-42 --reason \"replica lag: look at the slow "
	    "queries\"\n"
	    "lockbox request create --tenant acme --host web1 --host web2 "
	    "--sudo --start 2026-03-02T22:00:00Z --no-wait \\\n"
	    "    --reason-type provider_initiated_service --reason "
	    "\"kernel update\"\n" },
	{ "request", "ls", NULL, 0, 0, "list requests, newest first", ls_flags,
	    sizeof(struct ls_opt), ls_run,
	    "lockbox request ls --waiting\n"
	    "lockbox request ls --state pending_approval --format json\n" },
	{ "request", "show", "ID", 1, 1, "show one request, checked", NULL, 0,
	    show_run, "lockbox request show 01JQ\n" },
	{ "request", "wait", "ID", 1, 1,
	    "wait until somebody decided: exit 0 approved, 77 not, 124 timeout",
	    wait_flags, sizeof(struct wait_opt), wait_run,
	    "lockbox request wait 01JQ --timeout 30m && ssh deploy@db1\n" },
	{ "request", "cancel", "ID", 1, 1, "take your own request back", NULL,
	    0, cancel_run, "lockbox request cancel 01JQ\n" },
	{ 0 },
};
