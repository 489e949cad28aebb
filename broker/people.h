/*
 * Who stands in a trust document: each principal once, with all that he is
 * there. Pure.
 */
#ifndef BROKER_PEOPLE_H
#define BROKER_PEOPLE_H

#include <stddef.h>

#include "lockbox/trust.h"

#include "rules.h"

#define PEOPLE_MAX (LB_APPROVERS_MAX + LB_HOOKS_MAX + LB_DELEGATES_MAX)

struct people {
	size_t count;
	struct {
		const char *principal; /* borrowed from the trust document */
		unsigned int part;     /* set of enum part */
	} item[PEOPLE_MAX];
};

/* In the order of the document: approvers, hooks, delegates. */
void people_of(const struct lb_trust *t, struct people *ret);

/* What he is there; 0: nothing. */
unsigned int people_part(const struct people *p, const char *principal);

#endif
