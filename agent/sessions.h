/*
 * Sessions as they come and go: registered by sshd's open_session, joined by
 * sudo and su, forgotten when no process is left in them.
 * Source: design sections 5 (step 6) and 8.
 */
#ifndef LOCKBOX_AGENT_SESSIONS_H
#define LOCKBOX_AGENT_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/err.h"
#include "lockbox/judge.h"

#include "procs.h"
#include "state.h"

/* What the agent knows when it lets a session begin. */
struct sessions_opening {
	uint32_t sid;
	pid_t pid;
	const char *login, *service, *rhost, *ref;
	const struct lb_keyfps *keys;
	const struct lb_ruling *ruling; /* an allow */
	const struct lb_bundle *bundle; /* of the answer */
	int64_t now;
	int64_t now_boot_ms;
	uint64_t round; /* of saving that it will be in */
};

/*
 * Record a session. It rests on the ruling's grant and keeps each grant for
 * its login that the signed answer names, or, offline, that root handed over,
 * with the request behind it.
 *
 * LB_ERR_CONFLICT  the audit session is registered already
 * LB_ERR_STATE     the ruling is not an allow of a known key
 * LB_ERR_LIMIT, LB_ERR_MEMORY
 */
enum lb_err sessions_open(
    struct state *st, const struct sessions_opening *o) LB_MUST_CHECK;

/*
 * Keep, for a session, those of the named grants that are for its login and
 * in the bundle; what it neither rests on nor is named any more makes room.
 */
enum lb_err sessions_keep(struct state *st, struct state_session *s,
    const struct lb_bundle *bundle,
    const struct lb_grant_ids *named) LB_MUST_CHECK;

/* Keep, for a session, what root handed over for its login, as far as there is
 * room. */
enum lb_err sessions_keep_handed(
    struct state *st, struct state_session *s) LB_MUST_CHECK;

/* A grant and its signatures, with its request where the bundle has it, as a
 * bundle of its own: appended to ret. */
enum lb_err sessions_grant_text(const struct lb_bundle *bundle,
    const struct lb_part *part, const struct lb_grant *grant,
    struct lb_buf *ret) LB_MUST_CHECK;

/*
 * A sudo or su was allowed by a grant: from now on the session rests on it as
 * well, and ends when the first of them ends. ret_new tells whether that
 * changed anything. LB_ERR_LIMIT: no room for another.
 */
enum lb_err sessions_rest(struct state_session *s,
    const struct lb_ruling *ruling, int64_t now, int64_t now_boot_ms,
    bool *ret_new) LB_MUST_CHECK;

/*
 * Forget the sessions in whose audit session no process is left, but for those
 * that are being ended; those of another boot at once. ret_gone counts them.
 */
void sessions_sweep(
    struct state *st, const struct procs_all *all, size_t *ret_gone);
void sessions_other_boot(
    struct state *st, const char *boot_id, size_t *ret_gone);

#endif
