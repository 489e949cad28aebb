/* The SQLite back end: walking over the rows of a statement. */
#include "store_sqlite_cursor.h"

#include <string.h>

void
cursor_open(struct cursor *k, struct sqlite_db *d, enum stmt i)
{
	k->d = d;
	k->c = sqlite_reader_take(d);
	k->s = k->c->stmt[i];
	k->col = 0;
	k->r = LB_OK;
}

enum lb_err
cursor_close(struct cursor *k)
{
	(void)sqlite3_reset(k->s);
	(void)sqlite3_clear_bindings(k->s);
	sqlite_reader_give(k->d, k->c);
	return k->r;
}

bool
cursor_next(struct cursor *k)
{
	int rc;

	if (k->r != LB_OK)
		return false;
	k->col = 0;
	rc = sqlite3_step(k->s);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		k->r = LB_ERR_STORE;
	return false;
}

void
cursor_text(struct cursor *k, char *ret, size_t size)
{
	const char *s = (const char *)sqlite3_column_text(k->s, k->col);
	size_t len = (size_t)sqlite3_column_bytes(k->s, k->col);

	k->col++;
	if (s == NULL || len >= size || memchr(s, 0, len) != NULL) {
		k->r = s == NULL ? LB_ERR_MEMORY : LB_ERR_STORE;
		return;
	}
	memcpy(ret, s, len);
	ret[len] = '\0';
}
int64_t
cursor_int(struct cursor *k)
{
	return sqlite3_column_int64(k->s, k->col++);
}

void
cursor_buf(struct cursor *k, struct lb_buf *ret)
{
	const char *s = (const char *)sqlite3_column_text(k->s, k->col);
	size_t len = (size_t)sqlite3_column_bytes(k->s, k->col);

	k->col++;
	ret->len = 0;
	if (s == NULL)
		k->r = LB_ERR_MEMORY;
	else if (k->r == LB_OK)
		k->r = lb_buf_add(ret, s, len);
}
