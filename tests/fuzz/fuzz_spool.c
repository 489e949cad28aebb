/*
 * The spool's file, as it is and with sums that hold: refused, or read up to
 * where it is whole, and written back with the same meaning. And the two other
 * words that come to reports: the broker's answer and its refusal.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "post.h"
#include "spool.h"

static void
same(const struct spool *a, const struct spool *b)
{
	assert(a->count == b->count && a->last == b->last);
	assert(a->done == b->done && a->doubt == b->doubt);
	for (size_t i = 0; i < a->count; i++) {
		assert(a->item[i].sequence == b->item[i].sequence);
		assert(a->item[i].len == b->item[i].len);
		assert(memcmp(a->item[i].text, b->item[i].text,
			   a->item[i].len) == 0);
	}
	(void)a;
	(void)b;
}

static void
check(const struct spool *sp)
{
	assert(lb_keyfp_valid(sp->key));
	assert(sp->done <= sp->last && sp->last <= LB_SEQUENCE_MAX);
	assert(sp->safe == sp->last && sp->written == sp->last);
	for (size_t i = 0; i < sp->count; i++) {
		assert(sp->item[i].sequence > sp->done);
		assert(sp->item[i].sequence <= sp->last);
		assert(
		    i == 0 || sp->item[i - 1].sequence < sp->item[i].sequence);
	}
	(void)sp;
}

static void
spool(const char *text, size_t len)
{
	struct lb_buf again = { .max = SPOOL_FILE_MAX };
	struct spool sp = { 0 }, back = { 0 };
	size_t good = 0, all = 0;
	enum lb_err r;

	if (spool_parse(text, len, &sp, &good) != LB_OK) {
		assert(sp.item == NULL && good == 0);
		return;
	}
	assert(good > 0 && good <= len);
	check(&sp);
	r = spool_parse(text, good, &back, &all);
	assert(r == LB_OK && all == good);
	same(&sp, &back);
	spool_clear(&back);
	r = spool_whole(&sp, sp.last, &again);
	assert(r == LB_OK);
	r = spool_parse(again.data, again.len, &back, &all);
	assert(r == LB_OK && all == again.len);
	same(&sp, &back);
	(void)r;
	spool_clear(&back);
	spool_clear(&sp);
	lb_buf_clear(&again);
}

/* The sums are no secret: whoever writes the file can make them. Each stands
 * behind "sum: " or at the end of a line "report: N " or "done: N ". */
static void
mend(char *text, size_t len)
{
	char *at = text, *nl, *sum;
	char id[LB_SHA256_LEN + 1];
	size_t n, from;

	for (; (nl = memchr(at, '\n', len - (size_t)(at - text))) != NULL;
	     at = nl + 1) {
		sum = nl - LB_SHA256_LEN;
		if (sum < at + 5 || sum[-1] != ' ')
			continue;
		from = (size_t)(nl + 1 - text);
		if (memcmp(at, "sum: ", 5) == 0)
			lb_doc_id(text, (size_t)(at - text), id);
		else if (memcmp(at, "done: ", 6) == 0 && sum > at + 6)
			lb_doc_id(at + 6, (size_t)(sum - 1 - at) - 6, id);
		else if (memcmp(at, "report: ", 8) == 0 &&
		    (n = strtoul(at + 8, NULL, 10)) <= len - from)
			lb_doc_id(nl + 1, n, id);
		else
			continue;
		memcpy(sum, id, LB_SHA256_LEN);
	}
}

static void
words(const char *text, size_t len)
{
	char code[FRAME_CODE_MAX + 1] = "-", again[FRAME_CAUSE_MAX + 1];
	int64_t sequence = -1;
	long status = -1;

	if (post_answer(text, len, &sequence) == LB_OK)
		assert(sequence >= 0 && sequence <= LB_SEQUENCE_MAX);
	else
		assert(sequence == -1);
	if (frame_refusal_get(text, len, &status, code) != LB_OK) {
		assert(status == -1 && strcmp(code, "-") == 0);
		return;
	}
	frame_refusal_put(status, code, again);
	assert(strlen(again) == len && memcmp(again, text, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	if (text == NULL)
		return 0;
	memcpy(text, bytes, len);
	text[len] = '\0';
	words(text, len);
	spool(text, len);
	mend(text, len);
	spool(text, len);
	free(text);
	return 0;
}
