/* lockbox webhook ...: where a customer's own systems are told. */
#include <string.h>
#include <time.h>

#include "api.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "output.h"

#define TEST_WAIT_MS 30000
#define TEST_STEP_MS 300

struct hook_opt {
	const char *tenant, *scheme, *url;
	struct flag_list type;
	bool on, off, every;
};

#define O(member) offsetof(struct hook_opt, member)
static const struct flag add_flags[] = {
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "whose it is" },
	{ "type", 0, FLAG_LIST, O(type), "KIND",
	    "only these: request.pending_approval, ..." },
	{ "scheme", 0, FLAG_TEXT, O(scheme), "v1|v1a",
	    "signed with a shared secret, or with a key of the broker" },
	{ 0 },
};

static const struct flag ls_flags[] = {
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME", "whose they are" },
	{ 0 },
};

static const struct flag set_flags[] = {
	{ "url", 0, FLAG_TEXT, O(url), "URL", "another place" },
	{ "type", 0, FLAG_LIST, O(type), "KIND", "only these from now on" },
	{ "all-types", 0, FLAG_SWITCH, O(every), NULL, "all from now on" },
	{ "on", 0, FLAG_SWITCH, O(on), NULL, "send again" },
	{ "off", 0, FLAG_SWITCH, O(off), NULL, "send nothing" },
	{ 0 },
};
#undef O

static void
field_text(
    struct out_table *t, const char *name, const json_t *o, const char *member)
{
	if (api_str(o, member)[0] != '\0')
		out_field(t, name, "%s", api_str(o, member));
}

static int
hook_print(const struct cli *cli, const json_t *h)
{
	struct out_table t = { .columns = 2 };
	struct lb_buf types = { 0 };
	char at[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)h));
	field_text(&t, "webhook", h, "id");
	field_text(&t, "tenant", h, "tenant");
	field_text(&t, "url", h, "url");
	if (api_join(h, "types", &types) == LB_OK)
		out_field(
		    &t, "types", "%s", types.len > 0 ? types.data : "all");
	lb_buf_clear(&types);
	field_text(&t, "scheme", h, "scheme");
	field_text(&t, "secret", h, "secret");
	field_text(&t, "public key", h, "public_key");
	if (api_at(h, "old_key_until") != 0) {
		out_time(api_at(h, "old_key_until"), at);
		out_field(&t, "old key until", "%s", at);
	}
	out_field(&t, "active", "%s",
	    json_is_true(json_object_get(h, "active")) ? "yes" : "no");
	field_text(&t, "because", h, "why");
	field_text(&t, "made by", h, "created_by");
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static void
secret_note(const struct cli *cli, const json_t *h)
{
	if (api_str(h, "secret")[0] != '\0')
		out_note(cli, "the secret is shown this once");
}

static json_t *
types_json(const struct flag_list *l)
{
	json_t *a = json_array();

	for (size_t i = 0; i < l->count; i++)
		(void)json_array_append_new(a, json_string(l->item[i]));
	return a;
}

static int
tenant_check(const struct cli *cli, const char *tenant)
{
	if (tenant != NULL && lb_name_valid(tenant))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE, "--tenant is needed");
}

static int
id_check(const struct cli *cli, const char *id)
{
	if (lb_id_valid(id))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE,
	    "'%s' is no webhook's id: see 'lockbox webhook ls'", id);
}

static int
add_run(struct cli *cli, const void *opt, char **operand)
{
	const struct hook_opt *o = opt;
	char path[API_PATH_MAX];
	json_t *hook = NULL, *body;
	struct api api = { 0 };
	int rv;

	if ((rv = tenant_check(cli, o->tenant)) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	body = json_pack(
	    "{s:s, s:o}", "url", operand[0], "types", types_json(&o->type));
	if (body != NULL && o->scheme != NULL)
		(void)json_object_set_new(
		    body, "scheme", json_string(o->scheme));
	(void)snprintf(
	    path, sizeof(path), "/v1/tenants/%s/webhooks", o->tenant);
	if ((rv = api_create(&api, body, &hook, path)) == ENDING_DONE &&
	    (rv = hook_print(cli, hook)) == ENDING_DONE) {
		secret_note(cli, hook);
		out_hint(cli, "lockbox webhook test %s", api_str(hook, "id"));
	}
	json_decref(hook);
	api_close(&api);
	return rv;
}

static void
list_row(struct out_table *t, const json_t *h)
{
	struct lb_buf types = { 0 };
	bool active = json_is_true(json_object_get(h, "active"));

	if (api_join(h, "types", &types) != LB_OK)
		t->failed = true;
	out_row(t, api_str(h, "id"), active ? "yes" : api_str(h, "why"),
	    api_str(h, "scheme"), types.len > 0 ? types.data : "all",
	    api_str(h, "url"));
	lb_buf_clear(&types);
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	const struct hook_opt *o = opt;
	struct out_table t = { .columns = 5 };
	struct api api = { 0 };
	json_t *list = NULL, *items;
	int rv;

	(void)operand;
	if ((rv = tenant_check(cli, o->tenant)) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_get(&api, &list, "/v1/tenants/%s/webhooks", o->tenant);
	items = json_object_get(list, "items");
	if (rv == ENDING_DONE && cli->json) {
		rv = out_json(cli, json_incref(items));
	} else if (rv == ENDING_DONE) {
		out_row(&t, "WEBHOOK", "ACTIVE", "SCHEME", "TYPES", "URL");
		for (size_t i = 0; i < json_array_size(items); i++)
			list_row(&t, json_array_get(items, i));
		if (out_table_print(cli->out, &t) != LB_OK)
			rv = out_fail(cli, ENDING_FAILED, "out of memory");
	}
	json_decref(list);
	api_close(&api);
	return rv;
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *hook = NULL;
	int rv;

	(void)opt;
	if ((rv = id_check(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &hook, "/v1/webhooks/%s", operand[0])) ==
	    ENDING_DONE)
		rv = hook_print(cli, hook);
	json_decref(hook);
	api_close(&api);
	return rv;
}

/* Post body (stolen) to the webhook's path, and show what it is then. */
static int
change(struct cli *cli, const char *id, const char *verb, json_t *body)
{
	struct api api = { 0 };
	json_t *hook = NULL;
	int rv;

	if ((rv = id_check(cli, id)) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE) {
		json_decref(body);
		return rv;
	}
	if ((rv = api_post(&api, body, &hook, "/v1/webhooks/%s%s", id, verb)) ==
		ENDING_DONE &&
	    hook != NULL && (rv = hook_print(cli, hook)) == ENDING_DONE)
		secret_note(cli, hook);
	json_decref(hook);
	api_close(&api);
	return rv;
}

static int
set_run(struct cli *cli, const void *opt, char **operand)
{
	const struct hook_opt *o = opt;
	json_t *body;

	if ((o->on && o->off) || (o->every && o->type.count > 0))
		return out_fail(
		    cli, ENDING_USAGE, "these flags exclude each other");
	body = json_object();
	if (o->url != NULL)
		(void)json_object_set_new(body, "url", json_string(o->url));
	if (o->every || o->type.count > 0)
		(void)json_object_set_new(body, "types", types_json(&o->type));
	if (o->on || o->off)
		(void)json_object_set_new(body, "active", json_boolean(o->on));
	if (json_object_size(body) == 0) {
		json_decref(body);
		return out_fail(cli, ENDING_USAGE, "nothing to change");
	}
	return change(cli, operand[0], "", body);
}

static int
rotate_run(struct cli *cli, const void *opt, char **operand)
{
	(void)opt;
	return change(cli, operand[0], "/rotate", NULL);
}

static int
rm_run(struct cli *cli, const void *opt, char **operand)
{
	(void)opt;
	return change(cli, operand[0], "/remove", NULL);
}

/* The newest test delivery, owned; NULL: none. */
static int
newest_test(struct api *api, const char *id, json_t **ret)
{
	json_t *list = NULL, *d;
	size_t i;
	int rv;

	*ret = NULL;
	rv = api_get(api, &list, "/v1/webhooks/%s/deliveries?limit=50", id);
	json_array_foreach(json_object_get(list, "items"), i, d)
	{
		if (*ret == NULL &&
		    strcmp(api_str(d, "type"), "webhook.test") == 0)
			*ret = json_incref(d);
	}
	json_decref(list);
	return rv;
}

/* Wait until the test after the one called before has been tried. */
static int
test_wait(struct cli *cli, struct api *api, const char *id, const char *before)
{
	static const struct timespec step = { .tv_nsec =
						  TEST_STEP_MS * 1000000L };
	int64_t end = lb_clock_boottime_ms() + TEST_WAIT_MS;
	json_t *d = NULL;
	int rv;

	while ((rv = newest_test(api, id, &d)) == ENDING_DONE) {
		bool tried = d != NULL &&
		    strcmp(api_str(d, "id"), before) != 0 &&
		    json_integer_value(json_object_get(d, "attempts")) > 0;

		if (tried || lb_clock_boottime_ms() > end)
			break;
		json_decref(d);
		(void)nanosleep(&step, NULL);
	}
	if (rv != ENDING_DONE)
		return rv;
	if (cli->json)
		rv = out_json(cli, json_incref(d));
	else if (strcmp(api_str(d, "state"), "sent") == 0)
		out_line(cli->out, "it arrived: status %lld",
		    (long long)json_integer_value(
			json_object_get(d, "status")));
	if (strcmp(api_str(d, "state"), "sent") != 0)
		rv = out_fail(cli, ENDING_FAILED,
		    "it did not arrive: %s, status %lld",
		    api_str(d, "code")[0] != '\0' ? api_str(d, "code")
						  : "not tried yet",
		    (long long)json_integer_value(
			json_object_get(d, "status")));
	json_decref(d);
	return rv;
}

static int
test_run(struct cli *cli, const void *opt, char **operand)
{
	json_t *before = NULL, *answer = NULL;
	struct api api = { 0 };
	int rv;

	(void)opt;
	if ((rv = id_check(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = newest_test(&api, operand[0], &before)) == ENDING_DONE &&
	    (rv = api_post(&api, NULL, &answer, "/v1/webhooks/%s/test",
		 operand[0])) == ENDING_DONE)
		rv = test_wait(cli, &api, operand[0], api_str(before, "id"));
	json_decref(before);
	json_decref(answer);
	api_close(&api);
	return rv;
}

const struct command webhook_commands[] = {
	{ "webhook", "add", "URL", 1, 1,
	    "have a customer's own system told what happens", add_flags,
	    sizeof(struct hook_opt), add_run,
	    "lockbox webhook add https://tickets.acme.example/lockbox "
	    "--tenant acme --type request.pending_approval\n" },
	{ "webhook", "ls", NULL, 0, 0, "list a customer's webhooks", ls_flags,
	    sizeof(struct hook_opt), ls_run,
	    "lockbox webhook ls --tenant acme\n" },
	{ "webhook", "show", "ID", 1, 1, "show one webhook", NULL, 0, show_run,
	    "lockbox webhook show 01JABCDEFGHJKMNPQRSTVWXYZ0\n" },
	{ "webhook", "set", "ID", 1, 1, "change one", set_flags,
	    sizeof(struct hook_opt), set_run,
	    "lockbox webhook set 01JABCDEFGHJKMNPQRSTVWXYZ0 --off\n" },
	{ "webhook", "test", "ID", 1, 1,
	    "send it something and say how it went", NULL, 0, test_run,
	    "lockbox webhook test 01JABCDEFGHJKMNPQRSTVWXYZ0\n" },
	{ "webhook", "rotate", "ID", 1, 1,
	    "give it a new key; the old one also signs for a day", NULL, 0,
	    rotate_run, "lockbox webhook rotate 01JABCDEFGHJKMNPQRSTVWXYZ0\n" },
	{ "webhook", "rm", "ID", 1, 1, "remove one", NULL, 0, rm_run,
	    "lockbox webhook rm 01JABCDEFGHJKMNPQRSTVWXYZ0\n" },
	{ 0 },
};
