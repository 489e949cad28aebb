/*
 * One value of a document line: is it in its one spelling, and how does a
 * number or a time read and write. Used by document.c alone.
 * Source: doc/wire-format.md, section 2.
 */
#ifndef LOCKBOX_LIB_VALUES_H
#define LOCKBOX_LIB_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/document.h"
#include "lockbox/err.h"

#define LB_VALUE_MAX 1023 /* bytes of the longest value any table may hold */

/* Is a value of that line an int64_t in the struct (else a char array)? */
bool value_is_number(const struct lb_doc_line *line);

/*
 * Check s, a string value, against the line's kind and size.
 *
 * LB_ERR_FORMAT  not in the kind's alphabet or spelling
 * LB_ERR_RANGE   longer than the line's size allows
 */
enum lb_err value_check(
    const struct lb_doc_line *line, const char *s) LB_MUST_CHECK;

/*
 * Read s as the line's number or time. LB_ERR_FORMAT when it is not in its
 * one spelling, LB_ERR_RANGE outside the line's bounds.
 */
enum lb_err value_number(
    const struct lb_doc_line *line, const char *s, int64_t *ret) LB_MUST_CHECK;

/*
 * Spell a number or time. LB_ERR_RANGE outside the line's bounds.
 *
 * ret  LB_VALUE_MAX + 1 bytes
 */
enum lb_err value_spell(const struct lb_doc_line *line, int64_t n,
    char ret[static LB_VALUE_MAX + 1]) LB_MUST_CHECK;

#endif
