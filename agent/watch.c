/* Waiting for the broker's news. */
#include "watch.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/papers.h"

#include "asking.h"
#include "journal.h"
#include "lease.h"

#define QUICK_MS       1000 /* who answers sooner, again and again, is not well */
#define QUICK_MANY     4
#define PROBE_MS       10000
#define QUICK_PAUSE_MS 500
#define SPREAD_LOST    2000 /* ms; questions after news may have been lost */

struct watch {
	struct asking *asking; /* NULL: none under way */
	bool probing;          /* it is answered at once */
	bool lost;             /* news may have gone by: probe first */
	unsigned int failures, quick;
	uint32_t failed_sid; /* another one is asked about next */
	int64_t next_ms;
};

enum lb_err
watch_new(struct watch **ret)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return LB_ERR_MEMORY;
	w->lost = true; /* what came while we were away */
	*ret = w;
	return LB_OK;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	asking_free(w->asking);
	free(w);
}

int64_t
watch_backoff_ms(unsigned int failures, uint32_t chance)
{
	int64_t ms = WATCH_BACKOFF_MS;

	if (failures < 6)
		ms = 1000LL << (failures > 0 ? failures - 1 : 0);
	if (ms > WATCH_BACKOFF_MS)
		ms = WATCH_BACKOFF_MS;
	return ms - ms / 4 * (int64_t)(chance % 1024) / 1024;
}

static void
pause_after_failure(struct watch *w, const char *code)
{
	w->lost = true;
	w->failures++;
	w->next_ms = lb_clock_boottime_ms() +
	    watch_backoff_ms(w->failures, randombytes_random());
	if (w->failures == 1)
		journal(LOG_WARNING,
		    "wait for the broker's news: %s; sessions live by their "
		    "leases until it is back",
		    code);
}

/* The broker says when it has nothing new, in its signed answer; who cannot
 * read that asks for all. */
static bool
is_news(const struct lb_bundle *bundle)
{
	const struct lb_part *p = lb_bundle_first(bundle, &lb_answer_type);
	static struct lb_answer a; /* large; one thread */

	return p == NULL ||
	    lb_answer_parse(p->doc.text, p->doc.len, &a) != LB_OK ||
	    strcmp(a.code, "no_news") != 0;
}

/* A broker that answers at once, always, is not asked faster and faster. But
 * it may have much to tell: never so slowly that a revocation comes late. */
static void
pace(struct watch *w, const struct asking *k)
{
	int64_t now = lb_clock_boottime_ms();

	w->quick =
	    !w->probing && now - k->began_ms < QUICK_MS ? w->quick + 1 : 0;
	w->next_ms = now;
	if (w->quick > QUICK_MANY)
		w->next_ms += QUICK_PAUSE_MS;
}

static void
told(struct asking *k, const char *code, const struct lb_bundle *bundle)
{
	enum lease_word word = LEASE_SILENT;
	struct agent *a = k->agent;
	struct watch *w = a->watch;

	w->asking = NULL;
	if (bundle != NULL) {
		code = "answer_missing";
		word = lease_hear(a, k, bundle);
	}
	if (word == LEASE_RENEWED)
		lease_renewed(a, k->sid);
	w->failed_sid = word == LEASE_SILENT ? k->sid : 0;
	if (word == LEASE_SILENT) {
		pause_after_failure(w, code);
	} else {
		if (w->failures > 0)
			journal(LOG_NOTICE, "the broker's news are back");
		pace(w, k);
		if (w->lost || word != LEASE_RENEWED || is_news(bundle))
			lease_ask_all(a, word == LEASE_RENEWED ? k->sid : 0,
			    w->lost ? SPREAD_LOST : WATCH_SPREAD_MS);
		w->lost = false;
		w->failures = 0;
	}
	a->warden_due_ms = 0;
	asking_free(k);
}

/* Is a better than b: not the one that failed, then one that the broker let
 * in (of another it may know nothing), then who lives longer. */
static bool
better(const struct watch *w, const struct state_session *a,
    const struct state_session *b)
{
	bool a_failed = a->sid == w->failed_sid;
	bool b_failed = b->sid == w->failed_sid;

	if (a_failed != b_failed)
		return b_failed;
	if (a->offline != b->offline)
		return b->offline;
	return a->deadline > b->deadline;
}

/* Any live session will do. */
static const struct state_session *
choose(const struct agent *a)
{
	const struct state_session *best = NULL;

	for (size_t i = 0; i < a->state.session_count; i++) {
		const struct state_session *s = &a->state.session[i];

		if (s->ending[0] == '\0' &&
		    (best == NULL || better(a->watch, s, best)))
			best = s;
	}
	return best;
}

static void
begin(struct agent *a, struct watch *w, const struct state_session *s)
{
	enum lb_err r;

	w->probing = w->lost;
	r = asking_new(a, s, w->probing ? FRAME_OP_ASK : FRAME_OP_WATCH,
	    w->probing ? PROBE_MS : WATCH_POLL_MS, &w->asking);
	if (r != LB_OK) {
		pause_after_failure(w,
		    r == LB_ERR_UNREACHABLE ? "courier_unreachable"
					    : "internal");
		return;
	}
	w->asking->done = told;
}

int64_t
watch_tend(struct agent *a, int64_t now_boot_ms)
{
	const struct state_session *s = choose(a);
	struct watch *w = a->watch;

	if (w->asking != NULL && s == NULL) {
		asking_free(w->asking);
		w->asking = NULL;
		w->lost = true; /* what comes until there are others */
	}
	if (s == NULL) {
		w->lost = w->lost || w->failures > 0;
		return -1;
	}
	if (w->asking != NULL && asking_overdue(w->asking, now_boot_ms))
		return now_boot_ms;
	if (w->asking != NULL)
		return w->asking->due_ms;
	if (now_boot_ms < w->next_ms)
		return w->next_ms;
	begin(a, w, s);
	return w->asking != NULL ? w->asking->due_ms : w->next_ms;
}
