/* Inside the SQLite back end: connections and prepared statements. */
#ifndef BROKER_STORE_SQLITE_H
#define BROKER_STORE_SQLITE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "store.h"

#define SQLITE_READERS_MAX 64

/* The statements: name and text, in store_sqlite_sql.h. */
enum stmt {
#define SQL(name, text) name,
#define SQL_WRITE(name, text)
#include "store_sqlite_sql.h"
#undef SQL
#undef SQL_WRITE
	STMTS_READ,
	STMTS_READ_LAST = STMTS_READ - 1,
#define SQL(name, text)
#define SQL_WRITE(name, text) name,
#include "store_sqlite_sql.h"
#undef SQL
#undef SQL_WRITE
	STMTS,
};
extern const char *const sqlite_sql[STMTS];

/* A connection; readers have the first STMTS_READ statements only. */
struct conn {
	sqlite3 *db;
	sqlite3_stmt *stmt[STMTS];
};

struct sqlite_db {
	pthread_mutex_t write_lock;
	struct conn writer;
	bool broken; /* after a failed write to disk: nothing more */
	pthread_mutex_t read_lock;
	pthread_cond_t read_free;
	size_t reader_count, idle_count;
	struct conn reader[SQLITE_READERS_MAX];
	struct conn *idle[SQLITE_READERS_MAX];
};

enum lb_err sqlite_err(int rc) LB_MUST_CHECK;
/* Run SQL that gives no rows. */
enum lb_err sqlite_run(sqlite3 *db, const char *sql) LB_MUST_CHECK;
/*
 * Bind all of a statement's parameters: t text, i int64_t, b struct lb_buf *.
 * They are borrowed until the statement is reset.
 */
enum lb_err sqlite_bind(sqlite3_stmt *s, const char *kinds, ...) LB_MUST_CHECK;
/* Run a bound statement that gives no rows, and free its parameters. */
enum lb_err sqlite_once(sqlite3_stmt *s) LB_MUST_CHECK;
/* As sqlite_once; LB_ERR_CONFLICT unless exactly one row was written. */
enum lb_err sqlite_once_one(struct conn *w, enum stmt i) LB_MUST_CHECK;
/* A reader for this thread alone; waits for one. */
struct conn *sqlite_reader_take(struct sqlite_db *d);
void sqlite_reader_give(struct sqlite_db *d, struct conn *c);

/* store_sqlite_signin.c: what people sign in with. */
enum lb_err sqlite_session_get(
    void *p, const char *hash, struct session_row *ret);
enum lb_err sqlite_signin_key_get(
    void *p, const char *key_fp, struct signin_key_row *ret);
enum lb_err sqlite_signin_key_each(void *p, const char *tenant,
    const char *principal, signin_key_taker *take, void *arg);
enum lb_err sqlite_browser_by_code(
    void *p, const char *hash, struct browser_row *ret);
enum lb_err sqlite_browser_by_poll(
    void *p, const char *hash, struct browser_row *ret);
enum lb_err sqlite_browser_add(void *p, const struct browser_row *row);
/* Inside a change. */
enum lb_err sqlite_signin_write(
    struct conn *w, const struct change *c) LB_MUST_CHECK;
enum lb_err sqlite_signin_purge(
    struct conn *w, int64_t sessions_before) LB_MUST_CHECK;

/* A transaction without a record: nothing is decided. */
enum lb_err sqlite_write(void *p,
    enum lb_err (*write)(struct conn *w, const void *arg),
    const void *arg) LB_MUST_CHECK;

/* The operations, as store.h says. */
enum lb_err sqlite_open(const char *path, size_t readers, void **ret);
void sqlite_close(void *p);
enum lb_err sqlite_check(void *p);
enum lb_err sqlite_ping(void *p);
enum lb_err sqlite_commit(void *p, const struct change *c);
enum lb_err sqlite_host_seen(
    void *p, size_t count, const struct host_row *rows);
enum lb_err sqlite_purge(void *p, int64_t sessions_before, int64_t idem_before);

/* store_sqlite_tenant.c: what stands beside a tenant's trust. */
enum lb_err sqlite_proposal_get(
    void *p, const char *tenant, struct proposal_row *ret);
enum lb_err sqlite_contact_get(void *p, const char *tenant,
    const char *principal, struct contact_row *ret);
enum lb_err sqlite_contact_each(
    void *p, const char *tenant, contact_taker *take, void *arg);
enum lb_err sqlite_invitation_get(void *p, const char *tenant,
    const char *principal, struct invitation_row *ret);
enum lb_err sqlite_invitation_by_id(
    void *p, const char *id, struct invitation_row *ret);
enum lb_err sqlite_invitation_each(
    void *p, const char *tenant, invitation_taker *take, void *arg);
enum lb_err sqlite_candidate_by_id(
    void *p, const char *id, struct candidate_row *ret);
enum lb_err sqlite_candidate_each(
    void *p, const char *tenant, candidate_taker *take, void *arg);
/* Inside a change. */
enum lb_err sqlite_invitation_write(struct conn *w,
    const struct invitation_row *row, bool remove) LB_MUST_CHECK;
enum lb_err sqlite_candidate_write(
    struct conn *w, const struct candidate_row *row, bool remove) LB_MUST_CHECK;
/* What a new trust document makes pointless. */
enum lb_err sqlite_trust_settles(
    struct conn *w, const struct trust_row *t) LB_MUST_CHECK;
enum lb_err sqlite_contact_write(
    struct conn *w, const struct contact_row *row) LB_MUST_CHECK;
enum lb_err sqlite_proposal_write(
    struct conn *w, const struct proposal_row *row) LB_MUST_CHECK;
enum lb_err sqlite_proposal_remove(
    struct conn *w, const struct proposal_row *row) LB_MUST_CHECK;

/* store_sqlite_outbox.c */
enum lb_err sqlite_notices_add(
    struct conn *w, const struct change *c) LB_MUST_CHECK;
enum lb_err sqlite_webhook_write(
    struct conn *w, const struct change *c) LB_MUST_CHECK;
enum lb_err sqlite_notice_get(void *p, const char *id, struct notice_row *ret);
enum lb_err sqlite_notice_due(
    void *p, int64_t now, notice_taker *take, void *arg);
enum lb_err sqlite_delivery_get(
    void *p, const char *id, struct delivery_row *ret);
enum lb_err sqlite_delivery_each(
    void *p, const struct delivery_query *q, delivery_taker *take, void *arg);
enum lb_err sqlite_delivery_heads(
    void *p, int64_t now, delivery_taker *take, void *arg);
enum lb_err sqlite_delivery_line(
    void *p, const char *line, delivery_taker *take, void *arg);
enum lb_err sqlite_delivery_batch(
    void *p, const char *batch, delivery_taker *take, void *arg);
enum lb_err sqlite_delivery_last(void *p, const char *line, int64_t *ret_at);
enum lb_err sqlite_delivery_told(
    void *p, const char *request, const char *receiver, bool *ret);
enum lb_err sqlite_webhook_get(
    void *p, const char *id, struct webhook_row *ret);
enum lb_err sqlite_webhook_each(
    void *p, const char *tenant, webhook_taker *take, void *arg);
enum lb_err sqlite_outbox_write(void *p, const struct outbox_change *c);
enum lb_err sqlite_outbox_count(void *p, struct outbox_counts *ret);
enum lb_err sqlite_outbox_purge(void *p, int64_t before);

#endif
