/*
 * Can this agent do its job: see whose audit session a process of root is in,
 * and signal it. Without that it must allow nothing. Source: design section 3.
 */
#ifndef LOCKBOX_AGENT_SELFTEST_H
#define LOCKBOX_AGENT_SELFTEST_H

#include <sys/types.h>

#include "lockbox/err.h"

/*
 * root_pid  a process of root that lives on: 1
 * ret_why   what failed, static; written only on error
 */
enum lb_err selftest_run(pid_t root_pid, const char **ret_why) LB_MUST_CHECK;

#endif
