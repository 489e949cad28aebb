/*
 * A bundle: documents one after another, each followed by its armored
 * signatures. The splitter knows magic lines and armor lines, nothing else; it
 * runs before any signature is verified, so it reads no document.
 * Source: doc/wire-format.md, section 5.
 */
#ifndef LOCKBOX_BUNDLE_H
#define LOCKBOX_BUNDLE_H

#include <stddef.h>

#include "lockbox/document.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

#define LB_BUNDLE_MAX       131072 /* bytes */
#define LB_BUNDLE_PARTS_MAX 64
#define LB_BUNDLE_SIGS_MAX  256 /* over all parts */

/* A stretch of somebody else's bytes. */
struct lb_slice {
	const char *text;
	size_t len;
};

struct lb_part {
	const struct lb_doc_type *type; /* by its magic line */
	struct lb_slice doc;            /* magic line to final newline */
	const struct lb_slice *sigs;    /* armor, BEGIN line to END newline */
	size_t sig_count;
	char id[LB_SHA256_LEN + 1]; /* lb_doc_id of doc; "" if type->unnamed */
};

/* Borrows the text it was split from, which must outlive it. */
struct lb_bundle {
	size_t count;
	struct lb_part part[LB_BUNDLE_PARTS_MAX];
	size_t sig_count;
	struct lb_slice sig[LB_BUNDLE_SIGS_MAX];
};

/*
 * Split text. A document runs from its magic line (exactly one of the known
 * ones) to the line before the next BEGIN line or magic line; between a BEGIN
 * and its END line stand only base64 lines. Empty text is an empty bundle.
 * The same document twice is an error.
 *
 * ret  new, freed with lb_bundle_free
 *
 * LB_ERR_FORMAT  anything between, an unclosed armor, a signature before any
 *                document, no final newline, NUL or CR, a document twice
 * LB_ERR_RANGE   too long or too many
 */
enum lb_err lb_bundle_split(
    const char *text, size_t len, struct lb_bundle **ret) LB_MUST_CHECK;

void lb_bundle_free(struct lb_bundle *b); /* accepts NULL */

/* The first part of that type, or NULL. */
const struct lb_part *lb_bundle_first(
    const struct lb_bundle *b, const struct lb_doc_type *type);

/* How many signatures stand in text, which is a bundle or was cut from one. */
size_t lb_bundle_sigs(const char *text, size_t len);

/* The part with that id, or NULL. */
const struct lb_part *lb_bundle_find(const struct lb_bundle *b, const char *id);

#endif
