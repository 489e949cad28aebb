/*
 * lockbox tenant candidates, candidate remove: keys that invited people
 * brought, for the owners to compare and to sign into trust.
 */
#include <string.h>

#include "api.h"
#include "commands.h"
#include "lockbox/sshkey.h"
#include "operand.h"
#include "output.h"

/* What a person compares is made from the key, not from what is said of it. */
static int
candidates_check(const struct cli *cli, const json_t *items)
{
	char code[LB_CODE_LEN + 1];
	struct lb_sshkey key;
	json_t *c;
	size_t i;

	json_array_foreach(items, i, c)
	{
		if (lb_sshkey_parse(api_str(c, "key"), &key) != LB_OK ||
		    strcmp(key.fp, api_str(c, "fingerprint")) != 0)
			return out_fail(cli, ENDING_UNAVAILABLE,
			    "the broker shows a key that is none, or not the "
			    "one it names");
		lb_key_code(key.fp, code);
		(void)json_object_set_new(c, "code", json_string(code));
	}
	return ENDING_DONE;
}

static void
candidate_print(struct out_table *t, const json_t *c)
{
	char at[OUT_TIME_MAX];

	out_time(api_at(c, "at"), at);
	out_field(t, "principal", "%s", api_str(c, "principal"));
	out_field(t, "code", "%s", api_str(c, "code"));
	out_field(t, "fingerprint", "%s", api_str(c, "fingerprint"));
	out_field(t, "key", "%s", api_str(c, "key"));
	if (api_str(c, "origin")[0] != '\0')
		out_field(t, "passkey of", "%s", api_str(c, "origin"));
	out_field(t, "label", "%s", api_str(c, "label"));
	out_field(t, "shall own", "%s",
	    json_is_true(json_object_get(c, "owner")) ? "yes" : "no");
	out_field(
	    t, "brought", "%s, invited by %s", at, api_str(c, "invited_by"));
	out_field(t, "id", "%s", api_str(c, "id"));
}

static int
candidates_print(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 2 };
	const json_t *c;
	size_t i;
	int rv;

	if ((rv = candidates_check(cli, items)) != ENDING_DONE)
		return rv;
	if (cli->json)
		return out_json(cli, json_incref(items));
	json_array_foreach(items, i, c)
	{
		if (i > 0)
			out_row(&t, "", "");
		candidate_print(&t, c);
	}
	if (out_table_print(cli->out, &t) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if (i > 0)
		out_hint(cli,
		    "ask each of them, by another way than the broker, for the "
		    "code; if it is the same: lockbox trust edit FILE "
		    "--approver 'PRINCIPAL=KEY'");
	return ENDING_DONE;
}

static int
candidates_run(struct cli *cli, const void *opt, char **operand)
{
	char path[API_PATH_MAX];
	struct api api = { 0 };
	json_t *items = NULL;
	int rv;

	(void)opt;
	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	(void)snprintf(
	    path, sizeof(path), "/v1/tenants/%s/candidates", operand[0]);
	if ((rv = api_list(&api, path, "", 0, &items)) == ENDING_DONE)
		rv = candidates_print(cli, items);
	json_decref(items);
	api_close(&api);
	return rv;
}

static int
remove_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	(void)opt;
	if (!lb_id_valid(operand[0]))
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no id of 'lockbox tenant candidates'", operand[0]);
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_post(&api, NULL, NULL, "/v1/candidates/%s/remove",
		 operand[0])) == ENDING_DONE)
		out_note(cli, "removed");
	api_close(&api);
	return rv;
}

const struct command candidate_commands[] = {
	{ "tenant", "candidates", "NAME", 1, 1,
	    "an approver or operator: list keys that wait to be signed into "
	    "trust",
	    NULL, 0, candidates_run, "lockbox tenant candidates acme\n" },
	{ "candidate", "remove", "ID", 1, 1,
	    "an approver or operator: drop a key that somebody brought", NULL,
	    0, remove_run,
	    "lockbox candidate remove 01JNBWQ7000000000000000001\n" },
	{ 0 },
};
