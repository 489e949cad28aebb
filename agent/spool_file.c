/* Adding to the spool's file. */
#include "spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lockbox/file.h"
#include "lockbox/text.h"

enum lb_err
spool_file_init(struct spool_file *f, const char *path, size_t len)
{
	f->len = len;
	f->torn = true; /* we have not seen its end */
	return lb_text_copy(f->path, sizeof(f->path), path);
}

/* Anew each time: what was taken away is not written to any more. */
static enum lb_err
open_file(const struct spool_file *f, int *ret_fd)
{
	*ret_fd = open(f->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd >= 0)
		return LB_OK;
	return errno == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
}

static void
close_file(int fd)
{
	int saved = errno;

	(void)close(fd); /* sync says whether it is safe */
	errno = saved;
}

enum lb_err
spool_file_add(struct spool_file *f, const char *bytes, size_t len)
{
	enum lb_err r;
	int fd;

	if ((r = open_file(f, &fd)) != LB_OK)
		return r;
	r = LB_ERR_IO;
	if ((f->torn && ftruncate(fd, (off_t)f->len) != 0) ||
	    lseek(fd, (off_t)f->len, SEEK_SET) < 0)
		goto out;
	r = lb_file_write(fd, bytes, len);
	f->torn = r != LB_OK;
	if (r == LB_OK)
		f->len += len;
out:
	close_file(fd);
	return r;
}

enum lb_err
spool_file_sync(const struct spool_file *f)
{
	enum lb_err r;
	int fd;

	if ((r = open_file(f, &fd)) != LB_OK)
		return r;
	r = fdatasync(fd) == 0 ? LB_OK : LB_ERR_IO;
	close_file(fd);
	return r;
}

enum lb_err
spool_file_replace(struct spool_file *f, const char *bytes, size_t len)
{
	enum lb_err r;

	r = lb_file_write_atomic(f->path, 0600, bytes, len);
	/* What stands there after an error is one of both, whole. */
	f->torn = true;
	if (r == LB_OK)
		f->len = len;
	return r;
}
