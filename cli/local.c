/* Seeing and ending sessions through the agent's socket. */
#include "local.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "agent_talk.h"
#include "lockbox/clock.h"
#include "output.h"

#define GONE_MS  15000 /* that ending a session may take */
#define AGAIN_MS 100

static json_t *
session_json(const struct lb_door_session *s)
{
	return json_pack(
	    "{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:s}",
	    "sid", (json_int_t)s->sid, "login", s->login, "service", s->service,
	    "engineer", s->engineer, "rhost", s->rhost, "ref", s->ref, "grant",
	    s->grant, "opened_at", out_json_time(s->opened_at), "ends_at",
	    out_json_time(s->ends_at), "lease_end", out_json_time(s->lease_end),
	    "offline", s->offline, "ending", s->ending);
}

static void
row(struct out_table *t, const struct lb_door_session *s, int64_t now)
{
	char sid[24], since[OUT_TIME_MAX], until[OUT_TIME_MAX];
	char lease[OUT_TIME_MAX], grant[20];

	(void)snprintf(sid, sizeof(sid), "%" PRId64, s->sid);
	(void)snprintf(grant, sizeof(grant), "%.19s",
	    s->grant[0] != '\0' ? s->grant : "-");
	out_when(s->opened_at, now, since);
	out_when(s->ends_at, now, until);
	out_when(s->lease_end, now, lease);
	out_row(t, sid, s->login, s->engineer[0] != '\0' ? s->engineer : "-",
	    s->service, s->rhost[0] != '\0' ? s->rhost : "-", since, until,
	    s->offline ? "offline" : lease, grant, s->ending);
}

/* Every session, from the lowest id on: each asked for by itself. */
static int
each(const struct agent_talk *t,
    void (*take)(void *arg, const struct lb_door_session *s), void *arg)
{
	struct lb_door_session s = { .sid = 0 };
	int64_t last = 0;
	int rv;

	while (
	    (rv = agent_talk_order(t, LB_DOOR_LIST, last, &s)) == ENDING_DONE &&
	    s.sid != 0) {
		if (s.sid <= last)
			return agent_talk_garbage(t);
		last = s.sid;
		take(arg, &s);
	}
	return rv;
}

struct listing {
	struct out_table table;
	json_t *array; /* NULL: a table */
	int64_t now;
	size_t count;
};

static void
list_take(void *arg, const struct lb_door_session *s)
{
	struct listing *l = arg;

	if (l->array != NULL)
		(void)json_array_append_new(l->array, session_json(s));
	else
		row(&l->table, s, l->now);
	l->count++;
}

int
local_list(const struct cli *cli, const char *agent_conf)
{
	struct listing l = { .table.columns = 10, .now = lb_clock_now() };
	struct agent_talk t;
	int rv;

	if ((rv = agent_talk_open(cli, agent_conf, &t)) != ENDING_DONE)
		return rv;
	if (cli->json)
		l.array = json_array();
	else
		out_row(&l.table, "SID", "LOGIN", "ENGINEER", "SERVICE", "FROM",
		    "SINCE", "UNTIL", "LEASE", "GRANT", "ENDING");
	rv = each(&t, list_take, &l);
	if (rv == ENDING_DONE && cli->json)
		return out_json(cli, l.array);
	json_decref(l.array);
	if (rv == ENDING_DONE && l.count == 0) {
		out_note(cli, "no sessions on this host");
		out_table_clear(&l.table);
		return ENDING_DONE;
	}
	if (rv != ENDING_DONE)
		out_table_clear(&l.table);
	else if (out_table_print(cli->out, &l.table) != LB_OK)
		rv = out_fail(cli, ENDING_FAILED, "out of memory");
	return rv;
}

/* The session, or that there is none. */
static int
find(const struct agent_talk *t, int64_t sid, struct lb_door_session *ret)
{
	int rv = agent_talk_order(t, LB_DOOR_LIST, sid - 1, ret);

	if (rv == ENDING_DONE && ret->sid != sid)
		rv = out_fail(t->cli, ENDING_FAILED,
		    "this host has no session %" PRId64
		    ": see lockbox session ls --local",
		    sid);
	return rv;
}

/* ENDING_DONE once the agent does not know it any more. */
static int
wait_gone(const struct agent_talk *t, int64_t sid)
{
	const struct timespec pause = { .tv_nsec = AGAIN_MS * 1000000L };
	int64_t until = lb_clock_boottime_ms() + GONE_MS;
	struct lb_door_session s = { .sid = sid };
	int rv;

	while ((rv = agent_talk_order(t, LB_DOOR_LIST, sid - 1, &s)) ==
		ENDING_DONE &&
	    s.sid == sid) {
		if (lb_clock_boottime_ms() >= until)
			return out_fail(t->cli, ENDING_TIMEOUT,
			    "something of session %" PRId64
			    " is still there; the agent goes on",
			    sid);
		(void)nanosleep(&pause, NULL); /* or less */
	}
	return rv;
}

int
local_end(const struct cli *cli, const char *agent_conf, const char *typed)
{
	struct lb_door_session s;
	struct agent_talk t;
	int64_t sid;
	int rv;

	if (lb_number_parse(typed, 1, UINT32_MAX - 1, &sid) != LB_OK)
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no audit session id: a number, as syslog's sid",
		    typed);
	if ((rv = agent_talk_open(cli, agent_conf, &t)) != ENDING_DONE ||
	    (rv = find(&t, sid, &s)) != ENDING_DONE)
		return rv;
	out_note(cli, "session %" PRId64 ": %s of %s, grant %.19s", sid,
	    s.login, s.engineer[0] != '\0' ? s.engineer : "nobody known",
	    s.grant[0] != '\0' ? s.grant : "none");
	if (!out_confirm(cli, "End it now?"))
		return out_fail(cli, ENDING_FAILED, "nothing was ended");
	if ((rv = agent_talk_order(&t, LB_DOOR_END, sid, &s)) != ENDING_DONE)
		return rv;
	if (s.sid == sid && (rv = wait_gone(&t, sid)) != ENDING_DONE)
		return rv;
	out_line(cli->out, "session %" PRId64 " has ended", sid);
	return ENDING_DONE;
}
