/*
 * The trust document in force, for people who are about to sign the next one:
 * followed from their own copy where they have one, with what it says.
 */
#ifndef LOCKBOX_CLI_IN_FORCE_H
#define LOCKBOX_CLI_IN_FORCE_H

#include <stdbool.h>

#include "api.h"
#include "lockbox/papers.h"
#include "lockbox/trust.h"

struct in_force {
	struct lb_trust *trust;
	struct lb_trust_paper *paper; /* what it says, by its id */
	bool pinned; /* it follows from the person's own copy */
};

/* An enum ending. ret is empty beforehand. */
int in_force_fetch(struct api *api, const char *tenant, struct in_force *ret);
void in_force_clear(struct in_force *f); /* accepts an empty one */

#endif
