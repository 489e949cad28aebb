/* Reads and writes files that a person names on the command line. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lockbox/file.h"

#define PUBKEY_FILE_MAX 16384

static enum lb_err
read_all(int fd, size_t max, struct lb_buf *ret)
{
	char chunk[4096];
	size_t total = 0;
	ssize_t n;
	enum lb_err r;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return LB_ERR_IO;
		total += (size_t)n;
		if (total > max)
			return LB_ERR_RANGE;
		if ((r = lb_buf_add(ret, chunk, (size_t)n)) != LB_OK)
			return r;
	}
	/* So that data is a string even when nothing was read. */
	return lb_buf_add(ret, "", 0);
}

enum lb_err
files_read(const char *path, size_t max, struct lb_buf *ret)
{
	enum lb_err r;
	int fd, saved;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, max, ret);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
	r = read_all(fd, max, ret);
	saved = errno;
	(void)close(fd); /* read only */
	errno = saved;
	return r;
}

enum lb_err
files_write(
    const struct cli *cli, const char *path, const void *bytes, size_t len)
{
	struct stat st;
	mode_t mode = 0644;
	char *real;
	enum lb_err r;

	if (path == NULL || strcmp(path, "-") == 0)
		return fwrite(bytes, 1, len, cli->out) == len ? LB_OK
							      : LB_ERR_IO;
	/* Write through a symbolic link, as an editor would. */
	real = realpath(path, NULL);
	if (real != NULL && stat(real, &st) == 0)
		mode = st.st_mode & 0777;
	r = lb_file_write_atomic(real != NULL ? real : path, mode, bytes, len);
	free(real);
	return r;
}

/* The first line's first two words. */
static enum lb_err
pubkey_line(char *text, struct lb_sshkey *ret)
{
	char *end = strchr(text, '\n'), *word;

	if (end != NULL)
		*end = '\0';
	word = strchr(text, ' ');
	if (word == NULL)
		return LB_ERR_FORMAT;
	if ((end = strpbrk(word + 1, " \t\r")) != NULL)
		*end = '\0';
	return lb_sshkey_parse(text, ret);
}

enum lb_err
files_pubkey(const char *path, struct lb_sshkey *ret)
{
	struct lb_buf b = { 0 };
	char pub[PATH_MAX];
	enum lb_err r;

	if (strchr(path, ' ') != NULL && lb_sshkey_parse(path, ret) == LB_OK)
		return LB_OK;
	r = files_read(path, PUBKEY_FILE_MAX, &b);
	if (r == LB_OK && strstr(b.data, "PRIVATE KEY-----") != NULL) {
		lb_buf_clear(&b);
		if (snprintf(pub, sizeof(pub), "%s.pub", path) >=
		    (int)sizeof(pub))
			r = LB_ERR_RANGE;
		else
			r = files_read(pub, PUBKEY_FILE_MAX, &b);
	}
	if (r == LB_OK)
		r = pubkey_line(b.data, ret);
	lb_buf_clear(&b);
	return r;
}

const char *
files_why(enum lb_err r)
{
	return r == LB_ERR_IO ? strerror(errno) : lb_err_text(r);
}
