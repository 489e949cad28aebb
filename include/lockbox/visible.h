/*
 * Which text a document may hold: what a person sees is what was signed.
 * Uses libutf8proc's Unicode tables.
 */
#ifndef LOCKBOX_VISIBLE_H
#define LOCKBOX_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True for 1 or more bytes of valid UTF-8 without control, format (zero-width,
 * bidi, tags), default-ignorable, private-use, unassigned or separator
 * characters. The only space is U+0020: not at either end, not doubled.
 * Combining marks may follow a base character, at most 4 in a row.
 * False for len 0.
 */
bool lb_text_visible(const char *s, size_t len);

#endif
