/* lockbox tenant ls, show, add, set: customers, as the broker knows them. */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "files.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "operand.h"
#include "output.h"

struct tenant_opt {
	const char *trust, *endorsement;
	int64_t endorse_ttl, approve_ttl, grant_ttl;
};

#define O(member) offsetof(struct tenant_opt, member)
#define SETTING_FLAGS                                                          \
	{ "endorse-ttl", 0, FLAG_SPAN, O(endorse_ttl), "SPAN",                 \
		"how long a request waits for a manager" },                    \
	    { "approve-ttl", 0, FLAG_SPAN, O(approve_ttl), "SPAN",             \
		    "how long it waits for the customer" },                    \
	    { "grant-ttl", 0, FLAG_SPAN, O(grant_ttl), "SPAN",                 \
		    "how long a grant lasts unless asked otherwise" },         \
	{                                                                      \
		"endorsement", 0, FLAG_TEXT, O(endorsement), "yes|no",         \
		    "must a manager endorse before the customer is asked"      \
	}

static const struct flag add_flags[] = {
	{ "trust", 0, FLAG_TEXT, O(trust), "FILE",
	    "the first trust document, signed by its owners" },
	SETTING_FLAGS,
	{ 0 },
};

static const struct flag set_flags[] = { SETTING_FLAGS, { 0 } };
#undef O

static int
settings_json(const struct cli *cli, const struct tenant_opt *o, json_t **ret)
{
	const struct {
		const char *name;
		int64_t value;
	} span[] = {
		{ "endorse_ttl", o->endorse_ttl },
		{ "approve_ttl", o->approve_ttl },
		{ "grant_ttl", o->grant_ttl },
	};
	json_t *s;

	if (o->endorsement != NULL && strcmp(o->endorsement, "yes") != 0 &&
	    strcmp(o->endorsement, "no") != 0)
		return out_fail(
		    cli, ENDING_USAGE, "--endorsement is yes or no");
	s = json_object();
	for (size_t i = 0; i < sizeof(span) / sizeof(span[0]); i++)
		if (span[i].value != 0)
			(void)json_object_set_new(s, span[i].name,
			    json_integer((json_int_t)span[i].value));
	if (o->endorsement != NULL)
		(void)json_object_set_new(s, "endorsement",
		    json_boolean(strcmp(o->endorsement, "yes") == 0));
	*ret = s;
	return ENDING_DONE;
}

static void
field_ttl(struct out_table *t, const char *name, const json_t *settings,
    const char *member)
{
	char span[32];

	lb_span_format(json_integer_value(json_object_get(settings, member)),
	    span, sizeof(span));
	out_field(t, name, "%s", span);
}

/* "https://approve.acme.example (RP-ID acme.example), by the broker". */
static void
pages_print(struct out_table *t, const json_t *tenant)
{
	const json_t *page;
	size_t i;

	json_array_foreach(json_object_get(tenant, "pages"), i, page)
	    out_field(t, "page", "%s (RP-ID %s)%s", api_str(page, "origin"),
		api_str(page, "rp_id"),
		json_is_true(json_object_get(page, "broker"))
		    ? ", served by the broker"
		    : "");
}

/* Who stands in the trust document, and whom no mail reaches. */
static void
people_print(struct out_table *t, const json_t *tenant)
{
	const json_t *person;
	size_t i;

	json_array_foreach(json_object_get(tenant, "people"), i, person)
	{
		struct lb_buf kinds = { 0 };

		if (api_join(person, "kinds", &kinds) != LB_OK)
			t->failed = true;
		else
			out_field(t, kinds.data != NULL ? kinds.data : "-",
			    "%s%s", api_str(person, "principal"),
			    json_is_true(json_object_get(person, "mail"))
				? ""
				: " (no mail address: gets no notice)");
		lb_buf_clear(&kinds);
	}
}

static int
tenant_print(const struct cli *cli, const json_t *tenant)
{
	const json_t *trust = json_object_get(tenant, "trust");
	const json_t *settings = json_object_get(tenant, "settings");
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];
	struct out_table t = { .columns = 2 };
	int64_t until;

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)tenant));
	out_field(&t, "tenant", "%s", api_str(tenant, "name"));
	out_field(&t, "trust", "serial %lld, %s",
	    (long long)json_integer_value(json_object_get(trust, "serial")),
	    api_str(trust, "sha256"));
	until = api_at(trust, "good_until");
	out_time(until, at);
	out_when(until, lb_clock_now(), when);
	out_field(&t, "good until", "%s (%s)", at, when);
	out_field(&t, "approvals needed", "%lld",
	    (long long)json_integer_value(json_object_get(trust, "threshold")));
	people_print(&t, tenant);
	pages_print(&t, tenant);
	if ((until = api_at(tenant, "off_until")) != 0) {
		out_time(until, at);
		out_field(&t, "lockbox off until", "%s", at);
	}
	field_ttl(&t, "waits for a manager", settings, "endorse_ttl");
	field_ttl(&t, "waits for the customer", settings, "approve_ttl");
	field_ttl(&t, "grant lasts", settings, "grant_ttl");
	out_field(&t, "endorsement", "%s",
	    json_is_false(json_object_get(settings, "endorsement")) ? "no"
								    : "yes");
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static void
list_row(struct out_table *t, const json_t *tenant)
{
	const json_t *trust = json_object_get(tenant, "trust");
	char serial[24], until[OUT_TIME_MAX], off[OUT_TIME_MAX];

	(void)snprintf(serial, sizeof(serial), "%lld",
	    (long long)json_integer_value(json_object_get(trust, "serial")));
	out_time(api_at(trust, "good_until"), until);
	out_time(api_at(tenant, "off_until"), off);
	out_row(t, api_str(tenant, "name"), serial, until, off);
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	struct out_table t = { .columns = 4 };
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)opt;
	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_list(&api, "/v1/tenants", "", 0, &items);
	if (rv == ENDING_DONE && cli->json) {
		rv = out_json(cli, json_incref(items));
	} else if (rv == ENDING_DONE) {
		out_row(&t, "TENANT", "SERIAL", "TRUST UNTIL", "OFF UNTIL");
		for (size_t i = 0; i < json_array_size(items); i++)
			list_row(&t, json_array_get(items, i));
		if (out_table_print(cli->out, &t) != LB_OK)
			rv = out_fail(cli, ENDING_FAILED, "out of memory");
	}
	json_decref(items);
	api_close(&api);
	return rv;
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *tenant = NULL;
	int rv;

	(void)opt;
	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &tenant, "/v1/tenants/%s", operand[0])) ==
	    ENDING_DONE)
		rv = tenant_print(cli, tenant);
	json_decref(tenant);
	api_close(&api);
	return rv;
}

static int
add_run(struct cli *cli, const void *opt, char **operand)
{
	const struct tenant_opt *o = opt;
	json_t *settings = NULL, *tenant = NULL;
	struct lb_buf bundle = { 0 };
	struct api api = { 0 };
	enum lb_err r;
	int rv;

	(void)operand;
	if (o->trust == NULL)
		return out_fail(cli, ENDING_USAGE, "--trust is needed");
	if ((rv = settings_json(cli, o, &settings)) != ENDING_DONE)
		return rv;
	if ((r = files_read(o->trust, LB_BUNDLE_MAX, &bundle)) != LB_OK)
		rv = out_fail(cli, ENDING_FAILED, "read '%s': %s", o->trust,
		    files_why(r));
	else if ((rv = api_open(cli, true, &api)) == ENDING_DONE &&
	    (rv = api_create(&api,
		 json_pack(
		     "{s:s, s:O}", "bundle", bundle.data, "settings", settings),
		 &tenant, "/v1/tenants")) == ENDING_DONE &&
	    (rv = tenant_print(cli, tenant)) == ENDING_DONE)
		out_hint(cli, "lockbox host invite HOST --tenant %s",
		    api_str(tenant, "name"));
	json_decref(tenant);
	json_decref(settings);
	lb_buf_clear(&bundle);
	api_close(&api);
	return rv;
}

static int
set_run(struct cli *cli, const void *opt, char **operand)
{
	json_t *settings = NULL, *tenant = NULL;
	struct api api = { 0 };
	int rv;

	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (rv = settings_json(cli, opt, &settings)) != ENDING_DONE)
		return rv;
	if (json_object_size(settings) == 0)
		rv = out_fail(cli, ENDING_USAGE, "nothing to change");
	else if ((rv = api_open(cli, true, &api)) == ENDING_DONE &&
	    (rv = api_post(&api, json_incref(settings), &tenant,
		 "/v1/tenants/%s/settings", operand[0])) == ENDING_DONE)
		rv = tenant_print(cli, tenant);
	json_decref(tenant);
	json_decref(settings);
	api_close(&api);
	return rv;
}

const struct command tenant_commands[] = {
	{ "tenant", "ls", NULL, 0, 0, "list customers", NULL, 0, ls_run,
	    "lockbox tenant ls\n" },
	{ "tenant", "show", "NAME", 1, 1, "show one customer", NULL, 0,
	    show_run, "lockbox tenant show acme\n" },
	{ "tenant", "add", NULL, 0, 0,
	    "an operator: take a customer up, with its first trust document",
	    add_flags, sizeof(struct tenant_opt), add_run,
	    "lockbox tenant add --trust acme.trust\n" },
	{ "tenant", "set", "NAME", 1, 1,
	    "an operator: change a customer's times", set_flags,
	    sizeof(struct tenant_opt), set_run,
	    "lockbox tenant set acme --approve-ttl 4h --endorsement no\n" },
	{ 0 },
};
