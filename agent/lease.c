/* Re-asking for live sessions. */
#include "lease.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/judge.h"

#include "ending.h"
#include "journal.h"
#include "news.h"
#include "notice.h"
#include "offline.h"
#include "plan.h"
#include "procs.h"
#include "report.h"
#include "rests.h"
#include "warden.h"

static void
plan_next(struct warden_note *n, const struct state_session *s, int64_t now,
    int64_t now_boot_ms)
{
	n->ask_ms = now_boot_ms +
	    plan_ask_ms(plan_lease_left_ms(s, now, now_boot_ms),
		s->lease_end < s->deadline, randombytes_random());
	n->half_ms = n->ask_ms;
	n->failing = false;
}

void
lease_begin(struct agent *a, struct warden_note *n,
    const struct state_session *s, int64_t now, int64_t now_boot_ms)
{
	plan_next(n, s, now, now_boot_ms);
	/* Its answer may be older than the news. */
	if (a->news_ms > 0 && now_boot_ms - a->news_ms < LEASE_NEWS_MS)
		n->ask_ms = now_boot_ms;
}

static struct rests_case
case_of(struct agent *a, struct state_session *s)
{
	return (struct rests_case){
		.state = &a->state,
		.session = s,
		.trust = agent_trust(a),
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.host = a->conf.host,
		.now = lb_clock_now(),
		.now_boot_ms = lb_clock_boottime_ms(),
	};
}

static void
judge(struct agent *a, const struct asking *k, const struct lb_bundle *bundle,
    struct lb_ruling *ret)
{
	const struct lb_case c = {
		.trust = agent_trust(a),
		.question = k->question.bundle.data,
		.question_len = k->question.text_len,
		.bundle = bundle,
		.kills = &a->state.kills,
		.now = lb_clock_now(),
		.floor = a->state.floor,
	};

	lb_judge(&c, ret);
	if (ret->floor > a->state.floor) {
		a->state.floor = ret->floor;
		agent_state_soon(a, lb_clock_boottime_ms());
	}
}

/*
 * An allow: move lease and deadline, or end what does not hold. An answer that
 * was asked for before the session got its newest grant may be older than that
 * grant: that it does not name it says nothing yet.
 */
static enum lease_word
renew(struct agent *a, const struct asking *k, struct state_session *s,
    const struct lb_ruling *ruling, const struct lb_bundle *bundle)
{
	const struct rests_case c = case_of(a, s);
	struct warden_note *n = warden_note_find(a, s->sid);
	const struct lb_grant_ids keeps = s->keeps;
	int64_t deadline = s->deadline;
	bool renewed = false;
	const char *fault;

	fault = rests_renew(&c, ruling, bundle, &renewed);
	/* A later lease alone is no reason for a sudo to wait for the disk. */
	if (memcmp(&keeps, &s->keeps, sizeof(keeps)) != 0)
		s->round = a->round;
	agent_state_soon(a, c.now_boot_ms);
	if (fault != NULL && strcmp(fault, "withdrawn") == 0 && n != NULL &&
	    k->began_ms <= n->granted_ms)
		return LEASE_AGAIN;
	if (n != NULL && memcmp(&keeps, &s->keeps, sizeof(keeps)) != 0)
		n->granted_ms = c.now_boot_ms;
	if (fault != NULL) {
		ending_begin(a, s->sid, rests_cause(fault), fault);
		return LEASE_ENDED;
	}
	if (!renewed)
		return LEASE_SILENT;
	if (s->deadline != deadline)
		report_moved(a, s, deadline);
	return LEASE_RENEWED;
}

/* What root handed over needs no word of the broker's, and heeds none: what
 * the customer signed has been taken out of the bundle before. */
static enum lease_word
hear_offline(const struct asking *k, const struct lb_ruling *ruling)
{
	if (ruling->verdict == LB_VERDICT_ALLOW || ruling->by_broker)
		return LEASE_RENEWED;
	journal(LOG_WARNING, "%s: session %u: no answer: %s", k->question.ref,
	    k->sid, ruling->code);
	return LEASE_SILENT;
}

enum lease_word
lease_hear(
    struct agent *a, const struct asking *k, const struct lb_bundle *bundle)
{
	struct state_session *s;
	struct lb_ruling ruling;
	bool kept;

	kept = news_take(a, bundle) == LB_OK;
	s = state_session_find(&a->state, k->sid);
	if (s == NULL || s->ending[0] != '\0')
		return LEASE_ENDED;
	if (strcmp(agent_trust(a)->id, k->question.trust) != 0)
		return LEASE_AGAIN;
	judge(a, k, bundle, &ruling);
	if (s->offline)
		return hear_offline(k, &ruling);
	if (ruling.verdict == LB_VERDICT_ALLOW)
		return kept ? renew(a, k, s, &ruling, bundle) : LEASE_SILENT;
	if (!ruling.by_broker || !rests_ended_by(ruling.code)) {
		journal(LOG_WARNING, "%s: session %u: no fresh allow: %s",
		    k->question.ref, s->sid, ruling.code);
		return LEASE_SILENT;
	}
	ending_begin(a, s->sid, rests_cause(ruling.code), ruling.code);
	return LEASE_ENDED;
}

/* --- asking ------------------------------------------------------------- */

static void
record_silence(struct agent *a, const struct state_session *s, const char *code)
{
	char sid[24], at[LB_TIME_LEN + 1];

	(void)snprintf(sid, sizeof(sid), "%" PRIu32, s->sid);
	lb_time_format(s->lease_end, at);
	journal_event(LOG_WARNING, "session.unconfirmed", "code", code, "ref",
	    s->ref, "tenant", agent_tenant(a), "host", a->conf.host, "login",
	    s->login, "service", s->service, "engineer", s->engineer, "grant",
	    rests_first(&a->state, s), "sid", sid, "lease", at, NULL);
	report_session(a, s, "session.unconfirmed");
}

/* The first time that the lease should have been renewed and was not. */
static void
warn_of_silence(struct agent *a, const struct state_session *s,
    const char *code, int64_t now, int64_t now_boot_ms)
{
	const struct notice_facts f = {
		.host = a->conf.host,
		.tenant = agent_tenant(a),
		.cause = "lease_over",
		.grant = "",
		.ends_at = s->lease_end,
		.left_ms = plan_lease_left_ms(s, now, now_boot_ms),
	};
	struct procs_all all = { 0 };
	char text[NOTICE_MAX + 1];
	size_t told = 0, untold = 0;

	record_silence(a, s, code);
	notice_warning(&f, text);
	if (procs_look(&all) == LB_OK)
		notice_send(&all, s->sid, text, &told, &untold);
	procs_clear(&all);
	if (told == 0 || untold > 0)
		journal(LOG_NOTICE,
		    "session %u: told %zu terminals of it, not %zu", s->sid,
		    told, untold);
}

static void
failed(struct agent *a, struct warden_note *n, const char *code)
{
	const struct state_session *s = state_session_find(&a->state, n->sid);
	int64_t now = lb_clock_now(), now_boot_ms = lb_clock_boottime_ms();
	int64_t left;

	if (s == NULL)
		return;
	left = plan_lease_left_ms(s, now, now_boot_ms);
	n->ask_ms = now_boot_ms + plan_retry_ms(left, randombytes_random());
	/* Before half the lease, or when it need not move, there is time. */
	if (n->failing || now_boot_ms < n->half_ms ||
	    s->lease_end >= s->deadline)
		return;
	n->failing = true;
	warn_of_silence(a, s, code, now, now_boot_ms);
}

static void
answered(struct asking *k, const char *code, const struct lb_bundle *bundle)
{
	struct warden_note *n = warden_note_find(k->agent, k->sid);
	enum lease_word word = LEASE_SILENT;
	struct agent *a = k->agent;

	if (bundle != NULL) {
		word = lease_hear(a, k, bundle);
		code = "answer_missing";
	}
	if (n != NULL)
		n->asking = NULL;
	a->lease_asks--;
	if (n != NULL && word == LEASE_SILENT)
		failed(a, n, code);
	else if (n != NULL && word == LEASE_AGAIN)
		n->ask_ms = 0;
	else if (n != NULL && word == LEASE_RENEWED)
		lease_renewed(a, k->sid);
	if (n != NULL && k->began_ms <= a->news_ms)
		n->ask_ms = 0; /* the answer may be older than the news */
	a->warden_due_ms = 0;
	asking_free(k);
}

void
lease_renewed(struct agent *a, uint32_t sid)
{
	const struct state_session *s = state_session_find(&a->state, sid);
	struct warden_note *n = warden_note_find(a, sid);

	if (s != NULL && n != NULL)
		plan_next(n, s, lb_clock_now(), lb_clock_boottime_ms());
}

void
lease_tend_one(struct agent *a, struct warden_note *n,
    const struct state_session *s, int64_t now_boot_ms)
{
	enum lb_err r;

	if (n->asking != NULL) {
		(void)asking_overdue(n->asking, now_boot_ms); /* it tells */
		return;
	}
	if (now_boot_ms < n->ask_ms || a->lease_asks >= LEASE_ASKS_MAX)
		return;
	r = asking_new(a, s, FRAME_OP_ASK, LEASE_ANSWER_MS, &n->asking);
	if (r != LB_OK) {
		failed(a, n,
		    r == LB_ERR_UNREACHABLE ? "courier_unreachable"
					    : "internal");
		return;
	}
	n->asking->done = answered;
	a->lease_asks++;
}

void
lease_drop(struct agent *a, struct warden_note *n)
{
	if (n->asking == NULL)
		return;
	asking_free(n->asking);
	n->asking = NULL;
	a->lease_asks--;
}

void
lease_ask_all(struct agent *a, uint32_t but_sid, uint32_t spread_ms)
{
	int64_t now = lb_clock_boottime_ms();

	a->news_ms = now;
	for (size_t i = 0; i < a->note_count; i++)
		if (a->notes[i].sid != but_sid)
			a->notes[i].ask_ms =
			    now + randombytes_uniform(spread_ms + 1);
	a->warden_due_ms = 0;
}

void
lease_rejudge(struct agent *a)
{
	a->rejudge = false;
	if (agent_trust(a) == NULL)
		return; /* the leases end them */
	offline_tidy(a);
	for (size_t i = 0; i < a->state.session_count; i++) {
		struct state_session *s = &a->state.session[i];
		const struct rests_case c = case_of(a, s);
		const char *fault;

		if (s->ending[0] == '\0' && (fault = rests_fault(&c)) != NULL)
			ending_begin(a, s->sid, rests_cause(fault), fault);
	}
}

/* Root handed a grant over: who is in by such a one may stay longer. */
void
lease_extend_offline(struct agent *a)
{
	if (agent_trust(a) == NULL)
		return;
	for (size_t i = 0; i < a->state.session_count; i++) {
		struct state_session *s = &a->state.session[i];
		const struct rests_case c = case_of(a, s);
		int64_t deadline = s->deadline;

		if (!s->offline || s->ending[0] != '\0' || !rests_extend(&c))
			continue;
		s->round = a->round;
		a->state_must = true;
		report_moved(a, s, deadline);
	}
	a->warden_due_ms = 0;
}
