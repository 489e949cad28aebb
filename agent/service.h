/*
 * What a service manager and a service say to each other: sockets passed in,
 * readiness and life signs out. Without one, sockets are made here.
 * Source: sd_listen_fds(3), sd_notify(3).
 */
#ifndef LOCKBOX_AGENT_SERVICE_H
#define LOCKBOX_AGENT_SERVICE_H

#include <stdint.h>
#include <sys/types.h>

#include "lockbox/err.h"

/*
 * A listening unix socket, non-blocking: the one passed in, or a new one at
 * path, mode 0600, of that owner. What stands at path is replaced if it is a
 * socket; a missing last directory is made, root's, 0755.
 *
 * type  SOCK_SEQPACKET or SOCK_STREAM
 *
 * LB_ERR_STATE     what was passed in is no such listening socket
 * LB_ERR_CONFLICT  something else stands at path
 */
enum lb_err service_listen(
    const char *path, int type, uid_t owner, int *ret_fd) LB_MUST_CHECK;

/* Connect to the service manager, if there is one. Before the sandbox. */
void service_open(void);

/* Tell it "READY=1", "WATCHDOG=1", "STOPPING=1"; nobody there: nothing. */
void service_tell(const char *what);

/* How often it wants "WATCHDOG=1", in ms; 0: not at all. */
int64_t service_watchdog_ms(void);

#endif
