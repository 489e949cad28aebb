/*
 * One visit at the door: from what PAM says to a verdict, its record and what
 * the user is told. Every path that is not proven open ends in a denial.
 */
#ifndef PAM_LOCKBOX_VISIT_H
#define PAM_LOCKBOX_VISIT_H

#include <stdbool.h>
#include <stdint.h>

#include <security/pam_modules.h>

#include "lockbox/door.h"
#include "lockbox/verdict.h"

#include "deadline.h"
#include "login.h"
#include "options.h"

/* Beside LB_VERDICT_ALLOW and LB_VERDICT_DENY: none of lockbox's business.
 * 15 bits away from the one, 16 from the other; compared only with ==. */
#define VISIT_EXEMPT 0x03c05a3fu

#define VISIT_CODE_MAX 47  /* chars, without NUL */
#define VISIT_WHY_MAX  479 /* chars, without NUL */
#define VISIT_CLOSE_MS 500

struct visit {
	pam_handle_t *pamh; /* borrowed */
	enum lb_phase phase;
	struct options opt;
	struct login login;
	struct deadline deadline; /* LB_DOOR_TIMEOUT_MS for everything */
	bool ready; /* arguments, login and rules are sound: one may ask */
	bool rule;  /* a rule of pam.conf names this login */
	uint32_t verdict;
	char code[VISIT_CODE_MAX + 1];
	char ref[LB_CODE_LEN + 1];
	char caller[LB_LOGIN_MAX + 1]; /* under su and sudo */
	char why[VISIT_WHY_MAX + 1];
	struct lb_door_reply reply; /* all zero but sid -1: none came */
	int fd;                     /* to the agent; -1: none */
};

/*
 * Read arguments, login and rules, and ask nobody. ret is always filled. The
 * verdict is VISIT_EXEMPT if a rule names the login and nothing else need be
 * known, else LB_VERDICT_DENY. Release with visit_clear.
 */
void visit_look(pam_handle_t *pamh, enum lb_phase phase, int argc,
    const char **argv, struct visit *ret);

/*
 * visit_look, then ask the agent. The verdict is LB_VERDICT_ALLOW only if the
 * agent says so. It is VISIT_EXEMPT only if a rule names the login and
 *  - the service is sshd, whose logins nobody makes from inside a session, or
 *  - this process has no audit session, or
 *  - the agent says that the session is not a registered one, or
 *  - the agent cannot be asked and the process's loginuid is root's.
 */
void visit_decide(pam_handle_t *pamh, enum lb_phase phase, int argc,
    const char **argv, struct visit *ret);

/*
 * Write the line, then tell the agent what becomes of the login. An allow
 * whose line nobody took becomes a denial (no_record). An exempt login passes
 * without its record if need be, so that the customer's root can repair
 * syslog; in its session phase it has none.
 */
void visit_record(struct visit *v);

/* Show the user why not, or what the agent wants him to know; nothing with
 * PAM_SILENT among the flags. */
void visit_tell(const struct visit *v, int flags);

/* Tell the agent that the session is over; waits VISIT_CLOSE_MS at most. */
void visit_close(const struct visit *v);

void visit_clear(struct visit *v);

#endif
