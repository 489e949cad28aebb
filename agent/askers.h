/*
 * Those let in provisionally, their key not known yet. Whoever is still alive
 * after ASKERS_TTL_MS and has not registered a session is killed with all that
 * descends from it. Source: design section 5, step 6.
 */
#ifndef LOCKBOX_AGENT_ASKERS_H
#define LOCKBOX_AGENT_ASKERS_H

#include <stdint.h>
#include <sys/types.h>

#include "lockbox/err.h"

#include "loop.h"

#define ASKERS_MAX    1024
#define ASKERS_TTL_MS 10000

struct askers;

enum lb_err askers_new(struct loop *loop, struct askers **ret) LB_MUST_CHECK;
void askers_free(struct askers *a); /* accepts NULL; kills nobody */

/*
 * Watch a process from now on. pidfd is copied. LB_ERR_LIMIT: too many, do
 * not let it in.
 */
enum lb_err askers_add(
    struct askers *a, pid_t pid, int pidfd, int64_t now_boot_ms) LB_MUST_CHECK;

/* It registered, or was refused after all: let it live, and what it was a
 * child of, for sshd asks in a child and registers in its parent. */
void askers_forget(struct askers *a, pid_t pid);

/* End those whose time is over; says when to come again, -1: never. */
int64_t askers_end_overdue(struct askers *a, int64_t now_boot_ms);

#endif
