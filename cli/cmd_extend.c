/* lockbox grant extend: ask for the same once more, before its time is over. */
#include <string.h>

#include "asking.h"
#include "blanks.h"
#include "commands.h"
#include "grant.h"
#include "lockbox/clock.h"
#include "output.h"
#include "signin.h"

#define O(member) offsetof(struct compose_flags, member)
static const struct flag extend_flags[] = {
	{ "duration", 0, FLAG_SPAN, O(duration), "SPAN",
	    "for how long from the approval on (default 2h)" },
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT",
	    "why more is needed, as the customer will read it" },
	{ "reason-type", 0, FLAG_TEXT, O(reason_type), "TYPE",
	    "default: as it was" },
	{ "ticket", 0, FLAG_TEXT, O(ticket), "TEXT", "default: as it was" },
	{ "key", 0, FLAG_TEXT, O(key), "FILE", "the key that signs" },
	{ "no-wait", 0, FLAG_SWITCH, O(no_wait), NULL,
	    "do not wait for the decision" },
	{ "timeout", 0, FLAG_SPAN, O(timeout), "SPAN",
	    "wait at most that long" },
	{ 0 },
};
#undef O

/* It must be one's own and live. */
static int
extend_check(
    const struct api *api, const json_t *grant, const struct lb_grant *g)
{
	const struct cli *cli = api->cli;
	const char *state = api_str(grant, "state");

	if (strcmp(g->engineer, api->principal) != 0)
		return out_fail(
		    cli, ENDING_DENIED, "the grant is %s's", g->engineer);
	if (strcmp(state, "active") == 0)
		return ENDING_DONE;
	(void)out_fail(cli, ENDING_DENIED,
	    "the grant is %s: there is nothing to prolong", state);
	out_hint(cli, "lockbox request create");
	return ENDING_DENIED;
}

/*
 * What is asked for must end later: a request's time counts from its approval,
 * not from the end of another.
 */
static int
duration_check(
    const struct cli *cli, const struct lb_grant *g, int64_t duration)
{
	int64_t now = lb_clock_now();
	char left[32];

	if (duration == 0)
		duration = COMPOSE_DURATION;
	if (now + duration > g->not_after)
		return ENDING_DONE;
	lb_span_format(g->not_after - now, left, sizeof(left));
	return out_fail(cli, ENDING_USAGE,
	    "--duration counts from the approval on, and the grant is good for "
	    "another %s: ask for more than that",
	    left);
}

/* The same keys, hosts, logins and services: then sessions can live on. */
static void
lists_take(const struct lb_grant *g, struct compose_flags *f)
{
	for (size_t i = 0; i < g->host.count; i++)
		f->host.item[f->host.count++] = g->host.item[i];
	for (size_t i = 0; i < g->login.count; i++)
		f->login.item[f->login.count++] = g->login.item[i];
	for (size_t i = 0; i < g->service.count; i++)
		f->service.item[f->service.count++] = g->service.item[i];
	for (size_t i = 0; i < g->engineer_key.count; i++)
		f->ssh_key.item[f->ssh_key.count++] = g->engineer_key.item[i];
}

static int
extend(struct api *api, const struct compose_flags *o, const char *typed)
{
	struct compose_flags f = *o;
	json_t *grant = NULL;
	struct lb_grant g;
	struct blanks b;
	int rv;

	if ((rv = grant_fetch(api, typed, &grant, &g)) != ENDING_DONE)
		return rv;
	f.tenant = g.tenant;
	f.extends = api_str(grant, "id");
	if (f.reason_type == NULL)
		f.reason_type = g.reason_type;
	if (f.ticket == NULL && g.ticket[0] != '\0')
		f.ticket = g.ticket;
	lists_take(&g, &f);
	if ((rv = extend_check(api, grant, &g)) == ENDING_DONE &&
	    (rv = blanks_fill(api->cli, "asking for more time", &f, &b)) ==
		ENDING_DONE &&
	    (rv = duration_check(api->cli, &g, f.duration)) == ENDING_DONE)
		rv = asking_run(api, &f);
	json_decref(grant);
	return rv;
}

static int
extend_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	if ((rv = signin_open(cli, &api)) != ENDING_DONE)
		return rv;
	rv = extend(&api, opt, operand[0]);
	api_close(&api);
	return rv;
}

const struct command extend_commands[] = {
	{ "grant", "extend", "ID", 1, 1,
	    "an engineer: ask for more time, with the same hosts and logins",
	    extend_flags, sizeof(struct compose_flags), extend_run,
	    "lockbox grant extend 3fe1 --duration 1h --reason \"the restore "
	    "takes longer\"\n" },
	{ 0 },
};
