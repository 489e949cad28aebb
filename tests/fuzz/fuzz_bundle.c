/* Bundles: refused, or taken apart so that the parts are the whole again. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/papers.h"

#define BEGIN_LINE "-----BEGIN SSH SIGNATURE-----\n"
#define END_LINE   "-----END SSH SIGNATURE-----\n"

/* A stretch begins where the last one ended. */
static void
check_next(const char **at, const struct lb_slice *s)
{
	assert(s->text == *at && s->len > 0);
	assert(s->text[s->len - 1] == '\n');
	*at += s->len;
}

static void
check_sig(const struct lb_slice *s)
{
	size_t begin = strlen(BEGIN_LINE), end = strlen(END_LINE);

	assert(s->len > begin + end);
	assert(memcmp(s->text, BEGIN_LINE, begin) == 0);
	assert(memcmp(s->text + s->len - end, END_LINE, end) == 0);
	assert(memchr(s->text + begin, '-', s->len - begin - end) == NULL);
}

static void
check_part(const struct lb_bundle *b, const struct lb_part *p, const char **at)
{
	size_t magic = strlen(p->type->magic);
	char id[LB_SHA256_LEN + 1];

	check_next(at, &p->doc);
	assert(p->doc.len > magic && p->doc.len <= p->type->text_max);
	assert(memcmp(p->doc.text, p->type->magic, magic) == 0);
	assert(p->doc.text[magic] == '\n');
	lb_doc_id(p->doc.text, p->doc.len, id);
	assert(strcmp(p->type->unnamed ? "" : id, p->id) == 0);
	assert(lb_bundle_find(b, id) == (p->type->unnamed ? NULL : p));
	assert(lb_bundle_find(b, "") == NULL);
	for (size_t i = 0; i < p->sig_count; i++) {
		check_next(at, &p->sigs[i]);
		check_sig(&p->sigs[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes, *at = text;
	struct lb_bundle *b = NULL;
	size_t sigs = 0;
	enum lb_err r;

	r = lb_bundle_split(text, len, &b);
	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE);
	assert((b != NULL) == (r == LB_OK));
	if (b == NULL)
		return 0;
	assert(len <= LB_BUNDLE_MAX && b->count <= LB_BUNDLE_PARTS_MAX);
	for (size_t i = 0; i < b->count; i++) {
		check_part(b, &b->part[i], &at);
		sigs += b->part[i].sig_count;
	}
	assert(at == text + len);
	assert(sigs == b->sig_count && sigs <= LB_BUNDLE_SIGS_MAX);
	for (size_t i = 0; lb_doc_types[i] != NULL; i++) {
		const struct lb_part *p = lb_bundle_first(b, lb_doc_types[i]);

		assert(p == NULL || p->type == lb_doc_types[i]);
	}
	lb_bundle_free(b);
	return 0;
}
