/*
 * lockbox tenant invite, invitations, contacts, contact: who shall join a
 * customer's people, and where their mail goes.
 */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "lockbox/clock.h"
#include "operand.h"
#include "output.h"

struct people_opt {
	const char *mail;
	bool owner, no_mail, links, no_links;
};

#define O(member) offsetof(struct people_opt, member)
static const struct flag invite_flags[] = {
	{ "mail", 0, FLAG_TEXT, O(mail), "ADDRESS",
	    "where mail for him goes; not the code" },
	{ "owner", 0, FLAG_SWITCH, O(owner), NULL,
	    "he shall sign trust documents too" },
	{ 0 },
};

static const struct flag contact_flags[] = {
	{ "mail", 0, FLAG_TEXT, O(mail), "ADDRESS", "where mail goes" },
	{ "no-mail", 0, FLAG_SWITCH, O(no_mail), NULL, "he gets no mail" },
	{ "links", 0, FLAG_SWITCH, O(links), NULL,
	    "mail may hold a link to the request" },
	{ "no-links", 0, FLAG_SWITCH, O(no_links), NULL, "mail holds no link" },
	{ 0 },
};
#undef O

/* Both names are good, and a session is there. */
static int
people_open(struct cli *cli, char **operand, struct api *ret)
{
	int rv;

	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (operand[1] != NULL &&
		(rv = operand_principal(cli, operand[1])) != ENDING_DONE))
		return rv;
	return api_open(cli, true, ret);
}

/* The code stands alone on its line, to be copied. */
static int
invite_print(const struct api *api, json_t *reply)
{
	const struct cli *cli = api->cli;
	char until[OUT_TIME_MAX];

	if (cli->json)
		return out_json(cli, json_incref(reply));
	out_time(api_at(reply, "expires_at"), until);
	out_line(cli->out, "%s", api_str(reply, "code"));
	out_note(cli,
	    "good until %s, for %s alone, once; shown once: hand it over "
	    "yourself",
	    until, api_str(reply, "principal"));
	out_hint(cli,
	    "%s: lockbox invitation accept --url %s --ca ca.pem --tenant %s "
	    "--as %s --key ~/.ssh/id_ed25519",
	    api_str(reply, "principal"), api->settings.url,
	    api_str(reply, "tenant"), api_str(reply, "principal"));
	return ENDING_DONE;
}

static int
invite_run(struct cli *cli, const void *opt, char **operand)
{
	const struct people_opt *o = opt;
	char path[API_PATH_MAX];
	struct api api = { 0 };
	json_t *body, *reply = NULL;
	int rv;

	if ((rv = people_open(cli, operand, &api)) != ENDING_DONE)
		return rv;
	(void)snprintf(
	    path, sizeof(path), "/v1/tenants/%s/invitations", operand[0]);
	body =
	    json_pack("{s:s, s:b}", "principal", operand[1], "owner", o->owner);
	if (o->mail != NULL)
		(void)json_object_set_new(body, "mail", json_string(o->mail));
	if ((rv = api_create(&api, body, &reply, path)) == ENDING_DONE)
		rv = invite_print(&api, reply);
	json_decref(reply);
	api_close(&api);
	return rv;
}

static void
invitation_row(struct out_table *t, const json_t *item)
{
	char until[OUT_TIME_MAX];

	out_time(api_at(item, "expires_at"), until);
	out_row(t, api_str(item, "principal"), api_str(item, "state"), until,
	    api_str(item, "invited_by"), api_str(item, "id"));
}

static void
contact_row(struct out_table *t, const json_t *item)
{
	const char *mail = api_str(item, "mail");
	struct lb_buf kinds = { 0 };

	if (api_join(item, "kinds", &kinds) != LB_OK)
		t->failed = true;
	else
		out_row(t, api_str(item, "principal"),
		    kinds.data != NULL ? kinds.data : "-",
		    mail[0] != '\0' ? mail : "-",
		    json_is_true(json_object_get(item, "links")) ? "yes"
								 : "no");
	lb_buf_clear(&kinds);
}

/* One of the lists beside a tenant, as a table. */
static int
list_show(struct cli *cli, char **operand, const char *what,
    struct out_table *t, void (*row)(struct out_table *t, const json_t *item))
{
	char path[API_PATH_MAX];
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	if ((rv = people_open(cli, operand, &api)) != ENDING_DONE)
		return rv;
	(void)snprintf(
	    path, sizeof(path), "/v1/tenants/%s/%s", operand[0], what);
	rv = api_list(&api, path, "", 0, &items);
	if (rv == ENDING_DONE && cli->json) {
		rv = out_json(cli, json_incref(items));
	} else if (rv == ENDING_DONE) {
		for (size_t i = 0; i < json_array_size(items); i++)
			row(t, json_array_get(items, i));
		if (out_table_print(cli->out, t) != LB_OK)
			rv = out_fail(cli, ENDING_FAILED, "out of memory");
	}
	json_decref(items);
	api_close(&api);
	return rv;
}

static int
invitations_run(struct cli *cli, const void *opt, char **operand)
{
	struct out_table t = { .columns = 5 };
	int rv;

	(void)opt;
	out_row(&t, "PRINCIPAL", "STATE", "UNTIL", "INVITED BY", "ID");
	rv = list_show(cli, operand, "invitations", &t, invitation_row);
	out_table_clear(&t);
	return rv;
}

static int
contacts_run(struct cli *cli, const void *opt, char **operand)
{
	struct out_table t = { .columns = 4 };
	int rv;

	(void)opt;
	out_row(&t, "PRINCIPAL", "IS", "MAIL", "LINKS");
	rv = list_show(cli, operand, "contacts", &t, contact_row);
	out_table_clear(&t);
	return rv;
}

static int
contact_body(const struct cli *cli, const struct people_opt *o, json_t **ret)
{
	if ((o->mail != NULL && o->no_mail) || (o->links && o->no_links))
		return out_fail(cli, ENDING_USAGE,
		    "--mail or --no-mail, --links or --no-links, not both");
	if (o->mail == NULL && !o->no_mail && !o->links && !o->no_links)
		return out_fail(cli, ENDING_USAGE, "nothing to change");
	*ret = json_object();
	if (o->mail != NULL)
		(void)json_object_set_new(*ret, "mail", json_string(o->mail));
	if (o->no_mail)
		(void)json_object_set_new(*ret, "mail", json_null());
	if (o->links || o->no_links)
		(void)json_object_set_new(
		    *ret, "links", json_boolean(o->links));
	return ENDING_DONE;
}

static int
contact_print(const struct cli *cli, json_t *reply)
{
	struct out_table t = { .columns = 4 };

	if (cli->json)
		return out_json(cli, json_incref(reply));
	contact_row(&t, reply);
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
contact_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *body = NULL, *reply = NULL;
	int rv;

	if ((rv = contact_body(cli, opt, &body)) != ENDING_DONE)
		return rv;
	if ((rv = people_open(cli, operand, &api)) != ENDING_DONE) {
		json_decref(body);
		return rv;
	}
	(void)json_object_set_new(body, "principal", json_string(operand[1]));
	if ((rv = api_post(&api, body, &reply, "/v1/tenants/%s/contacts",
		 operand[0])) == ENDING_DONE)
		rv = contact_print(cli, reply);
	json_decref(reply);
	api_close(&api);
	return rv;
}

const struct command tenant_people_commands[] = {
	{ "tenant", "invite", "NAME PRINCIPAL", 2, 2,
	    "an approver or operator: make a one-time code for somebody new",
	    invite_flags, sizeof(struct people_opt), invite_run,
	    "lockbox tenant invite acme dora@acme.example --mail "
	    "dora@acme.example\n" },
	{ "tenant", "invitations", "NAME", 1, 1,
	    "an approver or operator: list codes that nobody has used", NULL, 0,
	    invitations_run, "lockbox tenant invitations acme\n" },
	{ "tenant", "contacts", "NAME", 1, 1,
	    "an approver or operator: list where mail goes", NULL, 0,
	    contacts_run, "lockbox tenant contacts acme\n" },
	{ "tenant", "contact", "NAME PRINCIPAL", 2, 2,
	    "an approver or operator: say where somebody's mail goes",
	    contact_flags, sizeof(struct people_opt), contact_run,
	    "lockbox tenant contact acme anna@acme.example --mail "
	    "anna@acme.example --no-links\n" },
	{ 0 },
};
