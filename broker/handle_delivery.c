/* Deliveries: what was told to whom, what waits, what failed. */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "lists.h"
#include "render.h"
#include "sender.h"
#include "tending.h"

static json_t *
delivery_json(const struct delivery_row *d)
{
	json_t *o = json_object();

	render_set(&o, "id", json_string(d->id));
	render_set(&o, "tenant", json_string(d->tenant));
	render_set(&o, "type", json_string(notice_word(d->kind)));
	render_set(&o, "channel", json_string(channel_name(d->channel)));
	render_set(&o, "receiver", json_string(d->receiver));
	render_set(&o, "request", render_text(d->request));
	render_set(&o, "state", json_string(delivery_state_name(d->state)));
	render_set(&o, "attempts", json_integer(d->attempts));
	render_set(&o, "code", render_text(d->code));
	render_set(&o, "status",
	    d->status != 0 ? json_integer(d->status) : json_null());
	render_set(&o, "created_at", render_time(d->created_at));
	render_set(&o, "next_at",
	    render_time(d->state == DELIVERY_WAITING ? d->due_at : 0));
	render_set(&o, "ends_at", render_time(d->ends_at));
	render_set(&o, "done_at", render_time(d->done_at));
	return o;
}

static bool
deliveries_take(void *arg, const struct delivery_row *d)
{
	struct page *p = arg;

	if (page_full(p))
		return false;
	page_add(p, delivery_json(d), d->number, d->id);
	return true;
}

/* Operators and auditors see all; a tenant's approvers its own. */
static bool
bounds(const struct call *call, struct delivery_query *ret)
{
	const struct caller *c = &call->caller;
	const struct query *q = &call->query;
	bool all = (c->roles & (ROLE_OPERATOR | ROLE_AUDITOR)) != 0;

	memset(ret, 0, sizeof(*ret));
	ret->before = q->before_at;
	ret->state = q->delivery;
	if (q->tenant[0] != '\0') {
		if (!all && !rules_is_of_tenant(c, q->tenant))
			return false;
		memcpy(ret->tenant[0], q->tenant, sizeof(ret->tenant[0]));
		ret->tenant_count = 1;
	} else if (!all) {
		ret->tenant_count = c->tenant_count;
		memcpy(ret->tenant, c->tenant, sizeof(ret->tenant));
		return c->tenant_count > 0;
	}
	return true;
}

/* All of one request are of one tenant, which the caller may see or not. */
static enum lb_err
request_bound(struct app *app, const struct call *call,
    struct delivery_query *q, bool *ret_seen)
{
	struct request_row *row = calloc(1, sizeof(*row));
	enum lb_err r = LB_ERR_MEMORY;

	if (row == NULL)
		return r;
	r = store_request_get(app->store, call->query.request, row);
	*ret_seen = r == LB_OK && tending_sees(call, row->doc.tenant);
	if (*ret_seen)
		ROW_TEXT(q->request, call->query.request);
	free(row);
	return r == LB_ERR_MISSING ? LB_OK : r;
}

enum lb_err
deliveries_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct delivery_query q;
	struct page p;
	bool seen;
	enum lb_err r = LB_OK;

	if (call->query.state != 0 || call->query.stay != 0)
		return reply_refuse(reply, "bad_query", "state");
	page_init(&p, call);
	seen = bounds(call, &q);
	if (seen && call->query.request[0] != '\0')
		r = request_bound(app, call, &q, &seen);
	if (r == LB_OK && seen)
		r = store_delivery_each(app->store, &q, deliveries_take, &p);
	return page_end(&p, r, reply);
}

enum lb_err
webhook_deliveries(
    struct app *app, const struct call *call, struct reply *reply)
{
	struct delivery_query q = { .state = call->query.delivery,
		.before = call->query.before_at };
	struct webhook_row h;
	struct page p;
	enum lb_err r;

	if (!lb_id_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_webhook_get(app->store, call->arg, &h)) != LB_OK)
		return r;
	if (!tending_sees(call, h.tenant))
		return LB_ERR_MISSING;
	ROW_TEXT(q.receiver, h.id);
	page_init(&p, call);
	r = store_delivery_each(app->store, &q, deliveries_take, &p);
	return page_end(&p, r, reply);
}

/* Once more, now: what waits at once, what failed until a day from now. */
enum lb_err
delivery_retry(struct app *app, const struct call *call, struct reply *reply)
{
	struct outbox_change c = { .set_count = 1 };
	struct delivery_row d;
	enum lb_err r;

	if (!lb_id_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_delivery_get(app->store, call->arg, &d)) != LB_OK)
		return r;
	if (!tending_may(app, call, d.tenant))
		return LB_ERR_MISSING;
	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	if (d.state != DELIVERY_WAITING && d.state != DELIVERY_FAILED)
		return reply_refuse(
		    reply, "wrong_state", "%s", delivery_state_name(d.state));
	if (d.state == DELIVERY_FAILED && d.ends_at <= call->now)
		d.ends_at = call->now + NOTICES_TTL;
	d.state = DELIVERY_WAITING;
	d.done_at = 0;
	d.due_at = call->now;
	c.set = &d;
	if ((r = store_outbox_write(app->store, &c)) != LB_OK)
		return r;
	sender_wake(app->sender);
	return reply_json(reply, 200, delivery_json(&d));
}
