/* Runs programs of this machine: to read what they print, or to hand over. */
#ifndef LOCKBOX_CLI_CHILD_H
#define LOCKBOX_CLI_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

/*
 * Run argv[0] (looked for in PATH unless it has a slash) to its end. Standard
 * input is the given bytes from memory, never a file on disk; the terminal
 * stays the child's, so that it can ask for a passphrase or a touch.
 *
 * quiet       drop what it writes to stderr
 * ret         what it printed, appended, at most its ceiling
 * ret_status  exit code; 128 + signal
 *
 * LB_ERR_MISSING  no such program
 * LB_ERR_IO       errno
 * LB_ERR_RANGE    printed more than ret may hold
 */
enum lb_err child_run(const char *const *argv, const void *input,
    size_t input_len, bool quiet, struct lb_buf *ret,
    int *ret_status) LB_MUST_CHECK;

/*
 * Run argv[0] to its end with our own streams and terminal, as a shell would:
 * Ctrl-C is the child's, Ctrl-Z stops both, SIGTERM and SIGHUP to us are
 * passed on.
 *
 * ret_status  exit code; 128 + signal
 *
 * LB_ERR_MISSING  no such program
 * LB_ERR_IO       errno
 */
enum lb_err child_attend(
    const char *const *argv, int *ret_status) LB_MUST_CHECK;

#endif
