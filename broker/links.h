/*
 * Open connections and since when we wait for what their peer owes us: a
 * request's head on a new connection, a body once its head is there. One that
 * drips a byte now and then is never silent, so it needs a deadline.
 */
#ifndef BROKER_LINKS_H
#define BROKER_LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#define LINKS_WAIT_MS 10000 /* for TLS and a head, and again for a body */

struct links;
struct link;

enum lb_err links_new(struct links **ret) LB_MUST_CHECK;
/* Every link must be closed. Accepts NULL. */
void links_free(struct links *l);

/* A connection came; NULL without memory. */
struct link *links_open(struct links *l, int fd, int64_t now_ms);
/* Its socket is about to be closed. Accepts a NULL link. */
void links_close(struct links *l, struct link *k);

/* We wait for the peer since now; or for nothing any more (now_ms 0). */
void links_wait(struct links *l, struct link *k, int64_t now_ms);

/* Shut down what kept us waiting too long; how many. */
size_t links_sweep(struct links *l, int64_t now_ms);

#endif
