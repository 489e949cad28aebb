/* Reports on their way to the broker. */
#include "post.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"

#include "carrier.h"
#include "journal.h"
#include "report.h"
#include "watch.h"

#define MARGIN_MS 2000 /* the courier's own word on its time comes first */

struct post {
	struct agent *agent;
	struct carrier *carrier; /* NULL: none under way */
	struct loop_watch watch;
	int64_t due_ms;
	size_t count; /* reports in the bundle under way */
	int64_t sent; /* the last one's number */
	bool full;    /* there are more behind them */
	size_t most;  /* 0: as many as may be; fewer while one is sought */
	unsigned int failures, refusals;
	unsigned int renumbered; /* times in a row */
	int64_t next_ms;
	int64_t burst_ms; /* what is left of a burst, as time in steady pace */
	int64_t paced_ms; /* when that was reckoned */
};

enum lb_err
post_new(struct post **ret)
{
	struct post *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return LB_ERR_MEMORY;
	p->watch.fd = -1;
	*ret = p;
	return LB_OK;
}

static void
let_go(struct post *p)
{
	if (p->carrier == NULL)
		return;
	loop_remove(p->agent->loop, &p->watch);
	p->watch.fd = -1;
	carrier_free(p->carrier);
	p->carrier = NULL;
}

void
post_free(struct post *p)
{
	if (p == NULL)
		return;
	let_go(p);
	free(p);
}

/* --- what comes back ---------------------------------------------------------- */

static const char *
blanks(const char *s)
{
	return s + strspn(s, " \t\r\n");
}

enum lb_err
post_answer(const char *text, size_t len, int64_t *ret_sequence)
{
	static const char name[] = "\"sequence\"";
	char digits[17] = "";
	size_t n;

	if (strlen(text) != len)
		return LB_ERR_FORMAT;
	text = blanks(text);
	if (*text++ != '{')
		return LB_ERR_FORMAT;
	text = blanks(text);
	if (strncmp(text, name, sizeof(name) - 1) != 0)
		return LB_ERR_FORMAT;
	text = blanks(text + sizeof(name) - 1);
	if (*text++ != ':')
		return LB_ERR_FORMAT;
	text = blanks(text);
	n = strspn(text, "0123456789");
	if (n == 0 || n >= sizeof(digits))
		return LB_ERR_FORMAT;
	memcpy(digits, text, n);
	text = blanks(text + n);
	if (*text++ != '}' || *blanks(text) != '\0')
		return LB_ERR_FORMAT;
	return lb_number_parse(digits, 0, LB_SEQUENCE_MAX, ret_sequence);
}

/* Only by the broker's own word: whoever stands between has other reasons. */
enum post_word
post_refused(long status, const char *code)
{
	static const char *const blame[] = { "bad_document", "bad_request",
		"bad_signature", "not_found", "other_broker", "too_large" };

	if (status < 400 || status > 499)
		return POST_WAIT;
	for (size_t i = 0; i < sizeof(blame) / sizeof(blame[0]); i++)
		if (strcmp(code, blame[i]) == 0)
			return POST_BLAME;
	return POST_WAIT;
}

static void
pause_after(struct post *p, const char *why, const char *text)
{
	p->failures++;
	p->next_ms = lb_clock_boottime_ms() +
	    watch_backoff_ms(p->failures, randombytes_random());
	if (p->failures == 1)
		journal(LOG_WARNING,
		    "report to the broker: %s%s%s; %zu reports wait", why,
		    text[0] != '\0' ? ": " : "", text,
		    p->agent->ledger.spool.count);
}

/* The broker takes so many bundles an hour: see its setting rate_report. */
static int64_t
pause_ms(struct post *p, int64_t now_boot_ms)
{
	p->burst_ms += now_boot_ms - p->paced_ms - POST_STEADY_MS;
	p->paced_ms = now_boot_ms;
	if (p->burst_ms > POST_BURST * POST_STEADY_MS)
		p->burst_ms = POST_BURST * POST_STEADY_MS;
	if (p->burst_ms > 0)
		return POST_PAUSE_MS;
	p->burst_ms = 0;
	return POST_STEADY_MS;
}

static void
taken(struct post *p, int64_t kept)
{
	struct spool *sp = &p->agent->ledger.spool;
	int64_t now = lb_clock_boottime_ms();

	switch (spool_answered(sp, p->sent, kept)) {
	case SPOOL_GARBAGE:
		pause_after(p, "broker_garbage", "a number that cannot be");
		return;
	case SPOOL_RENUMBER:
		report_renumber(p->agent);
		if (p->renumbered++ == 0)
			break;
		pause_after(p, "broker_garbage", "another number each time");
		return;
	case SPOOL_TAKEN:
		p->renumbered = 0;
		break;
	}
	ledger_note(&p->agent->ledger, now);
	if (p->failures > 0)
		journal(LOG_NOTICE, "the broker takes reports again");
	p->failures = p->refusals = 0;
	p->most = 0;
	p->next_ms = now + (p->full ? 0 : pause_ms(p, now));
}

/* The one report that the broker does not take, whatever is tried. */
static void
give_up(struct post *p, const char *code)
{
	struct spool *sp = &p->agent->ledger.spool;

	journal(LOG_ERR,
	    "the broker refuses report %" PRId64
	    " for ever: %s; leaving it out",
	    p->sent, code);
	if (sp->count > 0 && sp->item[0].sequence == p->sent)
		spool_forget(sp, 0);
	p->refusals = 0;
	p->most = 0;
	p->next_ms = 0;
}

static void
refused(struct post *p, const char *text, size_t len)
{
	char code[FRAME_CODE_MAX + 1] = "";
	long status = 0;

	if (frame_refusal_get(text, len, &status, code) != LB_OK ||
	    post_refused(status, code) == POST_WAIT) {
		pause_after(p, "broker_refused", text);
		return;
	}
	if (p->count > 1) {
		p->most = p->count / 2;
		p->next_ms = 0;
		return;
	}
	if (++p->refusals >= POST_TRIES)
		give_up(p, code);
	else
		pause_after(p, "broker_refused", text);
}

static void
carried(struct post *p)
{
	enum frame_outcome outcome = carrier_outcome(p->carrier);
	const char *text;
	int64_t kept;
	size_t len;

	text = carrier_text(p->carrier, &len);
	if (outcome == FRAME_REFUSED)
		refused(p, text, len);
	else if (outcome != FRAME_OK)
		pause_after(p, frame_outcome_code(outcome), text);
	else if (post_answer(text, len, &kept) != LB_OK)
		pause_after(p, "broker_garbage", "no answer to reports");
	else
		taken(p, kept);
	let_go(p);
}

static void
ready(void *arg, uint32_t events)
{
	struct post *p = arg;
	enum lb_err r;

	(void)events;
	r = carrier_step(p->carrier);
	if (r == LB_OK) {
		carried(p);
		return;
	}
	if (r == LB_ERR_STATE)
		r = loop_change(
		    p->agent->loop, &p->watch, carrier_events(p->carrier));
	if (r == LB_OK)
		return;
	pause_after(p, "courier_garbage", "");
	let_go(p);
}

/* --- sending -------------------------------------------------------------------- */

/* As many as may go and fit. */
static enum lb_err
compose(struct post *p, struct lb_buf *ret)
{
	const struct spool *sp = &p->agent->ledger.spool;
	size_t n = spool_ready(sp);
	enum lb_err r;

	if (p->most > 0 && n > p->most)
		n = p->most;
	for (p->count = 0; p->count < n; p->count++) {
		const struct spool_report *one = &sp->item[p->count];

		r = lb_buf_add(ret, one->text, one->len);
		if (r == LB_ERR_RANGE)
			break; /* the rest goes with the next */
		if (r != LB_OK)
			return r;
		p->sent = one->sequence;
	}
	p->full = p->count < sp->count;
	return p->count > 0 ? LB_OK : LB_ERR_RANGE;
}

static void
begin(struct agent *a, struct post *p)
{
	struct lb_buf text = { .max = FRAME_BODY_MAX };
	enum lb_err r;

	p->agent = a;
	if ((r = compose(p, &text)) != LB_OK ||
	    (r = carrier_new(a->conf.courier, FRAME_OP_REPORT, POST_TIMEOUT_MS,
		 text.data, text.len, &p->carrier)) != LB_OK)
		goto out;
	p->due_ms = lb_clock_boottime_ms() + POST_TIMEOUT_MS + MARGIN_MS;
	p->watch = (struct loop_watch){
		.fd = carrier_fd(p->carrier), .ready = ready, .arg = p
	};
	r = loop_add(a->loop, &p->watch, carrier_events(p->carrier));
	if (r != LB_OK)
		let_go(p);
out:
	if (r != LB_OK)
		pause_after(p,
		    r == LB_ERR_UNREACHABLE ? "courier_unreachable"
					    : "internal",
		    "");
	lb_buf_clear(&text);
}

void
post_heard(struct agent *a)
{
	if (a->post->failures > 0)
		a->post->next_ms = 0;
}

int64_t
post_tend(struct agent *a, int64_t now_boot_ms)
{
	struct post *p = a->post;

	if (p->carrier != NULL && now_boot_ms >= p->due_ms) {
		pause_after(p, "broker_timeout", "");
		let_go(p);
	}
	if (p->carrier != NULL)
		return p->due_ms;
	if (!a->ledger.open || spool_ready(&a->ledger.spool) == 0)
		return -1;
	if (now_boot_ms < p->next_ms)
		return p->next_ms;
	begin(a, p);
	return p->carrier != NULL ? p->due_ms : p->next_ms;
}
