/*
 * Which folders a program may still read, by Landlock. Best effort: kernels
 * without it exist, and the system call filter stands without it too.
 * Source: landlock(7).
 */
#ifndef LOCKBOX_AGENT_LANDLOCK_H
#define LOCKBOX_AGENT_LANDLOCK_H

#include "lockbox/err.h"

/*
 * From now on only files below these may be opened, and only for reading.
 * Unix sockets and what is open already stay reachable. Not reversible; needs
 * no-new-privileges.
 *
 * folders  NULL-terminated; those that do not exist are passed over
 *
 * LB_ERR_UNSUPPORTED  a kernel without Landlock: nothing was changed
 */
enum lb_err landlock_read_only(const char *const folders[]) LB_MUST_CHECK;

#endif
