/* The trust in force: pin, chain, kept documents. */
#include "anchor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "journal.h"

#define DAY         (24 * 60 * 60) /* seconds */
#define WARN_BEFORE (30 * DAY)

struct anchor {
	struct lb_trust *trust;
	char dir[256];
	uid_t owner;
	int64_t warned_serial, warned_at; /* see anchor_warn */
};

/* Only trust document of a file; ret_bundle borrows from ret_text. */
static enum lb_err
read_one(const char *path, uid_t owner, struct lb_buf *ret_text,
    struct lb_bundle **ret_bundle)
{
	struct lb_bundle *b = NULL;
	enum lb_err r;

	r = lb_file_read_trusted(path, owner, LB_BUNDLE_MAX, ret_text);
	if (r != LB_OK)
		return r;
	if ((r = lb_bundle_split(ret_text->data, ret_text->len, &b)) != LB_OK)
		return r;
	if (b->count != 1 || b->part[0].type != &lb_trust_type) {
		lb_bundle_free(b);
		return LB_ERR_FORMAT;
	}
	*ret_bundle = b;
	return LB_OK;
}

static void
kept_path(const struct anchor *a, int64_t serial, char *ret, size_t ret_size)
{
	(void)snprintf(ret, ret_size, "%s/%010lld", a->dir, (long long)serial);
}

/*
 * When we took a kept document: the file's own time. Its signers' dates held
 * then; that they are over now, or that the clock is not set yet, must not
 * bring the document before it back.
 */
static enum lb_err
taken_at(const char *path, int64_t *ret)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? LB_ERR_MISSING : LB_ERR_IO;
	*ret = st.st_mtim.tv_sec;
	return LB_OK;
}

/* Take one step to the kept document of the next serial. */
static enum lb_err
step(struct anchor *a)
{
	struct lb_buf text = { .max = LB_BUNDLE_MAX };
	struct lb_bundle *b = NULL;
	struct lb_trust *next = NULL;
	char path[300];
	int64_t taken;
	enum lb_err r;

	kept_path(a, a->trust->serial + 1, path, sizeof(path));
	if ((r = read_one(path, a->owner, &text, &b)) != LB_OK ||
	    (r = taken_at(path, &taken)) != LB_OK ||
	    (r = lb_trust_follow(a->trust, &b->part[0], taken, &next)) != LB_OK)
		goto out;
	lb_trust_free(a->trust);
	a->trust = next;
	next = NULL; /* handed over */
	r = LB_OK;
out:
	if (r != LB_OK && r != LB_ERR_MISSING)
		journal_r(r, "follow kept trust '%s'", path);
	lb_trust_free(next);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	return r;
}

static enum lb_err
load_pin(const char *pin, struct lb_trust **ret)
{
	struct lb_buf text = { .max = LB_BUNDLE_MAX };
	struct lb_bundle *b = NULL;
	enum lb_err r;

	if ((r = read_one(pin, 0 /* root, never us */, &text, &b)) == LB_OK)
		r = lb_trust_parse(
		    b->part[0].doc.text, b->part[0].doc.len, ret);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	return r;
}

enum lb_err
anchor_load(const char *pin, const char *dir, uid_t owner, struct anchor **ret)
{
	struct anchor *a = NULL;
	int64_t pinned;
	enum lb_err r;

	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return LB_ERR_MEMORY;
	a->owner = owner;
	if ((r = lb_text_copy(a->dir, sizeof(a->dir), dir)) != LB_OK ||
	    (r = load_pin(pin, &a->trust)) != LB_OK)
		goto out;
	pinned = a->trust->serial;
	while (step(a) == LB_OK)
		;
	journal(LOG_NOTICE, "trust of '%s' in force: serial %lld, pinned %lld",
	    a->trust->tenant, (long long)a->trust->serial, (long long)pinned);
	*ret = a;
	a = NULL; /* handed over */
	r = LB_OK;
out:
	anchor_free(a);
	return r;
}

void
anchor_free(struct anchor *a)
{
	if (a == NULL)
		return;
	lb_trust_free(a->trust);
	free(a);
}

const struct lb_trust *
anchor_trust(const struct anchor *a)
{
	return a->trust;
}

void
anchor_warn(struct anchor *a, int64_t now)
{
	const struct lb_trust *t = a->trust;
	int64_t left = t->good_until - now;
	char until[LB_TIME_LEN + 1];

	if (left > WARN_BEFORE ||
	    (a->warned_serial == t->serial && now - a->warned_at < DAY &&
		now >= a->warned_at))
		return;
	a->warned_serial = t->serial;
	a->warned_at = now;
	lb_time_format(t->good_until, until);
	journal(LOG_WARNING,
	    "trust of '%s' serial %lld opens nothing after %s, %s: its owners "
	    "must sign a successor",
	    t->tenant, (long long)t->serial, until,
	    left > 0 ? "soon" : "which has passed");
}

static enum lb_err
keep(const struct anchor *a, const struct lb_part *part, int64_t serial)
{
	struct lb_buf text = { .max = LB_BUNDLE_MAX };
	char path[300];
	enum lb_err r;

	if (mkdir(a->dir, 0700) != 0 && errno != EEXIST)
		return LB_ERR_IO;
	kept_path(a, serial, path, sizeof(path));
	r = lb_buf_add(&text, part->doc.text, part->doc.len);
	for (size_t i = 0; r == LB_OK && i < part->sig_count; i++)
		r = lb_buf_add(&text, part->sigs[i].text, part->sigs[i].len);
	if (r == LB_OK)
		r = lb_file_write_atomic(path, 0600, text.data, text.len);
	lb_buf_clear(&text);
	return r;
}

static bool
apply(struct anchor *a, const struct lb_part *part, int64_t now)
{
	struct lb_trust *next = NULL;
	enum lb_err r;

	r = lb_trust_follow(a->trust, part, now, &next);
	if (r == LB_ERR_STATE)
		return false; /* not the next one: known already, most often */
	if (r != LB_OK) {
		journal_r(r, "follow trust serial %lld",
		    (long long)a->trust->serial + 1);
		return false;
	}
	/* Not kept is no reason to stay with the old: ask again next time. */
	if ((r = keep(a, part, next->serial)) != LB_OK)
		journal_r(r, "keep trust serial %lld in '%s'",
		    (long long)next->serial, a->dir);
	journal(LOG_NOTICE, "trust of '%s' in force: serial %lld, was %lld",
	    next->tenant, (long long)next->serial, (long long)a->trust->serial);
	lb_trust_free(a->trust);
	a->trust = next;
	return true;
}

size_t
anchor_follow(struct anchor *a, const struct lb_bundle *bundle, int64_t now)
{
	size_t applied = 0;

	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->part[i].type == &lb_trust_type &&
		    apply(a, &bundle->part[i], now))
			applied++;
	return applied;
}
