/* The SQLite back end: notices, their deliveries, and webhooks. */
#include <string.h>

#include "store_sqlite_cursor.h"

static enum notice_kind
get_kind(struct cursor *k)
{
	char word[LB_WORD_MAX + 1] = "";
	enum notice_kind kind;

	TEXT(k, word);
	kind = notice_find(word);
	if (kind == 0) {
		k->r = LB_ERR_STORE;
		return NOTICE_WEBHOOK_TEST;
	}
	return kind;
}

static void
notice_read(struct cursor *k, struct notice_row *n)
{
	TEXT(k, n->id);
	TEXT(k, n->tenant);
	n->kind = get_kind(k);
	TEXT(k, n->actor);
	TEXT(k, n->request);
	n->at = cursor_int(k);
	n->due_at = cursor_int(k);
	n->ends_at = cursor_int(k);
	cursor_buf(k, &n->data);
}

enum lb_err
sqlite_notice_get(void *p, const char *id, struct notice_row *ret)
{
	struct notice_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, NOTICE_GET);
	k.r = sqlite_bind(k.s, "t", id);
	found = cursor_next(&k);
	if (found)
		notice_read(&k, &row);
	r = cursor_close(&k);
	if (r == LB_OK && !found)
		r = LB_ERR_MISSING;
	if (r != LB_OK) {
		lb_buf_clear(&row.data);
		return r;
	}
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_notice_due(void *p, int64_t now, notice_taker *take, void *arg)
{
	struct notice_row row = { 0 };
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, NOTICE_DUE);
	k.r = sqlite_bind(k.s, "i", now);
	while (cursor_next(&k)) {
		notice_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	r = cursor_close(&k);
	lb_buf_clear(&row.data);
	return r;
}

static void
delivery_read(struct cursor *k, struct delivery_row *d)
{
	char word[LB_WORD_MAX + 1] = "";

	d->number = cursor_int(k);
	TEXT(k, d->id);
	TEXT(k, d->tenant);
	TEXT(k, d->notice);
	d->kind = get_kind(k);
	TEXT(k, d->request);
	TEXT(k, word);
	d->channel = strcmp(word, channel_name(CHANNEL_MAIL)) == 0
	    ? CHANNEL_MAIL
	    : CHANNEL_WEBHOOK;
	TEXT(k, d->receiver);
	TEXT(k, d->line);
	d->staff = cursor_int(k) != 0;
	d->gathers = cursor_int(k) != 0;
	TEXT(k, word);
	d->state = delivery_state_find(word);
	if (d->state == 0)
		k->r = LB_ERR_STORE;
	d->attempts = cursor_int(k);
	d->due_at = cursor_int(k);
	d->ends_at = cursor_int(k);
	d->created_at = cursor_int(k);
	d->done_at = cursor_int(k);
	TEXT(k, d->batch);
	TEXT(k, d->code);
	d->status = cursor_int(k);
}

/* Walk over an opened and bound cursor. */
static enum lb_err
delivery_walk(struct cursor *k, delivery_taker *take, void *arg)
{
	struct delivery_row row = { 0 };

	while (cursor_next(k)) {
		delivery_read(k, &row);
		if (k->r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(k);
}

struct delivery_one {
	struct delivery_row *ret;
	bool found;
};

static bool
delivery_take_one(void *arg, const struct delivery_row *row)
{
	struct delivery_one *one = arg;

	*one->ret = *row;
	one->found = true;
	return false;
}

enum lb_err
sqlite_delivery_get(void *p, const char *id, struct delivery_row *ret)
{
	struct delivery_one one = { ret, false };
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, DELIVERY_GET);
	k.r = sqlite_bind(k.s, "t", id);
	r = delivery_walk(&k, delivery_take_one, &one);
	return r == LB_OK && !one.found ? LB_ERR_MISSING : r;
}

enum lb_err
sqlite_delivery_each(
    void *p, const struct delivery_query *q, delivery_taker *take, void *arg)
{
	int64_t before = q->before != 0 ? q->before : INT64_MAX;
	const char *state = q->state != 0 ? delivery_state_name(q->state) : "";
	const char *t[8];
	struct cursor k;

	if (q->request[0] != '\0') {
		cursor_open(&k, p, DELIVERY_REQUEST);
		k.r = sqlite_bind(k.s, "itt", before, state, q->request);
	} else if (q->receiver[0] != '\0') {
		cursor_open(&k, p, DELIVERY_RECEIVER);
		k.r = sqlite_bind(k.s, "itt", before, state, q->receiver);
	} else if (q->tenant_count == 0) {
		cursor_open(&k, p, DELIVERY_LIST);
		k.r = sqlite_bind(k.s, "it", before, state);
	} else {
		for (size_t i = 0; i < 8; i++)
			t[i] = q->tenant[i < q->tenant_count ? i : 0];
		cursor_open(&k, p, DELIVERY_TENANTS);
		k.r = sqlite_bind(k.s, "ittttttttt", before, state, t[0], t[1],
		    t[2], t[3], t[4], t[5], t[6], t[7]);
	}
	return delivery_walk(&k, take, arg);
}

enum lb_err
sqlite_delivery_heads(void *p, int64_t now, delivery_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, DELIVERY_HEADS);
	k.r = sqlite_bind(k.s, "i", now);
	return delivery_walk(&k, take, arg);
}

enum lb_err
sqlite_delivery_line(void *p, const char *line, delivery_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, DELIVERY_LINE);
	k.r = sqlite_bind(k.s, "t", line);
	return delivery_walk(&k, take, arg);
}

enum lb_err
sqlite_delivery_batch(
    void *p, const char *batch, delivery_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, DELIVERY_BATCH);
	k.r = sqlite_bind(k.s, "t", batch);
	return delivery_walk(&k, take, arg);
}

/* The one number that an opened and bound cursor gives. */
static enum lb_err
number_of(struct cursor *k, int64_t *ret)
{
	int64_t n = 0;
	enum lb_err r;

	if (cursor_next(k))
		n = cursor_int(k);
	if ((r = cursor_close(k)) != LB_OK)
		return r;
	*ret = n;
	return LB_OK;
}

enum lb_err
sqlite_delivery_last(void *p, const char *line, int64_t *ret_at)
{
	struct cursor k;

	cursor_open(&k, p, DELIVERY_LAST);
	k.r = sqlite_bind(k.s, "t", line);
	return number_of(&k, ret_at);
}

enum lb_err
sqlite_delivery_told(
    void *p, const char *request, const char *receiver, bool *ret)
{
	struct cursor k;
	int64_t n;
	enum lb_err r;

	cursor_open(&k, p, DELIVERY_TOLD);
	k.r = sqlite_bind(k.s, "tt", request, receiver);
	if ((r = number_of(&k, &n)) != LB_OK)
		return r;
	*ret = n > 0;
	return LB_OK;
}

static void
webhook_read(struct cursor *k, struct webhook_row *h)
{
	char word[LB_WORD_MAX + 1] = "";

	TEXT(k, h->id);
	TEXT(k, h->tenant);
	h->version = cursor_int(k);
	TEXT(k, h->url);
	TEXT(k, h->types);
	TEXT(k, word);
	h->scheme = scheme_find(word);
	if (h->scheme == 0)
		k->r = LB_ERR_STORE;
	h->generation = cursor_int(k);
	h->old_until = cursor_int(k);
	h->active = cursor_int(k) != 0;
	TEXT(k, h->why);
	TEXT(k, h->created_by);
	h->created_at = cursor_int(k);
}

enum lb_err
sqlite_webhook_get(void *p, const char *id, struct webhook_row *ret)
{
	struct webhook_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, WEBHOOK_GET);
	k.r = sqlite_bind(k.s, "t", id);
	found = cursor_next(&k);
	if (found)
		webhook_read(&k, &row);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_webhook_each(void *p, const char *tenant, webhook_taker *take, void *arg)
{
	struct webhook_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, WEBHOOK_LIST);
	k.r = sqlite_bind(k.s, "t", tenant);
	while (cursor_next(&k)) {
		webhook_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

enum lb_err
sqlite_notices_add(struct conn *w, const struct change *c)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < c->notice_count; i++) {
		const struct notice_row *n = &c->notice[i];
		enum stmt s = notice_is_for_mail(n->kind) ||
			n->kind == NOTICE_WEBHOOK_TEST
		    ? NOTICE_ADD
		    : NOTICE_ADD_HOOKS;

		if ((r = sqlite_bind(w->stmt[s], "tttttiiib", n->id, n->tenant,
			 notice_word(n->kind), n->actor, n->request, n->at,
			 n->due_at, n->ends_at, &n->data)) == LB_OK)
			r = sqlite_once(w->stmt[s]);
	}
	return r;
}

static enum lb_err
webhook_drop(struct conn *w, const char *id, const char *code, int64_t now)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[DELIVERY_DROP], "tti", id, code, now)) !=
	    LB_OK)
		return r;
	return sqlite_once(w->stmt[DELIVERY_DROP]);
}

enum lb_err
sqlite_webhook_write(struct conn *w, const struct change *c)
{
	const struct webhook_row *h = c->webhook;
	enum stmt i = h->version == 0 ? WEBHOOK_ADD : WEBHOOK_SET;
	enum lb_err r;

	if (c->webhook_remove) {
		if ((r = sqlite_bind(w->stmt[WEBHOOK_DROP], "tti", h->tenant,
			 h->id, h->version)) != LB_OK ||
		    (r = sqlite_once_one(w, WEBHOOK_DROP)) != LB_OK)
			return r;
		return webhook_drop(w, h->id, "webhook_removed",
		    c->event_count > 0 ? c->event[0].at : 0);
	}
	if ((r = sqlite_bind(w->stmt[i], "tttttiiittii", h->tenant, h->id,
		 h->url, h->types, scheme_name(h->scheme), h->generation,
		 h->old_until, (int64_t)h->active, h->why, h->created_by,
		 h->created_at, h->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static enum lb_err
delivery_add(struct conn *w, const struct delivery_row *d)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[DELIVERY_ADD], "ttttttttiitiiiiitti",
		 d->id, d->tenant, d->notice, notice_word(d->kind), d->request,
		 channel_name(d->channel), d->receiver, d->line,
		 (int64_t)d->staff, (int64_t)d->gathers,
		 delivery_state_name(d->state), d->attempts, d->due_at,
		 d->ends_at, d->created_at, d->done_at, d->batch, d->code,
		 d->status)) != LB_OK)
		return r;
	return sqlite_once(w->stmt[DELIVERY_ADD]);
}

static enum lb_err
delivery_set(struct conn *w, const struct delivery_row *d)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[DELIVERY_SET], "ttiiiitti", d->id,
		 delivery_state_name(d->state), d->attempts, d->due_at,
		 d->ends_at, d->done_at, d->batch, d->code, d->status)) !=
	    LB_OK)
		return r;
	return sqlite_once(w->stmt[DELIVERY_SET]);
}

static enum lb_err
webhook_gone(struct conn *w, const char *id, int64_t now)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[WEBHOOK_GONE], "t", id)) != LB_OK ||
	    (r = sqlite_once(w->stmt[WEBHOOK_GONE])) != LB_OK)
		return r;
	return webhook_drop(w, id, "gone", now);
}

static enum lb_err
outbox_write(struct conn *w, const void *arg)
{
	const struct outbox_change *c = arg;
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < c->add_count; i++)
		r = delivery_add(w, &c->add[i]);
	for (size_t i = 0; r == LB_OK && i < c->set_count; i++)
		r = delivery_set(w, &c->set[i]);
	if (r == LB_OK && c->notice != NULL &&
	    (r = sqlite_bind(w->stmt[NOTICE_MADE], "t", c->notice)) == LB_OK)
		r = sqlite_once(w->stmt[NOTICE_MADE]);
	if (r == LB_OK && c->webhook != NULL)
		r = webhook_gone(w, c->webhook, c->now);
	if (r == LB_OK && c->line != NULL &&
	    (r = sqlite_bind(w->stmt[DELIVERY_QUIET], "ti", c->line,
		 c->quiet_until)) == LB_OK)
		r = sqlite_once(w->stmt[DELIVERY_QUIET]);
	return r;
}

enum lb_err
sqlite_outbox_write(void *p, const struct outbox_change *c)
{
	return sqlite_write(p, outbox_write, c);
}

enum lb_err
sqlite_outbox_count(void *p, struct outbox_counts *ret)
{
	struct outbox_counts n = { 0 };
	char channel[LB_WORD_MAX + 1], state[LB_WORD_MAX + 1];
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, DELIVERY_COUNT);
	while (cursor_next(&k)) {
		enum channel c;
		int64_t count, oldest;

		TEXT(&k, channel);
		TEXT(&k, state);
		c = strcmp(channel, channel_name(CHANNEL_MAIL)) == 0
		    ? CHANNEL_MAIL
		    : CHANNEL_WEBHOOK;
		count = cursor_int(&k);
		oldest = cursor_int(&k);
		if (strcmp(state, "failed") == 0) {
			n.failed[c] = count;
			continue;
		}
		n.waiting[c] = count;
		if (n.oldest == 0 || oldest < n.oldest)
			n.oldest = oldest;
	}
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	*ret = n;
	return LB_OK;
}

static enum lb_err
outbox_purge(struct conn *w, const void *before)
{
	static const enum stmt stmts[] = { DELIVERY_PURGE, NOTICE_PURGE };
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < 2; i++)
		if ((r = sqlite_bind(w->stmt[stmts[i]], "i",
			 *(const int64_t *)before)) == LB_OK)
			r = sqlite_once(w->stmt[stmts[i]]);
	return r;
}

enum lb_err
sqlite_outbox_purge(void *p, int64_t before)
{
	return sqlite_write(p, outbox_purge, &before);
}
