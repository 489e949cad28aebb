/* Landlock by its three system calls: libc has no names for them yet. */
#include "landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Everything that the first Landlock knows; later kernels know these too. */
#define ALL_OF_ABI_1                                                           \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |          \
	    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |       \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |   \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |       \
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |       \
	    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |     \
	    LANDLOCK_ACCESS_FS_MAKE_SYM)

static enum lb_err
allow(int ruleset, const char *folder)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access =
		    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	};
	enum lb_err r = LB_OK;
	int saved;

	rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? LB_OK : LB_ERR_IO;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) != 0)
		r = LB_ERR_IO;
	saved = errno;
	(void)close(rule.parent_fd); /* only named the folder */
	errno = saved;
	return r;
}

enum lb_err
landlock_read_only(const char *const folders[])
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = ALL_OF_ABI_1,
	};
	enum lb_err r = LB_OK;
	int fd;

	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP
		    ? LB_ERR_UNSUPPORTED
		    : LB_ERR_IO;
	for (size_t i = 0; r == LB_OK && folders[i] != NULL; i++)
		r = allow(fd, folders[i]);
	if (r == LB_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		r = LB_ERR_IO;
	(void)close(fd); /* restrict_self has taken what it needs */
	return r;
}
