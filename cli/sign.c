/* Signs by running ssh-keygen, with the text on its standard input. */
#include "sign.h"

#include <string.h>

#include "child.h"
#include "files.h"
#include "output.h"

#define LISTING_MAX 1024

int
sign_text(const struct cli *cli, const char *key, enum lb_ns ns,
    const char *text, size_t len, struct lb_buf *ret, struct lb_sshsig *ret_sig)
{
	const char *const argv[] = { "ssh-keygen", "-q", "-Y", "sign", "-f",
		key, "-n", lb_ns_name(ns), NULL };
	struct lb_buf armor = { .max = LB_ARMOR_MAX };
	struct lb_sshsig sig;
	int rv = ENDING_FAILED, status = 0;
	enum lb_err r;

	out_debug(cli, "ssh-keygen -Y sign -f %s -n %s", key, lb_ns_name(ns));
	r = child_run(argv, text, len, false, &armor, &status);
	if (r == LB_ERR_MISSING)
		out_fail(cli, rv,
		    "ssh-keygen is not installed "
		    "(package openssh-client)");
	else if (r != LB_OK)
		out_fail(cli, rv, "run ssh-keygen: %s", files_why(r));
	else if (status != 0 || armor.len == 0)
		out_fail(cli, rv, "ssh-keygen could not sign with '%s'", key);
	else if ((r = lb_sshsig_parse(armor.data, armor.len, &sig)) != LB_OK)
		out_fail(cli, rv,
		    "'%s' is not a key lockbox can use "
		    "(Ed25519 or P-256, also in FIDO devices): %s",
		    key, lb_err_text(r));
	else if ((r = lb_sshsig_verify(&sig, ns, text, len)) != LB_OK)
		out_fail(cli, rv,
		    "the signature ssh-keygen made does not "
		    "verify: %s",
		    lb_err_text(r));
	else if ((r = lb_buf_add(ret, armor.data, armor.len)) != LB_OK)
		out_fail(cli, rv, "%s", lb_err_text(r));
	else {
		if (ret_sig != NULL)
			*ret_sig = sig;
		rv = ENDING_DONE;
	}
	lb_buf_clear(&armor);
	return rv;
}

/* "256 SHA256:... comment (ED25519)" */
static bool
listing_read(const char *line, char ret[static LB_KEYFP_LEN + 1])
{
	const char *word = strchr(line, ' ');
	char fp[LB_KEYFP_LEN + 1] = "";

	if (word == NULL || strlen(word + 1) < LB_KEYFP_LEN)
		return false;
	memcpy(fp, word + 1, LB_KEYFP_LEN);
	if (!lb_keyfp_valid(fp))
		return false;
	memcpy(ret, fp, sizeof(fp));
	return true;
}

int
sign_fingerprint(
    const struct cli *cli, const char *key, char ret[static LB_KEYFP_LEN + 1])
{
	const char *const argv[] = { "ssh-keygen", "-l", "-E", "sha256", "-f",
		key, NULL };
	struct lb_buf listing = { .max = LISTING_MAX };
	int rv = ENDING_FAILED, status = 0;
	enum lb_err r;

	if (lb_keyfp_valid(key))
		return lb_text_copy(ret, LB_KEYFP_LEN + 1, key) == LB_OK
		    ? ENDING_DONE
		    : ENDING_FAILED;
	r = child_run(argv, NULL, 0, true, &listing, &status);
	if (r == LB_ERR_MISSING)
		out_fail(cli, rv,
		    "ssh-keygen is not installed "
		    "(package openssh-client)");
	else if (r != LB_OK)
		out_fail(cli, rv, "run ssh-keygen: %s", files_why(r));
	else if (status != 0 || listing.len == 0 ||
	    !listing_read(listing.data, ret))
		out_fail(cli, rv,
		    "'%s' is no key file that ssh-keygen can read", key);
	else
		rv = ENDING_DONE;
	lb_buf_clear(&listing);
	return rv;
}
