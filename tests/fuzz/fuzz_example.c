/*
 * Bundles against the door of doc/wire-format.md's worked example: what gets
 * in is the example's own grant with the example's own approvals and answer,
 * byte for byte, whatever stands around them.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/buf.h"
#include "lockbox/bundle.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"
#include "lockbox/trust.h"

#define NOW     INT64_C(1772461800) /* 2026-03-02T14:30:00Z, as it says */
#define DOC_MAX 262144

static struct {
	char *doc;
	struct lb_slice question;
	struct lb_trust *trust;
	struct lb_bundle *honest;
} example;

static char *
read_doc(const char *path)
{
	char *text = calloc(1, DOC_MAX);
	FILE *f = fopen(path, "re");
	size_t len;

	assert(text != NULL && f != NULL);
	len = fread(text, 1, DOC_MAX - 1, f);
	assert(len > 0 && feof(f));
	(void)fclose(f);
	return text;
}

/* The fenced block of that name. */
static struct lb_slice
block(const char *name)
{
	char fence[64];
	const char *start, *end;

	(void)snprintf(fence, sizeof(fence), "\n```text %s\n", name);
	start = strstr(example.doc, fence);
	assert(start != NULL);
	start += strlen(fence);
	end = strstr(start, "\n```\n");
	assert(end != NULL);
	return (struct lb_slice){ start, (size_t)(end + 1 - start) };
}

static void
judge(const struct lb_bundle *bundle, struct lb_ruling *ret)
{
	const struct lb_case c = {
		.trust = example.trust,
		.question = example.question.text,
		.question_len = example.question.len,
		.bundle = bundle,
		.now = NOW,
	};

	lb_judge(&c, ret);
}

/* Once; and the untouched bundle is let in. */
static void
begin(void)
{
	struct lb_ruling ruling;
	struct lb_slice trust, whole;
	enum lb_err r;

	if (example.doc != NULL)
		return;
	example.doc = read_doc(WIRE_FORMAT);
	trust = block("trust");
	whole = block("bundle");
	example.question = block("question");
	r = lb_trust_parse(trust.text, trust.len, &example.trust);
	assert(r == LB_OK);
	r = lb_bundle_split(whole.text, whole.len, &example.honest);
	assert(r == LB_OK);
	(void)r;
	judge(example.honest, &ruling);
	assert(ruling.verdict == LB_VERDICT_ALLOW && !ruling.provisional);
}

static bool
same(const struct lb_slice *a, const struct lb_slice *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Each of the honest part's signatures stands in the other one. */
static void
check_signatures(const struct lb_part *honest, const struct lb_part *part)
{
	for (size_t i = 0; i < honest->sig_count; i++) {
		bool found = false;

		for (size_t j = 0; j < part->sig_count; j++)
			found = found || same(&honest->sigs[i], &part->sigs[j]);
		assert(found);
	}
}

/* Answer, grant and request are those of the example. */
static void
check_let_in(const struct lb_bundle *b, const struct lb_ruling *ruling)
{
	for (size_t i = 0; i < example.honest->count; i++) {
		const struct lb_part *honest = &example.honest->part[i];
		const struct lb_part *part = honest->type->unnamed
		    ? lb_bundle_first(b, honest->type)
		    : lb_bundle_find(b, honest->id);

		assert(part != NULL && part->type == honest->type);
		assert(same(&honest->doc, &part->doc));
		check_signatures(honest, part);
		if (honest->type == &lb_grant_type)
			assert(strcmp(ruling->grant, honest->id) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lb_bundle *b = NULL;
	struct lb_ruling ruling;

	begin();
	if (lb_bundle_split((const char *)bytes, len, &b) != LB_OK) {
		assert(b == NULL);
		return 0;
	}
	judge(b, &ruling);
	if (ruling.verdict == LB_VERDICT_ALLOW)
		check_let_in(b, &ruling);
	else
		assert(ruling.verdict == LB_VERDICT_DENY &&
		    ruling.code[0] != '\0');
	lb_bundle_free(b);
	return 0;
}
