/* lockbox signin, signout, whoami: the session with a broker. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "browser.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "output.h"
#include "settings_flags.h"
#include "signin.h"

struct signin_opt {
	struct settings_flags f;
	const char *browser;
};

static const struct flag signin_flags[] = {
	SETTINGS_FLAGS(offsetof(struct signin_opt, f)),
	{ "browser", 0, FLAG_TEXT, offsetof(struct signin_opt, browser), "CODE",
	    "sign a page of the broker's in, that shows this code" },
	{ 0 },
};

/* Everything a session says of itself; the token is not in it. */
static int
who_print(const struct cli *cli, const json_t *who, int64_t expires_at)
{
	struct lb_buf roles = { 0 }, tenants = { 0 };
	struct out_table t = { .columns = 2 };
	char until[OUT_TIME_MAX];
	json_t *copy;
	enum lb_err r;

	if (cli->json) {
		copy = json_copy((json_t *)(uintptr_t)who);
		(void)json_object_del(copy, "token"); /* absent in whoami */
		return out_json(cli, copy);
	}
	out_time(expires_at, until);
	if ((r = api_join(who, "roles", &roles)) == LB_OK &&
	    (r = api_join(who, "tenants", &tenants)) == LB_OK) {
		out_field(&t, "principal", "%s", api_str(who, "principal"));
		out_field(
		    &t, "roles", "%s", roles.len > 0 ? roles.data : "(none)");
		out_field(&t, "tenants", "%s",
		    tenants.len > 0 ? tenants.data : "(all of the provider)");
		out_field(&t, "session until", "%s", until);
		r = out_table_print(cli->out, &t);
	}
	lb_buf_clear(&roles);
	lb_buf_clear(&tenants);
	return r == LB_OK ? ENDING_DONE
			  : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
signin_with(
    struct cli *cli, const struct signin_opt *o, const struct settings *s)
{
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	if ((rv = api_open_with(cli, s, &api)) != ENDING_DONE)
		return rv;
	if ((rv = signin_do(&api, &reply)) == ENDING_DONE &&
	    (rv = settings_flags_keep(cli, &o->f, &api.settings)) ==
		ENDING_DONE)
		rv = who_print(cli, reply, api.expires_at);
	if (rv == ENDING_DONE)
		out_hint(cli, "lockbox request ls");
	json_decref(reply);
	api_close(&api);
	return rv;
}

/* Nothing is kept: the flags are for this page only. */
static int
browser_with(struct cli *cli, const char *code, const struct settings *s)
{
	struct api api = { 0 };
	int rv;

	if ((rv = api_open_with(cli, s, &api)) != ENDING_DONE)
		return rv;
	rv = browser_confirm(&api, code);
	api_close(&api);
	return rv;
}

static int
signin_run(struct cli *cli, const void *opt, char **operand)
{
	const struct signin_opt *o = opt;
	struct settings s;
	int rv;

	(void)operand;
	if ((rv = settings_load(cli, &s)) != ENDING_DONE ||
	    (rv = settings_flags_apply(cli, &o->f, &s)) != ENDING_DONE ||
	    (rv = settings_flags_check(cli, &s)) != ENDING_DONE)
		return rv;
	if (o->browser != NULL)
		return browser_with(cli, o->browser, &s);
	return signin_with(cli, o, &s);
}

static int
signout_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	(void)opt;
	(void)operand;
	if ((rv = api_open(cli, false, &api)) != ENDING_DONE)
		return rv;
	/* The file goes first: whatever the broker says, we have no token. */
	rv = api_session_forget(cli);
	if (rv == ENDING_DONE && api.token[0] != '\0' &&
	    api.expires_at > lb_clock_now())
		rv = api_post(&api, NULL, NULL, "/v1/signout");
	if (rv == ENDING_DONE)
		out_note(cli, "signed out");
	api_close(&api);
	return rv;
}

static int
whoami_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *who = NULL;
	int rv;

	(void)opt;
	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &who, "/v1/whoami")) == ENDING_DONE)
		rv = who_print(cli, who, api_at(who, "expires_at"));
	json_decref(who);
	api_close(&api);
	return rv;
}

const struct command signin_commands[] = {
	{ "signin", NULL, NULL, 0, 0,
	    "sign in to a broker with your ssh key, for an hour", signin_flags,
	    sizeof(struct signin_opt), signin_run,
	    "lockbox signin --url https://broker.example --ca ca.pem "
	    "--as avm@provider.example --key ~/.ssh/id_ed25519\n"
	    "lockbox signin\n"
	    "lockbox signin --browser 7Q2K-9DXM\n" },
	{ "signout", NULL, NULL, 0, 0, "end the session", NULL, 0, signout_run,
	    "lockbox signout\n" },
	{ "whoami", NULL, NULL, 0, 0, "say who the broker takes you for", NULL,
	    0, whoami_run, "lockbox whoami\n" },
	{ 0 },
};
