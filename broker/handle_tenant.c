/* Tenants: taken up with their first trust document, and their settings. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "lists.h"
#include "successor.h"
#include "tenant_view.h"

#define DAY INT64_C(86400)

enum lb_err
tenant_get(struct app *app, const struct call *call, struct reply *reply)
{
	if (!rules_may_see_tenant(&call->caller, call->arg))
		return LB_ERR_MISSING;
	return tenant_answer(app, call, reply, 200, call->arg);
}

struct tenant_page {
	struct app *app;
	struct page p;
};

static bool
tenants_take(void *arg, const struct tenant_row *row)
{
	struct tenant_page *t = arg;
	struct held *held;

	if (!rules_may_see_tenant(&t->p.call->caller, row->name))
		return true;
	if (page_full(&t->p))
		return false;
	held = trusts_take(t->app->trusts, row->name);
	page_add(&t->p, tenant_view(t->app, row, held, t->p.call->now), 0,
	    row->name);
	trusts_give(t->app->trusts, held);
	return true;
}

enum lb_err
tenants_list(struct app *app, const struct call *call, struct reply *reply)
{
	struct tenant_page t = { .app = app };
	enum lb_err r;

	page_init(&t.p, call);
	r = store_tenant_each(
	    app->store, call->query.before_id, tenants_take, &t);
	return page_end(&t.p, r, reply);
}

/* Read settings over what t holds. */
static enum lb_err
settings_read(struct reply *reply, json_t *o, struct tenant_row *t)
{
	json_int_t endorse = t->endorse_ttl, approve = t->approve_ttl;
	json_int_t grant = t->grant_ttl;
	int endorsement = t->endorsement;

	if (json_unpack_ex(o, NULL, JSON_STRICT, "{s?I, s?I, s?I, s?b}",
		"endorse_ttl", &endorse, "approve_ttl", &approve, "grant_ttl",
		&grant, "endorsement", &endorsement) != 0)
		return reply_refuse(reply, "bad_json", "settings");
	if (endorse < 60 || endorse > 7 * DAY || approve < 60 ||
	    approve > 7 * DAY || grant < LB_DURATION_MIN ||
	    grant > LB_GRANT_SPAN_MAX)
		return reply_refuse(
		    reply, "bad_value", "a time is out of its range");
	t->endorse_ttl = endorse;
	t->approve_ttl = approve;
	t->grant_ttl = grant;
	t->endorsement = endorsement != 0;
	return LB_OK;
}

/* Store the first document of a tenant, and the tenant with it. */
static enum lb_err
tenant_store(struct app *app, const struct call *call, struct reply *reply,
    const struct lb_trust *t, const struct lb_part *part,
    struct tenant_row *row, struct idem_row *idem)
{
	struct trust_row trust = { 0 };
	struct change c = { .tenant = row, .trust = &trust };
	enum lb_err r;

	memcpy(row->name, t->tenant, sizeof(row->name));
	row->created_at = call->now;
	if ((r = successor_row(t, t, part, call->now, &trust)) != LB_OK)
		goto out;
	if (idem->key[0] != '\0') {
		ROW_TEXT(idem->arg, row->name);
		c.idem = idem;
	}
	call_event(
	    app, call, &c, "tenant.created", call->caller.principal, row->name);
	ROW_TEXT(change_event(&c)->detail, t->id);
	r = call_commit(app, &c);
	if (r == LB_ERR_CONFLICT)
		r = reply_refuse(reply, "name_taken", "%s", row->name);
	if (r != LB_OK)
		goto out;
	r = tenant_answer(app, call, reply, 201, row->name);
out:
	trust_row_clear(&trust);
	return r;
}

static enum lb_err
first_check(struct app *app, const struct call *call, struct reply *reply,
    const struct lb_bundle *b, struct lb_trust **ret)
{
	struct lb_trust *t = NULL;
	const struct lb_part *part = &b->part[0];
	enum lb_err r;

	if (b->count != 1 || part->type != &lb_trust_type)
		return reply_refuse(reply, "bad_document",
		    "one trust document with its signatures");
	if ((r = lb_trust_parse(part->doc.text, part->doc.len, &t)) != LB_OK) {
		if (r == LB_ERR_MEMORY)
			return r;
		return reply_refuse(
		    reply, "trust_refused", "%s", lb_err_text(r));
	}
	if (lb_trust_selfsigned(t, part, call->now) != LB_OK)
		r = reply_refuse(reply, "trust_refused",
		    "too few of its own owners signed it");
	else if (call->now >= t->good_until)
		r = reply_refuse(reply, "trust_over", "%s", "");
	else if (!successor_names_us(app, t))
		r = reply_refuse(
		    reply, "broker_not_named", "%s", app->key_line);
	else if (strcmp(t->tenant, app->conf.name) == 0)
		r = reply_refuse(reply, "name_taken",
		    "a tenant may not be called as the broker");
	if (r != LB_OK) {
		lb_trust_free(t);
		return r;
	}
	*ret = t;
	return LB_OK;
}

enum lb_err
tenant_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct tenant_row row = { .endorse_ttl = app->conf.endorse_ttl,
		.approve_ttl = app->conf.approve_ttl,
		.grant_ttl = app->conf.grant_ttl,
		.endorsement = true };
	struct lb_bundle *b = NULL;
	struct lb_trust *t = NULL;
	struct idem_row idem;
	json_t *root = NULL, *settings = NULL;
	const char *text;
	enum lb_err r;

	if ((r = call_idem(app, call, "tenants", reply, &idem)) != LB_OK)
		return r;
	if (idem.arg[0] != '\0')
		return tenant_answer(app, call, reply, 201, idem.arg);
	if ((r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if (json_unpack_ex(root, NULL, JSON_STRICT, "{s:s, s?o}", "bundle",
		&text, "settings", &settings) != 0) {
		r = reply_refuse(reply, "bad_json", "bundle, settings");
		goto out;
	}
	if (settings != NULL &&
	    (r = settings_read(reply, settings, &row)) != LB_OK)
		goto out;
	if ((r = lb_bundle_split(text, strlen(text), &b)) != LB_OK ||
	    (r = first_check(app, call, reply, b, &t)) != LB_OK)
		goto out;
	r = tenant_store(app, call, reply, t, &b->part[0], &row, &idem);
out:
	lb_trust_free(t);
	lb_bundle_free(b);
	json_decref(root);
	return r;
}

enum lb_err
tenant_settings(struct app *app, const struct call *call, struct reply *reply)
{
	struct tenant_row t;
	struct change c = { .tenant = &t };
	json_t *root = NULL;
	enum lb_err r;

	if ((r = store_tenant_get(app->store, call->arg, &t)) != LB_OK ||
	    (r = call_match(call, reply, t.version)) != LB_OK ||
	    (r = call_json(call, reply, &root)) != LB_OK)
		goto out;
	if ((r = settings_read(reply, root, &t)) != LB_OK)
		goto out;
	call_event(
	    app, call, &c, "tenant.changed", call->caller.principal, t.name);
	if ((r = call_commit(app, &c)) != LB_OK)
		goto out;
	r = tenant_answer(app, call, reply, 200, t.name);
out:
	json_decref(root);
	return r;
}
