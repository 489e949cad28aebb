/*
 * Files that decide: opened only when nobody but their owner could have
 * written them, replaced only as a whole. Needs only libc.
 */
#ifndef LOCKBOX_FILE_H
#define LOCKBOX_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

/*
 * Open for reading, close-on-exec. The path must be absolute; the file a
 * regular file (a FIFO or device never blocks: O_NONBLOCK, O_NOFOLLOW), owned
 * by root or by owner, not writable by group or others, at most max bytes.
 * Every directory above it is owned by root or owner, is not writable by group
 * or others (a sticky directory owned by root is let pass), and is not a
 * symbolic link (walked with openat, one component at a time). In a sticky
 * directory that others write to, the file must have one link only. "." and
 * ".." are refused.
 *
 * ret_fd   owned by the caller
 *
 * LB_ERR_MISSING    no such file
 * LB_ERR_UNTRUSTED  symbolic link, wrong owner, mode or kind, relative path
 * LB_ERR_RANGE      larger than max
 * LB_ERR_IO         errno says what
 */
enum lb_err lb_file_open_trusted(
    const char *path, uid_t owner, size_t max, int *ret_fd) LB_MUST_CHECK;

/*
 * lb_file_open_trusted, then the whole content, appended to ret. LB_ERR_RANGE
 * also when the file grows past max meanwhile, or past ret's ceiling;
 * LB_ERR_MEMORY. ret is unchanged on error.
 */
enum lb_err lb_file_read_trusted(const char *path, uid_t owner, size_t max,
    struct lb_buf *ret) LB_MUST_CHECK;

/*
 * As lb_file_read_trusted, and the file must not be readable by group or
 * others (mode & 077 == 0): for keys.
 */
enum lb_err lb_file_read_secret(const char *path, uid_t owner, size_t max,
    struct lb_buf *ret) LB_MUST_CHECK;

/* Write all of it, however often interrupted. After LB_ERR_IO some of it may
 * be written. */
enum lb_err lb_file_write(int fd, const void *bytes, size_t len) LB_MUST_CHECK;

/*
 * Replace path as a whole: temporary file beside it, write, mode (whatever the
 * umask), fsync, rename, fsync of the directory. A symbolic link at path is
 * replaced, not followed. path may be relative; its directories are the
 * caller's to trust. SIGXFSZ is the caller's to ignore.
 *
 * LB_ERR_IO  errno says what. The old file is as it was and no temporary file
 *            is left, but for one case: the last step, the directory's fsync,
 *            failed. Then the new file stands, and may be lost with the power.
 */
enum lb_err lb_file_write_atomic(
    const char *path, mode_t mode, const void *bytes, size_t len) LB_MUST_CHECK;

#endif
