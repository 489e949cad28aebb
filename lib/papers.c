/* The documents: a table per type, and what its lines must say together. */
#include "lockbox/papers.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A row of a table: struct, line name, member, kind. */
#define MUST(s, line_name, member, line_kind)                                  \
	{                                                                      \
		.name = line_name, .least = 1, .most = 1, .kind = line_kind,   \
		.offset = offsetof(struct s, member),                          \
		.size = sizeof(((struct s *)0)->member)                        \
	}
#define MAY(s, line_name, member, line_kind)                                   \
	{                                                                      \
		.name = line_name, .least = 0, .most = 1, .kind = line_kind,   \
		.offset = offsetof(struct s, member),                          \
		.size = sizeof(((struct s *)0)->member)                        \
	}
#define LIST(s, line_name, at_least, member, line_kind)                        \
	{                                                                      \
		.name = line_name, .least = at_least, .kind = line_kind,       \
		.most = sizeof(((struct s *)0)->member.item) /                 \
		    sizeof(((struct s *)0)->member.item[0]),                   \
		.offset = offsetof(struct s, member),                          \
		.size = sizeof(((struct s *)0)->member.item[0])                \
	}
#define WORD(s, line_name, member, word_list)                                  \
	{                                                                      \
		.name = line_name, .least = 1, .most = 1,                      \
		.kind = LB_LINE_WORD, .offset = offsetof(struct s, member),    \
		.size = sizeof(((struct s *)0)->member), .words = word_list    \
	}
#define NUMBER(s, line_name, at_least, member, from, to)                       \
	{                                                                      \
		.name = line_name, .least = at_least, .most = 1,               \
		.kind = LB_LINE_NUMBER, .offset = offsetof(struct s, member),  \
		.lo = from, .hi = to                                           \
	}

const char *const lb_reason_types[] = {
	"customer_initiated_support",
	"provider_initiated_review",
	"provider_initiated_service",
	"provider_response_to_alert",
	"third_party_data_request",
	NULL,
};

static const char *const verdict_words[] = { "allow", "pending", "deny", NULL };
static const char *const require_words[] = { "any", "touch", "verified", NULL };
static const char *const offline_words[] = { "allow", "deny", NULL };

static const struct lb_doc_line request_lines[] = {
	MUST(lb_request, "request", request, LB_LINE_ID),
	MUST(lb_request, "tenant", tenant, LB_LINE_NAME),
	MUST(lb_request, "broker", broker, LB_LINE_NAME),
	MUST(lb_request, "engineer", engineer, LB_LINE_PRINCIPAL),
	LIST(lb_request, "engineer-key", 1, engineer_key, LB_LINE_KEYFP),
	LIST(lb_request, "host", 1, host, LB_LINE_HOST),
	LIST(lb_request, "login", 1, login, LB_LINE_LOGIN),
	LIST(lb_request, "service", 1, service, LB_LINE_SERVICE),
	NUMBER(lb_request, "duration", 1, duration, LB_DURATION_MIN,
	    LB_GRANT_SPAN_MAX),
	MAY(lb_request, "start", start, LB_LINE_TIME),
	MAY(lb_request, "extends", extends, LB_LINE_SHA256),
	MAY(lb_request, "ticket", ticket, LB_LINE_TEXT),
	WORD(lb_request, "reason-type", reason_type, lb_reason_types),
	MUST(lb_request, "reason", reason, LB_LINE_TEXT),
	MUST(lb_request, "requested", requested, LB_LINE_TIME),
	{ 0 },
};

static const struct lb_doc_line grant_lines[] = {
	MUST(lb_grant, "request", request, LB_LINE_SHA256),
	MUST(lb_grant, "tenant", tenant, LB_LINE_NAME),
	MUST(lb_grant, "broker", broker, LB_LINE_NAME),
	MUST(lb_grant, "engineer", engineer, LB_LINE_PRINCIPAL),
	LIST(lb_grant, "engineer-key", 1, engineer_key, LB_LINE_KEYFP),
	LIST(lb_grant, "host", 1, host, LB_LINE_HOST),
	LIST(lb_grant, "login", 1, login, LB_LINE_LOGIN),
	LIST(lb_grant, "service", 1, service, LB_LINE_SERVICE),
	MUST(lb_grant, "not-before", not_before, LB_LINE_TIME),
	MUST(lb_grant, "not-after", not_after, LB_LINE_TIME),
	MAY(lb_grant, "ticket", ticket, LB_LINE_TEXT),
	WORD(lb_grant, "reason-type", reason_type, lb_reason_types),
	MUST(lb_grant, "reason", reason, LB_LINE_TEXT),
	MUST(lb_grant, "issued", issued, LB_LINE_TIME),
	{ 0 },
};

/* The lines of a question, at the given struct and member prefix: an answer
 * begins with the same ones. */
#define QUESTION_LINES(s, q)                                                   \
	MUST(s, "host", q host, LB_LINE_HOST),                                 \
	    MUST(s, "tenant", q tenant, LB_LINE_NAME),                         \
	    MUST(s, "broker", q broker, LB_LINE_NAME),                         \
	    MUST(s, "trust", q trust, LB_LINE_SHA256),                         \
	    MUST(s, "nonce", q nonce, LB_LINE_NONCE),                          \
	    MUST(s, "login", q login, LB_LINE_LOGIN),                          \
	    MUST(s, "service", q service, LB_LINE_SERVICE),                    \
	    LIST(s, "engineer-key", 0, q engineer_key, LB_LINE_KEYFP),         \
	    MAY(s, "rhost", q rhost, LB_LINE_RHOST),                           \
	    MUST(s, "asked", q asked, LB_LINE_TIME)

static const struct lb_doc_line question_lines[] = {
	QUESTION_LINES(lb_question, ),
	{ 0 },
};

static const struct lb_doc_line answer_lines[] = {
	QUESTION_LINES(lb_answer, question.),
	WORD(lb_answer, "verdict", verdict, verdict_words),
	WORD(lb_answer, "code", code, NULL),
	MAY(lb_answer, "message", message, LB_LINE_TEXT),
	LIST(lb_answer, "grant", 0, grant, LB_LINE_SHA256),
	MUST(lb_answer, "answered", answered, LB_LINE_TIME),
	MUST(lb_answer, "good-until", good_until, LB_LINE_TIME),
	{ 0 },
};

static const struct lb_doc_line trust_lines[] = {
	MUST(lb_trust_paper, "tenant", tenant, LB_LINE_NAME),
	NUMBER(lb_trust_paper, "serial", 1, serial, 1, LB_SERIAL_MAX),
	MAY(lb_trust_paper, "previous", previous, LB_LINE_SHA256),
	MUST(lb_trust_paper, "good-until", good_until, LB_LINE_TIME),
	NUMBER(lb_trust_paper, "threshold", 1, threshold, 1, LB_THRESHOLD_MAX),
	WORD(lb_trust_paper, "require", require, require_words),
	NUMBER(lb_trust_paper, "longest", 1, longest, LB_DURATION_MIN,
	    LB_GRANT_SPAN_MAX),
	NUMBER(lb_trust_paper, "lease", 1, lease, LB_LEASE_MIN, LB_LEASE_MAX),
	WORD(lb_trust_paper, "offline", offline, offline_words),
	LIST(lb_trust_paper, "page", 0, page, LB_LINE_PINNED),
	LIST(lb_trust_paper, "broker", 1, broker, LB_LINE_PINNED),
	LIST(lb_trust_paper, "approver", 1, approver, LB_LINE_PINNED),
	LIST(lb_trust_paper, "hook", 0, hook, LB_LINE_PINNED),
	LIST(lb_trust_paper, "engineer", 0, engineer, LB_LINE_PINNED),
	LIST(lb_trust_paper, "delegate", 0, delegate, LB_LINE_PINNED),
	MAY(lb_trust_paper, "delegate-until", delegate_until, LB_LINE_TIME),
	{ 0 },
};

static const struct lb_doc_line signin_lines[] = {
	MUST(lb_signin, "broker", broker, LB_LINE_NAME),
	MUST(lb_signin, "principal", principal, LB_LINE_PRINCIPAL),
	MUST(lb_signin, "nonce", nonce, LB_LINE_NONCE),
	MUST(lb_signin, "time", time, LB_LINE_TIME),
	{ 0 },
};

static const struct lb_doc_line report_lines[] = {
	MUST(lb_report, "host", host, LB_LINE_HOST),
	MUST(lb_report, "tenant", tenant, LB_LINE_NAME),
	MUST(lb_report, "broker", broker, LB_LINE_NAME),
	MUST(lb_report, "trust", trust, LB_LINE_SHA256),
	NUMBER(lb_report, "sequence", 1, sequence, 1, LB_SEQUENCE_MAX),
	WORD(lb_report, "event", event, NULL),
	MAY(lb_report, "cause", cause, LB_LINE_WORD),
	MAY(lb_report, "login", login, LB_LINE_LOGIN),
	MAY(lb_report, "service", service, LB_LINE_SERVICE),
	LIST(lb_report, "engineer-key", 0, engineer_key, LB_LINE_KEYFP),
	MAY(lb_report, "rhost", rhost, LB_LINE_RHOST),
	MAY(lb_report, "engineer", engineer, LB_LINE_PRINCIPAL),
	MAY(lb_report, "grant", grant, LB_LINE_SHA256),
	NUMBER(lb_report, "session", 0, session, 1, LB_SESSION_MAX),
	NUMBER(lb_report, "seconds", 0, seconds, 1, LB_COUNT_MAX),
	NUMBER(lb_report, "killed", 0, killed, 1, LB_COUNT_MAX),
	MUST(lb_report, "at", at, LB_LINE_TIME),
	{ 0 },
};

static const struct lb_doc_line event_lines[] = {
	MUST(lb_event, "tenant", tenant, LB_LINE_NAME),
	NUMBER(lb_event, "sequence", 1, sequence, 1, LB_SEQUENCE_MAX),
	WORD(lb_event, "event", event, NULL),
	MUST(lb_event, "actor", actor, LB_LINE_PRINCIPAL),
	MAY(lb_event, "request", request, LB_LINE_SHA256),
	MAY(lb_event, "grant", grant, LB_LINE_SHA256),
	MAY(lb_event, "host", host, LB_LINE_HOST),
	MAY(lb_event, "detail", detail, LB_LINE_TEXT),
	MUST(lb_event, "at", at, LB_LINE_TIME),
	{ 0 },
};

/* Is to after from, by at most most seconds? */
static bool
span_within(int64_t from, int64_t to, int64_t most)
{
	return from < to && to - from <= most;
}

static enum lb_err
grant_check(const void *doc)
{
	const struct lb_grant *g = doc;

	if (!span_within(g->not_before, g->not_after, LB_GRANT_SPAN_MAX) ||
	    !span_within(g->issued, g->not_after, LB_GRANT_AGE_MAX))
		return LB_ERR_RANGE;
	return LB_OK;
}

static enum lb_err
answer_check(const void *doc)
{
	const struct lb_answer *a = doc;
	bool allow = strcmp(a->verdict, "allow") == 0;

	if (a->answered >= a->good_until || allow != (a->grant.count > 0))
		return LB_ERR_RANGE;
	return LB_OK;
}

static enum lb_err
trust_check(const void *doc)
{
	const struct lb_trust_paper *t = doc;

	if ((t->serial > 1) != (t->previous[0] != '\0') ||
	    (t->delegate.count > 0) != (t->delegate_until != 0))
		return LB_ERR_RANGE;
	return LB_OK;
}

#define TYPE(word, max, table, rule, unnamed)                                  \
	const struct lb_doc_type lb_##word##_type = { "lockbox-" #word "-v1",  \
		max, sizeof(struct lb_##table), word##_lines, rule, unnamed }

TYPE(request, LB_DOC_TEXT_MAX, request, NULL, false);
TYPE(grant, LB_DOC_TEXT_MAX, grant, grant_check, false);
TYPE(question, LB_DOC_TEXT_MAX, question, NULL, true);
TYPE(answer, LB_DOC_TEXT_MAX, answer, answer_check, true);
TYPE(trust, LB_TRUST_TEXT_MAX, trust_paper, trust_check, false);
TYPE(signin, LB_DOC_TEXT_MAX, signin, NULL, true);
TYPE(report, LB_DOC_TEXT_MAX, report, NULL, false);
TYPE(event, LB_DOC_TEXT_MAX, event, NULL, false);

const struct lb_doc_type *const lb_doc_types[] = {
	&lb_request_type,
	&lb_grant_type,
	&lb_question_type,
	&lb_answer_type,
	&lb_trust_type,
	&lb_signin_type,
	&lb_report_type,
	&lb_event_type,
	NULL,
};

enum lb_err
lb_request_parse(const char *text, size_t len, struct lb_request *ret)
{
	return lb_doc_parse(&lb_request_type, text, len, ret);
}

enum lb_err
lb_grant_parse(const char *text, size_t len, struct lb_grant *ret)
{
	return lb_doc_parse(&lb_grant_type, text, len, ret);
}

enum lb_err
lb_question_parse(const char *text, size_t len, struct lb_question *ret)
{
	return lb_doc_parse(&lb_question_type, text, len, ret);
}

enum lb_err
lb_answer_parse(const char *text, size_t len, struct lb_answer *ret)
{
	return lb_doc_parse(&lb_answer_type, text, len, ret);
}

enum lb_err
lb_trust_paper_parse(const char *text, size_t len, struct lb_trust_paper *ret)
{
	return lb_doc_parse(&lb_trust_type, text, len, ret);
}

enum lb_err
lb_signin_parse(const char *text, size_t len, struct lb_signin *ret)
{
	return lb_doc_parse(&lb_signin_type, text, len, ret);
}

enum lb_err
lb_report_parse(const char *text, size_t len, struct lb_report *ret)
{
	return lb_doc_parse(&lb_report_type, text, len, ret);
}

enum lb_err
lb_event_parse(const char *text, size_t len, struct lb_event *ret)
{
	return lb_doc_parse(&lb_event_type, text, len, ret);
}
