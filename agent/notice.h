/*
 * What people in a session are told on their terminals: the words, and how
 * they get there. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_NOTICE_H
#define LOCKBOX_AGENT_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "procs.h"

#define NOTICE_MAX  700 /* chars, without NUL */
#define NOTICE_TTYS 64  /* per session */

struct notice_facts {
	const char *host, *tenant;
	const char *cause; /* of an end; of a warning "" or "lease_over" */
	const char *grant; /* that the session rests on */
	bool offline;      /* no broker let it in, none can prolong it */
	int64_t ends_at;   /* of a warning */
	int64_t left_ms;
};

/* Printable ASCII and line ends fit for any terminal mode. */
void notice_end(const struct notice_facts *f, char ret[static NOTICE_MAX + 1]);
void notice_warning(
    const struct notice_facts *f, char ret[static NOTICE_MAX + 1]);

/*
 * Write text to every terminal that a process of the session has. A terminal
 * that takes nothing just now is passed over.
 *
 * ret_told, ret_untold  terminals that got it, and that did not
 */
void notice_send(const struct procs_all *all, uint32_t sid, const char *text,
    size_t *ret_told, size_t *ret_untold);

/* The path of a tty by its tty_nr; LB_ERR_MISSING: none that people see. */
enum lb_err notice_tty_path(
    unsigned int tty, char *ret, size_t ret_size) LB_MUST_CHECK;

#endif
