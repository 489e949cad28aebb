/* Makes ids. */
#include "lockbox/newid.h"

#include <sodium.h>
#include <string.h>

void
lb_newid(int64_t now, char ret[static LB_ID_LEN + 1])
{
	static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t ms = (uint64_t)now * 1000;
	uint8_t random[16];

	randombytes_buf(random, sizeof(random));
	/* Milliseconds, because that is what readers of such ids expect. */
	ms += (uint64_t)random[15] * 1000 / 256;
	for (int i = 9; i >= 0; i--) {
		ret[i] = base32[ms & 31];
		ms >>= 5;
	}
	for (int i = 10; i < LB_ID_LEN; i++) {
		size_t bit = (size_t)(i - 10) * 5;
		unsigned int two = (unsigned int)random[bit / 8] << 8 |
		    (bit / 8 + 1 < sizeof(random) ? random[bit / 8 + 1] : 0);

		ret[i] = base32[two >> (11 - bit % 8) & 31];
	}
	ret[LB_ID_LEN] = '\0';
}
