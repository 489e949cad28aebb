/*
 * The agent's and the courier's own log lines: one datagram each to /dev/log,
 * never blocking. The decision line of a login is the module's, not ours.
 */
#ifndef LOCKBOX_AGENT_JOURNAL_H
#define LOCKBOX_AGENT_JOURNAL_H

#include <stdbool.h>
#include <syslog.h>

#include "lockbox/err.h"

#define JOURNAL_LINE_MAX 900 /* chars of a line's text, escaped */

/*
 * Name the program and connect. verbose also shows LOG_DEBUG and repeats every
 * line on stderr; stderr is used alone when there is no /dev/log. Call before
 * the sandbox closes.
 *
 * ident  outlives the program's use of the journal
 */
void journal_open(const char *ident, bool verbose);
void journal_close(void);

/*
 * Write one line, facility authpriv. level is LOG_ERR (someone must act),
 * LOG_WARNING (we went on), LOG_NOTICE, LOG_INFO or LOG_DEBUG. Bytes that are
 * not printable ASCII are escaped; a line that cannot be sent is dropped.
 */
void journal(int level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* As journal at LOG_ERR, with ": " and what r says; LB_ERR_IO adds errno. */
void journal_r(enum lb_err r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * An event, as the module writes its own: name="value" pairs in the order that
 * man/lockbox-agent.8 lists. Names and values by turns, then NULL; a value is
 * escaped and cut.
 */
void journal_event(int level, const char *event, ...) __attribute__((sentinel));

#endif
