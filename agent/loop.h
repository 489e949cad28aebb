/* The event loop: one thread, epoll, callbacks. */
#ifndef LOCKBOX_AGENT_LOOP_H
#define LOCKBOX_AGENT_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

#include "lockbox/err.h"

struct loop;

/* Something to watch; lives inside its owner. fd -1: not watched. */
struct loop_watch {
	int fd;
	void (*ready)(void *arg, uint32_t events);
	void *arg;
};

enum lb_err loop_new(struct loop **ret) LB_MUST_CHECK;
void loop_free(struct loop *l); /* accepts NULL */

/* events: EPOLLIN, EPOLLOUT; hang-ups always come. */
enum lb_err loop_add(
    struct loop *l, struct loop_watch *w, uint32_t events) LB_MUST_CHECK;
enum lb_err loop_change(
    struct loop *l, struct loop_watch *w, uint32_t events) LB_MUST_CHECK;

/* Also right for a watch that was never added. No callback of w comes after
 * this; the descriptor stays the caller's. */
void loop_remove(struct loop *l, struct loop_watch *w);

/* Wait at most timeout_ms (-1: for ever) and call what is ready. */
enum lb_err loop_turn(struct loop *l, int timeout_ms) LB_MUST_CHECK;

#endif
