/* Crockford's base32. */
#include "crockford.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void
crockford_encode(const uint8_t *bytes, size_t len, size_t chars, char *ret)
{
	for (size_t i = 0; i < chars; i++) {
		unsigned int v = 0;

		for (size_t bit = i * 5; bit < i * 5 + 5; bit++) {
			v <<= 1;
			if (bit / 8 < len)
				v |= (unsigned int)bytes[bit / 8] >>
					(7 - bit % 8) &
				    1;
		}
		ret[i] = digits[v];
	}
	ret[chars] = '\0';
}

/* The digit that a character means; 0: none. */
static char
meant(char c)
{
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		return '0';
	if (c == 'I' || c == 'L')
		return '1';
	return c != '\0' && strchr(digits, c) != NULL ? c : '\0';
}

enum lb_err
crockford_read(const char *typed, size_t chars, char *ret)
{
	size_t n = 0;

	for (const char *p = typed; *p != '\0'; p++)
		if (meant(*p) != '\0')
			n++;
		else if (*p != '-' && *p != ' ')
			return LB_ERR_FORMAT;
	if (n != chars)
		return LB_ERR_FORMAT;
	for (; *typed != '\0'; typed++)
		if (meant(*typed) != '\0')
			*ret++ = meant(*typed);
	*ret = '\0';
	return LB_OK;
}
