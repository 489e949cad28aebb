/* Fetches requests, shows them, and prepares them for review. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"
#include "output.h"

static const char *
member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int
request_review(struct api *api, const json_t *request,
    const struct lb_trust *trust, struct review *ret)
{
	const json_t *endorsement = json_object_get(request, "endorsement");
	struct review_claim claim = { .id = member(request, "id"),
		.sha256 = member(request, "sha256"),
		.code = member(request, "code"),
		.tenant = member(request, "tenant"),
		.text = member(request, "text"),
		.signature = member(request, "signature"),
		.endorser = member(endorsement, "principal"),
		.endorsement = member(endorsement, "signature") };

	if (review_request(&claim, trust, lb_clock_now(), ret) == LB_OK)
		return ENDING_DONE;
	return out_fail(api->cli, ENDING_FAILED,
	    "this request does not check out: %s; sign nothing", ret->what);
}

#define NAMES(l) out_json_names((l)->item[0], (l)->count, sizeof((l)->item[0]))

static json_t *
text_json(const char *s)
{
	return s[0] != '\0' ? json_string(s) : json_null();
}

/* Show what the engineer signed, not what the broker says beside it. */
static int
request_settle(
    const struct api *api, json_t *request, const struct lb_request *q)
{
	json_t *o = json_pack(
	    "{s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:s, s:s, s:o}",
	    "broker", q->broker, "engineer", q->engineer, "keys",
	    NAMES(&q->engineer_key), "hosts", NAMES(&q->host), "logins",
	    NAMES(&q->login), "services", NAMES(&q->service), "duration",
	    (json_int_t)q->duration, "start", out_json_time(q->start),
	    "extends", text_json(q->extends), "ticket", text_json(q->ticket),
	    "reason_type", q->reason_type, "reason", q->reason, "requested_at",
	    out_json_time(q->requested));
	int rc = o != NULL ? json_object_update(request, o) : -1;

	json_decref(o);
	return rc == 0 ? ENDING_DONE
		       : out_fail(api->cli, ENDING_FAILED, "out of memory");
}

/* What comes back must be what was asked for, or a person signs another. */
int
request_get(struct api *api, const char *id, json_t **ret)
{
	struct review *review = malloc(sizeof(*review));
	json_t *request = NULL;
	int rv;

	if (review == NULL)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	rv = api_get(api, &request, "/v1/requests/%s", id);
	if (rv == ENDING_DONE && strcmp(api_str(request, "id"), id) != 0)
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another request than %s", id);
	if (rv == ENDING_DONE &&
	    (rv = request_review(api, request, NULL, review)) == ENDING_DONE)
		rv = request_settle(api, request, &review->request);
	free(review);
	if (rv == ENDING_DONE)
		*ret = request;
	else
		json_decref(request);
	return rv;
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
