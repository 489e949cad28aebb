/* An invited person brings keys: to sign in with, to be pinned. */
#include <stdio.h>
#include <string.h>

#include "body.h"
#include "candidate_key.h"
#include "handlers.h"
#include "invitation.h"
#include "render.h"
#include "signin_key.h"

/* What he sends, and what becomes of it. */
struct accept {
	const char *tenant, *principal, *code;
	json_t *signin, *candidate; /* borrowed; NULL: not brought */
	struct invitation_row invitation;
	struct signin_key_row signin_key;
	struct candidate_row row;
	char nonce[2][LB_NONCE_LEN + 1]; /* what the keys signed */
	char page[LB_ORIGIN_MAX + 1];    /* the tenant's own */
};

static enum lb_err
refused(struct reply *reply)
{
	return reply_refuse(reply, "invitation_refused", "%s", "");
}

/* A wrong code is counted; the fifth burns the invitation. */
static enum lb_err
code_wrong(struct app *app, const struct call *call, struct reply *reply,
    struct invitation_row *i)
{
	struct change c = { .invitation = i };
	enum lb_err r;

	i->wrong_codes++;
	if (i->wrong_codes >= INVITATION_TRIES_MAX)
		i->salt[0] = '\0';
	call_event(
	    app, call, &c, "invitation.refused", app->conf.name, i->tenant);
	ROW_TEXT(change_event(&c)->detail, call->address);
	if ((r = call_commit(app, &c)) != LB_OK && r != LB_ERR_CONFLICT)
		return r;
	return refused(reply);
}

/*
 * The invitation that the code is for. None, over, burnt, a wrong code: all
 * look the same.
 */
static enum lb_err
invitation_find(struct app *app, const struct call *call, struct reply *reply,
    struct accept *a)
{
	struct invitation_row *ret = &a->invitation;
	enum lb_err r;

	r = store_invitation_get(app->store, a->tenant, a->principal, ret);
	if (r == LB_ERR_MISSING ||
	    (r == LB_OK && !invitation_open(ret, call->now)))
		return refused(reply);
	if (r != LB_OK)
		return r;
	if (!invitation_fits(app, ret, a->code))
		return code_wrong(app, call, reply, ret);
	return LB_OK;
}

static enum lb_err
accept_answer(struct reply *reply, const struct accept *a)
{
	json_t *o = json_object();

	render_set(&o, "signin_key", render_text(a->signin_key.key.fp));
	render_set(&o, "candidate", render_text(a->row.key_fp));
	render_set(&o, "page", render_text(a->page));
	return reply_json(reply, 201, o);
}

/* A moment ago: the invitation, or else a nonce. */
static enum lb_err
used_up(struct app *app, struct reply *reply, const struct invitation_row *i)
{
	struct invitation_row now;
	enum lb_err r;

	r = store_invitation_by_id(app->store, i->id, &now);
	if (r == LB_ERR_MISSING || (r == LB_OK && now.version != i->version))
		return refused(reply);
	return r == LB_OK ? reply_refuse(reply, "nonce_over", "%s", "") : r;
}

/* Which keys came in, and how: what the record says. */
static void
accept_events(struct app *app, const struct call *call, struct change *c,
    struct accept *a)
{
	const struct invitation_row *i = &a->invitation;
	struct lb_event *e;

	call_event(
	    app, call, c, "invitation.accepted", i->principal, i->tenant);
	e = change_event(c);
	if (c->candidate != NULL)
		(void)snprintf(e->detail, sizeof(e->detail), "candidate %s",
		    a->row.key_fp);
	if (c->signin_key == NULL)
		return;
	call_event(
	    app, call, c, "person.signin_key_added", i->principal, i->tenant);
	ROW_TEXT(change_event(c)->detail, a->signin_key.key.fp);
}

/* The keys are there and the invitation is gone, or nothing happened. */
static enum lb_err
accept_store(struct app *app, const struct call *call, struct reply *reply,
    struct accept *a)
{
	struct change c = { .invitation = &a->invitation,
		.invitation_remove = true,
		.nonce_at = call->now };
	enum lb_err r;

	if (a->signin != NULL) {
		c.signin_key = &a->signin_key;
		c.nonce[0] = a->nonce[0];
	}
	if (a->candidate != NULL) {
		c.candidate = &a->row;
		c.nonce[1] = a->nonce[1];
	}
	/* One text may be signed by both keys. */
	if (a->signin != NULL && a->candidate != NULL &&
	    strcmp(a->nonce[0], a->nonce[1]) == 0)
		c.nonce[1] = NULL;
	accept_events(app, call, &c, a);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		return used_up(app, reply, &a->invitation);
	return r == LB_OK ? accept_answer(reply, a) : r;
}

/* A key to sign in with is made on our own page alone. */
static enum lb_err
signin_bring(struct app *app, const struct call *call, struct reply *reply,
    struct accept *a)
{
	enum lb_err r;

	if (call->from == ORIGIN_PAGE)
		return reply_refuse(reply, "foreign_origin",
		    "signin is for the broker's own page");
	if ((r = signin_key_read(app, call, reply, a->signin, a->principal,
		 &a->signin_key, a->nonce[0])) != LB_OK ||
	    (r = signin_key_room(app, reply, a->tenant, a->principal)) != LB_OK)
		return r;
	ROW_TEXT(a->signin_key.tenant, a->tenant);
	return LB_OK;
}

static enum lb_err
candidate_bring(struct app *app, const struct call *call, struct reply *reply,
    const struct lb_trust *trust, struct accept *a)
{
	const struct invitation_row *i = &a->invitation;
	struct candidate_row *c = &a->row;
	enum lb_err r;

	c->owner = i->owner;
	c->at = call->now;
	ROW_TEXT(c->id, i->id);
	ROW_TEXT(c->tenant, i->tenant);
	ROW_TEXT(c->principal, i->principal);
	ROW_TEXT(c->invited_by, i->invited_by);
	if ((r = candidate_key_read(app, call, reply, a->candidate, trust, c,
		 a->nonce[1])) != LB_OK)
		return r;
	if (strcmp(c->key_fp, a->signin_key.key.fp) == 0)
		return reply_refuse(reply, "key_taken", "%s", c->key_fp);
	return LB_OK;
}

/* The first page that the tenant serves itself. */
static void
own_page(const struct lb_trust *t, char ret[static LB_ORIGIN_MAX + 1])
{
	for (size_t i = 0; i < t->page_count; i++) {
		if (t->page[i].broker)
			continue;
		row_text(ret, LB_ORIGIN_MAX + 1, t->page[i].origin);
		return;
	}
}

static enum lb_err
accept_do(struct app *app, const struct call *call, struct reply *reply,
    struct accept *a)
{
	struct held *held = NULL;
	enum lb_err r;

	if ((r = invitation_find(app, call, reply, a)) != LB_OK)
		return r;
	held = trusts_take(app->trusts, a->tenant);
	if (held == NULL)
		return LB_ERR_MISSING;
	own_page(held->trust, a->page);
	if (a->signin != NULL)
		r = signin_bring(app, call, reply, a);
	if (r == LB_OK && a->candidate != NULL)
		r = candidate_bring(app, call, reply, held->trust, a);
	if (r == LB_OK)
		r = accept_store(app, call, reply, a);
	trusts_give(app->trusts, held);
	return r;
}

static enum lb_err
accept_read(struct reply *reply, json_t *root, struct accept *ret)
{
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s:s, s:s, s?o, s?o}",
		"tenant", &ret->tenant, "principal", &ret->principal, "code",
		&ret->code, "signin", &ret->signin, "candidate",
		&ret->candidate) != 0 ||
	    (ret->signin == NULL && ret->candidate == NULL))
		return reply_refuse(reply, "bad_json",
		    "tenant, principal, code, and signin or candidate");
	if (!lb_name_valid(ret->tenant) || !lb_principal_valid(ret->principal))
		return reply_refuse(reply, "bad_value", "tenant or principal");
	return LB_OK;
}

enum lb_err
invitation_accept(struct app *app, const struct call *call, struct reply *reply)
{
	struct accept a = { 0 };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) == LB_OK &&
	    (r = accept_read(reply, root, &a)) == LB_OK)
		r = accept_do(app, call, reply, &a);
	json_decref(root);
	return call_limit_failed(app, call, reply, LIMIT_ENROL, r);
}
