/*
 * Configuration: "name = value" lines, read through a table. Unknown and
 * repeated names and bad values are errors: a gate with a mistyped option
 * must stay shut. Needs only libc.
 */
#ifndef LOCKBOX_CONF_H
#define LOCKBOX_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/err.h"

#define LB_CONF_FILE_MAX 65536 /* bytes */
#define LB_CONF_LINE_MAX 1024  /* bytes, without the newline */
#define LB_CONF_ROWS_MAX 128   /* options in a table */

enum lb_conf_kind {
	LB_CONF_TEXT,   /* char[size] at offset; at least `least` bytes */
	LB_CONF_PATH,   /* absolute path, char[size] */
	LB_CONF_NUMBER, /* int64_t in [least, most] */
	LB_CONF_SPAN,   /* int64_t seconds in [least, most], "2h" */
	LB_CONF_BOOL,   /* bool: yes, no */
	LB_CONF_CALL,   /* call() with the value; the name may repeat */
};

/* One option. A table ends with a row of zeros. */
struct lb_conf_option {
	const char *name;
	enum lb_conf_kind kind;
	bool required;
	size_t offset; /* into the caller's struct */
	size_t size;   /* of the char array, for TEXT and PATH */
	int64_t least, most;
	/* Check or store a value; conf is the caller's struct. May be NULL but
	 * for LB_CONF_CALL. Other kinds are stored after it said LB_OK. */
	enum lb_err (*call)(void *conf, const char *value);
};

/* Where the first error stands, for "file:line: what"; line 0: whole file. */
struct lb_conf_error {
	size_t line;
	char what[160]; /* printable, e.g. "unknown option 'brokr'" */
};

/*
 * Read text into conf, which holds the defaults beforehand. Blank lines and
 * lines whose first non-blank is '#' are skipped; blanks around name and value
 * are not part of them; CR, NUL and other control bytes are errors, comments
 * not excepted. Blanks are spaces and tabs; a tab within a value is an error.
 * Only LB_CONF_TEXT may have an empty value. Bytes above 0x7f are passed on as
 * they are: who shows such a value escapes it or asks lb_text_visible.
 *
 * Asserts that the table has at most LB_CONF_ROWS_MAX rows. What call() says
 * is returned as it is, with the line.
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE: ret_error says where and why; conf may then be
 * partly filled and must not be used.
 */
enum lb_err lb_conf_parse(const struct lb_conf_option *table, const char *text,
    size_t text_len, void *conf, struct lb_conf_error *ret_error) LB_MUST_CHECK;

/*
 * lb_file_read_trusted (owner as there) and lb_conf_parse; the errors of both.
 * ret_error is written on every error.
 */
enum lb_err lb_conf_load(const struct lb_conf_option *table, const char *path,
    uid_t owner, void *conf, struct lb_conf_error *ret_error) LB_MUST_CHECK;

#endif
