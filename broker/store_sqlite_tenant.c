/* The SQLite back end: what stands beside a tenant's trust document. */
#include <assert.h>
#include <string.h>

#include "store_sqlite_cursor.h"

/* One row of a proposal and one of its signatures. */
static void
proposal_read(struct cursor *k, struct proposal_row *p)
{
	struct signing s = { 0 };

	TEXT(k, p->tenant);
	p->version = cursor_int(k);
	p->serial = cursor_int(k);
	TEXT(k, p->sha256);
	TEXT(k, p->by);
	p->at = cursor_int(k);
	cursor_buf(k, &p->text);
	TEXT(k, s.key_fp);
	TEXT(k, s.principal);
	TEXT(k, s.signature);
	s.at = cursor_int(k);
	if (k->r == LB_OK)
		k->r = proposal_row_sign(p, &s);
}

enum lb_err
sqlite_proposal_get(void *p, const char *tenant, struct proposal_row *ret)
{
	struct proposal_row row = { 0 };
	struct cursor k;
	enum lb_err r;

	cursor_open(&k, p, PROPOSAL_GET);
	k.r = sqlite_bind(k.s, "t", tenant);
	while (cursor_next(&k))
		proposal_read(&k, &row);
	r = cursor_close(&k);
	if (r == LB_OK && row.signing_count == 0)
		r = LB_ERR_MISSING;
	if (r != LB_OK) {
		proposal_row_clear(&row);
		return r;
	}
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_proposal_write(struct conn *w, const struct proposal_row *p)
{
	const struct signing *s;
	enum stmt i = p->version == 0 ? PROPOSAL_ADD : PROPOSAL_SET;
	enum lb_err r;

	assert(p->signing_count > 0);
	s = &p->signing[p->signing_count - 1];
	if (p->version == 0)
		r = sqlite_bind(w->stmt[i], "tittib", p->tenant, p->serial,
		    p->sha256, p->by, p->at, &p->text);
	else
		r = sqlite_bind(
		    w->stmt[i], "tti", p->tenant, p->sha256, p->version);
	if (r != LB_OK || (r = sqlite_once_one(w, i)) != LB_OK ||
	    (r = sqlite_bind(w->stmt[PROPOSAL_SIGN], "tittti", p->tenant,
		 (int64_t)p->signing_count, s->key_fp, s->principal,
		 s->signature, s->at)) != LB_OK)
		return r;
	return sqlite_once_one(w, PROPOSAL_SIGN);
}

enum lb_err
sqlite_proposal_remove(struct conn *w, const struct proposal_row *p)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[PROPOSAL_DROP], "tti", p->tenant,
		 p->sha256, p->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, PROPOSAL_DROP);
}

static void
contact_read(struct cursor *k, struct contact_row *c)
{
	TEXT(k, c->tenant);
	TEXT(k, c->principal);
	c->version = cursor_int(k);
	TEXT(k, c->mail);
	c->links = cursor_int(k) != 0;
	TEXT(k, c->language);
}

enum lb_err
sqlite_contact_get(
    void *p, const char *tenant, const char *principal, struct contact_row *ret)
{
	struct contact_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, CONTACT_GET);
	k.r = sqlite_bind(k.s, "tt", tenant, principal);
	found = cursor_next(&k);
	if (found)
		contact_read(&k, &row);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_contact_each(void *p, const char *tenant, contact_taker *take, void *arg)
{
	struct contact_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, CONTACT_LIST);
	k.r = sqlite_bind(k.s, "t", tenant);
	while (cursor_next(&k)) {
		contact_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

enum lb_err
sqlite_contact_write(struct conn *w, const struct contact_row *c)
{
	enum stmt i = c->version == 0 ? CONTACT_ADD : CONTACT_SET;
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[i], "tttiti", c->tenant, c->principal,
		 c->mail, (int64_t)c->links, c->language, c->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static void
invitation_read(struct cursor *k, struct invitation_row *i)
{
	TEXT(k, i->tenant);
	TEXT(k, i->principal);
	i->version = cursor_int(k);
	TEXT(k, i->id);
	i->owner = cursor_int(k) != 0;
	TEXT(k, i->invited_by);
	i->invited_at = cursor_int(k);
	i->expires_at = cursor_int(k);
	TEXT(k, i->salt);
	i->wrong_codes = cursor_int(k);
}

/* The first row of an opened and bound cursor. */
static enum lb_err
invitation_first(struct cursor *k, struct invitation_row *ret)
{
	struct invitation_row row = { 0 };
	bool found = cursor_next(k);
	enum lb_err r;

	if (found)
		invitation_read(k, &row);
	if ((r = cursor_close(k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_invitation_get(void *p, const char *tenant, const char *principal,
    struct invitation_row *ret)
{
	struct cursor k;

	cursor_open(&k, p, INVITATION_GET);
	k.r = sqlite_bind(k.s, "tt", tenant, principal);
	return invitation_first(&k, ret);
}

enum lb_err
sqlite_invitation_by_id(void *p, const char *id, struct invitation_row *ret)
{
	struct cursor k;

	cursor_open(&k, p, INVITATION_OF_ID);
	k.r = sqlite_bind(k.s, "t", id);
	return invitation_first(&k, ret);
}

enum lb_err
sqlite_invitation_each(
    void *p, const char *tenant, invitation_taker *take, void *arg)
{
	struct invitation_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, INVITATION_LIST);
	k.r = sqlite_bind(k.s, "t", tenant);
	while (cursor_next(&k)) {
		invitation_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

enum lb_err
sqlite_invitation_write(
    struct conn *w, const struct invitation_row *v, bool remove)
{
	enum stmt i = v->version == 0 ? INVITATION_ADD : INVITATION_SET;
	enum lb_err r;

	if (remove) {
		if ((r = sqlite_bind(w->stmt[INVITATION_DROP], "ti", v->id,
			 v->version)) != LB_OK)
			return r;
		return sqlite_once_one(w, INVITATION_DROP);
	}
	if ((r = sqlite_bind(w->stmt[i], "tttitiitii", v->tenant, v->principal,
		 v->id, (int64_t)v->owner, v->invited_by, v->invited_at,
		 v->expires_at, v->salt, v->wrong_codes, v->version)) != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static void
candidate_read(struct cursor *k, struct candidate_row *c)
{
	TEXT(k, c->tenant);
	TEXT(k, c->key_fp);
	TEXT(k, c->id);
	TEXT(k, c->principal);
	TEXT(k, c->key);
	TEXT(k, c->label);
	TEXT(k, c->origin);
	c->owner = cursor_int(k) != 0;
	TEXT(k, c->invited_by);
	c->at = cursor_int(k);
}

enum lb_err
sqlite_candidate_by_id(void *p, const char *id, struct candidate_row *ret)
{
	struct candidate_row row = { 0 };
	struct cursor k;
	bool found;
	enum lb_err r;

	cursor_open(&k, p, CANDIDATE_OF_ID);
	k.r = sqlite_bind(k.s, "t", id);
	found = cursor_next(&k);
	if (found)
		candidate_read(&k, &row);
	if ((r = cursor_close(&k)) != LB_OK)
		return r;
	if (!found)
		return LB_ERR_MISSING;
	*ret = row;
	return LB_OK;
}

enum lb_err
sqlite_candidate_each(
    void *p, const char *tenant, candidate_taker *take, void *arg)
{
	struct candidate_row row = { 0 };
	struct cursor k;

	cursor_open(&k, p, CANDIDATE_LIST);
	k.r = sqlite_bind(k.s, "t", tenant);
	while (cursor_next(&k)) {
		candidate_read(&k, &row);
		if (k.r == LB_OK && !take(arg, &row))
			break;
	}
	return cursor_close(&k);
}

enum lb_err
sqlite_candidate_write(
    struct conn *w, const struct candidate_row *c, bool remove)
{
	enum stmt i = remove ? CANDIDATE_DROP : CANDIDATE_ADD;
	enum lb_err r;

	if (remove)
		r = sqlite_bind(w->stmt[i], "t", c->id);
	else
		r = sqlite_bind(w->stmt[i], "tttttttiti", c->tenant, c->key_fp,
		    c->id, c->principal, c->key, c->label, c->origin,
		    (int64_t)c->owner, c->invited_by, c->at);
	if (r != LB_OK)
		return r;
	return sqlite_once_one(w, i);
}

static enum lb_err
candidates_drop(struct conn *w, const struct lb_trust *t,
    const struct lb_pinned_list *lines)
{
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < lines->count; i++)
		if ((r = sqlite_bind(w->stmt[CANDIDATE_PINNED], "tt", t->tenant,
			 lines->item[i].key.fp)) == LB_OK)
			r = sqlite_once(w->stmt[CANDIDATE_PINNED]);
	return r;
}

enum lb_err
sqlite_trust_settles(struct conn *w, const struct trust_row *t)
{
	sqlite3_stmt *s = w->stmt[PROPOSALS_DROP];
	enum lb_err r;

	if ((r = sqlite_bind(s, "t", t->tenant)) != LB_OK ||
	    (r = sqlite_once(s)) != LB_OK || t->doc == NULL)
		return r;
	if ((r = candidates_drop(w, t->doc, &t->doc->approver)) != LB_OK)
		return r;
	return candidates_drop(w, t->doc, &t->doc->hook);
}
