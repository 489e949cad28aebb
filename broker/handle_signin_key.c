/*
 * A person's own sign-in passkeys. One name may be two people: one of the
 * provider, one of a tenant. So a key belongs to a name within a realm: a
 * tenant, or the provider ("").
 */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "render.h"
#include "signin_key.h"

#define REALMS_MAX (RULES_TENANTS_MAX + 1)

/* Those in which the caller is somebody who may have such keys. */
struct realms {
	size_t count;
	const char *item[REALMS_MAX];
};

static struct realms
realms_of(const struct caller *c)
{
	struct realms r = { 0 };

	if ((c->roles & ROLES_PROVIDER) != 0)
		r.item[r.count++] = "";
	for (size_t i = 0; i < c->tenant_count; i++)
		if ((c->part[i] & PART_APPROVER) != 0)
			r.item[r.count++] = c->tenant[i];
	return r;
}

static json_t *
key_json(const struct signin_key_row *k)
{
	char id[ROW_KEY_ID_LEN + 1], key[LB_KEY_TEXT_MAX + 1];
	json_t *o = json_object();

	row_key_id(k->key.fp, id);
	lb_sshkey_format(&k->key, key);
	render_set(&o, "id", json_string(id));
	render_set(&o, "key", json_string(key));
	render_set(&o, "label", json_string(k->label));
	render_set(&o, "tenant", render_text(k->tenant));
	render_set(&o, "created_at", render_time(k->created_at));
	render_set(&o, "used_at", render_time(k->used_at));
	return o;
}

/* A walk over all of the caller's keys. */
struct keys {
	json_t *items;      /* of each its JSON; or NULL */
	const char *wanted; /* an id; or NULL */
	struct signin_key_row found;
	bool is_found, failed;
};

static bool
keys_take(void *arg, const struct signin_key_row *row)
{
	struct keys *k = arg;
	char id[ROW_KEY_ID_LEN + 1];

	row_key_id(row->key.fp, id);
	if (k->wanted != NULL && strcmp(id, k->wanted) == 0) {
		k->found = *row;
		k->is_found = true;
		return false;
	}
	if (k->items != NULL)
		k->failed = json_array_append_new(k->items, key_json(row)) != 0;
	return !k->failed;
}

static enum lb_err
keys_walk(struct app *app, const struct caller *c, struct keys *k)
{
	struct realms realms = realms_of(c);
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && !k->is_found && i < realms.count; i++)
		r = store_signin_key_each(
		    app->store, realms.item[i], c->principal, keys_take, k);
	return r;
}

enum lb_err
signin_keys_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct keys k = { .items = json_array() };
	enum lb_err r;

	if (k.items == NULL)
		return LB_ERR_MEMORY;
	if ((r = keys_walk(app, &call->caller, &k)) != LB_OK) {
		json_decref(k.items);
		return r;
	}
	return reply_json(reply, 200,
	    json_pack("{s:o, s:n}", "items", k.items, "next_cursor"));
}

/* The realm that a new key shall be for; NULL: none is meant. */
static const char *
realm_choose(const struct realms *realms, const char *named)
{
	/* Whoever works for the provider means that, unless he says so. */
	if (named == NULL)
		return realms->count == 1 || realms->item[0][0] == '\0'
		    ? realms->item[0]
		    : NULL;
	for (size_t i = 0; i < realms->count; i++)
		if (strcmp(realms->item[i], named) == 0)
			return realms->item[i];
	return NULL;
}

/* "tenant" out of the body, which is then that of signin_key_read. */
static enum lb_err
tenant_take(struct reply *reply, json_t *root, const struct caller *c,
    char ret[static LB_NAME_MAX + 1])
{
	struct realms realms = realms_of(c);
	json_t *named = json_object_get(root, "tenant");
	const char *realm;

	if (named != NULL && !json_is_string(named))
		return reply_refuse(reply, "bad_json", "tenant");
	if (realms.count == 0)
		return reply_refuse(reply, "role_needed", "%s", "");
	realm = realm_choose(&realms, json_string_value(named));
	if (realm == NULL)
		return reply_refuse(reply, "bad_value", "tenant: which one");
	row_text(ret, LB_NAME_MAX + 1, realm);
	(void)json_object_del(root, "tenant"); /* it may be absent */
	return LB_OK;
}

static enum lb_err
key_add(struct app *app, const struct call *call, struct reply *reply,
    const struct signin_key_row *k, const char *nonce)
{
	struct change c = {
		.signin_key = k, .nonce = { nonce }, .nonce_at = call->now
	};
	enum lb_err r;

	call_event(
	    app, call, &c, "person.signin_key_added", k->principal, k->tenant);
	ROW_TEXT(change_event(&c)->detail, k->key.fp);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		return reply_refuse(reply, "nonce_over", "%s", "");
	return r != LB_OK ? r : reply_json(reply, 201, key_json(k));
}

enum lb_err
signin_key_add(struct app *app, const struct call *call, struct reply *reply)
{
	const struct caller *c = &call->caller;
	char nonce[LB_NONCE_LEN + 1], tenant[LB_NAME_MAX + 1];
	struct signin_key_row k;
	json_t *root = NULL;
	enum lb_err r;

	if (c->sign_in == SIGN_IN_PINNED)
		return reply_refuse(reply, "role_needed",
		    "sign in with an ssh key or a sign-in passkey");
	if ((r = call_json(call, reply, &root)) != LB_OK ||
	    (r = tenant_take(reply, root, c, tenant)) != LB_OK ||
	    (r = signin_key_read(
		 app, call, reply, root, c->principal, &k, nonce)) != LB_OK ||
	    (r = signin_key_room(app, reply, tenant, c->principal)) != LB_OK)
		goto out;
	ROW_TEXT(k.tenant, tenant);
	r = key_add(app, call, reply, &k, nonce);
out:
	json_decref(root);
	return r;
}

enum lb_err
signin_key_remove(struct app *app, const struct call *call, struct reply *reply)
{
	struct keys k = { .wanted = call->arg };
	struct change c = { .signin_key = &k.found, .signin_key_remove = true };
	enum lb_err r;

	if ((r = call_nothing(call, reply)) != LB_OK ||
	    (r = keys_walk(app, &call->caller, &k)) != LB_OK)
		return r;
	if (!k.is_found)
		return LB_ERR_MISSING;
	call_event(app, call, &c, "person.signin_key_removed",
	    call->caller.principal, k.found.tenant);
	ROW_TEXT(change_event(&c)->detail, k.found.key.fp);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return reply_empty(reply);
}
