/* A broker's URL as people give it: refused, or one host and its port. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

static void
url(const char *text, size_t len)
{
	char value[2 * SETTINGS_URL_MAX], got[SETTINGS_URL_MAX + 1] = "kept";
	char again[SETTINGS_URL_MAX + 1];
	enum lb_err r;

	if (len >= sizeof(value) || memchr(text, '\0', len) != NULL)
		return;
	memcpy(value, text, len);
	value[len] = '\0';
	if (settings_url(value, got) != LB_OK) {
		assert(strcmp(got, "kept") == 0);
		return;
	}
	assert(strncmp(got, "https://", 8) == 0 && got[8] != '\0');
	assert(strpbrk(got + 8, "/@?#\\ \n") == NULL);
	r = settings_url(got, again);
	assert(r == LB_OK && strcmp(got, again) == 0);
	(void)r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	url((const char *)bytes, len);
	return 0;
}
