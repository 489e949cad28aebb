/* Answers and refusals. The table of codes is an interface: doc/http-api.md. */
#include "reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A refusal: stable code, status, what it is, what to do next. */
static const struct problem {
	const char *code;
	unsigned int status;
	const char *title, *next;
} problems[] = {
	{ "bad_request", 400, "The request cannot be read", "" },
	{ "bad_json", 400, "The body is not the JSON that is asked for",
	    "see the route in doc/http-api.md" },
	{ "bad_query", 400, "A parameter behind '?' is unknown or wrong", "" },
	{ "bad_document", 400, "The document is not in its one spelling", "" },
	{ "bad_signature", 400,
	    "The signature cannot be read or does not verify",
	    "sign exactly the bytes of the document, in its namespace" },
	{ "bad_value", 400, "A value is not what it must be", "" },
	{ "signin_needed", 401, "Nobody is signed in", "run: lockbox signin" },
	{ "signin_refused", 401, "The sign-in is not valid",
	    "is this key registered for this name?" },
	{ "nonce_over", 401, "The nonce is unknown, used or too old",
	    "ask for a new one" },
	{ "mac_refused", 401, "The enrolment code does not fit", "" },
	{ "invitation_refused", 401,
	    "There is no such invitation, or its code does not fit",
	    "ask who invited you for a new one" },
	{ "host_unknown", 401, "No enrolled host has this key",
	    "run on the host: lockbox host enrol" },
	{ "role_needed", 403, "This needs another role", "" },
	{ "foreign_origin", 403, "Not from this page",
	    "open the broker's own page at its url" },
	{ "own_request", 403, "Nobody decides about their own request", "" },
	{ "cannot_approve", 403,
	    "The trust document does not let this signature approve", "" },
	{ "not_found", 404, "There is no such thing, or not for you", "" },
	{ "wrong_method", 405, "The path knows other methods", "" },
	{ "wrong_state", 409, "Not possible in its present state", "" },
	{ "conflict", 409, "Somebody else was faster", "read it again" },
	{ "ambiguous", 409, "Several tenants have one of that name",
	    "add ?tenant=NAME" },
	{ "name_taken", 409, "The name is taken", "" },
	{ "key_taken", 409, "The key belongs to somebody else", "" },
	{ "pinned_key", 409,
	    "The key is pinned by a trust document: it approves, and signs in "
	    "on the customer's own page alone",
	    "" },
	{ "too_many_keys", 409, "One more key is too many", "" },
	{ "id_taken", 409, "The request's id is taken", "make a new request" },
	{ "request_open", 409, "The same is asked for already",
	    "wait for it, or cancel it" },
	{ "nobody_can_approve", 409, "Nobody could approve this request now",
	    "" },
	{ "draft_fixed", 409, "Another text has been signed already",
	    "sign exactly that text, or replace the draft" },
	{ "idempotency_mismatch", 409,
	    "The Idempotency-Key was used for another body", "" },
	{ "too_many", 409, "There are as many as may be", "" },
	{ "last_operator", 409, "Nobody would be left to operate", "" },
	{ "code_over", 410, "The code is unknown, used or too old",
	    "open the page again for a new one" },
	{ "stale", 412, "It changed since it was read", "read it again" },
	{ "too_large", 413, "The body is too large", "" },
	{ "uri_too_long", 414, "The path is too long", "" },
	{ "wrong_type", 415, "The body's content type is not taken here", "" },
	{ "not_within", 422, "The grant goes beyond the request", "" },
	{ "address_refused", 422, "Nobody may be reached at this address",
	    "a public address, or ask the operator: webhook_private" },
	{ "too_long", 422, "It would last longer than may be", "" },
	{ "draft_old", 422, "The draft's times are not good any more",
	    "ask for a new draft" },
	{ "over", 422, "Its time is over already", "" },
	{ "would_not_pass", 422, "No host would let this grant pass", "" },
	{ "not_your_name", 422, "The document names another engineer", "" },
	{ "other_broker", 422, "The document is for another broker", "" },
	{ "unknown_key", 422, "An engineer-key is not in the roster", "" },
	{ "unknown_host", 422, "The tenant has no host of that name", "" },
	{ "stale_request", 422, "The request was not written just now",
	    "is the clock right?" },
	{ "bad_start", 422, "The start is not a time that can be asked for",
	    "" },
	{ "candidate_refused", 422,
	    "The passkey is of no page that the trust document names", "" },
	{ "trust_over", 422, "The tenant's trust document is past its end",
	    "the customer signs a new one" },
	{ "trust_refused", 422, "The trust document does not hold", "" },
	{ "trust_serial", 409, "Not the successor of the one in force", "" },
	{ "proposal_open", 409, "Another successor is proposed already",
	    "sign that one, or send yours with replace" },
	{ "broker_not_named", 422,
	    "The trust document does not name this broker and its key", "" },
	{ "rate_limited", 429, "Too many just now", "" },
	{ "header_too_large", 431, "The headers are too large", "" },
	{ "internal", 500, "The broker failed", "see its log" },
	{ "store_failed", 503, "The database failed", "see the broker's log" },
};
#define PROBLEMS (sizeof(problems) / sizeof(problems[0]))

static const struct problem *
problem_find(const char *code)
{
	for (size_t i = 0; i < PROBLEMS; i++)
		if (strcmp(problems[i].code, code) == 0)
			return &problems[i];
	return NULL;
}

const char *
reply_code(size_t i, unsigned int *ret_status, const char **ret_title)
{
	if (i >= PROBLEMS)
		return NULL;
	*ret_status = problems[i].status;
	*ret_title = problems[i].title;
	return problems[i].code;
}

void
reply_clear(struct reply *reply)
{
	lb_buf_clear(&reply->body);
	memset(reply, 0, sizeof(*reply));
}

enum lb_err
reply_json(struct reply *reply, unsigned int status, json_t *root)
{
	char *text = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	lb_buf_clear(&reply->body);
	if (root == NULL)
		return r;
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (text == NULL)
		return r;
	if ((r = lb_buf_adds(&reply->body, text)) == LB_OK &&
	    (r = lb_buf_adds(&reply->body, "\n")) == LB_OK) {
		reply->status = status;
		reply->type = "application/json";
	}
	free(text);
	return r;
}

enum lb_err
reply_text(struct reply *reply, unsigned int status, const char *type,
    const char *text, size_t len)
{
	enum lb_err r;

	lb_buf_clear(&reply->body);
	if ((r = lb_buf_add(&reply->body, text, len)) != LB_OK)
		return r;
	reply->status = status;
	reply->type = type;
	return LB_OK;
}

enum lb_err
reply_empty(struct reply *reply)
{
	lb_buf_clear(&reply->body);
	reply->status = 204;
	reply->type = NULL;
	return LB_OK;
}

enum lb_err
reply_refuse(struct reply *reply, const char *code, const char *fmt, ...)
{
	const struct problem *p = problem_find(code);
	va_list ap;

	assert(p != NULL);
	reply->code = p->code;
	va_start(ap, fmt);
	(void)vsnprintf(reply->detail, sizeof(reply->detail), fmt, ap);
	va_end(ap);
	return p->status == 404 ? LB_ERR_MISSING : LB_ERR_FORBIDDEN;
}

static const char *
code_of(enum lb_err r)
{
	switch (r) {
	case LB_ERR_FORMAT:
	case LB_ERR_RANGE:
		return "bad_document";
	case LB_ERR_SIGNATURE:
	case LB_ERR_UNSUPPORTED:
		return "bad_signature";
	case LB_ERR_MISSING:
		return "not_found";
	case LB_ERR_STATE:
		return "wrong_state";
	case LB_ERR_CONFLICT:
		return "conflict";
	case LB_ERR_LIMIT:
		return "rate_limited";
	case LB_ERR_STORE:
		return "store_failed";
	default:
		return "internal";
	}
}

void
reply_problem(struct reply *reply, enum lb_err r)
{
	const struct problem *p;
	json_t *o;

	p = problem_find(reply->code != NULL ? reply->code : code_of(r));
	assert(p != NULL);
	reply->code = p->code;
	o = json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
	    p->title, "status", (int)p->status, "code", p->code);
	if (o != NULL && reply->detail[0] != '\0')
		(void)json_object_set_new(
		    o, "detail", json_string(reply->detail));
	if (o != NULL && p->next[0] != '\0')
		(void)json_object_set_new(o, "next", json_string(p->next));
	if (reply_json(reply, p->status, o) != LB_OK)
		lb_buf_clear(&reply->body);
	reply->status = p->status;
	reply->type = "application/problem+json";
	reply->etag[0] = '\0';
	reply->still = NULL;
	reply->still_len = 0;
	reply->page = false;
	reply->download = NULL;
	reply->set_cookie[0] = '\0';
}
