/* lockbox session ls, show: who is in where, as the hosts reported it. */
#include <string.h>

#include "agent_talk.h"
#include "api.h"
#include "commands.h"
#include "local.h"
#include "lockbox/clock.h"
#include "output.h"

#define ID_COLUMNS 19 /* "sha256:" and enough to type */

struct session_opt {
	const char *state, *tenant, *host, *agent_conf;
	int64_t limit;
	bool all, local;
};

#define O(member) offsetof(struct session_opt, member)
static const struct flag ls_flags[] = {
	{ "state", 0, FLAG_TEXT, O(state), "STATE",
	    "live (the default) or ended" },
	{ "all", 0, FLAG_SWITCH, O(all), NULL, "live and ended" },
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "only that customer's" },
	{ "host", 0, FLAG_TEXT, O(host), "HOST", "only on that host" },
	{ "limit", 0, FLAG_NUMBER, O(limit), "N",
	    "at most that many (default 50)" },
	{ "local", 0, FLAG_SWITCH, O(local), NULL,
	    "root on a host: what its agent knows, without the broker" },
	AGENT_CONF_FLAG(O(agent_conf)),
	{ 0 },
};
#undef O

/* Until when: what is planned while it lives, what was when it has ended. */
static void
until_text(const json_t *s, int64_t now, char ret[static OUT_TIME_MAX])
{
	int64_t ended = api_at(s, "ended_at"), ends = api_at(s, "ends_at");

	if (ended != 0)
		out_when(ended, now, ret);
	else if (strcmp(api_str(s, "state"), "live") == 0 && ends != 0)
		out_when(ends, now, ret);
	else
		(void)snprintf(ret, OUT_TIME_MAX, "-");
}

static void
list_row(struct out_table *t, const json_t *s, int64_t now)
{
	char since[OUT_TIME_MAX], until[OUT_TIME_MAX];
	char id[ID_COLUMNS + 1], grant[ID_COLUMNS + 1];

	(void)snprintf(id, sizeof(id), "%.*s", ID_COLUMNS, api_str(s, "id"));
	(void)snprintf(
	    grant, sizeof(grant), "%.*s", ID_COLUMNS, api_str(s, "grant"));
	out_when(api_at(s, "opened_at"), now, since);
	until_text(s, now, until);
	out_row(t, id, api_str(s, "state"), api_str(s, "tenant"),
	    api_str(s, "host"), api_str(s, "login"), api_str(s, "engineer"),
	    since, until, grant, api_str(s, "cause"));
}

static int
list_print(const struct cli *cli, json_t *items, const char *state)
{
	struct out_table t = { .columns = 10 };
	int64_t now = lb_clock_now();

	if (cli->json)
		return out_json(cli, json_incref(items));
	if (json_array_size(items) == 0) {
		out_note(cli, "no %s%ssessions", state != NULL ? state : "",
		    state != NULL ? " " : "");
		return ENDING_DONE;
	}
	out_row(&t, "SESSION", "STATE", "TENANT", "HOST", "LOGIN", "ENGINEER",
	    "SINCE", "UNTIL", "GRANT", "CAUSE");
	for (size_t i = 0; i < json_array_size(items); i++)
		list_row(&t, json_array_get(items, i), now);
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct session_opt *o = opt;
	const char *state = o->state != NULL ? o->state : "live";
	struct lb_buf query = { 0 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)operand;
	if (o->local &&
	    (o->all || o->state != NULL || o->tenant != NULL ||
		o->host != NULL || o->limit != 0))
		return out_fail(cli, ENDING_USAGE,
		    "--local knows only this host's live sessions");
	if (o->local)
		return local_list(cli, o->agent_conf);
	if (o->all && o->state != NULL)
		return out_fail(
		    cli, ENDING_USAGE, "--all and --state exclude each other");
	if (o->all)
		state = NULL;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_filters(&api, state, o->tenant, o->host, &query)) ==
		ENDING_DONE &&
	    (rv = api_list(&api, "/v1/sessions", query.data,
		 o->limit != 0 ? (size_t)o->limit : API_LIST_DEFAULT,
		 &items)) == ENDING_DONE)
		rv = list_print(cli, items, state);
	json_decref(items);
	lb_buf_clear(&query);
	api_close(&api);
	return rv;
}

static void
field_text(
    struct out_table *t, const char *name, const json_t *s, const char *member)
{
	if (api_str(s, member)[0] != '\0')
		out_field(t, name, "%s", api_str(s, member));
}

static void
field_time(
    struct out_table *t, const char *name, const json_t *s, const char *member)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];

	if (api_at(s, member) == 0)
		return;
	out_time(api_at(s, member), at);
	out_when(api_at(s, member), lb_clock_now(), when);
	out_field(t, name, "%s (%s)", at, when);
}

static int
session_print(const struct cli *cli, const json_t *s)
{
	const json_t *number = json_object_get(s, "session");
	bool live = strcmp(api_str(s, "state"), "live") == 0;
	struct out_table t = { .columns = 2 };

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)s));
	field_text(&t, "session", s, "id");
	field_text(&t, "state", s, "state");
	field_text(&t, "tenant", s, "tenant");
	field_text(&t, "host", s, "host");
	/* As the host's syslog has it. */
	if (json_is_integer(number))
		out_field(&t, "sid", "%" JSON_INTEGER_FORMAT,
		    json_integer_value(number));
	field_text(&t, "login", s, "login");
	field_text(&t, "service", s, "service");
	field_text(&t, "from", s, "rhost");
	field_text(&t, "engineer", s, "engineer");
	field_text(&t, "grant", s, "grant");
	field_time(&t, "since", s, "opened_at");
	field_time(&t, live ? "until" : "would end", s, "ends_at");
	field_time(&t, "ended", s, "ended_at");
	field_text(&t, "cause", s, "cause");
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	char id[LB_SHA256_LEN + 1];
	struct api api = { 0 };
	json_t *session = NULL;
	int rv;

	(void)opt;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_session_id(&api, operand[0], id)) == ENDING_DONE &&
	    (rv = api_get(&api, &session, "/v1/sessions/%s", id)) ==
		ENDING_DONE &&
	    (rv = session_print(cli, session)) == ENDING_DONE &&
	    strcmp(api_str(session, "state"), "live") == 0 &&
	    api_str(session, "grant")[0] != '\0')
		out_hint(cli, "lockbox grant show %.*s", ID_COLUMNS,
		    api_str(session, "grant"));
	json_decref(session);
	api_close(&api);
	return rv;
}

const struct command session_commands[] = {
	{ "session", "ls", NULL, 0, 0,
	    "who is in where, since when, until when, under which grant",
	    ls_flags, sizeof(struct session_opt), ls_run,
	    "lockbox session ls --tenant acme\n"
	    "lockbox session ls --local\n"
	    "lockbox session ls --all --host db1 --format json\n" },
	{ "session", "show", "ID", 1, 1, "show one session", NULL, 0, show_run,
	    "lockbox session show 3fe1\n" },
	{ 0 },
};
