/*
 * The courier's own side: takes frames from the agent, hands them to fetch,
 * and brings back what comes. Decides nothing, looks into nothing.
 */
#ifndef LOCKBOX_AGENT_COURIER_H
#define LOCKBOX_AGENT_COURIER_H

#include <stdbool.h>
#include <sys/types.h>

#include "lockbox/err.h"

#include "fetch.h"

#define COURIER_CLIENTS_MAX 1024

struct courier;

/*
 * listen_fd  a listening SOCK_STREAM unix socket, taken over
 * agent_uid  may connect, besides root
 * fetch      taken over
 */
enum lb_err courier_new(int listen_fd, uid_t agent_uid, struct fetch *fetch,
    struct courier **ret) LB_MUST_CHECK;
void courier_free(struct courier *c); /* accepts NULL */

/*
 * Wait at most timeout_ms and serve what is ready. wake_fd is waited for as
 * well; ret_woken tells that it is readable.
 */
enum lb_err courier_turn(struct courier *c, int wake_fd, int timeout_ms,
    bool *ret_woken) LB_MUST_CHECK;

#endif
