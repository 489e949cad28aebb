/*
 * lockbox session end: whoever may end the grants that a session rests on ends
 * them; root on the host ends the session alone.
 */
#include <string.h>

#include "agent_talk.h"
#include "api.h"
#include "closing.h"
#include "commands.h"
#include "grant.h"
#include "live.h"
#include "local.h"
#include "output.h"

#define ID_COLUMNS 19 /* "sha256:" and enough to type */

struct end_opt {
	const char *reason, *key, *agent_conf;
	bool local;
};

#define O(member) offsetof(struct end_opt, member)
static const struct flag end_flags[] = {
	{ "reason", 0, FLAG_TEXT, O(reason), "TEXT",
	    "why; a manager must say it" },
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "a customer: private key, or .pub of one in ssh-agent" },
	{ "local", 0, FLAG_SWITCH, O(local), NULL,
	    "root on the host: ID is an audit session id, no broker is "
	    "asked" },
	AGENT_CONF_FLAG(O(agent_conf)),
	{ 0 },
};
#undef O

/* Who ends it decides how. */
enum way { WAY_RETURN, WAY_STOP, WAY_REVOKE };

static bool
has_word(const json_t *object, const char *list, const char *word)
{
	const json_t *items = json_object_get(object, list);

	for (size_t i = 0; i < json_array_size(items); i++) {
		const char *s = json_string_value(json_array_get(items, i));

		if (s != NULL && strcmp(s, word) == 0)
			return true;
	}
	return false;
}

static int
way_find(struct api *api, const json_t *session, enum way *ret)
{
	json_t *who = NULL;
	int rv;

	if (strcmp(api_str(session, "engineer"), api->principal) == 0) {
		*ret = WAY_RETURN;
		return ENDING_DONE;
	}
	if ((rv = api_get(api, &who, "/v1/whoami")) != ENDING_DONE)
		return rv;
	if (has_word(who, "roles", "manager"))
		*ret = WAY_STOP;
	else if (has_word(who, "tenants", api_str(session, "tenant")))
		*ret = WAY_REVOKE;
	else
		rv = out_fail(api->cli, ENDING_DENIED,
		    "only its engineer, a manager or the customer ends it");
	json_decref(who);
	return rv;
}

static bool
among(const json_t *grants, const char *id)
{
	for (size_t i = 0; i < json_array_size(grants); i++)
		if (strcmp(api_str(json_array_get(grants, i), "id"), id) == 0)
			return true;
	return false;
}

/* Its grants let in other sessions, too: say which before it is asked. */
static void
others_tell(const struct api *api, const json_t *items, const json_t *session,
    const json_t *grants)
{
	const char *own = api_str(session, "id");

	out_note(api->cli, "session %.*s: %s on %s", ID_COLUMNS, own,
	    api_str(session, "login"), api_str(session, "host"));
	for (size_t i = 0; i < json_array_size(grants); i++)
		out_note(api->cli, "it may rest on grant %.*s", ID_COLUMNS,
		    api_str(json_array_get(grants, i), "id"));
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *s = json_array_get(items, i);

		if (!among(grants, api_str(s, "grant")) ||
		    strcmp(api_str(s, "id"), own) == 0)
			continue;
		out_note(api->cli,
		    "the same grant let in, and ends with it: %.*s, %s on %s",
		    ID_COLUMNS, api_str(s, "id"), api_str(s, "login"),
		    api_str(s, "host"));
	}
}

static int
others_list(struct api *api, const json_t *session, const json_t *grants)
{
	struct lb_buf query = { 0 };
	json_t *items = NULL;
	int rv;

	if ((rv = api_filters(api, "live", api_str(session, "tenant"), NULL,
		 &query)) == ENDING_DONE &&
	    (rv = api_list(api, "/v1/sessions", query.data, 0, &items)) ==
		ENDING_DONE)
		others_tell(api, items, session, grants);
	json_decref(items);
	lb_buf_clear(&query);
	return rv;
}

static int
confirm(const struct cli *cli, const char *question)
{
	return out_confirm(cli, question)
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "nothing was ended");
}

/* A revocation asks by itself, with each text that is to be signed. */
static int
way_confirm(const struct cli *cli, const struct end_opt *o, enum way way)
{
	switch (way) {
	case WAY_RETURN:
		return confirm(cli, "Hand back what it rests on, and end it?");
	case WAY_STOP:
		if (o->reason == NULL)
			return out_fail(
			    cli, ENDING_USAGE, "--reason is needed");
		return confirm(cli, "Stop what it rests on, and end it?");
	case WAY_REVOKE:
		return ENDING_DONE;
	}
	return ENDING_FAILED;
}

static int
close_one(
    struct api *api, const struct end_opt *o, enum way way, const char *id)
{
	json_t *grant = NULL, *reply = NULL;
	struct lb_grant paper;
	int rv;

	if ((rv = grant_fetch(api, id, &grant, &paper)) != ENDING_DONE)
		return rv;
	if (way == WAY_RETURN)
		rv = closing_return(api, grant, &reply);
	else if (way == WAY_STOP)
		rv = closing_stop(api, o->reason, grant, &reply);
	else
		rv = closing_revoke(
		    api, o->key, o->reason, grant, &paper, &reply);
	if (rv == ENDING_DONE)
		rv = grant_print(api->cli, reply);
	json_decref(reply);
	json_decref(grant);
	return rv;
}

/* A session that can be ended: live, and by a grant. */
static int
session_check(const struct api *api, const json_t *session)
{
	if (strcmp(api_str(session, "state"), "live") != 0)
		return out_fail(api->cli, ENDING_DENIED,
		    "the session has ended: %s", api_str(session, "cause"));
	if (lb_sha256_valid(api_str(session, "grant")))
		return ENDING_DONE;
	(void)out_fail(api->cli, ENDING_FAILED,
	    "the broker does not know by which grant; the host's root can end "
	    "it");
	out_hint(api->cli, "on %s: lockbox session end SID --local",
	    api_str(session, "host"));
	return ENDING_FAILED;
}

/* The grants that it may rest on; at least one. */
static int
grants_find(struct api *api, const json_t *session, json_t **ret)
{
	const char *began = api_str(session, "grant");
	json_t *grant = NULL, *found = NULL;
	struct lb_grant paper;
	int rv;

	if ((rv = grant_fetch(api, began, &grant, &paper)) == ENDING_DONE)
		rv = live_carriers(
		    api, api_str(session, "host"), &paper, began, &found);
	json_decref(grant);
	if (rv == ENDING_DONE && json_array_size(found) == 0)
		rv = out_fail(api->cli, ENDING_DENIED,
		    "no live grant is left that it could rest on: its host "
		    "ends it, or has");
	if (rv == ENDING_DONE)
		*ret = found;
	else
		json_decref(found);
	return rv;
}

static int
end_session(struct api *api, const struct end_opt *o, const json_t *session)
{
	json_t *grants = NULL;
	enum way way;
	int rv;

	if ((rv = session_check(api, session)) == ENDING_DONE &&
	    (rv = way_find(api, session, &way)) == ENDING_DONE &&
	    (rv = grants_find(api, session, &grants)) == ENDING_DONE &&
	    (rv = others_list(api, session, grants)) == ENDING_DONE)
		rv = way_confirm(api->cli, o, way);
	for (size_t i = 0; rv == ENDING_DONE && i < json_array_size(grants);
	     i++)
		rv = close_one(
		    api, o, way, api_str(json_array_get(grants, i), "id"));
	json_decref(grants);
	return rv;
}

static int
end_run(struct cli *cli, const void *opt, char **operand)
{
	const struct end_opt *o = opt;
	char id[LB_SHA256_LEN + 1];
	json_t *session = NULL;
	struct api api = { 0 };
	int rv;

	if (o->local && (o->reason != NULL || o->key != NULL))
		return out_fail(cli, ENDING_USAGE,
		    "--local needs neither --reason nor --key");
	if (o->local)
		return local_end(cli, o->agent_conf, operand[0]);
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_session_id(&api, operand[0], id)) == ENDING_DONE &&
	    (rv = api_get(&api, &session, "/v1/sessions/%s", id)) ==
		ENDING_DONE)
		rv = end_session(&api, o, session);
	json_decref(session);
	api_close(&api);
	return rv;
}

const struct command end_commands[] = {
	{ "session", "end", "ID", 1, 1,
	    "end a session and its grant; on its host root ends it alone",
	    end_flags, sizeof(struct end_opt), end_run,
	    "lockbox session end 3fe1\n"
	    "lockbox session end 17 --local\n" },
	{ 0 },
};
