/*
 * What the agent and the courier give up before they listen to anybody: root,
 * capabilities, core dumps, new privileges, and every system call that their
 * work does not need. Source: design section 3, threat model.
 */
#ifndef LOCKBOX_AGENT_SANDBOX_H
#define LOCKBOX_AGENT_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "lockbox/err.h"

/* No core dump, nobody may trace us. First of all, before reading a key. */
enum lb_err sandbox_no_core(void) LB_MUST_CHECK;

/* Have room for that many descriptors, as far as the hard limit lets us; how
 * many there may be now. */
unsigned long sandbox_descriptors(unsigned long count);

/*
 * Become user, if we are root. Whoever we are then, keep CAP_KILL (if kill)
 * and no other capability. Supplementary groups: tty (if kill) and no other.
 *
 * LB_ERR_MISSING    no such user
 * LB_ERR_FORBIDDEN  the user is root, or root could be had back
 */
enum lb_err sandbox_become(const char *user, bool kill) LB_MUST_CHECK;

/*
 * Allow only the system calls in the program's list; any other fails with
 * EPERM, and one that would start or trace a program kills us. Not reversible.
 * Opening files for writing is only for the agent; only the courier has
 * sockets other than unix ones, and threads.
 */
enum lb_err sandbox_close_agent(void) LB_MUST_CHECK;
enum lb_err sandbox_close_courier(void) LB_MUST_CHECK;

#endif
