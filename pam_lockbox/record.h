/*
 * The one line in syslog. Key="value" pairs in a fixed order, every key always
 * there, printable ASCII, under 1 KiB: an interface, see pam_lockbox(8).
 */
#ifndef PAM_LOCKBOX_RECORD_H
#define PAM_LOCKBOX_RECORD_H

#include <stddef.h>

#include "lockbox/door.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

#include "deadline.h"
#include "login.h"

#define RECORD_MAX     1024 /* bytes of a line, with its NUL */
#define RECORD_WAIT_MS 1000 /* at most, until the line has been taken */

struct record {
	const char *ident; /* the program that PAM runs in */
	int pid;
	const char *type;     /* as pam_syslog names it: account, session */
	const char *event;    /* login.decision, session.opened, ... */
	const char *decision; /* allow, deny, exempt */
	const char *code;
	const char *ref;
	const char *caller; /* under su and sudo, else "" */
	const char *why;    /* what the module found out itself, else "" */
	const struct login *login;
	const struct lb_door_reply *reply; /* all zero but sid -1: none came */
};

/*
 * Write the line as syslog takes it: "<PRI>ident[pid]: pam_lockbox(...): ".
 * No time: the daemon puts its own, and so nothing here reads a time zone.
 * Values too long for their place are cut and end in "...".
 *
 * ret  RECORD_MAX bytes; returns the length without NUL
 */
size_t record_line(const struct record *rec, char ret[static RECORD_MAX]);

/*
 * Send it as one datagram to the socket at path, connecting anew until it is
 * taken, RECORD_WAIT_MS at most and not past the deadline; at least one try is
 * made. syslog() is not used: it can block for ever.
 *
 * LB_ERR_TIMEOUT  nobody took it
 */
enum lb_err record_send(const char *path, const char *line, size_t len,
    const struct deadline *d) LB_MUST_CHECK;

/*
 * A random reference, XXXX-XXXX-XXXX as lb_request_code, for what the agent
 * gave none. Empty when the kernel has no random bytes.
 */
void record_ref(char ret[static LB_CODE_LEN + 1]);

#endif
