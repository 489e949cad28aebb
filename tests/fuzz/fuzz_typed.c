/*
 * What people type: codes come out in their one spelling or not at all, and a
 * mail address holds nothing that a mail's head would take for more.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crockford.h"
#include "fuzz.h"
#include "rows.h"

static void
check_code(const char *typed)
{
	char tidy[17] = "untouched", again[17];

	if (crockford_read(typed, 16, tidy) != LB_OK) {
		assert(strcmp(tidy, "untouched") == 0);
		return;
	}
	assert(strlen(tidy) == 16);
	assert(strspn(tidy, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 16);
	assert(crockford_read(tidy, 16, again) == LB_OK);
	assert(strcmp(tidy, again) == 0);
}

static void
check_mail(const char *s)
{
	if (!row_mail_valid(s))
		return;
	assert(strlen(s) <= ROW_MAIL_MAX);
	assert(strchr(s, '@') == strrchr(s, '@'));
	assert(s[0] != '@' && s[strlen(s) - 1] != '@');
	assert(strpbrk(s, "\r\n\t <>(),:;\"\\") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	assert(text != NULL);
	memcpy(text, bytes, len);
	text[len] = '\0';
	check_code(text);
	check_mail(text);
	free(text);
	return 0;
}
