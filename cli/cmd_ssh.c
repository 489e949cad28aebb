/* lockbox ssh: enter a host by a grant, and ask for one where there is none. */
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "commands.h"
#include "files.h"
#include "grant.h"
#include "compose.h"
#include "live.h"
#include "lockbox/clock.h"
#include "obtain.h"
#include "output.h"
#include "signin.h"
#include "sshline.h"

#define ID_SHORT  12  /* chars of a grant's hex that a person types */
#define SOON      900 /* seconds left, from which on more time is spoken of */
#define SSH_WRONG 255 /* what ssh ends with when it is cut off, or fails */

struct ssh_opt {
	struct compose_flags ask;
	const char *to, *ssh_key;
	struct flag_list option;
	bool print;
};

#define O(member) offsetof(struct ssh_opt, member)
static const struct flag ssh_flags[] = {
	{ "tenant", 0, FLAG_TEXT, O(ask.tenant), "NAME",
	    "the customer (default: whose host it is)" },
	{ "to", 0, FLAG_TEXT, O(to), "DEST",
	    "what ssh connects to (default: HOST)" },
	{ "ssh-option", 'o', FLAG_LIST, O(option), "OPTION",
	    "handed to ssh, as -o" },
	{ "ssh-key", 0, FLAG_TEXT, O(ssh_key), "FILE|SHA256:...",
	    "the key to log in with (default: the one that signs)" },
	{ "sudo", 0, FLAG_SWITCH, O(ask.sudo), NULL, "sudo too" },
	{ "reason", 0, FLAG_TEXT, O(ask.reason), "TEXT",
	    "why, as the customer will read it" },
	{ "reason-type", 0, FLAG_TEXT, O(ask.reason_type), "TYPE",
	    "default customer_initiated_support" },
	{ "ticket", 0, FLAG_TEXT, O(ask.ticket), "TEXT", "your ticket" },
	{ "duration", 0, FLAG_SPAN, O(ask.duration), "SPAN",
	    "for how long (default 2h)" },
	{ "timeout", 0, FLAG_SPAN, O(ask.timeout), "SPAN",
	    "wait at most that long for the decision (then exit 124)" },
	{ "key", 0, FLAG_TEXT, O(ask.key), "FILE", "the key that signs" },
	{ "print", 0, FLAG_SWITCH, O(print), NULL,
	    "say what would be done, and do nothing" },
	{ 0 },
};
#undef O

/* One "lockbox ssh". */
struct visit {
	struct cli *cli;
	const struct ssh_opt *o;
	struct sshline_target target;
	struct cover_need need;
	char key[PATH_MAX]; /* file for ssh; "": only the fingerprint is told */
	char **command;
	char id[LB_SHA256_LEN + 1]; /* of the grant; "": there is none */
	struct lb_grant grant;
};

static const char *
short_id(const char *id)
{
	static char hex[ID_SHORT + 1];

	(void)snprintf(
	    hex, sizeof(hex), "%.*s", ID_SHORT, id + strlen("sha256:"));
	return hex;
}

static const char **
line_make(const struct visit *v)
{
	struct sshline line = { .login = v->need.login,
		.to = v->o->to != NULL ? v->o->to : v->target.host,
		.key = v->key[0] != '\0' ? v->key : NULL,
		.option = &v->o->option,
		.command = v->command };

	return sshline_make(&line);
}

static json_t *
words_json(const char *const *argv)
{
	json_t *list = json_array();

	for (size_t i = 0; argv[i] != NULL; i++)
		if (json_array_append_new(list, json_string(argv[i])) != 0)
			break; /* not UTF-8: shown as far as it goes */
	return list;
}

static int
plan_json(const struct visit *v, const char *const *argv)
{
	const struct cover_need *n = &v->need;

	return out_json(v->cli,
	    json_pack("{s:s?, s:s, s:s, s:s, s:s, s:o}", "grant",
		v->id[0] != '\0' ? v->id : NULL, "tenant", n->tenant, "host",
		n->host, "login", n->login, "key", n->key, "command",
		words_json(argv)));
}

/* What --print says. */
static int
plan_print(const struct visit *v, const char *const *argv)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];
	struct out_table t = { .columns = 2 };
	struct lb_buf line = { 0 };

	if (v->cli->json)
		return plan_json(v, argv);
	if (v->id[0] != '\0') {
		out_time(v->grant.not_after, at);
		out_when(v->grant.not_after, lb_clock_now(), when);
		out_field(&t, "grant", "%s", v->id);
		out_field(&t, "until", "%s (%s)", at, when);
	} else {
		out_field(&t, "grant", "none: %s would be asked for %s@%s%s",
		    v->need.tenant, v->need.login, v->need.host,
		    v->o->ask.sudo ? ", with sudo" : "");
	}
	if (sshline_quote(argv, &line) == LB_OK)
		out_field(&t, "run", "%s", line.data);
	else
		t.failed = true;
	lb_buf_clear(&line);
	return out_table_print(v->cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(v->cli, ENDING_FAILED, "out of memory");
}

/* Was it ended before its time? Then why, if the broker says so. */
static bool
end_explained(const struct visit *v)
{
	struct api api = { 0 };
	const json_t *act;
	json_t *grant = NULL;
	bool told = false;

	if (api_open(v->cli, false, &api) != ENDING_DONE)
		return false;
	/* Nobody is asked to sign in for a remark. */
	if (api.token[0] != '\0' && api.expires_at > lb_clock_now() &&
	    grant_fetch(&api, v->id, &grant, NULL) == ENDING_DONE &&
	    strcmp(api_str(grant, "state"), "active") != 0) {
		act = json_object_get(grant, "revocation");
		out_note(v->cli, "grant %s is %s%s%s%s%s", short_id(v->id),
		    api_str(grant, "state"), json_is_object(act) ? " by " : "",
		    api_str(act, "principal"),
		    api_str(act, "reason")[0] != '\0' ? ": " : "",
		    api_str(act, "reason"));
		told = true;
	}
	json_decref(grant);
	api_close(&api);
	return told;
}

/* How much time is left, and how to hand it back. */
static void
end_tell(const struct visit *v, int status)
{
	int64_t left = v->grant.not_after - lb_clock_now();
	const char *id = short_id(v->id);
	char span[32];

	if (v->cli->quiet || (status == SSH_WRONG && end_explained(v)))
		return;
	if (left <= 0) {
		out_note(v->cli, "grant %s is over", id);
		return;
	}
	lb_span_format(left, span, sizeof(span));
	out_note(v->cli, "grant %s is good for another %s", id, span);
	if (left < SOON)
		out_hint(v->cli,
		    "more time: lockbox grant extend %s --duration 1h "
		    "--reason ...",
		    id);
	out_hint(v->cli, "done? hand it back: lockbox grant return %s", id);
}

/* One attempt, whatever comes of it: a host punishes many. */
static int
enter(const struct visit *v, const char *const *argv)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];
	int status = 0;
	enum lb_err r;

	out_time(v->grant.not_after, at);
	out_when(v->grant.not_after, lb_clock_now(), when);
	out_note(v->cli, "grant %s until %s (%s)", short_id(v->id), at, when);
	(void)fflush(v->cli->out);
	(void)fflush(v->cli->err);
	r = child_attend(argv, &status);
	if (r == LB_ERR_MISSING)
		return out_fail(v->cli, ENDING_FAILED,
		    "ssh is not installed (package openssh-client)");
	if (r != LB_OK)
		return out_fail(
		    v->cli, ENDING_FAILED, "run ssh: %s", files_why(r));
	end_tell(v, status);
	return status;
}

static int
need_fill(struct visit *v, struct api *api)
{
	const struct ssh_opt *o = v->o;
	const char *key = o->ssh_key != NULL ? o->ssh_key : o->ask.key;
	struct live_wish w = { .tenant = o->ask.tenant,
		.host = v->target.host,
		.login = v->target.login[0] != '\0' ? v->target.login : NULL,
		.key = key,
		.service = { .count = 1, .item = { "sshd" } } };

	if (o->ask.sudo) {
		memcpy(w.service.item[1], "sudo", sizeof("sudo"));
		w.service.count = 2;
	}
	if (key == NULL)
		key = api->settings.key;
	if (!lb_keyfp_valid(key) && settings_absolute(key, v->key) != LB_OK)
		return out_fail(v->cli, ENDING_USAGE, "--ssh-key: too long");
	return live_need(api, &w, &v->need);
}

/* Make sure that there is a grant; with --print only look. */
static int
prepare(struct visit *v)
{
	struct api api = { 0 };
	int rv;

	if ((rv = signin_open(v->cli, &api)) != ENDING_DONE)
		return rv;
	if ((rv = need_fill(v, &api)) == ENDING_DONE)
		rv = obtain_grant(
		    &api, &v->need, &v->o->ask, v->o->print, v->id, &v->grant);
	api_close(&api);
	return rv;
}

static int
ssh_run(struct cli *cli, const void *opt, char **operand)
{
	struct visit v = { .cli = cli, .o = opt, .command = operand + 1 };
	const char **argv;
	int rv;

	if (sshline_target(operand[0], &v.target) != LB_OK)
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is neither HOST nor LOGIN@HOST", operand[0]);
	if (v.o->to != NULL && strchr(v.o->to, '@') != NULL)
		return out_fail(cli, ENDING_USAGE,
		    "--to: no '@': the login stands before HOST");
	if ((rv = prepare(&v)) != ENDING_DONE)
		return rv;
	if ((argv = line_make(&v)) == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	rv = v.o->print ? plan_print(&v, argv) : enter(&v, argv);
	free(argv);
	return rv;
}

const struct command ssh_commands[] = {
	{ "ssh", NULL, "[LOGIN@]HOST [flags] [-- COMMAND...]", 1, SIZE_MAX,
	    "enter a host; ask first, and wait, where no grant is live",
	    ssh_flags, sizeof(struct ssh_opt), ssh_run,
	    "lockbox ssh deploy@db1\n"
	    "lockbox ssh deploy@db1 --sudo --reason \"replica lag\" --ticket "
	    "INC-42 --duration 1h\n"
	    "lockbox ssh deploy@db1 --to 10.1.2.3 -o Port=2222 -- uptime -p\n"
	    "lockbox ssh deploy@db1 --print\n" },
	{ 0 },
};
