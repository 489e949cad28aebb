/* Ending sessions, a step at a time. */
#include "ending.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"

#include "journal.h"
#include "notice.h"
#include "plan.h"
#include "procs.h"
#include "report.h"

#define CGROUP_MAX  512  /* longer ones are no scope of logind's */
#define KILLED_MAX  4096 /* pids that are counted once only */
#define STUBBORN_MS 5000 /* after that it is said, again and again */

struct ending {
	struct ending *next;
	uint32_t sid;
	struct plan_ending plan;
	char code[LB_WORD_MAX + 1];
	int64_t complain_ms;
	size_t found;  /* by the last look: not stopped, not dead yet */
	size_t killed; /* different ones */
	pid_t pid[KILLED_MAX];
};

static void
drop(struct agent *a, struct ending *e)
{
	struct ending **at = &a->endings;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	free(e);
}

void
ending_drop_all(struct agent *a)
{
	while (a->endings != NULL)
		drop(a, a->endings);
}

static void
number(int64_t v, char ret[static 24])
{
	(void)snprintf(ret, 24, "%" PRId64, v);
}

void
ending_record(struct agent *a, struct state_session *s, const char *cause,
    const char *code, size_t killed)
{
	char sid[24], seconds[24], count[24];

	number(s->sid, sid);
	number(lb_clock_now() - s->opened_at, seconds);
	number((int64_t)killed, count);
	journal_event(LOG_NOTICE, "session.ended", "cause", cause, "code",
	    code[0] != '\0' ? code : cause, "ref", s->ref, "tenant",
	    agent_tenant(a), "host", a->conf.host, "login", s->login, "service",
	    s->service, "engineer", s->engineer, "grant",
	    s->rests.count > 0 ? s->rests.item[0] : "", "sid", sid, "seconds",
	    seconds, "killed", count, NULL);
	report_ended(a, s, cause, killed);
}

static void
tell(struct agent *a, const struct state_session *s)
{
	const struct notice_facts f = {
		.host = a->conf.host,
		.tenant = agent_tenant(a),
		.cause = s->ending,
	};
	struct procs_all all = { 0 };
	char text[NOTICE_MAX + 1];
	size_t told = 0, untold = 0;

	notice_end(&f, text);
	if (procs_look(&all) == LB_OK)
		notice_send(&all, s->sid, text, &told, &untold);
	procs_clear(&all);
	journal(LOG_INFO, "session %u: ending, %s; told %zu terminals, not %zu",
	    s->sid, s->ending, told, untold);
}

static void
start(struct agent *a, struct state_session *s, const char *code)
{
	struct ending *e = calloc(1, sizeof(*e));
	int64_t now = lb_clock_boottime_ms();

	if (e == NULL) {
		journal_r(LB_ERR_MEMORY, "end session %u", s->sid);
		return; /* the record says it: ending_tend tries again */
	}
	e->sid = s->sid;
	e->complain_ms = now + STUBBORN_MS;
	(void)snprintf(e->code, sizeof(e->code), "%s", code);
	e->next = a->endings;
	a->endings = e;
	tell(a, s);
	plan_ending_begin(&e->plan, now);
}

void
ending_begin(struct agent *a, uint32_t sid, const char *cause, const char *code)
{
	struct state_session *s = state_session_find(&a->state, sid);

	if (s == NULL || sid == PROCS_SID_UNSET || s->ending[0] != '\0')
		return;
	(void)snprintf(s->ending, sizeof(s->ending), "%s", cause);
	a->state_must = true;
	start(a, s, code);
}

static struct ending *
find(struct agent *a, uint32_t sid)
{
	struct ending *e = a->endings;

	while (e != NULL && e->sid != sid)
		e = e->next;
	return e;
}

void
ending_resume(struct agent *a)
{
	for (size_t i = 0; i < a->state.session_count; i++)
		if (a->state.session[i].ending[0] != '\0' &&
		    find(a, a->state.session[i].sid) == NULL)
			start(a, &a->state.session[i], "");
}

/* --- looking at processes ---------------------------------------------- */

struct look {
	struct agent *agent;
	int64_t now_boot_ms;
	char own[CGROUP_MAX]; /* our cgroup; "" when we have none */
};

/* Whose is it? NULL: of no session that is being ended. */
static struct ending *
owner_of(const struct look *look, pid_t pid, uint32_t sid)
{
	char cgroup[CGROUP_MAX];
	struct ending *e;

	if (pid <= 1 || pid == getpid())
		return NULL;
	if (sid != PROCS_SID_UNSET && (e = find(look->agent, sid)) != NULL)
		return e;
	/* Another session of ours ends for its own reasons. */
	if (state_session_find(&look->agent->state, sid) != NULL ||
	    procs_cgroup(pid, cgroup, sizeof(cgroup)) != LB_OK ||
	    strcmp(cgroup, look->own) == 0)
		return NULL;
	for (e = look->agent->endings; e != NULL; e = e->next)
		if (plan_scope_of(cgroup, e->sid))
			return e;
	return NULL;
}

/* Held by its pidfd it is asked once more whose it is. LB_ERR_MISSING: it is
 * not there any more, or not this session's. */
static enum lb_err
signal_of(const struct look *look, const struct ending *e, pid_t pid, int sig)
{
	uint32_t sid;
	enum lb_err r;
	int fd;

	if ((r = procs_pidfd_open(pid, &fd)) != LB_OK)
		return r;
	if ((r = procs_sid(pid, &sid)) == LB_OK)
		r = owner_of(look, pid, sid) == e ? procs_signal(fd, sig)
						  : LB_ERR_MISSING;
	(void)close(fd); /* only names a process */
	return r;
}

static void
count_killed(struct ending *e, pid_t pid)
{
	for (size_t i = 0; i < e->killed && i < KILLED_MAX; i++)
		if (e->pid[i] == pid)
			return;
	if (e->killed < KILLED_MAX)
		e->pid[e->killed] = pid;
	e->killed++;
}

static bool
looks(const struct ending *e, int64_t now_boot_ms)
{
	return e->plan.due_ms <= now_boot_ms &&
	    (e->plan.step == PLAN_STOP || e->plan.step == PLAN_KILL);
}

/* found counts what was not yet as it should be, also if nothing helped. */
static bool
look_one(void *arg, const struct procs_one *p)
{
	const struct look *look = arg;
	struct ending *e;
	enum lb_err r;
	bool kill;

	if (p->gone)
		return true;
	e = owner_of(look, p->pid, p->sid);
	if (e == NULL || !looks(e, look->now_boot_ms))
		return true;
	kill = e->plan.step == PLAN_KILL;
	if (!kill && p->stopped)
		return true;
	r = signal_of(look, e, p->pid, kill ? SIGKILL : SIGSTOP);
	if (r != LB_ERR_MISSING)
		e->found++;
	if (r == LB_OK && kill)
		count_killed(e, p->pid);
	return true;
}

/* One look serves all that are due for one; after a look that failed nobody
 * can be said to be gone. */
static void
look_for_all(struct agent *a, int64_t now_boot_ms)
{
	struct look look = { .agent = a, .now_boot_ms = now_boot_ms };
	bool any = false;
	enum lb_err r;

	for (struct ending *e = a->endings; e != NULL; e = e->next) {
		e->found = 0;
		any = any || looks(e, now_boot_ms);
	}
	if (!any)
		return;
	if (procs_cgroup(getpid(), look.own, sizeof(look.own)) != LB_OK)
		look.own[0] = '\0';
	if ((r = procs_walk(look_one, &look)) == LB_OK)
		return;
	journal_r(r, "look at processes, ending sessions");
	for (struct ending *e = a->endings; e != NULL; e = e->next)
		e->found++;
}

/* Let it write its utmp and close its PAM session, if it still can. */
static void
term_monitor(const struct state_session *s)
{
	enum lb_err r = procs_signal_in(s->pid, s->sid, SIGTERM);

	if (r != LB_OK && r != LB_ERR_MISSING && r != LB_ERR_STATE)
		journal_r(r, "session %u: ask the monitor, pid %d, to leave",
		    s->sid, (int)s->pid);
}

static void
complain(struct ending *e, int64_t now_boot_ms)
{
	if (now_boot_ms < e->complain_ms)
		return;
	journal(LOG_ERR, "session %u: still there: %zu processes", e->sid,
	    e->found);
	e->complain_ms = now_boot_ms + STUBBORN_MS;
}

/* Its step, with what the look found; false: it is over. */
static bool
go_on(struct agent *a, struct ending *e, int64_t now_boot_ms)
{
	struct state_session *s = state_session_find(&a->state, e->sid);

	if (s == NULL)
		return false;
	if (e->plan.due_ms > now_boot_ms)
		return true;
	if (e->plan.step == PLAN_TERM)
		term_monitor(s);
	complain(e, now_boot_ms);
	plan_ending_next(&e->plan, e->found, now_boot_ms);
	if (e->plan.step != PLAN_DONE)
		return true;
	ending_record(a, s, s->ending, e->code, e->killed);
	state_session_drop(&a->state, e->sid);
	agent_state_soon(a, now_boot_ms);
	return false;
}

int64_t
ending_tend(struct agent *a, int64_t now_boot_ms)
{
	struct ending *e, *next;
	int64_t soonest = -1;

	ending_resume(a);
	if (a->endings == NULL)
		return -1;
	look_for_all(a, now_boot_ms);
	for (e = a->endings; e != NULL; e = next) {
		next = e->next;
		if (!go_on(a, e, now_boot_ms))
			drop(a, e);
		else if (soonest < 0 || e->plan.due_ms < soonest)
			soonest = e->plan.due_ms;
	}
	return soonest;
}
