/* The table of provisional askers. */
#include "askers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "journal.h"
#include "procs.h"

#define AGAIN_MS 1000 /* to try again what could not be ended */

struct asker {
	struct askers *all;
	struct loop_watch watch; /* readable when the process has ended */
	pid_t pid;
	pid_t parent;
	int64_t due_ms;
	struct asker *next;
};

struct askers {
	struct loop *loop;
	struct asker *first;
	size_t count;
};

enum lb_err
askers_new(struct loop *loop, struct askers **ret)
{
	struct askers *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return LB_ERR_MEMORY;
	a->loop = loop;
	*ret = a;
	return LB_OK;
}

static void
drop(struct asker *one)
{
	struct asker **at = &one->all->first;

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	one->all->count--;
	loop_remove(one->all->loop, &one->watch);
	(void)close(one->watch.fd); /* only names a process */
	free(one);
}

void
askers_free(struct askers *a)
{
	if (a == NULL)
		return;
	while (a->first != NULL)
		drop(a->first);
	free(a);
}

static void
ended(void *arg, uint32_t events)
{
	(void)events;
	drop(arg);
}

enum lb_err
askers_add(struct askers *a, pid_t pid, int pidfd, int64_t now_boot_ms)
{
	struct asker *one = NULL;
	enum lb_err r;

	if (a->count == ASKERS_MAX)
		return LB_ERR_LIMIT;
	one = calloc(1, sizeof(*one));
	if (one == NULL)
		return LB_ERR_MEMORY;
	one->all = a;
	one->pid = pid;
	one->due_ms = now_boot_ms + ASKERS_TTL_MS;
	one->watch.ready = ended;
	one->watch.arg = one;
	one->watch.fd = fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
	if (one->watch.fd < 0) {
		free(one);
		return LB_ERR_IO;
	}
	if ((r = procs_parent(pid, &one->parent)) != LB_OK ||
	    (r = loop_add(a->loop, &one->watch, EPOLLIN)) != LB_OK) {
		(void)close(one->watch.fd); /* only names a process */
		free(one);
		return r;
	}
	one->next = a->first;
	a->first = one;
	a->count++;
	return LB_OK;
}

void
askers_forget(struct askers *a, pid_t pid)
{
	struct asker *one = a->first, *next;

	for (; one != NULL; one = next) {
		next = one->next;
		if (one->pid == pid || one->parent == pid)
			drop(one);
	}
}

/* False: not yet, try again. */
static bool
end(const struct asker *one)
{
	size_t killed = 0;
	enum lb_err r;

	r = procs_end_tree(one->watch.fd, one->pid, &killed);
	if (r == LB_OK)
		journal(LOG_WARNING,
		    "ended pid %d: let in provisionally and not registered "
		    "(%zu processes)",
		    (int)one->pid, killed);
	else if (r != LB_ERR_MISSING)
		journal_r(r, "end pid %d, let in provisionally", (int)one->pid);
	return r == LB_OK || r == LB_ERR_MISSING;
}

int64_t
askers_end_overdue(struct askers *a, int64_t now_boot_ms)
{
	struct asker *one = a->first, *next;
	int64_t soonest = -1;

	for (; one != NULL; one = next) {
		next = one->next;
		if (one->due_ms <= now_boot_ms) {
			if (end(one)) {
				drop(one);
				continue;
			}
			one->due_ms = now_boot_ms + AGAIN_MS;
		}
		if (soonest < 0 || one->due_ms < soonest)
			soonest = one->due_ms;
	}
	return soonest;
}
