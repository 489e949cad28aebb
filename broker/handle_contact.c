/* Where mail for a tenant's people goes. */
#include <string.h>

#include "body.h"
#include "contacts.h"
#include "handlers.h"
#include "lists.h"
#include "people.h"
#include "render.h"
#include "tenant_view.h"
#include "tending.h"

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
	if (strcmp(language, CONTACT_LANGUAGE) != 0)
		return reply_refuse(reply, "bad_value", "language");
	c->links = links != 0;
	return mail != NULL ? contact_mail(reply, mail, c) : LB_OK;
}

/* The record says of whom, not the address: records stay for ever. */
static enum lb_err
contact_store(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct contact_row *row)
{
	struct change c = { .contact = row };
	struct people people;
	enum lb_err r;

	if ((r = contact_room(app, reply, row)) != LB_OK)
		return r;
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
