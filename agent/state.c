/* The state file: lines, grants' bundles by length, a checksum at the end. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/text.h"

#define STATE_MAGIC "lockbox-state-v1\n"

void
state_clear(struct state *st)
{
	for (size_t i = 0; i < st->kept_count; i++)
		free(st->kept[i].bundle);
	free(st->kept);
	free(st->session);
	lb_kills_clear(&st->kills);
	lb_buf_clear(&st->tail);
	*st = (struct state){ 0 };
}

/* Room for one more of size bytes; the new array or NULL. */
static void *
grow(void *items, size_t count, size_t *room, size_t size)
{
	size_t more = *room == 0 ? 16 : *room * 2;
	void *p;

	if (count < *room)
		return items;
	p = reallocarray(items, more, size);
	if (p != NULL)
		*room = more;
	return p;
}

static size_t
kept_place(const struct state *st, const char *id)
{
	size_t lo = 0, hi = st->kept_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(st->kept[mid].id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct state_kept *
kept_at(const struct state *st, const char *id)
{
	size_t i = kept_place(st, id);

	if (i == st->kept_count || strcmp(st->kept[i].id, id) != 0)
		return NULL;
	return &st->kept[i];
}

const struct state_kept *
state_kept_find(const struct state *st, const char *id)
{
	return kept_at(st, id);
}

static enum lb_err
kept_insert(struct state *st, const char *id, char *bundle, size_t len)
{
	size_t i = kept_place(st, id);
	struct state_kept *items;

	if (st->kept_count == STATE_KEPT_MAX)
		return LB_ERR_LIMIT;
	items = grow(st->kept, st->kept_count, &st->kept_size, sizeof(*items));
	if (items == NULL)
		return LB_ERR_MEMORY;
	st->kept = items;
	memmove(
	    items + i + 1, items + i, (st->kept_count - i) * sizeof(*items));
	items[i] = (struct state_kept){
		.bundle = bundle,
		.bundle_len = len,
		.refs = 1,
	};
	memcpy(items[i].id, id, sizeof(items[i].id));
	st->kept_count++;
	return LB_OK;
}

enum lb_err
state_kept_add(struct state *st, const char *id, const char *bundle, size_t len)
{
	struct state_kept *k = kept_at(st, id);
	enum lb_err r;
	char *copy;

	if (!lb_sha256_valid(id))
		return LB_ERR_FORMAT;
	if (len == 0 || len > LB_BUNDLE_MAX)
		return LB_ERR_RANGE;
	if (k != NULL && k->handed) {
		k->refs++;
		return LB_OK;
	}
	copy = malloc(len + 1);
	if (copy == NULL)
		return LB_ERR_MEMORY;
	memcpy(copy, bundle, len);
	copy[len] = '\0';
	if (k != NULL) {
		free(k->bundle);
		k->bundle = copy;
		k->bundle_len = len;
		k->refs++;
		return LB_OK;
	}
	if ((r = kept_insert(st, id, copy, len)) != LB_OK)
		free(copy);
	return r;
}

void
state_kept_drop(struct state *st, const char *id)
{
	struct state_kept *k = kept_at(st, id);
	size_t i;

	if (k == NULL || --k->refs > 0)
		return;
	free(k->bundle);
	i = (size_t)(k - st->kept);
	st->kept_count--;
	memmove(k, k + 1, (st->kept_count - i) * sizeof(*k));
}

static size_t
handed_count(const struct state *st)
{
	size_t n = 0;

	for (size_t i = 0; i < st->kept_count; i++)
		n += st->kept[i].handed ? 1 : 0;
	return n;
}

enum lb_err
state_handed_add(
    struct state *st, const char *id, const char *bundle, size_t len)
{
	const struct state_kept *k = state_kept_find(st, id);
	enum lb_err r;

	if (k != NULL && k->handed)
		return LB_ERR_CONFLICT;
	if (handed_count(st) >= STATE_HANDED_MAX)
		return LB_ERR_LIMIT;
	if ((r = state_kept_add(st, id, bundle, len)) == LB_OK)
		kept_at(st, id)->handed = true;
	return r;
}

void
state_handed_drop(struct state *st, const char *id)
{
	struct state_kept *k = kept_at(st, id);

	if (k == NULL || !k->handed)
		return;
	k->handed = false;
	state_kept_drop(st, id);
}

static size_t
session_place(const struct state *st, uint32_t sid)
{
	size_t i = 0;

	while (i < st->session_count && st->session[i].sid < sid)
		i++;
	return i;
}

struct state_session *
state_session_find(const struct state *st, uint32_t sid)
{
	size_t i = session_place(st, sid);

	if (i == st->session_count || st->session[i].sid != sid)
		return NULL;
	return &st->session[i];
}

enum lb_err
state_session_add(struct state *st, const struct state_session *s)
{
	size_t i = session_place(st, s->sid);
	struct state_session *items;

	if (i < st->session_count && st->session[i].sid == s->sid)
		return LB_ERR_CONFLICT;
	if (st->session_count == STATE_SESSIONS_MAX)
		return LB_ERR_LIMIT;
	items = grow(
	    st->session, st->session_count, &st->session_size, sizeof(*items));
	if (items == NULL)
		return LB_ERR_MEMORY;
	st->session = items;
	memmove(
	    items + i + 1, items + i, (st->session_count - i) * sizeof(*items));
	items[i] = *s;
	st->session_count++;
	return LB_OK;
}

void
state_session_drop(struct state *st, uint32_t sid)
{
	struct state_session *s = state_session_find(st, sid);
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->keeps.count; i++)
		state_kept_drop(st, s->keeps.item[i]);
	i = (size_t)(s - st->session);
	st->session_count--;
	memmove(s, s + 1, (st->session_count - i) * sizeof(*s));
}

static enum lb_err
write_head(const struct state *st, struct lb_buf *b)
{
	enum lb_err r;

	if ((r = lb_buf_adds(b, STATE_MAGIC)) != LB_OK ||
	    (r = lb_buf_addf(b, "boot: %s\n", st->boot_id)) != LB_OK ||
	    (r = lb_buf_addf(b, "floor: %lld\n", (long long)st->floor)) !=
		LB_OK ||
	    (r = lb_buf_addf(b, "trust: %s\n", st->trust)) != LB_OK ||
	    (r = lb_buf_addf(
		 b, "serial: %lld\n", (long long)st->trust_serial)) != LB_OK)
		return r;
	for (size_t i = 0; r == LB_OK && i < st->kills.count; i++)
		r = lb_buf_addf(b, "kill: %s %lld\n", st->kills.item[i].id,
		    (long long)st->kills.item[i].until);
	if (r == LB_OK && st->reports > 0)
		r = lb_buf_addf(b, "reports: %lld\n", (long long)st->reports);
	return r;
}

static enum lb_err
write_kept(const struct state_kept *k, struct lb_buf *b)
{
	enum lb_err r;

	if ((r = lb_buf_addf(b, "%s: %s %zu\n", k->handed ? "handed" : "grant",
		 k->id, k->bundle_len)) != LB_OK ||
	    (r = lb_buf_add(b, k->bundle, k->bundle_len)) != LB_OK)
		return r;
	return LB_OK;
}

static enum lb_err
write_tail(const struct lb_buf *tail, struct lb_buf *b)
{
	enum lb_err r;

	if (tail->len == 0)
		return LB_OK;
	if ((r = lb_buf_addf(b, "tail: %zu\n", tail->len)) != LB_OK)
		return r;
	return lb_buf_add(b, tail->data, tail->len);
}

static enum lb_err
write_session(const struct state_session *s, struct lb_buf *b)
{
	enum lb_err r;
	size_t i;

	r = lb_buf_addf(b,
	    "session: %lld\npid: %lld\nlogin: %s\nservice: %s\n"
	    "engineer: %s\nrhost: %s\nref: %s\nopened: %lld\n"
	    "deadline: %lld\nboottime: %lld\nlease: %lld\n"
	    "leaseboot: %lld\nfinal: %d\n",
	    (long long)s->sid, (long long)s->pid, s->login, s->service,
	    s->engineer, s->rhost, s->ref, (long long)s->opened_at,
	    (long long)s->deadline, (long long)s->deadline_boot_ms,
	    (long long)s->lease_end, (long long)s->lease_end_boot_ms,
	    s->final ? 1 : 0);
	if (r == LB_OK && s->offline)
		r = lb_buf_adds(b, "offline: 1\n");
	if (r == LB_OK && s->ending[0] != '\0')
		r = lb_buf_addf(b, "ending: %s\n", s->ending);
	for (i = 0; r == LB_OK && i < s->keys.count; i++)
		r = lb_buf_addf(b, "key: %s\n", s->keys.item[i]);
	for (i = 0; r == LB_OK && i < s->rests.count; i++)
		r = lb_buf_addf(b, "rests: %s\n", s->rests.item[i]);
	for (i = 0; r == LB_OK && i < s->keeps.count; i++)
		r = lb_buf_addf(b, "keeps: %s\n", s->keeps.item[i]);
	return r;
}

enum lb_err
state_write(const struct state *st, struct lb_buf *ret)
{
	struct lb_buf b = { .max = STATE_FILE_MAX };
	char sum[LB_SHA256_LEN + 1];
	enum lb_err r;
	size_t i;

	r = write_head(st, &b);
	for (i = 0; r == LB_OK && i < st->kept_count; i++)
		r = write_kept(&st->kept[i], &b);
	for (i = 0; r == LB_OK && i < st->session_count; i++)
		r = write_session(&st->session[i], &b);
	if (r != LB_OK || (r = write_tail(&st->tail, &b)) != LB_OK)
		goto out;
	lb_doc_id(b.data, b.len, sum);
	if ((r = lb_buf_addf(&b, "sum: %s\n", sum)) != LB_OK ||
	    (r = lb_buf_add(ret, b.data, b.len)) != LB_OK)
		goto out;
	r = LB_OK;
out:
	lb_buf_clear(&b);
	return r;
}

/* Reading: a cursor over text whose checksum has already held. */
struct cursor {
	const char *at, *end;
};

#define VALUE_MAX 320 /* chars of a line's value */

/* Does the next line begin with "name: "? */
static bool
next_is(const struct cursor *c, const char *name)
{
	size_t n = strlen(name);

	return (size_t)(c->end - c->at) > n + 2 &&
	    memcmp(c->at, name, n) == 0 && memcmp(c->at + n, ": ", 2) == 0;
}

static enum lb_err
take(struct cursor *c, const char *name, char *ret, size_t ret_size)
{
	const char *from, *nl;
	size_t len;

	if (!next_is(c, name))
		return LB_ERR_FORMAT;
	from = c->at + strlen(name) + 2;
	nl = memchr(from, '\n', (size_t)(c->end - from));
	if (nl == NULL)
		return LB_ERR_FORMAT;
	len = (size_t)(nl - from);
	if (len >= ret_size)
		return LB_ERR_RANGE;
	if (memchr(from, '\0', len) != NULL)
		return LB_ERR_FORMAT;
	memcpy(ret, from, len);
	ret[len] = '\0';
	c->at = nl + 1;
	return LB_OK;
}

static enum lb_err
take_number(struct cursor *c, const char *name, int64_t hi, int64_t *ret)
{
	char v[VALUE_MAX];
	enum lb_err r;

	if ((r = take(c, name, v, sizeof(v))) != LB_OK)
		return r;
	return lb_number_parse(v, 0, hi, ret);
}

/* "name: SHA256ID NUMBER" */
static enum lb_err
take_pair(struct cursor *c, const char *name, char id[LB_SHA256_LEN + 1],
    int64_t *ret)
{
	char v[VALUE_MAX];
	enum lb_err r;

	if ((r = take(c, name, v, sizeof(v))) != LB_OK)
		return r;
	if (strlen(v) < LB_SHA256_LEN + 2 || v[LB_SHA256_LEN] != ' ')
		return LB_ERR_FORMAT;
	v[LB_SHA256_LEN] = '\0';
	if (!lb_sha256_valid(v))
		return LB_ERR_FORMAT;
	memcpy(id, v, LB_SHA256_LEN + 1);
	return lb_number_parse(v + LB_SHA256_LEN + 1, 0, LB_TIME_MAX, ret);
}

static enum lb_err
read_head(struct cursor *c, struct state *st)
{
	char id[LB_SHA256_LEN + 1];
	enum lb_err r;
	int64_t until;

	if ((r = take(c, "boot", st->boot_id, sizeof(st->boot_id))) != LB_OK ||
	    (r = take_number(c, "floor", LB_TIME_MAX, &st->floor)) != LB_OK ||
	    (r = take(c, "trust", st->trust, sizeof(st->trust))) != LB_OK ||
	    (r = take_number(c, "serial", INT64_MAX, &st->trust_serial)) !=
		LB_OK)
		return r;
	while (r == LB_OK && next_is(c, "kill")) {
		if ((r = take_pair(c, "kill", id, &until)) == LB_OK)
			r = lb_kills_add(&st->kills, id, until);
	}
	if (r == LB_OK && next_is(c, "reports"))
		r = take_number(c, "reports", LB_SEQUENCE_MAX, &st->reports);
	return r;
}

static enum lb_err
read_kept(struct cursor *c, struct state *st)
{
	bool handed = next_is(c, "handed");
	char id[LB_SHA256_LEN + 1];
	enum lb_err r;
	int64_t len;

	r = take_pair(c, handed ? "handed" : "grant", id, &len);
	if (r != LB_OK)
		return r;
	if (len > c->end - c->at || state_kept_find(st, id) != NULL)
		return LB_ERR_FORMAT;
	if ((r = handed ? state_handed_add(st, id, c->at, (size_t)len)
			: state_kept_add(st, id, c->at, (size_t)len)) != LB_OK)
		return r;
	if (!handed)
		kept_at(st, id)->refs = 0; /* counted when a session names it */
	c->at += len;
	return LB_OK;
}

static enum lb_err
read_ids(struct cursor *c, const char *name, struct lb_grant_ids *ret)
{
	enum lb_err r = LB_OK;
	char v[VALUE_MAX];

	while (r == LB_OK && next_is(c, name)) {
		if (ret->count == LB_ANSWER_GRANTS)
			return LB_ERR_LIMIT;
		if ((r = take(c, name, v, sizeof(v))) == LB_OK)
			r = lb_text_copy(
			    ret->item[ret->count++], sizeof(ret->item[0]), v);
	}
	return r;
}

static enum lb_err
read_keys(struct cursor *c, struct lb_keyfps *ret)
{
	enum lb_err r = LB_OK;
	char v[VALUE_MAX];

	while (r == LB_OK && next_is(c, "key")) {
		if (ret->count == LB_KEYS_MAX)
			return LB_ERR_LIMIT;
		if ((r = take(c, "key", v, sizeof(v))) == LB_OK)
			r = lb_text_copy(
			    ret->item[ret->count++], sizeof(ret->item[0]), v);
	}
	return r;
}

/* Every grant it names must stand in the file. */
static enum lb_err
count_keeps(struct state *st, const struct state_session *s)
{
	struct state_kept *k;

	for (size_t i = 0; i < s->keeps.count; i++) {
		k = kept_at(st, s->keeps.item[i]);
		if (k == NULL)
			return LB_ERR_FORMAT;
		k->refs++;
	}
	return LB_OK;
}

/* On one grant at least, but when it is being ended; only on such as it keeps. */
static bool
rests_well(const struct state_session *s)
{
	for (size_t i = 0; i < s->rests.count; i++) {
		size_t k = 0;

		while (k < s->keeps.count &&
		    strcmp(s->rests.item[i], s->keeps.item[k]) != 0)
			k++;
		if (k == s->keeps.count)
			return false;
	}
	return s->rests.count > 0 || s->ending[0] != '\0';
}

static enum lb_err
read_session(struct cursor *c, struct state *st)
{
	struct state_session s = { 0 };
	int64_t sid, pid, final, offline = 0;
	enum lb_err r;

	if ((r = take_number(c, "session", PROCS_SID_UNSET - 1, &sid)) !=
		LB_OK ||
	    (r = take_number(c, "pid", INT32_MAX, &pid)) != LB_OK ||
	    (r = take(c, "login", s.login, sizeof(s.login))) != LB_OK ||
	    (r = take(c, "service", s.service, sizeof(s.service))) != LB_OK ||
	    (r = take(c, "engineer", s.engineer, sizeof(s.engineer))) !=
		LB_OK ||
	    (r = take(c, "rhost", s.rhost, sizeof(s.rhost))) != LB_OK ||
	    (r = take(c, "ref", s.ref, sizeof(s.ref))) != LB_OK ||
	    (r = take_number(c, "opened", LB_TIME_MAX, &s.opened_at)) !=
		LB_OK ||
	    (r = take_number(c, "deadline", LB_TIME_MAX, &s.deadline)) !=
		LB_OK ||
	    (r = take_number(c, "boottime", INT64_MAX, &s.deadline_boot_ms)) !=
		LB_OK ||
	    (r = take_number(c, "lease", LB_TIME_MAX, &s.lease_end)) != LB_OK ||
	    (r = take_number(
		 c, "leaseboot", INT64_MAX, &s.lease_end_boot_ms)) != LB_OK ||
	    (r = take_number(c, "final", 1, &final)) != LB_OK ||
	    (next_is(c, "offline") &&
		(r = take_number(c, "offline", 1, &offline)) != LB_OK) ||
	    (next_is(c, "ending") &&
		(r = take(c, "ending", s.ending, sizeof(s.ending))) != LB_OK) ||
	    (r = read_keys(c, &s.keys)) != LB_OK ||
	    (r = read_ids(c, "rests", &s.rests)) != LB_OK ||
	    (r = read_ids(c, "keeps", &s.keeps)) != LB_OK ||
	    (r = count_keeps(st, &s)) != LB_OK)
		return r;
	if (!rests_well(&s))
		return LB_ERR_FORMAT;
	s.sid = (uint32_t)sid;
	s.pid = (pid_t)pid;
	s.final = final == 1;
	s.offline = offline == 1;
	return state_session_add(st, &s);
}

static enum lb_err
read_tail(struct cursor *c, struct state *st)
{
	enum lb_err r;
	int64_t len;

	if ((r = take_number(c, "tail", STATE_FILE_MAX, &len)) != LB_OK)
		return r;
	if (len > c->end - c->at)
		return LB_ERR_FORMAT;
	r = lb_buf_add(&st->tail, c->at, (size_t)len);
	c->at += len;
	return r;
}

/* The last line names the sum of all bytes before it. */
static enum lb_err
check_sum(const char *text, size_t len, size_t *ret_body_len)
{
	char line[sizeof("sum: \n") + LB_SHA256_LEN], id[LB_SHA256_LEN + 1];
	const size_t line_len = sizeof(line) - 1;
	size_t body;

	if (len < line_len + sizeof(STATE_MAGIC) - 1)
		return LB_ERR_FORMAT;
	body = len - line_len;
	lb_doc_id(text, body, id);
	memcpy(line, "sum: ", 5);
	memcpy(line + 5, id, LB_SHA256_LEN);
	line[line_len - 1] = '\n';
	if (memcmp(text + body, line, line_len) != 0 ||
	    memcmp(text, STATE_MAGIC, sizeof(STATE_MAGIC) - 1) != 0)
		return LB_ERR_FORMAT;
	*ret_body_len = body;
	return LB_OK;
}

/* One state has one text: nothing twice, nothing in another order. */
static enum lb_err
written_so(const struct state *st, const char *text, size_t len)
{
	struct lb_buf b = { .max = STATE_FILE_MAX };
	enum lb_err r;

	if ((r = state_write(st, &b)) == LB_OK &&
	    (b.len != len || memcmp(b.data, text, len) != 0))
		r = LB_ERR_FORMAT;
	lb_buf_clear(&b);
	return r;
}

enum lb_err
state_parse(const char *text, size_t len, struct state *ret)
{
	struct state st = { 0 };
	struct cursor c = { 0 };
	enum lb_err r;
	size_t body;

	if (len > STATE_FILE_MAX)
		return LB_ERR_RANGE;
	if ((r = check_sum(text, len, &body)) != LB_OK)
		return r;
	c.at = text + sizeof(STATE_MAGIC) - 1;
	c.end = text + body;
	r = read_head(&c, &st);
	while (r == LB_OK && (next_is(&c, "grant") || next_is(&c, "handed")))
		r = read_kept(&c, &st);
	while (r == LB_OK && next_is(&c, "session"))
		r = read_session(&c, &st);
	if (r == LB_OK && next_is(&c, "tail"))
		r = read_tail(&c, &st);
	if (r == LB_OK && c.at != c.end)
		r = LB_ERR_FORMAT;
	if (r != LB_OK || (r = written_so(&st, text, len)) != LB_OK)
		goto out;
	*ret = st;
	st = (struct state){ 0 }; /* handed over */
out:
	state_clear(&st);
	return r;
}

enum lb_err
state_load(const char *path, uid_t owner, struct state *ret)
{
	struct lb_buf b = { .max = STATE_FILE_MAX };
	enum lb_err r;

	r = lb_file_read_trusted(path, owner, STATE_FILE_MAX, &b);
	if (r == LB_OK)
		r = b.len == 0 ? LB_ERR_FORMAT
			       : state_parse(b.data, b.len, ret);
	lb_buf_clear(&b);
	return r;
}

enum lb_err
state_save(const char *path, const struct state *st)
{
	struct lb_buf b = { .max = STATE_FILE_MAX };
	enum lb_err r;

	if ((r = state_write(st, &b)) == LB_OK)
		r = lb_file_write_atomic(path, 0600, b.data, b.len);
	lb_buf_clear(&b);
	return r;
}
