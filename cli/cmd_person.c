/* lockbox person ls, show, add, set: the provider's people. */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "files.h"
#include "output.h"

struct person_opt {
	struct flag_list role, key;
	const char *mail, *active;
};

#define O(member) offsetof(struct person_opt, member)
#define PERSON_FLAGS                                                           \
	{ "role", 0, FLAG_LIST, O(role), "ROLE",                               \
		"engineer, manager, operator, auditor" },                      \
	    { "key", 0, FLAG_LIST, O(key), "FILE", "an ssh public key" },      \
	{                                                                      \
		"mail", 0, FLAG_TEXT, O(mail), "ADDRESS",                      \
		    "where notices go; empty: nowhere"                         \
	}

static const struct flag add_flags[] = { PERSON_FLAGS, { 0 } };

static const struct flag set_flags[] = {
	PERSON_FLAGS,
	{ "active", 0, FLAG_TEXT, O(active), "yes|no",
	    "no: may not sign in any more" },
	{ 0 },
};
#undef O

static int
keys_json(const struct cli *cli, const struct flag_list *files, json_t **ret)
{
	char text[LB_KEY_TEXT_MAX + 1];
	json_t *list = json_array();
	struct lb_sshkey key;
	enum lb_err r;

	for (size_t i = 0; i < files->count; i++) {
		if ((r = files_pubkey(files->item[i], &key)) != LB_OK) {
			json_decref(list);
			return out_fail(cli, ENDING_USAGE,
			    "read a public key from '%s': %s", files->item[i],
			    files_why(r));
		}
		lb_sshkey_format(&key, text);
		(void)json_array_append_new(list, json_string(text));
	}
	*ret = list;
	return ENDING_DONE;
}

static json_t *
list_json(const struct flag_list *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->count; i++)
		(void)json_array_append_new(list, json_string(l->item[i]));
	return list;
}

/* The members that were given; of a new person roles and keys always. */
static int
body_json(
    const struct cli *cli, const struct person_opt *o, bool all, json_t **ret)
{
	json_t *body, *keys = NULL;
	int rv;

	if (o->active != NULL && strcmp(o->active, "yes") != 0 &&
	    strcmp(o->active, "no") != 0)
		return out_fail(cli, ENDING_USAGE, "--active is yes or no");
	if ((rv = keys_json(cli, &o->key, &keys)) != ENDING_DONE)
		return rv;
	body = json_object();
	if (all || o->key.count > 0)
		(void)json_object_set(body, "keys", keys);
	if (all || o->role.count > 0)
		(void)json_object_set_new(body, "roles", list_json(&o->role));
	if (o->mail != NULL)
		(void)json_object_set_new(body, "mail",
		    o->mail[0] != '\0' ? json_string(o->mail) : json_null());
	if (o->active != NULL)
		(void)json_object_set_new(body, "active",
		    json_boolean(strcmp(o->active, "yes") == 0));
	json_decref(keys);
	*ret = body;
	return ENDING_DONE;
}

/* "TYPE BASE64" as its fingerprint, which people can compare. */
static void
field_keys(struct out_table *t, const json_t *person)
{
	const json_t *keys = json_object_get(person, "keys");
	struct lb_sshkey key;

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *text = json_string_value(json_array_get(keys, i));

		out_field(t, "key", "%s",
		    text != NULL && lb_sshkey_parse(text, &key) == LB_OK
			? key.fp
			: "(cannot be read)");
	}
}

static int
person_print(const struct cli *cli, const json_t *person)
{
	struct out_table t = { .columns = 2 };
	struct lb_buf roles = { 0 };

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)person));
	out_field(&t, "principal", "%s", api_str(person, "principal"));
	if (api_join(person, "roles", &roles) == LB_OK)
		out_field(&t, "roles", "%s", roles.data);
	lb_buf_clear(&roles);
	field_keys(&t, person);
	if (api_str(person, "mail")[0] != '\0')
		out_field(&t, "mail", "%s", api_str(person, "mail"));
	out_field(&t, "active", "%s",
	    json_is_true(json_object_get(person, "active")) ? "yes" : "no");
	return out_table_print(cli->out, &t) == LB_OK
	    ? ENDING_DONE
	    : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
list_print(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 4 };
	enum lb_err r = LB_OK;

	if (cli->json)
		return out_json(cli, json_incref(items));
	out_row(&t, "PRINCIPAL", "ROLES", "ACTIVE", "MAIL");
	for (size_t i = 0; r == LB_OK && i < json_array_size(items); i++) {
		const json_t *p = json_array_get(items, i);
		struct lb_buf roles = { 0 };

		if ((r = api_join(p, "roles", &roles)) == LB_OK)
			out_row(&t, api_str(p, "principal"), roles.data,
			    json_is_true(json_object_get(p, "active")) ? "yes"
								       : "no",
			    api_str(p, "mail"));
		lb_buf_clear(&roles);
	}
	if (r == LB_OK)
		r = out_table_print(cli->out, &t);
	out_table_clear(&t);
	return r == LB_OK ? ENDING_DONE
			  : out_fail(cli, ENDING_FAILED, "out of memory");
}

static int
ls_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)opt;
	(void)operand;
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_list(&api, "/v1/people", "", 0, &items)) == ENDING_DONE)
		rv = list_print(cli, items);
	json_decref(items);
	api_close(&api);
	return rv;
}

static int
principal_check(const struct cli *cli, const char *principal)
{
	if (lb_principal_valid(principal))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE,
	    "'%s' is no principal such as avm@provider.example", principal);
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	json_t *person = NULL;
	int rv;

	(void)opt;
	if ((rv = principal_check(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &person, "/v1/people/%s", operand[0])) ==
	    ENDING_DONE)
		rv = person_print(cli, person);
	json_decref(person);
	api_close(&api);
	return rv;
}

static int
add_run(struct cli *cli, const void *opt, char **operand)
{
	const struct person_opt *o = opt;
	json_t *body = NULL, *person = NULL;
	struct api api = { 0 };
	int rv;

	if (o->role.count == 0 || o->key.count == 0)
		return out_fail(
		    cli, ENDING_USAGE, "--role and --key are needed");
	if ((rv = principal_check(cli, operand[0])) != ENDING_DONE ||
	    (rv = body_json(cli, o, true, &body)) != ENDING_DONE)
		return rv;
	(void)json_object_set_new(body, "principal", json_string(operand[0]));
	if ((rv = api_open(cli, true, &api)) == ENDING_DONE &&
	    (rv = api_create(&api, json_incref(body), &person, "/v1/people")) ==
		ENDING_DONE)
		rv = person_print(cli, person);
	json_decref(person);
	json_decref(body);
	api_close(&api);
	return rv;
}

static int
set_run(struct cli *cli, const void *opt, char **operand)
{
	json_t *body = NULL, *person = NULL;
	struct api api = { 0 };
	int rv;

	if ((rv = principal_check(cli, operand[0])) != ENDING_DONE ||
	    (rv = body_json(cli, opt, false, &body)) != ENDING_DONE)
		return rv;
	if (json_object_size(body) == 0)
		rv = out_fail(cli, ENDING_USAGE, "nothing to change");
	else if ((rv = api_open(cli, true, &api)) == ENDING_DONE &&
	    (rv = api_post(&api, json_incref(body), &person, "/v1/people/%s",
		 operand[0])) == ENDING_DONE)
		rv = person_print(cli, person);
	json_decref(person);
	json_decref(body);
	api_close(&api);
	return rv;
}

const struct command person_commands[] = {
	{ "person", "ls", NULL, 0, 0, "list the provider's people", NULL, 0,
	    ls_run, "lockbox person ls\n" },
	{ "person", "show", "PRINCIPAL", 1, 1, "show one person", NULL, 0,
	    show_run, "lockbox person show avm@provider.example\n" },
	{ "person", "add", "PRINCIPAL", 1, 1, "an operator: add a person",
	    add_flags, sizeof(struct person_opt), add_run,
	    "lockbox person add avm@provider.example --role engineer --key "
	    "avm.pub --mail avm@provider.example\n" },
	{ "person", "set", "PRINCIPAL", 1, 1,
	    "an operator: change what is given, all of it at once", set_flags,
	    sizeof(struct person_opt), set_run,
	    "lockbox person set avm@provider.example --active no\n"
	    "lockbox person set max@provider.example --role manager --role "
	    "auditor\n" },
	{ 0 },
};
