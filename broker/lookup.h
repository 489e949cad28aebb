/*
 * Looking up a name without waiting for it: a name server may take its time,
 * or never answer.
 */
#ifndef BROKER_LOOKUP_H
#define BROKER_LOOKUP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "lockbox/err.h"

#define LOOKUPS_MAX 64 /* at a time; also those that nobody waits for */

struct lookup;

/*
 * Start. done is called once, from a thread of its own, unless lookup_drop
 * came first.
 *
 * LB_ERR_LIMIT  LOOKUPS_MAX are under way
 */
enum lb_err lookup_start(const char *host, uint16_t port,
    void (*done)(void *arg), void *arg, struct lookup **ret) LB_MUST_CHECK;

bool lookup_is_done(struct lookup *l);

/* Once it is done: all addresses, borrowed; NULL: none, for whatever reason. */
const struct addrinfo *lookup_result(const struct lookup *l);

/* Nobody waits for it any more. Accepts NULL. */
void lookup_drop(struct lookup *l);

#endif
