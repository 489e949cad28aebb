/* Names, escaping for logs, hex and numbers: exact ASCII, libc only. */
#include "lockbox/text.h"

#include <assert.h>
#include <string.h>

#define LOWER     "abcdefghijklmnopqrstuvwxyz"
#define UPPER     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT     "0123456789"
#define HEX       DIGIT "abcdef"
#define BASE64    UPPER LOWER DIGIT "+/"
#define CROCKFORD DIGIT "ABCDEFGHJKMNPQRSTVWXYZ"

#define LABEL_MAX     63 /* chars of a host name between dots, RFC 1035 */
#define SHA256_PREFIX "sha256:"
#define KEYFP_PREFIX  "SHA256:"
#define CUT           "..."

/* 1..max chars, the first of first, all others of rest. */
static bool
spelled(const char *s, size_t max, const char *first, const char *rest)
{
	size_t len = strlen(s);

	return len >= 1 && len <= max && strchr(first, s[0]) != NULL &&
	    1 + strspn(s + 1, rest) == len;
}

static bool
exactly(const char *s, size_t len, const char *set)
{
	return strlen(s) == len && strspn(s, set) == len;
}

bool
lb_name_valid(const char *s)
{
	return spelled(s, LB_NAME_MAX, LOWER DIGIT, LOWER DIGIT ".-");
}

bool
lb_principal_valid(const char *s)
{
	return spelled(
	    s, LB_PRINCIPAL_MAX, UPPER LOWER DIGIT, UPPER LOWER DIGIT "._@+-");
}

bool
lb_login_valid(const char *s)
{
	return spelled(
	    s, LB_LOGIN_MAX, UPPER LOWER "_", UPPER LOWER DIGIT "_.-");
}

bool
lb_service_valid(const char *s)
{
	return spelled(s, LB_SERVICE_MAX, LOWER, LOWER DIGIT "_-");
}

bool
lb_rhost_valid(const char *s)
{
	static const char set[] = UPPER LOWER DIGIT ".:%_-";

	return spelled(s, LB_RHOST_MAX, set, set);
}

bool
lb_host_valid(const char *s)
{
	size_t len = strlen(s);

	if (len > LB_HOST_MAX)
		return false;
	for (;;) {
		size_t label = strspn(s, LOWER DIGIT "-");

		if (label == 0 || label > LABEL_MAX || s[0] == '-' ||
		    s[label - 1] == '-')
			return false;
		s += label;
		if (*s == '\0')
			return true;
		if (*s++ != '.')
			return false;
	}
}

bool
lb_sha256_valid(const char *s)
{
	size_t prefix = strlen(SHA256_PREFIX);

	return strncmp(s, SHA256_PREFIX, prefix) == 0 &&
	    exactly(s + prefix, LB_SHA256_LEN - prefix, HEX);
}

bool
lb_keyfp_valid(const char *s)
{
	size_t prefix = strlen(KEYFP_PREFIX);

	/* 43 chars carry 258 bits: the last two must be zero. */
	return strncmp(s, KEYFP_PREFIX, prefix) == 0 &&
	    exactly(s + prefix, LB_KEYFP_LEN - prefix, BASE64) &&
	    strchr("AEIMQUYcgkosw048", s[LB_KEYFP_LEN - 1]) != NULL;
}

bool
lb_id_valid(const char *s)
{
	/* 26 chars carry 130 bits: the first two must be zero. */
	return exactly(s, LB_ID_LEN, CROCKFORD) && s[0] <= '7';
}

bool
lb_nonce_valid(const char *s)
{
	return exactly(s, LB_NONCE_LEN, HEX);
}

/* Write one byte's escape, at most 4 chars without NUL; returns how many. */
static size_t
escape_byte(uint8_t c, char ret[static 4])
{
	static const char hex[] = HEX;

	if (c >= 0x20 && c <= 0x7e && c != '"' && c != '\\') {
		ret[0] = (char)c;
		return 1;
	}
	ret[0] = '\\';
	if (c == '"' || c == '\\') {
		ret[1] = (char)c;
		return 2;
	}
	ret[1] = 'x';
	ret[2] = hex[c >> 4];
	ret[3] = hex[c & 15];
	return 4;
}

void
lb_text_escape(const void *bytes, size_t len, char *ret, size_t ret_size)
{
	const uint8_t *p = bytes;
	size_t keep = 0; /* where to cut, should the rest not fit */
	size_t n = 0;
	char e[4];

	assert(ret_size >= 8);
	for (size_t i = 0; i < len; i++) {
		size_t k = escape_byte(p[i], e);

		if (n + k > ret_size - 1) {
			memcpy(ret + keep, CUT, sizeof(CUT));
			return;
		}
		memcpy(ret + n, e, k);
		n += k;
		if (n + strlen(CUT) <= ret_size - 1)
			keep = n;
	}
	ret[n] = '\0';
}

enum lb_err
lb_text_copy(char *ret, size_t ret_size, const char *s)
{
	size_t len = strlen(s);

	if (len >= ret_size)
		return LB_ERR_RANGE;
	memcpy(ret, s, len + 1);
	return LB_OK;
}

void
lb_hex_encode(const uint8_t *bytes, size_t len, char *ret)
{
	static const char hex[] = HEX;

	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = hex[bytes[i] >> 4];
		ret[2 * i + 1] = hex[bytes[i] & 15];
	}
	ret[2 * len] = '\0';
}

static uint8_t
hex_value(char c)
{
	return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

enum lb_err
lb_hex_decode(const char *s, uint8_t *ret, size_t len)
{
	if (strlen(s) / 2 != len || !exactly(s, 2 * len, HEX))
		return LB_ERR_FORMAT;
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)(hex_value(s[2 * i]) << 4 |
		    hex_value(s[2 * i + 1]));
	return LB_OK;
}

enum lb_err
lb_number_parse(const char *s, int64_t lo, int64_t hi, int64_t *ret)
{
	size_t len = strlen(s);
	int64_t n = 0;

	if (len == 0 || strspn(s, DIGIT) != len || (s[0] == '0' && len > 1))
		return LB_ERR_FORMAT;
	for (; *s != '\0'; s++) {
		int digit = *s - '0';

		if (n > (INT64_MAX - digit) / 10)
			return LB_ERR_RANGE;
		n = n * 10 + digit;
	}
	if (n < lo || n > hi)
		return LB_ERR_RANGE;
	*ret = n;
	return LB_OK;
}

/* 60 bits in groups of four digits. */
static void
code_write(uint64_t bits, char ret[static LB_CODE_LEN + 1])
{
	for (size_t i = LB_CODE_LEN; i-- > 0;) {
		if (i == 4 || i == 9) {
			ret[i] = '-';
			continue;
		}
		ret[i] = CROCKFORD[bits & 31];
		bits >>= 5;
	}
	ret[LB_CODE_LEN] = '\0';
}

void
lb_request_code(const char *sha256, char ret[static LB_CODE_LEN + 1])
{
	const char *s = sha256 + strlen(SHA256_PREFIX);
	uint64_t bits = 0;

	assert(lb_sha256_valid(sha256));
	for (size_t i = 0; i < 15; i++)
		bits = bits << 4 | hex_value(s[i]);
	code_write(bits, ret);
}

void
lb_key_code(const char *fp, char ret[static LB_CODE_LEN + 1])
{
	static const char base64[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	    "0123456789+/";
	const char *s = fp + strlen(KEYFP_PREFIX);
	uint64_t bits = 0;

	assert(lb_keyfp_valid(fp));
	for (size_t i = 0; i < 10; i++)
		bits = bits << 6 | (uint64_t)(strchr(base64, s[i]) - base64);
	code_write(bits, ret);
}
