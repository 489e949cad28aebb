/* lockbox request create, ls, show, wait, cancel: the engineer's side. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "api.h"
#include "commands.h"
#include "grant.h"
#include "lockbox/clock.h"
#include "lockbox/visible.h"
#include "newid.h"
#include "output.h"
#include "request.h"
#include "sign.h"

#define DURATION_DEFAULT (2 * 60 * 60) /* seconds */

struct create_opt {
	const char *tenant, *reason_type, *reason, *ticket, *extends, *key;
	struct flag_list host, login, service, ssh_key;
	int64_t duration, start, timeout;
	bool sudo, no_wait;
};

#define O(member) offsetof(struct create_opt, member)
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

/* One list of the request from flags, each value checked for its alphabet. */
struct names {
	const char *flag;
	const struct flag_list *from;
	bool (*valid)(const char *);
	size_t max;
	char *item; /* of the paper's list */
	size_t size;
	size_t *count;
};

static int
names_copy(const struct cli *cli, const struct names *n)
{
	for (size_t i = 0; i < n->from->count; i++) {
		const char *value = n->from->item[i];

		if (!n->valid(value))
			return out_fail(cli, ENDING_USAGE,
			    "--%s: '%s' is no name of that kind", n->flag,
			    value);
		if (*n->count == n->max)
			return out_fail(cli, ENDING_USAGE, "--%s: at most %zu",
			    n->flag, n->max);
		if (lb_text_copy(
			n->item + *n->count * n->size, n->size, value) != LB_OK)
			return out_fail(
			    cli, ENDING_USAGE, "--%s: too long", n->flag);
		(*n->count)++;
	}
	return ENDING_DONE;
}

#define NAMES(flag_name, list, is_valid, paper)                                \
	{                                                                      \
		flag_name, list, is_valid,                                     \
		    sizeof((paper)->item) / sizeof((paper)->item[0]),          \
		    (paper)->item[0], sizeof((paper)->item[0]),                \
		    &(paper)->count                                            \
	}

static int
lists_fill(
    const struct cli *cli, const struct create_opt *o, struct lb_request *q)
{
	static const struct flag_list sshd = { 1, { "sshd" } };
	static const struct flag_list sudo = { 1, { "sudo" } };
	const struct names names[] = {
		NAMES("host", &o->host, lb_host_valid, &q->host),
		NAMES("login", &o->login, lb_login_valid, &q->login),
		NAMES("service", o->service.count > 0 ? &o->service : &sshd,
		    lb_service_valid, &q->service),
	};
	const struct names more =
	    NAMES("sudo", &sudo, lb_service_valid, &q->service);
	int rv = ENDING_DONE;

	for (size_t i = 0; i < 3 && rv == ENDING_DONE; i++)
		rv = names_copy(cli, &names[i]);
	if (rv == ENDING_DONE && o->sudo)
		rv = names_copy(cli, &more);
	return rv;
}

/* Without --login: the configuration's, or one's own name here. */
static int
login_default(const struct api *api, struct lb_request *q)
{
	const char *login = api->settings.login;
	const struct passwd *pw;

	if (q->login.count > 0)
		return ENDING_DONE;
	if (login[0] == '\0' && getuid() != 0 &&
	    (pw = getpwuid(getuid())) != NULL)
		login = pw->pw_name;
	if (login[0] == '\0' || !lb_login_valid(login) ||
	    lb_text_copy(q->login.item[0], sizeof(q->login.item[0]), login) !=
		LB_OK)
		return out_fail(
		    api->cli, ENDING_USAGE, "which account: --login is needed");
	q->login.count = 1;
	return ENDING_DONE;
}

static int
keys_fill(const struct api *api, const struct create_opt *o, const char *key,
    struct lb_request *q)
{
	int rv;

	if (o->ssh_key.count == 0) {
		q->engineer_key.count = 1;
		return sign_fingerprint(api->cli, key, q->engineer_key.item[0]);
	}
	if (o->ssh_key.count > LB_KEYS_MAX)
		return out_fail(api->cli, ENDING_USAGE, "--ssh-key: at most %d",
		    LB_KEYS_MAX);
	for (size_t i = 0; i < o->ssh_key.count; i++) {
		rv = sign_fingerprint(
		    api->cli, o->ssh_key.item[i], q->engineer_key.item[i]);
		if (rv != ENDING_DONE)
			return rv;
		q->engineer_key.count++;
	}
	return ENDING_DONE;
}

static int
text_fill(const struct cli *cli, const char *flag, const char *value, char *ret,
    size_t size)
{
	if (value == NULL)
		return ENDING_DONE;
	if (lb_text_copy(ret, size, value) != LB_OK)
		return out_fail(cli, ENDING_USAGE, "--%s: at most %zu bytes",
		    flag, size - 1);
	if (!lb_text_visible(value, strlen(value)))
		return out_fail(cli, ENDING_USAGE,
		    "--%s: only visible text, one line, no doubled or edge "
		    "spaces",
		    flag);
	return ENDING_DONE;
}

static bool
reason_type_known(const char *type)
{
	for (size_t i = 0; lb_reason_types[i] != NULL; i++)
		if (strcmp(lb_reason_types[i], type) == 0)
			return true;
	return false;
}

static int
reason_fill(
    const struct cli *cli, const struct create_opt *o, struct lb_request *q)
{
	const char *type = o->reason_type != NULL
	    ? o->reason_type
	    : "customer_initiated_support";
	int rv;

	if (o->reason == NULL)
		return out_fail(cli, ENDING_USAGE,
		    "why: --reason is needed, the customer reads it");
	if (!reason_type_known(type)) {
		out_fail(cli, ENDING_USAGE, "--reason-type: one of");
		for (size_t i = 0; lb_reason_types[i] != NULL; i++)
			out_line(cli->err, "  %s", lb_reason_types[i]);
		return ENDING_USAGE;
	}
	if ((rv = text_fill(cli, "reason-type", type, q->reason_type,
		 sizeof(q->reason_type))) != ENDING_DONE ||
	    (rv = text_fill(cli, "reason", o->reason, q->reason,
		 sizeof(q->reason))) != ENDING_DONE)
		return rv;
	return text_fill(
	    cli, "ticket", o->ticket, q->ticket, sizeof(q->ticket));
}

static int
who_fill(
    const struct api *api, const struct create_opt *o, struct lb_request *q)
{
	const char *tenant =
	    o->tenant != NULL ? o->tenant : api->settings.tenant;

	if (tenant[0] == '\0')
		return out_fail(api->cli, ENDING_USAGE,
		    "which customer: --tenant is needed");
	if (!lb_name_valid(tenant))
		return out_fail(api->cli, ENDING_USAGE,
		    "--tenant: '%s' is no tenant's name", tenant);
	if (lb_text_copy(q->tenant, sizeof(q->tenant), tenant) != LB_OK ||
	    lb_text_copy(q->broker, sizeof(q->broker), api->settings.broker) !=
		LB_OK ||
	    lb_text_copy(q->engineer, sizeof(q->engineer), api->principal) !=
		LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "a name is too long");
	if (o->host.count == 0)
		return out_fail(
		    api->cli, ENDING_USAGE, "which host: --host is needed");
	return ENDING_DONE;
}

static int
times_fill(
    const struct cli *cli, const struct create_opt *o, struct lb_request *q)
{
	q->requested = lb_clock_now();
	q->start = o->start;
	q->duration = o->duration != 0 ? o->duration : DURATION_DEFAULT;
	if (q->duration < LB_DURATION_MIN || q->duration > LB_GRANT_SPAN_MAX)
		return out_fail(
		    cli, ENDING_USAGE, "--duration: from 1m to 24h");
	if (q->start != 0 && q->start < q->requested)
		return out_fail(
		    cli, ENDING_USAGE, "--start: that time has passed");
	return ENDING_DONE;
}

/* Fill the whole request and write its text. */
static int
request_compose(struct api *api, const struct create_opt *o, const char *key,
    struct lb_buf *ret)
{
	struct lb_request q = { 0 };
	enum lb_err r;
	int rv;

	newid(lb_clock_now(), q.request);
	if ((rv = who_fill(api, o, &q)) != ENDING_DONE ||
	    (rv = times_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = lists_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = login_default(api, &q)) != ENDING_DONE ||
	    (rv = reason_fill(api->cli, o, &q)) != ENDING_DONE ||
	    (rv = keys_fill(api, o, key, &q)) != ENDING_DONE)
		return rv;
	if (o->extends != NULL &&
	    (rv = api_grant_id(api, o->extends, q.extends)) != ENDING_DONE)
		return rv;
	lb_doc_sort(&lb_request_type, &q);
	if ((r = lb_doc_write(&lb_request_type, &q, ret)) != LB_OK)
		return out_fail(api->cli, ENDING_USAGE,
		    "this is no valid request: %s%s", lb_err_text(r),
		    api->settings.broker[0] == '\0'
			? " (the broker's name is not known: sign in again)"
			: "");
	return ENDING_DONE;
}

/* A grant that covers all that is asked is there already. */
static int
covered_print(const struct cli *cli, const json_t *grant)
{
	char until[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_pack("{s:O}", "covered_by", grant));
	out_time(api_at(grant, "not_after"), until);
	out_line(cli->out, "grant     %s", api_str(grant, "id"));
	out_line(cli->out, "until     %s", until);
	out_note(cli,
	    "a grant you have covers this already; nobody was "
	    "asked");
	grant_hint(cli, grant);
	return ENDING_DONE;
}

/* What the broker keeps must be what was signed. */
static int
created_check(const struct api *api, const json_t *request,
    const struct lb_buf *text, char id[static LB_ID_LEN + 1])
{
	struct lb_request q;
	char sha256[LB_SHA256_LEN + 1];

	lb_doc_id(text->data, text->len, sha256);
	if (lb_request_parse(text->data, text->len, &q) != LB_OK ||
	    strcmp(api_str(request, "id"), q.request) != 0 ||
	    strcmp(api_str(request, "sha256"), sha256) != 0)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another request than was sent");
	memcpy(id, q.request, sizeof(q.request));
	return ENDING_DONE;
}

static int
created_wait(struct api *api, const struct create_opt *o, const char *id,
    const json_t *request)
{
	struct cli *cli = api->cli;
	/* With JSON, stdout is the object alone. */
	FILE *f = cli->json ? cli->err : cli->out;

	out_line(f, "request  %s", id);
	out_line(f, "code     %s", api_str(request, "code"));
	(void)fflush(f);
	if (o->no_wait) {
		out_hint(cli, "lockbox request wait %s", id);
		return cli->json ? request_print(cli, request) : ENDING_DONE;
	}
	out_note(cli,
	    "waiting for the decision; Ctrl-C stops the waiting, not "
	    "the request");
	return request_wait(
	    api, id, o->timeout != 0 ? lb_clock_now() + o->timeout : 0);
}

static int
create_post(struct api *api, const struct create_opt *o,
    const struct lb_buf *text, const struct lb_buf *armor)
{
	json_t *reply = NULL;
	const json_t *grant;
	char id[LB_ID_LEN + 1];
	int rv;

	rv = api_create(api,
	    json_pack(
		"{s:s, s:s}", "text", text->data, "signature", armor->data),
	    &reply, "/v1/requests");
	if (rv != ENDING_DONE)
		return rv;
	grant = json_object_get(reply, "covered_by");
	if (grant != NULL)
		rv = covered_print(api->cli, grant);
	else if ((rv = created_check(api, reply, text, id)) == ENDING_DONE)
		rv = created_wait(api, o, id, reply);
	json_decref(reply);
	return rv;
}

static int
create_run(struct cli *cli, const void *opt, char **operand)
{
	const struct create_opt *o = opt;
	struct lb_buf text = { 0 }, armor = { 0 };
	struct api api = { 0 };
	const char *key;
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	key = o->key != NULL ? o->key : api.settings.key;
	if ((rv = request_compose(&api, o, key, &text)) == ENDING_DONE &&
	    (rv = sign_text(cli, key, LB_NS_REQUEST, text.data, text.len,
		 &armor, NULL)) == ENDING_DONE)
		rv = create_post(&api, o, &text, &armor);
	lb_buf_clear(&armor);
	lb_buf_clear(&text);
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
		rv = request_wait(&api, id,
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
	    create_flags, sizeof(struct create_opt), create_run,
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
