/* One thing that happened, in words. */
#include "letter.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"

/* "2026-03-02 14:00 UTC" */
static void
when(int64_t at, char ret[static 32])
{
	char text[LB_TIME_LEN + 1];

	lb_time_format(at, text);
	(void)snprintf(ret, 32, "%.10s %.5s UTC", text, text + 11);
}

static enum lb_err field_add(struct letter *l, const char *label,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* An empty value is no field. */
static enum lb_err
field_add(struct letter *l, const char *label, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	enum lb_err r;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (text[0] == '\0' || l->count == LETTER_FIELDS_MAX)
		return LB_OK;
	if ((r = lb_buf_adds(&l->field[l->count].value, text)) != LB_OK)
		return r;
	l->field[l->count++].label = label;
	return LB_OK;
}

/* Strings of size bytes, with ", " between. */
static enum lb_err
list_add(struct letter *l, const char *label, const char *item, size_t count,
    size_t size)
{
	struct lb_buf *b = &l->field[l->count].value;
	enum lb_err r = LB_OK;

	if (count == 0 || l->count == LETTER_FIELDS_MAX)
		return LB_OK;
	for (size_t i = 0; r == LB_OK && i < count; i++)
		r = lb_buf_addf(b, "%s%s", i > 0 ? ", " : "", item + i * size);
	if (r == LB_OK)
		l->field[l->count++].label = label;
	return r;
}
#define LIST(l, label, list)                                                   \
	list_add(                                                              \
	    l, label, (list)->item[0], (list)->count, sizeof((list)->item[0]))

static const char *
service_words(const char *service)
{
	static const struct {
		const char *service, *words;
	} known[] = {
		{ "sshd", "log in over ssh" },
		{ "sudo", "act as another user, root included (sudo)" },
		{ "sudo-i", "get a shell of root (sudo -i)" },
		{ "su", "become another user (su)" },
		{ "su-l", "become another user (su -)" },
		{ "login", "log in at the console" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(service, known[i].service) == 0)
			return known[i].words;
	return service;
}

static enum lb_err
services_add(struct letter *l, const struct lb_services *s)
{
	struct lb_buf *b = &l->field[l->count].value;
	enum lb_err r = LB_OK;

	if (l->count == LETTER_FIELDS_MAX)
		return LB_OK;
	for (size_t i = 0; r == LB_OK && i < s->count; i++)
		r = lb_buf_addf(
		    b, "%s%s", i > 0 ? "; " : "", service_words(s->item[i]));
	if (r == LB_OK)
		l->field[l->count++].label = "may";
	return r;
}

/* "customer initiated support" */
static void
type_words(const char *type, char ret[static LB_WORD_MAX + 1])
{
	(void)snprintf(ret, LB_WORD_MAX + 1, "%s", type);
	for (char *p = ret; *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
}

/* Who, why, where: the same in every letter about a request. */
static enum lb_err
asked_add(struct letter *l, const struct letter_facts *f)
{
	const struct lb_request *d = &f->request->doc;
	const struct lb_grant *g = f->grant;
	char type[LB_WORD_MAX + 1];
	enum lb_err r;

	type_words(d->reason_type, type);
	if ((r = field_add(l, "code", "%s", l->code)) != LB_OK ||
	    (r = field_add(l, "customer", "%s", d->tenant)) != LB_OK ||
	    (r = field_add(l, "who", "%s, of %s", d->engineer, d->broker)) !=
		LB_OK ||
	    (r = field_add(l, "why", "%s: %s", type, d->reason)) != LB_OK ||
	    (r = field_add(l, "ticket", "%s", d->ticket)) != LB_OK ||
	    (r = LIST(l, "hosts", g != NULL ? &g->host : &d->host)) != LB_OK ||
	    (r = LIST(l, "as", g != NULL ? &g->login : &d->login)) != LB_OK)
		return r;
	return services_add(l, g != NULL ? &g->service : &d->service);
}

static enum lb_err
how_long(struct letter *l, const struct letter_facts *f)
{
	const struct request_row *q = f->request;
	char span[32], start[32];

	lb_span_format(q->doc.duration, span, sizeof(span));
	if (q->doc.start == 0)
		return field_add(
		    l, "how long", "%s from the approval on", span);
	when(q->doc.start, start);
	return field_add(l, "how long", "%s from %s on", span, start);
}

static enum lb_err
waiting_add(struct letter *l, const struct letter_facts *f)
{
	const struct request_row *q = f->request;
	int64_t left = q->lapses_at > f->now ? q->lapses_at - f->now : 0;
	char at[32], span[32];
	enum lb_err r;

	when(q->lapses_at, at);
	lb_span_format(left - left % 60, span, sizeof(span));
	if ((r = how_long(l, f)) != LB_OK ||
	    (r = field_add(l, "endorsed by", "%s", q->endorsement.principal)) !=
		LB_OK)
		return r;
	return field_add(l, "lapses", "%s, in %s", at, span);
}

static enum lb_err
times_add(struct letter *l, const struct letter_facts *f)
{
	char from[32], until[32];
	enum lb_err r;

	if (f->grant == NULL)
		return LB_OK;
	when(f->grant->not_before, from);
	when(f->grant->not_after, until);
	if ((r = field_add(l, "from", "%s", from)) != LB_OK)
		return r;
	return field_add(l, "until", "%s", until);
}

/* How a request was settled. */
static const char *
settled_word(enum state s)
{
	switch (s) {
	case STATE_SCHEDULED:
	case STATE_ACTIVE:
	case STATE_EXPIRED:
		return "approved";
	case STATE_CANCELLED:
		return "withdrawn";
	default:
		return row_state_name(s);
	}
}

static void
titled(struct letter *l, const struct letter_facts *f)
{
	const char *who =
	    f->request != NULL ? f->request->doc.engineer : f->actor;
	const char *t = f->tenant;
	char *to = l->title;
	size_t n = sizeof(l->title);

	switch (f->kind) {
	case NOTICE_PENDING_ENDORSEMENT:
		(void)snprintf(to, n, "%s asks to enter %s: endorse?", who, t);
		break;
	case NOTICE_PENDING_APPROVAL:
		(void)snprintf(to, n, "%s asks to enter %s: approve?", who, t);
		break;
	case NOTICE_REMINDER:
		(void)snprintf(
		    to, n, "%s still waits for your answer (%s)", who, t);
		break;
	case NOTICE_REQUEST_APPROVED:
		(void)snprintf(to, n, "your request for %s was approved", t);
		break;
	case NOTICE_REQUEST_DENIED:
		(void)snprintf(to, n, "your request for %s was denied", t);
		break;
	case NOTICE_REQUEST_LAPSED:
		(void)snprintf(
		    to, n, "nobody answered your request for %s in time", t);
		break;
	case NOTICE_SETTLED:
		(void)snprintf(to, n, "settled: %s's request for %s was %s",
		    who, t, settled_word(f->request->state));
		break;
	case NOTICE_GRANT_REVOKED:
		(void)snprintf(to, n, "your access to %s was revoked", t);
		break;
	case NOTICE_GRANT_EXPIRED:
		(void)snprintf(to, n, "your access to %s is over", t);
		break;
	case NOTICE_TRUST_CHANGED:
		(void)snprintf(to, n, "whom %s trusts has changed", t);
		break;
	case NOTICE_TRUST_PROPOSED:
		(void)snprintf(
		    to, n, "a change of whom %s trusts is proposed", t);
		break;
	case NOTICE_INVITATION_CREATED:
		(void)snprintf(to, n, "somebody was invited for %s", t);
		break;
	default:
		(void)snprintf(to, n, "%s: %s", t, notice_word(f->kind));
		break;
	}
}

/* What happens if nothing happens. */
static const char *
closing_of(enum notice_kind k)
{
	switch (k) {
	case NOTICE_PENDING_ENDORSEMENT:
		return "If nobody endorses it, it lapses then, and the "
		       "customer is never asked.";
	case NOTICE_PENDING_APPROVAL:
	case NOTICE_REMINDER:
		return "If you do nothing, it lapses then, and nobody gets "
		       "in. Compare the code with what your page shows.";
	case NOTICE_REQUEST_APPROVED:
		return "Hand it back when you are done: "
		       "lockbox grant return.";
	case NOTICE_GRANT_REVOKED:
	case NOTICE_GRANT_EXPIRED:
		return "Sessions that rested on it end.";
	case NOTICE_TRUST_CHANGED:
		return "If none of you did this, act at once: whoever is in "
		       "the new document may approve.";
	default:
		return "";
	}
}

static enum lb_err
request_fields(struct letter *l, const struct letter_facts *f)
{
	const char *by = f->actor;
	enum lb_err r;

	lb_request_code(f->request->sha256, l->code);
	(void)snprintf(l->link, sizeof(l->link), "%s/#/requests/%s", f->url,
	    f->request->doc.request);
	if ((r = asked_add(l, f)) != LB_OK)
		return r;
	if (l->asks)
		return waiting_add(l, f);
	/* What time does, nobody did. */
	if (f->kind != NOTICE_REQUEST_LAPSED &&
	    f->kind != NOTICE_GRANT_EXPIRED &&
	    (r = field_add(l, "by", "%s", by)) != LB_OK)
		return r;
	if ((r = field_add(l, "because", "%s", f->reason)) != LB_OK)
		return r;
	return times_add(l, f);
}

static enum lb_err
tenant_fields(struct letter *l, const struct letter_facts *f)
{
	enum lb_err r;

	(void)snprintf(
	    l->link, sizeof(l->link), "%s/#/tenants/%s", f->url, f->tenant);
	if ((r = field_add(l, "customer", "%s", f->tenant)) != LB_OK ||
	    (r = field_add(l, "by", "%s", f->actor)) != LB_OK)
		return r;
	if (f->kind != NOTICE_TRUST_CHANGED || f->trust == NULL)
		return LB_OK;
	if ((r = field_add(l, "serial", "%lld", (long long)f->trust->serial)) !=
	    LB_OK)
		return r;
	return field_add(l, "document", "%s", f->trust->id);
}

enum lb_err
letter_write(const struct letter_facts *f, struct letter *ret)
{
	struct letter l = { .asks = notice_asks(f->kind) };
	enum lb_err r;

	titled(&l, f);
	(void)snprintf(l.closing, sizeof(l.closing), "%s", closing_of(f->kind));
	if (f->kind != NOTICE_PENDING_ENDORSEMENT && l.asks && f->trust != NULL)
		for (size_t i = 0; i < f->trust->page_count; i++)
			if (!f->trust->page[i].broker)
				ROW_TEXT(l.page, f->trust->page[i].origin);
	r = f->request != NULL ? request_fields(&l, f) : tenant_fields(&l, f);
	if (r != LB_OK) {
		letter_clear(&l);
		return r;
	}
	*ret = l;
	return LB_OK;
}

void
letter_clear(struct letter *l)
{
	for (size_t i = 0; i < LETTER_FIELDS_MAX; i++)
		lb_buf_clear(&l->field[i].value);
	memset(l, 0, sizeof(*l));
}
