/* Crockford's base32. */
#include "crockford.h"

void
crockford_encode(const uint8_t *bytes, size_t len, size_t chars, char *ret)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

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
