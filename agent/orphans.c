/* Ending sessions after the state was lost. */
#include "orphans.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/clock.h"

#include "ending.h"
#include "journal.h"
#include "procs.h"
#include "scope.h"

/* The login that the session began with, by its loginuid. */
static enum lb_err
login_of(pid_t pid, uid_t *ret_uid, char ret[static LB_LOGIN_MAX + 1])
{
	const struct passwd *pw;
	uint32_t uid;
	enum lb_err r;

	if ((r = procs_loginuid(pid, &uid)) != LB_OK)
		return r;
	*ret_uid = uid;
	pw = getpwuid(uid);
	/* Nobody's: no rule can mention it. */
	if (pw == NULL ||
	    lb_text_copy(ret, LB_LOGIN_MAX + 1, pw->pw_name) != LB_OK)
		(void)snprintf(ret, LB_LOGIN_MAX + 1, "#%u", uid);
	return LB_OK;
}

/* By whatever service. */
static bool
mentioned(const struct scope *scope, const char *login, uid_t uid)
{
	for (size_t i = 0; i < scope->count; i++)
		if (scope_exempts(
			scope, scope->rule[i].service, login, (int64_t)uid))
			return true;
	return false;
}

/* A record of which nothing is known but whom to end. */
static void
end(struct agent *a, const struct procs_one *p, const char *login)
{
	struct state_session s = {
		.sid = p->sid,
		.pid = p->pid,
		.service = "unknown",
		.opened_at = lb_clock_now(),
		.deadline = lb_clock_now(),
		.deadline_boot_ms = lb_clock_boottime_ms(),
		.final = true, /* its beginning was told in its time */
	};
	enum lb_err r;

	s.lease_end = s.deadline;
	s.lease_end_boot_ms = s.deadline_boot_ms;
	memcpy(s.login, login, strlen(login) + 1);
	if ((r = state_session_add(&a->state, &s)) != LB_OK) {
		journal_r(r, "end session %u of '%s'", p->sid, login);
		return;
	}
	ending_begin(a, p->sid, "state_lost", "");
}

static void
consider(struct agent *a, const struct scope *scope, const struct procs_one *p)
{
	char login[LB_LOGIN_MAX + 1];
	uid_t uid;

	if (login_of(p->pid, &uid, login) != LB_OK)
		return; /* it has ended */
	if (mentioned(scope, login, uid))
		journal(LOG_NOTICE,
		    "session %u of '%s' goes on: pam.conf exempts that login",
		    p->sid, login);
	else
		end(a, p, login);
}

/* Was the session seen with an earlier process? */
static bool
seen(const struct procs_all *all, size_t upto)
{
	for (size_t i = 0; i < upto; i++)
		if (all->item[i].sid == all->item[upto].sid &&
		    !all->item[i].gone)
			return true;
	return false;
}

void
orphans_end(struct agent *a)
{
	static struct scope scope; /* large */
	struct lb_conf_error error = { 0 };
	struct procs_all all = { 0 };
	uint32_t own = PROCS_SID_UNSET;
	enum lb_err r;

	if ((r = scope_load(a->conf.scope, &scope, &error)) != LB_OK) {
		journal_r(r,
		    "read '%s' to tell whose sessions to end, ending none",
		    a->conf.scope);
		return;
	}
	if ((r = procs_sid(getpid(), &own)) != LB_OK ||
	    (r = procs_look(&all)) != LB_OK)
		journal_r(r, "look for sessions that the lost state had");
	for (size_t i = 0; r == LB_OK && i < all.count; i++)
		if (all.item[i].sid != PROCS_SID_UNSET &&
		    all.item[i].sid != own && !all.item[i].gone &&
		    !seen(&all, i))
			consider(a, &scope, &all.item[i]);
	procs_clear(&all);
}
