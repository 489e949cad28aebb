/* From a change to its notices, and from notices to their deliveries. */
#include "outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "lockbox/newid.h"

#include "mailto.h"
#include "log.h"
#include "notice_data.h"

#define ADD_MAX 512 /* deliveries of one notice */
#define DUE_MAX 64  /* notices read at once */

/* One more, with its data, in ret; NULL without memory. */
static struct notice_row *
notice_new(struct notices *n, enum notice_kind kind, const char *tenant,
    int64_t now, const struct lb_buf *data)
{
	struct notice_row *row;

	if (n->count == n->size) {
		size_t size = n->size != 0 ? 2 * n->size : 8;

		row = realloc(n->row, size * sizeof(*row));
		if (row == NULL)
			return NULL;
		n->row = row;
		n->size = size;
	}
	row = &n->row[n->count];
	memset(row, 0, sizeof(*row));
	if (lb_buf_add(&row->data, data->data, data->len) != LB_OK)
		return NULL;
	n->count++;
	lb_newid(now, row->id);
	ROW_TEXT(row->tenant, tenant);
	row->kind = kind;
	row->at = row->due_at = now;
	row->ends_at = now + NOTICES_TTL;
	return row;
}

/* Of an event about a request, or of another. */
static enum lb_err
event_notice(struct notices *n, enum notice_kind kind, const struct change *c,
    const struct lb_event *e, int64_t due_at, const struct lb_buf *data)
{
	struct notice_row *row = notice_new(n, kind, e->tenant, e->at, data);

	if (row == NULL)
		return LB_ERR_MEMORY;
	ROW_TEXT(row->actor, e->actor);
	row->due_at = due_at;
	if (c->request == NULL)
		return LB_OK;
	ROW_TEXT(row->request, c->request->doc.request);
	if (notice_asks(kind))
		row->ends_at = c->request->lapses_at;
	return LB_OK;
}

static enum lb_err
reminders_add(struct notices *n, const struct change *c,
    const struct lb_event *e, const struct lb_buf *data)
{
	int64_t at[NOTICES_REMINDERS];
	enum lb_err r = LB_OK;

	notices_reminders(e->at, c->request->lapses_at, at);
	for (size_t i = 0; r == LB_OK && i < NOTICES_REMINDERS; i++)
		r = event_notice(n, NOTICE_REMINDER, c, e, at[i], data);
	return r;
}

static enum lb_err
event_notices(
    struct notices *n, const struct change *c, const struct lb_event *e)
{
	enum state state = c->request != NULL ? c->request->state : 0;
	enum notice_kind kind[NOTICES_OF_EVENT];
	struct lb_buf data = { 0 };
	size_t count;
	enum lb_err r;

	count = notices_of_event(e->event, state, c->approval != NULL, kind);
	if (count == 0)
		return LB_OK;
	if ((r = notice_data_write(c, e, NULL, &data)) != LB_OK)
		goto out;
	for (size_t i = 0; r == LB_OK && i < count; i++) {
		r = event_notice(n, kind[i], c, e, e->at, &data);
		if (r == LB_OK && kind[i] == NOTICE_PENDING_APPROVAL &&
		    c->request != NULL)
			r = reminders_add(n, c, e, &data);
	}
out:
	lb_buf_clear(&data);
	return r;
}

static enum lb_err
step_notices(struct notices *n, const struct step *p, int64_t now)
{
	struct lb_buf data = { 0 };
	enum lb_err r;

	if (p->kind == STEP_MOVED)
		return LB_OK;
	if ((r = notice_data_write(NULL, NULL, p, &data)) == LB_OK &&
	    notice_new(n,
		p->kind == STEP_OPENED ? NOTICE_SESSION_OPENED
				       : NOTICE_SESSION_ENDED,
		p->stay.tenant, now, &data) == NULL)
		r = LB_ERR_MEMORY;
	lb_buf_clear(&data);
	return r;
}

enum lb_err
outbox_notices(const struct change *c, int64_t now, struct notices *ret)
{
	struct notices n = { 0 };
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < c->event_count; i++)
		r = event_notices(&n, c, &c->event[i]);
	for (size_t i = 0;
	     r == LB_OK && c->intake != NULL && i < c->intake->step_count; i++)
		r = step_notices(&n, &c->intake->step[i], now);
	if (r != LB_OK) {
		outbox_notices_clear(&n);
		return r;
	}
	*ret = n;
	return LB_OK;
}

void
outbox_notices_clear(struct notices *n)
{
	for (size_t i = 0; i < n->count; i++)
		lb_buf_clear(&n->row[i].data);
	free(n->row);
	*n = (struct notices){ 0 };
}

void
outbox_line_hook(const char *id, char ret[static ROW_LINE_MAX + 1])
{
	(void)snprintf(ret, ROW_LINE_MAX + 1, "webhook %s", id);
}

/* The provider's people are the same for every tenant. */
void
outbox_line_person(const char *tenant, const char *principal, bool staff,
    bool gathers, char ret[static ROW_LINE_MAX + 1])
{
	(void)snprintf(ret, ROW_LINE_MAX + 1, "%s %s %s",
	    gathers ? "mail" : "note", staff ? "" : tenant, principal);
}

/* Making the deliveries of one notice. Heap. */
struct addressing {
	struct app *app;
	const struct notice_row *n;
	const char *engineer;
	int64_t now;
	size_t count;
	struct delivery_row add[ADD_MAX];
};

static struct delivery_row *
delivery_new(struct addressing *a, enum channel channel, const char *receiver)
{
	const struct notice_row *n = a->n;
	struct delivery_row *d;

	if (a->count == ADD_MAX)
		return NULL;
	d = &a->add[a->count++];
	memset(d, 0, sizeof(*d));
	lb_newid(a->now, d->id);
	ROW_TEXT(d->tenant, n->tenant);
	ROW_TEXT(d->notice, n->id);
	d->kind = n->kind;
	ROW_TEXT(d->request, n->request);
	d->channel = channel;
	ROW_TEXT(d->receiver, receiver);
	d->state = DELIVERY_WAITING;
	d->due_at = d->created_at = a->now;
	d->ends_at = n->ends_at;
	return d;
}

/* "Settled" is only for those who know of the request. */
static bool
needs_telling(struct addressing *a, const char *principal)
{
	bool told = false;

	if (a->n->kind != NOTICE_SETTLED)
		return true;
	return store_delivery_told(
		   a->app->store, a->n->request, principal, &told) == LB_OK &&
	    told;
}

/* Who has no address is seen in the list of deliveries. */
static void
mail_add(struct addressing *a, const char *principal, bool staff, bool gathers)
{
	struct delivery_row *d;
	struct mailto to;

	if (a->app->conf.smtp[0] == '\0' || !needs_telling(a, principal) ||
	    (d = delivery_new(a, CHANNEL_MAIL, principal)) == NULL)
		return;
	d->staff = staff;
	d->gathers = gathers;
	outbox_line_person(a->n->tenant, principal, staff, gathers, d->line);
	if (mailto_find(a->app, staff ? "" : a->n->tenant, principal, &to) !=
	    LB_ERR_MISSING)
		return;
	d->state = DELIVERY_DROPPED;
	d->done_at = a->now;
	ROW_TEXT(d->code, "no_address");
}

static bool
hook_take(void *arg, const struct webhook_row *h)
{
	struct addressing *a = arg;
	struct delivery_row *d;

	if (!h->active || !notice_in_types(a->n->kind, h->types))
		return true;
	if ((d = delivery_new(a, CHANNEL_WEBHOOK, h->id)) == NULL)
		return false;
	outbox_line_hook(h->id, d->line);
	return true;
}

/* Active managers, but not the engineer himself. */
static bool
manager_take(void *arg, const struct person_row *p)
{
	struct addressing *a = arg;

	if (p->active && (p->roles & ROLE_MANAGER) != 0 &&
	    strcmp(p->principal, a->engineer) != 0)
		mail_add(a, p->principal, true, true);
	return true;
}

/* A test is for the webhook that its record names. */
static enum lb_err
tested(struct addressing *a)
{
	json_t *o = json_loadb(
	    a->n->data.data, a->n->data.len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(o, "detail"));
	struct delivery_row *d;
	struct webhook_row h;
	enum lb_err r = LB_ERR_STORE;

	if (id != NULL && lb_id_valid(id))
		r = store_webhook_get(a->app->store, id, &h);
	if (r == LB_OK && strcmp(h.tenant, a->n->tenant) == 0 && h.active &&
	    (d = delivery_new(a, CHANNEL_WEBHOOK, h.id)) != NULL)
		outbox_line_hook(h.id, d->line);
	json_decref(o);
	return r == LB_ERR_MISSING ? LB_OK : r;
}

/*
 * Webhooks hear of all that happened, in order, also of what was settled in
 * the same moment; mail, and what comes by its time, only while it waits.
 */
static enum lb_err
addressed(struct addressing *a, bool waits)
{
	const struct notice_row *n = a->n;
	struct told *told = calloc(NOTICES_TOLD_MAX, sizeof(*told));
	struct held *held = trusts_take(a->app->trusts, n->tenant);
	size_t count;
	enum lb_err r = LB_OK;

	if (told == NULL) {
		r = LB_ERR_MEMORY;
		goto out;
	}
	if (n->kind == NOTICE_WEBHOOK_TEST) {
		r = tested(a);
		goto out;
	}
	count = !waits
	    ? 0
	    : notices_told(n->kind, held != NULL ? held->trust : NULL, n->actor,
		  a->engineer, a->now, told);
	for (size_t i = 0; i < count; i++)
		mail_add(a, told[i].principal, told[i].staff, told[i].gathers);
	if (waits && notice_tells_managers(n->kind))
		r = store_person_each(a->app->store, "", manager_take, a);
	if (r == LB_OK && notice_is_for_hooks(n->kind) &&
	    (waits || n->kind != NOTICE_REMINDER))
		r = store_webhook_each(a->app->store, n->tenant, hook_take, a);
out:
	trusts_give(a->app->trusts, held);
	free(told);
	return r;
}

/* Is it void: it asked for something that nobody waits for any more? */
static enum lb_err
notice_look(struct app *app, const struct notice_row *n, int64_t now,
    struct request_row *q, bool *ret_void)
{
	enum state s;
	enum lb_err r;

	*ret_void = false;
	if (n->request[0] == '\0')
		return LB_OK;
	r = store_request_get(app->store, n->request, q);
	*ret_void = r == LB_ERR_MISSING;
	if (r != LB_OK)
		return r == LB_ERR_MISSING ? LB_OK : r;
	s = rules_state_at(
	    q->state, q->lapses_at, q->not_before, q->not_after, now);
	*ret_void = notice_wants(n->kind) != 0 && s != notice_wants(n->kind);
	return LB_OK;
}

static enum lb_err
notice_address(struct app *app, const struct notice_row *n, int64_t now)
{
	struct addressing *a = calloc(1, sizeof(*a));
	struct request_row *q = calloc(1, sizeof(*q));
	struct outbox_change c = { .notice = n->id, .now = now };
	bool no_more = false;
	enum lb_err r = LB_ERR_MEMORY;

	if (a == NULL || q == NULL)
		goto out;
	a->app = app;
	a->n = n;
	a->engineer = "";
	a->now = now;
	if ((r = notice_look(app, n, now, q, &no_more)) != LB_OK)
		goto out;
	if (n->request[0] != '\0')
		a->engineer = q->doc.engineer;
	if ((r = addressed(a, !no_more)) != LB_OK)
		goto out;
	c.add = a->add;
	c.add_count = a->count;
	r = store_outbox_write(app->store, &c);
out:
	free(q);
	free(a);
	return r;
}

/* Gather first, write afterwards: no read stays open meanwhile. */
struct due {
	size_t count;
	struct notice_row row[DUE_MAX];
};

static bool
due_take(void *arg, struct notice_row *row)
{
	struct due *d = arg;

	d->row[d->count++] = *row;
	memset(&row->data, 0, sizeof(row->data)); /* handed over */
	return d->count < DUE_MAX;
}

/* How many there were; false in ret_ok: one of them could not be done. */
static size_t
due_run(struct app *app, struct due *d, int64_t now, bool *ret_ok)
{
	enum lb_err r;

	d->count = 0;
	*ret_ok = true;
	r = store_notice_due(app->store, now, due_take, d);
	if (r != LB_OK) {
		LOG_ERR_R(r, "%s", "look for whom to tell");
		*ret_ok = false;
	}
	for (size_t i = 0; i < d->count; i++) {
		if ((r = notice_address(app, &d->row[i], now)) != LB_OK) {
			LOG_ERR_R(r, "address notice '%s'", d->row[i].id);
			*ret_ok = false;
		}
		lb_buf_clear(&d->row[i].data);
	}
	return d->count;
}

void
outbox_address(struct app *app, int64_t now)
{
	struct due *d = calloc(1, sizeof(*d));
	bool ok = true;

	while (d != NULL && ok && due_run(app, d, now, &ok) == DUE_MAX)
		;
	free(d);
}
