/*
 * A host's question: may this login pass? The hot path: no JSON, one look at
 * the doors, one signature verified and one made.
 */
#include "ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "log.h"
#include "parts.h"
#include "speaker.h"

#define SHORT_TTL   60   /* a no holds so many seconds */
#define ANSWER_ROOM 6000 /* bytes kept free for the answer itself */
#define KILLS_MAX   24   /* documents that end grants, in one answer */
#define BUNDLE_TYPE "text/plain; charset=utf-8"

/* Everything about one question. Large: heap. */
struct ask {
	struct app *app;
	const struct call *call;
	struct speaker speaker; /* whose key signed it */
	struct lb_question q;
	struct held *held;
	bool news;
	struct lb_answer answer;
	struct lb_buf parts;      /* what follows the answer */
	size_t count, sigs;       /* documents and signatures in it */
	struct request_row *best; /* of the requests at this door, or NULL */
	bool left; /* a live grant's engineer, or all keys, are gone */
	enum lb_err r;
};

/* Verified by the key inside, which must be an enrolled host's; read then. */
static enum lb_err
question_read(struct ask *a, const struct lb_bundle *b, struct reply *reply)
{
	const struct lb_part *part = &b->part[0];
	enum lb_err r;

	if (b->count != 1 || part->type != &lb_question_type ||
	    part->sig_count != 1)
		return reply_refuse(reply, "bad_document", "one question");
	if ((r = speaker_find(
		 a->app, part, LB_NS_QUESTION, reply, &a->speaker)) != LB_OK)
		return r;
	return lb_question_parse(part->doc.text, part->doc.len, &a->q);
}

/* A host speaks for itself only, to this broker, about now. */
static enum lb_err
question_check(const struct ask *a, struct reply *reply)
{
	const struct lb_question *q = &a->q;

	if (strcmp(q->host, a->speaker.host) != 0 ||
	    strcmp(q->tenant, a->speaker.tenant) != 0)
		return reply_refuse(reply, "host_unknown", "%s", "");
	if (strcmp(q->broker, a->app->conf.name) != 0)
		return reply_refuse(reply, "other_broker", "%s", "");
	return LB_OK;
}

static void
say(struct ask *a, const char *verdict, const char *code)
{
	ROW_TEXT(a->answer.verdict, verdict);
	ROW_TEXT(a->answer.code, code);
}

/* The message: visible ASCII, one blank between words, never too long. */
static void
message(struct ask *a, const char *text)
{
	size_t n = 0;
	char last = ' ';

	for (const char *p = text; *p != '\0' && n < LB_MESSAGE_MAX; p++) {
		char c = *p > ' ' && *p <= '~' ? *p : ' ';

		if ((unsigned char)*p >= 0x80)
			c = '?';
		if (c == ' ' && last == ' ')
			continue;
		last = a->answer.message[n++] = c;
	}
	while (n > 0 && a->answer.message[n - 1] == ' ')
		n--;
	a->answer.message[n] = '\0';
}

/*
 * Put count documents with their sigs signatures behind, if they fit: a host
 * refuses an answer that is too large in any way. Also false on an error.
 */
static bool
parts_add(struct ask *a, const struct lb_buf *text, size_t count, size_t sigs)
{
	/* One document and one signature are the answer's own. */
	if (a->parts.len + text->len > LB_BUNDLE_MAX - ANSWER_ROOM ||
	    a->count + count > LB_BUNDLE_PARTS_MAX - 1 ||
	    a->sigs + sigs > LB_BUNDLE_SIGS_MAX - 1)
		return false;
	a->r = lb_buf_add(&a->parts, text->data, text->len);
	if (a->r != LB_OK)
		return false;
	a->count += count;
	a->sigs += sigs;
	return true;
}

static bool
successor_take(void *arg, const struct trust_row *row)
{
	return parts_add(arg, &row->bundle, 1,
	    lb_bundle_sigs(row->bundle.data, row->bundle.len));
}

/* The host's trust is older than ours: it gets what follows, then asks again. */
static enum lb_err
trust_answer(struct ask *a)
{
	int64_t serial = held_serial(a->held, a->q.trust);
	enum lb_err r;

	if (serial == 0) {
		say(a, "deny", "trust_unknown");
		message(
		    a, "the broker does not know this host's trust document");
		return LB_OK;
	}
	say(a, "deny", "trust_first");
	r = store_trust_each(
	    a->app->store, a->q.tenant, serial, successor_take, a);
	return r != LB_OK ? r : a->r;
}

static bool
keys_in(const struct lb_keyfps *asked, const struct lb_keyfps *in)
{
	for (size_t i = 0; i < asked->count; i++)
		if (!lb_keyfps_has(in, asked->item[i]))
			return false;
	return true;
}

/* A grant of this door: live ones are named, ended ones carried along. */
static bool
grant_take(void *arg, const struct door_grant *g)
{
	struct ask *a = arg;
	struct lb_answer *ans = &a->answer;
	enum state s = rules_state_at(
	    g->state, 0, g->not_before, g->not_after, a->call->now);

	/* Half the room at most: hosts keep what they were told, and those
	 * that are not told again must not keep out a live grant. */
	if (g->killing.len > 0) {
		if (a->count < KILLS_MAX && a->parts.len < LB_BUNDLE_MAX / 2)
			(void)parts_add(a, &g->killing, 1, g->killing_sigs);
		return a->r == LB_OK;
	}
	if (s != STATE_ACTIVE || strcmp(g->broker, a->app->conf.name) != 0 ||
	    !lb_services_has(&g->service, a->q.service))
		return true;
	a->left |= g->engineer_key.count == 0;
	if (g->engineer_key.count == 0 ||
	    !keys_in(&a->q.engineer_key, &g->engineer_key) ||
	    ans->grant.count == LB_ANSWER_GRANTS ||
	    !parts_add(a, &g->bundle, 2, g->bundle_sigs))
		return a->r == LB_OK;
	memcpy(
	    ans->grant.item[ans->grant.count++], g->sha256, sizeof(g->sha256));
	return true;
}

static enum state
state_now(const struct request_row *q, int64_t now)
{
	return rules_state_at(
	    q->state, q->lapses_at, q->not_before, q->not_after, now);
}

/* Which request is meant: one that is open, else the newest. */
static bool
request_take(void *arg, struct request_row *q)
{
	struct ask *a = arg;
	bool open = rules_state_pending(state_now(q, a->call->now)) ||
	    state_now(q, a->call->now) == STATE_SCHEDULED;

	if (!lb_services_has(&q->doc.service, a->q.service) ||
	    !keys_in(&a->q.engineer_key, &q->doc.engineer_key) ||
	    (a->best != NULL && !open))
		return true;
	if (a->best == NULL)
		a->best = malloc(sizeof(*a->best));
	if (a->best == NULL) {
		a->r = LB_ERR_MEMORY;
		return false;
	}
	*a->best = *q;
	return !open;
}

static void
approvers_name(const struct ask *a, char *ret, size_t size)
{
	const struct lb_trust *t = a->held->trust;
	size_t n = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < t->approver.count; i++) {
		const struct lb_pinned *p = &t->approver.item[i];
		int len;

		if ((p->namespaces & LB_NS_APPROVE) == 0 ||
		    strcmp(p->principal, a->best->doc.engineer) == 0 ||
		    strstr(ret, p->principal) != NULL)
			continue;
		if (n + strlen(p->principal) + 8 > size) {
			(void)snprintf(ret + n, size - n, ", ...");
			return;
		}
		len = snprintf(
		    ret + n, size - n, "%s%s", n > 0 ? ", " : "", p->principal);
		n += (size_t)len;
	}
}

/* Why not, in words that tell who must do what until when. */
static void
why(struct ask *a, enum state s)
{
	char until[LB_TIME_LEN + 1] = "", who[120];
	char text[LB_REASON_MAX + LB_PRINCIPAL_MAX + 256];
	const struct request_row *q = a->best;
	char code[LB_CODE_LEN + 1];

	lb_request_code(q->sha256, code);
	switch (s) {
	case STATE_PENDING_ENDORSEMENT:
		lb_time_format(q->lapses_at, until);
		(void)snprintf(text, sizeof(text),
		    "request %s waits for a manager to endorse it until %s",
		    code, until);
		break;
	case STATE_PENDING_APPROVAL:
		lb_time_format(q->lapses_at, until);
		approvers_name(a, who, sizeof(who));
		(void)snprintf(text, sizeof(text),
		    "request %s waits for approval by %s until %s", code, who,
		    until);
		break;
	case STATE_SCHEDULED:
		lb_time_format(q->not_before, until);
		(void)snprintf(text, sizeof(text),
		    "request %s is approved from %s on", code, until);
		break;
	case STATE_DENIED:
		(void)snprintf(text, sizeof(text),
		    "request %s was denied by %s%s%s", code,
		    q->denial.principal,
		    q->denial.reason[0] != '\0' ? ": " : "", q->denial.reason);
		break;
	case STATE_EXPIRED:
		lb_time_format(q->not_after, until);
		(void)snprintf(text, sizeof(text),
		    "request %s was approved until %s, which is over", code,
		    until);
		break;
	case STATE_LAPSED:
		(void)snprintf(text, sizeof(text),
		    "nobody answered request %s in time", code);
		break;
	default:
		(void)snprintf(text, sizeof(text), "request %s was %s", code,
		    row_state_name(s));
		break;
	}
	message(a, text);
}

/* A denial is carried to the host, which then keeps it. */
static enum lb_err
denial_carry(struct ask *a)
{
	const struct request_row *q = a->best;
	struct lb_buf b = { 0 };
	enum lb_err r;

	if (q->denial.signature[0] == '\0' ||
	    (a->parts.len > 0 &&
		memmem(a->parts.data, a->parts.len, q->text, q->text_len) !=
		    NULL))
		return LB_OK;
	if ((r = lb_buf_add(&b, q->text, q->text_len)) == LB_OK &&
	    (r = lb_buf_adds(&b, q->denial.signature)) == LB_OK) {
		(void)parts_add(a, &b, 1, 1); /* the answer alone denies too */
		r = a->r;
	}
	lb_buf_clear(&b);
	return r;
}

/* The answer's word for a state. */
static const char *
code_of(enum state s)
{
	if (s == STATE_SCHEDULED)
		return "not_yet";
	if (s == STATE_ACTIVE) /* its grant did not fit this question */
		return "no_grant";
	return row_state_name(s);
}

static enum lb_err
no_answer(struct ask *a)
{
	enum state s;
	enum lb_err r;

	r = store_request_at_door(
	    a->app->store, a->q.tenant, a->q.host, a->q.login, request_take, a);
	if (r == LB_OK)
		r = a->r;
	if (r != LB_OK)
		return r;
	if (a->best == NULL) {
		say(a, "deny", "no_grant");
		message(a, "nobody asked for this login yet");
		return LB_OK;
	}
	s = state_now(a->best, a->call->now);
	say(a,
	    rules_state_pending(s) || s == STATE_SCHEDULED ? "pending" : "deny",
	    code_of(s));
	if (s != STATE_ACTIVE)
		why(a, s);
	else if (a->left)
		message(a, "the engineer left, or lost the key of the grant");
	return s == STATE_DENIED ? denial_carry(a) : LB_OK;
}

static enum lb_err
verdict(struct ask *a)
{
	enum lb_err r;

	if (strcmp(a->q.trust, a->held->trust->id) != 0)
		return trust_answer(a);
	if (a->call->now >= a->held->trust->good_until) {
		say(a, "deny", "trust_expired");
		message(a, "the tenant's trust document is past its end");
		return LB_OK;
	}
	r = doors_each(a->app->doors, a->app->store, a->q.tenant, a->q.host,
	    a->q.login, a->call->now, grant_take, a);
	if (r == LB_OK)
		r = a->r;
	if (r != LB_OK)
		return r;
	if (a->answer.grant.count == 0)
		return no_answer(a);
	say(a, "allow", a->news ? "granted" : "no_news");
	a->answer.good_until = a->call->now + a->held->trust->lease;
	lb_doc_sort(&lb_answer_type, &a->answer);
	return LB_OK;
}

/* Sign it, and put what belongs to it behind. */
static enum lb_err
answer_write(struct ask *a, struct reply *reply)
{
	struct lb_buf text = { 0 };
	enum lb_err r;

	a->answer.question = a->q;
	if ((r = lb_doc_write(&lb_answer_type, &a->answer, &text)) != LB_OK)
		goto out;
	reply->body.max = LB_BUNDLE_MAX;
	if ((r = lb_buf_add(&reply->body, text.data, text.len)) != LB_OK ||
	    (r = lb_signer_sign(a->app->signer, LB_NS_ANSWER, text.data,
		 text.len, &reply->body)) != LB_OK ||
	    (r = lb_buf_add(&reply->body, a->parts.data, a->parts.len)) !=
		LB_OK)
		goto out;
	reply->status = 200;
	reply->type = BUNDLE_TYPE;
	reply->to_host = true;
out:
	lb_buf_clear(&text);
	return r;
}

static void
count(struct ask *a)
{
	struct metrics *m = &a->app->metrics;

	if (strcmp(a->answer.verdict, "allow") == 0)
		metrics_count(&m->ask_allow);
	else if (strcmp(a->answer.verdict, "pending") == 0)
		metrics_count(&m->ask_pending);
	else
		metrics_count(&m->ask_deny);
	seen_note(
	    a->app->seen, a->speaker.tenant, a->speaker.host, a->call->now);
	LOG_DBG("ask host='%s' login='%s' service='%s': %s %s", a->q.host,
	    a->q.login, a->q.service, a->answer.verdict, a->answer.code);
}

bool
ask_is_fresh(const struct ask *a)
{
	int64_t now = a->call->now;

	return a->call->late ||
	    (a->q.asked <= now + RULES_CLOCK_SKEW &&
		a->q.asked >= now - RULES_CLOCK_SKEW);
}

enum lb_err
ask_answer(struct ask *a, bool news, struct reply *reply)
{
	int64_t now = a->call->now;
	enum lb_err r = LB_OK;

	a->news = news;
	a->answer.answered = now;
	a->answer.good_until = now + SHORT_TTL;
	a->held = trusts_take(a->app->trusts, a->q.tenant);
	if (a->held == NULL)
		return LB_ERR_STORE;
	/* A clock that is off is told so, with our time beside it. */
	if (!ask_is_fresh(a)) {
		say(a, "deny", "clock_skew");
		message(a, "the host's clock and the broker's are apart");
	} else {
		r = verdict(a);
	}
	if (r == LB_OK)
		r = answer_write(a, reply);
	if (r == LB_OK)
		count(a);
	trusts_give(a->app->trusts, a->held);
	return r;
}

enum lb_err
ask_read(struct app *app, const struct call *call, struct reply *reply,
    struct ask **ret)
{
	struct lb_bundle *b = NULL;
	struct ask *a = calloc(1, sizeof(*a));
	enum lb_err r = LB_ERR_MEMORY;

	if (a == NULL)
		return r;
	a->app = app;
	a->call = call;
	if ((r = lb_bundle_split(call->body, call->body_len, &b)) == LB_OK &&
	    (r = question_read(a, b, reply)) == LB_OK &&
	    (r = question_check(a, reply)) == LB_OK) {
		*ret = a;
		a = NULL; /* handed over */
	}
	lb_bundle_free(b);
	ask_free(a);
	return r;
}

void
ask_free(struct ask *a)
{
	if (a == NULL)
		return;
	lb_buf_clear(&a->parts);
	free(a->best);
	free(a);
}

const char *
ask_tenant(const struct ask *a)
{
	return a->speaker.tenant;
}

const char *
ask_host(const struct ask *a)
{
	return a->speaker.host;
}
