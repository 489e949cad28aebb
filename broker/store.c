/* The store's front: one back end, and what it gives checked again. */
#include "store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/papers.h"

struct store {
	const struct store_ops *ops;
	void *db;
};

enum lb_err
store_open(const struct store_ops *ops, const char *dsn, size_t readers,
    struct store **ret)
{
	struct store *st = calloc(1, sizeof(*st));
	enum lb_err r;

	if (st == NULL)
		return LB_ERR_MEMORY;
	st->ops = ops;
	if ((r = ops->open(dsn, readers, &st->db)) != LB_OK) {
		free(st);
		return r;
	}
	*ret = st;
	return LB_OK;
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	st->ops->close(st->db);
	free(st);
}

enum lb_err
store_check(struct store *st)
{
	return st->ops->check(st->db);
}

enum lb_err
store_ping(struct store *st)
{
	return st->ops->ping(st->db);
}

enum lb_err
store_commit(struct store *st, const struct change *c)
{
	assert(c->event_count <= ROW_EVENTS_MAX);
	assert(c->event_count > 0 ||
	    (c->intake != NULL && c->intake->event_count > 0));
	return st->ops->commit(st->db, c);
}

/* Read the text again: the columns beside it are only for finding it. */
static bool
request_holds(struct request_row *q)
{
	char id[LB_SHA256_LEN + 1];
	struct lb_request *doc = malloc(sizeof(*doc));
	bool ok;

	if (doc == NULL)
		return false;
	lb_doc_id(q->text, q->text_len, id);
	ok = lb_request_parse(q->text, q->text_len, doc) == LB_OK &&
	    strcmp(id, q->sha256) == 0 &&
	    strcmp(doc->request, q->doc.request) == 0 &&
	    strcmp(doc->tenant, q->doc.tenant) == 0 &&
	    strcmp(doc->engineer, q->doc.engineer) == 0;
	if (ok)
		q->doc = *doc;
	free(doc);
	return ok;
}

/* As request_holds; the grant's text is the beginning of its bundle. */
static bool
grant_holds(struct grant_row *g)
{
	char id[LB_SHA256_LEN + 1], tenant[LB_NAME_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];

	if (g->text_len == 0 || g->text_len > g->bundle.len)
		return false;
	memcpy(tenant, g->doc.tenant, sizeof(tenant));
	memcpy(engineer, g->doc.engineer, sizeof(engineer));
	lb_doc_id(g->bundle.data, g->text_len, id);
	return strcmp(id, g->sha256) == 0 &&
	    lb_grant_parse(g->bundle.data, g->text_len, &g->doc) == LB_OK &&
	    strcmp(g->doc.tenant, tenant) == 0 &&
	    strcmp(g->doc.engineer, engineer) == 0;
}

enum lb_err
store_person_get(
    struct store *st, const char *principal, struct person_row *ret)
{
	struct person_row p;
	enum lb_err r;

	if ((r = st->ops->person_get(st->db, principal, &p)) != LB_OK)
		return r;
	if (strcmp(p.principal, principal) != 0 ||
	    (p.roles & ~(unsigned int)ROLES_PROVIDER) != 0)
		return LB_ERR_STORE;
	*ret = p;
	return LB_OK;
}

enum lb_err
store_person_by_key(
    struct store *st, const char *key_fp, struct person_row *ret)
{
	struct person_row p;
	bool has = false;
	enum lb_err r;

	if ((r = st->ops->person_by_key(st->db, key_fp, &p)) != LB_OK)
		return r;
	for (size_t i = 0; i < p.key_count; i++)
		has |= strcmp(p.key[i].fp, key_fp) == 0;
	if (!has || (p.roles & ~(unsigned int)ROLES_PROVIDER) != 0)
		return LB_ERR_STORE;
	*ret = p;
	return LB_OK;
}

enum lb_err
store_person_each(
    struct store *st, const char *after, person_taker *take, void *arg)
{
	return st->ops->person_each(st->db, after, take, arg);
}

enum lb_err
store_tenant_get(struct store *st, const char *name, struct tenant_row *ret)
{
	struct tenant_row t;
	enum lb_err r;

	if ((r = st->ops->tenant_get(st->db, name, &t)) != LB_OK)
		return r;
	if (strcmp(t.name, name) != 0)
		return LB_ERR_STORE;
	*ret = t;
	return LB_OK;
}

enum lb_err
store_tenant_each(
    struct store *st, const char *after, tenant_taker *take, void *arg)
{
	return st->ops->tenant_each(st->db, after, take, arg);
}

enum lb_err
store_trust_each(struct store *st, const char *tenant, int64_t after,
    trust_taker *take, void *arg)
{
	return st->ops->trust_each(st->db, tenant, after, take, arg);
}

/* The text is what its id says; whoever signed it is counted elsewhere. */
static bool
proposal_holds(const struct proposal_row *p, const char *tenant)
{
	char id[LB_SHA256_LEN + 1];

	if (p->text.len == 0 || p->signing_count == 0)
		return false;
	lb_doc_id(p->text.data, p->text.len, id);
	return strcmp(id, p->sha256) == 0 && strcmp(p->tenant, tenant) == 0;
}

enum lb_err
store_proposal_get(
    struct store *st, const char *tenant, struct proposal_row *ret)
{
	struct proposal_row p = { 0 };
	enum lb_err r;

	r = st->ops->proposal_get(st->db, tenant, &p);
	if (r == LB_OK && !proposal_holds(&p, tenant))
		r = LB_ERR_STORE;
	if (r != LB_OK) {
		proposal_row_clear(&p);
		return r;
	}
	*ret = p;
	return LB_OK;
}

enum lb_err
store_contact_get(struct store *st, const char *tenant, const char *principal,
    struct contact_row *ret)
{
	struct contact_row c;
	enum lb_err r;

	if ((r = st->ops->contact_get(st->db, tenant, principal, &c)) != LB_OK)
		return r;
	if (strcmp(c.tenant, tenant) != 0 ||
	    strcmp(c.principal, principal) != 0)
		return LB_ERR_STORE;
	*ret = c;
	return LB_OK;
}

enum lb_err
store_contact_each(
    struct store *st, const char *tenant, contact_taker *take, void *arg)
{
	return st->ops->contact_each(st->db, tenant, take, arg);
}

enum lb_err
store_invitation_get(struct store *st, const char *tenant,
    const char *principal, struct invitation_row *ret)
{
	struct invitation_row i;
	enum lb_err r;

	if ((r = st->ops->invitation_get(st->db, tenant, principal, &i)) !=
	    LB_OK)
		return r;
	if (strcmp(i.tenant, tenant) != 0 ||
	    strcmp(i.principal, principal) != 0)
		return LB_ERR_STORE;
	*ret = i;
	return LB_OK;
}

enum lb_err
store_invitation_by_id(
    struct store *st, const char *id, struct invitation_row *ret)
{
	struct invitation_row i;
	enum lb_err r;

	if ((r = st->ops->invitation_by_id(st->db, id, &i)) != LB_OK)
		return r;
	if (strcmp(i.id, id) != 0)
		return LB_ERR_STORE;
	*ret = i;
	return LB_OK;
}

enum lb_err
store_invitation_each(
    struct store *st, const char *tenant, invitation_taker *take, void *arg)
{
	return st->ops->invitation_each(st->db, tenant, take, arg);
}

/* The key is what it is found and compared by. */
static bool
candidate_holds(const struct candidate_row *c)
{
	struct lb_sshkey key;

	return lb_sshkey_parse(c->key, &key) == LB_OK &&
	    strcmp(key.fp, c->key_fp) == 0;
}

enum lb_err
store_candidate_by_id(
    struct store *st, const char *id, struct candidate_row *ret)
{
	struct candidate_row c;
	enum lb_err r;

	if ((r = st->ops->candidate_by_id(st->db, id, &c)) != LB_OK)
		return r;
	if (strcmp(c.id, id) != 0 || !candidate_holds(&c))
		return LB_ERR_STORE;
	*ret = c;
	return LB_OK;
}

struct candidate_walk {
	const char *tenant;
	candidate_taker *take;
	void *arg;
	enum lb_err r;
};

static bool
walk_candidate(void *arg, const struct candidate_row *row)
{
	struct candidate_walk *w = arg;

	if (strcmp(row->tenant, w->tenant) != 0 || !candidate_holds(row)) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take(w->arg, row);
}

enum lb_err
store_candidate_each(
    struct store *st, const char *tenant, candidate_taker *take, void *arg)
{
	struct candidate_walk w = { tenant, take, arg, LB_OK };
	enum lb_err r;

	r = st->ops->candidate_each(st->db, tenant, walk_candidate, &w);
	return r != LB_OK ? r : w.r;
}

enum lb_err
store_host_get(struct store *st, const char *tenant, const char *name,
    struct host_row *ret)
{
	struct host_row h;
	enum lb_err r;

	if ((r = st->ops->host_get(st->db, tenant, name, &h)) != LB_OK)
		return r;
	if (strcmp(h.tenant, tenant) != 0 || strcmp(h.name, name) != 0)
		return LB_ERR_STORE;
	*ret = h;
	return LB_OK;
}

enum lb_err
store_host_by_key(struct store *st, const char *key_fp, struct host_row *ret)
{
	struct host_row h;
	enum lb_err r;

	if ((r = st->ops->host_by_key(st->db, key_fp, &h)) != LB_OK)
		return r;
	if (!h.enrolled || strcmp(h.key_fp, key_fp) != 0)
		return LB_ERR_STORE;
	*ret = h;
	return LB_OK;
}

enum lb_err
store_host_each(struct store *st, const char *name, const char *after,
    host_taker *take, void *arg)
{
	return st->ops->host_each(st->db, name, after, take, arg);
}

enum lb_err
store_host_seen(struct store *st, size_t count, const struct host_row *rows)
{
	return st->ops->host_seen(st->db, count, rows);
}

static enum lb_err
request_checked(enum lb_err r, struct request_row *q)
{
	if (r != LB_OK)
		return r;
	return request_holds(q) ? LB_OK : LB_ERR_STORE;
}

enum lb_err
store_request_get(struct store *st, const char *id, struct request_row *ret)
{
	enum lb_err r;

	r = request_checked(st->ops->request_get(st->db, id, ret), ret);
	if (r == LB_OK && strcmp(ret->doc.request, id) != 0)
		return LB_ERR_STORE;
	return r;
}

enum lb_err
store_request_by_sha(
    struct store *st, const char *sha256, struct request_row *ret)
{
	enum lb_err r;

	r = request_checked(st->ops->request_by_sha(st->db, sha256, ret), ret);
	if (r == LB_OK && strcmp(ret->sha256, sha256) != 0)
		return LB_ERR_STORE;
	return r;
}

enum lb_err
store_request_open(struct store *st, const char *engineer, const char *scope,
    struct request_row *ret)
{
	enum lb_err r;

	r = request_checked(
	    st->ops->request_open(st->db, engineer, scope, ret), ret);
	if (r == LB_OK && strcmp(ret->doc.engineer, engineer) != 0)
		return LB_ERR_STORE;
	return r;
}

/* A walk that checks each row, counts them, and remembers what failed. */
struct walk {
	const struct list_query *q;        /* may be NULL */
	const char *tenant, *host, *login; /* a door, or NULL */
	int64_t now;
	request_taker *take_request;
	grant_taker *take_grant;
	event_taker *take_event;
	stay_taker *take_stay;
	void *arg;
	size_t seen;
	enum lb_err r;
};

static bool
walk_admits(const struct walk *w, const char *tenant, const char *engineer)
{
	if (w->q == NULL)
		return true;
	for (size_t i = 0; i < w->q->tenant_count; i++)
		if (strcmp(w->q->tenant[i], tenant) == 0)
			return true;
	if (w->q->tenant_count > 0)
		return false;
	return w->q->engineer[0] == '\0' ||
	    strcmp(w->q->engineer, engineer) == 0;
}

static bool
walk_request(void *arg, struct request_row *row)
{
	struct walk *w = arg;

	if (!request_holds(row) ||
	    !walk_admits(w, row->doc.tenant, row->doc.engineer) ||
	    (w->host != NULL &&
		(strcmp(row->doc.tenant, w->tenant) != 0 ||
		    !lb_hosts_has(&row->doc.host, w->host) ||
		    !lb_logins_has(&row->doc.login, w->login)))) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take_request(w->arg, row) && ++w->seen < STORE_SCAN_MAX;
}

static bool
walk_grant(void *arg, struct grant_row *row)
{
	struct walk *w = arg;

	if (!grant_holds(row) ||
	    !walk_admits(w, row->doc.tenant, row->doc.engineer) ||
	    (w->host != NULL &&
		(strcmp(row->doc.tenant, w->tenant) != 0 ||
		    !lb_hosts_has(&row->doc.host, w->host) ||
		    !lb_logins_has(&row->doc.login, w->login) ||
		    row->doc.not_after <= w->now))) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take_grant(w->arg, row) && ++w->seen < STORE_SCAN_MAX;
}

static bool
walk_event(void *arg, struct event_row *row)
{
	struct walk *w = arg;

	if (lb_event_parse(row->text, row->text_len, &row->doc) != LB_OK ||
	    !walk_admits(w, row->doc.tenant, "")) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take_event(w->arg, row) && ++w->seen < STORE_SCAN_MAX;
}

static bool
walk_stay(void *arg, const struct stay_row *row)
{
	struct walk *w = arg;

	if (!walk_admits(w, row->tenant, row->engineer) ||
	    (w->q->live && row->ended_at != 0)) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take_stay(w->arg, row) && ++w->seen < STORE_SCAN_MAX;
}

static enum lb_err
walk_end(const struct walk *w, enum lb_err r)
{
	return r != LB_OK ? r : w->r;
}

enum lb_err
store_request_each(struct store *st, const struct list_query *q,
    request_taker *take, void *arg)
{
	struct walk w = { .q = q, .take_request = take, .arg = arg };

	return walk_end(&w, st->ops->request_each(st->db, q, walk_request, &w));
}

enum lb_err
store_request_at_door(struct store *st, const char *tenant, const char *host,
    const char *login, request_taker *take, void *arg)
{
	struct walk w = { .tenant = tenant,
		.host = host,
		.login = login,
		.take_request = take,
		.arg = arg };

	return walk_end(&w,
	    st->ops->request_at_door(
		st->db, tenant, host, login, walk_request, &w));
}

enum lb_err
store_request_due(struct store *st, int64_t now, request_taker *take, void *arg)
{
	struct walk w = { .take_request = take, .arg = arg };

	return walk_end(
	    &w, st->ops->request_due(st->db, now, walk_request, &w));
}

enum lb_err
store_approval_each(struct store *st, const char *tenant, const char *grant,
    approval_taker *take, void *arg)
{
	return st->ops->approval_each(st->db, tenant, grant, take, arg);
}

enum lb_err
store_grant_get(struct store *st, const char *sha256, struct grant_row *ret)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	r = st->ops->grant_get(st->db, sha256, &g);
	if (r == LB_OK && (!grant_holds(&g) || strcmp(g.sha256, sha256) != 0))
		r = LB_ERR_STORE;
	if (r != LB_OK) {
		grant_row_clear(&g);
		return r;
	}
	*ret = g;
	return LB_OK;
}

enum lb_err
store_grant_each(
    struct store *st, const struct list_query *q, grant_taker *take, void *arg)
{
	struct walk w = { .q = q, .take_grant = take, .arg = arg };

	return walk_end(&w, st->ops->grant_each(st->db, q, walk_grant, &w));
}

enum lb_err
store_grant_at_door(struct store *st, const char *tenant, const char *host,
    const char *login, int64_t now, grant_taker *take, void *arg)
{
	struct walk w = { .tenant = tenant,
		.host = host,
		.login = login,
		.now = now,
		.take_grant = take,
		.arg = arg };

	return walk_end(&w,
	    st->ops->grant_at_door(
		st->db, tenant, host, login, now, walk_grant, &w));
}

enum lb_err
store_session_get(struct store *st, const char *hash, struct session_row *ret)
{
	struct session_row s;
	enum lb_err r;

	if ((r = st->ops->session_get(st->db, hash, &s)) != LB_OK)
		return r;
	if (strcmp(s.hash, hash) != 0)
		return LB_ERR_STORE;
	*ret = s;
	return LB_OK;
}

enum lb_err
store_signin_key_get(
    struct store *st, const char *key_fp, struct signin_key_row *ret)
{
	struct signin_key_row k;
	enum lb_err r;

	if ((r = st->ops->signin_key_get(st->db, key_fp, &k)) != LB_OK)
		return r;
	if (strcmp(k.key.fp, key_fp) != 0)
		return LB_ERR_STORE;
	*ret = k;
	return LB_OK;
}

enum lb_err
store_signin_key_each(struct store *st, const char *tenant,
    const char *principal, signin_key_taker *take, void *arg)
{
	return st->ops->signin_key_each(st->db, tenant, principal, take, arg);
}

enum lb_err
store_browser_by_code(
    struct store *st, const char *hash, struct browser_row *ret)
{
	struct browser_row b;
	enum lb_err r;

	if ((r = st->ops->browser_by_code(st->db, hash, &b)) != LB_OK)
		return r;
	if (strcmp(b.code_hash, hash) != 0)
		return LB_ERR_STORE;
	*ret = b;
	return LB_OK;
}

enum lb_err
store_browser_by_poll(
    struct store *st, const char *hash, struct browser_row *ret)
{
	struct browser_row b;
	enum lb_err r;

	if ((r = st->ops->browser_by_poll(st->db, hash, &b)) != LB_OK)
		return r;
	if (strcmp(b.poll_hash, hash) != 0)
		return LB_ERR_STORE;
	*ret = b;
	return LB_OK;
}

enum lb_err
store_browser_add(struct store *st, const struct browser_row *row)
{
	return st->ops->browser_add(st->db, row);
}

enum lb_err
store_idem_get(struct store *st, const char *principal, const char *key,
    struct idem_row *ret)
{
	struct idem_row i;
	enum lb_err r;

	if ((r = st->ops->idem_get(st->db, principal, key, &i)) != LB_OK)
		return r;
	if (strcmp(i.principal, principal) != 0 || strcmp(i.key, key) != 0)
		return LB_ERR_STORE;
	*ret = i;
	return LB_OK;
}

enum lb_err
store_intake_get(struct store *st, const char *tenant, const char *host,
    const char *key_fp, int64_t *ret_sequence)
{
	return st->ops->intake_get(st->db, tenant, host, key_fp, ret_sequence);
}

enum lb_err
store_stay_get(struct store *st, const char *id, struct stay_row *ret)
{
	struct stay_row s;
	enum lb_err r;

	if ((r = st->ops->stay_get(st->db, id, &s)) != LB_OK)
		return r;
	if (strcmp(s.id, id) != 0)
		return LB_ERR_STORE;
	*ret = s;
	return LB_OK;
}

enum lb_err
store_stay_each(
    struct store *st, const struct list_query *q, stay_taker *take, void *arg)
{
	struct walk w = { .q = q, .take_stay = take, .arg = arg };

	return walk_end(&w, st->ops->stay_each(st->db, q, walk_stay, &w));
}

enum lb_err
store_event_each(
    struct store *st, const struct list_query *q, event_taker *take, void *arg)
{
	struct walk w = { .q = q, .take_event = take, .arg = arg };

	return walk_end(&w, st->ops->event_each(st->db, q, walk_event, &w));
}

enum lb_err
store_event_latest(struct store *st, int64_t *ret_at)
{
	return st->ops->event_latest(st->db, ret_at);
}

enum lb_err
store_purge(struct store *st, int64_t sessions_before, int64_t idem_before)
{
	return st->ops->purge(st->db, sessions_before, idem_before);
}

enum lb_err
store_notice_get(struct store *st, const char *id, struct notice_row *ret)
{
	struct notice_row n = { 0 };
	enum lb_err r;

	r = st->ops->notice_get(st->db, id, &n);
	if (r == LB_OK && strcmp(n.id, id) != 0)
		r = LB_ERR_STORE;
	if (r != LB_OK) {
		lb_buf_clear(&n.data);
		return r;
	}
	*ret = n;
	return LB_OK;
}

enum lb_err
store_notice_due(struct store *st, int64_t now, notice_taker *take, void *arg)
{
	return st->ops->notice_due(st->db, now, take, arg);
}

enum lb_err
store_delivery_get(struct store *st, const char *id, struct delivery_row *ret)
{
	struct delivery_row d;
	enum lb_err r;

	if ((r = st->ops->delivery_get(st->db, id, &d)) != LB_OK)
		return r;
	if (strcmp(d.id, id) != 0)
		return LB_ERR_STORE;
	*ret = d;
	return LB_OK;
}

struct delivery_walk {
	const struct delivery_query *q;
	delivery_taker *take;
	void *arg;
	size_t seen;
	enum lb_err r;
};

static bool
walk_delivery(void *arg, const struct delivery_row *row)
{
	struct delivery_walk *w = arg;
	bool mine = w->q->tenant_count == 0;

	for (size_t i = 0; i < w->q->tenant_count; i++)
		mine |= strcmp(w->q->tenant[i], row->tenant) == 0;
	if (w->q->request[0] != '\0' || w->q->receiver[0] != '\0')
		mine = strcmp(w->q->request, row->request) == 0 ||
		    strcmp(w->q->receiver, row->receiver) == 0;
	if (!mine) {
		w->r = LB_ERR_STORE;
		return false;
	}
	return w->take(w->arg, row) && ++w->seen < STORE_SCAN_MAX;
}

enum lb_err
store_delivery_each(struct store *st, const struct delivery_query *q,
    delivery_taker *take, void *arg)
{
	struct delivery_walk w = { .q = q, .take = take, .arg = arg };
	enum lb_err r;

	r = st->ops->delivery_each(st->db, q, walk_delivery, &w);
	return r != LB_OK ? r : w.r;
}

enum lb_err
store_delivery_heads(
    struct store *st, int64_t now, delivery_taker *take, void *arg)
{
	return st->ops->delivery_heads(st->db, now, take, arg);
}

enum lb_err
store_delivery_line(
    struct store *st, const char *line, delivery_taker *take, void *arg)
{
	return st->ops->delivery_line(st->db, line, take, arg);
}

enum lb_err
store_delivery_batch(
    struct store *st, const char *batch, delivery_taker *take, void *arg)
{
	return st->ops->delivery_batch(st->db, batch, take, arg);
}

enum lb_err
store_delivery_last(struct store *st, const char *line, int64_t *ret_at)
{
	return st->ops->delivery_last(st->db, line, ret_at);
}

enum lb_err
store_delivery_told(
    struct store *st, const char *request, const char *receiver, bool *ret)
{
	return st->ops->delivery_told(st->db, request, receiver, ret);
}

enum lb_err
store_webhook_get(struct store *st, const char *id, struct webhook_row *ret)
{
	struct webhook_row w;
	enum lb_err r;

	if ((r = st->ops->webhook_get(st->db, id, &w)) != LB_OK)
		return r;
	if (strcmp(w.id, id) != 0)
		return LB_ERR_STORE;
	*ret = w;
	return LB_OK;
}

enum lb_err
store_webhook_each(
    struct store *st, const char *tenant, webhook_taker *take, void *arg)
{
	return st->ops->webhook_each(st->db, tenant, take, arg);
}

enum lb_err
store_outbox_write(struct store *st, const struct outbox_change *c)
{
	return st->ops->outbox_write(st->db, c);
}

enum lb_err
store_outbox_count(struct store *st, struct outbox_counts *ret)
{
	return st->ops->outbox_count(st->db, ret);
}

enum lb_err
store_outbox_purge(struct store *st, int64_t before)
{
	return st->ops->outbox_purge(st->db, before);
}
