/*
 * Live sessions ask again, and what the answers mean for them. No fresh allow
 * by the lease's end ends them: see warden.h. Source: design section 8.
 */
#ifndef LOCKBOX_AGENT_LEASE_H
#define LOCKBOX_AGENT_LEASE_H

#include <stdint.h>

#include "lockbox/bundle.h"

#include "agent.h"
#include "asking.h"

#define LEASE_ASKS_MAX  16    /* at the broker at once */
#define LEASE_NEWS_MS   6000  /* that an answer may take to become a session */
#define LEASE_ANSWER_MS 10000 /* for an answer that is wanted at once */

struct warden_note;

/* A new session: it was answered just now, perhaps before the last news. */
void lease_begin(struct agent *a, struct warden_note *n,
    const struct state_session *s, int64_t now, int64_t now_boot_ms);

/* Ask, if it is time to. */
void lease_tend_one(struct agent *a, struct warden_note *n,
    const struct state_session *s, int64_t now_boot_ms);
/* Give up what is on its way. */
void lease_drop(struct agent *a, struct warden_note *n);
/* Its lease moved: ask at half of what is left. */
void lease_renewed(struct agent *a, uint32_t sid);

/* There is news, or there may be: ask for every live session but one, a
 * little apart, within spread_ms. */
void lease_ask_all(struct agent *a, uint32_t but_sid, uint32_t spread_ms);

enum lease_word {
	LEASE_RENEWED,
	LEASE_ENDED,  /* the session is being ended */
	LEASE_SILENT, /* nothing that could be relied on */
	LEASE_AGAIN, /* another trust is in force, or it came too late: ask anew */
};

/* A bundle came for a question about a live session: take what it brings, and
 * judge it. */
enum lease_word lease_hear(
    struct agent *a, const struct asking *k, const struct lb_bundle *bundle);

/* Root handed over a grant: it may prolong what was let in offline. */
void lease_extend_offline(struct agent *a);

/* Judge every live session by what is kept here; end those that fail. */
void lease_rejudge(struct agent *a);

#endif
