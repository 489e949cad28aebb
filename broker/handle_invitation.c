/* Somebody is asked to bring a key: made, listed, withdrawn. */
#include <string.h>

#include <sodium.h>

#include "body.h"
#include "contacts.h"
#include "handlers.h"
#include "invitation.h"
#include "lists.h"
#include "render.h"
#include "tending.h"

#define INVITATIONS_MAX 64 /* of one tenant, with those that are over */

static json_t *
invitation_json(const struct invitation_row *i, int64_t now)
{
	json_t *o = json_object();

	render_set(&o, "id", json_string(i->id));
	render_set(&o, "tenant", json_string(i->tenant));
	render_set(&o, "principal", json_string(i->principal));
	render_set(&o, "owner", json_boolean(i->owner));
	render_set(&o, "state", json_string(invitation_state(i, now)));
	render_set(&o, "invited_by", json_string(i->invited_by));
	render_set(&o, "at", render_time(i->invited_at));
	render_set(&o, "expires_at", render_time(i->expires_at));
	return o;
}

/* The one answer that holds the code. */
static enum lb_err
invite_answer(struct app *app, const struct call *call, struct reply *reply,
    const struct invitation_row *i)
{
	char code[INVITATION_CODE_LEN + 1];
	json_t *o = invitation_json(i, call->now);

	invitation_code(app, i, code);
	render_set(&o, "code", json_string(code));
	sodium_memzero(code, sizeof(code));
	return reply_json(reply, 201, o);
}

/* The same call once more: the same code, as long as it is good. */
static enum lb_err
invite_again(struct app *app, const struct call *call, struct reply *reply,
    const char *id)
{
	struct invitation_row i;
	enum lb_err r;

	r = store_invitation_by_id(app->store, id, &i);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK && !invitation_open(&i, call->now)))
		return reply_refuse(
		    reply, "wrong_state", "the code was used, or is over");
	return r == LB_OK ? invite_answer(app, call, reply, &i) : r;
}

static bool
count_take(void *arg, const struct invitation_row *row)
{
	size_t *count = arg;

	(void)row;
	++*count;
	return true;
}

/* A new code takes the place of one that he was given before. */
static enum lb_err
invite_find(struct app *app, struct reply *reply, const char *tenant,
    const char *principal, struct invitation_row *ret)
{
	size_t count = 0;
	enum lb_err r;

	r = store_invitation_get(app->store, tenant, principal, ret);
	if (r != LB_ERR_MISSING)
		return r;
	r = store_invitation_each(app->store, tenant, count_take, &count);
	if (r != LB_OK)
		return r;
	if (count >= INVITATIONS_MAX)
		return reply_refuse(
		    reply, "too_many", "withdraw invitations that are over");
	*ret = (struct invitation_row){ 0 };
	ROW_TEXT(ret->tenant, tenant);
	ROW_TEXT(ret->principal, principal);
	return LB_OK;
}

static enum lb_err
invite_store(struct app *app, const struct call *call, struct reply *reply,
    struct invitation_row *i, const struct contact_row *contact,
    struct idem_row *idem)
{
	struct change c = { .invitation = i, .contact = contact };
	enum lb_err r;

	invitation_renew(i, call->now);
	ROW_TEXT(i->invited_by, call->caller.principal);
	if (idem->key[0] != '\0') {
		ROW_TEXT(idem->arg, i->id);
		c.idem = idem;
	}
	call_event(app, call, &c, "invitation.created", call->caller.principal,
	    i->tenant);
	ROW_TEXT(change_event(&c)->detail, i->principal);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return invite_answer(app, call, reply, i);
}

static enum lb_err
invite_do(struct app *app, const struct call *call, struct reply *reply,
    json_t *root, struct idem_row *idem)
{
	const char *principal;
	struct contact_row contact;
	struct invitation_row i;
	json_t *mail = NULL;
	int owner = 0;
	enum lb_err r;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?o, s?b}",
		"principal", &principal, "mail", &mail, "owner", &owner) != 0)
		return reply_refuse(
		    reply, "bad_json", "principal, mail, owner");
	if (!lb_principal_valid(principal))
		return reply_refuse(reply, "bad_value", "principal");
	if ((r = invite_find(app, reply, call->arg, principal, &i)) != LB_OK)
		return r;
	if (mail != NULL &&
	    ((r = contact_find(app, call->arg, principal, &contact)) != LB_OK ||
		(r = contact_mail(reply, mail, &contact)) != LB_OK ||
		(r = contact_room(app, reply, &contact)) != LB_OK))
		return r;
	i.owner = owner != 0;
	return invite_store(
	    app, call, reply, &i, mail != NULL ? &contact : NULL, idem);
}

enum lb_err
invitation_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct held *held = NULL;
	struct idem_row idem;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = tending_take(app, call, call->arg, &held)) != LB_OK)
		return r;
	trusts_give(app->trusts, held);
	if ((r = call_idem(app, call, "invitations", reply, &idem)) != LB_OK)
		return r;
	if (idem.arg[0] != '\0')
		return invite_again(app, call, reply, idem.arg);
	if ((r = call_json(call, reply, &root)) == LB_OK)
		r = invite_do(app, call, reply, root, &idem);
	json_decref(root);
	return r;
}

struct listing {
	json_t *items;
	int64_t now;
};

static bool
list_take(void *arg, const struct invitation_row *row)
{
	struct listing *l = arg;

	render_add(&l->items, invitation_json(row, l->now));
	return true;
}

enum lb_err
invitations_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct listing l = { json_array(), call->now };
	struct held *held = NULL;
	enum lb_err r;

	r = tending_take(app, call, call->arg, &held);
	trusts_give(app->trusts, held);
	if (r == LB_OK)
		r = store_invitation_each(app->store, call->arg, list_take, &l);
	if (r != LB_OK) {
		json_decref(l.items);
		return r;
	}
	return page_whole(reply, l.items);
}

enum lb_err
invitation_withdraw(
    struct app *app, const struct call *call, struct reply *reply)
{
	struct invitation_row i;
	struct change c = { .invitation = &i, .invitation_remove = true };
	struct held *held = NULL;
	enum lb_err r;

	if ((r = store_invitation_by_id(app->store, call->arg, &i)) != LB_OK ||
	    (r = tending_take(app, call, i.tenant, &held)) != LB_OK)
		return r;
	trusts_give(app->trusts, held);
	if ((r = call_nothing(call, reply)) != LB_OK)
		return r;
	call_event(app, call, &c, "invitation.withdrawn",
	    call->caller.principal, i.tenant);
	ROW_TEXT(change_event(&c)->detail, i.principal);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	return reply_empty(reply);
}
