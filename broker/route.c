/* The routes of doc/http-api.md. */
#include "route.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "lockbox/clock.h"

#include "body.h"
#include "caller.h"
#include "handlers.h"
#include "headers.h"
#include "lists.h"
#include "log.h"

#define OPERATOR ROLE_OPERATOR
#define TENDERS  (ROLE_OPERATOR | ROLE_APPROVER) /* rules_may_tend */
#define STAFF    (ROLE_OPERATOR | ROLE_AUDITOR | ROLE_MANAGER)
#define RECORDS  (ROLE_OPERATOR | ROLE_AUDITOR | ROLE_APPROVER)
#define PAGES    ROUTE_PAGES

const struct route routes[] = {
	/* First what hosts call: looked for the most by far. */
	{ "POST", "/v1/ask", ROUTE_HOST, BODY_BUNDLE, ask_post },
	{ "POST", "/v1/watch", ROUTE_HOST, BODY_BUNDLE, watch_post },
	{ "POST", "/v1/report", ROUTE_HOST, BODY_BUNDLE, report_post },
	{ "GET", "/", ROUTE_NONE, BODY_NONE, portal_index },
	{ "GET", "/portal/{file}", ROUTE_NONE, BODY_NONE, portal_get },
	{ "GET", "/approve.html", ROUTE_NONE, BODY_NONE, portal_own_page },
	{ "GET", "/healthz", ROUTE_NONE, BODY_NONE, health_get },
	{ "GET", "/readyz", ROUTE_NONE, BODY_NONE, ready_get },
	{ "GET", "/metrics", ROUTE_NONE, BODY_NONE, metrics_get },
	{ "GET", "/v1/broker", ROUTE_NONE | PAGES, BODY_NONE, broker_get },
	{ "POST", "/v1/signin/nonce", ROUTE_NONE | PAGES, BODY_JSON,
	    nonce_post },
	{ "POST", "/v1/signin", ROUTE_NONE | PAGES, BODY_JSON, signin_post },
	{ "POST", "/v1/signin/browser", ROUTE_NONE, BODY_JSON, browser_begin },
	{ "POST", "/v1/signin/browser/look", ROUTE_NONE, BODY_JSON,
	    browser_look },
	{ "POST", "/v1/signin/browser/confirm", ROUTE_SIGNATURE, BODY_JSON,
	    browser_confirm },
	{ "POST", "/v1/signin/browser/poll", ROUTE_NONE, BODY_JSON,
	    browser_poll },
	{ "POST", "/v1/signout", ROUTE_ANY | PAGES, BODY_JSON, signout_post },
	{ "GET", "/v1/whoami", ROUTE_ANY | PAGES, BODY_NONE, whoami_get },
	{ "GET", "/v1/me/signin-keys", ROUTE_ANY, BODY_NONE, signin_keys_list },
	{ "POST", "/v1/me/signin-keys", ROUTE_ANY, BODY_JSON, signin_key_add },
	{ "POST", "/v1/me/signin-keys/{id}/remove", ROUTE_ANY, BODY_JSON,
	    signin_key_remove },
	{ "POST", "/v1/requests", ROLE_ENGINEER, BODY_JSON, request_add },
	{ "GET", "/v1/requests", ROUTE_ANY | PAGES, BODY_NONE, requests_list },
	{ "GET", "/v1/requests/{id}", ROUTE_ANY | PAGES, BODY_NONE,
	    request_get },
	{ "POST", "/v1/requests/{id}/endorse", ROUTE_SIGNATURE, BODY_JSON,
	    request_endorse },
	{ "POST", "/v1/requests/{id}/draft", ROUTE_ANY | PAGES, BODY_JSON,
	    request_draft },
	{ "POST", "/v1/requests/{id}/approve", ROUTE_SIGNATURE | PAGES,
	    BODY_JSON, request_approve },
	{ "POST", "/v1/requests/{id}/deny", ROUTE_SIGNATURE | PAGES, BODY_JSON,
	    request_deny },
	{ "POST", "/v1/requests/{id}/cancel", ROLE_ENGINEER, BODY_JSON,
	    request_cancel },
	{ "GET", "/v1/grants", ROUTE_ANY | PAGES, BODY_NONE, grants_list },
	{ "GET", "/v1/grants/{id}", ROUTE_ANY | PAGES, BODY_NONE, grant_get },
	{ "GET", "/v1/grants/{id}/bundle", ROUTE_ANY | PAGES, BODY_NONE,
	    grant_bundle },
	{ "POST", "/v1/grants/{id}/revoke", ROUTE_SIGNATURE | PAGES, BODY_JSON,
	    grant_revoke },
	{ "POST", "/v1/grants/{id}/return", ROLE_ENGINEER, BODY_JSON,
	    grant_return },
	{ "POST", "/v1/grants/{id}/stop", ROLE_MANAGER, BODY_JSON, grant_stop },
	{ "POST", "/v1/hook", ROUTE_SIGNATURE, BODY_BUNDLE, hook_post },
	{ "GET", "/v1/tenants", ROUTE_ANY, BODY_NONE, tenants_list },
	{ "POST", "/v1/tenants", OPERATOR, BODY_JSON, tenant_add },
	{ "GET", "/v1/tenants/{name}", ROUTE_ANY | PAGES, BODY_NONE,
	    tenant_get },
	{ "POST", "/v1/tenants/{name}/settings", OPERATOR, BODY_JSON,
	    tenant_settings },
	{ "GET", "/v1/tenants/{name}/trust", ROUTE_ANY | PAGES, BODY_NONE,
	    trust_get },
	{ "POST", "/v1/tenants/{name}/trust", ROUTE_SIGNATURE, BODY_BUNDLE,
	    trust_add },
	{ "GET", "/v1/tenants/{name}/proposal", ROUTE_ANY | PAGES, BODY_NONE,
	    proposal_get },
	{ "POST", "/v1/tenants/{name}/proposal", ROUTE_SIGNATURE | PAGES,
	    BODY_JSON, proposal_sign },
	{ "POST", "/v1/tenants/{name}/proposal/withdraw", ROLE_APPROVER | PAGES,
	    BODY_JSON, proposal_withdraw },
	{ "GET", "/v1/tenants/{name}/contacts", TENDERS, BODY_NONE,
	    contacts_list },
	{ "POST", "/v1/tenants/{name}/contacts", TENDERS, BODY_JSON,
	    contact_set },
	{ "GET", "/v1/tenants/{name}/invitations", TENDERS, BODY_NONE,
	    invitations_list },
	{ "POST", "/v1/tenants/{name}/invitations", TENDERS, BODY_JSON,
	    invitation_add },
	{ "POST", "/v1/invitations/accept", ROUTE_NONE | PAGES, BODY_JSON,
	    invitation_accept },
	{ "POST", "/v1/invitations/{id}/withdraw", TENDERS, BODY_JSON,
	    invitation_withdraw },
	{ "GET", "/v1/tenants/{name}/candidates", TENDERS | PAGES, BODY_NONE,
	    candidates_list },
	{ "POST", "/v1/candidates/{id}/remove", TENDERS, BODY_JSON,
	    candidate_remove },
	{ "GET", "/v1/hosts", ROUTE_ANY, BODY_NONE, hosts_list },
	{ "POST", "/v1/hosts", OPERATOR, BODY_JSON, host_invite },
	{ "GET", "/v1/hosts/{name}", ROUTE_ANY, BODY_NONE, host_get },
	{ "POST", "/v1/hosts/{name}/remove", OPERATOR, BODY_JSON, host_remove },
	{ "GET", "/v1/sessions", ROUTE_ANY | PAGES, BODY_NONE, sessions_list },
	{ "GET", "/v1/sessions/{id}", ROUTE_ANY, BODY_NONE, session_get },
	{ "GET", "/v1/people", STAFF, BODY_NONE, people_list },
	{ "POST", "/v1/people", OPERATOR, BODY_JSON, person_add },
	{ "GET", "/v1/people/{principal}", STAFF, BODY_NONE, person_get },
	{ "POST", "/v1/people/{principal}", OPERATOR, BODY_JSON,
	    person_change },
	{ "GET", "/v1/tenants/{name}/webhooks", TENDERS, BODY_NONE,
	    webhooks_list },
	{ "POST", "/v1/tenants/{name}/webhooks", TENDERS, BODY_JSON,
	    webhook_add },
	{ "GET", "/v1/webhooks/{id}", TENDERS, BODY_NONE, webhook_get },
	{ "POST", "/v1/webhooks/{id}", TENDERS, BODY_JSON, webhook_change },
	{ "POST", "/v1/webhooks/{id}/rotate", TENDERS, BODY_JSON,
	    webhook_rotate },
	{ "POST", "/v1/webhooks/{id}/test", TENDERS, BODY_JSON, webhook_test },
	{ "POST", "/v1/webhooks/{id}/remove", TENDERS, BODY_JSON,
	    webhook_remove },
	{ "GET", "/v1/webhooks/{id}/deliveries", RECORDS, BODY_NONE,
	    webhook_deliveries },
	{ "GET", "/v1/deliveries", RECORDS, BODY_NONE, deliveries_list },
	{ "POST", "/v1/deliveries/{id}/retry", TENDERS, BODY_JSON,
	    delivery_retry },
	{ "GET", "/v1/events", RECORDS, BODY_NONE, events_list },
	{ "POST", "/v1/enrol", ROUTE_NONE, BODY_JSON, host_enrol },
	{ 0 },
};

/* Ids, names and principals: nothing that needs unescaping twice. */
static bool
arg_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr(":._@+-", c));
}

/* Does path fit the pattern? arg gets what stands for {...}. */
static bool
path_fits(const char *pattern, const char *path, char arg[CALL_ARG_MAX + 1])
{
	size_t n = 0;

	arg[0] = '\0';
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		while (arg_char(*path) && n < CALL_ARG_MAX)
			arg[n++] = *path++;
		arg[n] = '\0';
		if (n == 0)
			return false;
		pattern = strchr(pattern, '}') + 1;
	}
	return *path == '\0';
}

const struct route *
route_find(const char *method, const char *path, char ret_arg[CALL_ARG_MAX + 1],
    char ret_allow[64])
{
	ret_allow[0] = '\0';
	for (const struct route *r = routes; r->method != NULL; r++) {
		if (!path_fits(r->path, path, ret_arg))
			continue;
		if (strcmp(method, r->method) == 0)
			return r;
		(void)snprintf(ret_allow + strlen(ret_allow),
		    64 - strlen(ret_allow), "%s%s",
		    ret_allow[0] != '\0' ? ", " : "", r->method);
	}
	return NULL;
}

size_t
route_body_max(const struct route *route)
{
	if (route->body == BODY_JSON)
		return BODY_JSON_MAX;
	return route->body == BODY_BUNDLE ? BODY_BUNDLE_MAX : 0;
}

bool
route_takes(const struct route *route, const char *type)
{
	const char *want =
	    route->body == BODY_JSON ? "application/json" : "text/plain";
	size_t n = strlen(want);

	if (route->body == BODY_NONE)
		return true;
	return type != NULL && strncasecmp(type, want, n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static bool
prefix_valid(const char *s)
{
	size_t n = strspn(s,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz:"
	    "0123456789");

	return n >= 4 && s[n] == '\0';
}

static enum lb_err
state_query(struct query *q, const char *value)
{
	q->state = row_state_find(value);
	if (strcmp(value, "live") == 0)
		q->stay = STAY_LIVE;
	if (strcmp(value, "ended") == 0)
		q->stay = STAY_ENDED;
	q->delivery = delivery_state_find(value);
	return q->state != 0 || q->stay != 0 || q->delivery != 0
	    ? LB_OK
	    : LB_ERR_FORMAT;
}

#define COPY(array, value) lb_text_copy(array, sizeof(array), value)

enum lb_err
route_query(struct query *q, const char *name, const char *value)
{
	if (value == NULL)
		return LB_ERR_FORMAT;
	if (strcmp(name, "limit") == 0)
		return lb_number_parse(value, 1, CALL_LIMIT_MAX, &q->limit);
	if (strcmp(name, "cursor") == 0)
		return page_cursor_read(value, q);
	if (strcmp(name, "state") == 0) {
		return state_query(q, value);
	}
	if (strcmp(name, "tenant") == 0 && lb_name_valid(value))
		return COPY(q->tenant, value);
	if (strcmp(name, "host") == 0 && lb_host_valid(value))
		return COPY(q->host, value);
	if (strcmp(name, "prefix") == 0 && prefix_valid(value))
		return COPY(q->prefix, value);
	if (strcmp(name, "request") == 0 && lb_id_valid(value))
		return COPY(q->request, value);
	if (strcmp(name, "after") == 0)
		return lb_number_parse(value, 0, INT64_MAX, &q->after);
	return LB_ERR_FORMAT;
}

/* Where it comes from: origin.c. */
static enum lb_err
visited(struct app *app, const struct route *route, struct call *call,
    struct reply *reply)
{
	char token[CALLER_TOKEN_LEN + 1];
	struct visit v = { .get = route->body == BODY_NONE,
		.bearer = call->authorization != NULL,
		.site = call->site };
	const char *code;
	enum lb_err r;

	call->from = caller_from(app, call->origin);
	if (call->from == ORIGIN_PAGE && (route->who & ROUTE_PAGES) == 0)
		call->from = ORIGIN_FOREIGN;
	if (call->from == ORIGIN_PAGE)
		(void)snprintf(reply->allow_origin, sizeof(reply->allow_origin),
		    "%s", call->origin);
	if (v.get && (route->who & ROUTE_ANY) == 0)
		return LB_OK; /* the same for everybody */
	r = cookie_read(call->cookie, CALLER_COOKIE, token, sizeof(token));
	if (r == LB_ERR_FORMAT)
		return reply_refuse(reply, "bad_request", "two cookies");
	v.cookie = r != LB_ERR_MISSING;
	v.from = call->from;
	code = origin_refuses(&v);
	sodium_memzero(token, sizeof(token));
	return code != NULL ? reply_refuse(reply, code, "%s", "") : LB_OK;
}

/* Sessions and roles. What a role may do with which row: rules.c. */
static enum lb_err
admitted(struct app *app, const struct route *route, struct call *call,
    struct reply *reply)
{
	enum lb_err r;

	if ((route->who & ROUTE_ANY) == 0)
		return LB_OK;
	if ((r = caller_read(app, call, reply, &call->caller)) != LB_OK)
		return r;
	if ((call->caller.roles & route->who) == 0)
		return reply_refuse(reply, "role_needed", "%s", "");
	/* A key is one person's; another tenant may use the same name. */
	return call_limit(app, reply, LIMIT_READ, call->caller.key_fp);
}

void
route_run(struct app *app, const struct route *route, struct call *call,
    struct reply *reply)
{
	enum lb_err r;

	call->now = app->clock();
	if ((r = visited(app, route, call, reply)) == LB_OK &&
	    (r = admitted(app, route, call, reply)) == LB_OK)
		r = route->handler(app, call, reply);
	if (r != LB_OK) {
		if (reply->code == NULL)
			LOG_DBG("%s %s: %s", route->method, route->path,
			    lb_err_text(r));
		if (r == LB_ERR_STORE)
			metrics_count(&app->metrics.store_errors);
		reply_problem(reply, r);
	}
}

bool
route_preflight(struct app *app, const char *method, const char *path,
    const char *origin, struct reply *reply)
{
	char arg[CALL_ARG_MAX + 1], allow[64];
	const struct route *route = route_find(method, path, arg, allow);

	if (route == NULL || (route->who & ROUTE_PAGES) == 0 ||
	    caller_from(app, origin) != ORIGIN_PAGE)
		return false;
	reply->status = 204;
	reply->preflight = route->method;
	(void)snprintf(
	    reply->allow_origin, sizeof(reply->allow_origin), "%s", origin);
	return true;
}

void
route_who(const struct route *route, char *ret, size_t size)
{
	static const char *const names[] = { "engineer", "manager", "operator",
		"auditor", "approver" };
	const unsigned int who = route->who & ~ROUTE_PAGES;
	const char *word = NULL;

	if (who == ROUTE_NONE)
		word = "none";
	else if (who == ROUTE_SIGNATURE)
		word = "signature";
	else if (who == ROUTE_HOST)
		word = "host";
	else if (who == ROUTE_ANY)
		word = "any";
	(void)snprintf(ret, size, "%s", word != NULL ? word : "");
	for (size_t i = 0; word == NULL && i < 5; i++)
		if ((route->who & (1U << i)) != 0)
			(void)snprintf(ret + strlen(ret), size - strlen(ret),
			    "%s%s", ret[0] != '\0' ? "," : "", names[i]);
}
