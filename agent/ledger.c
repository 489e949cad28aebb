/* What of the spool is written when. */
#include "ledger.h"

#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "aside.h"
#include "journal.h"

/* What the file says; ret_doubt: it does not say all. */
static enum lb_err
read_file(struct ledger *l, uid_t uid, bool *ret_doubt)
{
	struct lb_buf b = { .max = SPOOL_FILE_MAX };
	size_t good = 0;
	enum lb_err r;

	r = lb_file_read_trusted(l->path, uid, SPOOL_FILE_MAX, &b);
	if (r == LB_OK)
		r = b.len == 0 ? LB_ERR_FORMAT
			       : spool_parse(b.data, b.len, &l->spool, &good);
	if (r == LB_OK && good < b.len) {
		journal(LOG_WARNING,
		    "spool '%s': %zu bytes at the end are no whole report, "
		    "leaving them out",
		    l->path, b.len - good);
		*ret_doubt = l->spool.rewrite = true;
	}
	lb_buf_clear(&b);
	return r;
}

static void
begin_anew(struct ledger *l, const char *key)
{
	spool_clear(&l->spool);
	(void)snprintf(l->spool.key, sizeof(l->spool.key), "%s", key);
	l->spool.rewrite = true;
}

void
ledger_load(struct ledger *l, const char *dir, uid_t uid, const char *key,
    struct state *st, bool state_lost)
{
	struct spool *sp = &l->spool;
	bool doubt = false, other;
	enum lb_err r;

	(void)snprintf(l->path, sizeof(l->path), "%s/spool", dir);
	l->open = true;
	r = read_file(l, uid, &doubt);
	if (r != LB_OK) {
		begin_anew(l, key);
		doubt = r != LB_ERR_MISSING || st->reports > 0 || state_lost;
		if (doubt)
			journal_r(r, "read spool '%s', counting anew", l->path);
		if (r != LB_ERR_MISSING)
			aside_set(l->path);
	}
	other = strcmp(sp->key, key) != 0;
	if (other) {
		journal(LOG_NOTICE,
		    "enrolled anew: %zu reports of before are given up",
		    sp->count);
		begin_anew(l, key);
		doubt = false;
	} else if ((r = spool_take_tail(sp, st->tail.data, st->tail.len,
			st->reports)) != LB_OK) {
		journal_r(r, "read reports in the state");
		doubt = true;
	}
	lb_buf_clear(&st->tail);
	if (doubt)
		sp->doubt = sp->last + 1;
}

void
ledger_clear(struct ledger *l)
{
	spool_clear(&l->spool);
	*l = (struct ledger){ 0 };
}

size_t
ledger_file_len(const struct ledger *l)
{
	return l->spool.rewrite ? 0 : l->spool.file_len;
}

bool
ledger_unsafe(const struct ledger *l)
{
	const struct spool *sp = &l->spool;

	return sp->count > 0 && sp->item[sp->count - 1].sequence > sp->safe;
}

/* --- what is due ------------------------------------------------------------ */

static void
begin_job(struct ledger *l)
{
	l->whole = l->adds = l->syncs = false;
	l->upto = l->spool.safe;
	l->done = l->spool.done;
	l->bytes = 0;
}

static void
could_not(struct ledger *l, enum lb_err r, const char *what)
{
	journal_r(r, "%s spool '%s'", what, l->path);
	l->failing = l->failing || ledger_unsafe(l);
	l->retry_ms = lb_clock_boottime_ms() + LEDGER_RETRY_MS;
}

bool
ledger_whole(struct ledger *l, int64_t now_boot_ms, struct saver_job *ret)
{
	struct lb_buf b = { .max = SPOOL_FILE_MAX };
	enum lb_err r;

	begin_job(l);
	if (!l->open || !l->spool.rewrite || now_boot_ms < l->retry_ms)
		return false;
	l->upto = spool_free(&l->spool);
	if ((r = spool_whole(&l->spool, l->upto, &b)) != LB_OK) {
		lb_buf_clear(&b);
		could_not(l, r, "compose");
		return false;
	}
	l->whole = true;
	l->bytes = b.len;
	ret->spool = b;
	ret->whole = true;
	return true;
}

enum lb_err
ledger_tail(struct ledger *l, struct state *st)
{
	const struct spool *sp = &l->spool;

	st->reports = sp->last;
	st->tail.max = STATE_FILE_MAX;
	return spool_entries(sp, sp->synced, sp->last, &st->tail);
}

/* Is there a report up to upto that the file does not have? */
static bool
has_news(const struct spool *sp, int64_t upto)
{
	return sp->count > 0 && upto > sp->written &&
	    sp->item[sp->count - 1].sequence > sp->written;
}

/* Bytes of reports that the file has, but may lose. */
static size_t
loose_tail(const struct spool *sp)
{
	size_t n = 0;

	for (size_t i = sp->count; i > 0; i--) {
		if (sp->item[i - 1].sequence <= sp->synced)
			break;
		n += sp->item[i - 1].len;
	}
	return n;
}

void
ledger_add(struct ledger *l, bool has_state, int64_t now_boot_ms,
    struct saver_job *ret)
{
	struct lb_buf b = { .max = SPOOL_FILE_MAX };
	struct spool *sp = &l->spool;
	enum lb_err r;

	begin_job(l);
	l->upto = has_state ? sp->last : spool_free(sp);
	if (!l->open || sp->rewrite || now_boot_ms < l->retry_ms)
		return;
	if ((has_news(sp, l->upto) ||
		(l->note_ms != 0 && now_boot_ms >= l->note_ms)) &&
	    (r = spool_news(sp, l->upto, &b)) != LB_OK) {
		lb_buf_clear(&b);
		could_not(l, r, "compose");
		return;
	}
	l->bytes = b.len;
	l->adds = b.len > 0;
	if (l->adds && !has_state && l->sync_ms == 0 && l->upto > sp->safe)
		l->sync_ms = now_boot_ms + LEDGER_SYNC_MS;
	l->syncs = (l->sync_ms != 0 && now_boot_ms >= l->sync_ms) ||
	    loose_tail(sp) > LEDGER_TAIL_MAX;
	ret->spool = b;
	ret->sync = l->syncs;
}

/* --- what came of it -------------------------------------------------------- */

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Most of what is in the file is at the broker already. */
static bool
mostly_done(const struct spool *sp)
{
	size_t live = 0;

	for (size_t i = 0; i < sp->count; i++)
		live += sp->item[i].len;
	return sp->file_len > LEDGER_LOOSE && sp->file_len / 4 > live;
}

static void
written(struct ledger *l)
{
	struct spool *sp = &l->spool;

	if (l->whole || l->adds) {
		sp->written = later(sp->written, l->upto);
		sp->noted = l->done;
		l->note_ms = 0;
		sp->file_len = (l->whole ? 0 : sp->file_len) + l->bytes;
	}
	if (l->whole)
		sp->rewrite = false;
	if (l->whole || l->syncs)
		sp->synced = later(sp->synced, sp->written);
	sp->safe = later(sp->safe, sp->synced);
	if (mostly_done(sp))
		sp->rewrite = true;
}

void
ledger_saved(struct ledger *l, const struct saver_result *r)
{
	struct spool *sp = &l->spool;

	if (!l->open)
		return;
	if (r->state != LB_OK) {
		l->failing = l->failing || ledger_unsafe(l);
		return; /* it was said */
	}
	if (r->had_state)
		sp->safe = later(sp->safe, l->upto);
	if (r->spool != LB_OK) {
		could_not(l, r->spool, l->whole ? "write" : "add to");
		if (r->spool == LB_ERR_MISSING)
			sp->rewrite = true;
	} else if (r->sync != LB_OK) {
		could_not(l, r->sync, "sync");
		sp->rewrite = true; /* nobody knows what the disk has */
	} else {
		if (l->whole || l->adds || l->syncs)
			written(l);
		l->retry_ms = 0;
	}
	if (!ledger_unsafe(l)) {
		l->failing = false;
		l->sync_ms = 0;
	}
}

void
ledger_note(struct ledger *l, int64_t now_boot_ms)
{
	if (l->note_ms == 0)
		l->note_ms = now_boot_ms + LEDGER_NOTE_MS;
}

int64_t
ledger_next(const struct ledger *l)
{
	const struct spool *sp = &l->spool;
	int64_t next = -1;

	if (!l->open)
		return -1;
	if (sp->rewrite || has_news(sp, spool_free(sp)))
		next = 0;
	else if (l->sync_ms != 0 && l->note_ms != 0)
		next = l->sync_ms < l->note_ms ? l->sync_ms : l->note_ms;
	else if (l->sync_ms != 0 || l->note_ms != 0)
		next = l->sync_ms + l->note_ms; /* the one that is */
	return next >= 0 ? later(next, l->retry_ms) : -1;
}
