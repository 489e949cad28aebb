/* Reports on their way to the broker, and the file they wait in. */
#include "spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/text.h"

#define MAGIC    "lockbox-spool-v1\n"
#define LINE_MAX 128 /* chars of a line of ours */

void
spool_clear(struct spool *sp)
{
	for (size_t i = 0; i < sp->count; i++)
		free(sp->item[i].text);
	free(sp->item);
	*sp = (struct spool){ 0 };
}

bool
spool_takes(const struct spool *sp, enum spool_kind kind)
{
	size_t most = kind == SPOOL_MINOR ? SPOOL_MINOR_MAX : SPOOL_MAX;

	return sp->count < most && sp->last < LB_SEQUENCE_MAX;
}

/* text is taken over, if all goes well. */
static enum lb_err
append(struct spool *sp, int64_t sequence, char *text, size_t len, bool tied)
{
	struct spool_report *items;
	size_t size;

	if (sp->count == SPOOL_MAX)
		return LB_ERR_RANGE;
	if (sp->count == sp->size) {
		size = sp->size == 0 ? 64 : sp->size * 2;
		items = reallocarray(sp->item, size, sizeof(*items));
		if (items == NULL)
			return LB_ERR_MEMORY;
		sp->item = items;
		sp->size = size;
	}
	sp->item[sp->count++] = (struct spool_report){
		.sequence = sequence,
		.tied = tied,
		.len = len,
		.text = text,
	};
	sp->last = sequence;
	return LB_OK;
}

enum lb_err
spool_add(struct spool *sp, struct lb_buf *text, bool tied)
{
	enum lb_err r;

	if (text->len == 0 || text->len > SPOOL_ENTRY_MAX)
		return LB_ERR_RANGE;
	r = append(sp, sp->last + 1, text->data, text->len, tied);
	if (r == LB_OK)
		*text = (struct lb_buf){ 0 }; /* handed over */
	return r;
}

void
spool_skip(struct spool *sp)
{
	sp->skipped++;
	if (sp->last < LB_SEQUENCE_MAX)
		sp->last++;
}

bool
spool_tied(const struct spool *sp)
{
	for (size_t i = sp->count; i > 0 && sp->item[i - 1].sequence > sp->safe;
	     i--)
		if (sp->item[i - 1].tied)
			return true;
	return false;
}

int64_t
spool_free(const struct spool *sp)
{
	int64_t upto = sp->last;

	for (size_t i = sp->count; i > 0 && sp->item[i - 1].sequence > sp->safe;
	     i--)
		if (sp->item[i - 1].tied)
			upto = sp->item[i - 1].sequence - 1;
	return upto;
}

/* --- writing ---------------------------------------------------------------- */

static enum lb_err
write_entry(const struct spool_report *p, struct lb_buf *b)
{
	char sum[LB_SHA256_LEN + 1];
	enum lb_err r;

	lb_doc_id(p->text, p->len, sum);
	if ((r = lb_buf_addf(b, "report: %zu %s\n", p->len, sum)) != LB_OK)
		return r;
	return lb_buf_add(b, p->text, p->len);
}

enum lb_err
spool_entries(
    const struct spool *sp, int64_t after, int64_t upto, struct lb_buf *ret)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < sp->count; i++)
		if (sp->item[i].sequence > after &&
		    sp->item[i].sequence <= upto)
			r = write_entry(&sp->item[i], ret);
	return r;
}

/* "N SUM", with the sum of the digits. */
static void
done_value(int64_t done, char ret[static LINE_MAX + 1])
{
	char digits[24], sum[LB_SHA256_LEN + 1];

	(void)snprintf(digits, sizeof(digits), "%lld", (long long)done);
	lb_doc_id(digits, strlen(digits), sum);
	(void)snprintf(ret, LINE_MAX + 1, "%s %s", digits, sum);
}

enum lb_err
spool_news(const struct spool *sp, int64_t upto, struct lb_buf *ret)
{
	char v[LINE_MAX + 1];
	enum lb_err r = LB_OK;

	if (sp->done > sp->noted) {
		done_value(sp->done, v);
		r = lb_buf_addf(ret, "done: %s\n", v);
	}
	if (r == LB_OK)
		r = spool_entries(sp, sp->written, upto, ret);
	return r;
}

static enum lb_err
write_head(const struct spool *sp, int64_t last, struct lb_buf *b)
{
	struct lb_buf head = { .max = SPOOL_FILE_MAX };
	char sum[LB_SHA256_LEN + 1];
	enum lb_err r;

	if ((r = lb_buf_addf(&head,
		 MAGIC "key: %s\nlast: %lld\ndone: %lld\ndoubt: %lld\n",
		 sp->key, (long long)last, (long long)sp->done,
		 (long long)sp->doubt)) != LB_OK)
		goto out;
	lb_doc_id(head.data, head.len, sum);
	if ((r = lb_buf_addf(&head, "sum: %s\n", sum)) != LB_OK)
		goto out;
	r = lb_buf_add(b, head.data, head.len);
out:
	lb_buf_clear(&head);
	return r;
}

enum lb_err
spool_whole(const struct spool *sp, int64_t upto, struct lb_buf *ret)
{
	enum lb_err r;

	if ((r = write_head(sp, upto, ret)) != LB_OK)
		return r;
	return spool_entries(sp, 0, upto, ret);
}

/* --- reading ---------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
};

/* The rest of a line that begins with "name: "; the cursor stands behind it. */
static enum lb_err
take(struct cursor *c, const char *name, char ret[static LINE_MAX + 1])
{
	size_t n = strlen(name), len;
	const char *nl = memchr(c->at, '\n', (size_t)(c->end - c->at));

	if (nl == NULL || (size_t)(nl - c->at) < n + 2 ||
	    memcmp(c->at, name, n) != 0 || memcmp(c->at + n, ": ", 2) != 0)
		return LB_ERR_FORMAT;
	len = (size_t)(nl - c->at) - n - 2;
	if (len > LINE_MAX || memchr(c->at, '\0', (size_t)(nl - c->at)) != NULL)
		return LB_ERR_FORMAT;
	memcpy(ret, c->at + n + 2, len);
	ret[len] = '\0';
	c->at = nl + 1;
	return LB_OK;
}

static enum lb_err
take_number(struct cursor *c, const char *name, int64_t *ret)
{
	char v[LINE_MAX + 1];
	enum lb_err r;

	if ((r = take(c, name, v)) != LB_OK)
		return r;
	return lb_number_parse(v, 0, LB_SEQUENCE_MAX, ret) == LB_OK
	    ? LB_OK
	    : LB_ERR_FORMAT;
}

static enum lb_err
read_head(struct cursor *c, struct spool *sp)
{
	const size_t magic = sizeof(MAGIC) - 1;
	char sum[LB_SHA256_LEN + 1], v[LINE_MAX + 1];
	const char *from = c->at;
	enum lb_err r;

	if ((size_t)(c->end - c->at) < magic ||
	    memcmp(c->at, MAGIC, magic) != 0)
		return LB_ERR_FORMAT;
	c->at += magic;
	if ((r = take(c, "key", v)) != LB_OK ||
	    (r = lb_keyfp_valid(v) ? LB_OK : LB_ERR_FORMAT) != LB_OK ||
	    (r = lb_text_copy(sp->key, sizeof(sp->key), v)) != LB_OK ||
	    (r = take_number(c, "last", &sp->last)) != LB_OK ||
	    (r = take_number(c, "done", &sp->done)) != LB_OK ||
	    (r = take_number(c, "doubt", &sp->doubt)) != LB_OK)
		return r;
	lb_doc_id(from, (size_t)(c->at - from), sum);
	if ((r = take(c, "sum", v)) != LB_OK)
		return r;
	return strcmp(v, sum) == 0 && sp->done <= sp->last ? LB_OK
							   : LB_ERR_FORMAT;
}

/* The number of one report of ours, which is all that the text holds. */
static enum lb_err
sequence_of(const char *text, size_t len, int64_t *ret)
{
	static struct lb_report doc; /* large; one thread */
	struct lb_bundle *b = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(text, len, &b)) != LB_OK)
		return r == LB_ERR_MEMORY ? r : LB_ERR_FORMAT;
	if (b->count != 1 || b->part[0].type != &lb_report_type ||
	    b->part[0].sig_count != 1)
		r = LB_ERR_FORMAT;
	else
		r = lb_report_parse(
		    b->part[0].doc.text, b->part[0].doc.len, &doc);
	lb_bundle_free(b);
	if (r == LB_OK)
		*ret = doc.sequence;
	return r == LB_OK || r == LB_ERR_MEMORY ? r : LB_ERR_FORMAT;
}

/* "LENGTH SUM" */
static enum lb_err
read_size(char *v, int64_t *ret_len, char ret_sum[static LB_SHA256_LEN + 1])
{
	char *blank = strchr(v, ' ');

	if (blank == NULL)
		return LB_ERR_FORMAT;
	*blank = '\0';
	if (lb_number_parse(v, 1, SPOOL_ENTRY_MAX, ret_len) != LB_OK)
		return LB_ERR_FORMAT;
	return lb_text_copy(ret_sum, LB_SHA256_LEN + 1, blank + 1) == LB_OK
	    ? LB_OK
	    : LB_ERR_FORMAT;
}

/* The text of one entry that is whole; borrowed. */
static enum lb_err
read_entry(struct cursor *c, struct lb_slice *ret, int64_t *ret_sequence)
{
	char v[LINE_MAX + 1], want[LB_SHA256_LEN + 1], is[LB_SHA256_LEN + 1];
	struct cursor to = *c;
	enum lb_err r;
	int64_t len;

	if ((r = take(&to, "report", v)) != LB_OK ||
	    (r = read_size(v, &len, want)) != LB_OK)
		return r;
	if (len > to.end - to.at)
		return LB_ERR_FORMAT;
	lb_doc_id(to.at, (size_t)len, is);
	if (strcmp(is, want) != 0)
		return LB_ERR_FORMAT;
	if ((r = sequence_of(to.at, (size_t)len, ret_sequence)) != LB_OK)
		return r;
	*ret = (struct lb_slice){ to.at, (size_t)len };
	to.at += len;
	*c = to;
	return LB_OK;
}

static enum lb_err
append_copy(struct spool *sp, int64_t sequence, const struct lb_slice *s)
{
	char *text = malloc(s->len);
	enum lb_err r;

	if (text == NULL)
		return LB_ERR_MEMORY;
	memcpy(text, s->text, s->len);
	if ((r = append(sp, sequence, text, s->len, false)) != LB_OK)
		free(text);
	return r;
}

/* Forget those up to done. */
static void
drop_done(struct spool *sp)
{
	size_t n = 0;

	while (n < sp->count && sp->item[n].sequence <= sp->done)
		free(sp->item[n++].text);
	sp->count -= n;
	if (n > 0)
		memmove(sp->item, sp->item + n, sp->count * sizeof(*sp->item));
}

/* "done: N SUM" */
static enum lb_err
read_done(struct cursor *c, int64_t *ret)
{
	char v[LINE_MAX + 1], want[LINE_MAX + 1];
	struct cursor to = *c;
	int64_t done;
	enum lb_err r;

	if ((r = take(&to, "done", v)) != LB_OK)
		return r;
	if (sscanf(v, "%" SCNd64, &done) != 1)
		return LB_ERR_FORMAT;
	done_value(done, want);
	if (strcmp(v, want) != 0 || done < 1 || done > LB_SEQUENCE_MAX)
		return LB_ERR_FORMAT;
	*c = to;
	*ret = done;
	return LB_OK;
}

/* One entry; highest is the number of the last report that stands there. */
static enum lb_err
read_one(struct cursor *c, struct spool *sp, int64_t *highest)
{
	struct cursor to = *c;
	struct lb_slice text;
	int64_t sequence, done;
	enum lb_err r;

	if ((r = read_entry(&to, &text, &sequence)) == LB_OK) {
		if (sequence <= *highest || sequence <= sp->done)
			return LB_ERR_FORMAT;
		r = append_copy(sp, sequence, &text);
		*highest = sequence;
	} else if (r == LB_ERR_FORMAT && (r = read_done(&to, &done)) == LB_OK) {
		if (done <= sp->done)
			return LB_ERR_FORMAT;
		sp->done = done;
		drop_done(sp);
	}
	if (r == LB_OK)
		*c = to;
	return r;
}

enum lb_err
spool_parse(const char *text, size_t len, struct spool *ret, size_t *ret_good)
{
	struct cursor c = { text, text + len };
	struct spool sp = { 0 };
	int64_t highest = 0, last;
	enum lb_err r;

	if (len > SPOOL_FILE_MAX)
		return LB_ERR_RANGE;
	if ((r = read_head(&c, &sp)) != LB_OK)
		return r;
	last = sp.last;
	while (r == LB_OK && c.at < c.end)
		r = read_one(&c, &sp, &highest);
	if (r == LB_ERR_MEMORY || r == LB_ERR_RANGE)
		goto out;
	/* Numbers were given out, to whatever is not here any more. */
	sp.last = last > highest ? last : highest;
	if (sp.last < sp.done)
		sp.last = sp.done;
	sp.written = sp.synced = sp.safe = sp.old = sp.last;
	sp.noted = sp.done;
	sp.file_len = *ret_good = (size_t)(c.at - text);
	*ret = sp;
	sp = (struct spool){ 0 }; /* handed over */
	r = LB_OK;
out:
	spool_clear(&sp);
	return r;
}

enum lb_err
spool_take_tail(struct spool *sp, const char *tail, size_t len, int64_t last)
{
	struct cursor c = { tail, tail + len };
	struct lb_slice text;
	enum lb_err r = LB_OK;
	int64_t sequence;

	while (r == LB_OK && c.at < c.end) {
		if ((r = read_entry(&c, &text, &sequence)) == LB_OK &&
		    sequence > sp->last)
			r = append_copy(sp, sequence, &text);
	}
	if (r == LB_OK && sp->last < last)
		sp->last = last;
	if (r == LB_OK)
		sp->safe = sp->old = sp->last;
	return r;
}

/* --- at the broker --------------------------------------------------------- */

size_t
spool_ready(const struct spool *sp)
{
	size_t n = 0;

	while (n < sp->count && n < LB_BUNDLE_PARTS_MAX &&
	    sp->item[n].sequence <= sp->safe)
		n++;
	return sp->doubt != 0 && n > 1 ? 1 : n;
}

static void
have_done(struct spool *sp, int64_t done)
{
	if (done > sp->last)
		sp->last = done;
	if (done > sp->done)
		sp->done = done;
}

enum spool_word
spool_answered(struct spool *sp, int64_t sent, int64_t kept)
{
	bool lost = kept > sp->last ||
	    (sp->doubt != 0 && kept > sent && kept >= sp->doubt);

	if (kept < sent || kept > LB_SEQUENCE_MAX - SPOOL_MAX ||
	    kept - sp->last > SPOOL_JUMP_MAX)
		return SPOOL_GARBAGE;
	if (!lost) {
		have_done(sp, kept);
		drop_done(sp);
		if (sp->doubt != 0 && kept >= sp->doubt) {
			sp->doubt = 0;
			sp->rewrite = true; /* say so in the head */
		}
		return SPOOL_TAKEN;
	}
	/* Those before were ours under their number: the broker has them. */
	have_done(sp, sp->doubt != 0 ? sp->doubt - 1 : sp->old);
	drop_done(sp);
	have_done(sp, kept);
	sp->doubt = 0;
	sp->rewrite = true;
	return SPOOL_RENUMBER;
}

void
spool_forget(struct spool *sp, size_t i)
{
	free(sp->item[i].text);
	sp->count--;
	memmove(sp->item + i, sp->item + i + 1,
	    (sp->count - i) * sizeof(*sp->item));
}

enum lb_err
spool_renumbered(struct spool *sp, size_t i, struct lb_buf *text)
{
	if (text->len == 0 || text->len > SPOOL_ENTRY_MAX)
		return LB_ERR_RANGE;
	free(sp->item[i].text);
	if (sp->item[i].sequence <= sp->safe)
		sp->item[i].tied = false; /* its state is on disk */
	sp->item[i].text = text->data;
	sp->item[i].len = text->len;
	sp->item[i].sequence = ++sp->last;
	*text = (struct lb_buf){ 0 }; /* handed over */
	return LB_OK;
}
