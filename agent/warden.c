/* The clock over every live session. */
#include "warden.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "ending.h"
#include "journal.h"
#include "lease.h"
#include "notice.h"
#include "plan.h"
#include "procs.h"
#include "report.h"
#include "rests.h"

#define WARDEN_REST_MS 20 /* when more is due than may be asked at once */

struct warden_note *
warden_note_find(const struct agent *a, uint32_t sid)
{
	for (size_t i = 0; i < a->note_count; i++)
		if (a->notes[i].sid == sid)
			return &a->notes[i];
	return NULL;
}

/* Notes of sessions that are gone, or going, make room. */
static void
tidy(struct agent *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->note_count; i++) {
		const struct state_session *s =
		    state_session_find(&a->state, a->notes[i].sid);

		if (s != NULL && s->ending[0] == '\0')
			a->notes[n++] = a->notes[i];
		else
			lease_drop(a, &a->notes[i]);
	}
	a->note_count = n;
}

/* NULL: no memory; then it goes unwarned and unasked, not on. */
static struct warden_note *
note_of(struct agent *a, const struct state_session *s, int64_t now,
    int64_t now_boot_ms)
{
	struct warden_note *items, *n = warden_note_find(a, s->sid);

	if (n != NULL)
		return n;
	items = reallocarray(a->notes, a->note_count + 1, sizeof(*items));
	if (items == NULL)
		return NULL;
	a->notes = items;
	n = &items[a->note_count++];
	*n = (struct warden_note){ .sid = s->sid, .deadline = s->deadline };
	n->warned = plan_warned(a->conf.warn_at, a->conf.warn_count,
	    plan_left_ms(s, now, now_boot_ms));
	lease_begin(a, n, s, now, now_boot_ms);
	return n;
}

void
warden_clear(struct agent *a)
{
	for (size_t i = 0; i < a->note_count; i++)
		lease_drop(a, &a->notes[i]);
	free(a->notes);
	a->notes = NULL;
	a->note_count = 0;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
record_warning(struct agent *a, const struct state_session *s, int64_t left_ms,
    size_t told, size_t untold)
{
	char sid[24], left[24], ttys[24], missed[24], at[LB_TIME_LEN + 1];

	(void)snprintf(sid, sizeof(sid), "%" PRIu32, s->sid);
	(void)snprintf(left, sizeof(left), "%" PRId64, (left_ms + 999) / 1000);
	(void)snprintf(ttys, sizeof(ttys), "%zu", told);
	(void)snprintf(missed, sizeof(missed), "%zu", untold);
	lb_time_format(s->deadline, at);
	journal_event(told == 0 || untold > 0 ? LOG_NOTICE : LOG_INFO,
	    "session.warned", "ref", s->ref, "tenant", agent_tenant(a), "host",
	    a->conf.host, "login", s->login, "service", s->service, "engineer",
	    s->engineer, "grant", rests_first(&a->state, s), "sid", sid,
	    "not_after", at, "seconds", left, "told", ttys, "untold", missed,
	    NULL);
	report_session(a, s, "session.warned");
}

/* The grant that ends first is what more time must be asked for. */
static void
warn(struct agent *a, const struct state_session *s, int64_t left_ms)
{
	const struct notice_facts f = {
		.host = a->conf.host,
		.tenant = agent_tenant(a),
		.cause = "",
		.grant = rests_first(&a->state, s),
		.offline = s->offline,
		.ends_at = s->deadline,
		.left_ms = left_ms,
	};
	struct procs_all all = { 0 };
	char text[NOTICE_MAX + 1];
	size_t told = 0, untold = 0;

	notice_warning(&f, text);
	if (procs_look(&all) == LB_OK)
		notice_send(&all, s->sid, text, &told, &untold);
	procs_clear(&all);
	record_warning(a, s, left_ms, told, untold);
}

/* Warnings whose time was over when we first saw the session, or its new
 * deadline, are not given: the engineer knows how much was approved. */
static void
warn_if_due(struct agent *a, struct warden_note *n,
    const struct state_session *s, int64_t left_ms)
{
	size_t warned =
	    plan_warned(a->conf.warn_at, a->conf.warn_count, left_ms);

	if (n->deadline != s->deadline) {
		n->deadline = s->deadline;
		n->warned = warned;
	}
	if (warned <= n->warned)
		return;
	n->warned = warned;
	warn(a, s, left_ms);
}

/* When something is due for it, in boottime ms. */
static int64_t
tend_one(struct agent *a, const struct state_session *s, int64_t now,
    int64_t now_boot_ms)
{
	const char *over = plan_over(s, now, now_boot_ms);
	int64_t left = plan_left_ms(s, now, now_boot_ms);
	int64_t lease = plan_lease_left_ms(s, now, now_boot_ms);
	struct warden_note *n;

	if (over != NULL) {
		ending_begin(a, s->sid, over, "");
		return now_boot_ms;
	}
	n = note_of(a, s, now, now_boot_ms);
	if (n != NULL) {
		warn_if_due(a, n, s, left);
		lease_tend_one(a, n, s, now_boot_ms);
	}
	left = now_boot_ms + sooner(left, lease);
	return n != NULL && n->asking == NULL ? sooner(left, n->ask_ms) : left;
}

int64_t
warden_tend(struct agent *a, int64_t now_boot_ms)
{
	int64_t now = lb_clock_now(), next = now_boot_ms + WARDEN_TICK_MS;
	bool any = false;

	if (a->rejudge)
		lease_rejudge(a);
	if (now_boot_ms < a->warden_due_ms)
		return a->warden_due_ms;
	tidy(a);
	for (size_t i = 0; i < a->state.session_count; i++) {
		const struct state_session *s = &a->state.session[i];

		if (s->ending[0] != '\0')
			continue;
		any = true;
		next = sooner(next, tend_one(a, s, now, now_boot_ms));
	}
	if (next < now_boot_ms + WARDEN_REST_MS)
		next = now_boot_ms + WARDEN_REST_MS;
	a->warden_due_ms = any ? next : 0;
	return any ? next : -1;
}
