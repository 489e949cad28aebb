/*
 * The one parser and the one writer of signed documents, driven by a table
 * per type. A document is UTF-8, LF only, a final newline, no blank lines: a
 * magic line, then "name: value" lines in the table's order. A line that may
 * repeat stands in strictly ascending byte order. One meaning has exactly one
 * text: parse then write gives the same bytes.
 * Source: doc/wire-format.md, sections 1 and 2.
 */
#ifndef LOCKBOX_DOCUMENT_H
#define LOCKBOX_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

#define LB_DOC_TEXT_MAX   8192  /* bytes, with the final newline */
#define LB_TRUST_TEXT_MAX 65536 /* bytes, for lockbox-trust-v1 */

/* The alphabet of a value; doc/wire-format.md, section 2, has them all. */
enum lb_line_kind {
	LB_LINE_NAME,      /* lb_name_valid, char[] */
	LB_LINE_PRINCIPAL, /* lb_principal_valid, char[] */
	LB_LINE_HOST,      /* lb_host_valid, char[]; so each down to NONCE */
	LB_LINE_LOGIN,
	LB_LINE_SERVICE,
	LB_LINE_RHOST,
	LB_LINE_ID,
	LB_LINE_SHA256,
	LB_LINE_KEYFP,
	LB_LINE_NONCE,
	LB_LINE_TEXT,   /* lb_text_visible, char[] */
	LB_LINE_WORD,   /* one of words, or any code where words is NULL */
	LB_LINE_PINNED, /* visible ASCII; the trust rules read it further */
	LB_LINE_TIME,   /* int64_t; 0 in the struct means absent */
	LB_LINE_NUMBER, /* int64_t in [lo, hi]; a required line, or lo > 0 */
};

/*
 * One line name. A table ends with a row of zeros.
 *
 * most == 1: the value is at offset. An optional line (least 0) is absent when
 *   its string is empty or its number or time is 0.
 * most > 1: at offset stands a list made by LB_LIST_OF, of most items. Lists
 *   hold strings only.
 */
struct lb_doc_line {
	const char *name;
	size_t least, most;
	enum lb_line_kind kind;
	size_t offset;
	size_t size;              /* bytes of one string value, with its NUL */
	int64_t lo, hi;           /* LB_LINE_NUMBER */
	const char *const *words; /* LB_LINE_WORD: NULL-terminated */
};

/*
 * The body of a list of at most max strings. A named struct made by it needs
 * no pointer: struct lb_logins LB_LIST_OF(8, 33);
 */
#define LB_LIST_OF(max, str_size)                                              \
	{                                                                      \
		size_t count;                                                  \
		char item[(max)][(str_size)];                                  \
	}

/* A document type. text_max counts bytes with the final newline. */
struct lb_doc_type {
	const char *magic; /* "lockbox-grant-v1" */
	size_t text_max;
	size_t struct_size;
	const struct lb_doc_line *lines;
	/* What the lines must say together: LB_OK or LB_ERR_RANGE. May be
	 * NULL. Held against what is read and what is written alike. */
	enum lb_err (*check)(const void *doc);
	/* No other document and no record names one of these by its id: a
	 * splitter need not compute it. */
	bool unnamed;
};

/*
 * Read a document.
 *
 * text  text_len bytes; need not end in NUL
 * ret   type->struct_size bytes, written only on LB_OK (then wholly)
 *
 * LB_ERR_FORMAT  a line missing, unknown, twice, out of order, a value not in
 *                its one spelling, bytes after the end, a NUL byte
 * LB_ERR_RANGE   too long, too many, a number or time outside its range, or
 *                lines that contradict each other (type->check)
 * LB_ERR_MEMORY
 *
 * Allocates nothing for a text whose lines are refused. Looks at no clock and
 * at no signature.
 */
enum lb_err lb_doc_parse(const struct lb_doc_type *type, const char *text,
    size_t text_len, void *ret) LB_MUST_CHECK;

/*
 * Write a document, appended to ret. Lists are written in the struct's order
 * and must already be sorted: see lb_doc_sort. What it writes, lb_doc_parse
 * reads back. Errors as lb_doc_parse (the struct holds something that a
 * document cannot say); ret is unchanged on error.
 */
enum lb_err lb_doc_write(const struct lb_doc_type *type, const void *doc,
    struct lb_buf *ret) LB_MUST_CHECK;

/*
 * Sort every list of doc into byte order and drop repeated items. Strings
 * must be terminated and counts within bounds.
 */
void lb_doc_sort(const struct lb_doc_type *type, void *doc);

#endif
