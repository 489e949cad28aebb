/* The SQLite back end: a change, all or nothing. */
#include <assert.h>
#include <string.h>

#include "store_sqlite.h"

static enum lb_err
person_write(struct conn *w, const struct person_row *p)
{
	enum stmt i = p->version == 0 ? PERSON_ADD : PERSON_SET;
	char key[LB_KEY_TEXT_MAX + 1];
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[i], "tiiti", p->principal,
		 (int64_t)p->roles, (int64_t)p->active, p->mail, p->version)) !=
		LB_OK ||
	    (r = sqlite_once_one(w, i)) != LB_OK ||
	    (r = sqlite_bind(w->stmt[PERSON_KEYS_DROP], "t", p->principal)) !=
		LB_OK ||
	    (r = sqlite_once(w->stmt[PERSON_KEYS_DROP])) != LB_OK)
		return r;
	for (size_t k = 0; k < p->key_count; k++) {
		lb_sshkey_format(&p->key[k], key);
		if ((r = sqlite_bind(w->stmt[PERSON_KEY_ADD], "ttit",
			 p->key[k].fp, p->principal, (int64_t)k, key)) !=
			LB_OK ||
		    (r = sqlite_once_one(w, PERSON_KEY_ADD)) != LB_OK)
			return r;
	}
	return LB_OK;
}

static enum lb_err
tenant_write(struct conn *w, const struct tenant_row *t)
{
	enum stmt i = t->version == 0 ? TENANT_ADD : TENANT_SET;
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[i], "tiiiiii", t->name, t->endorse_ttl,
		 t->approve_ttl, t->grant_ttl, (int64_t)t->endorsement,
		 t->created_at, t->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static enum lb_err
trust_write(struct conn *w, const struct trust_row *t)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[TRUST_ADD], "titbi", t->tenant, t->serial,
		 t->sha256, &t->bundle, t->added_at)) != LB_OK ||
	    (r = sqlite_once_one(w, TRUST_ADD)) != LB_OK)
		return r;
	return sqlite_trust_settles(w, t);
}

static enum lb_err
host_write(struct conn *w, const struct host_row *h, bool remove)
{
	enum stmt i = h->version == 0 ? HOST_ADD : HOST_SET;
	enum lb_err r;

	if (remove) {
		if ((r = sqlite_bind(w->stmt[HOST_DROP], "tti", h->tenant,
			 h->name, h->version)) != LB_OK)
			return r;
		return sqlite_once_one(w, HOST_DROP);
	}
	if ((r = sqlite_bind(w->stmt[i], "ttitiitttiii", h->tenant, h->name,
		 (int64_t)h->enrolled, h->salt, h->invited_until, h->wrong_macs,
		 h->key, h->key_fp, h->machine_id, h->enrolled_at,
		 h->last_seen_at, h->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static enum lb_err
request_doors(struct conn *w, const struct request_row *q)
{
	enum lb_err r;

	for (size_t h = 0; h < q->doc.host.count; h++)
		for (size_t l = 0; l < q->doc.login.count; l++)
			if ((r = sqlite_bind(w->stmt[REQUEST_DOOR_ADD], "tttit",
				 q->doc.tenant, q->doc.host.item[h],
				 q->doc.login.item[l], q->created_at,
				 q->doc.request)) != LB_OK ||
			    (r = sqlite_once_one(w, REQUEST_DOOR_ADD)) != LB_OK)
				return r;
	return LB_OK;
}

/* What a request is, which never changes. */
static enum lb_err
request_add(struct conn *w, const struct request_row *q)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[REQUEST_ADD], "tttttttit", q->doc.tenant,
		 q->doc.request, q->sha256, q->doc.engineer, q->text,
		 q->signature, row_state_name(q->state), q->created_at,
		 q->scope)) != LB_OK ||
	    (r = sqlite_once_one(w, REQUEST_ADD)) != LB_OK)
		return r;
	return request_doors(w, q);
}

/* What becomes of it. */
static enum lb_err
request_set(struct conn *w, const struct request_row *q, int64_t version)
{
	const struct deed *e = &q->endorsement, *n = &q->denial;
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[REQUEST_SET], "ttitiiiiittittttt",
		 q->doc.tenant, q->doc.request, version,
		 row_state_name(q->state), q->lapses_at, q->not_before,
		 q->not_after, request_row_due(q), e->at, e->principal,
		 e->signature, n->at, n->principal, n->signature, n->reason,
		 q->draft, q->grant)) != LB_OK)
		return r;
	return sqlite_once_one(w, REQUEST_SET);
}

static enum lb_err
request_write(struct conn *w, const struct request_row *q)
{
	enum lb_err r;

	if (q->version != 0)
		return request_set(w, q, q->version);
	if ((r = request_add(w, q)) != LB_OK)
		return r;
	return request_set(w, q, 0);
}

static enum lb_err
approval_write(struct conn *w, const struct approval_row *a)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[APPROVAL_ADD], "ttttti", a->tenant,
		 a->grant, a->principal, a->key_fp, a->signature, a->at)) !=
	    LB_OK)
		return r;
	return sqlite_once_one(w, APPROVAL_ADD);
}

static enum lb_err
approvals_drop(struct conn *w, const struct change *c)
{
	enum lb_err r;

	assert(c->request != NULL);
	if ((r = sqlite_bind(w->stmt[APPROVALS_DROP], "tt",
		 c->request->doc.tenant, c->drop_grant)) != LB_OK)
		return r;
	return sqlite_once(w->stmt[APPROVALS_DROP]);
}

static enum lb_err
grant_add(struct conn *w, const struct grant_row *g)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[GRANT_ADD], "ttttbiti", g->doc.tenant,
		 g->sha256, g->request_id, g->doc.engineer, &g->bundle,
		 (int64_t)g->text_len, row_state_name(g->state),
		 g->created_at)) != LB_OK ||
	    (r = sqlite_once_one(w, GRANT_ADD)) != LB_OK)
		return r;
	for (size_t h = 0; h < g->doc.host.count; h++)
		for (size_t l = 0; l < g->doc.login.count; l++)
			if ((r = sqlite_bind(w->stmt[GRANT_DOOR_ADD], "tttit",
				 g->doc.tenant, g->doc.host.item[h],
				 g->doc.login.item[l], g->doc.not_after,
				 g->sha256)) != LB_OK ||
			    (r = sqlite_once_one(w, GRANT_DOOR_ADD)) != LB_OK)
				return r;
	return LB_OK;
}

static enum lb_err
grant_write(struct conn *w, const struct grant_row *g)
{
	enum lb_err r;

	if (g->version == 0)
		return grant_add(w, g);
	if ((r = sqlite_bind(w->stmt[GRANT_SET], "ttititttb", g->doc.tenant,
		 g->sha256, g->version, row_state_name(g->state), g->closing.at,
		 g->closing.principal, g->closing.signature, g->closing.reason,
		 &g->killing)) != LB_OK)
		return r;
	return sqlite_once_one(w, GRANT_SET);
}

static enum lb_err
idem_write(struct conn *w, const struct idem_row *i)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[IDEM_ADD], "tttti", i->principal, i->key,
		 i->body, i->arg, i->at)) != LB_OK)
		return r;
	return sqlite_once_one(w, IDEM_ADD);
}

/* A stay that no report opened is none to move or end. */
static enum lb_err
step_write(struct conn *w, const struct step *p)
{
	const struct stay_row *s = &p->stay;
	enum stmt i = p->kind == STEP_MOVED ? STAY_MOVE : STAY_END;
	enum lb_err r;

	if (p->kind == STEP_MOVED)
		r = sqlite_bind(w->stmt[i], "ttiti", s->tenant, s->host,
		    s->session, s->grant, s->ends_at);
	else
		r = sqlite_bind(w->stmt[i], "ttiit", s->tenant, s->host,
		    s->session, s->ended_at,
		    p->kind == STEP_OPENED ? "unreported" : s->cause);
	if (r != LB_OK || (r = sqlite_once(w->stmt[i])) != LB_OK ||
	    p->kind != STEP_OPENED)
		return r;
	if ((r = sqlite_bind(w->stmt[STAY_ADD], "tttitttttii", s->tenant, s->id,
		 s->host, s->session, s->login, s->service, s->rhost,
		 s->engineer, s->grant, s->opened_at, s->ends_at)) != LB_OK)
		return r;
	/* The same report under another enrolment opens nothing anew. */
	return sqlite_once(w->stmt[STAY_ADD]);
}

/* The first reports after an enrolment: what lived before is not known. */
static enum lb_err
intake_first(struct conn *w, const struct intake_row *in)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[INTAKE_ADD], "tttii", in->tenant, in->host,
		 in->key_fp, in->sequence, in->at)) != LB_OK ||
	    (r = sqlite_once_one(w, INTAKE_ADD)) != LB_OK ||
	    (r = sqlite_bind(w->stmt[STAYS_LOST], "tti", in->tenant, in->host,
		 in->at)) != LB_OK)
		return r;
	return sqlite_once(w->stmt[STAYS_LOST]);
}

static enum lb_err
intake_write(struct conn *w, const struct intake_row *in)
{
	enum lb_err r;

	if (in->kept == 0)
		r = intake_first(w, in);
	else if ((r = sqlite_bind(w->stmt[INTAKE_SET], "tttiii", in->tenant,
		      in->host, in->key_fp, in->sequence, in->at, in->kept)) ==
	    LB_OK)
		r = sqlite_once_one(w, INTAKE_SET);
	for (size_t i = 0; r == LB_OK && i < in->step_count; i++)
		r = step_write(w, &in->step[i]);
	return r;
}

/* The next sequence of that tenant's records. */
static enum lb_err
event_sequence(struct conn *w, const char *tenant, int64_t *ret)
{
	sqlite3_stmt *s = w->stmt[EVENT_NEXT];
	enum lb_err r;

	if ((r = sqlite_bind(s, "t", tenant)) != LB_OK)
		return r;
	if (sqlite3_step(s) == SQLITE_ROW)
		*ret = sqlite3_column_int64(s, 0);
	else
		r = LB_ERR_STORE;
	(void)sqlite3_reset(s);
	return r;
}

static enum lb_err
event_write(struct conn *w, const struct lb_event *given)
{
	struct lb_event e = *given;
	struct lb_buf text = { 0 };
	enum lb_err r;

	if ((r = event_sequence(w, e.tenant, &e.sequence)) != LB_OK ||
	    (r = lb_doc_write(&lb_event_type, &e, &text)) != LB_OK ||
	    (r = sqlite_bind(w->stmt[EVENT_ADD], "tiib", e.tenant, e.sequence,
		 e.at, &text)) != LB_OK)
		goto out;
	r = sqlite_once_one(w, EVENT_ADD);
out:
	lb_buf_clear(&text);
	return r;
}

static enum lb_err
people_and_places(struct conn *w, const struct change *c)
{
	enum lb_err r = LB_OK;

	if (c->person != NULL)
		r = person_write(w, c->person);
	if (r == LB_OK && c->tenant != NULL)
		r = tenant_write(w, c->tenant);
	if (r == LB_OK && c->proposal_gone != NULL)
		r = sqlite_proposal_remove(w, c->proposal_gone);
	if (r == LB_OK && c->proposal != NULL)
		r = sqlite_proposal_write(w, c->proposal);
	if (r == LB_OK && c->trust != NULL)
		r = trust_write(w, c->trust);
	if (r == LB_OK && c->contact != NULL)
		r = sqlite_contact_write(w, c->contact);
	if (r == LB_OK && c->invitation != NULL)
		r = sqlite_invitation_write(
		    w, c->invitation, c->invitation_remove);
	if (r == LB_OK && c->candidate != NULL)
		r = sqlite_candidate_write(
		    w, c->candidate, c->candidate_remove);
	if (r == LB_OK && c->host != NULL)
		r = host_write(w, c->host, c->host_remove);
	if (r == LB_OK)
		r = sqlite_signin_write(w, c);
	return r;
}

static enum lb_err
change_write(struct conn *w, const struct change *c)
{
	enum lb_err r;

	if ((r = people_and_places(w, c)) != LB_OK)
		return r;
	if (c->request != NULL)
		r = request_write(w, c->request);
	if (r == LB_OK && c->approvals_drop)
		r = approvals_drop(w, c);
	if (r == LB_OK && c->approval != NULL)
		r = approval_write(w, c->approval);
	if (r == LB_OK && c->grant != NULL)
		r = grant_write(w, c->grant);
	if (r == LB_OK && c->idem != NULL)
		r = idem_write(w, c->idem);
	if (r == LB_OK && c->intake != NULL)
		r = intake_write(w, c->intake);
	if (r == LB_OK && c->webhook != NULL)
		r = sqlite_webhook_write(w, c);
	if (r == LB_OK)
		r = sqlite_notices_add(w, c);
	for (size_t i = 0; r == LB_OK && i < c->event_count; i++)
		r = event_write(w, &c->event[i]);
	for (size_t i = 0;
	     r == LB_OK && c->intake != NULL && i < c->intake->event_count; i++)
		r = event_write(w, &c->intake->event[i]);
	return r;
}

/*
 * After a failed write to disk nobody knows what is there: only a restart,
 * which reads again, may go on. A full disk rolls back cleanly.
 */
static enum lb_err
commit_end(struct sqlite_db *d, enum lb_err r)
{
	int rc;

	if (r == LB_OK)
		r = sqlite_run(d->writer.db, "COMMIT");
	if (r == LB_OK)
		return LB_OK;
	rc = sqlite3_extended_errcode(d->writer.db);
	if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_CORRUPT)
		d->broken = true;
	if (!sqlite3_get_autocommit(d->writer.db) &&
	    sqlite_run(d->writer.db, "ROLLBACK") != LB_OK)
		d->broken = true;
	return r;
}

enum lb_err
sqlite_write(void *p, enum lb_err (*write)(struct conn *w, const void *arg),
    const void *arg)
{
	struct sqlite_db *d = p;
	enum lb_err r = LB_ERR_STORE;

	(void)pthread_mutex_lock(&d->write_lock);
	if (!d->broken &&
	    (r = sqlite_run(d->writer.db, "BEGIN IMMEDIATE")) == LB_OK)
		r = commit_end(d, write(&d->writer, arg));
	(void)pthread_mutex_unlock(&d->write_lock);
	return r;
}

static enum lb_err
any_write(struct conn *w, const void *arg)
{
	return change_write(w, arg);
}

enum lb_err
sqlite_commit(void *p, const struct change *c)
{
	return sqlite_write(p, any_write, c);
}

struct host_rows {
	size_t count;
	const struct host_row *row;
};

static enum lb_err
seen_write(struct conn *w, const void *arg)
{
	const struct host_rows *h = arg;
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < h->count; i++)
		if ((r = sqlite_bind(w->stmt[HOST_SEEN], "tti",
			 h->row[i].tenant, h->row[i].name,
			 h->row[i].last_seen_at)) == LB_OK)
			r = sqlite_once(w->stmt[HOST_SEEN]);
	return r;
}

enum lb_err
sqlite_host_seen(void *p, size_t count, const struct host_row *rows)
{
	const struct host_rows h = { count, rows };

	return sqlite_write(p, seen_write, &h);
}

struct purge {
	int64_t sessions_before, idem_before;
};

static enum lb_err
purge_write(struct conn *w, const void *arg)
{
	const struct purge *p = arg;
	enum lb_err r;

	if ((r = sqlite_signin_purge(w, p->sessions_before)) != LB_OK ||
	    (r = sqlite_bind(w->stmt[IDEM_PURGE], "i", p->idem_before)) !=
		LB_OK)
		return r;
	return sqlite_once(w->stmt[IDEM_PURGE]);
}

enum lb_err
sqlite_purge(void *p, int64_t sessions_before, int64_t idem_before)
{
	const struct purge what = { sessions_before, idem_before };

	return sqlite_write(p, purge_write, &what);
}
