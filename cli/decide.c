/* Fetches, checks and shows what a person is about to sign. */
#include "decide.h"

#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/visible.h"
#include "output.h"
#include "pin.h"
#include "request.h"

int
decide_open(struct cli *cli, const char *typed, struct decide *ret)
{
	struct decide *d = ret;
	const char *tenant;
	int rv;

	memset(d, 0, sizeof(*d));
	if ((rv = api_open(cli, true, &d->api)) != ENDING_DONE ||
	    (rv = request_fetch(&d->api, typed, &d->request)) != ENDING_DONE)
		return rv;
	tenant = api_str(d->request, "tenant");
	if (!lb_name_valid(tenant))
		return out_fail(cli, ENDING_UNAVAILABLE,
		    "the broker's answer is no request");
	if ((rv = pin_fetch(&d->api, tenant, &d->trust, &d->pinned)) !=
	    ENDING_DONE)
		return rv;
	return request_review(&d->api, d->request, d->trust, &d->review);
}

void
decide_close(struct decide *d)
{
	lb_trust_free(d->trust);
	json_decref(d->request);
	lb_buf_clear(&d->grant);
	api_close(&d->api);
	*d = (struct decide){ 0 };
}

/* One narrowed list: each value must be one of those asked for. */
struct part {
	const char *flag;
	const struct flag_list *from;
	const char *asked;
	size_t asked_count, size;
	char *item;
	size_t *count;
};

static int
part_narrow(const struct cli *cli, const struct part *p)
{
	for (size_t i = 0; i < p->from->count; i++) {
		bool found = false;

		for (size_t k = 0; k < p->asked_count; k++)
			found |= strcmp(p->asked + k * p->size,
				     p->from->item[i]) == 0;
		if (!found)
			return out_fail(cli, ENDING_USAGE,
			    "--%s: '%s' was not asked for", p->flag,
			    p->from->item[i]);
		if (*p->count == p->asked_count)
			return out_fail(
			    cli, ENDING_USAGE, "--%s: given twice", p->flag);
		memcpy(p->item + *p->count * p->size, p->from->item[i],
		    strlen(p->from->item[i]) + 1);
		(*p->count)++;
	}
	return ENDING_DONE;
}

#define PART(flag_name, list, ask, to)                                         \
	{                                                                      \
		flag_name, list, (ask)->item[0], (ask)->count,                 \
		    sizeof((ask)->item[0]), (to)->item[0], &(to)->count        \
	}

static int
span_narrow(const struct cli *cli, const struct decide_narrow *n,
    const struct lb_request *q, int64_t now, struct review_narrow *ret)
{
	int64_t from;

	if (n->start != 0 && (n->start < q->start || n->start < now))
		return out_fail(cli, ENDING_USAGE,
		    "--start: not before what was asked for, nor in the past");
	if (n->until != 0 && n->duration != 0)
		return out_fail(
		    cli, ENDING_USAGE, "--until or --duration, not both");
	ret->not_before = n->start;
	from = n->start != 0 ? n->start : q->start > now ? q->start : now;
	ret->duration = n->until != 0 ? n->until - from : n->duration;
	if (n->until != 0 && n->until <= from)
		return out_fail(
		    cli, ENDING_USAGE, "--until: that is before the beginning");
	if (ret->duration > q->duration)
		return out_fail(cli, ENDING_USAGE,
		    "that is longer than the engineer asked for");
	return ENDING_DONE;
}

static int
narrow_read(const struct cli *cli, const struct decide_narrow *n,
    const struct lb_request *q, struct review_narrow *ret)
{
	struct review_narrow w = { 0 };
	const struct part parts[] = {
		PART("host", &n->host, &q->host, &w.host),
		PART("login", &n->login, &q->login, &w.login),
		PART("service", &n->service, &q->service, &w.service),
	};
	struct lb_grant sorted = { 0 };
	int rv;

	if ((rv = span_narrow(cli, n, q, lb_clock_now(), &w)) != ENDING_DONE)
		return rv;
	for (size_t i = 0; i < 3; i++)
		if ((rv = part_narrow(cli, &parts[i])) != ENDING_DONE)
			return rv;
	/* In the order in which the grant will list them. */
	sorted.host = w.host;
	sorted.login = w.login;
	sorted.service = w.service;
	lb_doc_sort(&lb_grant_type, &sorted);
	w.host = sorted.host;
	w.login = sorted.login;
	w.service = sorted.service;
	*ret = w;
	return ENDING_DONE;
}

/* The body of a draft: only what is narrowed stands in it. */
static json_t *
narrow_json(const struct review_narrow *w)
{
	char from[LB_TIME_LEN + 1];
	json_t *body = json_object();

	if (w->not_before != 0) {
		lb_time_format(w->not_before, from);
		(void)json_object_set_new(
		    body, "not_before", json_string(from));
	}
	if (w->duration != 0)
		(void)json_object_set_new(
		    body, "duration", json_integer((json_int_t)w->duration));
	if (w->host.count > 0)
		(void)json_object_set_new(body, "hosts",
		    out_json_names(w->host.item[0], w->host.count,
			sizeof(w->host.item[0])));
	if (w->login.count > 0)
		(void)json_object_set_new(body, "logins",
		    out_json_names(w->login.item[0], w->login.count,
			sizeof(w->login.item[0])));
	if (w->service.count > 0)
		(void)json_object_set_new(body, "services",
		    out_json_names(w->service.item[0], w->service.count,
			sizeof(w->service.item[0])));
	return body;
}

/* The draft that the first approver fixed, if it is to be used. */
static const json_t *
fixed_draft(const struct decide *d, const struct review_narrow *w)
{
	const json_t *draft = json_object_get(d->request, "draft");
	bool narrowed = w->not_before != 0 || w->duration != 0 ||
	    w->host.count + w->login.count + w->service.count > 0;

	if (narrowed || !json_is_true(json_object_get(draft, "fixed")))
		return NULL;
	return draft;
}

static int
draft_take(struct decide *d, const json_t *draft, const struct review_narrow *w)
{
	const char *text = api_str(draft, "text");
	enum lb_err r;

	d->fixed = json_is_true(json_object_get(draft, "fixed"));
	r = review_grant(&d->review, text, strlen(text), w, d->fixed,
	    d->trust->longest, lb_clock_now());
	if (r == LB_OK &&
	    strcmp(api_str(draft, "sha256"), d->review.grant_id) != 0) {
		(void)snprintf(d->review.what, sizeof(d->review.what),
		    "the grant's text is not the one its sha256 names");
		r = LB_ERR_FORMAT;
	}
	if (r != LB_OK)
		return out_fail(d->api.cli, ENDING_FAILED,
		    "the broker's draft is not what it should be: %s; nothing "
		    "was signed",
		    d->review.what);
	lb_buf_clear(&d->grant);
	if (lb_buf_adds(&d->grant, text) != LB_OK)
		return out_fail(d->api.cli, ENDING_FAILED, "out of memory");
	return ENDING_DONE;
}

int
decide_draft(struct decide *d, const struct decide_narrow *narrow)
{
	struct review_narrow w;
	json_t *reply = NULL;
	const json_t *fixed;
	int rv;

	rv = narrow_read(d->api.cli, narrow, &d->review.request, &w);
	if (rv != ENDING_DONE)
		return rv;
	if ((fixed = fixed_draft(d, &w)) != NULL)
		return draft_take(d, fixed, &w);
	rv = api_post(&d->api, narrow_json(&w), &reply, "/v1/requests/%s/draft",
	    d->review.request.request);
	if (rv == ENDING_DONE)
		rv = draft_take(d, reply, &w);
	json_decref(reply);
	return rv;
}

static void
field_names(struct out_table *t, const char *name, const char *item,
    size_t count, size_t size)
{
	struct lb_buf b = { 0 };

	for (size_t i = 0; i < count && !t->failed; i++)
		if (lb_buf_addf(&b, "%s%s", i > 0 ? ", " : "",
			item + i * size) != LB_OK)
			t->failed = true;
	if (b.len > 0)
		out_field(t, name, "%s", b.data);
	lb_buf_clear(&b);
}

#define FIELD_NAMES(t, name, l)                                                \
	field_names(t, name, (l)->item[0], (l)->count, sizeof((l)->item[0]))

/* What engineer and approver compare, and who asks. */
static void
summary_head(const struct decide *d, struct out_table *t)
{
	const struct lb_request *q = &d->review.request;

	out_field(
	    t, "code", "%s  (the engineer sees the same)", d->review.code);
	out_field(t, "tenant", "%s%s", q->tenant,
	    d->pinned ? "" : "  (trust as the broker shows it)");
	out_field(t, "engineer", "%s, signed by key %s%s", q->engineer,
	    d->review.engineer.fp,
	    d->review.engineer_pinned ? " (pinned)" : "");
	if (d->review.endorser[0] != '\0')
		out_field(t, "endorsed", "by %s, with key %s",
		    d->review.endorser, d->review.endorser_key.fp);
	out_field(t, "reason", "%s (%s)", q->reason, q->reason_type);
	if (q->ticket[0] != '\0')
		out_field(t, "ticket", "%s", q->ticket);
}

static void
summary_print(const struct decide *d, struct out_table *t)
{
	if (out_table_print(d->api.cli->err, t) != LB_OK)
		out_fail(d->api.cli, ENDING_FAILED, "out of memory");
}

void
decide_show_request(const struct decide *d)
{
	const struct lb_request *q = &d->review.request;
	struct out_table t = { .columns = 2 };
	char span[32], from[OUT_TIME_MAX];

	summary_head(d, &t);
	FIELD_NAMES(&t, "hosts", &q->host);
	FIELD_NAMES(&t, "logins", &q->login);
	FIELD_NAMES(&t, "services", &q->service);
	lb_span_format(q->duration, span, sizeof(span));
	out_time(q->start, from);
	out_field(&t, "for", "%s, from %s", span,
	    q->start != 0 ? from : "the approval on");
	summary_print(d, &t);
}

void
decide_show_grant(const struct decide *d)
{
	const struct lb_grant *g = &d->review.grant;
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];
	struct out_table t = { .columns = 2 };
	int64_t now = lb_clock_now();

	summary_head(d, &t);
	FIELD_NAMES(&t, "hosts", &g->host);
	FIELD_NAMES(&t, "logins", &g->login);
	FIELD_NAMES(&t, "services", &g->service);
	out_time(g->not_before, at);
	out_when(g->not_before, now, when);
	out_field(&t, "from", "%s (%s)", at, when);
	out_time(g->not_after, at);
	out_when(g->not_after, now, when);
	out_field(&t, "until", "%s (%s)", at, when);
	if (d->fixed)
		out_field(&t, "note",
		    "another approver has signed this text; "
		    "other terms are a new draft");
	summary_print(d, &t);
}

void
decide_show_text(
    const struct cli *cli, const char *text, size_t len, enum lb_ns ns)
{
	out_line(cli->err, "%s", "");
	out_line(cli->err,
	    "Exactly this text will be signed, as %s:", lb_ns_name(ns));
	out_document(cli->err, "  | ", text, len);
}

int
decide_key(const struct api *api, const char *flag, char ret[static PATH_MAX])
{
	if (flag != NULL)
		return settings_absolute(flag, ret) == LB_OK
		    ? ENDING_DONE
		    : out_fail(api->cli, ENDING_USAGE, "--key is too long");
	if (api->settings.key[0] == '\0')
		return out_fail(api->cli, ENDING_USAGE,
		    "which key: give --key, or sign in once");
	memcpy(ret, api->settings.key, sizeof(api->settings.key));
	return ENDING_DONE;
}

int
decide_reason(const struct cli *cli, const char *reason)
{
	if (reason == NULL ||
	    (strlen(reason) <= LB_REASON_MAX &&
		lb_text_visible(reason, strlen(reason))))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE,
	    "--reason: only visible text, one line, at most %d bytes",
	    LB_REASON_MAX);
}
