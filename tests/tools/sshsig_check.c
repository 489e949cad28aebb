/*
 * Says what lockbox thinks of SSH signatures, for comparison with stock
 * ssh-keygen -Y verify:
 *
 *     sshsig_check NAMESPACE MESSAGE-FILE "TYPE BASE64" < LINES
 *
 * Each line on stdin is the hex of one armored signature's bytes. For each,
 * one line on stdout: "ok FLAGS ORIGIN" ("-" without one) when that key signed
 * the message in the namespace, else lb_err_text of what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/sshsig.h"
#include "lockbox/text.h"

#define MESSAGE_MAX 65536
#define LINE_MAX_   (2 * 65536 + 2)

static char line[LINE_MAX_], armor[LINE_MAX_ / 2];

static enum lb_err
check(size_t len, const char *ns, const char *msg, size_t msg_len,
    const struct lb_sshkey *key, struct lb_sshsig *ret)
{
	enum lb_err r;

	if ((r = lb_sshsig_parse(armor, len, ret)) != LB_OK)
		return r;
	if (!lb_sshkey_equal(&ret->key, key))
		return LB_ERR_FORBIDDEN;
	return lb_sshsig_verify_name(ret, ns, msg, msg_len);
}

static void
say(enum lb_err r, const struct lb_sshsig *sig)
{
	if (r == LB_OK)
		printf("ok %u %s\n", sig->flags,
		    sig->webauthn ? sig->origin : "-");
	else
		printf("%s\n", lb_err_text(r));
}

int
main(int argc, char **argv)
{
	static char msg[MESSAGE_MAX];
	struct lb_sshkey key = { 0 };
	size_t msg_len, len;
	enum lb_err r;
	FILE *f;

	if (argc != 4 || (f = fopen(argv[2], "re")) == NULL)
		return 2;
	msg_len = fread(msg, 1, sizeof(msg), f);
	fclose(f);
	r = lb_sshkey_parse(argv[3], &key);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct lb_sshsig sig = { 0 };
		enum lb_err v = r;

		line[strcspn(line, "\n")] = '\0';
		len = strlen(line) / 2;
		if (lb_hex_decode(line, (uint8_t *)armor, len) != LB_OK)
			return 2;
		if (v == LB_OK)
			v = check(len, argv[1], msg, msg_len, &key, &sig);
		say(v, &sig);
	}
	return 0;
}
