/* lockbox trust sign, verify: owners' signatures, and what leads to what. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "lockbox/clock.h"
#include "output.h"
#include "settings.h"
#include "sign.h"
#include "trust_file.h"

struct check_opt {
	const char *key, *pin, *output;
};

#define O(member) offsetof(struct check_opt, member)
static const struct flag sign_flags[] = {
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "private key, or .pub of one in ssh-agent" },
	{ "pin", 0, FLAG_TEXT, O(pin), "FILE",
	    "the document before it: shows what changes" },
	{ "output", 'o', FLAG_TEXT, O(output), "FILE",
	    "write there instead of into FILE" },
	{ 0 },
};

static const struct flag verify_flags[] = {
	{ "pin", 0, FLAG_TEXT, O(pin), "FILE",
	    "a document you trust already: FILE must follow from it" },
	{ 0 },
};
#undef O

/* --key, or the one in the configuration. */
static int
key_choose(const struct cli *cli, const char *flag, char ret[static PATH_MAX])
{
	struct settings s;
	int rv;

	if (flag != NULL)
		return settings_absolute(flag, ret) == LB_OK
		    ? ENDING_DONE
		    : out_fail(cli, ENDING_USAGE, "--key is too long");
	if ((rv = settings_load(cli, &s)) != ENDING_DONE)
		return rv;
	if (s.key[0] == '\0')
		return out_fail(cli, ENDING_USAGE,
		    "which key: give --key, or sign in once");
	memcpy(ret, s.key, sizeof(s.key));
	return ENDING_DONE;
}

/* Has that key signed the part already? */
static bool
signed_already(const struct lb_part *part, const struct lb_sshkey *key)
{
	struct lb_sshsig sig;

	for (size_t i = 0; i < part->sig_count; i++)
		if (lb_sshsig_parse(
			part->sigs[i].text, part->sigs[i].len, &sig) == LB_OK &&
		    lb_sshkey_equal(&sig.key, key))
			return true;
	return false;
}

/* Show exactly what is about to be signed, and what it changes. */
static int
sign_show(const struct cli *cli, const struct trust_file *t,
    const struct trust_file *pin)
{
	int rv;

	out_line(cli->err, "This text will be signed:");
	out_document(cli->err, "  | ", t->last->doc.text, t->last->doc.len);
	if (pin->last == NULL)
		return ENDING_DONE;
	if (strcmp(t->paper->previous, pin->last->id) != 0)
		return out_fail(cli, ENDING_FAILED,
		    "it does not follow from the document that --pin names");
	out_line(cli->err, "What changes:");
	rv = trust_file_diff(cli, cli->err, pin->paper, t->paper);
	return rv;
}

/* Whose signatures count: the owners before, or its own in the first one. */
static enum lb_err
owners_load(const struct trust_file *t, const struct trust_file *pin,
    struct lb_trust **ret)
{
	const struct lb_part *part = pin->last != NULL ? pin->last : t->last;

	return lb_trust_parse(part->doc.text, part->doc.len, ret);
}

static int
armor_append(const struct cli *cli, struct trust_file *t, const char *path,
    const struct lb_buf *armor)
{
	enum lb_err r;

	/* t->last borrows t->text: not used after this. */
	if ((r = lb_buf_add(&t->text, armor->data, armor->len)) != LB_OK ||
	    (r = files_write(cli, path, t->text.data, t->text.len)) != LB_OK)
		return out_fail(
		    cli, ENDING_FAILED, "write '%s': %s", path, files_why(r));
	return ENDING_DONE;
}

static int
sign_checked(struct cli *cli, const struct check_opt *o, const char *path,
    struct trust_file *t, const struct trust_file *pin)
{
	struct lb_buf armor = { 0 };
	const struct lb_pinned *owner;
	struct lb_trust *owners = NULL;
	char key[PATH_MAX];
	struct lb_sshsig sig;
	enum lb_err r;
	int rv;

	if ((r = owners_load(t, pin, &owners)) != LB_OK) {
		rv = out_fail(cli, ENDING_FAILED,
		    "'%s' breaks its own rules: %s", path, trust_file_why(r));
		goto out;
	}
	if ((rv = key_choose(cli, o->key, key)) != ENDING_DONE ||
	    (rv = sign_show(cli, t, pin)) != ENDING_DONE)
		goto out;
	if (!out_confirm(cli, "Sign it?")) {
		rv = out_fail(cli, ENDING_FAILED, "nothing was signed");
		goto out;
	}
	if ((rv = sign_text(cli, key, LB_NS_TRUST, t->last->doc.text,
		 t->last->doc.len, &armor, &sig)) != ENDING_DONE)
		goto out;
	if (signed_already(t->last, &sig.key)) {
		rv = out_fail(
		    cli, ENDING_FAILED, "that key has signed it already");
		goto out;
	}
	owner = trust_file_owner(owners, &sig.key);
	if (owner == NULL && (pin->last != NULL || t->paper->serial == 1)) {
		rv = out_fail(cli, ENDING_DENIED,
		    "key %s is no owner's: it would not count", sig.key.fp);
		goto out;
	}
	if (owner == NULL)
		out_note(cli,
		    "key %s counts only if the document before "
		    "names it as an owner (check with --pin)",
		    sig.key.fp);
	rv = armor_append(cli, t, o->output != NULL ? o->output : path, &armor);
out:
	lb_trust_free(owners);
	lb_buf_clear(&armor);
	return rv;
}

static int
sign_run(struct cli *cli, const void *opt, char **operand)
{
	const struct check_opt *o = opt;
	struct trust_file t = { 0 }, pin = { 0 };
	int rv;

	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE ||
	    (o->pin != NULL &&
		(rv = trust_file_load(cli, o->pin, &pin)) != ENDING_DONE))
		goto out;
	rv = sign_checked(cli, o, operand[0], &t, &pin);
	if (rv == ENDING_DONE)
		out_hint(cli,
		    "lockbox trust verify %s%s%s, then: lockbox trust "
		    "submit %s",
		    operand[0], o->pin != NULL ? " --pin " : "",
		    o->pin != NULL ? o->pin : "", operand[0]);
out:
	trust_file_clear(&t);
	trust_file_clear(&pin);
	return rv;
}

/* A chain as it is walked. */
struct chain {
	struct lb_trust *now; /* in force; NULL before the first */
	struct out_table table;
	json_t *json;
	int64_t at;
};
/* "anna@acme.example, bert@acme.example": owners who signed the part. */
static void
signers_words(const struct lb_trust *owners, const struct lb_part *part,
    char *ret, size_t size)
{
	struct lb_sshsig sig;
	size_t at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < part->sig_count; i++) {
		const struct lb_pinned *p = NULL;
		int n;

		if (lb_sshsig_parse(
			part->sigs[i].text, part->sigs[i].len, &sig) == LB_OK &&
		    lb_sshsig_verify(&sig, LB_NS_TRUST, part->doc.text,
			part->doc.len) == LB_OK)
			p = trust_file_owner(owners, &sig.key);
		n = snprintf(ret + at, size - at, "%s%s", at > 0 ? ", " : "",
		    p != NULL ? p->principal : "(nobody who counts)");
		if (n < 0 || (size_t)n >= size - at)
			return;
		at += (size_t)n;
	}
}

static void
chain_row(
    struct chain *c, const struct lb_trust *owners, const struct lb_part *part)
{
	char serial[24], until[OUT_TIME_MAX], who[1024];

	signers_words(owners, part, who, sizeof(who));
	(void)snprintf(
	    serial, sizeof(serial), "%lld", (long long)c->now->serial);
	out_time(c->now->good_until, until);
	out_row(&c->table, serial, c->now->id, until, who);
	(void)json_array_append_new(c->json,
	    json_pack("{s:I, s:s, s:s}", "serial", (json_int_t)c->now->serial,
		"sha256", c->now->id, "signed_by", who));
}

/* One document more: the first signs itself, the others follow. */
static enum lb_err
chain_step(struct chain *c, const struct lb_part *part)
{
	struct lb_trust *before = c->now, *next = NULL;
	enum lb_err r;

	if (before != NULL && strcmp(before->id, part->id) == 0)
		return LB_OK; /* the pin itself, again */
	if (before != NULL)
		r = lb_trust_follow(before, part, c->at, &next);
	else if ((r = lb_trust_parse(part->doc.text, part->doc.len, &next)) ==
	    LB_OK)
		r = lb_trust_selfsigned(next, part, c->at);
	if (r != LB_OK) {
		lb_trust_free(next);
		return r;
	}
	c->now = next;
	chain_row(c, before != NULL ? before : next, part);
	lb_trust_free(before);
	return LB_OK;
}

static const char *
step_why(enum lb_err r, bool first)
{
	if (r == LB_ERR_SIGNATURE)
		return first ? "too few of its own owners signed it"
			     : "too few owners of the document before signed "
			       "it";
	if (r == LB_ERR_STATE && !first)
		return "it does not follow from the document before, or its "
		       "threshold cannot be reached";
	return trust_file_why(r);
}

static int
chain_print(const struct cli *cli, struct chain *c)
{
	char when[OUT_TIME_MAX];
	bool over = c->at >= c->now->good_until;

	out_when(c->now->good_until, c->at, when);
	if (cli->json) {
		json_t *root = json_pack("{s:b, s:s, s:I, s:s, s:b, s:O}",
		    "good", 1, "tenant", c->now->tenant, "serial",
		    (json_int_t)c->now->serial, "sha256", c->now->id,
		    "in_force", !over, "documents", c->json);
		return out_json(cli, root);
	}
	if (out_table_print(cli->out, &c->table) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	out_line(cli->out,
	    "good: %s, serial %lld, threshold %zu can be reached, "
	    "%s %s",
	    c->now->tenant, (long long)c->now->serial, c->now->threshold,
	    over ? "OVER since" : "good until", when);
	return ENDING_DONE;
}

static int
chain_walk(const struct cli *cli, struct chain *c, const struct trust_file *t,
    const char *path)
{
	enum lb_err r;

	for (size_t i = 0; i < t->bundle->count; i++) {
		const struct lb_part *part = &t->bundle->part[i];
		bool first = c->now == NULL;

		if ((r = chain_step(c, part)) != LB_OK)
			return out_fail(cli, ENDING_FAILED,
			    "%s: document %zu (%s) does not count: %s", path,
			    i + 1, part->id, step_why(r, first));
	}
	return ENDING_DONE;
}

static int
verify_run(struct cli *cli, const void *opt, char **operand)
{
	const struct check_opt *o = opt;
	struct chain c = { .table = { .columns = 4 },
		.json = json_array(),
		.at = lb_clock_now() };
	struct trust_file t = { 0 }, pin = { 0 };
	enum lb_err r;
	int rv;

	out_row(&c.table, "SERIAL", "SHA256", "GOOD UNTIL", "SIGNED BY");
	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE ||
	    (o->pin != NULL &&
		(rv = trust_file_load(cli, o->pin, &pin)) != ENDING_DONE))
		goto out;
	if (pin.last != NULL &&
	    (r = lb_trust_parse(
		 pin.last->doc.text, pin.last->doc.len, &c.now)) != LB_OK) {
		rv = out_fail(cli, ENDING_FAILED,
		    "'%s' breaks its own rules: %s", o->pin, trust_file_why(r));
		goto out;
	}
	if (c.now == NULL && t.paper->previous[0] != '\0' &&
	    t.bundle->count == 1)
		out_note(cli,
		    "what led to serial %lld was not checked: name "
		    "the document you trust with --pin",
		    (long long)t.paper->serial);
	if ((rv = chain_walk(cli, &c, &t, operand[0])) == ENDING_DONE)
		rv = chain_print(cli, &c);
out:
	json_decref(c.json);
	out_table_clear(&c.table);
	lb_trust_free(c.now);
	trust_file_clear(&t);
	trust_file_clear(&pin);
	return rv;
}

const struct command trust_check_commands[] = {
	{ "trust", "sign", "FILE", 1, 1,
	    "sign a trust document as one of its owners", sign_flags,
	    sizeof(struct check_opt), sign_run,
	    "lockbox trust sign acme.trust --key ~/.ssh/id_ed25519\n"
	    "lockbox trust sign acme-2.trust --pin acme.trust --key "
	    "~/.ssh/id_ed25519_sk\n" },
	{ "trust", "verify", "FILE", 1, 1,
	    "check documents, their signatures and what leads to what",
	    verify_flags, sizeof(struct check_opt), verify_run,
	    "lockbox trust verify acme.trust\n"
	    "lockbox trust verify acme-2.trust --pin acme.trust\n" },
	{ 0 },
};
