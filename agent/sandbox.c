/* Dropping privileges and closing the system call filter. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum lb_err
sandbox_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return LB_ERR_IO;
	return LB_OK;
}

unsigned long
sandbox_descriptors(unsigned long count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256; /* what everybody has */
	if (limit.rlim_cur < count) {
		limit.rlim_cur =
		    limit.rlim_max < count ? limit.rlim_max : count;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			return 256;
	}
	return limit.rlim_cur;
}

/* The bounding set first: that needs CAP_SETPCAP. Unknown ones end it. */
static enum lb_err
empty_bounding_set(void)
{
	for (unsigned long cap = 0; cap <= 63; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			return errno == EINVAL ? LB_OK : LB_ERR_IO;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return LB_ERR_IO;
	}
	return LB_OK;
}

/* Permitted and effective become what we have of want; ambient is emptied. */
static enum lb_err
set_capabilities(uint32_t want)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[2] = { 0 }, set[2] = { 0 };

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capget, &head, have) != 0)
		return LB_ERR_IO;
	set[0].permitted = have[0].permitted & want;
	set[0].effective = set[0].permitted;
	if (syscall(SYS_capset, &head, set) != 0)
		return LB_ERR_IO;
	return LB_OK;
}

static enum lb_err
become(const struct passwd *pw, bool kill)
{
	const struct group *tty = kill ? getgrnam("tty") : NULL;
	gid_t gid = tty != NULL ? tty->gr_gid : pw->pw_gid;
	enum lb_err r;

	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return LB_ERR_FORBIDDEN;
	if ((r = empty_bounding_set()) != LB_OK)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	    setgroups(1, &gid) != 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return LB_ERR_IO;
	return LB_OK;
}

enum lb_err
sandbox_become(const char *user, bool kill)
{
	const struct passwd *pw;
	enum lb_err r;

	if (geteuid() == 0 || getuid() == 0) {
		errno = 0;
		pw = getpwnam(user);
		if (pw == NULL)
			return LB_ERR_MISSING;
		if ((r = become(pw, kill)) != LB_OK)
			return r;
	}
	if ((r = set_capabilities(kill ? 1u << CAP_KILL : 0)) != LB_OK)
		return r;
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0)
		return LB_ERR_FORBIDDEN; /* root could be had back */
	/* Becoming someone made us traceable again. */
	return sandbox_no_core();
}

/* Both programs. */
static const int common_calls[] = {
	SCMP_SYS(accept4),
	SCMP_SYS(brk),
	SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(connect),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(nanosleep),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(shutdown),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(statx),
	SCMP_SYS(tgkill),
	SCMP_SYS(time),
	SCMP_SYS(uname),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Processes, and replacing files as a whole. */
static const int agent_calls[] = {
	SCMP_SYS(fchmod),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(getdents64),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(openat),
	SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(umask),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
};

/* Names, and libcurl's threads for them. */
static const int courier_calls[] = {
	SCMP_SYS(access),
	SCMP_SYS(bind), /* netlink, to learn our addresses */
	SCMP_SYS(eventfd2),
	SCMP_SYS(faccessat2),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(pipe2),
	SCMP_SYS(readlink),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(sigreturn),
	SCMP_SYS(socketpair),
	SCMP_SYS(sysinfo),
};

/* Nothing here ever starts or looks into a program. */
static const int deadly_calls[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(fork),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace),
	SCMP_SYS(vfork),
};

static int
add_all(scmp_filter_ctx f, uint32_t action, const int *calls, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = seccomp_rule_add(f, action, calls[i], 0);
	return rc;
}

/* Memory may be had, but none that runs. */
static int
add_memory(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int rc;

	rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_exec);
	if (rc == 0)
		rc = seccomp_rule_add(
		    f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_exec);
	return rc;
}

static int
add_sockets(scmp_filter_ctx f, const int *families, size_t count)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0));
	return rc;
}

/* Reading files only, and threads but no processes. */
static int
add_courier_rest(scmp_filter_ctx f)
{
	int rc;

	rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT, O_RDONLY));
	if (rc == 0)
		rc = seccomp_rule_add(
		    f, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 0);
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		    SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0));
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (rc == 0) /* its flags are out of sight: libc falls back */
		rc = seccomp_rule_add(
		    f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return rc;
}

static int
load(scmp_filter_ctx f)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	(void)f; /* a sanitizer's own calls are not in the lists */
	return 0;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
	(void)f;
	return 0;
#else
	return seccomp_load(f);
#endif
#else
	return seccomp_load(f);
#endif
}

static int
add_common(scmp_filter_ctx f)
{
	int rc;

	/* Threads that run already are bound, too. */
	if ((rc = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1)) != 0 ||
	    (rc = add_all(
		 f, SCMP_ACT_ALLOW, common_calls, COUNT(common_calls))) != 0 ||
	    (rc = add_all(f, SCMP_ACT_KILL_PROCESS, deadly_calls,
		 COUNT(deadly_calls))) != 0)
		return rc;
	return add_memory(f);
}

enum lb_err
sandbox_close_agent(void)
{
	static const int families[] = { AF_UNIX };
	scmp_filter_ctx f;
	int rc;

	f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (f == NULL)
		return LB_ERR_MEMORY;
	if ((rc = add_common(f)) == 0 &&
	    (rc = add_all(
		 f, SCMP_ACT_ALLOW, agent_calls, COUNT(agent_calls))) == 0 &&
	    (rc = add_sockets(f, families, COUNT(families))) == 0)
		rc = load(f);
	seccomp_release(f);
	errno = -rc;
	return rc == 0 ? LB_OK : LB_ERR_IO;
}

enum lb_err
sandbox_close_courier(void)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6,
		AF_NETLINK };
	scmp_filter_ctx f;
	int rc;

	f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (f == NULL)
		return LB_ERR_MEMORY;
	if ((rc = add_common(f)) == 0 &&
	    (rc = add_all(f, SCMP_ACT_ALLOW, courier_calls,
		 COUNT(courier_calls))) == 0 &&
	    (rc = add_sockets(f, families, COUNT(families))) == 0 &&
	    (rc = add_courier_rest(f)) == 0)
		rc = load(f);
	seccomp_release(f);
	errno = -rc;
	return rc == 0 ? LB_OK : LB_ERR_IO;
}
