/* The SQLite back end: reading rows. */
#include <stdlib.h>
#include <string.h>

#include "store_sqlite_cursor.h"

const char *const sqlite_sql[STMTS] = {
#define SQL(name, text)       [name] = text,
#define SQL_WRITE(name, text) [name] = text,
#include "store_sqlite_sql.h"
#undef SQL
#undef SQL_WRITE
};

static enum state
get_state(struct cursor *k)
{
	char name[LB_WORD_MAX + 1] = "";
	enum state s;

	TEXT(k, name);
	s = row_state_find(name);
	if (s == 0) {
		k->r = LB_ERR_STORE;
		return STATE_LAPSED;
	}
	return s;
}

static void
person_read(struct cursor *k, struct person_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	TEXT(k, ret->principal);
	ret->version = cursor_int(k);
	ret->roles = (unsigned int)cursor_int(k);
	ret->active = cursor_int(k) != 0;
	TEXT(k, ret->mail);
}

/* The person's keys, with the same reader. */
static void
person_keys_read(struct cursor *k, struct person_row *ret)
{
	struct cursor j = { k->d, k->c, k->c->stmt[PERSON_KEYS], 0, LB_OK };
	char key[LB_KEY_TEXT_MAX + 1];

	j.r = sqlite_bind(j.s, "t", ret->principal);
	while (cursor_next(&j)) {
		if (ret->key_count == ROW_PERSON_KEYS_MAX) {
			j.r = LB_ERR_STORE;
			break;
		}
		TEXT(&j, key);
		if (j.r == LB_OK &&
		    lb_sshkey_parse(key, &ret->key[ret->key_count++]) != LB_OK)
			j.r = LB_ERR_STORE;
	}
	(void)sqlite3_reset(j.s);
	if (k->r == LB_OK)
		k->r = j.r;
}

static enum lb_err
person_find(void *p, enum stmt i, const char *value, struct person_row *ret)
{
	struct person_row *row = malloc(sizeof(*row));
	struct cursor k;
	bool found;
	enum lb_err r;

	if (row == NULL)
		return LB_ERR_MEMORY;
	cursor_open(&k, p, i);
	k.r = sqlite_bind(k.s, "t", value);
	found = cursor_next(&k);
	if (found) {
		person_read(&k, row);
		person_keys_read(&k, row);
	}
	r = cursor_close(&k);
	if (r == LB_OK && !found)
		r = LB_ERR_MISSING;
	if (r == LB_OK)
		*ret = *row;
	free(row);
	return r;
}

static enum lb_err
person_get(void *p, const char *principal, struct person_row *ret)
{
	return person_find(p, PERSON_GET, principal, ret);
}

static enum lb_err
person_by_key(void *p, const char *key_fp, struct person_row *ret)
{
	return person_find(p, PERSON_OF_KEY, key_fp, ret);
}

static enum lb_err
person_each(void *p, const char *after, person_taker *take, void *arg)
{
	struct person_row *row = malloc(sizeof(*row));
	struct cursor k;
	enum lb_err r;

	if (row == NULL)
		return LB_ERR_MEMORY;
	cursor_open(&k, p, PERSON_LIST);
	k.r = sqlite_bind(k.s, "t", after);
	while (cursor_next(&k)) {
		person_read(&k, row);
		person_keys_read(&k, row);
		if (k.r == LB_OK && !take(arg, row))
			break;
	}
	r = cursor_close(&k);
	free(row);
	return r;
}

static void
tenant_read(struct cursor *k, struct tenant_row *ret)
{
	memset(ret, 0, sizeof(*ret));
	TEXT(k, ret->name);
	ret->version = cursor_int(k);
	ret->endorse_ttl = cursor_int(k);
	ret->approve_ttl = cursor_int(k);
	ret->grant_ttl = cursor_int(k);
	ret->endorsement = cursor_int(k) != 0;
	ret->created_at = cursor_int(k);
}

static enum lb_err
tenant_get(void *p, const char *name, struct tenant_row *ret)
{
	struct tenant_row row;
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, TENANT_GET);
	k.r = sqlite_bind(k.s, "t", name);
	found = cursor_next(&k);
	if (found)
		tenant_read(&k, &row);
	r = cursor_close(&k);
	if (r != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

static enum lb_err
tenant_each(void *p, const char *after, tenant_taker *take, void *arg)
{
	struct tenant_row row;
	struct cursor k;

	cursor_open(&k, p, TENANT_LIST);
	k.r = sqlite_bind(k.s, "t", after);
	while (cursor_next(&k)) {
		tenant_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

static enum lb_err
trust_each(
    void *p, const char *tenant, int64_t after, trust_taker *take, void *arg)
{
	struct trust_row row = { 0 };
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, TRUST_LIST);
	k.r = sqlite_bind(k.s, "ti", tenant, after);
	while (cursor_next(&k)) {
		TEXT(&k, row.tenant);
		row.serial = cursor_int(&k);
		TEXT(&k, row.sha256);
		cursor_buf(&k, &row.bundle);
		row.added_at = cursor_int(&k);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	r = cursor_close(&k);
	trust_row_clear(&row);
	return r;
}

static void
host_read(struct cursor *k, struct host_row *ret)
{
	TEXT(k, ret->tenant);
	TEXT(k, ret->name);
	ret->version = cursor_int(k);
	ret->enrolled = cursor_int(k) != 0;
	TEXT(k, ret->salt);
	ret->invited_until = cursor_int(k);
	ret->wrong_macs = cursor_int(k);
	TEXT(k, ret->key);
	TEXT(k, ret->key_fp);
	TEXT(k, ret->machine_id);
	ret->enrolled_at = cursor_int(k);
	ret->last_seen_at = cursor_int(k);
}

static enum lb_err
host_end(struct cursor *k, const struct host_row *row, bool found,
    struct host_row *ret)
{
	enum lb_err r = cursor_close(k);

	if (r != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = *row;
	return LB_OK;
}

static enum lb_err
host_get(void *p, const char *tenant, const char *name, struct host_row *ret)
{
	struct host_row row = { 0 };
	struct cursor k;
	bool found;

	cursor_open(&k, p, HOST_GET);
	k.r = sqlite_bind(k.s, "tt", tenant, name);
	found = cursor_next(&k);
	if (found)
		host_read(&k, &row);
	return host_end(&k, &row, found, ret);
}

static enum lb_err
host_by_key(void *p, const char *key_fp, struct host_row *ret)
{
	struct host_row row = { 0 };
	struct cursor k;
	bool found;

	cursor_open(&k, p, HOST_OF_KEY);
	k.r = sqlite_bind(k.s, "t", key_fp);
	found = cursor_next(&k);
	if (found)
		host_read(&k, &row);
	return host_end(&k, &row, found, ret);
}

static enum lb_err
host_each(
    void *p, const char *name, const char *after, host_taker *take, void *arg)
{
	struct host_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, name[0] != '\0' ? HOST_NAMED : HOST_LIST);
	k.r = sqlite_bind(k.s, "t", name[0] != '\0' ? name : after);
	while (cursor_next(&k)) {
		host_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

static void
request_read(struct cursor *k, struct request_row *q)
{
	struct deed *e = &q->endorsement, *n = &q->denial;

	TEXT(k, q->doc.tenant);
	TEXT(k, q->doc.request);
	q->version = cursor_int(k);
	TEXT(k, q->sha256);
	TEXT(k, q->doc.engineer);
	TEXT(k, q->text);
	q->text_len = strlen(q->text);
	TEXT(k, q->signature);
	q->state = get_state(k);
	q->created_at = cursor_int(k);
	q->lapses_at = cursor_int(k);
	q->not_before = cursor_int(k);
	q->not_after = cursor_int(k);
	TEXT(k, q->scope);
	e->at = cursor_int(k);
	TEXT(k, e->principal);
	TEXT(k, e->signature);
	n->at = cursor_int(k);
	TEXT(k, n->principal);
	TEXT(k, n->signature);
	TEXT(k, n->reason);
	TEXT(k, q->draft);
	q->draft_len = strlen(q->draft);
	TEXT(k, q->grant);
}

/* Walk over an opened and bound cursor. */
static enum lb_err
request_walk(struct cursor *k, request_taker *take, void *arg)
{
	struct request_row *row = calloc(1, sizeof(*row));
	enum lb_err r;

	if (row == NULL)
		k->r = LB_ERR_MEMORY;
	while (cursor_next(k)) {
		request_read(k, row);
		if (k->r == LB_OK && !take(arg, row))
			break;
	}
	r = cursor_close(k);
	free(row);
	return r;
}

struct request_one {
	struct request_row *ret;
	bool found;
};

static bool
request_take_one(void *arg, struct request_row *row)
{
	struct request_one *one = arg;

	*one->ret = *row;
	one->found = true;
	return false;
}

/* The first row of an opened and bound cursor. */
static enum lb_err
request_first(struct cursor *k, struct request_row *ret)
{
	struct request_one one = { ret, false };
	enum lb_err r = request_walk(k, request_take_one, &one);

	if (r == LB_OK && !one.found)
		return LB_ERR_MISSING;
	return r;
}

static enum lb_err
request_get(void *p, const char *id, struct request_row *ret)
{
	struct cursor k;

	cursor_open(&k, p, REQUEST_GET);
	k.r = sqlite_bind(k.s, "t", id);
	return request_first(&k, ret);
}

static enum lb_err
request_by_sha(void *p, const char *sha256, struct request_row *ret)
{
	struct cursor k;

	cursor_open(&k, p, REQUEST_OF_SHA);
	k.r = sqlite_bind(k.s, "t", sha256);
	return request_first(&k, ret);
}

static enum lb_err
request_open(
    void *p, const char *engineer, const char *scope, struct request_row *ret)
{
	struct cursor k;

	cursor_open(&k, p, REQUEST_OPEN);
	k.r = sqlite_bind(k.s, "tt", engineer, scope);
	return request_first(&k, ret);
}

/* Bind a list's cursor and bounds: ?1 at, ?2 id, ?3.. tenants or engineer. */
static enum lb_err
list_bind(sqlite3_stmt *s, const struct list_query *q)
{
	int64_t at = q->before_at != 0 ? q->before_at : INT64_MAX;
	const char *id = q->before_id, *t[8];

	if (q->tenant_count == 1)
		return sqlite_bind(s, "itt", at, id, q->tenant[0]);
	if (q->tenant_count == 0 && q->engineer[0] != '\0')
		return sqlite_bind(s, "itt", at, id, q->engineer);
	if (q->tenant_count == 0)
		return sqlite_bind(s, "it", at, id);
	for (size_t i = 0; i < 8; i++)
		t[i] = q->tenant[i < q->tenant_count ? i : 0];
	return sqlite_bind(s, "ittttttttt", at, id, t[0], t[1], t[2], t[3],
	    t[4], t[5], t[6], t[7]);
}

_Static_assert(REQUEST_ENGINEER == REQUEST_LIST + 3 &&
	GRANT_ENGINEER == GRANT_LIST + 3 && STAY_ENGINEER == STAY_LIST + 3 &&
	STAY_LIVE_ENGINEER == STAY_LIVE_LIST + 3,
    "the statements of a list stand together");

/* Which of a list's four statements: without bounds, one tenant, several, one
 * engineer. */
static enum stmt
list_stmt(const struct list_query *q, enum stmt list)
{
	if (q->tenant_count == 1)
		return list + 1;
	if (q->tenant_count > 1)
		return list + 2;
	return q->engineer[0] != '\0' ? list + 3 : list;
}

static enum lb_err
request_each(
    void *p, const struct list_query *q, request_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, list_stmt(q, REQUEST_LIST));
	k.r = list_bind(k.s, q);
	return request_walk(&k, take, arg);
}

static enum lb_err
request_at_door(void *p, const char *tenant, const char *host,
    const char *login, request_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, REQUEST_AT_DOOR);
	k.r = sqlite_bind(k.s, "ttt", tenant, host, login);
	return request_walk(&k, take, arg);
}

static enum lb_err
request_due(void *p, int64_t now, request_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, REQUEST_DUE);
	k.r = sqlite_bind(k.s, "i", now);
	return request_walk(&k, take, arg);
}

static enum lb_err
approval_each(void *p, const char *tenant, const char *grant,
    approval_taker *take, void *arg)
{
	struct approval_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, APPROVAL_LIST);
	k.r = sqlite_bind(k.s, "tt", tenant, grant);
	while (cursor_next(&k)) {
		TEXT(&k, row.tenant);
		TEXT(&k, row.grant);
		TEXT(&k, row.principal);
		TEXT(&k, row.key_fp);
		TEXT(&k, row.signature);
		row.at = cursor_int(&k);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

static void
grant_read(struct cursor *k, struct grant_row *g)
{
	TEXT(k, g->doc.tenant);
	TEXT(k, g->sha256);
	g->version = cursor_int(k);
	TEXT(k, g->request_id);
	TEXT(k, g->doc.engineer);
	cursor_buf(k, &g->bundle);
	g->text_len = (size_t)cursor_int(k);
	g->state = get_state(k);
	g->created_at = cursor_int(k);
	g->closing.at = cursor_int(k);
	TEXT(k, g->closing.principal);
	TEXT(k, g->closing.signature);
	TEXT(k, g->closing.reason);
	cursor_buf(k, &g->killing);
}

static enum lb_err
grant_walk(struct cursor *k, grant_taker *take, void *arg)
{
	struct grant_row *row = malloc(sizeof(*row));
	enum lb_err r;

	/* Large, and every member is read: only the buffers must be empty. */
	if (row == NULL) {
		k->r = LB_ERR_MEMORY;
	} else {
		memset(&row->bundle, 0, sizeof(row->bundle));
		memset(&row->killing, 0, sizeof(row->killing));
	}
	while (cursor_next(k)) {
		grant_read(k, row);
		if (k->r == LB_OK && !take(arg, row))
			break;
	}
	r = cursor_close(k);
	if (row != NULL)
		grant_row_clear(row);
	free(row);
	return r;
}

struct grant_one {
	struct grant_row *ret;
	bool found;
};

static bool
grant_take_one(void *arg, struct grant_row *row)
{
	struct grant_one *one = arg;

	*one->ret = *row;
	one->found = true;
	memset(&row->bundle, 0, sizeof(row->bundle)); /* handed over */
	memset(&row->killing, 0, sizeof(row->killing));
	return false;
}

static enum lb_err
grant_get(void *p, const char *sha256, struct grant_row *ret)
{
	struct grant_one one = { ret, false };
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, GRANT_GET);
	k.r = sqlite_bind(k.s, "t", sha256);
	r = grant_walk(&k, grant_take_one, &one);
	if (r == LB_OK && !one.found)
		return LB_ERR_MISSING;
	return r;
}

static enum lb_err
grant_each(void *p, const struct list_query *q, grant_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, list_stmt(q, GRANT_LIST));
	k.r = list_bind(k.s, q);
	return grant_walk(&k, take, arg);
}

static enum lb_err
grant_at_door(void *p, const char *tenant, const char *host, const char *login,
    int64_t now, grant_taker *take, void *arg)
{
	struct cursor k;

	cursor_open(&k, p, GRANT_AT_DOOR);
	k.r = sqlite_bind(k.s, "ttti", tenant, host, login, now);
	return grant_walk(&k, take, arg);
}

static enum lb_err
idem_get(void *p, const char *principal, const char *key, struct idem_row *ret)
{
	struct idem_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, IDEM_GET);
	k.r = sqlite_bind(k.s, "tt", principal, key);
	found = cursor_next(&k);
	if (found) {
		TEXT(&k, row.principal);
		TEXT(&k, row.key);
		TEXT(&k, row.body);
		TEXT(&k, row.arg);
		row.at = cursor_int(&k);
	}
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

static enum lb_err
intake_get(void *p, const char *tenant, const char *host, const char *key_fp,
    int64_t *ret_sequence)
{
	int64_t sequence = 0;
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, INTAKE_GET);
	k.r = sqlite_bind(k.s, "ttt", tenant, host, key_fp);
	found = cursor_next(&k);
	if (found)
		sequence = cursor_int(&k);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret_sequence = sequence;
	return LB_OK;
}

static void
stay_read(struct cursor *k, struct stay_row *s)
{
	TEXT(k, s->id);
	TEXT(k, s->tenant);
	TEXT(k, s->host);
	s->session = cursor_int(k);
	TEXT(k, s->login);
	TEXT(k, s->service);
	TEXT(k, s->rhost);
	TEXT(k, s->engineer);
	TEXT(k, s->grant);
	s->opened_at = cursor_int(k);
	s->ends_at = cursor_int(k);
	s->ended_at = cursor_int(k);
	TEXT(k, s->cause);
}

static enum lb_err
stay_get(void *p, const char *id, struct stay_row *ret)
{
	struct stay_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, STAY_GET);
	k.r = sqlite_bind(k.s, "t", id);
	found = cursor_next(&k);
	if (found)
		stay_read(&k, &row);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

static enum lb_err
stay_each(void *p, const struct list_query *q, stay_taker *take, void *arg)
{
	struct stay_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, list_stmt(q, q->live ? STAY_LIVE_LIST : STAY_LIST));
	k.r = list_bind(k.s, q);
	while (cursor_next(&k)) {
		stay_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

static enum lb_err
event_each(void *p, const struct list_query *q, event_taker *take, void *arg)
{
	int64_t before = q->before_at != 0 ? q->before_at : INT64_MAX;
	struct event_row row = { 0 };
	struct cursor k;

	if (q->tenant_count > 0) {
		cursor_open(&k, p, EVENT_TENANT);
		k.r = sqlite_bind(k.s, "it", before, q->tenant[0]);
	} else {
		cursor_open(&k, p, EVENT_LIST);
		k.r = sqlite_bind(k.s, "i", before);
	}
	while (cursor_next(&k)) {
		row.number = cursor_int(&k);
		TEXT(&k, row.text);
		row.text_len = strlen(row.text);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

static enum lb_err
event_latest(void *p, int64_t *ret_at)
{
	int64_t at = 0;
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, EVENT_LATEST);
	if (cursor_next(&k))
		at = cursor_int(&k);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	*ret_at = at;
	return LB_OK;
}

const struct store_ops store_sqlite = {
	.name = "sqlite",
	.open = sqlite_open,
	.close = sqlite_close,
	.check = sqlite_check,
	.ping = sqlite_ping,
	.commit = sqlite_commit,
	.person_get = person_get,
	.person_by_key = person_by_key,
	.person_each = person_each,
	.tenant_get = tenant_get,
	.tenant_each = tenant_each,
	.trust_each = trust_each,
	.proposal_get = sqlite_proposal_get,
	.contact_get = sqlite_contact_get,
	.contact_each = sqlite_contact_each,
	.invitation_get = sqlite_invitation_get,
	.invitation_by_id = sqlite_invitation_by_id,
	.invitation_each = sqlite_invitation_each,
	.candidate_by_id = sqlite_candidate_by_id,
	.candidate_each = sqlite_candidate_each,
	.host_get = host_get,
	.host_by_key = host_by_key,
	.host_each = host_each,
	.host_seen = sqlite_host_seen,
	.request_get = request_get,
	.request_by_sha = request_by_sha,
	.request_each = request_each,
	.request_open = request_open,
	.request_at_door = request_at_door,
	.request_due = request_due,
	.approval_each = approval_each,
	.grant_get = grant_get,
	.grant_each = grant_each,
	.grant_at_door = grant_at_door,
	.session_get = sqlite_session_get,
	.signin_key_get = sqlite_signin_key_get,
	.signin_key_each = sqlite_signin_key_each,
	.browser_by_code = sqlite_browser_by_code,
	.browser_by_poll = sqlite_browser_by_poll,
	.browser_add = sqlite_browser_add,
	.idem_get = idem_get,
	.intake_get = intake_get,
	.stay_get = stay_get,
	.stay_each = stay_each,
	.event_each = event_each,
	.event_latest = event_latest,
	.purge = sqlite_purge,
	.notice_get = sqlite_notice_get,
	.notice_due = sqlite_notice_due,
	.delivery_get = sqlite_delivery_get,
	.delivery_each = sqlite_delivery_each,
	.delivery_heads = sqlite_delivery_heads,
	.delivery_line = sqlite_delivery_line,
	.delivery_batch = sqlite_delivery_batch,
	.delivery_last = sqlite_delivery_last,
	.delivery_told = sqlite_delivery_told,
	.webhook_get = sqlite_webhook_get,
	.webhook_each = sqlite_webhook_each,
	.outbox_write = sqlite_outbox_write,
	.outbox_count = sqlite_outbox_count,
	.outbox_purge = sqlite_outbox_purge,
};
