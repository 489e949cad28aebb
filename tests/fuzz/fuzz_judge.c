/*
 * A broker that has every document there is, edits them as it likes and signs
 * an answer that names each grant in the result, but holds no customer's key:
 * what gets in got in honestly. The input is a list of edits, four bytes each;
 * most go by lines, so that documents and signatures change places.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lockbox/judge.h"

#include "../unit/fixture.h"

#define LINES_MAX 1024
#define EDITS_MAX 32
#define BYTES_MAX 65536

struct line {
	const char *text; /* with its newline */
	size_t len;
};

static struct world {
	struct fx *f;
	struct lb_buf spare;             /* other documents, all truly signed */
	char revoked[LB_SHA256_LEN + 1]; /* one of them: approved, revoked */
	size_t count, spares;
	struct line line[LINES_MAX], spare_line[LINES_MAX];
} w;

/* The same keys in every run, so that an input can be had again. */
static const char *
name(void)
{
	return "always the same";
}

static void
fill(void *const buf, const size_t size)
{
	static uint8_t seed[randombytes_SEEDBYTES];

	sodium_increment(seed, sizeof(seed));
	randombytes_buf_deterministic(buf, size, seed);
}

static uint32_t
number(void)
{
	uint32_t n;

	fill(&n, sizeof(n));
	return n;
}

static struct randombytes_implementation same = {
	.implementation_name = name,
	.random = number,
	.buf = fill,
};

static size_t
split(const struct lb_buf *text, struct line *ret)
{
	size_t n = 0;

	for (const char *p = text->data, *end = p + text->len; p < end; n++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		assert(nl != NULL && n < LINES_MAX);
		ret[n] = (struct line){ p, (size_t)(nl - p) + 1 };
		p = nl + 1;
	}
	return n;
}

static void
spare_add(const struct lb_buf *b)
{
	enum lb_err r = lb_buf_add(&w.spare, b->data, b->len);

	assert(r == LB_OK);
	(void)r;
}

/* Grants too long, with one approval, of old, for another tenant, revoked. */
static void
spares_make(void)
{
	struct fx *f = fx_new();
	struct lb_grant *g = &f->grant[0];

	f->without[FX_ANSWER] = true;
	g->not_after += 86400;
	fx_seal(f);
	spare_add(&f->bundle_text);
	g->not_after -= 86400;
	fx_unorder(f, FX_GRANT, FX_DAVE);
	g->not_after += 60;
	fx_seal(f);
	spare_add(&f->paper[FX_GRANT].text);
	spare_add(&f->paper[FX_GRANT].sigs);
	fx_order(f, FX_GRANT, FX_DAVE, LB_NS_APPROVE);
	memcpy(g->tenant, "globex", 7);
	fx_seal(f);
	spare_add(&f->paper[FX_GRANT].text);
	spare_add(&f->paper[FX_GRANT].sigs);
	memcpy(g->tenant, "acme", 5);
	fx_order(f, FX_GRANT, FX_ERIN, LB_NS_REVOKE);
	fx_seal(f);
	spare_add(&f->paper[FX_GRANT].text);
	spare_add(&f->paper[FX_GRANT].sigs);
	memcpy(w.revoked, f->paper[FX_GRANT].id, sizeof(w.revoked));
	fx_free(f);
}

static void
world_make(void)
{
	struct lb_ruling r;

	if (w.f != NULL)
		return;
	(void)randombytes_set_implementation(&same);
	w.f = fx_new();
	fx_seal(w.f);
	fx_judge(w.f, &r);
	assert(r.verdict == LB_VERDICT_ALLOW);
	spares_make();
	w.f->without[FX_ANSWER] = true;
	fx_seal(w.f);
	w.count = split(&w.f->bundle_text, w.line);
	w.spares = split(&w.spare, w.spare_line);
}

/* Put n lines in at pos. */
static void
insert(struct line *l, size_t *count, size_t pos, const struct line *from,
    size_t n)
{
	if (*count + n > LINES_MAX)
		return;
	memmove(&l[pos + n], &l[pos], (*count - pos) * sizeof(*l));
	memcpy(&l[pos], from, n * sizeof(*l));
	*count += n;
}

static void
cut(struct line *l, size_t *count, size_t pos, size_t n)
{
	if (n > *count - pos)
		n = *count - pos;
	memmove(&l[pos], &l[pos + n], (*count - pos - n) * sizeof(*l));
	*count -= n;
}

/* A document, or a signature of it, begins there. */
static bool
begins(const struct line *l)
{
	return strncmp(l->text, "lockbox-", 8) == 0 ||
	    strncmp(l->text, "-----BEGIN", 10) == 0;
}

/* The whole document or signature that the line is in. */
static size_t
whole(const struct line *l, size_t count, size_t pos, size_t *ret_len)
{
	size_t end = pos + 1;

	while (pos > 0 && !begins(&l[pos]))
		pos--;
	while (end < count && !begins(&l[end]))
		end++;
	*ret_len = end - pos;
	return pos;
}

/* Documents and signatures change places, or are cut out or put in. */
static void
edit_whole(struct line *l, size_t *count, const uint8_t e[static 4])
{
	static struct line moved[LINES_MAX];
	size_t n, to, end;
	size_t from = whole(w.spare_line, w.spares, e[2] % w.spares, &n);

	if (e[0] % 4 == 1 || *count == 0) {
		to = *count == 0 ? 0 : whole(l, *count, e[1] % *count, &end);
		insert(l, count, to, &w.spare_line[from], n);
		return;
	}
	from = whole(l, *count, e[1] % *count, &n);
	memcpy(moved, &l[from], n * sizeof(*l));
	cut(l, count, from, n);
	if (e[0] % 4 == 0 || *count == 0)
		return;
	to = whole(l, *count, e[2] % *count, &end);
	insert(l, count, to, moved, n);
}

static void
edit(struct line *l, size_t *count, const uint8_t e[static 4])
{
	static struct line moved[256];
	size_t pos = e[1] % (*count + 1), n = e[3];
	size_t from = e[2] % w.spares;

	switch (e[0] % 4) {
	case 0:
		cut(l, count, pos, n % 16);
		break;
	case 1:
		if (n > w.spares - from)
			n = w.spares - from;
		insert(l, count, pos, &w.spare_line[from], n);
		break;
	case 2: /* another line in its place */
		if (pos < *count)
			l[pos] = w.spare_line[from];
		break;
	default: /* move a stretch */
		n = n % 32;
		if (n > *count - pos)
			n = *count - pos;
		memcpy(moved, &l[pos], n * sizeof(*l));
		cut(l, count, pos, n);
		insert(l, count, e[2] % (*count + 1), moved, n);
		break;
	}
}

/* One byte: an edit with the high bit set. */
static void
spoil(char *text, size_t len, const uint8_t e[static 4])
{
	size_t pos = ((size_t)e[1] << 8 | e[2]) % len;

	text[pos] = (char)(text[pos] ^ e[3]);
}

/* The broker's answer to the question, naming every grant there. */
static void
answer(const struct lb_bundle *b, struct lb_buf *ret)
{
	struct fx *f = w.f;
	struct lb_answer a = f->answer;
	enum lb_err r;

	a.question = f->question;
	memcpy(a.question.trust, f->t->id, sizeof(f->t->id));
	for (size_t i = 0; i < b->count; i++) {
		if (b->part[i].type == &lb_grant_type &&
		    a.grant.count < LB_ANSWER_GRANTS)
			memcpy(a.grant.item[a.grant.count++], b->part[i].id,
			    sizeof(b->part[i].id));
	}
	if (a.grant.count == 0)
		memcpy(a.verdict, "deny", 5);
	lb_doc_sort(&lb_answer_type, &a);
	r = lb_doc_write(&lb_answer_type, &a, ret);
	assert(r == LB_OK);
	(void)r;
	fx_key_sign(&f->key[FX_BROKER], "lockbox-answer-v1", ret->data,
	    ret->len, 0, NULL, ret);
}

/* Only the honest grant, or the revoked one where its revocation is held
 * back, each with both approvals. */
static void
check_allowed(const struct lb_bundle *b, const struct lb_ruling *r)
{
	const struct fx *f = w.f;
	const struct lb_part *g = lb_bundle_find(b, r->grant);
	bool honest = strcmp(r->grant, f->paper[FX_GRANT].id) == 0;

	assert(honest || strcmp(r->grant, w.revoked) == 0);
	assert(g != NULL && g->type == &lb_grant_type && g->sig_count >= 2);
	assert(!lb_trust_closed_by(f->t, g, LB_NS_REVOKE, f->now, NULL));
	assert(lb_bundle_find(b, f->paper[FX_REQUEST].id) != NULL);
	assert(r->not_after == f->grant[0].not_after + (honest ? 0 : 60));
	assert(strcmp(r->engineer, f->grant[0].engineer) == 0);
	assert(!r->provisional && !r->by_delegate);
}

static void
check(const struct lb_bundle *b)
{
	const struct lb_buf *q = &w.f->paper[FX_QUESTION].text;
	struct lb_case c = { .trust = w.f->t,
		.question = q->data,
		.question_len = q->len,
		.bundle = b,
		.now = w.f->now };
	struct lb_ruling r;

	lb_judge(&c, &r);
	assert(r.floor == 0 || r.floor == w.f->now);
	if (r.verdict == LB_VERDICT_ALLOW) {
		check_allowed(b, &r);
		return;
	}
	assert(r.verdict == LB_VERDICT_DENY && r.grant[0] == '\0');
	assert(r.code[0] != '\0' && r.lease_end == 0 && r.not_after == 0);
}

/* The edited text, and the broker's answer before it. */
static void
judge(const char *text, size_t len)
{
	struct lb_bundle *edited = NULL, *whole = NULL;
	struct lb_buf all = { 0 };
	enum lb_err r;

	if (lb_bundle_split(text, len, &edited) != LB_OK)
		return;
	answer(edited, &all);
	r = lb_buf_add(&all, text, len);
	assert(r == LB_OK);
	r = lb_bundle_split(all.data, all.len, &whole);
	assert(r == LB_OK || r == LB_ERR_RANGE);
	if (whole != NULL)
		check(whole);
	lb_bundle_free(whole);
	lb_bundle_free(edited);
	lb_buf_clear(&all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct line line[LINES_MAX];
	static char text[BYTES_MAX];
	size_t count, n = 0, edits = len / 4;

	world_make();
	count = w.count;
	memcpy(line, w.line, sizeof(line));
	for (size_t i = 0; i < edits && i < EDITS_MAX; i++) {
		if ((bytes[4 * i] & 0xc0) == 0x40)
			edit_whole(line, &count, bytes + 4 * i);
		else if ((bytes[4 * i] & 0x80) == 0)
			edit(line, &count, bytes + 4 * i);
	}
	for (size_t i = 0; i < count && n + line[i].len <= BYTES_MAX; i++) {
		memcpy(text + n, line[i].text, line[i].len);
		n += line[i].len;
	}
	for (size_t i = 0; n > 0 && i < edits && i < EDITS_MAX; i++) {
		if ((bytes[4 * i] & 0x80) != 0)
			spoil(text, n, bytes + 4 * i);
	}
	judge(text, n);
	return 0;
}
