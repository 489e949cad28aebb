/*
 * The store: what the rest of the broker calls. It hands everything to one
 * back end and checks again what comes back: a wrong WHERE clause must not
 * become a login. All calls may come from any thread.
 */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#include "outbox_rows.h"
#include "rows.h"

#define STORE_SCAN_MAX 20000 /* rows looked at for one page of a list */

/*
 * Everything that changes at once, in one transaction: rows that are NULL stay
 * as they are. A row with version 0 is inserted, another is written only if
 * the stored version is still the same (it becomes one higher); otherwise
 * nothing happens at all: LB_ERR_CONFLICT. No decision without its record: a
 * change without an event is a mistake (asserted).
 */
struct change {
	const struct person_row *person;
	const struct tenant_row *tenant;
	/* Only ever added; its tenant's proposal goes, and its candidates. */
	const struct trust_row *trust;
	/*
	 * Version 0: added with its one signature, if it is still the next
	 * serial; else only its last signature is added.
	 */
	const struct proposal_row *proposal;
	const struct proposal_row *proposal_gone; /* before one is added */
	const struct contact_row *contact;
	const struct invitation_row *invitation;
	bool invitation_remove;
	const struct candidate_row *candidate; /* added, or removed */
	bool candidate_remove;
	const struct host_row *host;
	bool host_remove;
	const struct request_row *request;
	const struct approval_row *approval; /* only ever added */
	bool approvals_drop; /* all of the request's fixed text: drop_grant */
	char drop_grant[LB_SHA256_LEN + 1];
	const struct grant_row *grant;
	const struct session_row *session;
	const struct signin_key_row *signin_key; /* used_at 0: new */
	bool signin_key_remove;
	const struct browser_row *browser; /* only ever confirmed, or over */
	const char *nonce[2];              /* spent by this change; or NULL */
	int64_t nonce_at;
	const struct idem_row *idem;     /* only ever added */
	const struct intake_row *intake; /* with events of its own */
	const struct webhook_row *webhook;
	bool webhook_remove;
	size_t notice_count; /* who is told of it: filled in by outbox.c */
	const struct notice_row *notice;
	size_t event_count;
	struct lb_event event[ROW_EVENTS_MAX]; /* sequence: the store's */
};

/*
 * Which rows of a list, newest first. Empty strings and 0: no bound. Events
 * know one tenant or all, and before_at is then an event's number.
 */
struct list_query {
	size_t tenant_count; /* 0: every tenant */
	char tenant[8][LB_NAME_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	int64_t before_at;                 /* the cursor: strictly older ... */
	char before_id[LB_SHA256_LEN + 1]; /* ... or as old with a lower id */
	bool live;                         /* stays: only those not ended */
};

/* Which deliveries of a list, newest first; as list_query. */
struct delivery_query {
	size_t tenant_count;
	char tenant[8][LB_NAME_MAX + 1];
	char request[LB_ID_LEN + 1]; /* of this one alone, in any tenant */
	char receiver[LB_ID_LEN + 1];
	enum delivery_state state;
	int64_t before; /* the cursor: strictly lower numbers; 0: none */
};

/* Takes a row; false stops the walk. The row is the store's, gone afterwards;
 * those that are not const may be changed, their buffers taken away. */
typedef bool person_taker(void *arg, const struct person_row *row);
typedef bool tenant_taker(void *arg, const struct tenant_row *row);
typedef bool trust_taker(void *arg, const struct trust_row *row);
typedef bool contact_taker(void *arg, const struct contact_row *row);
typedef bool invitation_taker(void *arg, const struct invitation_row *row);
typedef bool candidate_taker(void *arg, const struct candidate_row *row);
typedef bool host_taker(void *arg, const struct host_row *row);
typedef bool signin_key_taker(void *arg, const struct signin_key_row *row);
typedef bool request_taker(void *arg, struct request_row *row);
typedef bool approval_taker(void *arg, const struct approval_row *row);
typedef bool grant_taker(void *arg, struct grant_row *row);
typedef bool stay_taker(void *arg, const struct stay_row *row);
typedef bool event_taker(void *arg, struct event_row *row);
typedef bool notice_taker(void *arg, struct notice_row *row);
typedef bool delivery_taker(void *arg, const struct delivery_row *row);
typedef bool webhook_taker(void *arg, const struct webhook_row *row);

/*
 * A back end. Every operation is required and means the same in all of them.
 * Errors: LB_ERR_MISSING (no such row), LB_ERR_CONFLICT (commit),
 * LB_ERR_STORE, LB_ERR_MEMORY. Outputs are written only on LB_OK; the rows
 * given to get operations are cleared by the caller.
 */
struct store_ops {
	const char *name;
	enum lb_err (*open)(const char *dsn, size_t readers, void **ret_db);
	void (*close)(void *db);        /* accepts NULL */
	enum lb_err (*check)(void *db); /* integrity, slow */
	enum lb_err (*ping)(void *db);
	enum lb_err (*commit)(void *db, const struct change *c);
	enum lb_err (*person_get)(
	    void *db, const char *principal, struct person_row *ret);
	enum lb_err (*person_by_key)(
	    void *db, const char *key_fp, struct person_row *ret);
	enum lb_err (*person_each)(
	    void *db, const char *after, person_taker *take, void *arg);
	enum lb_err (*tenant_get)(
	    void *db, const char *name, struct tenant_row *ret);
	enum lb_err (*tenant_each)(
	    void *db, const char *after, tenant_taker *take, void *arg);
	enum lb_err (*trust_each)(void *db, const char *tenant, int64_t after,
	    trust_taker *take, void *arg);
	enum lb_err (*proposal_get)(
	    void *db, const char *tenant, struct proposal_row *ret);
	enum lb_err (*contact_get)(void *db, const char *tenant,
	    const char *principal, struct contact_row *ret);
	enum lb_err (*contact_each)(
	    void *db, const char *tenant, contact_taker *take, void *arg);
	enum lb_err (*invitation_get)(void *db, const char *tenant,
	    const char *principal, struct invitation_row *ret);
	enum lb_err (*invitation_by_id)(
	    void *db, const char *id, struct invitation_row *ret);
	enum lb_err (*invitation_each)(
	    void *db, const char *tenant, invitation_taker *take, void *arg);
	enum lb_err (*candidate_by_id)(
	    void *db, const char *id, struct candidate_row *ret);
	enum lb_err (*candidate_each)(
	    void *db, const char *tenant, candidate_taker *take, void *arg);
	enum lb_err (*host_get)(void *db, const char *tenant, const char *name,
	    struct host_row *ret);
	enum lb_err (*host_by_key)(
	    void *db, const char *key_fp, struct host_row *ret);
	enum lb_err (*host_each)(void *db, const char *name, const char *after,
	    host_taker *take, void *arg);
	enum lb_err (*host_seen)(
	    void *db, size_t count, const struct host_row *rows);
	enum lb_err (*request_get)(
	    void *db, const char *id, struct request_row *ret);
	enum lb_err (*request_by_sha)(
	    void *db, const char *sha256, struct request_row *ret);
	enum lb_err (*request_each)(void *db, const struct list_query *q,
	    request_taker *take, void *arg);
	enum lb_err (*request_open)(void *db, const char *engineer,
	    const char *scope, struct request_row *ret);
	enum lb_err (*request_at_door)(void *db, const char *tenant,
	    const char *host, const char *login, request_taker *take,
	    void *arg);
	enum lb_err (*request_due)(
	    void *db, int64_t now, request_taker *take, void *arg);
	enum lb_err (*approval_each)(void *db, const char *tenant,
	    const char *grant, approval_taker *take, void *arg);
	enum lb_err (*grant_get)(
	    void *db, const char *sha256, struct grant_row *ret);
	enum lb_err (*grant_each)(
	    void *db, const struct list_query *q, grant_taker *take, void *arg);
	enum lb_err (*grant_at_door)(void *db, const char *tenant,
	    const char *host, const char *login, int64_t now, grant_taker *take,
	    void *arg);
	enum lb_err (*session_get)(
	    void *db, const char *hash, struct session_row *ret);
	enum lb_err (*signin_key_get)(
	    void *db, const char *key_fp, struct signin_key_row *ret);
	enum lb_err (*signin_key_each)(void *db, const char *tenant,
	    const char *principal, signin_key_taker *take, void *arg);
	enum lb_err (*browser_by_code)(
	    void *db, const char *hash, struct browser_row *ret);
	enum lb_err (*browser_by_poll)(
	    void *db, const char *hash, struct browser_row *ret);
	enum lb_err (*browser_add)(void *db, const struct browser_row *row);
	enum lb_err (*idem_get)(void *db, const char *principal,
	    const char *key, struct idem_row *ret);
	enum lb_err (*intake_get)(void *db, const char *tenant,
	    const char *host, const char *key_fp, int64_t *ret_sequence);
	enum lb_err (*stay_get)(void *db, const char *id, struct stay_row *ret);
	enum lb_err (*stay_each)(
	    void *db, const struct list_query *q, stay_taker *take, void *arg);
	enum lb_err (*event_each)(
	    void *db, const struct list_query *q, event_taker *take, void *arg);
	enum lb_err (*event_latest)(void *db, int64_t *ret_at);
	enum lb_err (*purge)(
	    void *db, int64_t sessions_before, int64_t idem_before);
	enum lb_err (*notice_get)(
	    void *db, const char *id, struct notice_row *ret);
	enum lb_err (*notice_due)(
	    void *db, int64_t now, notice_taker *take, void *arg);
	enum lb_err (*delivery_get)(
	    void *db, const char *id, struct delivery_row *ret);
	enum lb_err (*delivery_each)(void *db, const struct delivery_query *q,
	    delivery_taker *take, void *arg);
	enum lb_err (*delivery_heads)(
	    void *db, int64_t now, delivery_taker *take, void *arg);
	enum lb_err (*delivery_line)(
	    void *db, const char *line, delivery_taker *take, void *arg);
	enum lb_err (*delivery_batch)(
	    void *db, const char *batch, delivery_taker *take, void *arg);
	enum lb_err (*delivery_last)(
	    void *db, const char *line, int64_t *ret_at);
	enum lb_err (*delivery_told)(
	    void *db, const char *request, const char *receiver, bool *ret);
	enum lb_err (*webhook_get)(
	    void *db, const char *id, struct webhook_row *ret);
	enum lb_err (*webhook_each)(
	    void *db, const char *tenant, webhook_taker *take, void *arg);
	enum lb_err (*outbox_write)(void *db, const struct outbox_change *c);
	enum lb_err (*outbox_count)(void *db, struct outbox_counts *ret);
	enum lb_err (*outbox_purge)(void *db, int64_t before);
};
extern const struct store_ops store_sqlite;

struct store;

/*
 * Open the database, bringing an older schema up to date.
 *
 * dsn      for SQLite the absolute path of its file; "" means none
 * readers  connections for reading at the same time, 1..64
 *
 * LB_ERR_STATE  the schema is newer than this program, or not ours
 */
enum lb_err store_open(const struct store_ops *ops, const char *dsn,
    size_t readers, struct store **ret) LB_MUST_CHECK;
void store_close(struct store *st); /* accepts NULL */
enum lb_err store_check(struct store *st) LB_MUST_CHECK;
enum lb_err store_ping(struct store *st) LB_MUST_CHECK;

enum lb_err store_commit(
    struct store *st, const struct change *c) LB_MUST_CHECK;

enum lb_err store_person_get(struct store *st, const char *principal,
    struct person_row *ret) LB_MUST_CHECK;
enum lb_err store_person_by_key(
    struct store *st, const char *key_fp, struct person_row *ret) LB_MUST_CHECK;
/* By name, those after a name. */
enum lb_err store_person_each(struct store *st, const char *after,
    person_taker *take, void *arg) LB_MUST_CHECK;

enum lb_err store_tenant_get(
    struct store *st, const char *name, struct tenant_row *ret) LB_MUST_CHECK;
enum lb_err store_tenant_each(struct store *st, const char *after,
    tenant_taker *take, void *arg) LB_MUST_CHECK;
/* By serial, those after one. */
enum lb_err store_trust_each(struct store *st, const char *tenant,
    int64_t after, trust_taker *take, void *arg) LB_MUST_CHECK;

/* ret is empty beforehand. */
enum lb_err store_proposal_get(struct store *st, const char *tenant,
    struct proposal_row *ret) LB_MUST_CHECK;

enum lb_err store_contact_get(struct store *st, const char *tenant,
    const char *principal, struct contact_row *ret) LB_MUST_CHECK;
/* By principal. */
enum lb_err store_contact_each(struct store *st, const char *tenant,
    contact_taker *take, void *arg) LB_MUST_CHECK;

enum lb_err store_invitation_get(struct store *st, const char *tenant,
    const char *principal, struct invitation_row *ret) LB_MUST_CHECK;
enum lb_err store_invitation_by_id(
    struct store *st, const char *id, struct invitation_row *ret) LB_MUST_CHECK;
/* By principal. */
enum lb_err store_invitation_each(struct store *st, const char *tenant,
    invitation_taker *take, void *arg) LB_MUST_CHECK;
enum lb_err store_candidate_by_id(
    struct store *st, const char *id, struct candidate_row *ret) LB_MUST_CHECK;
/* As they came. */
enum lb_err store_candidate_each(struct store *st, const char *tenant,
    candidate_taker *take, void *arg) LB_MUST_CHECK;

enum lb_err store_host_get(struct store *st, const char *tenant,
    const char *name, struct host_row *ret) LB_MUST_CHECK;
enum lb_err store_host_by_key(
    struct store *st, const char *key_fp, struct host_row *ret) LB_MUST_CHECK;
/* Ordered by name then tenant; name "" means all, after is a name. */
enum lb_err store_host_each(struct store *st, const char *name,
    const char *after, host_taker *take, void *arg) LB_MUST_CHECK;
/* Note when hosts were last seen: tenant, name and last_seen_at count. */
enum lb_err store_host_seen(
    struct store *st, size_t count, const struct host_row *rows) LB_MUST_CHECK;

enum lb_err store_request_get(
    struct store *st, const char *id, struct request_row *ret) LB_MUST_CHECK;
enum lb_err store_request_by_sha(struct store *st, const char *sha256,
    struct request_row *ret) LB_MUST_CHECK;
enum lb_err store_request_each(struct store *st, const struct list_query *q,
    request_taker *take, void *arg) LB_MUST_CHECK;
/* The one this engineer has pending for that scope. */
enum lb_err store_request_open(struct store *st, const char *engineer,
    const char *scope, struct request_row *ret) LB_MUST_CHECK;
/* Those that name that door, newest first. */
enum lb_err store_request_at_door(struct store *st, const char *tenant,
    const char *host, const char *login, request_taker *take,
    void *arg) LB_MUST_CHECK;
/* Those whose stored state the time has overtaken. */
enum lb_err store_request_due(struct store *st, int64_t now,
    request_taker *take, void *arg) LB_MUST_CHECK;

enum lb_err store_approval_each(struct store *st, const char *tenant,
    const char *grant, approval_taker *take, void *arg) LB_MUST_CHECK;

enum lb_err store_grant_get(
    struct store *st, const char *sha256, struct grant_row *ret) LB_MUST_CHECK;
enum lb_err store_grant_each(struct store *st, const struct list_query *q,
    grant_taker *take, void *arg) LB_MUST_CHECK;
/* Those for that door that end after now, latest end first; also revoked. */
enum lb_err store_grant_at_door(struct store *st, const char *tenant,
    const char *host, const char *login, int64_t now, grant_taker *take,
    void *arg) LB_MUST_CHECK;

enum lb_err store_session_get(
    struct store *st, const char *hash, struct session_row *ret) LB_MUST_CHECK;
enum lb_err store_signin_key_get(struct store *st, const char *key_fp,
    struct signin_key_row *ret) LB_MUST_CHECK;
/* Those of one person ("": of the provider), by fingerprint. */
enum lb_err store_signin_key_each(struct store *st, const char *tenant,
    const char *principal, signin_key_taker *take, void *arg) LB_MUST_CHECK;
enum lb_err store_browser_by_code(
    struct store *st, const char *hash, struct browser_row *ret) LB_MUST_CHECK;
enum lb_err store_browser_by_poll(
    struct store *st, const char *hash, struct browser_row *ret) LB_MUST_CHECK;
/* A page begins to wait: nothing is decided. LB_ERR_CONFLICT: code in use. */
enum lb_err store_browser_add(
    struct store *st, const struct browser_row *row) LB_MUST_CHECK;
enum lb_err store_idem_get(struct store *st, const char *principal,
    const char *key, struct idem_row *ret) LB_MUST_CHECK;
/* Up to where that enrolment's reports were taken. LB_ERR_MISSING: none. */
enum lb_err store_intake_get(struct store *st, const char *tenant,
    const char *host, const char *key_fp, int64_t *ret_sequence) LB_MUST_CHECK;
enum lb_err store_stay_get(
    struct store *st, const char *id, struct stay_row *ret) LB_MUST_CHECK;
enum lb_err store_stay_each(struct store *st, const struct list_query *q,
    stay_taker *take, void *arg) LB_MUST_CHECK;
enum lb_err store_event_each(struct store *st, const struct list_query *q,
    event_taker *take, void *arg) LB_MUST_CHECK;
/* When the newest event happened; 0: there is none. */
enum lb_err store_event_latest(struct store *st, int64_t *ret_at) LB_MUST_CHECK;
/* Forget sessions, waiting pages and nonces that ended, and idempotency keys as old, before then. */
enum lb_err store_purge(struct store *st, int64_t sessions_before,
    int64_t idem_before) LB_MUST_CHECK;

/* The outbox. A notice's buffer is cleared by the caller. */
enum lb_err store_notice_get(
    struct store *st, const char *id, struct notice_row *ret) LB_MUST_CHECK;
/* Those whose deliveries are to be made now; at most 64. */
enum lb_err store_notice_due(
    struct store *st, int64_t now, notice_taker *take, void *arg) LB_MUST_CHECK;
enum lb_err store_delivery_get(
    struct store *st, const char *id, struct delivery_row *ret) LB_MUST_CHECK;
enum lb_err store_delivery_each(struct store *st,
    const struct delivery_query *q, delivery_taker *take,
    void *arg) LB_MUST_CHECK;
/* Of each line the first that is due: a slow receiver keeps nobody waiting. */
enum lb_err store_delivery_heads(struct store *st, int64_t now,
    delivery_taker *take, void *arg) LB_MUST_CHECK;
/* All that waits in a line, due or not; at most 256. */
enum lb_err store_delivery_line(struct store *st, const char *line,
    delivery_taker *take, void *arg) LB_MUST_CHECK;
enum lb_err store_delivery_batch(struct store *st, const char *batch,
    delivery_taker *take, void *arg) LB_MUST_CHECK;
/* When something was last sent in this line; 0: never. */
enum lb_err store_delivery_last(
    struct store *st, const char *line, int64_t *ret_at) LB_MUST_CHECK;
/* Did that person get, or is he getting, a mail about that request? */
enum lb_err store_delivery_told(struct store *st, const char *request,
    const char *receiver, bool *ret) LB_MUST_CHECK;
enum lb_err store_webhook_get(
    struct store *st, const char *id, struct webhook_row *ret) LB_MUST_CHECK;
enum lb_err store_webhook_each(struct store *st, const char *tenant,
    webhook_taker *take, void *arg) LB_MUST_CHECK;
/* No record: nothing is decided by telling. */
enum lb_err store_outbox_write(
    struct store *st, const struct outbox_change *c) LB_MUST_CHECK;
enum lb_err store_outbox_count(
    struct store *st, struct outbox_counts *ret) LB_MUST_CHECK;
/* Forget what was told, or given up, before then. */
enum lb_err store_outbox_purge(struct store *st, int64_t before) LB_MUST_CHECK;

#endif
