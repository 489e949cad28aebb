/*
 * Sessions that nobody remembers: what is done when the state of an enrolled
 * host is missing or cannot be read. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_ORPHANS_H
#define LOCKBOX_AGENT_ORPHANS_H

#include "agent.h"

/*
 * End every audit session whose login no exempt rule of pam.conf mentions, and
 * report the others by name. Without a readable pam.conf nobody can say who is
 * managed: nothing is ended, loudly. Never our own session.
 *
 * Once, at start, after the state was found lost and before the sandbox
 * closes: it looks names up.
 */
void orphans_end(struct agent *a);

#endif
