/*
 * lockbox request export and submit: the same decision with ssh-keygen and a
 * file, for keys on another machine and for systems that sign by themselves.
 */
#include <string.h>

#include "commands.h"
#include "decide.h"
#include "files.h"
#include "grant.h"
#include "lockbox/bundle.h"
#include "output.h"
#include "request.h"

struct export_opt {
	bool grant, request;
	const char *output;
	struct decide_narrow narrow;
};

#define O(member) offsetof(struct export_opt, member)
static const struct flag export_flags[] = {
	{ "grant", 0, FLAG_SWITCH, O(grant), NULL,
	    "the grant: to approve or revoke" },
	{ "request", 0, FLAG_SWITCH, O(request), NULL,
	    "the request: to endorse or deny" },
	{ "output", 'o', FLAG_TEXT, O(output), "FILE",
	    "write there instead of standard output" },
	DECIDE_NARROW_FLAGS(O(narrow)),
	{ 0 },
};
#undef O

/* What the text is for decides which namespaces make sense. */
static void
export_hint(const struct cli *cli, const char *path, const char *namespaces)
{
	const char *file = path != NULL ? path : "FILE";

	out_hint(cli,
	    "ssh-keygen -Y sign -n %s -f KEY %s && lockbox request "
	    "submit %s",
	    namespaces, file, file);
}

static int
write_out(const struct cli *cli, const char *path, const char *text)
{
	enum lb_err r = files_write(cli, path, text, strlen(text));

	if (r != LB_OK)
		return out_fail(cli, ENDING_FAILED, "write '%s': %s",
		    path != NULL ? path : "standard output", files_why(r));
	return ENDING_DONE;
}

/* The grant: the one that stands, or a draft of the one to come. */
static int
grant_export(struct decide *d, const struct export_opt *o)
{
	const char *id = api_str(d->request, "grant");
	json_t *grant = NULL;
	int rv;

	if (lb_sha256_valid(id)) {
		if ((rv = grant_fetch(&d->api, id, &grant, NULL)) ==
			ENDING_DONE &&
		    (rv = write_out(d->api.cli, o->output,
			 api_str(grant, "text"))) == ENDING_DONE)
			export_hint(d->api.cli, o->output, "lockbox-revoke-v1");
		json_decref(grant);
		return rv;
	}
	if ((rv = decide_draft(d, &o->narrow)) != ENDING_DONE)
		return rv;
	decide_show_grant(d);
	if ((rv = write_out(d->api.cli, o->output, d->grant.data)) ==
	    ENDING_DONE)
		export_hint(d->api.cli, o->output, "lockbox-approve-v1");
	return rv;
}

static int
request_export(struct decide *d, const struct export_opt *o)
{
	const char *state = api_str(d->request, "state");
	int rv;

	decide_show_request(d);
	rv = write_out(d->api.cli, o->output, api_str(d->request, "text"));
	if (rv == ENDING_DONE)
		export_hint(d->api.cli, o->output,
		    strcmp(state, "pending_endorsement") == 0
			? "lockbox-endorse-v1"
			: "lockbox-deny-v1");
	return rv;
}

static int
export_run(struct cli *cli, const void *opt, char **operand)
{
	const struct export_opt *o = opt;
	struct decide d;
	bool grant;
	int rv;

	if (o->grant && o->request)
		return out_fail(
		    cli, ENDING_USAGE, "--grant or --request, not both");
	if ((rv = decide_open(cli, operand[0], &d)) == ENDING_DONE) {
		/* Unless told: what the next person in line would sign. */
		grant = o->grant ||
		    (!o->request &&
			strcmp(api_str(d.request, "state"),
			    "pending_endorsement") != 0);
		rv = grant ? grant_export(&d, o) : request_export(&d, o);
	}
	decide_close(&d);
	return rv;
}

/* A text and its one signature as they were read from two files. */
struct pair {
	struct lb_buf text, armor, bundle;
	struct lb_bundle *split;
	const struct lb_part *part;
	struct lb_sshsig sig;
	enum lb_ns ns;
};

static void
pair_clear(struct pair *p)
{
	lb_bundle_free(p->split);
	lb_buf_clear(&p->text);
	lb_buf_clear(&p->armor);
	lb_buf_clear(&p->bundle);
}

static int
file_read(
    const struct cli *cli, const char *path, size_t max, struct lb_buf *ret)
{
	enum lb_err r = files_read(path, max, ret);

	if (r != LB_OK)
		return out_fail(
		    cli, ENDING_FAILED, "read '%s': %s", path, files_why(r));
	return ENDING_DONE;
}

/* FILE and FILE.sig, or FILE and the one that was named. */
static int
pair_read(const struct cli *cli, char **operand, struct pair *p)
{
	char path[PATH_MAX];
	int rv;

	if (operand[1] != NULL)
		rv = lb_text_copy(path, sizeof(path), operand[1]) == LB_OK
		    ? ENDING_DONE
		    : ENDING_USAGE;
	else
		rv = snprintf(path, sizeof(path), "%s.sig", operand[0]) <
			PATH_MAX
		    ? ENDING_DONE
		    : ENDING_USAGE;
	if (rv != ENDING_DONE)
		return out_fail(cli, rv, "the file's name is too long");
	if ((rv = file_read(cli, operand[0], LB_TRUST_TEXT_MAX, &p->text)) !=
		ENDING_DONE ||
	    (rv = file_read(cli, path, LB_ARMOR_MAX, &p->armor)) != ENDING_DONE)
		return rv;
	if (lb_buf_add(&p->bundle, p->text.data, p->text.len) != LB_OK ||
	    lb_buf_add(&p->bundle, p->armor.data, p->armor.len) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	return ENDING_DONE;
}

/* One document, one signature, and the one is over the other. */
static int
pair_check(const struct cli *cli, struct pair *p)
{
	enum lb_err r;

	if ((r = lb_bundle_split(p->bundle.data, p->bundle.len, &p->split)) !=
		LB_OK ||
	    p->split->count != 1 || p->split->sig_count != 1)
		return out_fail(cli, ENDING_FAILED,
		    "these are not one document and its signature: %s",
		    lb_err_text(r != LB_OK ? r : LB_ERR_FORMAT));
	p->part = &p->split->part[0];
	if ((r = lb_sshsig_parse(p->armor.data, p->armor.len, &p->sig)) !=
		LB_OK ||
	    (p->ns = lb_ns_find(p->sig.ns)) == 0 ||
	    (r = lb_sshsig_verify(&p->sig, p->ns, p->text.data, p->text.len)) !=
		LB_OK)
		return out_fail(cli, ENDING_FAILED,
		    "the signature is not over this text, or not in a "
		    "namespace of lockbox: %s",
		    lb_err_text(r != LB_OK ? r : LB_ERR_SIGNATURE));
	return ENDING_DONE;
}

/* A request's answer has a code; a grant's has none. */
static int
reply_print(const struct cli *cli, const json_t *reply)
{
	return api_str(reply, "code")[0] != '\0' ? request_print(cli, reply)
						 : grant_print(cli, reply);
}

static int
endorsement_post(struct api *api, const struct pair *p, json_t **ret)
{
	struct lb_request q;

	if (lb_request_parse(p->text.data, p->text.len, &q) != LB_OK)
		return out_fail(
		    api->cli, ENDING_FAILED, "what is endorsed is no request");
	return api_post(api, json_pack("{s:s}", "signature", p->armor.data),
	    ret, "/v1/requests/%s/endorse", q.request);
}

static int
pair_post(struct api *api, const struct pair *p, json_t **ret)
{
	switch (p->ns) {
	case LB_NS_APPROVE:
	case LB_NS_REVOKE:
	case LB_NS_DENY:
		return api_post_text(
		    api, p->bundle.data, p->bundle.len, ret, "/v1/hook");
	case LB_NS_ENDORSE:
		return endorsement_post(api, p, ret);
	case LB_NS_REQUEST:
		return api_create(api,
		    json_pack("{s:s, s:s}", "text", p->text.data, "signature",
			p->armor.data),
		    ret, "/v1/requests");
	default:
		return out_fail(api->cli, ENDING_USAGE,
		    "a signature in '%s' is not submitted here%s", p->sig.ns,
		    p->ns == LB_NS_TRUST ? ": see 'lockbox trust submit'" : "");
	}
}

static int
submit_run(struct cli *cli, const void *opt, char **operand)
{
	struct pair p = { 0 };
	struct api api = { 0 };
	json_t *reply = NULL;
	int rv;

	(void)opt;
	if ((rv = pair_read(cli, operand, &p)) == ENDING_DONE &&
	    (rv = pair_check(cli, &p)) == ENDING_DONE &&
	    (rv = api_open(cli, p.ns == LB_NS_REQUEST, &api)) == ENDING_DONE &&
	    (rv = pair_post(&api, &p, &reply)) == ENDING_DONE)
		rv = reply_print(cli, reply);
	json_decref(reply);
	api_close(&api);
	pair_clear(&p);
	return rv;
}

const struct command transfer_commands[] = {
	{ "request", "export", "ID", 1, 1,
	    "write the exact text to sign with ssh-keygen, checked",
	    export_flags, sizeof(struct export_opt), export_run,
	    "lockbox request export 01JQ -o grant\n"
	    "ssh-keygen -Y sign -n lockbox-approve-v1 -f ~/.ssh/id_ed25519 "
	    "grant\n"
	    "lockbox request submit grant grant.sig\n" },
	{ "request", "submit", "FILE [FILE.sig]", 1, 2,
	    "send a signed text; needs no sign-in", NULL, 0, submit_run,
	    "lockbox request submit grant grant.sig\n" },
	{ 0 },
};
