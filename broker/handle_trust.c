/* Tenants and the trust documents that their owners sign. */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "handlers.h"
#include "lists.h"
#include "log.h"
#include "render.h"

#define DAY INT64_C(86400)

static enum lb_err
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
	r = reply_json(reply, status, render_tenant(&t, held, call->now));
	trusts_give(app->trusts, held);
	return r;
}

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
	page_add(&t->p, render_tenant(row, held, t->p.call->now), 0, row->name);
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

/* Does a broker line name this broker with its present key? */
static bool
names_us(const struct app *app, const struct lb_trust *t)
{
	for (size_t i = 0; i < t->broker.count; i++)
		if (strcmp(t->broker.item[i].principal, app->conf.name) == 0 &&
		    lb_sshkey_equal(
			&t->broker.item[i].key, lb_signer_key(app->signer)))
			return true;
	return false;
}

/*
 * Whose signature of the part is it: a line of by, if it verifies; else NULL.
 * Public keys are no secret, so a key alone says nothing. only 0: in whatever
 * namespace it is.
 */
static const struct lb_pinned *
signer(const struct lb_trust *by, const struct lb_part *part, size_t i,
    enum lb_ns only)
{
	const struct lb_slice *armor = &part->sigs[i];
	const struct lb_pinned *line;
	struct lb_sshsig sig;
	enum lb_ns ns;

	if (lb_sshsig_parse(armor->text, armor->len, &sig) != LB_OK ||
	    (line = trust_line_of(by, sig.key.fp)) == NULL ||
	    (ns = lb_ns_find(sig.ns)) == 0 || (only != 0 && ns != only) ||
	    lb_sshsig_verify(&sig, ns, part->doc.text, part->doc.len) != LB_OK)
		return NULL;
	return line;
}

/* The first whose signature it is. */
static const struct lb_pinned *
signer_first(const struct lb_trust *by, const struct lb_part *part)
{
	const struct lb_pinned *line = NULL;

	for (size_t i = 0; line == NULL && i < part->sig_count; i++)
		line = signer(by, part, i, 0);
	return line;
}

/*
 * What a trust document is once it is stored: the text, and one signature of
 * each owner. Whatever else came with it would only take the room that hosts
 * need to take it up.
 */
static enum lb_err
trust_row_fill(const struct lb_trust *t, const struct lb_trust *by,
    const struct lb_part *part, int64_t now, struct trust_row *ret)
{
	const struct lb_pinned *seen[LB_APPROVERS_MAX];
	size_t count = 0;
	enum lb_err r;

	memcpy(ret->tenant, t->tenant, sizeof(ret->tenant));
	memcpy(ret->sha256, t->id, sizeof(ret->sha256));
	ret->serial = t->serial;
	ret->added_at = now;
	if ((r = lb_buf_add(&ret->bundle, part->doc.text, part->doc.len)) !=
	    LB_OK)
		return r;
	for (size_t i = 0; i < part->sig_count; i++) {
		const struct lb_pinned *line = signer(by, part, i, LB_NS_TRUST);
		bool again = line == NULL || count == LB_APPROVERS_MAX;

		for (size_t k = 0; k < count; k++)
			again |= seen[k] == line;
		if (again)
			continue;
		seen[count++] = line;
		if ((r = lb_buf_add(&ret->bundle, part->sigs[i].text,
			 part->sigs[i].len)) != LB_OK)
			return r;
	}
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
	if ((r = trust_row_fill(t, t, part, call->now, &trust)) != LB_OK)
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
	else if (!names_us(app, t))
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

struct gather {
	struct lb_buf *ret;
	enum lb_err r;
};

static bool
trust_take(void *arg, const struct trust_row *row)
{
	struct gather *g = arg;

	g->r = lb_buf_add(g->ret, row->bundle.data, row->bundle.len);
	return g->r == LB_OK;
}

enum lb_err
trust_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct gather g = { &reply->body, LB_OK };
	struct tenant_row t;
	enum lb_err r;

	if (!rules_may_see_tenant(&call->caller, call->arg))
		return LB_ERR_MISSING;
	if ((r = store_tenant_get(app->store, call->arg, &t)) != LB_OK ||
	    (r = store_trust_each(app->store, call->arg, call->query.after,
		 trust_take, &g)) != LB_OK)
		return r;
	if (g.r != LB_OK)
		return g.r;
	reply->status = 200;
	reply->type = "text/plain; charset=utf-8";
	return LB_OK;
}

static enum lb_err
successor_store(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const char *actor, const struct lb_trust *next,
    const struct lb_part *part)
{
	struct trust_row row = { 0 };
	struct change c = { .trust = &row };
	enum lb_err r;

	if ((r = trust_row_fill(next, held->trust, part, call->now, &row)) !=
	    LB_OK)
		goto out;
	call_event(app, call, &c, "trust.changed", actor, next->tenant);
	ROW_TEXT(change_event(&c)->detail, next->id);
	if ((r = call_commit(app, &c)) != LB_OK)
		goto out;
	if (!names_us(app, next))
		LOG_WARN("trust of '%s' does not name this broker any more, "
			 "its hosts will not believe us",
		    next->tenant);
	r = tenant_answer(app, call, reply, 200, next->tenant);
out:
	trust_row_clear(&row);
	return r;
}

/*
 * The signature decides: nobody needs to be signed in. Whoever has none of the
 * tenant's keys learns nothing, not even that the tenant exists.
 */
static enum lb_err
successor_add(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const struct lb_part *part)
{
	const struct lb_pinned *by;
	struct lb_trust *next = NULL;
	enum lb_err r;

	if (held == NULL || (by = signer_first(held->trust, part)) == NULL)
		return LB_ERR_MISSING;
	if (strcmp(part->id, held->trust->id) == 0)
		return tenant_answer(
		    app, call, reply, 200, held->trust->tenant);
	r = lb_trust_follow(held->trust, part, call->now, &next);
	if (r == LB_ERR_SIGNATURE)
		return reply_refuse(reply, "trust_refused",
		    "too few owners of the one in force signed it");
	if (r == LB_ERR_STATE)
		return reply_refuse(reply, "trust_serial",
		    "serial %lld is in force", (long long)held->trust->serial);
	if (r == LB_ERR_MEMORY)
		return r;
	if (r != LB_OK)
		return reply_refuse(
		    reply, "trust_refused", "%s", lb_err_text(r));
	r = successor_store(app, call, reply, held, by->principal, next, part);
	lb_trust_free(next);
	return r;
}

enum lb_err
trust_add(struct app *app, const struct call *call, struct reply *reply)
{
	struct lb_bundle *b = NULL;
	struct held *held = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(call->body, call->body_len, &b)) != LB_OK)
		goto out;
	if (b->count != 1 || b->part[0].type != &lb_trust_type) {
		r = reply_refuse(reply, "bad_document",
		    "one trust document with its signatures");
		goto out;
	}
	held = trusts_take(app->trusts, call->arg);
	r = successor_add(app, call, reply, held, &b->part[0]);
out:
	trusts_give(app->trusts, held);
	lb_bundle_free(b);
	return call_limit_failed(app, call, reply, LIMIT_DECISION, r);
}
