/* Text of documents: nothing that a person would not see. */
#include "lockbox/visible.h"

#include <stdint.h>
#include <utf8proc.h>

#define MARKS_MAX 4 /* combining marks in a row */

/* What a character may do in visible text. */
enum shape {
	SHAPE_REFUSED,
	SHAPE_SPACE,
	SHAPE_MARK,
	SHAPE_BASE,
};

/*
 * Characters that Unicode calls visible but that show nothing, or something
 * else than they say: a blank braille cell, a null note head, the object
 * replacement.
 */
static bool
blank(utf8proc_int32_t c)
{
	return c == 0x2800 || c == 0x1d159 || c == 0xfffc;
}

static enum shape
shape_of(utf8proc_int32_t c)
{
	if (c == ' ')
		return SHAPE_SPACE;
	if (blank(c) || utf8proc_get_property(c)->ignorable)
		return SHAPE_REFUSED;
	switch (utf8proc_category(c)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return SHAPE_REFUSED;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		return SHAPE_MARK;
	default:
		return SHAPE_BASE;
	}
}

bool
lb_text_visible(const char *s, size_t len)
{
	const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)s;
	enum shape last = SHAPE_SPACE; /* so that neither leads */
	unsigned marks = 0;
	size_t i = 0;

	if (len > INT32_MAX)
		return false;
	while (i < len) {
		utf8proc_int32_t c;
		utf8proc_ssize_t n;
		enum shape now;

		n = utf8proc_iterate(p + i, (utf8proc_ssize_t)(len - i), &c);
		if (n <= 0)
			return false;
		i += (size_t)n;
		now = shape_of(c);
		marks = now == SHAPE_MARK ? marks + 1 : 0;
		if (now == SHAPE_REFUSED || marks > MARKS_MAX ||
		    (last == SHAPE_SPACE && now != SHAPE_BASE))
			return false;
		last = now;
	}
	return last != SHAPE_SPACE;
}
