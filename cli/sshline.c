/* Makes the command line of ssh. */
#include "sshline.h"

#include <stdlib.h>
#include <string.h>

#define FIXED_WORDS 10 /* all but options and command, with the NULL */

enum lb_err
sshline_target(const char *word, struct sshline_target *ret)
{
	const char *at = strrchr(word, '@');
	const char *host = at != NULL ? at + 1 : word;
	struct sshline_target t = { 0 };
	size_t len = at != NULL ? (size_t)(at - word) : 0;

	if (len >= sizeof(t.login))
		return LB_ERR_FORMAT;
	memcpy(t.login, word, len);
	if ((at != NULL && !lb_login_valid(t.login)) || !lb_host_valid(host) ||
	    lb_text_copy(t.host, sizeof(t.host), host) != LB_OK)
		return LB_ERR_FORMAT;
	*ret = t;
	return LB_OK;
}

const char **
sshline_make(const struct sshline *l)
{
	size_t words = 0, n = 0;
	const char **argv;

	while (l->command[words] != NULL)
		words++;
	argv =
	    calloc(FIXED_WORDS + 2 * l->option->count + words, sizeof(*argv));
	if (argv == NULL)
		return NULL;
	argv[n++] = "ssh";
	for (size_t i = 0; i < l->option->count; i++) {
		argv[n++] = "-o";
		argv[n++] = l->option->item[i];
	}
	if (l->key != NULL) {
		/* Another key that the host knows would not be let in. */
		argv[n++] = "-o";
		argv[n++] = "IdentitiesOnly=yes";
		argv[n++] = "-i";
		argv[n++] = l->key;
	}
	argv[n++] = "-l";
	argv[n++] = l->login;
	argv[n++] = "--";
	argv[n++] = l->to;
	for (size_t i = 0; i < words; i++)
		argv[n++] = l->command[i];
	return argv;
}

static enum lb_err
word_quote(const char *word, struct lb_buf *ret)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-_./:=@%+,";
	enum lb_err r;

	if (word[0] != '\0' && strspn(word, plain) == strlen(word))
		return lb_buf_addf(ret, "%s", word);
	r = lb_buf_add(ret, "'", 1);
	for (; r == LB_OK && *word != '\0'; word++)
		r = *word == '\'' ? lb_buf_addf(ret, "'\\''")
				  : lb_buf_add(ret, word, 1);
	return r == LB_OK ? lb_buf_add(ret, "'", 1) : r;
}

enum lb_err
sshline_quote(const char *const *argv, struct lb_buf *ret)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && argv[i] != NULL; i++) {
		if (i > 0)
			r = lb_buf_add(ret, " ", 1);
		if (r == LB_OK)
			r = word_quote(argv[i], ret);
	}
	return r;
}
