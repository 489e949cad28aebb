/* When something is tried again. */
#include "retry.h"

#include <stddef.h>

#define ASKED_MAX (24 * 60 * 60)

int64_t
retry_after(int64_t attempts, int64_t asked, uint32_t chance)
{
	static const int64_t steps[] = { 5, 30, 2 * 60, 10 * 60, 30 * 60,
		RETRY_STEP_MAX };
	size_t last = sizeof(steps) / sizeof(steps[0]) - 1;
	size_t i = attempts < 1 ? 0 : (size_t)attempts - 1;
	int64_t wait = steps[i < last ? i : last];

	wait += wait * (chance % 1000) / 5000;
	if (asked > ASKED_MAX)
		asked = ASKED_MAX;
	return wait > asked ? wait : asked;
}
