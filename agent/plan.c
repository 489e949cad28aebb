/* The timing of sessions: pure. */
#include "plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOOK_AGAIN_MS 10  /* what is dying needs a moment */
#define LOOK_SLOW_MS  200 /* when something will not die */
#define LOOKS_QUICK   100
#define QUIET_LOOKS   2 /* one look may miss what is just being born */

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* By both clocks, the nearer. */
static int64_t
left_ms(int64_t at, int64_t at_boot_ms, int64_t now, int64_t now_boot_ms)
{
	int64_t left = sooner((at - now) * 1000, at_boot_ms - now_boot_ms);

	return left > 0 ? left : 0;
}

int64_t
plan_left_ms(const struct state_session *s, int64_t now, int64_t now_boot_ms)
{
	return left_ms(s->deadline, s->deadline_boot_ms, now, now_boot_ms);
}

int64_t
plan_lease_left_ms(
    const struct state_session *s, int64_t now, int64_t now_boot_ms)
{
	return left_ms(s->lease_end, s->lease_end_boot_ms, now, now_boot_ms);
}

const char *
plan_over(const struct state_session *s, int64_t now, int64_t now_boot_ms)
{
	if (plan_left_ms(s, now, now_boot_ms) == 0)
		return "expired";
	if (plan_lease_left_ms(s, now, now_boot_ms) == 0)
		return "lease_over";
	return NULL;
}

size_t
plan_warned(const int64_t *warn, size_t count, int64_t left)
{
	size_t n = 0;

	while (n < count && left <= warn[n] * 1000)
		n++;
	return n;
}

/* Up to a fifth less. */
static int64_t
spread(int64_t ms, uint32_t chance)
{
	return ms - ms / 5 * (int64_t)(chance % 1024) / 1024;
}

int64_t
plan_ask_ms(int64_t lease_left_ms, bool renewable, uint32_t chance)
{
	int64_t ms = lease_left_ms / 2;

	if (!renewable && ms < PLAN_RETRY_MS)
		ms = PLAN_RETRY_MS;
	if (ms < 1000)
		ms = 1000;
	return spread(ms, chance);
}

int64_t
plan_retry_ms(int64_t lease_left_ms, uint32_t chance)
{
	int64_t ms = lease_left_ms / 4;

	if (ms > PLAN_RETRY_MS)
		ms = PLAN_RETRY_MS;
	if (ms < 1000)
		ms = 1000;
	return spread(ms, chance);
}

static void
go_to(struct plan_ending *p, enum plan_step step, int64_t due_ms)
{
	*p = (struct plan_ending){ .step = step, .due_ms = due_ms };
}

void
plan_ending_begin(struct plan_ending *p, int64_t now_boot_ms)
{
	go_to(p, PLAN_TERM, now_boot_ms + PLAN_READ_MS);
}

static void
after_kill(struct plan_ending *p, size_t found, int64_t now_boot_ms)
{
	p->quiet = found == 0 ? p->quiet + 1 : 0;
	p->looks++;
	if (p->quiet == QUIET_LOOKS)
		go_to(p, PLAN_DONE, now_boot_ms);
	else if (p->quiet > 0)
		p->due_ms = now_boot_ms;
	else
		p->due_ms = now_boot_ms +
		    (p->looks < LOOKS_QUICK ? LOOK_AGAIN_MS : LOOK_SLOW_MS);
}

void
plan_ending_next(struct plan_ending *p, size_t found, int64_t now_boot_ms)
{
	switch (p->step) {
	case PLAN_TERM:
		go_to(p, PLAN_STOP, now_boot_ms + PLAN_LEAVE_MS);
		return;
	case PLAN_STOP:
		p->due_ms = now_boot_ms;
		if (found == 0 || ++p->looks == PLAN_STOPS)
			go_to(p, PLAN_KILL, now_boot_ms);
		return;
	case PLAN_KILL:
		after_kill(p, found, now_boot_ms);
		return;
	case PLAN_DONE:
		return;
	}
}

bool
plan_scope_of(const char *cgroup, uint32_t sid)
{
	char scope[40];
	size_t n;

	if (sid == PROCS_SID_UNSET ||
	    strncmp(cgroup, "/user.slice/user-", 17) != 0)
		return false;
	cgroup += 17;
	n = strspn(cgroup, "0123456789");
	if (n == 0 || strncmp(cgroup + n, ".slice/", 7) != 0)
		return false;
	cgroup += n + 7;
	(void)snprintf(scope, sizeof(scope), "session-%" PRIu32 ".scope", sid);
	n = strlen(scope);
	return strncmp(cgroup, scope, n) == 0 &&
	    (cgroup[n] == '\0' || cgroup[n] == '/');
}
