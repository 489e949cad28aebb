/*
 * What browsers and their people send that is no JSON: cookies, entity tags,
 * codes as typed, and the url whose origin they must come from.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crockford.h"
#include "fuzz.h"
#include "headers.h"
#include "origin.h"

static void
check_cookie(const char *text)
{
	char value[16] = "kept", again[16];
	char header[64];
	enum lb_err r = cookie_read(text, "k", value, sizeof(value));

	if (r != LB_OK) {
		assert(strcmp(value, "kept") == 0);
		return;
	}
	assert(strlen(value) < sizeof(value) && strpbrk(value, "; \t") == NULL);
	assert(strstr(text, "k=") != NULL);
	strcpy(header, "a=b; k=");
	strcat(header, value);
	r = cookie_read(header, "k", again, sizeof(again));
	assert(r == LB_OK && strcmp(value, again) == 0);
}

/* A tag that is found stands there, or any does. */
static void
check_etag(const char *text)
{
	if (etag_listed(text, "\"abc\""))
		assert(strstr(text, "\"abc\"") != NULL ||
		    strchr(text, '*') != NULL);
}

static void
check_code(const char *text)
{
	char code[9] = "kept", again[9];
	enum lb_err r;

	if (crockford_read(text, 8, code) != LB_OK) {
		assert(strcmp(code, "kept") == 0);
		return;
	}
	assert(strlen(code) == 8 &&
	    strspn(code, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 8);
	r = crockford_read(code, 8, again);
	assert(r == LB_OK && strcmp(code, again) == 0);
	(void)r;
}

static void
check_url(const char *text)
{
	char origin[LB_ORIGIN_MAX + 1] = "kept", host[LB_ORIGIN_MAX + 1];
	char again[LB_ORIGIN_MAX + 1];
	enum lb_err r;

	if (origin_of_url(text, origin, host) != LB_OK) {
		assert(strcmp(origin, "kept") == 0);
		return;
	}
	assert(strncmp(origin, "https://", 8) == 0 && host[0] != '\0');
	assert(strncmp(origin + 8, host, strlen(host)) == 0);
	assert(strpbrk(origin + 8, "/@?#\\ \n\"") == NULL);
	r = origin_of_url(origin, again, host);
	assert(r == LB_OK && strcmp(origin, again) == 0);
	(void)r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	assert(text != NULL);
	memcpy(text, bytes, len);
	text[len] = '\0';
	check_cookie(text);
	check_etag(text);
	check_code(text);
	check_url(text);
	free(text);
	return 0;
}
