/* lockbox delivery ls, retry: what was told to whom, and what failed. */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "output.h"

struct delivery_opt {
	const char *state, *tenant, *request, *webhook;
	int64_t limit;
};

#define O(member) offsetof(struct delivery_opt, member)
static const struct flag ls_flags[] = {
	{ "state", 0, FLAG_TEXT, O(state), "STATE",
	    "only waiting, sent, failed or dropped ones" },
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "only this customer's" },
	{ "request", 0, FLAG_TEXT, O(request), "ID",
	    "only those about this request" },
	{ "webhook", 0, FLAG_TEXT, O(webhook), "ID",
	    "only those to this webhook" },
	{ "limit", 0, FLAG_NUMBER, O(limit), "N", "at most so many" },
	{ 0 },
};
#undef O

/* "http_status 500" */
static void
outcome_text(const json_t *d, char *ret, size_t size)
{
	int64_t status = json_integer_value(json_object_get(d, "status"));

	if (status != 0)
		(void)snprintf(ret, size, "%s%s%lld", api_str(d, "code"),
		    api_str(d, "code")[0] != '\0' ? " " : "",
		    (long long)status);
	else
		(void)snprintf(ret, size, "%s", api_str(d, "code"));
}

static void
list_row(struct out_table *t, const json_t *d, int64_t now)
{
	char made[OUT_TIME_MAX], next[OUT_TIME_MAX] = "", outcome[80];
	char attempts[24];

	out_when(api_at(d, "created_at"), now, made);
	if (api_at(d, "next_at") != 0)
		out_when(api_at(d, "next_at"), now, next);
	outcome_text(d, outcome, sizeof(outcome));
	(void)snprintf(attempts, sizeof(attempts), "%lld",
	    (long long)json_integer_value(json_object_get(d, "attempts")));
	out_row(t, api_str(d, "id"), api_str(d, "state"), api_str(d, "type"),
	    api_str(d, "channel"), api_str(d, "receiver"), made, attempts,
	    outcome, next);
}

static int
list_print(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 9 };
	int64_t now = lb_clock_now();

	if (cli->json)
		return out_json(cli, json_incref(items));
	if (json_array_size(items) == 0) {
		out_note(cli, "no deliveries");
		return ENDING_DONE;
	}
	out_row(&t, "DELIVERY", "STATE", "TYPE", "BY", "TO", "MADE", "TRIED",
	    "OUTCOME", "NEXT");
	for (size_t i = 0; i < json_array_size(items); i++)
		list_row(&t, json_array_get(items, i), now);
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

/* Where the list is, and what it is narrowed by. */
static int
list_where(struct api *api, const struct delivery_opt *o, char *path,
    size_t size, struct lb_buf *query)
{
	char id[LB_ID_LEN + 1];
	int rv;

	if ((rv = api_filters(api, o->state, o->tenant, NULL, query)) !=
	    ENDING_DONE)
		return rv;
	(void)snprintf(path, size, "/v1/deliveries");
	if (o->webhook != NULL) {
		if (!lb_id_valid(o->webhook))
			return out_fail(api->cli, ENDING_USAGE,
			    "'%s' is no webhook's id", o->webhook);
		(void)snprintf(
		    path, size, "/v1/webhooks/%s/deliveries", o->webhook);
	}
	if (o->request == NULL)
		return ENDING_DONE;
	if ((rv = api_request_id(api, o->request, id)) != ENDING_DONE)
		return rv;
	return api_query(query, "request", id) == LB_OK
	    ? ENDING_DONE
	    : out_fail(api->cli, ENDING_FAILED, "out of memory");
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct delivery_opt *o = opt;
	char path[API_PATH_MAX];
	struct lb_buf query = { 0 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = list_where(&api, o, path, sizeof(path), &query)) ==
		ENDING_DONE &&
	    (rv = api_list(&api, path, query.data,
		 o->limit != 0 ? (size_t)o->limit : API_LIST_DEFAULT,
		 &items)) == ENDING_DONE)
		rv = list_print(cli, items);
	json_decref(items);
	lb_buf_clear(&query);
	api_close(&api);
	return rv;
}

static int
retry_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *d = NULL;
	int rv;

	(void)opt;
	if (!lb_id_valid(operand[0]))
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no delivery's id: see 'lockbox delivery ls'",
		    operand[0]);
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_post(&api, NULL, &d, "/v1/deliveries/%s/retry", operand[0]);
	if (rv == ENDING_DONE && cli->json)
		rv = out_json(cli, json_incref(d));
	else if (rv == ENDING_DONE)
		out_line(cli->out, "tried again now");
	json_decref(d);
	api_close(&api);
	return rv;
}

const struct command delivery_commands[] = {
	{ "delivery", "ls", NULL, 0, 0,
	    "what was told to whom, what waits, what failed", ls_flags,
	    sizeof(struct delivery_opt), ls_run,
	    "lockbox delivery ls --state failed\n"
	    "lockbox delivery ls --request 01J9 --format json\n" },
	{ "delivery", "retry", "ID", 1, 1, "try one again now", NULL, 0,
	    retry_run, "lockbox delivery retry 01JABCDEFGHJKMNPQRSTVWXYZ0\n" },
	{ 0 },
};
