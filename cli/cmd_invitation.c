/* lockbox invitation accept, withdraw: bring a key with a one-time code. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "api.h"
#include "commands.h"
#include "lockbox/sshsig.h"
#include "lockbox/visible.h"
#include "operand.h"
#include "output.h"
#include "prompt.h"
#include "settings_flags.h"
#include "signin.h"

#define CODE_MAX  64 /* bytes that a person types, with NUL */
#define LABEL_MAX 64 /* bytes */

struct accept_opt {
	struct settings_flags f;
	const char *tenant, *label;
};

#define O(member) offsetof(struct accept_opt, member)
static const struct flag accept_flags[] = {
	SETTINGS_FLAGS(O(f)),
	{ "tenant", 0, FLAG_TEXT, O(tenant), "NAME",
	    "the customer whose people you join" },
	{ "label", 0, FLAG_TEXT, O(label), "TEXT",
	    "how others know this key (default 'ssh key')" },
	{ 0 },
};
#undef O

/* What is sent. */
struct bringing {
	const char *tenant, *label;
	char code[CODE_MAX];
	struct lb_sshkey key;
	struct lb_buf text, armor;
};

static bool
code_like(const char *typed)
{
	size_t n = 0;

	for (; *typed != '\0'; typed++)
		n += *typed != '-' && *typed != ' ';
	return n == 16;
}

/* Asked for, never an argument: arguments are seen by others. */
static int
code_ask(const struct cli *cli, struct bringing *b)
{
	return prompt_ask(cli, "Code of the invitation", NULL, code_like,
	    "XXXX-XXXX-XXXX-XXXX, as you got it", b->code, sizeof(b->code));
}

static int
key_prove(struct api *api, struct bringing *b)
{
	struct lb_sshsig sig;
	json_t *nonce = NULL;
	int rv;

	if ((rv = api_post(api, NULL, &nonce, "/v1/signin/nonce")) ==
		ENDING_DONE &&
	    (rv = signin_sign(api, nonce, &b->text, &b->armor)) ==
		ENDING_DONE) {
		if (lb_sshsig_parse(b->armor.data, b->armor.len, &sig) == LB_OK)
			b->key = sig.key;
		else
			rv = out_fail(api->cli, ENDING_FAILED,
			    "the signature cannot be read");
	}
	json_decref(nonce);
	return rv;
}

static int
accept_post(struct api *api, const struct bringing *b, json_t **ret)
{
	char key[LB_KEY_TEXT_MAX + 1];

	lb_sshkey_format(&b->key, key);
	return api_post(api,
	    json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "tenant",
		b->tenant, "principal", api->settings.principal, "code",
		b->code, "candidate", "key", key, "label", b->label, "text",
		b->text.data, "signature", b->armor.data),
	    ret, "/v1/invitations/accept");
}

static int
accept_print(const struct cli *cli, const struct bringing *b, json_t *reply)
{
	struct out_table t = { .columns = 2 };
	char code[LB_CODE_LEN + 1];

	lb_key_code(b->key.fp, code);
	if (cli->json) {
		(void)json_object_set_new(reply, "code", json_string(code));
		return out_json(cli, json_incref(reply));
	}
	out_field(&t, "code", "%s", code);
	out_field(&t, "fingerprint", "%s", b->key.fp);
	if (out_table_print(cli->out, &t) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	out_note(cli,
	    "your key decides nothing yet: the owners of %s sign it into "
	    "their trust document",
	    b->tenant);
	out_hint(cli,
	    "tell an owner this code by another way than the broker, best by "
	    "voice; once it is signed: lockbox signin");
	return ENDING_DONE;
}

static int
accept_with(struct cli *cli, const struct accept_opt *o,
    const struct settings *s, struct bringing *b)
{
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	if ((rv = api_open_with(cli, s, &api)) != ENDING_DONE)
		return rv;
	/* A session of ours has no business here. */
	api.token[0] = '\0';
	if ((rv = code_ask(cli, b)) == ENDING_DONE &&
	    (rv = key_prove(&api, b)) == ENDING_DONE &&
	    (rv = accept_post(&api, b, &reply)) == ENDING_DONE &&
	    (rv = settings_flags_keep(cli, &o->f, &api.settings)) ==
		ENDING_DONE)
		rv = accept_print(cli, b, reply);
	json_decref(reply);
	api_close(&api);
	return rv;
}

static int
label_check(const struct cli *cli, const char *label)
{
	if (strlen(label) <= LABEL_MAX && lb_text_visible(label, strlen(label)))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE,
	    "--label: only visible text, one line, at most %d bytes",
	    LABEL_MAX);
}

static int
accept_run(struct cli *cli, const void *opt, char **operand)
{
	const struct accept_opt *o = opt;
	struct bringing b = { .tenant = o->tenant,
		.label = o->label != NULL ? o->label : "ssh key" };
	struct settings s;
	int rv;

	(void)operand;
	if (b.tenant == NULL)
		return out_fail(cli, ENDING_USAGE, "--tenant is needed");
	if ((rv = operand_tenant(cli, b.tenant)) != ENDING_DONE ||
	    (rv = label_check(cli, b.label)) != ENDING_DONE ||
	    (rv = settings_load(cli, &s)) != ENDING_DONE ||
	    (rv = settings_flags_apply(cli, &o->f, &s)) != ENDING_DONE ||
	    (rv = settings_flags_check(cli, &s)) != ENDING_DONE)
		return rv;
	rv = accept_with(cli, o, &s, &b);
	sodium_memzero(b.code, sizeof(b.code));
	lb_buf_clear(&b.text);
	lb_buf_clear(&b.armor);
	return rv;
}

static int
withdraw_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	(void)opt;
	if (!lb_id_valid(operand[0]))
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is no id of 'lockbox tenant invitations'",
		    operand[0]);
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_post(&api, NULL, NULL, "/v1/invitations/%s/withdraw",
		 operand[0])) == ENDING_DONE)
		out_note(cli, "withdrawn: its code is good for nothing");
	api_close(&api);
	return rv;
}

const struct command invitation_commands[] = {
	{ "invitation", "accept", NULL, 0, 0,
	    "bring your key with the code that you were given", accept_flags,
	    sizeof(struct accept_opt), accept_run,
	    "lockbox invitation accept --url https://broker.example --ca "
	    "ca.pem --tenant acme --as dora@acme.example --key "
	    "~/.ssh/id_ed25519\n" },
	{ "invitation", "withdraw", "ID", 1, 1,
	    "an approver or operator: make a code good for nothing", NULL, 0,
	    withdraw_run,
	    "lockbox invitation withdraw 01JNBWQ7000000000000000001\n" },
	{ 0 },
};
