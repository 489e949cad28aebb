/*
 * What the kernel says of processes: audit session ids, parents, pidfds. A
 * pid is only ever acted on through a pidfd. Source: design section 8;
 * proc(5), pidfd_open(2).
 */
#ifndef LOCKBOX_AGENT_PROCS_H
#define LOCKBOX_AGENT_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/err.h"

#define PROCS_SID_UNSET   4294967295u /* every daemon's: never a target */
#define PROCS_BOOT_ID_LEN 36

/*
 * The audit session id of a process; PROCS_SID_UNSET when it has none.
 * LB_ERR_MISSING: no such process, or a kernel without audit.
 */
enum lb_err procs_sid(pid_t pid, uint32_t *ret) LB_MUST_CHECK;

/* Who logged in, to whom it belongs; UINT32_MAX: nobody did. */
enum lb_err procs_loginuid(pid_t pid, uint32_t *ret) LB_MUST_CHECK;

/* The parent's pid, 0 for none. */
enum lb_err procs_parent(pid_t pid, pid_t *ret) LB_MUST_CHECK;

/* The running kernel's boot id: another boot's sessions are gone. */
enum lb_err procs_boot_id(char ret[static PROCS_BOOT_ID_LEN + 1]) LB_MUST_CHECK;

/*
 * Which process a pidfd names. LB_ERR_MISSING when it is gone,
 * LB_ERR_FORMAT when the descriptor is no pidfd.
 */
enum lb_err procs_pidfd_pid(int pidfd, pid_t *ret) LB_MUST_CHECK;

/* A pidfd, close-on-exec, owned by the caller. LB_ERR_MISSING when gone. */
enum lb_err procs_pidfd_open(pid_t pid, int *ret_fd) LB_MUST_CHECK;

/* sig 0 only asks whether we could. LB_ERR_MISSING when it is gone. */
enum lb_err procs_signal(int pidfd, int sig) LB_MUST_CHECK;

/* What looks at every process found. */
struct procs_one {
	pid_t pid, parent;
	uint32_t sid;
	unsigned int tty; /* tty_nr of proc(5); 0: none */
	bool stopped;     /* or traced: runs nothing just now */
	bool gone;        /* a zombie, no thread of which is left */
};
struct procs_all {
	size_t count, size;
	struct procs_one *item; /* owned */
};

/*
 * Look at every process; added to what earlier looks found. Those that vanish
 * meanwhile are left out (one that cannot be looked at is an error); and so
 * may be one that was born during the look with a pid below those already
 * read, when the kernel begins again from the lowest. Who concludes that
 * something is gone looks twice.
 */
enum lb_err procs_look(struct procs_all *all) LB_MUST_CHECK;
void procs_clear(struct procs_all *all);

/*
 * Call one() for each process, while it is looked at: what it does comes a few
 * processes after the kernel's word at most. Goes on until one() says no. An
 * error may be of one process: the others were looked at all the same.
 */
enum lb_err procs_walk(
    bool (*one)(void *arg, const struct procs_one *p), void *arg) LB_MUST_CHECK;

/*
 * Signal pid only if it is in that audit session now: asked again once the
 * pidfd holds it. Never pid 1, ourselves, or PROCS_SID_UNSET.
 *
 * LB_ERR_MISSING  it has ended
 * LB_ERR_STATE    it is of another session, or must never be signalled
 */
enum lb_err procs_signal_in(pid_t pid, uint32_t sid, int sig) LB_MUST_CHECK;

/* Its unified cgroup, "/user.slice/...", or systemd's own hierarchy's. */
enum lb_err procs_cgroup(pid_t pid, char *ret, size_t ret_size) LB_MUST_CHECK;

/* Is any process, zombies aside, in that audit session? */
bool procs_has_sid(const struct procs_all *all, uint32_t sid);

/*
 * Kill a process and everything below it: stop it, stop what descends from it
 * until a look finds no more, then SIGKILL all. pidfd must be of pid. Never
 * touches pid 1 and ourselves. ret_killed counts them.
 *
 * LB_ERR_MISSING: it has ended. Any other error: the rest is stopped at least,
 * pid among it; try again.
 */
enum lb_err procs_end_tree(
    int pidfd, pid_t pid, size_t *ret_killed) LB_MUST_CHECK;

#endif
