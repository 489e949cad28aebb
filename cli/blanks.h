/*
 * What a person is asked on the terminal when no flag said it: why, the
 * ticket, for how long. A script says all by flags.
 */
#ifndef LOCKBOX_CLI_BLANKS_H
#define LOCKBOX_CLI_BLANKS_H

#include "cli.h"
#include "compose.h"
#include "lockbox/text.h"

#define BLANKS_SPAN_MAX 32 /* bytes, with NUL */

/* The answers; flags borrow them. */
struct blanks {
	char reason[LB_REASON_MAX + 1];
	char ticket[LB_TICKET_MAX + 1];
	char duration[BLANKS_SPAN_MAX];
};

/*
 * A reason must be there; whoever is asked for it may say the others too,
 * unless flags did.
 *
 * about  said before the first question: what the request is about
 * f      what was answered is put in; borrows from ret
 *
 * An enum ending: ENDING_USAGE, and says what is missing, when there is nobody
 * to ask.
 */
int blanks_fill(const struct cli *cli, const char *about,
    struct compose_flags *f, struct blanks *ret);

#endif
