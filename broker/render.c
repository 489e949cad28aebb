/* Rows as JSON. */
#include "render.h"

#include <string.h>

#include "lockbox/clock.h"

void
render_set(json_t **root, const char *name, json_t *value)
{
	if (*root == NULL || value == NULL ||
	    json_object_set_new(*root, name, value) != 0) {
		if (*root == NULL)
			json_decref(value);
		json_decref(*root);
		*root = NULL;
	}
}

void
render_add(json_t **array, json_t *value)
{
	if (*array == NULL) {
		json_decref(value);
	} else if (json_array_append_new(*array, value) != 0) {
		json_decref(*array);
		*array = NULL;
	}
}

json_t *
render_time(int64_t at)
{
	char text[LB_TIME_LEN + 1];

	if (at < LB_TIME_MIN || at > LB_TIME_MAX)
		return json_null();
	lb_time_format(at, text);
	return json_string(text);
}

json_t *
render_text(const char *s)
{
	return s[0] != '\0' ? json_string(s) : json_null();
}

/* count strings of size bytes. */
json_t *
render_names(const char *item, size_t count, size_t size)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < count; i++)
		if (json_array_append_new(a, json_string(item + i * size)) !=
		    0) {
			json_decref(a);
			return NULL;
		}
	return a;
}
#define LIST(l) render_names((l).item[0], (l).count, sizeof((l).item[0]))

/* The names of the bits of a set. */
static json_t *
set_of(unsigned int set, size_t count, const char *const *names)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < count; i++)
		if ((set & (1U << i)) != 0)
			(void)json_array_append_new(a, json_string(names[i]));
	return a;
}

json_t *
render_roles(unsigned int roles)
{
	static const char *const names[] = { "engineer", "manager", "operator",
		"auditor", "approver" };

	return set_of(roles, 5, names);
}

/* {"acme": ["approver", "owner"], ...} */
static json_t *
tenant_roles(const struct caller *c)
{
	static const char *const names[] = { "approver", "owner", "hook",
		"delegate" };
	json_t *o = json_object();

	for (size_t i = 0; i < c->tenant_count; i++)
		render_set(&o, c->tenant[i], set_of(c->part[i], 4, names));
	return o;
}

json_t *
render_caller(const struct caller *c)
{
	json_t *o = json_object();

	render_set(&o, "principal", json_string(c->principal));
	render_set(&o, "roles", render_roles(c->roles));
	render_set(&o, "tenants",
	    render_names(c->tenant[0], c->tenant_count, sizeof(c->tenant[0])));
	render_set(&o, "tenant_roles", tenant_roles(c));
	render_set(&o, "key", json_string(c->key_fp));
	render_set(&o, "sign_in", json_string(row_sign_in_name(c->sign_in)));
	render_set(&o, "expires_at", render_time(c->expires_at));
	return o;
}

json_t *
render_person(const struct person_row *p)
{
	json_t *o = json_object(), *keys = json_array();
	char key[LB_KEY_TEXT_MAX + 1];

	for (size_t i = 0; keys != NULL && i < p->key_count; i++) {
		lb_sshkey_format(&p->key[i], key);
		(void)json_array_append_new(keys, json_string(key));
	}
	render_set(&o, "principal", json_string(p->principal));
	render_set(&o, "roles", render_roles(p->roles));
	render_set(&o, "keys", keys);
	render_set(&o, "mail", render_text(p->mail));
	render_set(&o, "active", json_boolean(p->active));
	return o;
}

json_t *
render_host(const struct host_row *h)
{
	json_t *o = json_object();

	render_set(&o, "name", json_string(h->name));
	render_set(&o, "tenant", json_string(h->tenant));
	render_set(
	    &o, "state", json_string(h->enrolled ? "enrolled" : "invited"));
	render_set(&o, "key", render_text(h->key));
	render_set(&o, "machine_id", render_text(h->machine_id));
	render_set(&o, "enrolled_at", render_time(h->enrolled_at));
	render_set(&o, "last_seen_at", render_time(h->last_seen_at));
	return o;
}

json_t *
render_event(const struct event_row *e)
{
	const struct lb_event *d = &e->doc;
	json_t *o = json_object();

	render_set(&o, "tenant", json_string(d->tenant));
	render_set(&o, "sequence", json_integer(d->sequence));
	render_set(&o, "event", json_string(d->event));
	render_set(&o, "actor", json_string(d->actor));
	render_set(&o, "request", render_text(d->request));
	render_set(&o, "grant", render_text(d->grant));
	render_set(&o, "host", render_text(d->host));
	render_set(&o, "detail", render_text(d->detail));
	render_set(&o, "at", render_time(d->at));
	render_set(&o, "text", json_string(e->text));
	return o;
}

json_t *
render_stay(const struct stay_row *s)
{
	json_t *o = json_object();

	render_set(&o, "id", json_string(s->id));
	render_set(
	    &o, "state", json_string(s->ended_at == 0 ? "live" : "ended"));
	render_set(&o, "tenant", json_string(s->tenant));
	render_set(&o, "host", json_string(s->host));
	render_set(&o, "session", json_integer(s->session));
	render_set(&o, "login", render_text(s->login));
	render_set(&o, "service", render_text(s->service));
	render_set(&o, "rhost", render_text(s->rhost));
	render_set(&o, "engineer", render_text(s->engineer));
	render_set(&o, "grant", render_text(s->grant));
	render_set(&o, "opened_at", render_time(s->opened_at));
	render_set(&o, "ends_at", render_time(s->ends_at));
	render_set(&o, "ended_at", render_time(s->ended_at));
	render_set(&o, "cause", render_text(s->cause));
	return o;
}

json_t *
render_approvers(const struct lb_trust *t, int64_t now, const char *skip)
{
	const struct lb_pinned_list *l[2] = { &t->approver, &t->hook };
	json_t *a = json_array(), *v;
	size_t k;

	for (size_t n = 0; n < 2; n++)
		for (size_t i = 0; a != NULL && i < l[n]->count; i++) {
			const struct lb_pinned *p = &l[n]->item[i];
			bool known = strcmp(p->principal, skip) == 0 ||
			    !lb_pinned_in_dates(p, now) ||
			    (p->namespaces & LB_NS_APPROVE) == 0;

			json_array_foreach(a, k, v) known |=
			    strcmp(json_string_value(v), p->principal) == 0;
			if (!known)
				(void)json_array_append_new(
				    a, json_string(p->principal));
		}
	return a;
}

static bool
approval_take(void *arg, const struct approval_row *row)
{
	json_t *a = arg, *o = json_object();

	render_set(&o, "principal", json_string(row->principal));
	render_set(&o, "signature", json_string(row->signature));
	render_set(&o, "at", render_time(row->at));
	return json_array_append_new(a, o) == 0;
}

static json_t *
approvals(struct app *app, const char *tenant, const char *grant)
{
	json_t *a = json_array();

	if (a != NULL && grant[0] != '\0' &&
	    store_approval_each(app->store, tenant, grant, approval_take, a) !=
		LB_OK) {
		json_decref(a);
		return NULL;
	}
	return a;
}

static json_t *
deed_json(const struct deed *d, bool reason)
{
	json_t *o;

	if (d->at == 0)
		return json_null();
	o = json_object();
	render_set(&o, "principal", json_string(d->principal));
	render_set(&o, "signature", render_text(d->signature));
	if (reason)
		render_set(&o, "reason", render_text(d->reason));
	render_set(&o, "at", render_time(d->at));
	return o;
}

void
render_asked(json_t **o, const struct lb_request *d)
{
	render_set(o, "tenant", json_string(d->tenant));
	render_set(o, "broker", json_string(d->broker));
	render_set(o, "engineer", json_string(d->engineer));
	render_set(o, "keys", LIST(d->engineer_key));
	render_set(o, "hosts", LIST(d->host));
	render_set(o, "logins", LIST(d->login));
	render_set(o, "services", LIST(d->service));
	render_set(o, "duration", json_integer(d->duration));
	render_set(o, "start", render_time(d->start));
	render_set(o, "extends", render_text(d->extends));
	render_set(o, "ticket", render_text(d->ticket));
	render_set(o, "reason_type", json_string(d->reason_type));
	render_set(o, "reason", json_string(d->reason));
	render_set(o, "requested_at", render_time(d->requested));
}

static json_t *
draft_json(const struct request_row *q, const char *id)
{
	struct lb_grant *g;
	json_t *o;

	if (q->draft_len == 0)
		return json_null();
	g = malloc(sizeof(*g));
	if (g == NULL || lb_grant_parse(q->draft, q->draft_len, g) != LB_OK) {
		free(g);
		return json_null();
	}
	o = json_object();
	render_set(&o, "text", json_string(q->draft));
	render_set(&o, "sha256", json_string(id));
	render_set(&o, "good_until", render_time(g->not_after));
	render_set(&o, "fixed", json_true());
	free(g);
	return o;
}

/* For whom it waits, and how many of them must act. */
static void
waiting(struct app *app, json_t **o, const struct request_row *q,
    enum state state, int64_t now)
{
	struct held *held = trusts_take(app->trusts, q->doc.tenant);
	json_t *who = NULL;
	size_t needed = 0;

	if (state == STATE_PENDING_APPROVAL && held != NULL) {
		who = render_approvers(held->trust, now, q->doc.engineer);
		needed = held->trust->threshold;
	} else if (state == STATE_PENDING_ENDORSEMENT) {
		needed = 1;
	}
	trusts_give(app->trusts, held);
	render_set(o, "waiting_for", who != NULL ? who : json_array());
	render_set(o, "needed", json_integer((json_int_t)needed));
}

json_t *
render_request(struct app *app, const struct request_row *q, int64_t now)
{
	enum state state = rules_state_at(
	    q->state, q->lapses_at, q->not_before, q->not_after, now);
	char code[LB_CODE_LEN + 1], draft[LB_SHA256_LEN + 1] = "";
	json_t *o = json_object();

	lb_request_code(q->sha256, code);
	if (q->draft_len > 0)
		lb_doc_id(q->draft, q->draft_len, draft);
	render_set(&o, "id", json_string(q->doc.request));
	render_set(&o, "sha256", json_string(q->sha256));
	render_set(&o, "code", json_string(code));
	render_set(&o, "state", json_string(row_state_name(state)));
	render_asked(&o, &q->doc);
	render_set(&o, "lapses_at",
	    render_time(rules_state_pending(state) ? q->lapses_at : 0));
	waiting(app, &o, q, state, now);
	render_set(&o, "text", json_string(q->text));
	render_set(&o, "signature", json_string(q->signature));
	render_set(&o, "endorsement", deed_json(&q->endorsement, false));
	render_set(&o, "draft", draft_json(q, draft));
	render_set(&o, "approvals",
	    approvals(
		app, q->doc.tenant, q->grant[0] != '\0' ? q->grant : draft));
	render_set(&o, "denial", deed_json(&q->denial, true));
	render_set(&o, "grant", render_text(q->grant));
	return o;
}

json_t *
render_grant(struct app *app, const struct grant_row *g, int64_t now)
{
	enum state state = rules_state_at(
	    g->state, 0, g->doc.not_before, g->doc.not_after, now);
	const struct lb_grant *d = &g->doc;
	json_t *o = json_object();

	render_set(&o, "id", json_string(g->sha256));
	render_set(&o, "state", json_string(row_state_name(state)));
	render_set(&o, "request", json_string(g->request_id));
	render_set(&o, "tenant", json_string(d->tenant));
	render_set(&o, "engineer", json_string(d->engineer));
	render_set(&o, "keys", LIST(d->engineer_key));
	render_set(&o, "hosts", LIST(d->host));
	render_set(&o, "logins", LIST(d->login));
	render_set(&o, "services", LIST(d->service));
	render_set(&o, "not_before", render_time(d->not_before));
	render_set(&o, "not_after", render_time(d->not_after));
	render_set(&o, "issued", render_time(d->issued));
	render_set(&o, "text", json_stringn(g->bundle.data, g->text_len));
	render_set(&o, "approvals", approvals(app, d->tenant, g->sha256));
	render_set(&o, "revocation", deed_json(&g->closing, true));
	return o;
}
