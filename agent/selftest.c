/* The agent's proof to itself. */
#include "selftest.h"

#include <unistd.h>

#include "procs.h"

enum lb_err
selftest_run(pid_t root_pid, const char **ret_why)
{
	const char *why = "read a root process's audit session id";
	pid_t named, parent;
	uint32_t sid;
	enum lb_err r;
	int fd = -1;

	if ((r = procs_sid(root_pid, &sid)) != LB_OK)
		goto out;
	why = "read a root process's parent";
	if ((r = procs_parent(root_pid, &parent)) != LB_OK)
		goto out;
	why = "open a pidfd of a root process";
	if ((r = procs_pidfd_open(root_pid, &fd)) != LB_OK)
		goto out;
	why = "tell whose a pidfd is";
	if ((r = procs_pidfd_pid(fd, &named)) != LB_OK)
		goto out;
	if (named != root_pid) {
		r = LB_ERR_STATE;
		goto out;
	}
	why = "signal a root process (CAP_KILL)";
	r = procs_signal(fd, 0);
out:
	if (fd >= 0)
		(void)close(fd); /* nothing was changed */
	if (r != LB_OK)
		*ret_why = why;
	return r;
}
