/* Visible text: what passes holds none of what must not stand there. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lockbox/visible.h"

/* Byte sequences that no visible text may hold, whatever is around them. */
static const char *const never[] = {
	"  ",
	"\n",
	"\x1b",
	"\xc2\x9b",     /* CSI */
	"\xc2\xa0",     /* no-break space */
	"\xe2\x80\x8b", /* zero width space */
	"\xe2\x80\xae", /* right-to-left override */
	"\xe2\x81\xa6", /* left-to-right isolate */
	"\xe3\x80\x80", /* ideographic space */
	"\xef\xbb\xbf", /* byte order mark */
	"\xed\xa0",     /* surrogates */
	"\xee\x80\x80", /* private use */
	"\xc0",
	"\xf5",
	"\xff",
};

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *s = (const char *)bytes;

	if (!lb_text_visible(s, len))
		return 0;
	assert(len > 0 && s[0] != ' ' && s[len - 1] != ' ');
	for (size_t i = 0; i < len; i++)
		assert(bytes[i] >= ' ' && bytes[i] != 0x7f);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert(memmem(s, len, never[i], strlen(never[i])) == NULL);
	return 0;
}
