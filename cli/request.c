/* Shows requests, waits for them, and prepares them for review. */
#include "request.h"

#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"
#include "output.h"
#include "signin.h"

#define SESSION_LEFT 60 /* seconds: renewed when less is left */
#define WAIT_TRIES   6  /* calls in a row that may fail */

/* What comes back must be what was asked for, or a person signs another. */
static int
request_get(struct api *api, const char *id, json_t **ret)
{
	json_t *request = NULL;
	int rv;

	if ((rv = api_get(api, &request, "/v1/requests/%s", id)) != ENDING_DONE)
		return rv;
	if (strcmp(api_str(request, "id"), id) == 0) {
		*ret = request;
		return ENDING_DONE;
	}
	json_decref(request);
	return out_fail(api->cli, ENDING_UNAVAILABLE,
	    "the broker answered with another request than %s", id);
}

int
request_fetch(struct api *api, const char *typed, json_t **ret)
{
	char id[LB_ID_LEN + 1];
	int rv;

	if ((rv = api_request_id(api, typed, id)) != ENDING_DONE)
		return rv;
	return request_get(api, id, ret);
}

static const char *
member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int
request_review(struct api *api, const json_t *request,
    const struct lb_trust *trust, struct review *ret)
{
	struct review_claim claim = { .id = member(request, "id"),
		.sha256 = member(request, "sha256"),
		.code = member(request, "code"),
		.tenant = member(request, "tenant"),
		.text = member(request, "text"),
		.signature = member(request, "signature") };

	if (review_request(&claim, trust, lb_clock_now(), ret) == LB_OK)
		return ENDING_DONE;
	return out_fail(api->cli, ENDING_FAILED,
	    "this request does not check out: %s; sign nothing", ret->what);
}

static void
field_join(struct out_table *t, const char *name, const json_t *object,
    const char *list)
{
	struct lb_buf b = { 0 };

	if (api_join(object, list, &b) != LB_OK)
		t->failed = true;
	else if (b.len > 0)
		out_field(t, name, "%s", b.data);
	lb_buf_clear(&b);
}

static void
field_str(struct out_table *t, const char *name, const json_t *object,
    const char *string)
{
	const char *s = api_str(object, string);

	if (s[0] != '\0')
		out_field(t, name, "%s", s);
}

static void
field_at(struct out_table *t, const char *name, const json_t *object,
    const char *time, int64_t now)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];
	int64_t value = api_at(object, time);

	if (value == 0)
		return;
	out_time(value, at);
	out_when(value, now, when);
	out_field(t, name, "%s (%s)", at, when);
}

static void
field_span(struct out_table *t, const char *name, const json_t *object,
    const char *seconds)
{
	char span[32];

	lb_span_format(json_integer_value(json_object_get(object, seconds)),
	    span, sizeof(span));
	out_field(t, name, "%s", span);
}

/* "anna@acme.example, 2026-03-02 15:00:00 CET": who did it, and when. */
static void
field_act(struct out_table *t, const char *name, const json_t *act)
{
	char at[OUT_TIME_MAX];
	const char *reason = api_str(act, "reason");

	if (!json_is_object(act))
		return;
	out_time(api_at(act, "at"), at);
	out_field(t, name, "%s, %s%s%s", api_str(act, "principal"), at,
	    reason[0] != '\0' ? ": " : "", reason);
}

int
request_print(const struct cli *cli, const json_t *request)
{
	struct out_table t = { .columns = 2 };
	int64_t now = lb_clock_now();
	const json_t *list = json_object_get(request, "approvals");

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)request));
	field_str(&t, "request", request, "id");
	field_str(&t, "code", request, "code");
	field_str(&t, "state", request, "state");
	field_str(&t, "tenant", request, "tenant");
	field_str(&t, "engineer", request, "engineer");
	field_join(&t, "keys", request, "keys");
	field_join(&t, "hosts", request, "hosts");
	field_join(&t, "logins", request, "logins");
	field_join(&t, "services", request, "services");
	field_span(&t, "for", request, "duration");
	field_at(&t, "from", request, "start", now);
	field_str(&t, "extends", request, "extends");
	field_str(&t, "ticket", request, "ticket");
	field_str(&t, "reason type", request, "reason_type");
	field_str(&t, "reason", request, "reason");
	field_at(&t, "asked", request, "requested_at", now);
	field_at(&t, "lapses", request, "lapses_at", now);
	field_join(&t, "waiting for", request, "waiting_for");
	field_act(&t, "endorsed by", json_object_get(request, "endorsement"));
	for (size_t i = 0; i < json_array_size(list); i++)
		field_act(&t, "approved by", json_array_get(list, i));
	field_act(&t, "denied by", json_object_get(request, "denial"));
	field_str(&t, "grant", request, "grant");
	if (out_table_print(cli->out, &t) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	return ENDING_DONE;
}

static enum lb_err
list_row(struct out_table *t, const json_t *r, int64_t now)
{
	struct lb_buf hosts = { 0 }, who = { 0 };
	char asked[OUT_TIME_MAX];
	enum lb_err e;

	out_when(api_at(r, "requested_at"), now, asked);
	if ((e = api_join(r, "hosts", &hosts)) == LB_OK &&
	    (e = api_join(r, "waiting_for", &who)) == LB_OK)
		out_row(t, api_str(r, "id"), api_str(r, "code"),
		    api_str(r, "state"), api_str(r, "tenant"),
		    api_str(r, "engineer"), hosts.data, asked, who.data);
	lb_buf_clear(&hosts);
	lb_buf_clear(&who);
	return e;
}

int
request_print_list(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 8 };
	int64_t now = lb_clock_now();
	enum lb_err r = LB_OK;

	if (cli->json)
		return out_json(cli, json_incref(items));
	if (json_array_size(items) == 0) {
		out_note(cli, "no requests");
		return ENDING_DONE;
	}
	out_row(&t, "REQUEST", "CODE", "STATE", "TENANT", "ENGINEER", "HOSTS",
	    "ASKED", "WAITING FOR");
	for (size_t i = 0; r == LB_OK && i < json_array_size(items); i++)
		r = list_row(&t, json_array_get(items, i), now);
	if (r == LB_OK)
		r = out_table_print(cli->out, &t);
	out_table_clear(&t);
	return r == LB_OK ? ENDING_DONE
			  : out_fail(cli, ENDING_FAILED, "out of memory");
}

int
request_ending(const char *state)
{
	static const struct {
		const char *state;
		int ending;
	} row[] = {
		{ "pending_endorsement", ENDING_LATER },
		{ "pending_approval", ENDING_LATER },
		{ "scheduled", ENDING_DONE },
		{ "active", ENDING_DONE },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(row[i].state, state) == 0)
			return row[i].ending;
	return ENDING_DENIED;
}

enum lb_err
request_wait_line(const json_t *request, int64_t now, struct lb_buf *ret)
{
	int64_t lapses = api_at(request, "lapses_at");
	const char *nobody = "nobody";
	struct lb_buf who = { 0 };
	char left[32] = "";
	enum lb_err r;

	/* The broker names customers' people, not the provider's. */
	if (strcmp(api_str(request, "state"), "pending_endorsement") == 0)
		nobody = "a manager of the provider";
	if (lapses > now)
		lb_span_format(lapses - now, left, sizeof(left));
	if ((r = api_join(request, "waiting_for", &who)) == LB_OK)
		r = lb_buf_addf(ret, "%s  %s  waiting for %s%s%s",
		    api_str(request, "code"), api_str(request, "state"),
		    who.len > 0 ? who.data : nobody,
		    left[0] != '\0' ? ", lapses in " : "", left);
	lb_buf_clear(&who);
	return r;
}

/* Tell how it stands: over the same line on a terminal, else if changed. */
static void
progress(const struct cli *cli, const json_t *request, bool changed)
{
	bool tty = isatty(STDERR_FILENO) && !cli->verbose;
	struct lb_buf line = { 0 }, safe = { 0 };

	if (cli->quiet || (!tty && !changed))
		return;
	if (request_wait_line(request, lb_clock_now(), &line) == LB_OK &&
	    out_escape(line.data, line.len, &safe) == LB_OK)
		(void)fprintf(cli->err, tty ? "\r\033[K%s" : "%s\n", safe.data);
	(void)fflush(cli->err);
	lb_buf_clear(&line);
	lb_buf_clear(&safe);
}

static void
progress_end(const struct cli *cli)
{
	if (!cli->quiet && isatty(STDERR_FILENO) && !cli->verbose)
		(void)fputs("\r\033[K", cli->err);
}

/* Sleep a little longer each time; never past until. */
static void
pause_some(int64_t *seconds, int64_t now, int64_t until)
{
	int64_t n = *seconds;

	if (until != 0 && now + n > until)
		n = until > now ? until - now : 0;
	(void)sleep((unsigned int)n);
	if (*seconds < REQUEST_POLL_MOST)
		(*seconds)++;
}

static void
ended_hint(const struct cli *cli, const json_t *request)
{
	const char *state = api_str(request, "state");
	const json_t *login =
	    json_array_get(json_object_get(request, "logins"), 0);
	const json_t *host =
	    json_array_get(json_object_get(request, "hosts"), 0);

	if (strcmp(state, "active") == 0 && json_is_string(login) &&
	    json_is_string(host))
		out_hint(cli, "ssh %s@%s", json_string_value(login),
		    json_string_value(host));
	else if (request_ending(state) == ENDING_DENIED)
		out_hint(cli,
		    "ask again with 'lockbox request create' if it "
		    "is still needed");
}

/* Wait on in a session of its own length, which may be shorter. */
static int
session_renew(struct api *api)
{
	if (api->expires_at - lb_clock_now() > SESSION_LEFT)
		return ENDING_DONE;
	if (signin_do(api, NULL) == ENDING_DONE)
		return ENDING_DONE;
	/* Not 77: nobody said no to the request. */
	return out_fail(api->cli, ENDING_LATER,
	    "the session is over and could not be renewed; the request stays "
	    "open");
}

/*
 * One look. A broker that is away for a moment does not end the waiting: then
 * *ret is NULL and the ending ENDING_LATER, as long as there are tries.
 */
static int
look(struct api *api, const char *id, unsigned int *tries, json_t **ret)
{
	json_t *request = NULL;
	int rv;

	*ret = NULL;
	if ((rv = session_renew(api)) != ENDING_DONE) {
		*tries = 0;
		return rv;
	}
	rv = request_get(api, id, &request);
	if (rv == ENDING_DONE) {
		*tries = WAIT_TRIES;
		*ret = request;
		return request_ending(api_str(request, "state"));
	}
	if (rv != ENDING_UNAVAILABLE && rv != ENDING_LATER)
		*tries = 0;
	else if (*tries > 0)
		(*tries)--;
	return *tries > 0 ? ENDING_LATER : rv;
}

/* What is left to say when the waiting is over; takes the request. */
static int
wait_end(const struct api *api, const char *id, json_t *request, int rv)
{
	progress_end(api->cli);
	if (request != NULL) {
		(void)request_print(api->cli, request);
		ended_hint(api->cli, request);
	}
	if (rv == ENDING_TIMEOUT)
		out_fail(api->cli, rv, "nobody decided in time");
	if (rv == ENDING_TIMEOUT || rv == ENDING_LATER)
		out_hint(
		    api->cli, "it stays open: lockbox request wait %s", id);
	json_decref(request);
	return rv;
}

int
request_wait(struct api *api, const char *id, int64_t until)
{
	int64_t seconds = REQUEST_POLL_FIRST, now;
	unsigned int tries = WAIT_TRIES;
	json_t *request = NULL;
	char state[64] = "";
	const char *is;
	int rv;

	for (;;) {
		json_decref(request);
		rv = look(api, id, &tries, &request);
		if (rv != ENDING_LATER || tries == 0)
			return wait_end(api, id, request, rv);
		if (request != NULL) {
			is = api_str(request, "state");
			progress(api->cli, request, strcmp(state, is) != 0);
			(void)snprintf(state, sizeof(state), "%s", is);
		}
		now = lb_clock_now();
		if (until != 0 && now >= until)
			return wait_end(api, id, request, ENDING_TIMEOUT);
		pause_some(&seconds, now, until);
	}
}
