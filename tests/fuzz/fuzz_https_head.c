/* The headers of an HTTPS answer, looked up: one line, or none. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/https.h"

static void
look_up(const struct lb_https_answer *a, const char *name)
{
	char got[32] = "kept";
	enum lb_err r;

	r = lb_https_answer_header(a, name, got, sizeof(got));
	if (r != LB_OK) {
		assert(r == LB_ERR_MISSING || r == LB_ERR_PEER ||
		    r == LB_ERR_RANGE);
		assert(strcmp(got, "kept") == 0);
		return;
	}
	assert(strlen(got) < sizeof(got) && strpbrk(got, "\r\n\t") == NULL);
	assert(
	    got[0] == '\0' || (got[0] != ' ' && got[strlen(got) - 1] != ' '));
	assert(strstr(a->head.data, got) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lb_https_answer a = { 0 };

	if (lb_buf_add(&a.head, bytes, len) != LB_OK)
		abort();
	look_up(&a, "ETag");
	look_up(&a, "Retry-After");
	look_up(&a, "X");
	lb_https_answer_clear(&a);
	return 0;
}
