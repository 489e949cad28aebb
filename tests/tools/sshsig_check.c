/*
 * Says what lockbox thinks of SSH signatures, for comparison with stock
 * ssh-keygen -Y verify:
 *
 *     sshsig_check NAMESPACE MESSAGE-FILE PINNED-LINE [TIME] < LINES
 *
 * PINNED-LINE is an allowed_signers line in lockbox's spelling; TIME is in
 * UNIX seconds. Each line on stdin is the hex of one armored signature's bytes.
 * For each, one line on stdout: "ok FLAGS ORIGIN" ("-" without one) when the
 * pinned key signed the message in the namespace, may use it, and is within
 * its dates at TIME (unless none is given); else lb_err_text of what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/sshsig.h"
#include "lockbox/text.h"

#define MESSAGE_SIZE 65536
#define HEX_SIZE     (2 * 65536 + 2)

struct asked {
	const char *ns;
	char msg[MESSAGE_SIZE];
	size_t msg_len;
	enum lb_err pinned_err; /* what lb_pinned_parse said */
	struct lb_pinned pinned;
	int64_t now; /* -1: whenever */
};

static enum lb_err
check(
    const struct asked *a, const char *armor, size_t len, struct lb_sshsig *ret)
{
	enum lb_err r;

	if ((r = a->pinned_err) != LB_OK ||
	    (r = lb_sshsig_parse(armor, len, ret)) != LB_OK)
		return r;
	if (!lb_sshkey_equal(&ret->key, &a->pinned.key) ||
	    (a->pinned.namespaces & (unsigned int)lb_ns_find(a->ns)) == 0 ||
	    (a->now >= 0 && !lb_pinned_in_dates(&a->pinned, a->now)))
		return LB_ERR_FORBIDDEN;
	return lb_sshsig_verify_name(ret, a->ns, a->msg, a->msg_len);
}

static enum lb_err
line_check(const struct asked *a, const char *hex)
{
	static uint8_t armor[HEX_SIZE / 2];
	struct lb_sshsig sig = { 0 };
	size_t len = strlen(hex) / 2;
	enum lb_err r;

	if ((r = lb_hex_decode(hex, armor, len)) != LB_OK)
		return r;
	r = check(a, (const char *)armor, len, &sig);
	if (r == LB_OK)
		printf(
		    "ok %u %s\n", sig.flags, sig.webauthn ? sig.origin : "-");
	else
		printf("%s\n", lb_err_text(r));
	return LB_OK;
}

int
main(int argc, char **argv)
{
	static struct asked a;
	static char hex[HEX_SIZE];
	FILE *f;

	if (argc < 4 || argc > 5 || (f = fopen(argv[2], "re")) == NULL)
		return 2;
	a.ns = argv[1];
	a.msg_len = fread(a.msg, 1, sizeof(a.msg), f);
	fclose(f);
	a.pinned_err = lb_pinned_parse(argv[3], &a.pinned);
	a.now = argc == 5 ? strtoll(argv[4], NULL, 10) : -1;
	while (fgets(hex, sizeof(hex), stdin) != NULL) {
		hex[strcspn(hex, "\n")] = '\0';
		if (line_check(&a, hex) != LB_OK)
			return 2;
	}
	return 0;
}
