/*
 * Makes and uses the key files of hosts and brokers:
 *
 *     signer new FILE COMMENT          make a key; prints "TYPE BASE64"
 *     signer public FILE               prints it again
 *     signer sign FILE NAMESPACE       signs stdin; prints the armor
 *
 * Exit code 1 and lb_err_text on stderr when it cannot.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/sshsig.h"

#define MESSAGE_SIZE 65536

static enum lb_err
make(const char *path, const char *comment, struct lb_signer **ret)
{
	enum lb_err r;

	if ((r = lb_signer_new(ret)) != LB_OK)
		return r;
	return lb_signer_save(*ret, path, comment);
}

static enum lb_err
sign(const struct lb_signer *s, const char *ns)
{
	static char msg[MESSAGE_SIZE];
	struct lb_buf armor = { 0 };
	enum lb_ns bit = lb_ns_find(ns);
	enum lb_err r;

	if (bit == 0)
		return LB_ERR_FORMAT;
	r = lb_signer_sign(
	    s, bit, msg, fread(msg, 1, sizeof(msg), stdin), &armor);
	if (r == LB_OK)
		fputs(armor.data, stdout);
	lb_buf_clear(&armor);
	return r;
}

static enum lb_err
run(int argc, char **argv, struct lb_signer **s)
{
	char text[LB_KEY_TEXT_MAX + 1];
	enum lb_err r = LB_ERR_FORMAT;

	if (argc == 4 && strcmp(argv[1], "new") == 0)
		r = make(argv[2], argv[3], s);
	else if (argc >= 3)
		r = lb_signer_load(argv[2], geteuid(), s);
	if (r != LB_OK)
		return r;
	if (argc == 4 && strcmp(argv[1], "sign") == 0)
		return sign(*s, argv[3]);
	lb_sshkey_format(lb_signer_key(*s), text);
	puts(text);
	return LB_OK;
}

int
main(int argc, char **argv)
{
	struct lb_signer *s = NULL;
	enum lb_err r = run(argc, argv, &s);

	if (r != LB_OK)
		fprintf(stderr, "signer: %s\n", lb_err_text(r));
	lb_signer_free(s);
	return r == LB_OK ? 0 : 1;
}
