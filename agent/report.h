/*
 * What happened, as signed reports in the spool and, where the module does not
 * say it, as a line in syslog: decisions, sessions, the agent itself.
 * Source: design sections 8 and 9; doc/wire-format.md, lockbox-report-v1.
 *
 * Nothing is reported without a key and a trust document: then nobody is let
 * in either.
 */
#ifndef LOCKBOX_AGENT_REPORT_H
#define LOCKBOX_AGENT_REPORT_H

#include <stdbool.h>

#include "agent.h"
#include "course.h"

#define REPORT_TIED_MS 200 /* what tells of a change waits for its state */

/* NULL, or the code because of which nobody may be let in: there would be no
 * room for the record. */
const char *report_refusal(const struct agent *a);

/*
 * What really came of a visit: the module's last word. Once a visit; what it
 * is called more often for is the same. code is the refusal's, and of no
 * meaning when allowed.
 */
void report_login(struct visit *v, bool allowed, const char *code);

/* The session has begun, if that was not said yet: see state_session.final. */
void report_opened(struct agent *a, struct state_session *s);

/* Something that the session lives on after: "session.warned". */
void report_session(
    struct agent *a, const struct state_session *s, const char *event);

/* It ends at another time than its terminals were told, and than before: with
 * a line in syslog. */
void report_moved(
    struct agent *a, const struct state_session *s, int64_t before);

/* It is over, because of cause; processes that had to be killed. */
void report_ended(
    struct agent *a, struct state_session *s, const char *cause, size_t killed);

/* Something about the agent itself; cause may be "". With a line in syslog
 * but for those that have one of their own ("bundle.handed"). */
void report_agent(struct agent *a, const char *event, const char *cause);

/* Number and sign what is left anew: its numbers are taken. */
void report_renumber(struct agent *a);

#endif
