/* lockbox host ls, show, invite, remove: customers' hosts, at the broker. */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "lockbox/sshkey.h"
#include "output.h"

struct host_opt {
	const char *tenant;
};

static const struct flag tenant_flags[] = {
	{ "tenant", 0, FLAG_TEXT, offsetof(struct host_opt, tenant), "NAME",
	    "the customer whose host it is" },
	{ 0 },
};

/* "/v1/hosts/NAME[/VERB][?tenant=T]", checked. */
static int
host_path(const struct cli *cli, const char *name, const char *verb,
    const char *tenant, char ret[static API_PATH_MAX])
{
	if (!lb_host_valid(name))
		return out_fail(
		    cli, ENDING_USAGE, "'%s' is no host's name", name);
	if (tenant != NULL && !lb_name_valid(tenant))
		return out_fail(
		    cli, ENDING_USAGE, "'%s' is no tenant's name", tenant);
	(void)snprintf(ret, API_PATH_MAX, "/v1/hosts/%s%s%s%s", name, verb,
	    tenant != NULL ? "?tenant=" : "", tenant != NULL ? tenant : "");
	return ENDING_DONE;
}

static int
host_print(const struct cli *cli, const json_t *host)
{
	struct out_table t = { .columns = 2 };
	char at[OUT_TIME_MAX];
	struct lb_sshkey key;

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)host));
	out_field(&t, "host", "%s", api_str(host, "name"));
	out_field(&t, "tenant", "%s", api_str(host, "tenant"));
	out_field(&t, "state", "%s", api_str(host, "state"));
	if (lb_sshkey_parse(api_str(host, "key"), &key) == LB_OK)
		out_field(&t, "key", "%s", key.fp);
	if (api_str(host, "machine_id")[0] != '\0')
		out_field(&t, "machine id", "%s", api_str(host, "machine_id"));
	out_time(api_at(host, "enrolled_at"), at);
	out_field(&t, "enrolled", "%s", at);
	out_time(api_at(host, "last_seen_at"), at);
	out_field(&t, "last seen", "%s", at);
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
list_print(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 4 };
	int64_t now = lb_clock_now(), seen;
	char when[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_incref(items));
	out_row(&t, "HOST", "TENANT", "STATE", "LAST SEEN");
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *h = json_array_get(items, i);

		if ((seen = api_at(h, "last_seen_at")) != 0)
			out_when(seen, now, when);
		else
			(void)snprintf(when, sizeof(when), "-");
		out_row(&t, api_str(h, "name"), api_str(h, "tenant"),
		    api_str(h, "state"), when);
	}
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct host_opt *o = opt;
	struct lb_buf query = { 0 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_filters(&api, NULL, o->tenant, NULL, &query)) ==
		ENDING_DONE &&
	    (rv = api_list(&api, "/v1/hosts", query.data, 0, &items)) ==
		ENDING_DONE)
		rv = list_print(cli, items);
	json_decref(items);
	lb_buf_clear(&query);
	api_close(&api);
	return rv;
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	const struct host_opt *o = opt;
	char path[API_PATH_MAX];
	struct api api = { 0 };
	json_t *host = NULL;
	int rv;

	if ((rv = host_path(cli, operand[0], "", o->tenant, path)) !=
		ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &host, "%s", path)) == ENDING_DONE)
		rv = host_print(cli, host);
	json_decref(host);
	api_close(&api);
	return rv;
}

/* The code stands alone on its line, to be copied. */
static int
invite_print(const struct api *api, const json_t *reply, const char *name)
{
	const struct cli *cli = api->cli;

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)reply));
	out_line(cli->out, "%s", api_str(reply, "code"));
	out_note(cli, "good for one hour, for this host alone; shown once");
	out_hint(cli,
	    "on %s as root, with the customer's trust document in "
	    "/etc/lockbox/trust: lockbox host enrol CODE --url %s "
	    "--ca ca.pem --host %s",
	    name, api->settings.url, name);
	return ENDING_DONE;
}

static int
invite_run(struct cli *cli, const void *opt, char **operand)
{
	const struct host_opt *o = opt;
	char path[API_PATH_MAX];
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	if (o->tenant == NULL)
		return out_fail(cli, ENDING_USAGE, "--tenant is needed");
	if ((rv = host_path(cli, operand[0], "", o->tenant, path)) !=
		ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_create(&api,
	    json_pack("{s:s, s:s}", "tenant", o->tenant, "name", operand[0]),
	    &reply, "/v1/hosts");
	if (rv == ENDING_DONE)
		rv = invite_print(&api, reply, operand[0]);
	json_decref(reply);
	api_close(&api);
	return rv;
}

static int
remove_run(struct cli *cli, const void *opt, char **operand)
{
	const struct host_opt *o = opt;
	char path[API_PATH_MAX];
	struct api api = { 0 };
	int rv;

	if ((rv = host_path(cli, operand[0], "/remove", o->tenant, path)) !=
	    ENDING_DONE)
		return rv;
	if (!out_confirm(cli, "Remove it? Nobody will get in there any more."))
		return out_fail(cli, ENDING_FAILED, "nothing was removed");
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_post(&api, NULL, NULL, "%s", path);
	if (rv == ENDING_DONE)
		out_note(cli, "removed %s", operand[0]);
	api_close(&api);
	return rv;
}

const struct command host_commands[] = {
	{ "host", "ls", NULL, 0, 0, "list hosts", tenant_flags,
	    sizeof(struct host_opt), ls_run,
	    "lockbox host ls --tenant acme\n" },
	{ "host", "show", "NAME", 1, 1, "show one host", tenant_flags,
	    sizeof(struct host_opt), show_run, "lockbox host show db1\n" },
	{ "host", "invite", "NAME", 1, 1,
	    "an operator: make a one-time code that enrols a host",
	    tenant_flags, sizeof(struct host_opt), invite_run,
	    "lockbox host invite db1 --tenant acme\n" },
	{ "host", "remove", "NAME", 1, 1,
	    "an operator: forget a host; its door stays shut", tenant_flags,
	    sizeof(struct host_opt), remove_run,
	    "lockbox host remove db1 --tenant acme\n" },
	{ 0 },
};
