/*
 * Inside the SQLite back end: one walk over a statement's rows. A row is read
 * column by column, in order; the first thing that does not fit stops all.
 */
#ifndef BROKER_STORE_SQLITE_CURSOR_H
#define BROKER_STORE_SQLITE_CURSOR_H

#include "store_sqlite.h"

struct cursor {
	struct sqlite_db *d;
	struct conn *c;
	sqlite3_stmt *s; /* to bind to before the first row */
	int col;
	enum lb_err r;
};

/* Takes a reader of the pool until it is closed. */
void cursor_open(struct cursor *k, struct sqlite_db *d, enum stmt i);
/* What came of the walk. */
enum lb_err cursor_close(struct cursor *k) LB_MUST_CHECK;

/* Is there another row? */
bool cursor_next(struct cursor *k);

/* The next column. What fails is in k->r; ret is then whatever it was. */
void cursor_text(struct cursor *k, char *ret, size_t size);
#define TEXT(k, array) cursor_text(k, array, sizeof(array))
int64_t cursor_int(struct cursor *k);
void cursor_buf(struct cursor *k, struct lb_buf *ret);

#endif
