/* lockbox verify: ssh-keygen -Y verify's flags, and lockbox's rules. */
#include <string.h>

#include "commands.h"
#include "files.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/sshkey.h"
#include "lockbox/sshsig.h"
#include "output.h"

#define SIGNERS_FILE_MAX 262144 /* bytes */

struct verify_opt {
	const char *signers, *principal, *ns, *signature;
	const char *require, *origin;
};

#define O(member) offsetof(struct verify_opt, member)
static const struct flag verify_flags[] = {
	{ NULL, 'f', FLAG_TEXT, O(signers), "FILE", "allowed signers" },
	{ NULL, 'I', FLAG_TEXT, O(principal), "PRINCIPAL", "who signed" },
	{ NULL, 'n', FLAG_TEXT, O(ns), "NAMESPACE",
	    "what the signature means, e.g. lockbox-approve-v1" },
	{ NULL, 's', FLAG_TEXT, O(signature), "FILE", "the signature" },
	{ "require", 0, FLAG_TEXT, O(require), "any|touch|verified",
	    "what a FIDO device must have seen (default any)" },
	{ "origin", 0, FLAG_TEXT, O(origin), "ORIGIN",
	    "page that a passkey's signature must come from" },
	{ 0 },
};
#undef O

/* Everything the signature must satisfy, from the command line. */
struct wanted {
	enum lb_ns ns;
	uint8_t flags;
	const char *principal, *origin;
	int64_t now;
};

/* Why the signature does not do; NULL when all is well. */
static const char *
sig_fault(const struct wanted *w, const struct lb_sshsig *sig, const char *text,
    size_t len)
{
	enum lb_err r;

	if ((r = lb_sshsig_verify(sig, w->ns, text, len)) != LB_OK)
		return r == LB_ERR_UNSUPPORTED
		    ? "this build cannot check that kind of key"
		    : "the signature is not over this text in that namespace";
	if ((sig->flags & w->flags) != w->flags)
		return "the device did not see what --require asks for";
	if (sig->webauthn && w->origin == NULL)
		return "signed on a web page: say which with --origin";
	if (w->origin != NULL &&
	    (!sig->webauthn || strcmp(sig->origin, w->origin) != 0))
		return "not signed on the page that --origin names";
	return NULL;
}

/* Does that line let the signature's key sign as the principal, now? */
static bool
line_covers(const struct lb_pinned *p, const struct wanted *w,
    const struct lb_sshsig *sig)
{
	return strcmp(p->principal, w->principal) == 0 &&
	    (p->namespaces & w->ns) != 0 && lb_pinned_in_dates(p, w->now) &&
	    lb_sshkey_equal(&p->key, &sig->key);
}

/*
 * Look for a line that covers the signature. Comments and blank lines are
 * skipped; a line that is not in its one spelling refuses the whole file.
 */
static int
signers_search(const struct cli *cli, const char *path, char *text,
    const struct wanted *w, const struct lb_sshsig *sig, bool *ret)
{
	size_t number = 0;
	bool found = false;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		struct lb_pinned p;

		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (lb_pinned_parse(line, &p) != LB_OK)
			return out_fail(cli, ENDING_CONFIG,
			    "%s:%zu: not PRINCIPAL namespaces=\"...\" TYPE "
			    "BASE64 in its one spelling",
			    path, number);
		found |= line_covers(&p, w, sig);
	}
	*ret = found;
	return ENDING_DONE;
}

static int
wanted_read(
    const struct cli *cli, const struct verify_opt *o, struct wanted *ret)
{
	struct wanted w = { .now = lb_clock_now(),
		.origin = o->origin,
		.principal = o->principal };

	if (o->signers == NULL || o->principal == NULL || o->ns == NULL ||
	    o->signature == NULL)
		return out_fail(
		    cli, ENDING_USAGE, "-f, -I, -n and -s are all needed");
	if ((w.ns = lb_ns_find(o->ns)) == 0)
		return out_fail(cli, ENDING_USAGE,
		    "'%s' is not a namespace of lockbox", o->ns);
	if (o->require == NULL || strcmp(o->require, "any") == 0)
		w.flags = 0;
	else if (strcmp(o->require, "touch") == 0)
		w.flags = LB_SIG_TOUCH;
	else if (strcmp(o->require, "verified") == 0)
		w.flags = LB_SIG_TOUCH | LB_SIG_VERIFIED;
	else
		return out_fail(
		    cli, ENDING_USAGE, "--require is any, touch or verified");
	*ret = w;
	return ENDING_DONE;
}

static int
file_load(
    const struct cli *cli, const char *path, size_t max, struct lb_buf *ret)
{
	enum lb_err r = files_read(path, max, ret);

	if (r != LB_OK)
		return out_fail(
		    cli, ENDING_FAILED, "read '%s': %s", path, files_why(r));
	return ENDING_DONE;
}

/* "ED25519-SK": as ssh-keygen names the kind. */
static const char *
kind_name(const struct lb_sshsig *sig)
{
	switch (sig->key.type) {
	case LB_KEY_ED25519:
		return "ED25519";
	case LB_KEY_SK_ED25519:
		return "ED25519-SK";
	case LB_KEY_P256:
		return "ECDSA";
	case LB_KEY_SK_P256:
		return "ECDSA-SK";
	}
	return "unknown";
}

static int
verdict_print(const struct cli *cli, const struct verify_opt *o,
    const struct lb_sshsig *sig)
{
	if (cli->json)
		return out_json(cli,
		    json_pack("{s:b, s:s, s:s, s:s, s:s, s:b, s:b, s:s?}",
			"good", 1, "principal", o->principal, "namespace",
			o->ns, "key_type", kind_name(sig), "key", sig->key.fp,
			"touch", (sig->flags & LB_SIG_TOUCH) != 0, "verified",
			(sig->flags & LB_SIG_VERIFIED) != 0, "origin",
			sig->webauthn ? sig->origin : NULL));
	out_line(cli->out, "Good \"%s\" signature for %s with %s key %s", o->ns,
	    o->principal, kind_name(sig), sig->key.fp);
	return ENDING_DONE;
}

static int
verify_run(struct cli *cli, const void *opt, char **operand)
{
	const struct verify_opt *o = opt;
	struct lb_buf signers = { 0 }, armor = { 0 }, text = { 0 };
	struct lb_sshsig sig;
	struct wanted w = { 0 };
	const char *fault;
	bool found = false;
	enum lb_err r;
	int rv;

	(void)operand;
	if ((rv = wanted_read(cli, o, &w)) != ENDING_DONE ||
	    (rv = file_load(cli, o->signers, SIGNERS_FILE_MAX, &signers)) !=
		ENDING_DONE ||
	    (rv = file_load(cli, o->signature, LB_ARMOR_MAX, &armor)) !=
		ENDING_DONE ||
	    (rv = file_load(cli, "-", LB_BUNDLE_MAX, &text)) != ENDING_DONE)
		goto out;
	rv = ENDING_FAILED;
	if ((r = lb_sshsig_parse(armor.data, armor.len, &sig)) != LB_OK) {
		out_fail(cli, rv, "'%s' is not a signature lockbox accepts: %s",
		    o->signature, lb_err_text(r));
		goto out;
	}
	if ((fault = sig_fault(&w, &sig, text.data, text.len)) != NULL) {
		out_fail(cli, rv, "could not verify: %s", fault);
		goto out;
	}
	if ((rv = signers_search(cli, o->signers, signers.data, &w, &sig,
		 &found)) != ENDING_DONE)
		goto out;
	rv = found ? verdict_print(cli, o, &sig)
		   : out_fail(cli, ENDING_FAILED,
			 "could not verify: no line of '%s' lets key %s sign "
			 "as %s in '%s' now",
			 o->signers, sig.key.fp, o->principal, o->ns);
out:
	lb_buf_clear(&text);
	lb_buf_clear(&armor);
	lb_buf_clear(&signers);
	return rv;
}

const struct command verify_commands[] = {
	{ "verify", NULL, NULL, 0, 0,
	    "check a signature over standard input, as ssh-keygen -Y verify "
	    "does, strictly",
	    verify_flags, sizeof(struct verify_opt), verify_run,
	    "lockbox verify -f allowed_signers -I anna@acme.example "
	    "-n lockbox-approve-v1 -s grant.sig < grant\n"
	    "lockbox verify -f allowed_signers -I anna@acme.example "
	    "-n lockbox-trust-v1 -s trust.sig --require verified < trust\n" },
	{ 0 },
};
