/*
 * The documents themselves: a struct and a table per type. Structs hold no
 * pointers; copy them freely. Reading one says nothing about who signed it.
 * Source: doc/wire-format.md, section 3 (one table per type there).
 */
#ifndef LOCKBOX_PAPERS_H
#define LOCKBOX_PAPERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lockbox/document.h"
#include "lockbox/text.h"

#define LB_HOSTS_MAX      32
#define LB_LOGINS_MAX     8
#define LB_SERVICES_MAX   4
#define LB_KEYS_MAX       4
#define LB_ANSWER_GRANTS  8
#define LB_GRANT_SPAN_MAX (24 * 60 * 60)      /* seconds */
#define LB_GRANT_AGE_MAX  (31 * 24 * 60 * 60) /* not-after - issued, seconds */
#define LB_DURATION_MIN   60                  /* seconds */
#define LB_LEASE_MIN      600
#define LB_LEASE_MAX      (24 * 60 * 60)
#define LB_APPROVERS_MAX  64
#define LB_HOOKS_MAX      8
#define LB_ENGINEERS_MAX  64
#define LB_DELEGATES_MAX  64
#define LB_BROKERS_MAX    3
#define LB_PAGES_MAX      4
#define LB_PINNED_MAX     768 /* chars of an allowed_signers line */
#define LB_WORD_MAX       40  /* chars of a word or a stable code */
#define LB_THRESHOLD_MAX  16
#define LB_SERIAL_MAX     999999999        /* of trust documents */
#define LB_SEQUENCE_MAX   9007199254740991 /* 2^53 - 1, as JSON can say */
#define LB_SESSION_MAX    4294967294       /* audit session id */
#define LB_COUNT_MAX      4294967295       /* seconds, processes */
#define LB_BACKDATE_MAX   60 /* seconds not-before may lie before issued */

/* The five reason types, NULL-terminated. */
extern const char *const lb_reason_types[];

struct lb_hosts LB_LIST_OF(LB_HOSTS_MAX, LB_HOST_MAX + 1);
struct lb_logins LB_LIST_OF(LB_LOGINS_MAX, LB_LOGIN_MAX + 1);
struct lb_services LB_LIST_OF(LB_SERVICES_MAX, LB_SERVICE_MAX + 1);
struct lb_keyfps LB_LIST_OF(LB_KEYS_MAX, LB_KEYFP_LEN + 1);
struct lb_grant_ids LB_LIST_OF(LB_ANSWER_GRANTS, LB_SHA256_LEN + 1);

struct lb_request {
	char request[LB_ID_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	char broker[LB_NAME_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	struct lb_keyfps engineer_key; /* 1..4 */
	struct lb_hosts host;          /* 1..32 */
	struct lb_logins login;        /* 1..8 */
	struct lb_services service;    /* 1..4 */
	int64_t duration;              /* seconds, 60..24 h */
	int64_t start;                 /* 0: at approval */
	char extends[LB_SHA256_LEN + 1];
	char ticket[LB_TICKET_MAX + 1];
	char reason_type[LB_WORD_MAX + 1];
	char reason[LB_REASON_MAX + 1];
	int64_t requested;
};

/* What a customer signs. Valid in [not_before, not_after). */
struct lb_grant {
	char request[LB_SHA256_LEN + 1]; /* of the request's text */
	char tenant[LB_NAME_MAX + 1];
	char broker[LB_NAME_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	struct lb_keyfps engineer_key;
	struct lb_hosts host;
	struct lb_logins login;
	struct lb_services service;
	int64_t not_before;
	int64_t not_after;
	char ticket[LB_TICKET_MAX + 1];
	char reason_type[LB_WORD_MAX + 1];
	char reason[LB_REASON_MAX + 1];
	int64_t issued;
};

struct lb_question {
	char host[LB_HOST_MAX + 1];
	char tenant[LB_NAME_MAX + 1];
	char broker[LB_NAME_MAX + 1];
	char trust[LB_SHA256_LEN + 1]; /* the trust document in force */
	char nonce[LB_NONCE_LEN + 1];
	char login[LB_LOGIN_MAX + 1];
	char service[LB_SERVICE_MAX + 1];
	struct lb_keyfps engineer_key; /* 0..4; none: not known yet */
	char rhost[LB_RHOST_MAX + 1];  /* may be empty */
	int64_t asked;
};

/* The question's lines, then the broker's. Words: allow, pending, deny. */
struct lb_answer {
	struct lb_question question;
	char verdict[LB_WORD_MAX + 1];
	char code[LB_WORD_MAX + 1];
	char message[LB_MESSAGE_MAX + 1];
	struct lb_grant_ids grant;
	int64_t answered;
	int64_t good_until;
};

/* As written; lb_trust_parse (trust.h) reads keys and pages and the rules. */
struct lb_trust_paper {
	char tenant[LB_NAME_MAX + 1];
	int64_t serial; /* 1.. */
	char previous[LB_SHA256_LEN + 1];
	int64_t good_until;
	int64_t threshold; /* 1..LB_THRESHOLD_MAX */
	char require[LB_WORD_MAX + 1];
	int64_t longest; /* seconds, 60..24 h */
	int64_t lease;   /* seconds, 600..24 h */
	char offline[LB_WORD_MAX + 1];
	struct LB_LIST_OF(LB_PAGES_MAX, LB_PINNED_MAX + 1) page;
	struct LB_LIST_OF(LB_BROKERS_MAX, LB_PINNED_MAX + 1) broker;
	struct LB_LIST_OF(LB_APPROVERS_MAX, LB_PINNED_MAX + 1) approver;
	struct LB_LIST_OF(LB_HOOKS_MAX, LB_PINNED_MAX + 1) hook;
	struct LB_LIST_OF(LB_ENGINEERS_MAX, LB_PINNED_MAX + 1) engineer;
	struct LB_LIST_OF(LB_DELEGATES_MAX, LB_PINNED_MAX + 1) delegate;
	int64_t delegate_until; /* 0: no delegation */
};

struct lb_signin {
	char broker[LB_NAME_MAX + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char nonce[LB_NONCE_LEN + 1];
	int64_t time;
};

/*
 * One thing that happened at a door or to a session, said by the host. Only
 * host to event and at must be there.
 */
struct lb_report {
	char host[LB_HOST_MAX + 1];
	char tenant[LB_NAME_MAX + 1];
	char broker[LB_NAME_MAX + 1];
	char trust[LB_SHA256_LEN + 1];
	int64_t sequence; /* 1.. */
	char
	    event[LB_WORD_MAX + 1]; /* "login.decision", "session.opened", .. */
	char cause[LB_WORD_MAX + 1]; /* the decision's code; may be empty */
	char login[LB_LOGIN_MAX + 1];
	char service[LB_SERVICE_MAX + 1];
	struct lb_keyfps engineer_key; /* 0..4, what sshd accepted */
	char rhost[LB_RHOST_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	char grant[LB_SHA256_LEN + 1];
	int64_t session; /* audit session id; 0: none */
	int64_t seconds; /* that it lasted; 0: does not say */
	int64_t killed;  /* processes that had to be; 0: none */
	int64_t at;
};

/* One audit record. */
struct lb_event {
	char tenant[LB_NAME_MAX + 1];
	int64_t sequence;            /* per tenant, 1.. */
	char event[LB_WORD_MAX + 1]; /* "request.created", ... */
	/* A person, "lockbox-broker", or "lockbox-agent" (host says which). */
	char actor[LB_PRINCIPAL_MAX + 1];
	char request[LB_SHA256_LEN + 1];
	char grant[LB_SHA256_LEN + 1];
	char host[LB_HOST_MAX + 1];
	char detail[LB_REASON_MAX + 1];
	int64_t at;
};

extern const struct lb_doc_type lb_request_type, lb_grant_type,
    lb_question_type, lb_answer_type, lb_trust_type, lb_signin_type,
    lb_report_type, lb_event_type;

/* Every type above, NULL-terminated, for the splitter. */
extern const struct lb_doc_type *const lb_doc_types[];

/*
 * lb_doc_parse with the struct's type. What the lines must say together is
 * part of it, else LB_ERR_RANGE:
 *
 * grant   not-before < not-after, at most LB_GRANT_SPAN_MAX apart, and
 *         issued < not-after, at most LB_GRANT_AGE_MAX apart
 * answer  answered < good-until; verdict allow with at least one grant, any
 *         other verdict with none
 * trust   serial 1 without previous, every higher one with it; delegate lines
 *         exactly when there is a delegate-until
 *
 * Looks at no clock.
 */
enum lb_err lb_request_parse(
    const char *text, size_t len, struct lb_request *ret) LB_MUST_CHECK;
enum lb_err lb_grant_parse(
    const char *text, size_t len, struct lb_grant *ret) LB_MUST_CHECK;
enum lb_err lb_question_parse(
    const char *text, size_t len, struct lb_question *ret) LB_MUST_CHECK;
enum lb_err lb_answer_parse(
    const char *text, size_t len, struct lb_answer *ret) LB_MUST_CHECK;
enum lb_err lb_signin_parse(
    const char *text, size_t len, struct lb_signin *ret) LB_MUST_CHECK;
enum lb_err lb_report_parse(
    const char *text, size_t len, struct lb_report *ret) LB_MUST_CHECK;
enum lb_err lb_event_parse(
    const char *text, size_t len, struct lb_event *ret) LB_MUST_CHECK;

/* ret is large: keep it on the heap. */
enum lb_err lb_trust_paper_parse(
    const char *text, size_t len, struct lb_trust_paper *ret) LB_MUST_CHECK;

/* "sha256:" + hex of a document's bytes: its id everywhere else. */
void lb_doc_id(
    const char *text, size_t len, char ret[static LB_SHA256_LEN + 1]);

/* Does answer_text repeat question_text's lines byte for byte? */
bool lb_answer_repeats(const char *answer_text, size_t answer_len,
    const char *question_text, size_t question_len);

/* Exact membership in a list of a document. */
bool lb_hosts_has(const struct lb_hosts *l, const char *s);
bool lb_logins_has(const struct lb_logins *l, const char *s);
bool lb_services_has(const struct lb_services *l, const char *s);
bool lb_keyfps_has(const struct lb_keyfps *l, const char *s);
bool lb_grant_ids_has(const struct lb_grant_ids *l, const char *s);

/* May a later grant take an earlier one's place in a session: does it list all
 * its services and logins? Source: design section 8. */
bool lb_grant_lists_all(
    const struct lb_grant *later, const struct lb_grant *earlier);

/*
 * Does every term of the grant lie within the request: same tenant, broker,
 * engineer, ticket, reason type and reason; keys, hosts, logins, services
 * subsets; not_after - not_before <= duration + LB_BACKDATE_MAX; and, when
 * start is set, not_before >= start - LB_BACKDATE_MAX. grant->request must be
 * the request's id: request_id is lb_doc_id of its text.
 */
bool lb_grant_within(const struct lb_grant *grant,
    const struct lb_request *request, const char *request_id);

#endif
