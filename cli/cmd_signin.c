/* lockbox signin, signout, whoami: the session with a broker. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "lockbox/papers.h"
#include "output.h"
#include "sign.h"

struct signin_opt {
	const char *url, *ca, *as, *key, *trust;
};

#define O(member) offsetof(struct signin_opt, member)
static const struct flag signin_flags[] = {
	{ "url", 0, FLAG_TEXT, O(url), "URL",
	    "the broker: https://HOST[:PORT]" },
	{ "ca", 0, FLAG_TEXT, O(ca), "FILE",
	    "PEM of the authority that signed the broker's certificate" },
	{ "as", 0, FLAG_TEXT, O(as), "PRINCIPAL", "who you are" },
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "private key, or .pub of one in ssh-agent" },
	{ "trust", 0, FLAG_TEXT, O(trust), "FILE",
	    "your own copy of your trust document (customers)" },
	{ 0 },
};
#undef O

/* A path from a flag, made absolute so that it holds from everywhere. */
static int
path_set(const struct cli *cli, const char *value, const char *name,
    char ret[static PATH_MAX])
{
	if (value == NULL)
		return ENDING_DONE;
	if (settings_absolute(value, ret) != LB_OK)
		return out_fail(cli, ENDING_USAGE, "--%s is too long", name);
	return ENDING_DONE;
}

static int
settings_apply(
    const struct cli *cli, const struct signin_opt *o, struct settings *s)
{
	char url[SETTINGS_URL_MAX + 1];
	int rv;

	if (o->url != NULL) {
		if (settings_url(o->url, url) != LB_OK)
			return out_fail(cli, ENDING_USAGE,
			    "--url is https://HOST[:PORT], not '%s'", o->url);
		/* Another broker has another name: learnt anew. */
		if (strcmp(url, s->url) != 0)
			s->broker[0] = '\0';
		memcpy(s->url, url, sizeof(url));
	}
	if (o->as != NULL &&
	    (!lb_principal_valid(o->as) ||
		lb_text_copy(s->principal, sizeof(s->principal), o->as) !=
		    LB_OK))
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no principal such as anna@acme.example", o->as);
	if ((rv = path_set(cli, o->ca, "ca", s->ca)) != ENDING_DONE ||
	    (rv = path_set(cli, o->key, "key", s->key)) != ENDING_DONE ||
	    (rv = path_set(cli, o->trust, "trust", s->trust)) != ENDING_DONE)
		return rv;
	if (s->url[0] == '\0' || s->principal[0] == '\0' || s->key[0] == '\0') {
		rv = out_fail(cli, ENDING_USAGE,
		    "the first time --url, --as and --key are needed");
		out_hint(cli,
		    "lockbox signin --url https://broker.example "
		    "--ca ca.pem --as you@example --key "
		    "~/.ssh/id_ed25519");
		return rv;
	}
	return ENDING_DONE;
}

/*
 * The nonce is for this broker only: a broker that passes on another's nonce
 * under its own address would get a signature for the other.
 */
static int
nonce_check(struct api *api, const json_t *reply, struct lb_signin *ret)
{
	const char *broker = api_str(reply, "broker");
	const char *nonce = api_str(reply, "nonce");
	const char *known = api->settings.broker;

	if (!lb_name_valid(broker) || !lb_nonce_valid(nonce))
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "is %s a lockbox broker? its answer is none",
		    api->settings.url);
	if (known[0] != '\0' && strcmp(known, broker) != 0)
		return out_fail(api->cli, ENDING_DENIED,
		    "this broker calls itself '%s', the configuration knows "
		    "it as '%s': not signing in",
		    broker, known);
	memcpy(api->settings.broker, broker, strlen(broker) + 1);
	memcpy(ret->broker, broker, strlen(broker) + 1);
	memcpy(ret->nonce, nonce, sizeof(ret->nonce));
	memcpy(ret->principal, api->settings.principal, sizeof(ret->principal));
	ret->time = lb_clock_now();
	return ENDING_DONE;
}

/* Sign the sign-in and post it. */
static int
signin_post(struct api *api, const struct lb_signin *paper, json_t **ret)
{
	struct lb_buf text = { 0 }, armor = { 0 };
	int rv;

	if (lb_doc_write(&lb_signin_type, paper, &text) != LB_OK)
		rv = out_fail(
		    api->cli, ENDING_FAILED, "the sign-in cannot be written");
	else
		rv = sign_text(api->cli, api->settings.key, LB_NS_SIGNIN,
		    text.data, text.len, &armor, NULL);
	if (rv == ENDING_DONE)
		rv = api_post(api,
		    json_pack("{s:s, s:s}", "text", text.data, "signature",
			armor.data),
		    ret, "/v1/signin");
	lb_buf_clear(&armor);
	lb_buf_clear(&text);
	return rv;
}

static int
session_take(struct api *api, const json_t *reply)
{
	const char *token = api_str(reply, "token");

	api->expires_at = api_at(reply, "expires_at");
	if (token[0] == '\0' || api->expires_at == 0 ||
	    strspn(token,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
		"uvwxyz0123456789-._~+/=") != strlen(token) ||
	    lb_text_copy(api->token, sizeof(api->token), token) != LB_OK)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker's answer is no session");
	memcpy(api->principal, api->settings.principal, sizeof(api->principal));
	return api_session_save(api);
}

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
signin_with(struct cli *cli, const struct settings *s)
{
	struct lb_signin paper = { 0 };
	json_t *nonce = NULL, *reply = NULL;
	struct api api = { 0 };
	int rv;

	if ((rv = api_open_with(cli, s, &api)) != ENDING_DONE)
		return rv;
	/* An old token has no business here. */
	api.token[0] = '\0';
	if ((rv = api_post(&api, NULL, &nonce, "/v1/signin/nonce")) ==
		ENDING_DONE &&
	    (rv = nonce_check(&api, nonce, &paper)) == ENDING_DONE &&
	    (rv = signin_post(&api, &paper, &reply)) == ENDING_DONE &&
	    (rv = session_take(&api, reply)) == ENDING_DONE &&
	    (rv = settings_save(cli, &api.settings)) == ENDING_DONE)
		rv = who_print(cli, reply, api.expires_at);
	if (rv == ENDING_DONE)
		out_hint(cli, "lockbox request ls");
	json_decref(reply);
	json_decref(nonce);
	api_close(&api);
	return rv;
}

static int
signin_run(struct cli *cli, const void *opt, char **operand)
{
	struct settings s;
	int rv;

	(void)operand;
	if ((rv = settings_load(cli, &s)) != ENDING_DONE ||
	    (rv = settings_apply(cli, opt, &s)) != ENDING_DONE)
		return rv;
	return signin_with(cli, &s);
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
	    "lockbox signin\n" },
	{ "signout", NULL, NULL, 0, 0, "end the session", NULL, 0, signout_run,
	    "lockbox signout\n" },
	{ "whoami", NULL, NULL, 0, 0, "say who the broker takes you for", NULL,
	    0, whoami_run, "lockbox whoami\n" },
	{ 0 },
};
