/* What the user reads: three lines at most, through PAM's conversation. */
#ifndef PAM_LOCKBOX_TELL_H
#define PAM_LOCKBOX_TELL_H

#include <security/pam_modules.h>

#include "lockbox/door.h"

/*
 * The module's own words for a code, for when the agent had none: what
 * happened, the next step, the reference (may be empty). Unknown codes have
 * general words.
 *
 * ret  lines of printable ASCII; unused ones are empty
 */
void tell_words(const char *code, const char *ref,
    char ret[static LB_TELL_LINES][LB_TELL_MAX + 1]);

/*
 * Show the lines up to the first empty one, each as a message of the given
 * style (PAM_ERROR_MSG, PAM_TEXT_INFO). Nothing happens without a
 * conversation, and what the application makes of it is its business. libpam's
 * own helpers are not used: they call syslog(), which can block for ever.
 */
void tell_show(pam_handle_t *pamh, int style,
    char lines[static LB_TELL_LINES][LB_TELL_MAX + 1]);

#endif
