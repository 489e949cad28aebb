/*
 * lockbox trust propose, proposal, withdraw: owners sign a successor one by
 * one, at the broker.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "decide.h"
#include "files.h"
#include "in_force.h"
#include "lockbox/clock.h"
#include "operand.h"
#include "output.h"
#include "sign.h"
#include "signin.h"
#include "trust_file.h"

struct proposal_opt {
	const char *key, *output;
	bool replace;
};

#define O(member) offsetof(struct proposal_opt, member)
static const struct flag propose_flags[] = {
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "private key, or .pub of one in ssh-agent" },
	{ "replace", 0, FLAG_SWITCH, O(replace), NULL,
	    "drop another proposal, with its signatures" },
	{ 0 },
};

static const struct flag proposal_flags[] = {
	{ "output", 'o', FLAG_TEXT, O(output), "FILE",
	    "write it there, with its signatures" },
	{ 0 },
};
#undef O

/* Exactly the text that is signed, and what it changes of the one in force. */
static int
propose_show(
    const struct cli *cli, const struct trust_file *t, const struct in_force *f)
{
	if (strcmp(t->last->id, f->trust->id) == 0)
		return out_fail(cli, ENDING_FAILED, "it is in force already");
	if (strcmp(t->paper->previous, f->trust->id) != 0)
		return out_fail(cli, ENDING_FAILED,
		    "it does not follow from serial %lld, which is in force",
		    (long long)f->trust->serial);
	decide_show_text(cli, t->last->doc.text, t->last->doc.len, LB_NS_TRUST);
	out_line(cli->err, "What changes:");
	return trust_file_diff(cli, cli->err, f->paper, t->paper);
}

static int
propose_sign(struct api *api, const struct proposal_opt *o,
    const struct trust_file *t, const struct in_force *f, struct lb_buf *ret)
{
	char key[PATH_MAX];
	struct lb_sshsig sig;
	int rv;

	if ((rv = decide_key(api, o->key, key)) != ENDING_DONE)
		return rv;
	if (!out_confirm(api->cli, "Sign it?"))
		return out_fail(api->cli, ENDING_FAILED, "nothing was signed");
	if ((rv = sign_text(api->cli, key, LB_NS_TRUST, t->last->doc.text,
		 t->last->doc.len, ret, &sig)) != ENDING_DONE)
		return rv;
	if (trust_file_owner(f->trust, &sig.key) == NULL)
		return out_fail(api->cli, ENDING_DENIED,
		    "key %s is no owner's of serial %lld: it would not count",
		    sig.key.fp, (long long)f->trust->serial);
	return ENDING_DONE;
}

/* Owners who have not signed, ", " between. */
static enum lb_err
missing_words(const json_t *reply, struct lb_buf *ret)
{
	const json_t *owners =
	    json_object_get(json_object_get(reply, "tenant"), "owners");
	const json_t *signatures =
	    json_object_get(json_object_get(reply, "proposal"), "signatures");
	const json_t *owner, *s;
	enum lb_err r = LB_OK;
	size_t i, k;

	json_array_foreach(owners, i, owner)
	{
		const char *name = json_string_value(owner);
		bool has = name == NULL;

		json_array_foreach(signatures, k, s) has =
		    has || strcmp(name, api_str(s, "principal")) == 0;
		if (!has && r == LB_OK)
			r = lb_buf_addf(
			    ret, "%s%s", ret->len > 0 ? ", " : "", name);
	}
	return r;
}

/* In force, or how far it is. */
static int
outcome_print(const struct cli *cli, json_t *reply, const char *tenant)
{
	const json_t *p = json_object_get(reply, "proposal");
	const json_t *trust =
	    json_object_get(json_object_get(reply, "tenant"), "trust");
	struct lb_buf missing = { 0 };

	if (cli->json)
		return out_json(cli, json_incref(reply));
	if (!json_is_object(p)) {
		out_line(cli->out,
		    "%s: serial %lld is in force at the broker; hosts learn it "
		    "with their next question",
		    tenant,
		    (long long)json_integer_value(
			json_object_get(trust, "serial")));
		return ENDING_DONE;
	}
	if (missing_words(reply, &missing) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	out_line(cli->out, "%s: %zu of %lld owners have signed serial %lld",
	    tenant, json_array_size(json_object_get(p, "signatures")),
	    (long long)json_integer_value(json_object_get(p, "needed")),
	    (long long)json_integer_value(json_object_get(p, "serial")));
	out_hint(cli,
	    "%s: lockbox trust proposal %s -o FILE, then: lockbox trust "
	    "propose FILE",
	    missing.len > 0 ? missing.data : "the other owners", tenant);
	lb_buf_clear(&missing);
	return ENDING_DONE;
}

static int
propose_post(struct api *api, const struct proposal_opt *o,
    const struct trust_file *t, const struct lb_buf *armor)
{
	json_t *reply = NULL;
	int rv;

	rv = api_post(api,
	    json_pack("{s:s%, s:s, s:b}", "text", t->last->doc.text,
		t->last->doc.len, "signature", armor->data, "replace",
		o->replace),
	    &reply, "/v1/tenants/%s/proposal", t->paper->tenant);
	if (rv == ENDING_DONE)
		rv = outcome_print(api->cli, reply, t->paper->tenant);
	json_decref(reply);
	return rv;
}

static int
propose_run(struct cli *cli, const void *opt, char **operand)
{
	struct lb_buf armor = { 0 };
	struct in_force f = { 0 };
	struct trust_file t = { 0 };
	struct api api = { 0 };
	int rv;

	if ((rv = trust_file_load(cli, operand[0], &t)) == ENDING_DONE &&
	    (rv = signin_open(cli, &api)) == ENDING_DONE &&
	    (rv = in_force_fetch(&api, t.paper->tenant, &f)) == ENDING_DONE &&
	    (rv = propose_show(cli, &t, &f)) == ENDING_DONE &&
	    (rv = propose_sign(&api, opt, &t, &f, &armor)) == ENDING_DONE)
		rv = propose_post(&api, opt, &t, &armor);
	lb_buf_clear(&armor);
	in_force_clear(&f);
	api_close(&api);
	trust_file_clear(&t);
	return rv;
}

/* A proposal as the broker shows it, checked. */
struct shown {
	struct lb_buf bundle;
	struct lb_bundle *split;
	struct lb_trust *next;
	struct lb_trust_paper *paper;
	struct lb_trust_signers signers; /* lines of the one in force */
};

static void
shown_clear(struct shown *s)
{
	lb_bundle_free(s->split);
	lb_trust_free(s->next);
	free(s->paper);
	lb_buf_clear(&s->bundle);
}

/* What the broker says of signatures is not believed: they are counted. */
static int
shown_read(const struct cli *cli, const json_t *reply, const struct in_force *f,
    struct shown *s)
{
	const struct lb_part *part;
	enum lb_err r;

	s->paper = calloc(1, sizeof(*s->paper));
	if (s->paper == NULL ||
	    lb_buf_adds(&s->bundle, api_str(reply, "bundle")) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if ((r = lb_bundle_split(s->bundle.data, s->bundle.len, &s->split)) !=
		LB_OK ||
	    s->split->count != 1)
		return out_fail(cli, ENDING_UNAVAILABLE,
		    "what the broker shows is no trust document: %s",
		    lb_err_text(r != LB_OK ? r : LB_ERR_FORMAT));
	part = &s->split->part[0];
	if ((r = lb_trust_propose(f->trust, part, lb_clock_now(), &s->signers,
		 &s->next)) != LB_OK ||
	    (r = lb_trust_paper_parse(
		 part->doc.text, part->doc.len, s->paper)) != LB_OK)
		return out_fail(cli, ENDING_FAILED,
		    "no owner's signature on what the broker shows counts, or "
		    "it does not follow from serial %lld: %s",
		    (long long)f->trust->serial, lb_err_text(r));
	return ENDING_DONE;
}

static int
shown_print(const struct cli *cli, const json_t *reply,
    const struct in_force *f, const struct shown *s)
{
	struct out_table t = { .columns = 2 };
	char at[OUT_TIME_MAX];

	out_time(api_at(reply, "at"), at);
	out_field(&t, "tenant", "%s", s->next->tenant);
	out_field(&t, "serial", "%lld, after %lld", (long long)s->next->serial,
	    (long long)f->trust->serial);
	out_field(&t, "sha256", "%s", s->next->id);
	out_field(&t, "proposed", "%s by %s", at, api_str(reply, "by"));
	for (size_t i = 0; i < s->signers.count; i++)
		out_field(&t, "signed by", "%s", s->signers.who[i]->principal);
	out_field(&t, "needed", "%zu", f->trust->threshold);
	if (out_table_print(cli->out, &t) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	out_line(cli->out, "What changes:");
	return trust_file_diff(cli, cli->out, f->paper, s->paper);
}

/* The broker's answer with what was counted in place of what it says. */
static int
shown_json(const struct cli *cli, json_t *reply, const struct in_force *f,
    const struct shown *s)
{
	json_t *signatures = json_array();

	for (size_t i = 0; i < s->signers.count; i++)
		(void)json_array_append_new(signatures,
		    json_pack("{s:s, s:s}", "principal",
			s->signers.who[i]->principal, "fingerprint",
			s->signers.who[i]->key.fp));
	(void)json_object_set_new(reply, "signatures", signatures);
	(void)json_object_set_new(reply, "text",
	    json_stringn(
		s->split->part[0].doc.text, s->split->part[0].doc.len));
	(void)json_object_set_new(reply, "sha256", json_string(s->next->id));
	(void)json_object_set_new(
	    reply, "serial", json_integer((json_int_t)s->next->serial));
	(void)json_object_set_new(
	    reply, "needed", json_integer((json_int_t)f->trust->threshold));
	return out_json(cli, json_incref(reply));
}

static int
shown_write(const struct cli *cli, const struct shown *s, const char *path)
{
	enum lb_err r;

	if ((r = files_write(cli, path, s->bundle.data, s->bundle.len)) !=
	    LB_OK)
		return out_fail(
		    cli, ENDING_FAILED, "write '%s': %s", path, files_why(r));
	out_hint(cli, "lockbox trust propose %s", path);
	return ENDING_DONE;
}

static int
proposal_run(struct cli *cli, const void *opt, char **operand)
{
	const struct proposal_opt *o = opt;
	struct in_force f = { 0 };
	struct shown s = { 0 };
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	if ((rv = api_get(&api, &reply, "/v1/tenants/%s/proposal",
		 operand[0])) == ENDING_DONE &&
	    (rv = in_force_fetch(&api, operand[0], &f)) == ENDING_DONE &&
	    (rv = shown_read(cli, reply, &f, &s)) == ENDING_DONE)
		rv = cli->json ? shown_json(cli, reply, &f, &s)
			       : shown_print(cli, reply, &f, &s);
	if (rv == ENDING_DONE && o->output != NULL)
		rv = shown_write(cli, &s, o->output);
	shown_clear(&s);
	in_force_clear(&f);
	json_decref(reply);
	api_close(&api);
	return rv;
}

static int
withdraw_run(struct cli *cli, const void *opt, char **operand)
{
	struct api api = { 0 };
	int rv;

	(void)opt;
	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE)
		return rv;
	if (!out_confirm(cli, "Withdraw it? Its signatures are lost."))
		return out_fail(cli, ENDING_FAILED, "nothing was withdrawn");
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_post(
	    &api, NULL, NULL, "/v1/tenants/%s/proposal/withdraw", operand[0]);
	if (rv == ENDING_DONE)
		out_note(cli, "withdrawn");
	api_close(&api);
	return rv;
}

const struct command proposal_commands[] = {
	{ "trust", "propose", "FILE", 1, 1,
	    "an owner: sign a successor at the broker, where others add theirs",
	    propose_flags, sizeof(struct proposal_opt), propose_run,
	    "lockbox trust propose acme-2.trust --key ~/.ssh/id_ed25519_sk\n" },
	{ "trust", "proposal", "TENANT", 1, 1,
	    "show what owners are signing, who has signed and what it changes",
	    proposal_flags, sizeof(struct proposal_opt), proposal_run,
	    "lockbox trust proposal acme -o acme-2.trust && lockbox trust "
	    "propose acme-2.trust\n" },
	{ "trust", "withdraw", "TENANT", 1, 1,
	    "an approver: drop what owners are signing", NULL,
	    sizeof(struct proposal_opt), withdraw_run,
	    "lockbox trust withdraw acme\n" },
	{ 0 },
};
