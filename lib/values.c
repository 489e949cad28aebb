/* One value of a document line, checked by its kind. */
#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/text.h"
#include "lockbox/visible.h"

static bool
text_valid(const char *s)
{
	return lb_text_visible(s, strlen(s));
}

/* An allowed_signers line or a page: visible ASCII. trust.c reads it on. */
static bool
pinned_valid(const char *s)
{
	for (const char *c = s; *c != '\0'; c++)
		if (*c < 0x20 || *c > 0x7e)
			return false;
	return text_valid(s);
}

/* A stable code: [a-z] then [a-z0-9_.]. */
static bool
code_valid(const char *s)
{
	if (*s < 'a' || *s > 'z')
		return false;
	return s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.")] == '\0';
}

static bool
word_valid(const struct lb_doc_line *line, const char *s)
{
	if (line->words == NULL)
		return code_valid(s);
	for (const char *const *w = line->words; *w != NULL; w++)
		if (strcmp(*w, s) == 0)
			return true;
	return false;
}

static bool
string_valid(const struct lb_doc_line *line, const char *s)
{
	switch (line->kind) {
	case LB_LINE_NAME:
		return lb_name_valid(s);
	case LB_LINE_PRINCIPAL:
		return lb_principal_valid(s);
	case LB_LINE_HOST:
		return lb_host_valid(s);
	case LB_LINE_LOGIN:
		return lb_login_valid(s);
	case LB_LINE_SERVICE:
		return lb_service_valid(s);
	case LB_LINE_RHOST:
		return lb_rhost_valid(s);
	case LB_LINE_ID:
		return lb_id_valid(s);
	case LB_LINE_SHA256:
		return lb_sha256_valid(s);
	case LB_LINE_KEYFP:
		return lb_keyfp_valid(s);
	case LB_LINE_NONCE:
		return lb_nonce_valid(s);
	case LB_LINE_TEXT:
		return text_valid(s);
	case LB_LINE_WORD:
		return word_valid(line, s);
	case LB_LINE_PINNED:
		return pinned_valid(s);
	case LB_LINE_TIME:
	case LB_LINE_NUMBER:
		break; /* not strings */
	}
	return false;
}

bool
value_is_number(const struct lb_doc_line *line)
{
	return line->kind == LB_LINE_TIME || line->kind == LB_LINE_NUMBER;
}

enum lb_err
value_check(const struct lb_doc_line *line, const char *s)
{
	int64_t n;

	if (value_is_number(line))
		return value_number(line, s, &n);
	if (strlen(s) >= line->size)
		return LB_ERR_RANGE;
	return string_valid(line, s) ? LB_OK : LB_ERR_FORMAT;
}

enum lb_err
value_number(const struct lb_doc_line *line, const char *s, int64_t *ret)
{
	if (line->kind == LB_LINE_TIME)
		return lb_time_parse(s, ret);
	return lb_number_parse(s, line->lo, line->hi, ret);
}

enum lb_err
value_spell(const struct lb_doc_line *line, int64_t n,
    char ret[static LB_VALUE_MAX + 1])
{
	if (line->kind == LB_LINE_TIME) {
		if (n < LB_TIME_MIN || n > LB_TIME_MAX)
			return LB_ERR_RANGE;
		lb_time_format(n, ret);
		return LB_OK;
	}
	if (n < line->lo || n > line->hi)
		return LB_ERR_RANGE;
	(void)snprintf(ret, LB_VALUE_MAX + 1, "%" PRId64, n); /* 20 chars */
	return LB_OK;
}
