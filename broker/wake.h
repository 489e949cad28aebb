/*
 * Where hosts wait for news of themselves: who waits, and what wakes them. A
 * committed change does (call.c tells of each one), their time, their hanging
 * up, and the broker's end.
 *
 * The room counts changes. Of each host it knows the last change that was its
 * business and the last one that an answer could know of; a host that comes
 * while the first is newer need not wait. So nothing is lost between two
 * watches. A host that the room does not know, because it never watched or the
 * broker was started anew, is answered at once as well.
 *
 * All calls may come from any thread.
 */
#ifndef BROKER_WAKE_H
#define BROKER_WAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "store.h"

#define WAKE_PER_HOST 4 /* one more, and the first of them is answered */
#define WAKE_KEY_LEN  16

enum wake_cause {
	WAKE_NEWS = 1, /* something of this host changed */
	WAKE_TIME,     /* it waited long enough */
	WAKE_GONE,     /* it hung up */
	WAKE_END,      /* the broker stops */
};

struct wake;
struct wake_host;

/*
 * One who waits; lives inside its owner, all zero before first use. The owner
 * fills in the first part. suspend and resume are called with the room's lock
 * held: they may not call the room.
 */
struct waiter {
	int fd; /* looked at for a hang-up; -1: none */
	void (*suspend)(struct waiter *x);
	void (*resume)(struct waiter *x);
	void *arg; /* the owner's */

	enum wake_cause cause; /* why it was woken */

	bool waits, parked; /* from here on the room's own */
	bool named;         /* key says which host */
	uint8_t key[WAKE_KEY_LEN];
	struct wake_host *host;
	int64_t due_ms;
	TAILQ_ENTRY(waiter) of_host, of_time;
};

/* most: how many may wait at a time. Starts a thread. */
enum lb_err wake_new(size_t most, struct wake **ret) LB_MUST_CHECK;
void wake_free(struct wake *w); /* accepts NULL; nobody waits any more */

/*
 * This host wants to wait for news, for at most wait_ms.
 *
 * LB_ERR_STATE  it need not: answer now. It counts as told from here on.
 * LB_ERR_RANGE  too many wait already
 */
enum lb_err wake_wait(struct wake *w, const char *tenant, const char *host,
    int64_t wait_ms, struct waiter *x) LB_MUST_CHECK;

/*
 * After wake_wait: suspend it, unless it has been woken since; then false, and
 * it is to be answered now. Resumed once, with cause set.
 */
bool wake_park(struct wake *w, struct waiter *x) LB_MUST_CHECK;

/* Its host is about to be answered: with all that changed up to now. */
void wake_told(struct wake *w, const struct waiter *x);

/* That answer did not get through: the next one comes at once. */
void wake_untold(struct wake *w, const struct waiter *x);

/* Forget it if it still waits. */
void wake_leave(struct wake *w, struct waiter *x);

/* A change was committed, and memory follows it already. */
void wake_change(struct wake *w, const struct change *c);

/* Wake all, and let nobody wait from here on. */
void wake_end(struct wake *w);

/* How many wait. */
size_t wake_count(struct wake *w);

#endif
