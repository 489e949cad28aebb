/*
 * Says what lockbox reads in sshd's SSH_AUTH_INFO_0, given on stdin: the
 * fingerprints, one a line, or lb_err_text and exit code 1.
 */
#include <stdio.h>

#include "lockbox/sshkey.h"

#define TEXT_SIZE 65536

int
main(void)
{
	static char text[TEXT_SIZE];
	struct lb_keyfps fps = { 0 };
	size_t n = fread(text, 1, sizeof(text) - 1, stdin);
	enum lb_err r;

	text[n] = '\0';
	if ((r = lb_auth_info_parse(text, &fps)) != LB_OK) {
		printf("%s\n", lb_err_text(r));
		return 1;
	}
	for (size_t i = 0; i < fps.count; i++)
		printf("%s\n", fps.item[i]);
	return 0;
}
