/* The decision: does this answer, with one of its grants, open this door? */
#include "lockbox/judge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "quorum.h"

#define ALL_LETTERS "abcdefghijklmnopqrstuvwxyz_"

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
code_set(struct lb_ruling *ret, const char *code)
{
	enum lb_err r = lb_text_copy(ret->code, sizeof(ret->code), code);

	assert(r == LB_OK);
	(void)r;
}

static void
deny(struct lb_ruling *ret, const char *code)
{
	memset(ret, 0, sizeof(*ret));
	ret->verdict = LB_VERDICT_DENY;
	code_set(ret, code);
}

/*
 * The terms of a grant, one check per row. What depends on the grant's text
 * alone (its longest possible span, not-after - issued <= 31 days) has been
 * checked by lb_grant_parse.
 */
static bool
tenant_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return strcmp(g->tenant, c->tenant) == 0;
}

/* Another name is another broker, whose grants are its own. */
static bool
broker_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return strcmp(g->broker, c->broker) == 0;
}

static bool
host_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return lb_hosts_has(&g->host, c->host);
}

static bool
login_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return lb_logins_has(&g->login, c->login);
}

static bool
service_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return lb_services_has(&g->service, c->service);
}

/* Every key that sshd accepted. None: provisional, see lb_grant_case. */
static bool
keys_fit(const struct lb_grant_case *c, const struct lb_grant *g)
{
	for (size_t i = 0; c->keys != NULL && i < c->keys->count; i++) {
		if (!lb_keyfps_has(&g->engineer_key, c->keys->item[i]))
			return false;
	}
	return true;
}

static bool
span_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return g->not_after - g->not_before <= c->trust->longest;
}

/*
 * Nor issued in the future: a deny is kept for as long as a grant issued
 * before it can live.
 */
static bool
issued_fits(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return g->issued <= c->now + LB_CLOCK_SKEW_MAX;
}

static bool
begun(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return g->not_before <= c->now;
}

static bool
not_over(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return c->now < g->not_after;
}

static bool
not_revoked(const struct lb_grant_case *c, const struct lb_grant *g)
{
	(void)g;
	return c->kills == NULL || !lb_kills_has(c->kills, c->part->id, c->now);
}

static bool
not_revoked_here(const struct lb_grant_case *c, const struct lb_grant *g)
{
	(void)g;
	return !lb_trust_closed_by(
	    c->trust, c->part, LB_NS_REVOKE, c->now, NULL);
}

static bool
not_denied(const struct lb_grant_case *c, const struct lb_grant *g)
{
	return c->kills == NULL || !lb_kills_has(c->kills, g->request, c->now);
}

/* The request that the grant names, if the bundle brought it. */
static const struct lb_part *
request_part(const struct lb_grant_case *c, const struct lb_grant *g)
{
	const struct lb_part *part = lb_bundle_find(c->bundle, g->request);

	return part != NULL && part->type == &lb_request_type ? part : NULL;
}

static bool
not_denied_here(const struct lb_grant_case *c, const struct lb_grant *g)
{
	const struct lb_part *part = request_part(c, g);

	return part == NULL ||
	    !lb_trust_closed_by(c->trust, part, LB_NS_DENY, c->now, NULL);
}

/* What is not looked at before somebody asks: who that is, and whether the
 * grant's time has come. */
enum when { EVER, ASKED };

static const struct {
	const char *code;
	bool (*holds)(const struct lb_grant_case *c, const struct lb_grant *g);
	enum when when;
} terms[] = {
	{ "grant_tenant", tenant_fits, EVER },
	{ "grant_broker", broker_fits, EVER },
	{ "grant_host", host_fits, EVER },
	{ "grant_login", login_fits, ASKED },
	{ "grant_service", service_fits, ASKED },
	{ "grant_key", keys_fit, ASKED },
	{ "grant_too_long", span_fits, EVER },
	{ "grant_not_yet", issued_fits, EVER },
	{ "grant_not_yet", begun, ASKED },
	{ "grant_over", not_over, EVER },
	{ "grant_revoked", not_revoked, EVER },
	{ "grant_revoked", not_revoked_here, EVER },
	{ "request_denied", not_denied, EVER },
	{ "request_denied", not_denied_here, EVER },
};

#define TERMS (sizeof(terms) / sizeof(terms[0]))

/* How far a grant got, for the code of the one that got furthest. */
enum { AT_TRUST = 1, AT_APPROVALS, AT_TERMS, AT_REQUEST = AT_TERMS + TERMS };

/* What is too large for the stack. */
struct work {
	struct lb_grant grant;
	struct lb_request request;
	struct lb_quorum quorum;
	struct lb_heard heard;
};

/* NULL, or why the engineer did not ask for what this grant says. */
static const char *
request_check(const struct lb_grant_case *c, struct work *w)
{
	const struct lb_part *part = request_part(c, &w->grant);

	if (c->trust->engineer.count == 0)
		return NULL;
	if (part == NULL)
		return "request_missing";
	/* The approved grant names its hash: it is not a stranger's text. */
	if (lb_request_parse(part->doc.text, part->doc.len, &w->request) !=
	    LB_OK)
		return "request_malformed";
	if (!lb_trust_request_signed(c->trust, part, &w->request, c->now))
		return "request_unsigned";
	if (!lb_grant_within(&w->grant, &w->request, part->id))
		return "request_exceeded";
	return NULL;
}

/* NULL, or why the customer did not approve. Fills w->grant and w->quorum. */
static const char *
approvals_check(const struct lb_grant_case *c, struct work *w)
{
	const struct lb_slice *text = &c->part->doc;

	/* Verify first: nobody pinned has signed it, nobody parses it. */
	lb_heard_read(c->trust, c->part, LB_NS_APPROVE, c->now, &w->heard);
	if (!lb_heard_any(&w->heard, LB_KIND_APPROVER) &&
	    !lb_heard_any(&w->heard, LB_KIND_HOOK) &&
	    !lb_heard_any(&w->heard, LB_KIND_DELEGATE))
		return lb_heard_code(&w->heard);
	if (lb_grant_parse(text->text, text->len, &w->grant) != LB_OK)
		return "grant_malformed";
	lb_heard_approvals(c->trust, &w->heard, &w->grant, c->now, &w->quorum);
	return w->quorum.reached ? NULL : w->quorum.code;
}

static void
allow(
    const struct lb_grant_case *c, const struct work *w, struct lb_ruling *ret)
{
	const struct lb_grant *g = &w->grant;

	memset(ret, 0, sizeof(*ret));
	code_set(ret, "granted");
	ret->provisional = c->keys == NULL || c->keys->count == 0;
	ret->by_delegate = w->quorum.by_delegate;
	memcpy(ret->grant, c->part->id, sizeof(ret->grant));
	memcpy(ret->request, g->request, sizeof(ret->request));
	memcpy(ret->engineer, g->engineer, sizeof(ret->engineer));
	ret->not_after = g->not_after;
	if (ret->by_delegate)
		ret->not_after =
		    earlier(g->not_after, c->trust->delegate_until);
	ret->lease_end = ret->not_after;
	ret->verdict = LB_VERDICT_ALLOW;
}

/* NULL, or why the terms do not hold; then how far it got. */
static const char *
terms_check(const struct lb_grant_case *c, const struct work *w, enum when when,
    size_t *ret_at)
{
	for (size_t i = 0; i < TERMS; i++) {
		if (terms[i].when > when || terms[i].holds(c, &w->grant))
			continue;
		*ret_at = AT_TERMS + i;
		return terms[i].code;
	}
	return NULL;
}

/* Judge one grant, all of it or what holds ever; returns how far it got when
 * it does not pass. */
static size_t
grant_weigh(const struct lb_grant_case *c, enum when when, struct work *w,
    struct lb_ruling *ret)
{
	size_t at = 0;
	const char *code;

	deny(ret, "trust_over");
	if (c->now >= c->trust->good_until)
		return AT_TRUST;
	if ((code = approvals_check(c, w)) != NULL) {
		deny(ret, code);
		return AT_APPROVALS;
	}
	if ((code = terms_check(c, w, when, &at)) != NULL) {
		deny(ret, code);
		return at;
	}
	if ((code = request_check(c, w)) != NULL) {
		deny(ret, code);
		return AT_REQUEST;
	}
	allow(c, w, ret);
	return 0;
}

void
lb_grant_judge(const struct lb_grant_case *c, struct lb_ruling *ret)
{
	struct work *w = calloc(1, sizeof(*w));

	deny(ret, "internal");
	if (w != NULL)
		(void)grant_weigh(c, ASKED, w, ret); /* ret says it too */
	free(w);
}

bool
lb_grant_keepable(
    const struct lb_grant_case *c, char ret_code[static LB_WORD_MAX + 1])
{
	struct work *w = calloc(1, sizeof(*w));
	struct lb_ruling r;

	deny(&r, "internal");
	if (w != NULL)
		(void)grant_weigh(c, EVER, w, &r); /* r says it too */
	free(w);
	if (r.verdict == LB_VERDICT_ALLOW && !c->trust->offline)
		deny(&r, "offline_denied");
	memcpy(ret_code, r.code, sizeof(r.code));
	return r.verdict == LB_VERDICT_ALLOW;
}

void
lb_offline_judge(
    const struct lb_grant_case *c, int64_t floor, struct lb_ruling *ret)
{
	deny(ret, "offline_denied");
	if (c->trust->offline && c->now < floor)
		deny(ret, "clock_floor");
	else if (c->trust->offline)
		lb_grant_judge(c, ret);
	ret->floor = floor;
	if (ret->verdict != LB_VERDICT_ALLOW)
		return;
	code_set(ret, "granted_offline");
	ret->offline = true;
}

/* What lb_judge reads on its way. */
struct hearing {
	const struct lb_case *c;
	const struct lb_part *part; /* the answer */
	struct lb_question question;
	struct lb_answer answer;
	struct work work;
};

/* NULL, or why this host's own question does not belong to this trust. */
static const char *
question_check(struct hearing *h)
{
	const struct lb_case *c = h->c;

	if (lb_question_parse(c->question, c->question_len, &h->question) !=
		LB_OK ||
	    strcmp(h->question.tenant, c->trust->tenant) != 0)
		return "question_wrong";
	if (strcmp(h->question.trust, c->trust->id) != 0)
		return "trust_changed";
	return NULL;
}

/* NULL, or why this is no answer of the broker to this very question. */
static const char *
answer_check(struct hearing *h)
{
	const struct lb_bundle *b = h->c->bundle;

	h->part = lb_bundle_first(b, &lb_answer_type);
	if (h->part == NULL)
		return "answer_missing";
	for (size_t i = 0; i < b->count; i++) {
		if (b->part[i].type == &lb_answer_type &&
		    &b->part[i] != h->part)
			return "answer_doubled";
	}
	if (!lb_trust_answer_signed(
		h->c->trust, h->part, h->question.broker, h->c->now))
		return "answer_signature";
	if (!lb_answer_repeats(h->part->doc.text, h->part->doc.len,
		h->c->question, h->c->question_len))
		return "answer_question";
	if (lb_answer_parse(h->part->doc.text, h->part->doc.len, &h->answer) !=
	    LB_OK)
		return "answer_malformed";
	return NULL;
}

/* NULL, or which clock is wrong. */
static const char *
clock_check(const struct hearing *h)
{
	int64_t now = h->c->now, answered = h->answer.answered;

	if (answered - now > LB_CLOCK_SKEW_MAX ||
	    now - answered > LB_CLOCK_SKEW_MAX)
		return "clock_skew";
	if (h->answer.good_until - answered > LB_LEASE_MAX)
		return "answer_too_long";
	if (now >= h->answer.good_until)
		return "answer_over";
	if (now < h->c->floor)
		return "clock_floor";
	return NULL;
}

/* The broker's own word for no, if it is one; never ours for yes. */
static const char *
broker_code(const struct lb_answer *a)
{
	if (a->code[strspn(a->code, ALL_LETTERS)] != '\0' ||
	    strcmp(a->code, "granted") == 0)
		return "broker_denied";
	return a->code;
}

static bool
named(const struct lb_answer *a, const char *id)
{
	for (size_t i = 0; i < a->grant.count; i++) {
		if (strcmp(a->grant.item[i], id) == 0)
			return true;
	}
	return false;
}

/* Weigh each grant that the answer names; keep the one that opens longest. */
static void
grants_judge(struct hearing *h, struct lb_ruling *ret)
{
	const struct lb_bundle *b = h->c->bundle;
	const struct lb_question *q = &h->question;
	struct lb_grant_case gc = { .trust = h->c->trust,
		.bundle = b,
		.kills = h->c->kills,
		.tenant = q->tenant,
		.broker = q->broker,
		.host = q->host,
		.login = q->login,
		.service = q->service,
		.keys = &q->engineer_key,
		.now = h->c->now };
	size_t furthest = 0;

	deny(ret, "grant_absent");
	for (size_t i = 0; i < b->count; i++) {
		struct lb_ruling one;
		size_t at;

		gc.part = &b->part[i];
		if (gc.part->type != &lb_grant_type ||
		    !named(&h->answer, gc.part->id))
			continue;
		at = grant_weigh(&gc, ASKED, &h->work, &one);
		if (one.verdict == LB_VERDICT_ALLOW) {
			if (ret->verdict != LB_VERDICT_ALLOW ||
			    one.not_after > ret->not_after)
				*ret = one;
		} else if (ret->verdict != LB_VERDICT_ALLOW && at > furthest) {
			furthest = at;
			*ret = one;
		}
	}
}

static void
verdict_judge(struct hearing *h, struct lb_ruling *ret)
{
	const struct lb_answer *a = &h->answer;
	int64_t lease = h->c->now + h->c->trust->lease;

	if (strcmp(a->verdict, "allow") == 0)
		grants_judge(h, ret);
	else {
		deny(ret, broker_code(a));
		ret->by_broker = true;
	}
	memcpy(ret->message, a->message, sizeof(ret->message));
	if (ret->verdict == LB_VERDICT_ALLOW)
		ret->lease_end =
		    earlier(ret->not_after, earlier(a->good_until, lease));
}

static void
hear(struct hearing *h, struct lb_ruling *ret)
{
	int64_t floor = h->c->floor;
	const char *code;

	if ((code = question_check(h)) != NULL ||
	    (code = answer_check(h)) != NULL ||
	    (code = clock_check(h)) != NULL) {
		deny(ret, code);
		ret->floor = floor;
		return;
	}
	verdict_judge(h, ret);
	ret->floor = earlier(h->answer.answered, h->c->now);
	if (ret->floor < floor)
		ret->floor = floor;
}

void
lb_judge(const struct lb_case *c, struct lb_ruling *ret)
{
	struct hearing *h = calloc(1, sizeof(*h));

	deny(ret, "internal");
	ret->floor = c->floor;
	if (h == NULL)
		return;
	h->c = c;
	hear(h, ret);
	free(h);
}
