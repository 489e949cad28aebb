/*
 * The SQLite back end: one writer behind a mutex, readers from a pool, WAL,
 * synchronous=FULL. Each change is one transaction; reads are short.
 */
#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "schema.h"
#include "store_sqlite.h"

#define BUSY_TIMEOUT_MS 2000
#define QUICK_CHECK_MAX (INT64_C(256) << 20) /* bytes checked at each start */
#define READER_CACHE    "-8192"              /* KiB, each */
#define APPLICATION_ID  0x4c6b4278           /* "LkBx" */

enum lb_err
sqlite_err(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return LB_OK;
	case SQLITE_CONSTRAINT:
		return LB_ERR_CONFLICT;
	case SQLITE_NOMEM:
		return LB_ERR_MEMORY;
	default:
		return LB_ERR_STORE;
	}
}

/* Run SQL that gives no rows. */
enum lb_err
sqlite_run(sqlite3 *db, const char *sql)
{
	return sqlite_err(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static enum lb_err
pragma_get(sqlite3 *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *s = NULL;
	enum lb_err r = LB_ERR_STORE;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW) {
		*ret = sqlite3_column_int64(s, 0);
		r = LB_OK;
	}
	(void)sqlite3_finalize(s);
	return r;
}

/* quick_check or integrity_check says one row "ok". */
static enum lb_err
integrity(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;
	enum lb_err r = LB_ERR_STORE;
	const char *word;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW &&
	    (word = (const char *)sqlite3_column_text(s, 0)) != NULL &&
	    strcmp(word, "ok") == 0)
		r = LB_OK;
	(void)sqlite3_finalize(s);
	return r;
}

static void
conn_close(struct conn *c)
{
	for (size_t i = 0; i < STMTS; i++)
		(void)sqlite3_finalize(c->stmt[i]);
	(void)sqlite3_close(c->db);
	*c = (struct conn){ 0 };
}

static enum lb_err
conn_open(struct conn *c, const char *path, bool writer)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_NOFOLLOW | (writer ? SQLITE_OPEN_CREATE : 0);
	enum lb_err r;

	if ((r = sqlite_err(sqlite3_open_v2(path, &c->db, flags, NULL))) !=
	    LB_OK)
		return r;
	(void)sqlite3_extended_result_codes(c->db, 1);
	(void)sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sqlite_run(c->db,
	    "PRAGMA foreign_keys = ON;"
	    "PRAGMA trusted_schema = OFF;"
	    "PRAGMA cell_size_check = ON;"
	    "PRAGMA synchronous = FULL;"
	    "PRAGMA temp_store = MEMORY;");
}

static enum lb_err
conn_prepare(struct conn *c, bool writer)
{
	for (size_t i = 0; i < STMTS; i++) {
		if (!writer && i >= STMTS_READ)
			break;
		if (sqlite3_prepare_v3(c->db, sqlite_sql[i], -1,
			SQLITE_PREPARE_PERSISTENT, &c->stmt[i],
			NULL) != SQLITE_OK)
			return LB_ERR_STORE;
	}
	return writer ? LB_OK
		      : sqlite_run(c->db,
			    "PRAGMA query_only = ON;"
			    "PRAGMA cache_size = " READER_CACHE ";");
}

static enum lb_err
migrate_one(sqlite3 *db, size_t i)
{
	char version[64];
	enum lb_err r;

	(void)sqlite3_snprintf(sizeof(version), version,
	    "PRAGMA user_version = %d; PRAGMA application_id = %d;", (int)i + 1,
	    APPLICATION_ID);
	if ((r = sqlite_run(db, "BEGIN EXCLUSIVE")) != LB_OK)
		return r;
	if ((r = sqlite_run(db, schema_sql[i])) != LB_OK ||
	    (r = sqlite_run(db, version)) != LB_OK ||
	    (r = sqlite_run(db, "COMMIT")) != LB_OK)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

/* Bring the schema up to date; a newer or a foreign one is LB_ERR_STATE. */
static enum lb_err
migrate(sqlite3 *db)
{
	int64_t version, id, tables;
	enum lb_err r;

	if ((r = pragma_get(db, "PRAGMA user_version", &version)) != LB_OK ||
	    (r = pragma_get(db, "PRAGMA application_id", &id)) != LB_OK ||
	    (r = pragma_get(
		 db, "SELECT count(*) FROM sqlite_schema", &tables)) != LB_OK)
		return r;
	if (version < 0 || version > (int64_t)SCHEMAS ||
	    (tables > 0 && id != APPLICATION_ID) ||
	    (tables == 0 && version != 0))
		return LB_ERR_STATE;
	for (size_t i = (size_t)version; i < SCHEMAS; i++)
		if ((r = migrate_one(db, i)) != LB_OK)
			return r;
	return LB_OK;
}

static enum lb_err
check_at_start(sqlite3 *db)
{
	int64_t pages, size;
	enum lb_err r;

	if ((r = pragma_get(db, "PRAGMA page_count", &pages)) != LB_OK ||
	    (r = pragma_get(db, "PRAGMA page_size", &size)) != LB_OK)
		return r;
	if (pages * size > QUICK_CHECK_MAX)
		return LB_OK;
	return integrity(db, "PRAGMA quick_check(1)");
}

void
sqlite_close(void *p)
{
	struct sqlite_db *d = p;

	if (d == NULL)
		return;
	for (size_t i = 0; i < d->reader_count; i++)
		conn_close(&d->reader[i]);
	if (d->writer.db != NULL && !d->broken)
		(void)sqlite3_wal_checkpoint_v2(
		    d->writer.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	conn_close(&d->writer);
	(void)pthread_mutex_destroy(&d->write_lock);
	(void)pthread_mutex_destroy(&d->read_lock);
	(void)pthread_cond_destroy(&d->read_free);
	free(d);
}

static enum lb_err
readers_open(struct sqlite_db *d, const char *path, size_t readers)
{
	enum lb_err r;

	for (size_t i = 0; i < readers; i++) {
		d->reader_count = i + 1;
		if ((r = conn_open(&d->reader[i], path, false)) != LB_OK ||
		    (r = conn_prepare(&d->reader[i], false)) != LB_OK)
			return r;
		d->idle[d->idle_count++] = &d->reader[i];
	}
	return LB_OK;
}

enum lb_err
sqlite_open(const char *path, size_t readers, void **ret)
{
	struct sqlite_db *d;
	enum lb_err r;

	if (readers == 0 || readers > SQLITE_READERS_MAX)
		return LB_ERR_RANGE;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return LB_ERR_MEMORY;
	/* Nobody reads SQLite's statistics, whose lock all threads share. Later
	 * than the first open it is refused, and stays as it is. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)pthread_mutex_init(&d->write_lock, NULL);
	(void)pthread_mutex_init(&d->read_lock, NULL);
	(void)pthread_cond_init(&d->read_free, NULL);
	if ((r = conn_open(&d->writer, path, true)) != LB_OK ||
	    (r = sqlite_run(d->writer.db, "PRAGMA journal_mode = WAL")) !=
		LB_OK ||
	    (r = check_at_start(d->writer.db)) != LB_OK ||
	    (r = migrate(d->writer.db)) != LB_OK ||
	    (r = conn_prepare(&d->writer, true)) != LB_OK ||
	    (r = readers_open(d, path, readers)) != LB_OK)
		goto out;
	*ret = d;
	d = NULL; /* handed over */
out:
	sqlite_close(d);
	return r;
}

struct conn *
sqlite_reader_take(struct sqlite_db *d)
{
	struct conn *c;

	(void)pthread_mutex_lock(&d->read_lock);
	while (d->idle_count == 0)
		(void)pthread_cond_wait(&d->read_free, &d->read_lock);
	c = d->idle[--d->idle_count];
	(void)pthread_mutex_unlock(&d->read_lock);
	return c;
}

void
sqlite_reader_give(struct sqlite_db *d, struct conn *c)
{
	(void)pthread_mutex_lock(&d->read_lock);
	d->idle[d->idle_count++] = c;
	(void)pthread_cond_signal(&d->read_free);
	(void)pthread_mutex_unlock(&d->read_lock);
}

enum lb_err
sqlite_check(void *p)
{
	struct sqlite_db *d = p;
	struct conn *c = sqlite_reader_take(d);
	enum lb_err r = integrity(c->db, "PRAGMA integrity_check(1)");

	sqlite_reader_give(d, c);
	return r;
}

enum lb_err
sqlite_ping(void *p)
{
	struct sqlite_db *d = p;
	struct conn *c;
	int64_t version;
	enum lb_err r;

	if (d->broken)
		return LB_ERR_STORE;
	c = sqlite_reader_take(d);
	r = pragma_get(c->db, "SELECT count(*) FROM tenant", &version);
	sqlite_reader_give(d, c);
	return r;
}

enum lb_err
sqlite_bind(sqlite3_stmt *s, const char *kinds, ...)
{
	int rc = SQLITE_OK;
	va_list ap;

	(void)sqlite3_clear_bindings(s);
	va_start(ap, kinds);
	for (int i = 0; kinds[i] != '\0' && rc == SQLITE_OK; i++) {
		if (kinds[i] == 't') {
			rc = sqlite3_bind_text(s, i + 1,
			    va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (kinds[i] == 'i') {
			rc = sqlite3_bind_int64(s, i + 1, va_arg(ap, int64_t));
		} else {
			const struct lb_buf *b = va_arg(ap, struct lb_buf *);

			assert(kinds[i] == 'b');
			rc = sqlite3_bind_text(s, i + 1,
			    b->data != NULL ? b->data : "", (int)b->len,
			    SQLITE_STATIC);
		}
	}
	va_end(ap);
	return sqlite_err(rc);
}

enum lb_err
sqlite_once(sqlite3_stmt *s)
{
	enum lb_err r = sqlite_err(sqlite3_step(s));

	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return r;
}

enum lb_err
sqlite_once_one(struct conn *w, enum stmt i)
{
	enum lb_err r = sqlite_once(w->stmt[i]);

	if (r == LB_OK && sqlite3_changes(w->db) != 1)
		return LB_ERR_CONFLICT;
	return r;
}
