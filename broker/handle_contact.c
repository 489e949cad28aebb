/* Where mail for a tenant's people goes. */
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "lists.h"
#include "people.h"
#include "render.h"
#include "tenant_view.h"
#include "tending.h"

#define CONTACTS_MAX 256  /* of one tenant */
#define LANGUAGE     "en" /* the one there is */

static json_t *
contact_json(const struct contact_row *c, unsigned int part)
{
	json_t *o = json_object();

	render_set(&o, "principal", json_string(c->principal));
	render_set(&o, "kinds", tenant_kinds(part));
	render_set(&o, "mail", render_text(c->mail));
	render_set(&o, "links", json_boolean(c->links));
	render_set(&o, "language", json_string(c->language));
	return o;
}

/* What is kept, or what holds as long as nothing is. */
static enum lb_err
contact_find(struct app *app, const char *tenant, const char *principal,
    struct contact_row *ret)
{
	enum lb_err r;

	r = store_contact_get(app->store, tenant, principal, ret);
	if (r != LB_ERR_MISSING)
		return r;
	*ret = (struct contact_row){ .links = true, .language = LANGUAGE };
	ROW_TEXT(ret->tenant, tenant);
	ROW_TEXT(ret->principal, principal);
	return LB_OK;
}

struct others {
	const struct people *people;
	json_t **items;
};

/* Those who are kept but stand in no line: not yet, or not any more. */
static bool
others_take(void *arg, const struct contact_row *row)
{
	struct others *o = arg;

	if (people_part(o->people, row->principal) == 0)
		render_add(o->items, contact_json(row, 0));
	return true;
}

enum lb_err
contacts_list(struct app *app, const struct call *call, struct reply *reply)
{
	json_t *items = json_array();
	struct people people = { 0 };
	struct others others = { &people, &items };
	struct held *held = NULL;
	enum lb_err r;

	if ((r = tending_take(app, call, call->arg, &held)) == LB_OK)
		people_of(held->trust, &people);
	for (size_t i = 0; r == LB_OK && i < people.count; i++) {
		struct contact_row c;

		r = contact_find(app, call->arg, people.item[i].principal, &c);
		if (r == LB_OK)
			render_add(
			    &items, contact_json(&c, people.item[i].part));
	}
	if (r == LB_OK)
		r = store_contact_each(
		    app->store, call->arg, others_take, &others);
	trusts_give(app->trusts, held);
	if (r != LB_OK) {
		json_decref(items);
		return r;
	}
	return page_whole(reply, items);
}

static bool
count_take(void *arg, const struct contact_row *row)
{
	size_t *count = arg;

	(void)row;
	++*count;
	return true;
}

/* Lay what the body says over what is kept. */
static enum lb_err
contact_read(struct reply *reply, json_t *root, struct contact_row *c)
{
	const char *principal, *language = c->language;
	json_t *mail = NULL;
	int links = c->links;

	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?o, s?b, s?s}",
		"principal", &principal, "mail", &mail, "links", &links,
		"language", &language) != 0)
		return reply_refuse(
		    reply, "bad_json", "principal, mail, links, language");
	if (strcmp(language, LANGUAGE) != 0)
		return reply_refuse(reply, "bad_value", "language");
	if (json_is_null(mail))
		c->mail[0] = '\0';
	else if (mail != NULL &&
	    (!json_is_string(mail) ||
		!row_mail_valid(json_string_value(mail)) ||
		lb_text_copy(c->mail, sizeof(c->mail),
		    json_string_value(mail)) != LB_OK))
		return reply_refuse(reply, "bad_value", "mail");
	c->links = links != 0;
	return LB_OK;
}

/* The record says of whom, not the address: records stay for ever. */
static enum lb_err
contact_store(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct contact_row *row)
{
	struct change c = { .contact = row };
	struct people people;
	size_t count = 0;
	enum lb_err r;

	if (row->version == 0 &&
	    (r = store_contact_each(
		 app->store, row->tenant, count_take, &count)) != LB_OK)
		return r;
	if (count >= CONTACTS_MAX)
		return reply_refuse(reply, "too_many", "contacts");
	call_event(app, call, &c, "contact.changed", call->caller.principal,
	    row->tenant);
	ROW_TEXT(change_event(&c)->detail, row->principal);
	if ((r = call_commit(app, &c)) != LB_OK)
		return r;
	people_of(held->trust, &people);
	return reply_json(reply, 200,
	    contact_json(row, people_part(&people, row->principal)));
}

enum lb_err
contact_set(struct app *app, const struct call *call, struct reply *reply)
{
	const char *principal;
	struct held *held = NULL;
	struct contact_row c;
	json_t *root = NULL;
	enum lb_err r;

	if ((r = tending_take(app, call, call->arg, &held)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	principal = json_string_value(json_object_get(root, "principal"));
	if (principal == NULL || !lb_principal_valid(principal)) {
		r = reply_refuse(reply, "bad_value", "principal");
		goto out;
	}
	if ((r = contact_find(app, call->arg, principal, &c)) == LB_OK &&
	    (r = contact_read(reply, root, &c)) == LB_OK)
		r = contact_store(app, call, reply, held, &c);
out:
	trusts_give(app->trusts, held);
	json_decref(root);
	return r;
}
