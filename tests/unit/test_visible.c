/* Visible text: what may and what may not stand in a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/visible.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static void
test_visible_table(void **state)
{
	static const struct {
		const char *s;
		bool want;
	} row[] = {
		{ "a", true },
		{ "restart the database", true },
		{ "a < b & \"c\" \\ 'd'", true },
		{ "Stra\xc3\x9f"
		  "e",
		    true },
		{ "\xe6\x9d\xb1\xe4\xba\xac", true },         /* Tokyo */
		{ "\xd0\x9c\xd0\xb8\xd1\x80", true },         /* Cyrillic */
		{ "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", true }, /* Hebrew */
		{ "\xf0\x9f\x94\x92", true },                 /* a lock */
		{ "e\xcc\x81", true },                        /* e + acute */
		{ "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81", true },
		{ "e\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81", false },
		{ "\xcc\x81", false },   /* no base */
		{ "a \xcc\x81", false }, /* on a space */
		{ "", false },
		{ " ", false },
		{ " a", false },
		{ "a ", false },
		{ "a  b", false },
		{ "a\tb", false },
		{ "a\nb", false },
		{ "a\rb", false },
		{ "a\x1b[2Jb", false },
		{ "a\x7f", false },
		{ "a\xc2\x85"
		  "b",
		    false }, /* NEL */
		{ "a\xc2\x9b"
		  "b",
		    false }, /* CSI */
		{ "a\xc2\xa0"
		  "b",
		    false }, /* no-break space */
		{ "a\xc2\xad"
		  "b",
		    false }, /* soft hyphen */
		{ "a\xcd\x8f"
		  "b",
		    false }, /* grapheme joiner */
		{ "a\xe1\x85\x9f"
		  "b",
		    false }, /* hangul filler */
		{ "a\xe3\x85\xa4"
		  "b",
		    false }, /* hangul filler */
		{ "a\xe1\xa0\x8e"
		  "b",
		    false }, /* mongolian separator */
		{ "a\xe2\x80\x8b"
		  "b",
		    false }, /* zero width space */
		{ "a\xe2\x80\x8d"
		  "b",
		    false }, /* zero width joiner */
		{ "a\xe2\x80\x8e"
		  "b",
		    false }, /* left-to-right mark */
		{ "a\xe2\x80\xa8"
		  "b",
		    false }, /* line separator */
		{ "a\xe2\x80\xa9"
		  "b",
		    false }, /* paragraph separator */
		{ "a\xe2\x80\xae"
		  "b",
		    false }, /* right-to-left override */
		{ "a\xe2\x81\xa0"
		  "b",
		    false }, /* word joiner */
		{ "a\xe2\x81\xa6"
		  "b",
		    false }, /* left-to-right isolate */
		{ "a\xe2\xa0\x80"
		  "b",
		    false }, /* blank braille */
		{ "a\xe3\x80\x80"
		  "b",
		    false },                /* ideographic space */
		{ "a\xef\xb8\x8f", false }, /* variation selector */
		{ "a\xef\xbb\xbf"
		  "b",
		    false }, /* byte order mark */
		{ "a\xef\xbf\xbc"
		  "b",
		    false }, /* object replacement */
		{ "a\xef\xbf\xbf"
		  "b",
		    false }, /* not a character */
		{ "a\xee\x80\x80"
		  "b",
		    false },                    /* private use */
		{ "a\xf3\xa0\x81\x81", false }, /* tag letter */
		{ "a\xd8\x80", false },         /* arabic number sign */
		{ "a\xef\xbf\xb9", false },     /* annotation anchor */
		{ "a\xf0\x9d\x85\x99", false }, /* null notehead */
		{ "\xe0\xa4\x95\xe0\xa4\x83", true },
		{ "a \xe0\xa4\x83", false }, /* spacing mark on a space */
		{ "a\xe2\x83\x9d", true },   /* enclosed in a circle */
		{ "a \xe2\x83\x9d", false },
		{ "a\xf4\x8f\xbf\xbd", false }, /* private plane */
		{ "a\xcd\xb8", false },         /* unassigned U+0378 */
		{ "a\x80", false },
		{ "a\xc3", false },
		{ "\xc0\xaf", false },         /* overlong */
		{ "\xe0\x80\xaf", false },     /* overlong */
		{ "\xed\xa0\x80", false },     /* surrogate */
		{ "\xf4\x90\x80\x80", false }, /* past U+10FFFF */
		{ "\xff", false },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		if (lb_text_visible(row[i].s, strlen(row[i].s)) != row[i].want)
			fail_msg("row %zu", i);
	}
}

static void
test_visible_ascii(void **state)
{
	(void)state;
	for (int c = 0; c < 128; c++) {
		char s[] = { 'a', (char)c, 'b' };

		assert_int_equal(lb_text_visible(s, 3), c >= 0x20 && c < 0x7f);
	}
}

static void
test_visible_stops_at_len(void **state)
{
	(void)state;
	assert_true(lb_text_visible("a\xc3\x9f\n", 3));
	assert_false(lb_text_visible("a\xc3\x9f\n", 2));
	assert_false(lb_text_visible("a\0b", 3));
	assert_false(lb_text_visible(NULL, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_visible_table),
		cmocka_unit_test(test_visible_ascii),
		cmocka_unit_test(test_visible_stops_at_len),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
