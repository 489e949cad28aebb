/* Documents: refused and untouched, or written back with the same bytes. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/papers.h"

#define MARK 0xa5

static void
check_refused(const struct lb_doc_type *type, const unsigned char *doc)
{
	for (size_t i = 0; i < type->struct_size; i++)
		assert(doc[i] == MARK);
}

/* Written back, and again after a sort that has nothing to do. */
static void
check_read(
    const struct lb_doc_type *type, void *doc, const char *text, size_t len)
{
	struct lb_buf out = { 0 };
	enum lb_err r;

	assert(len <= type->text_max && text[len - 1] == '\n');
	assert(memchr(text, '\0', len) == NULL);
	for (int sorted = 0; sorted < 2; sorted++) {
		r = lb_doc_write(type, doc, &out);
		assert(r == LB_OK);
		assert(out.len == len && memcmp(out.data, text, len) == 0);
		lb_buf_clear(&out);
		lb_doc_sort(type, doc);
	}
}

/* Returns whether the text is of that type. */
static int
try_type(const struct lb_doc_type *type, const char *text, size_t len)
{
	unsigned char *doc = malloc(type->struct_size);
	enum lb_err r;

	if (doc == NULL)
		abort();
	memset(doc, MARK, type->struct_size);
	r = lb_doc_parse(type, text, len, doc);
	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE);
	if (r == LB_OK)
		check_read(type, doc, text, len);
	else
		check_refused(type, doc);
	free(doc);
	return r == LB_OK;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int types = 0;

	for (size_t i = 0; lb_doc_types[i] != NULL; i++)
		types += try_type(lb_doc_types[i], (const char *)bytes, len);
	assert(types <= 1);
	return 0;
}
