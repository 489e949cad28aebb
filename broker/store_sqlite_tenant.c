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

enum lb_err
sqlite_proposals_drop(struct conn *w, const char *tenant)
{
	enum lb_err r;

	if ((r = sqlite_bind(w->stmt[PROPOSALS_DROP], "t", tenant)) != LB_OK)
		return r;
	return sqlite_once(w->stmt[PROPOSALS_DROP]);
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
