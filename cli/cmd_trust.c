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
#include "operand.h"
#include "output.h"
#include "trust_edit.h"
#include "trust_file.h"
#include "trust_words.h"

struct trust_opt {
	struct trust_flags f;
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

static const struct flag fetch_flags[] = {
	{ "output", 'o', FLAG_TEXT, O(f.output), "FILE",
	    "write there instead of standard output" },
	{ 0 },
};
#undef O

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
		rv = trust_file_write(cli, paper, o->f.output);
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
		rv = trust_file_write(cli, t.paper, o->f.output);
	if (rv == ENDING_DONE)
		trust_file_hint(cli, operand[0], o->f.output);
	trust_file_clear(&t);
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
		rv = trust_file_diff(cli, cli->out, a.paper, b.paper);
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

	if ((rv = operand_tenant(cli, operand[0])) != ENDING_DONE ||
	    (rv = api_open(cli, true, &api)) != ENDING_DONE)
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
	    "-o acme-2.trust\n" },
	{ "trust", "diff", "FILE FILE", 2, 2,
	    "say in words what changes between two trust documents", NULL,
	    sizeof(struct trust_opt), diff_run,
	    "lockbox trust diff acme.trust acme-2.trust\n" },
	{ "trust", "show", "FILE", 1, 1, "say in words what a document holds",
	    NULL, sizeof(struct trust_opt), show_run,
	    "lockbox trust show acme.trust\n" },
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
