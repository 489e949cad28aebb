/* Loading and keeping what the agent knows. */
#include "agent.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"

#include "ending.h"
#include "journal.h"
#include "orphans.h"
#include "procs.h"
#include "selftest.h"
#include "sessions.h"
#include "warden.h"
#include "watch.h"

#define STATE_SOON_MS 1000
#define SWEEP_SOON_MS 1000

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

/* Keep what we cannot read for whoever looks into it. */
static void
set_aside(const char *path)
{
	char bad[CONFIG_PATH + 32];

	(void)snprintf(bad, sizeof(bad), "%s.unreadable", path);
	if (rename(path, bad) == 0)
		journal(LOG_WARNING, "set '%s' aside as '%s'", path, bad);
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
	if (a->state.trust_serial > 0)
		journal(LOG_WARNING, "trust changed: serial %lld, was %lld",
		    (long long)t->serial, (long long)a->state.trust_serial);
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
	orphans_end(a);
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
			set_aside(a->state_path);
	}
	lost = r != LB_OK;
	if ((r = procs_boot_id(boot_id)) != LB_OK) {
		journal_r(r, "read the boot id, letting nobody in");
		be_unable(a, "agent_unable");
		return;
	}
	sessions_other_boot(&a->state, boot_id, &gone);
	if (gone > 0)
		journal(LOG_NOTICE, "%zu sessions were of another boot", gone);
	note_trust(a);
	if (lost)
		recover(a);
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
	if ((r = watch_new(&a->watch)) != LB_OK)
		return r;
	return saver_new(a->state_path, &a->saver);
}

void
agent_clear(struct agent *a)
{
	ending_drop_all(a);
	warden_clear(a);
	watch_free(a->watch);
	saver_free(a->saver);
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

static enum lb_err
compose(struct agent *a, struct lb_buf *ret)
{
	note_trust(a);
	lb_kills_prune(&a->state.kills, a->state.floor);
	return state_write(&a->state, ret);
}

/* Try again, though not in a rush. */
static void
not_saved(struct agent *a, enum lb_err r)
{
	journal_r(r, "save state '%s'", a->state_path);
	agent_state_soon(a, lb_clock_boottime_ms());
}

void
agent_state_begin(struct agent *a, int64_t now_boot_ms)
{
	struct lb_buf text = { .max = STATE_FILE_MAX };
	bool due = a->state_due_ms != 0 && now_boot_ms >= a->state_due_ms;
	enum lb_err r;

	if ((!a->state_must && !due) || saver_busy(a->saver))
		return;
	a->state_must = false;
	a->state_due_ms = 0;
	if ((r = compose(a, &text)) != LB_OK) {
		not_saved(a, r);
		return; /* who waits for this round is told when time is up */
	}
	saver_begin(a->saver, &text);
	a->round++;
}

enum lb_err
agent_state_saved(struct agent *a, uint64_t *ret_round)
{
	enum lb_err r = saver_finish(a->saver);

	if (r == LB_ERR_LIMIT)
		return r;
	*ret_round = a->round - 1;
	if (r == LB_OK)
		a->saved = a->round;
	else
		not_saved(a, r);
	return r;
}

enum lb_err
agent_state_last(struct agent *a)
{
	if (!a->state_must && a->state_due_ms == 0)
		return LB_OK;
	note_trust(a);
	return state_save(a->state_path, &a->state);
}

/* Who left by themselves; what we end is reported by the ending. */
static void
record_closed(const struct agent *a, const struct procs_all *all)
{
	for (size_t i = 0; i < a->state.session_count; i++) {
		const struct state_session *s = &a->state.session[i];

		if (s->ending[0] == '\0' && !procs_has_sid(all, s->sid))
			ending_record(a, s, "closed", "", 0);
	}
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
	 * never ended. */
	if ((r = procs_look(&all)) == LB_OK &&
	    (r = procs_look(&all)) == LB_OK) {
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
