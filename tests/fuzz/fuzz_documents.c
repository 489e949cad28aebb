/* Documents: refused and untouched, or written back with the same bytes. */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lockbox/papers.h"

/* The largest struct. mark never changes; doc is as mark between calls. */
static struct lb_trust_paper doc, mark;

/* Written back, and again after a sort that has nothing to do. */
static void
check_read(const struct lb_doc_type *type, const char *text, size_t len)
{
	struct lb_buf out = { 0 };
	enum lb_err r;

	assert(len <= type->text_max && text[len - 1] == '\n');
	assert(memchr(text, '\0', len) == NULL);
	for (int sorted = 0; sorted < 2; sorted++) {
		r = lb_doc_write(type, &doc, &out);
		assert(r == LB_OK);
		assert(out.len == len && memcmp(out.data, text, len) == 0);
		lb_buf_clear(&out);
		lb_doc_sort(type, &doc);
	}
}

/* Returns whether the text is of that type. */
static int
try_type(const struct lb_doc_type *type, const char *text, size_t len)
{
	enum lb_err r;

	assert(type->struct_size <= sizeof(doc));
	r = lb_doc_parse(type, text, len, &doc);
	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE);
	if (r == LB_OK) {
		check_read(type, text, len);
		memcpy(&doc, &mark, type->struct_size);
	}
	assert(memcmp(&doc, &mark, type->struct_size) == 0);
	return r == LB_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int types = 0;

	if (mark.tenant[0] == '\0') { /* the first call */
		memset(&mark, 0xa5, sizeof(mark));
		memcpy(&doc, &mark, sizeof(doc));
	}
	for (size_t i = 0; lb_doc_types[i] != NULL; i++)
		types += try_type(lb_doc_types[i], (const char *)bytes, len);
	assert(types <= 1);
	return 0;
}
