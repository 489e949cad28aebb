/* What handlers have in common. */
#include "call.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "body.h"
#include "log.h"
#include "outbox.h"
#include "sender.h"

enum lb_err
call_limit(struct app *app, struct reply *reply, enum limit_kind kind,
    const char *name)
{
	int64_t wait;

	wait = limits_take(app->limits, kind, name, lb_clock_boottime_ms());
	if (wait == 0)
		return LB_OK;
	metrics_count(&app->metrics.rate_limited);
	reply->retry_after = wait;
	return reply_refuse(
	    reply, "rate_limited", "come again in %" PRId64 " seconds", wait);
}

enum lb_err
call_limit_address(struct app *app, const struct call *call,
    struct reply *reply, enum limit_kind kind)
{
	char name[INET6_ADDRSTRLEN];

	limits_address(call->address, name);
	return call_limit(app, reply, kind, name);
}

enum lb_err
call_limit_failed(struct app *app, const struct call *call, struct reply *reply,
    enum limit_kind kind, enum lb_err r)
{
	enum lb_err limited;

	if (r == LB_OK)
		return r;
	limited = call_limit_address(app, call, reply, kind);
	return limited != LB_OK ? limited : r;
}

enum lb_err
call_json(const struct call *call, struct reply *reply, json_t **ret)
{
	enum lb_err r;

	r = body_parse(call->body, call->body_len, ret);
	if (r == LB_OK || r == LB_ERR_MEMORY)
		return r;
	return reply_refuse(reply, "bad_json", "%s",
	    r == LB_ERR_RANGE ? "too deep" : "not one strict JSON object");
}

enum lb_err
call_nothing(const struct call *call, struct reply *reply)
{
	json_t *root;
	size_t n;
	enum lb_err r;

	if ((r = call_json(call, reply, &root)) != LB_OK)
		return r;
	n = json_object_size(root);
	json_decref(root);
	if (n != 0)
		return reply_refuse(reply, "bad_json", "the body must be {}");
	return LB_OK;
}

void
call_etag(struct reply *reply, int64_t version)
{
	(void)snprintf(
	    reply->etag, sizeof(reply->etag), "\"v%" PRId64 "\"", version);
}

enum lb_err
call_match(const struct call *call, struct reply *reply, int64_t version)
{
	char want[REPLY_ETAG_MAX];

	(void)snprintf(want, sizeof(want), "\"v%" PRId64 "\"", version);
	if (call->if_match == NULL || strcmp(call->if_match, "*") == 0 ||
	    strcmp(call->if_match, want) == 0)
		return LB_OK;
	return reply_refuse(reply, "stale", "it is now %s", want);
}

static bool
idem_key_valid(const char *s)
{
	size_t n = strspn(s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n <= ROW_IDEM_MAX && s[n] == '\0';
}

enum lb_err
call_idem(struct app *app, const struct call *call, const char *route,
    struct reply *reply, struct idem_row *ret)
{
	struct idem_row was, now = { .at = call->now };
	struct lb_buf b = { 0 };
	enum lb_err r;

	if (call->idempotency_key == NULL) {
		*ret = (struct idem_row){ 0 };
		return LB_OK;
	}
	if (!idem_key_valid(call->idempotency_key))
		return reply_refuse(reply, "bad_value", "Idempotency-Key");
	if ((r = lb_buf_addf(&b, "%s\n", route)) != LB_OK ||
	    (r = lb_buf_add(&b, call->body, call->body_len)) != LB_OK)
		goto out;
	lb_doc_id(b.data, b.len, now.body);
	(void)snprintf(
	    now.principal, sizeof(now.principal), "%s", call->caller.principal);
	(void)snprintf(now.key, sizeof(now.key), "%s", call->idempotency_key);
	r = store_idem_get(app->store, now.principal, now.key, &was);
	if (r == LB_ERR_MISSING) {
		*ret = now;
		r = LB_OK;
	} else if (r == LB_OK && strcmp(was.body, now.body) != 0) {
		r = reply_refuse(reply, "idempotency_mismatch", "%s", "");
	} else if (r == LB_OK) {
		*ret = was;
	}
out:
	lb_buf_clear(&b);
	return r;
}

struct lb_event *
change_event(struct change *c)
{
	assert(c->event_count > 0);
	return &c->event[c->event_count - 1];
}

void
call_event(struct app *app, const struct call *call, struct change *c,
    const char *event, const char *actor, const char *tenant)
{
	struct lb_event *e;

	assert(c->event_count < ROW_EVENTS_MAX);
	e = &c->event[c->event_count++];
	memset(e, 0, sizeof(*e));
	(void)snprintf(e->event, sizeof(e->event), "%s", event);
	(void)snprintf(e->actor, sizeof(e->actor), "%s", actor);
	(void)snprintf(e->tenant, sizeof(e->tenant), "%s",
	    tenant[0] != '\0' ? tenant : app->conf.name);
	e->at = call->now;
}

/* The tenant whose trust document the change was made by; NULL: none. */
static const char *
rests_on_trust(const struct change *c)
{
	if (c->trust != NULL)
		return c->trust->tenant;
	return c->proposal != NULL ? c->proposal->tenant : NULL;
}

/*
 * Bring memory up to what was committed, or may have been; only then those who
 * wait for it may look.
 */
static enum lb_err
memory_follow(struct app *app, const struct change *c, enum lb_err committed)
{
	const char *tenant = rests_on_trust(c);
	enum lb_err r = committed;

	if (c->grant != NULL)
		doors_forget(app->doors, &c->grant->doc);
	if (c->person != NULL)
		doors_forget_all(app->doors);
	if (c->host != NULL)
		hosts_forget(app->hosts);
	/* Stored already, perhaps by a commit that memory did not follow. */
	if (tenant != NULL && committed == LB_ERR_CONFLICT &&
	    trusts_reload(app->trusts, app->store, tenant) != LB_OK)
		LOG_WARN("read trust of '%s' again: failed, ignoring", tenant);
	if (committed != LB_OK)
		return r;
	if (c->trust != NULL)
		r = trusts_reload(app->trusts, app->store, c->trust->tenant);
	wake_change(app->wake, c);
	return r;
}

/* Who is told of it is written down with it. */
static enum lb_err
commit_told(struct app *app, const struct change *c)
{
	struct change *full = malloc(sizeof(*full));
	struct notices n = { 0 };
	enum lb_err r = LB_ERR_MEMORY;

	if (full == NULL || (r = outbox_notices(c, app->clock(), &n)) != LB_OK)
		goto out;
	*full = *c;
	full->notice = n.row;
	full->notice_count = n.count;
	r = store_commit(app->store, full);
	if (r == LB_OK && n.count > 0)
		sender_wake(app->sender);
out:
	outbox_notices_clear(&n);
	free(full);
	return r;
}

enum lb_err
call_commit(struct app *app, const struct change *c)
{
	const struct lb_event *e =
	    c->event_count > 0 ? &c->event[0] : &c->intake->event[0];
	enum lb_err r;

	r = memory_follow(app, c, commit_told(app, c));
	if (r == LB_OK) {
		LOG_NOTE(
		    "event=\"%s\" tenant=\"%s\" actor=\"%s\" request=\"%s\""
		    " grant=\"%s\"%s%s%s",
		    e->event, e->tenant, e->actor, e->request, e->grant,
		    e->host[0] != '\0' ? " host=\"" : "", e->host,
		    e->host[0] != '\0' ? "\"" : "");
	} else if (r != LB_ERR_CONFLICT) {
		metrics_count(&app->metrics.store_errors);
		LOG_ERR_R(r, "store '%s'", e->event);
	}
	return r;
}
