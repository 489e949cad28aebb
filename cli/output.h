/*
 * What people and scripts read: lines, tables and JSON on stdout, hints and
 * errors on stderr. Everything passes one filter, so that nothing which came
 * from the network moves the cursor, recolours, or reorders text.
 */
#ifndef LOCKBOX_CLI_OUTPUT_H
#define LOCKBOX_CLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli.h"
#include "lockbox/buf.h"
#include "lockbox/err.h"

#define OUT_TIME_MAX  64 /* bytes, with NUL */
#define OUT_MARKS_MAX 4  /* combining marks in a row */

/*
 * Append bytes so that a terminal only shows them: printable ASCII and visible
 * UTF-8 stay, every other byte becomes \xHH, newlines and tabs too.
 */
enum lb_err out_escape(
    const void *bytes, size_t len, struct lb_buf *ret) LB_MUST_CHECK;

/* Columns that escaped text takes on a terminal. */
size_t out_width(const char *escaped);

/*
 * Cut escaped text to so many columns of a terminal, in place; what is cut
 * ends in "...". 0 columns: not known, nothing is cut.
 */
void out_cut(char *escaped, size_t columns);

/* Is f a terminal on which a line can be rewritten: not where TERM is dumb. */
bool out_moving(FILE *f);

/* The same, and NO_COLOR is empty or not set. */
bool out_coloured(FILE *f);

/* One line through the filter; the newline is added. */
void out_line(FILE *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * A document as it stands, line by line through the filter, each line after
 * prefix. text ends in a newline.
 */
void out_document(FILE *f, const char *prefix, const char *text, size_t len);

/* "lockbox: ..." on stderr; returns code, so that a caller can return it. */
int out_fail(const struct cli *cli, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* What to do next, on stderr: "next: ...". Silent under --quiet. */
void out_hint(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A remark on stderr; silent under --quiet. */
void out_note(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Only under -v, on stderr. */
void out_debug(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* JSON in ASCII, sorted as it was built, two blanks deep; steals root. */
int out_json(const struct cli *cli, json_t *root);

/* A time as text, null for 0; and count strings of size bytes as a list. */
json_t *out_json_time(int64_t at);
json_t *out_json_names(const char *item, size_t count, size_t size);

/*
 * A table: rows of columns cells. All zero but columns is empty; a failed
 * allocation is remembered and told by out_table_print.
 */
struct out_table {
	size_t columns;
	bool failed;
	size_t count; /* cells */
	size_t size;
	char **cell; /* escaped, owned */
};

/* Copies columns strings; NULL is an empty cell. */
void out_row(struct out_table *t, ...);

/* "name  value" of a two-column table; a printf of the value. */
void out_field(struct out_table *t, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Print with two blanks between columns, then clear the table. */
enum lb_err out_table_print(FILE *f, struct out_table *t) LB_MUST_CHECK;
void out_table_clear(struct out_table *t);

/* "2026-03-02 15:00:00 CET": local time with its zone. 0 gives "-". */
void out_time(int64_t at, char ret[static OUT_TIME_MAX]);

/* "in 1h30m", "45s ago", "now": at seen from now. */
void out_when(int64_t at, int64_t now, char ret[static OUT_TIME_MAX]);

/*
 * Ask on the terminal; true only for "y" or "yes". With --yes true at once.
 * Without a terminal false, and says that --yes is for scripts.
 */
bool out_confirm(const struct cli *cli, const char *question);

#endif
