/* Loading and keeping what the agent knows. */
#include "agent.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/sshkey.h"

#include "aside.h"
#include "ending.h"
#include "journal.h"
#include "orphans.h"
#include "post.h"
#include "procs.h"
#include "report.h"
#include "selftest.h"
#include "sessions.h"
#include "warden.h"
#include "watch.h"

#define STATE_SOON_MS 1000
#define SWEEP_SOON_MS 1000
#define SWEEP_LOOKS   4 /* more, before a session counts as closed */

const struct lb_trust *
agent_trust(const struct agent *a)
{
	return a->anchor == NULL ? NULL : anchor_trust(a->anchor);
}

const char *
agent_tenant(const struct agent *a)
{
	return a->anchor == NULL ? "" : anchor_trust(a->anchor)->tenant;
}

/* The first reason stays: it is told to everybody who is refused. */
static void
be_unable(struct agent *a, const char *code)
{
	if (a->unable == NULL)
		a->unable = code;
}

static void
load_trust(struct agent *a)
{
	char dir[CONFIG_PATH + 16];
	enum lb_err r;

	(void)snprintf(dir, sizeof(dir), "%s/trust", a->conf.state);
	r = anchor_load(a->conf.trust, dir, a->uid, &a->anchor);
	if (r == LB_OK)
		return;
	journal_r(r, "load trust '%s', letting nobody in", a->conf.trust);
	be_unable(a, "trust_unusable");
}

static void
load_key(struct agent *a)
{
	enum lb_err r;

	r = lb_signer_load(a->conf.key, a->uid, &a->signer);
	if (r == LB_OK)
		return;
	journal_r(r, "load key '%s', letting nobody in", a->conf.key);
	be_unable(a, "key_unusable");
}

static void
note_trust(struct agent *a)
{
	const struct lb_trust *t = agent_trust(a);

	if (t == NULL || strcmp(t->id, a->state.trust) == 0)
		return;
	if (t->serial < a->state.trust_serial) {
		/* Who was taken out since would approve again. */
		journal(LOG_ERR,
		    "trust went back: serial %lld, was %lld, letting nobody in",
		    (long long)t->serial, (long long)a->state.trust_serial);
		be_unable(a, "trust_unusable");
		return;
	}
	if (a->state.trust_serial > 0) {
		journal(LOG_WARNING, "trust changed: serial %lld, was %lld",
		    (long long)t->serial, (long long)a->state.trust_serial);
		report_agent(a, "agent.trust_changed", "");
	}
	memcpy(a->state.trust, t->id, sizeof(a->state.trust));
	a->state.trust_serial = t->serial;
}

/* Enrolment wrote a state: without one, but with key and trust, it was lost,
 * and with it who is in here by whose leave. */
static void
recover(struct agent *a)
{
	if (a->signer == NULL || a->anchor == NULL)
		return; /* never enrolled, as far as we can tell */
	a->state_must = true;
	report_agent(a, "agent.state_lost", "");
	orphans_end(a);
}

static void
load_spool(struct agent *a, bool state_lost)
{
	if (a->signer == NULL)
		return; /* what stands there stays, until there is a key */
	ledger_load(&a->ledger, a->conf.state, a->uid,
	    lb_signer_key(a->signer)->fp, &a->state, state_lost);
}

/* What we did not live to report. Nobody knows whether a login that waited
 * for our word then went on: it is told as one that did. */
static void
report_missed(struct agent *a, const char *boot_id)
{
	bool other = strcmp(a->state.boot_id, boot_id) != 0;

	for (size_t i = 0; i < a->state.session_count; i++) {
		struct state_session *s = &a->state.session[i];

		report_opened(a, s);
		if (other)
			ending_record(a, s, "rebooted", "", 0);
	}
}

static void
load_state(struct agent *a)
{
	char boot_id[PROCS_BOOT_ID_LEN + 1];
	size_t gone = 0;
	bool lost;
	enum lb_err r;

	(void)snprintf(
	    a->state_path, sizeof(a->state_path), "%s/state", a->conf.state);
	r = state_load(a->state_path, a->uid, &a->state);
	if (r != LB_OK) {
		journal_r(
		    r, "load state '%s', going on without", a->state_path);
		if (r != LB_ERR_MISSING)
			aside_set(a->state_path);
	}
	lost = r != LB_OK;
	if ((r = procs_boot_id(boot_id)) != LB_OK) {
		journal_r(r, "read the boot id, letting nobody in");
		be_unable(a, "agent_unable");
		return;
	}
	load_spool(a, lost);
	report_missed(a, boot_id);
	sessions_other_boot(&a->state, boot_id, &gone);
	if (gone > 0)
		journal(LOG_NOTICE, "%zu sessions were of another boot", gone);
	note_trust(a);
	if (lost)
		recover(a);
	report_agent(a, "agent.started", a->unable == NULL ? "" : a->unable);
}

static void
test_self(struct agent *a)
{
	const char *why = NULL;
	enum lb_err r;

	if ((r = selftest_run(1, &why)) == LB_OK)
		return;
	journal_r(r, "self-test: %s, letting nobody in", why);
	be_unable(a, "agent_unable");
}

void
agent_check(struct agent *a)
{
	a->uid = geteuid();
	test_self(a);
	load_trust(a);
	load_key(a);
}

enum lb_err
agent_load(struct agent *a)
{
	enum lb_err r;

	agent_check(a);
	a->round = a->saved = 1; /* what is loaded is of round 0 */
	load_state(a);
	agent_sweep(a);
	a->rejudge = true; /* root may have pinned another trust */
	if ((r = watch_new(&a->watch)) != LB_OK ||
	    (r = post_new(&a->post)) != LB_OK)
		return r;
	return saver_new(a->state_path, a->ledger.path,
	    ledger_file_len(&a->ledger), &a->saver);
}

void
agent_clear(struct agent *a)
{
	ending_drop_all(a);
	warden_clear(a);
	watch_free(a->watch);
	post_free(a->post);
	saver_free(a->saver);
	ledger_clear(&a->ledger);
	lb_signer_free(a->signer);
	anchor_free(a->anchor);
	askers_free(a->askers);
	state_clear(&a->state);
	loop_free(a->loop);
	*a = (struct agent){ 0 };
}

void
agent_state_soon(struct agent *a, int64_t now_boot_ms)
{
	if (a->state_due_ms == 0)
		a->state_due_ms = now_boot_ms + STATE_SOON_MS;
}

void
agent_state_by(struct agent *a, int64_t boot_ms)
{
	if (a->state_due_ms == 0 || a->state_due_ms > boot_ms)
		a->state_due_ms = boot_ms;
}

/* With the reports that the spool's file may not have yet. */
static enum lb_err
compose(struct agent *a, struct lb_buf *ret)
{
	enum lb_err r = LB_OK;

	note_trust(a);
	lb_kills_prune(&a->state.kills, a->state.floor);
	if (a->ledger.open)
		r = ledger_tail(&a->ledger, &a->state);
	if (r == LB_OK)
		r = state_write(&a->state, ret);
	if (a->ledger.open)
		lb_buf_clear(&a->state.tail);
	return r;
}

/* Try again, though not in a rush. */
static void
not_saved(struct agent *a, enum lb_err r)
{
	journal_r(r, "save state '%s'", a->state_path);
	agent_state_soon(a, lb_clock_boottime_ms());
}

/* The state, if it is its time. */
static void
begin_state(struct agent *a, int64_t now_boot_ms, struct saver_job *job)
{
	struct lb_buf text = { .max = STATE_FILE_MAX };
	bool due = a->state_due_ms != 0 && now_boot_ms >= a->state_due_ms;
	enum lb_err r;

	if (!a->state_must && !due)
		return;
	a->state_must = false;
	a->state_due_ms = 0;
	if ((r = compose(a, &text)) != LB_OK) {
		not_saved(a, r);
		return; /* who waits for this round is told when time is up */
	}
	job->state = text;
	a->round++;
}

void
agent_state_begin(struct agent *a, int64_t now_boot_ms)
{
	struct saver_job job = { 0 };

	if (saver_busy(a->saver))
		return;
	if (!ledger_whole(&a->ledger, now_boot_ms, &job)) {
		begin_state(a, now_boot_ms, &job);
		ledger_add(&a->ledger, job.state.len > 0, now_boot_ms, &job);
	}
	if (job.state.len > 0 || job.spool.len > 0 || job.sync)
		saver_begin(a->saver, &job);
}

int64_t
agent_state_next(const struct agent *a)
{
	int64_t next = ledger_next(&a->ledger);

	if (a->state_due_ms > 0 && (next < 0 || a->state_due_ms < next))
		next = a->state_due_ms;
	return next;
}

enum lb_err
agent_state_saved(struct agent *a, uint64_t *ret_round)
{
	struct saver_result r;

	if (saver_finish(a->saver, &r) != LB_OK)
		return LB_ERR_LIMIT;
	ledger_saved(&a->ledger, &r);
	if (a->ledger.failing) /* with the state it may go better */
		agent_state_soon(a, lb_clock_boottime_ms());
	if (!r.had_state)
		return LB_ERR_LIMIT;
	*ret_round = a->round - 1;
	if (r.state == LB_OK)
		a->saved = a->round;
	else
		not_saved(a, r.state);
	return r.state;
}

enum lb_err
agent_state_last(struct agent *a)
{
	struct lb_buf text = { .max = STATE_FILE_MAX };
	enum lb_err r;

	if (!a->state_must && a->state_due_ms == 0 &&
	    !ledger_unsafe(&a->ledger))
		return LB_OK;
	if ((r = compose(a, &text)) == LB_OK)
		r = lb_file_write_atomic(
		    a->state_path, 0600, text.data, text.len);
	lb_buf_clear(&text);
	return r;
}

/* Who left by themselves; what we end is reported by the ending. */
static void
record_closed(struct agent *a, const struct procs_all *all)
{
	for (size_t i = 0; i < a->state.session_count; i++) {
		struct state_session *s = &a->state.session[i];

		if (s->ending[0] == '\0' && !procs_has_sid(all, s->sid))
			ending_record(a, s, "closed", "", 0);
	}
}

/* Is there a session in which no process was seen? */
static bool
missing(const struct agent *a, const struct procs_all *all)
{
	for (size_t i = 0; i < a->state.session_count; i++)
		if (a->state.session[i].ending[0] == '\0' &&
		    !procs_has_sid(all, a->state.session[i].sid))
			return true;
	return false;
}

void
agent_sweep(struct agent *a)
{
	struct procs_all all = { 0 };
	size_t gone = 0;
	enum lb_err r;

	if (a->state.session_count == 0)
		return;
	/* Twice: see there. One that forks on and on would be forgotten, and
	 * never ended: who is not seen then is looked for again and again. */
	if ((r = procs_look(&all)) == LB_OK)
		r = procs_look(&all);
	for (int i = 0; r == LB_OK && i < SWEEP_LOOKS && missing(a, &all); i++)
		r = procs_look(&all);
	if (r == LB_OK) {
		record_closed(a, &all);
		sessions_sweep(&a->state, &all, &gone);
	} else
		journal_r(r, "look at processes, sweeping no session");
	procs_clear(&all);
	if (gone == 0)
		return;
	agent_state_soon(a, lb_clock_boottime_ms());
}

/* Never later than it was due: whoever closes again and again puts nothing
 * off. */
void
agent_sweep_soon(struct agent *a, int64_t now_boot_ms)
{
	if (a->sweep_due_ms > now_boot_ms + SWEEP_SOON_MS)
		a->sweep_due_ms = now_boot_ms + SWEEP_SOON_MS;
}
