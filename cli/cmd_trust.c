/* lockbox trust: make, change, compare, show, sign and verify documents. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "commands.h"
#include "files.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/trust.h"
#include "output.h"
#include "settings.h"
#include "sign.h"
#include "trust_edit.h"
#include "trust_words.h"

struct trust_opt {
	struct trust_flags f;
	const char *key, *pin;
};

#define O(member) offsetof(struct trust_opt, member)
#define KEY_SPEC  "NAME=KEYFILE[,ns=A+B][,valid-before=TIME]"

/* What both "new" and "edit" take. */
#define CHANGE_FLAGS                                                               \
	{ "threshold", 0, FLAG_NUMBER, O(f.threshold), "N",                        \
		"approvals a grant needs, and owners a trust document" },          \
	    { "require", 0, FLAG_TEXT, O(f.require), "any|touch|verified",         \
		    "what approvers' FIDO devices must have seen" },               \
	    { "longest", 0, FLAG_SPAN, O(f.longest), "SPAN",                       \
		    "most a grant may last, up to 24h (default 4h)" },             \
	    { "lease", 0, FLAG_SPAN, O(f.lease), "SPAN",                           \
		    "a session ends that long without the broker (default 30m)" }, \
	    { "offline", 0, FLAG_TEXT, O(f.offline), "allow|deny",                 \
		    "may a signed grant count while the broker is away" },         \
	    { "good-until", 0, FLAG_WHEN, O(f.good_until), "TIME|SPAN",            \
		    "after it the document opens nothing (default a year)" },      \
	    { "page", 0, FLAG_LIST, O(f.page), "\"RP-ID ORIGIN [broker]\"",        \
		    "web page where passkeys may approve" },                       \
	    { "broker", 0, FLAG_LIST, O(f.broker), "NAME=KEYFILE",                 \
		    "broker whose answers count" },                                \
	    { "approver", 0, FLAG_LIST, O(f.approver), KEY_SPEC,                   \
		    "may approve, deny, revoke, and sign trust" },                 \
	    { "hook", 0, FLAG_LIST, O(f.hook), KEY_SPEC,                           \
		    "a system that may approve, deny, revoke" },                   \
	    { "engineer", 0, FLAG_LIST, O(f.engineer), KEY_SPEC,                   \
		    "engineer whose requests alone count" },                       \
	    { "delegate", 0, FLAG_LIST, O(f.delegate), KEY_SPEC,                   \
		    "provider's manager who may approve instead" },                \
	    { "delegate-until", 0, FLAG_WHEN, O(f.delegate_until),                 \
		    "TIME|SPAN", "end of the delegation" },                        \
	{                                                                          \
		"output", 'o', FLAG_TEXT, O(f.output), "FILE",                     \
		    "write there instead of standard output"                       \
	}

static const struct flag new_flags[] = {
	{ "tenant", 0, FLAG_TEXT, O(f.tenant), "NAME",
	    "the customer whose document it is" },
	CHANGE_FLAGS,
	{ 0 },
};

static const struct flag edit_flags[] = {
	CHANGE_FLAGS,
	{ "no-page", 0, FLAG_LIST, O(f.no_page), "RP-ID", "drop a page" },
	{ "no-broker", 0, FLAG_LIST, O(f.no_broker), "NAME[=SHA256:...]",
	    "drop a broker, or one key of it" },
	{ "no-approver", 0, FLAG_LIST, O(f.no_approver), "NAME[=SHA256:...]",
	    "drop an approver" },
	{ "no-hook", 0, FLAG_LIST, O(f.no_hook), "NAME[=SHA256:...]",
	    "drop a hook" },
	{ "no-engineer", 0, FLAG_LIST, O(f.no_engineer), "NAME[=SHA256:...]",
	    "drop an engineer" },
	{ "no-delegate", 0, FLAG_LIST, O(f.no_delegate), "NAME[=SHA256:...]",
	    "drop a delegate" },
	{ "no-delegation", 0, FLAG_SWITCH, O(f.no_delegation), NULL,
	    "drop all delegates: approvers decide again" },
	{ 0 },
};

static const struct flag sign_flags[] = {
	{ "key", 0, FLAG_TEXT, O(key), "FILE",
	    "private key, or .pub of one in ssh-agent" },
	{ "pin", 0, FLAG_TEXT, O(pin), "FILE",
	    "the document before it: shows what changes" },
	{ "output", 'o', FLAG_TEXT, O(f.output), "FILE",
	    "write there instead of into FILE" },
	{ 0 },
};

static const struct flag verify_flags[] = {
	{ "pin", 0, FLAG_TEXT, O(pin), "FILE",
	    "a document you trust already: FILE must follow from it" },
	{ 0 },
};

static const struct flag fetch_flags[] = {
	{ "output", 'o', FLAG_TEXT, O(f.output), "FILE",
	    "write there instead of standard output" },
	{ 0 },
};
#undef O

/* A file of trust documents, split; the last one is what it is about. */
struct trust_file {
	struct lb_buf text;
	struct lb_bundle *bundle;
	const struct lb_part *last;
	struct lb_trust_paper *paper; /* of last */
};

static void
trust_file_clear(struct trust_file *t)
{
	lb_bundle_free(t->bundle);
	lb_buf_clear(&t->text);
	free(t->paper);
	*t = (struct trust_file){ 0 };
}

static int
trust_file_split(const struct cli *cli, const char *path, struct trust_file *t)
{
	enum lb_err r;

	r = lb_bundle_split(t->text.data, t->text.len, &t->bundle);
	if (r != LB_OK || t->bundle->count == 0)
		return out_fail(cli, ENDING_FAILED,
		    "'%s' holds no documents with their signatures: %s", path,
		    lb_err_text(r != LB_OK ? r : LB_ERR_FORMAT));
	for (size_t i = 0; i < t->bundle->count; i++)
		if (t->bundle->part[i].type != &lb_trust_type)
			return out_fail(cli, ENDING_FAILED,
			    "'%s' holds something else than trust documents",
			    path);
	t->last = &t->bundle->part[t->bundle->count - 1];
	r = lb_trust_paper_parse(t->last->doc.text, t->last->doc.len, t->paper);
	if (r != LB_OK)
		return out_fail(cli, ENDING_FAILED,
		    "'%s' is not a trust document: %s", path, lb_err_text(r));
	return ENDING_DONE;
}

/* ret is empty unless it worked. */
static int
trust_file_load(const struct cli *cli, const char *path, struct trust_file *ret)
{
	struct trust_file t = { .paper = calloc(1, sizeof(*t.paper)) };
	enum lb_err r;
	int rv;

	if (t.paper == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	r = files_read(path, LB_BUNDLE_MAX, &t.text);
	if (r != LB_OK)
		rv = out_fail(
		    cli, ENDING_FAILED, "read '%s': %s", path, files_why(r));
	else
		rv = trust_file_split(cli, path, &t);
	if (rv == ENDING_DONE)
		*ret = t;
	else
		trust_file_clear(&t);
	return rv;
}

/* Why a document does not keep its own rules, for people. */
static const char *
rules_why(enum lb_err r)
{
	switch (r) {
	case LB_ERR_STATE:
		return "its owners or approvers cannot reach the threshold with "
		       "the keys, pages and 'require' it names";
	case LB_ERR_UNSUPPORTED:
		return "it names a kind of key that this build cannot check";
	case LB_ERR_RANGE:
		return "a number or a name in it is out of range";
	case LB_ERR_FORMAT:
		return "a line is missing or not in its one spelling (tenant, "
		       "a broker and an approver are needed; delegates need "
		       "an end)";
	default:
		return lb_err_text(r);
	}
}

/* Write a paper as a document that keeps its own rules. */
static int
paper_write(
    const struct cli *cli, const struct lb_trust_paper *paper, const char *path)
{
	struct lb_buf text = { 0 };
	struct lb_trust *t = NULL;
	int rv = ENDING_FAILED;
	enum lb_err r;

	if ((r = lb_doc_write(&lb_trust_type, paper, &text)) != LB_OK ||
	    (r = lb_trust_parse(text.data, text.len, &t)) != LB_OK)
		out_fail(cli, rv, "this is no valid trust document: %s",
		    rules_why(r));
	else if ((r = files_write(cli, path, text.data, text.len)) != LB_OK)
		out_fail(cli, rv, "write '%s': %s",
		    path != NULL ? path : "standard output", files_why(r));
	else
		rv = ENDING_DONE;
	lb_trust_free(t);
	lb_buf_clear(&text);
	return rv;
}

static int
new_run(struct cli *cli, const void *opt, char **operand)
{
	const struct trust_opt *o = opt;
	struct lb_trust_paper *paper = calloc(1, sizeof(*paper));
	char what[TRUST_WHAT_MAX] = "";
	int rv;

	(void)operand;
	if (paper == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if (o->f.tenant == NULL)
		rv = out_fail(cli, ENDING_USAGE, "--tenant is needed");
	else if (trust_paper_new(&o->f, lb_clock_now(), paper, what) != LB_OK)
		rv = out_fail(cli, ENDING_USAGE, "%s", what);
	else
		rv = paper_write(cli, paper, o->f.output);
	if (rv == ENDING_DONE)
		out_hint(cli,
		    "%lld of its owners sign it: lockbox trust sign "
		    "%s --key FILE",
		    (long long)paper->threshold,
		    o->f.output != NULL ? o->f.output : "FILE");
	free(paper);
	return rv;
}

static int
edit_run(struct cli *cli, const void *opt, char **operand)
{
	const struct trust_opt *o = opt;
	char what[TRUST_WHAT_MAX] = "";
	struct trust_file t = { 0 };
	int rv;

	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE)
		return rv;
	if (trust_paper_edit(&o->f, t.last->id, t.paper, what) != LB_OK)
		rv = out_fail(cli, ENDING_USAGE, "%s", what);
	else
		rv = paper_write(cli, t.paper, o->f.output);
	if (rv == ENDING_DONE)
		out_hint(cli,
		    "the owners in %s sign it: lockbox trust sign %s "
		    "--pin %s --key FILE",
		    operand[0], o->f.output != NULL ? o->f.output : "FILE",
		    operand[0]);
	trust_file_clear(&t);
	return rv;
}

static json_t *
lines_json(const char *text)
{
	json_t *list = json_array();
	const char *end;

	for (; text != NULL && (end = strchr(text, '\n')) != NULL;
	     text = end + 1)
		(void)json_array_append_new(
		    list, json_stringn(text, (size_t)(end - text)));
	return list;
}

static int
diff_print(const struct cli *cli, FILE *f, const struct lb_trust_paper *a,
    const struct lb_trust_paper *b)
{
	struct lb_buf words = { 0 };
	int rv = ENDING_DONE;

	if (trust_words_diff(a, b, &words) != LB_OK)
		rv = out_fail(cli, ENDING_FAILED, "out of memory");
	else if (cli->json && f == cli->out)
		rv = out_json(
		    cli, json_pack("{s:o}", "changes", lines_json(words.data)));
	else if (words.len == 0)
		out_line(f, "nothing changes");
	else
		out_document(f, "", words.data, words.len);
	lb_buf_clear(&words);
	return rv;
}

static int
diff_run(struct cli *cli, const void *opt, char **operand)
{
	struct trust_file a = { 0 }, b = { 0 };
	int rv;

	(void)opt;
	if ((rv = trust_file_load(cli, operand[0], &a)) == ENDING_DONE &&
	    (rv = trust_file_load(cli, operand[1], &b)) == ENDING_DONE)
		rv = diff_print(cli, cli->out, a.paper, b.paper);
	trust_file_clear(&a);
	trust_file_clear(&b);
	return rv;
}

static int
show_run(struct cli *cli, const void *opt, char **operand)
{
	struct out_table table = { .columns = 2 };
	struct trust_file t = { 0 };
	int rv;

	(void)opt;
	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE)
		return rv;
	if (cli->json) {
		rv = out_json(cli, trust_words_json(t.paper, t.last->id));
	} else {
		trust_words_show(t.paper, t.last->id, lb_clock_now(), &table);
		if (out_table_print(cli->out, &table) != LB_OK)
			rv = out_fail(cli, ENDING_FAILED, "out of memory");
	}
	trust_file_clear(&t);
	return rv;
}

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

/* The owner line whose key made the signature, or NULL. */
static const struct lb_pinned *
owner_find(const struct lb_trust *t, const struct lb_sshkey *key)
{
	for (size_t i = 0; t != NULL && i < t->approver.count; i++)
		if ((t->approver.item[i].namespaces & LB_NS_TRUST) != 0 &&
		    lb_sshkey_equal(&t->approver.item[i].key, key))
			return &t->approver.item[i];
	return NULL;
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
	rv = diff_print(cli, cli->err, pin->paper, t->paper);
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
sign_checked(struct cli *cli, const struct trust_opt *o, const char *path,
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
		    "'%s' breaks its own rules: %s", path, rules_why(r));
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
	owner = owner_find(owners, &sig.key);
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
	rv = armor_append(
	    cli, t, o->f.output != NULL ? o->f.output : path, &armor);
out:
	lb_trust_free(owners);
	lb_buf_clear(&armor);
	return rv;
}

static int
sign_run(struct cli *cli, const void *opt, char **operand)
{
	const struct trust_opt *o = opt;
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
			p = owner_find(owners, &sig.key);
		n = snprintf(ret + at, size - at, "%s%s", at > 0 ? ", " : "",
		    p != NULL ? p->principal : "(nobody who counts)");
		if (n < 0 || (size_t)n >= size - at)
			return;
		at += (size_t)n;
	}
}

/* A chain as it is walked. */
struct chain {
	struct lb_trust *now; /* in force; NULL before the first */
	struct out_table table;
	json_t *json;
	int64_t at;
};

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
	return rules_why(r);
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
	const struct trust_opt *o = opt;
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
		    "'%s' breaks its own rules: %s", o->pin, rules_why(r));
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

/* Only the newest document goes out, with its signatures. */
static int
submit_run(struct cli *cli, const void *opt, char **operand)
{
	struct trust_file t = { 0 };
	struct api api = { 0 };
	json_t *reply = NULL;
	char path[API_PATH_MAX];
	const char *from;
	int rv;

	(void)opt;
	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE)
		return rv;
	from = t.last->doc.text;
	(void)snprintf(
	    path, sizeof(path), "/v1/tenants/%s/trust", t.paper->tenant);
	if (t.last->sig_count == 0)
		rv = out_fail(cli, ENDING_FAILED,
		    "nobody has signed it yet: lockbox trust sign %s",
		    operand[0]);
	else if ((rv = api_open(cli, false, &api)) == ENDING_DONE)
		rv = api_post_text(&api, from,
		    t.text.len - (size_t)(from - t.text.data), &reply, path);
	if (rv == ENDING_DONE && cli->json)
		rv = out_json(cli, json_incref(reply));
	else if (rv == ENDING_DONE)
		out_line(cli->out,
		    "%s: serial %lld is in force at the broker; "
		    "hosts learn it with their next question",
		    t.paper->tenant, (long long)t.paper->serial);
	json_decref(reply);
	api_close(&api);
	trust_file_clear(&t);
	return rv;
}

static int
fetch_run(struct cli *cli, const void *opt, char **operand)
{
	const struct trust_opt *o = opt;
	struct lb_buf text = { 0 };
	struct api api = { 0 };
	enum lb_err r;
	int rv;

	if (!lb_name_valid(operand[0]))
		return out_fail(
		    cli, ENDING_USAGE, "'%s' is no tenant's name", operand[0]);
	if ((rv = api_open(cli, true, &api)) != ENDING_DONE)
		return rv;
	rv = api_get_text(
	    &api, HTTP_BODY_MAX, &text, "/v1/tenants/%s/trust", operand[0]);
	if (rv == ENDING_DONE &&
	    (r = files_write(cli, o->f.output, text.data, text.len)) != LB_OK)
		rv = out_fail(cli, ENDING_FAILED, "write: %s", files_why(r));
	if (rv == ENDING_DONE)
		out_hint(cli,
		    "check it against your own copy: lockbox trust "
		    "verify FILE --pin YOURS");
	lb_buf_clear(&text);
	api_close(&api);
	return rv;
}

const struct command trust_commands[] = {
	{ "trust", "new", NULL, 0, 0, "write a customer's first trust document",
	    new_flags, sizeof(struct trust_opt), new_run,
	    "lockbox trust new --tenant acme --broker support=broker.pub \\\n"
	    "    --approver anna@acme.example=anna.pub "
	    "--approver bert@acme.example=bert.pub \\\n"
	    "    --threshold 1 --longest 4h --good-until "
	    "2027-03-02T00:00:00Z -o acme.trust\n" },
	{ "trust", "edit", "FILE", 1, 1,
	    "write the successor of a trust document", edit_flags,
	    sizeof(struct trust_opt), edit_run,
	    "lockbox trust edit acme.trust --no-approver bert@acme.example "
	    "-o acme-2.trust\n"
	    "lockbox trust edit acme.trust "
	    "--delegate max@provider.example=max.pub --delegate-until 8h "
	    "-o off.trust\n" },
	{ "trust", "diff", "FILE FILE", 2, 2,
	    "say in words what changes between two trust documents", NULL,
	    sizeof(struct trust_opt), diff_run,
	    "lockbox trust diff acme.trust acme-2.trust\n" },
	{ "trust", "show", "FILE", 1, 1, "say in words what a document holds",
	    NULL, sizeof(struct trust_opt), show_run,
	    "lockbox trust show acme.trust\n" },
	{ "trust", "sign", "FILE", 1, 1,
	    "sign a trust document as one of its owners", sign_flags,
	    sizeof(struct trust_opt), sign_run,
	    "lockbox trust sign acme.trust --key ~/.ssh/id_ed25519\n"
	    "lockbox trust sign acme-2.trust --pin acme.trust --key "
	    "~/.ssh/id_ed25519_sk\n" },
	{ "trust", "verify", "FILE", 1, 1,
	    "check documents, their signatures and what leads to what",
	    verify_flags, sizeof(struct trust_opt), verify_run,
	    "lockbox trust verify acme.trust\n"
	    "lockbox trust verify acme-2.trust --pin acme.trust\n" },
	{ "trust", "submit", "FILE", 1, 1,
	    "send a signed successor to the broker; needs no sign-in", NULL,
	    sizeof(struct trust_opt), submit_run,
	    "lockbox trust submit acme-2.trust\n" },
	{ "trust", "fetch", "TENANT", 1, 1,
	    "write all documents of a customer as the broker has them",
	    fetch_flags, sizeof(struct trust_opt), fetch_run,
	    "lockbox trust fetch acme -o acme.chain && lockbox trust verify "
	    "acme.chain\n" },
	{ 0 },
};
