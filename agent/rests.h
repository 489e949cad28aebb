/*
 * What a live session rests on, judged again: after news, and by a fresh
 * answer. Pure but for the record itself. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_RESTS_H
#define LOCKBOX_AGENT_RESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"
#include "lockbox/trust.h"

#include "state.h"

struct rests_case {
	struct state *state;
	struct state_session *session; /* in state */
	const struct lb_trust *trust;
	const char *tenant, *broker, *host;
	int64_t now;
	int64_t now_boot_ms;
};

/*
 * Do all the grants that the session rests on still pass, each alone, and does
 * trust still let it be in offline, if it is? NULL, or the code of the first
 * that does not. A deadline that has come nearer,
 * because a delegation ends sooner now, is taken over.
 */
const char *rests_fault(const struct rests_case *c);

/*
 * A fresh allow for this session. Grants that it names are kept; one that ends
 * later takes the place of an earlier one if it lists all its services and
 * logins; then deadline and lease are set anew.
 *
 * ruling  of lb_judge: an allow
 * bundle  that brought the answer
 *
 * Returns NULL, or why the session must end: "withdrawn" when the answer does
 * not name a grant that the session rests on, though there was room for it,
 * or the code of one that does not pass. ret_renewed is false, with NULL, when
 * that cannot be said: then the lease stays as it was.
 */
const char *rests_renew(const struct rests_case *c,
    const struct lb_ruling *ruling, const struct lb_bundle *bundle,
    bool *ret_renewed);

/*
 * For a session that was let in offline: of what root handed over, one that
 * ends later takes the place of an earlier one as in rests_renew, and deadline
 * and lease move. What no longer passes is rests_fault's to say. True: they
 * moved.
 */
bool rests_extend(const struct rests_case *c);

/* Of the grants that the session rests on the one that ends first, as it says
 * itself; "" when none can be read. Borrowed from s. */
const char *rests_first(const struct state *st, const struct state_session *s);

/* The cause of an end (doc/codes.md, section 2) for a code of section 1. */
const char *rests_cause(const char *code);

/* Is this word of the broker's a no to the session, and not just to now? */
bool rests_ended_by(const char *code);

#endif
