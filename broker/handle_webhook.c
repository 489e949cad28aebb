/* Webhooks: where a tenant's own system is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/newid.h"

#include "address.h"
#include "handlers.h"
#include "lists.h"
#include "render.h"
#include "seal.h"
#include "tending.h"

#define HOOKS_MAX   16             /* of a tenant */
#define TYPES_MAX   NOTICES        /* named in one webhook */
#define OLD_KEY_TTL (24 * 60 * 60) /* seconds; both keys sign meanwhile */

static json_t *
types_json(const char *types)
{
	json_t *a = json_array();

	while (a != NULL && *types != '\0') {
		size_t n = strcspn(types, ",");

		if (json_array_append_new(a, json_stringn(types, n)) != 0) {
			json_decref(a);
			return NULL;
		}
		types += n + (types[n] == ',');
	}
	return a;
}

static json_t *
hook_json(const struct webhook_row *h, int64_t now)
{
	json_t *o = json_object();

	render_set(&o, "id", json_string(h->id));
	render_set(&o, "tenant", json_string(h->tenant));
	render_set(&o, "url", json_string(h->url));
	render_set(&o, "types", types_json(h->types));
	render_set(&o, "scheme", json_string(scheme_name(h->scheme)));
	render_set(&o, "active", json_boolean(h->active));
	render_set(&o, "why", render_text(h->why));
	render_set(&o, "old_key_until",
	    render_time(now < h->old_until ? h->old_until : 0));
	render_set(&o, "created_by", json_string(h->created_by));
	render_set(&o, "created_at", render_time(h->created_at));
	return o;
}

/* With its key: once, when it is made, and the public one always. */
static enum lb_err
hook_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const struct webhook_row *h, bool fresh)
{
	char key[SEAL_SECRET_MAX + 1];
	json_t *o = hook_json(h, call->now);

	seal_key(app, h, key);
	if (h->scheme == SCHEME_V1A)
		render_set(&o, "public_key", json_string(key));
	else if (fresh)
		render_set(&o, "secret", json_string(key));
	call_etag(reply, h->version);
	return reply_json(reply, status, o);
}

/* The webhook of the path, if the caller may see to it. */
static enum lb_err
hook_seen(struct app *app, const struct call *call, struct webhook_row *ret)
{
	enum lb_err r;

	if (!lb_id_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_webhook_get(app->store, call->arg, ret)) != LB_OK)
		return r;
	return tending_may(app, call, ret->tenant) ? LB_OK : LB_ERR_MISSING;
}

enum lb_err
webhook_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct webhook_row h;
	enum lb_err r;

	if ((r = hook_seen(app, call, &h)) != LB_OK)
		return r;
	return hook_answer(app, call, reply, 200, &h, false);
}

struct hook_list {
	json_t *items;
	size_t count;
	int64_t now;
};

static bool
hooks_take(void *arg, const struct webhook_row *h)
{
	struct hook_list *l = arg;
	json_t *o = hook_json(h, l->now);

	l->count++;
	if (o != NULL && json_array_append_new(l->items, o) == 0)
		return true;
	json_decref(l->items);
	l->items = NULL;
	return false;
}

enum lb_err
webhooks_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct hook_list l = { .now = call->now };
	enum lb_err r;

	if (!tending_may(app, call, call->arg))
		return LB_ERR_MISSING;
	l.items = json_array();
	if (l.items == NULL)
		return LB_ERR_MEMORY;
	r = store_webhook_each(app->store, call->arg, hooks_take, &l);
	if (r != LB_OK) {
		json_decref(l.items);
		return r;
	}
	return reply_json(reply, 200,
	    l.items == NULL
		? NULL
		: json_pack("{s:o, s:n}", "items", l.items, "next_cursor"));
}

/* Words of kinds that webhooks get, each once, in the order of the table. */
static enum lb_err
types_read(struct reply *reply, const json_t *array, char *ret, size_t size)
{
	bool wanted[NOTICES] = { false };
	json_t *item;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > TYPES_MAX)
		return reply_refuse(reply, "bad_value", "types");
	json_array_foreach(array, i, item)
	{
		const char *word = json_string_value(item);
		enum notice_kind k = word != NULL ? notice_find(word) : 0;

		if (k == 0 || !notice_is_for_hooks(k))
			return reply_refuse(reply, "bad_value", "types");
		wanted[k] = true;
	}
	ret[0] = '\0';
	for (int k = 1; k < NOTICES; k++)
		if (wanted[k])
			(void)snprintf(ret + strlen(ret), size - strlen(ret),
			    "%s%s", ret[0] != '\0' ? "," : "",
			    notice_word((enum notice_kind)k));
	return LB_OK;
}

static enum lb_err
url_read(struct app *app, struct reply *reply, const char *url, char *ret,
    size_t size)
{
	struct target t;
	enum lb_err r;

	r = address_url(url, app->conf.webhook_private, &t);
	if (r == LB_ERR_FORBIDDEN)
		return reply_refuse(
		    reply, "address_refused", "%s", "the url's address");
	if (r != LB_OK || lb_text_copy(ret, size, url) != LB_OK)
		return reply_refuse(reply, "bad_value",
		    "url: https, a host's name or public address, and a path");
	return LB_OK;
}

static enum lb_err
hook_read(
    struct app *app, struct reply *reply, json_t *root, struct webhook_row *h)
{
	const json_t *types = NULL;
	const char *url, *scheme = "v1";
	enum lb_err r;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?o, s?s}", "url",
		&url, "types", &types, "scheme", &scheme) != 0)
		return reply_refuse(reply, "bad_json", "url, types, scheme");
	if ((h->scheme = scheme_find(scheme)) == 0)
		return reply_refuse(reply, "bad_value", "scheme: v1 or v1a");
	if ((r = url_read(app, reply, url, h->url, sizeof(h->url))) != LB_OK)
		return r;
	if (types == NULL)
		return LB_OK;
	return types_read(reply, types, h->types, sizeof(h->types));
}

/* Commit the webhook with its record; the row is as stored afterwards. */
static enum lb_err
hook_commit(struct app *app, const struct call *call, struct change *c,
    struct webhook_row *h, const char *event)
{
	enum lb_err r;

	c->webhook = h;
	call_event(app, call, c, event, call->caller.principal, h->tenant);
	ROW_TEXT(change_event(c)->detail, h->id);
	if ((r = call_commit(app, c)) == LB_OK)
		h->version++;
	return r;
}

static enum lb_err
hook_make(struct app *app, const struct call *call, struct reply *reply,
    json_t *root, struct idem_row *idem)
{
	struct hook_list l = { .now = call->now };
	struct webhook_row h = { .generation = 1, .active = true };
	struct change c = { 0 };
	enum lb_err r;

	if ((r = hook_read(app, reply, root, &h)) != LB_OK)
		return r;
	if ((l.items = json_array()) == NULL)
		return LB_ERR_MEMORY;
	r = store_webhook_each(app->store, call->arg, hooks_take, &l);
	json_decref(l.items);
	if (r != LB_OK)
		return r;
	if (l.count >= HOOKS_MAX)
		return reply_refuse(
		    reply, "too_many", "%d webhooks of a tenant", HOOKS_MAX);
	lb_newid(call->now, h.id);
	ROW_TEXT(h.tenant, call->arg);
	ROW_TEXT(h.created_by, call->caller.principal);
	h.created_at = call->now;
	if (idem->key[0] != '\0') {
		ROW_TEXT(idem->arg, h.id);
		c.idem = idem;
	}
	if ((r = hook_commit(app, call, &c, &h, "webhook.created")) != LB_OK)
		return r;
	return hook_answer(app, call, reply, 201, &h, true);
}

enum lb_err
webhook_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct idem_row idem;
	struct webhook_row h;
	json_t *root = NULL;
	enum lb_err r;

	if (!tending_may(app, call, call->arg))
		return LB_ERR_MISSING;
	if ((r = call_idem(app, call, "webhooks", reply, &idem)) != LB_OK)
		return r;
	if (idem.arg[0] != '\0') {
		if ((r = store_webhook_get(app->store, idem.arg, &h)) != LB_OK)
			return r;
		return hook_answer(app, call, reply, 201, &h, true);
	}
	if ((r = call_json(call, reply, &root)) != LB_OK)
		return r;
	r = hook_make(app, call, reply, root, &idem);
	json_decref(root);
	return r;
}

/* Lay what the body says over the row. */
static enum lb_err
change_read(
    struct app *app, struct reply *reply, json_t *root, struct webhook_row *h)
{
	const json_t *types = NULL;
	const char *url = NULL;
	int active = h->active;
	enum lb_err r;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s?s, s?o, s?b}", "url",
		&url, "types", &types, "active", &active) != 0)
		return reply_refuse(reply, "bad_json", "url, types, active");
	if (url != NULL &&
	    (r = url_read(app, reply, url, h->url, sizeof(h->url))) != LB_OK)
		return r;
	if (types != NULL &&
	    (r = types_read(reply, types, h->types, sizeof(h->types))) != LB_OK)
		return r;
	h->active = active != 0;
	ROW_TEXT(h->why, h->active ? "" : "switched_off");
	return LB_OK;
}

enum lb_err
webhook_change(struct app *app, const struct call *call, struct reply *reply)
{
	struct webhook_row h;
	struct change c = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = hook_seen(app, call, &h)) != LB_OK ||
	    (r = call_match(call, reply, h.version)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK)
		return r;
	if ((r = change_read(app, reply, root, &h)) == LB_OK &&
	    (r = hook_commit(app, call, &c, &h, "webhook.changed")) == LB_OK)
		r = hook_answer(app, call, reply, 200, &h, false);
	json_decref(root);
	return r;
}

enum lb_err
webhook_rotate(struct app *app, const struct call *call, struct reply *reply)
{
	struct webhook_row h;
	struct change c = { 0 };
	enum lb_err r;

	if ((r = hook_seen(app, call, &h)) != LB_OK ||
	    (r = call_match(call, reply, h.version)) != LB_OK ||
	    (r = call_nothing(call, reply)) != LB_OK)
		return r;
	h.generation++;
	h.old_until = call->now + OLD_KEY_TTL;
	if ((r = hook_commit(app, call, &c, &h, "webhook.rotated")) != LB_OK)
		return r;
	return hook_answer(app, call, reply, 200, &h, true);
}

/* Its notice names the webhook in detail: outbox.c. */
enum lb_err
webhook_test(struct app *app, const struct call *call, struct reply *reply)
{
	struct webhook_row h;
	struct change c = { 0 };
	enum lb_err r;

	if ((r = hook_seen(app, call, &h)) != LB_OK ||
	    (r = call_nothing(call, reply)) != LB_OK ||
	    (r = call_limit(app, reply, LIMIT_TEST, h.id)) != LB_OK)
		return r;
	if (!h.active)
		return reply_refuse(reply, "wrong_state", "not active");
	call_event(
	    app, call, &c, "webhook.tested", call->caller.principal, h.tenant);
	ROW_TEXT(change_event(&c)->detail, h.id);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return reply_json(reply, 202, json_pack("{s:s}", "webhook", h.id));
}

enum lb_err
webhook_remove(struct app *app, const struct call *call, struct reply *reply)
{
	struct webhook_row h;
	struct change c = { .webhook_remove = true };
	enum lb_err r;

	if ((r = hook_seen(app, call, &h)) != LB_OK ||
	    (r = call_match(call, reply, h.version)) != LB_OK ||
	    (r = call_nothing(call, reply)) != LB_OK ||
	    (r = hook_commit(app, call, &c, &h, "webhook.removed")) != LB_OK)
		return r;
	return reply_empty(reply);
}
