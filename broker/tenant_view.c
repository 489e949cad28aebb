/* A tenant as JSON. */
#include "tenant_view.h"

#include <string.h>

#include "people.h"
#include "render.h"

static json_t *
trust_json(const struct lb_trust *t)
{
	static const char *const words[] = { [LB_REQUIRE_ANY] = "any",
		[LB_REQUIRE_TOUCH] = "touch",
		[LB_REQUIRE_VERIFIED] = "verified" };
	json_t *o = json_object();

	render_set(&o, "sha256", json_string(t->id));
	render_set(&o, "serial", json_integer(t->serial));
	render_set(&o, "good_until", render_time(t->good_until));
	render_set(&o, "threshold", json_integer((json_int_t)t->threshold));
	render_set(&o, "require", json_string(words[t->require]));
	render_set(&o, "longest", json_integer(t->longest));
	render_set(&o, "lease", json_integer(t->lease));
	render_set(&o, "offline", json_boolean(t->offline));
	return o;
}

static json_t *
pages_json(const struct lb_trust *t)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < t->page_count; i++) {
		json_t *o = json_object();

		render_set(&o, "rp_id", json_string(t->page[i].rp_id));
		render_set(&o, "origin", json_string(t->page[i].origin));
		render_set(&o, "broker", json_boolean(t->page[i].broker));
		render_add(&a, o);
	}
	return a;
}

/* Principals of the lines that may sign its successor at now, each once. */
static json_t *
owners_json(const struct lb_trust *t, int64_t now)
{
	json_t *a = json_array(), *v;
	size_t k;

	for (size_t i = 0; a != NULL && i < t->approver.count; i++) {
		const struct lb_pinned *p = &t->approver.item[i];
		bool known = !lb_pinned_in_dates(p, now) ||
		    (p->namespaces & LB_NS_TRUST) == 0;

		json_array_foreach(a, k, v) known |=
		    strcmp(json_string_value(v), p->principal) == 0;
		if (!known)
			render_add(&a, json_string(p->principal));
	}
	return a;
}

json_t *
tenant_kinds(unsigned int part)
{
	static const char *const names[] = { "approver", "owner", "hook",
		"delegate" };
	json_t *a = json_array();

	for (size_t i = 0; i < 4; i++)
		if ((part & (1U << i)) != 0)
			render_add(&a, json_string(names[i]));
	return a;
}

/* Has he an address? NULL: the store failed. */
static json_t *
mail_json(struct app *app, const char *tenant, const char *principal)
{
	struct contact_row c;
	enum lb_err r;

	r = store_contact_get(app->store, tenant, principal, &c);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return NULL;
	return json_boolean(r == LB_OK && c.mail[0] != '\0');
}

static json_t *
people_json(struct app *app, const struct lb_trust *t)
{
	json_t *a = json_array();
	struct people p;

	people_of(t, &p);
	for (size_t i = 0; a != NULL && i < p.count; i++) {
		json_t *o = json_object();

		render_set(&o, "principal", json_string(p.item[i].principal));
		render_set(&o, "kinds", tenant_kinds(p.item[i].part));
		render_set(
		    &o, "mail", mail_json(app, t->tenant, p.item[i].principal));
		render_add(&a, o);
	}
	return a;
}

static json_t *
settings_json(const struct tenant_row *t)
{
	json_t *s = json_object();

	render_set(&s, "endorse_ttl", json_integer(t->endorse_ttl));
	render_set(&s, "approve_ttl", json_integer(t->approve_ttl));
	render_set(&s, "grant_ttl", json_integer(t->grant_ttl));
	render_set(&s, "endorsement", json_boolean(t->endorsement));
	return s;
}

json_t *
tenant_view(struct app *app, const struct tenant_row *t,
    const struct held *held, int64_t now)
{
	const struct lb_trust *d = held != NULL ? held->trust : NULL;
	json_t *o = json_object();
	int64_t until = 0;

	if (d != NULL && d->delegate.count > 0 && now < d->delegate_until)
		until = d->delegate_until;
	render_set(&o, "name", json_string(t->name));
	render_set(&o, "trust", d != NULL ? trust_json(d) : json_null());
	render_set(&o, "approvers",
	    d != NULL ? render_approvers(d, now, "") : json_array());
	render_set(
	    &o, "owners", d != NULL ? owners_json(d, now) : json_array());
	render_set(&o, "pages", d != NULL ? pages_json(d) : json_array());
	render_set(
	    &o, "people", d != NULL ? people_json(app, d) : json_array());
	render_set(&o, "off_until", render_time(until));
	render_set(&o, "settings", settings_json(t));
	return o;
}

enum lb_err
tenant_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const char *name)
{
	struct tenant_row t;
	struct held *held;
	enum lb_err r;

	if ((r = store_tenant_get(app->store, name, &t)) != LB_OK)
		return r;
	held = trusts_take(app->trusts, name);
	call_etag(reply, t.version);
	r = reply_json(reply, status, tenant_view(app, &t, held, call->now));
	trusts_give(app->trusts, held);
	return r;
}
