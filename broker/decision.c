/*
 * Decisions by signature. What hosts would refuse is not admitted here either,
 * but it is the hosts that decide: this only spares people a surprise.
 */
#include "decision.h"

#include <stdlib.h>
#include <string.h>

#include "passing.h"
static enum lb_err
wrong_state(struct reply *reply, const struct matter *m)
{
	return reply_refuse(
	    reply, "wrong_state", "%s", row_state_name(m->state));
}

/* Somebody was faster: read again. */
static enum lb_err
reload(struct app *app, const struct call *call, struct matter *m)
{
	char id[LB_ID_LEN + 1];
	enum lb_err r;

	memcpy(id, m->q.doc.request, sizeof(id));
	matter_clear(app, m);
	if ((r = store_request_get(app->store, id, &m->q)) != LB_OK)
		return r;
	return matter_load(app, call->now, m);
}

/* One attempt at a decision; LB_ERR_CONFLICT: try again. */
typedef enum lb_err attempt(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v, struct matter *m);

static enum lb_err
attempts(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m, attempt *once)
{
	enum lb_err r = LB_ERR_CONFLICT;

	for (int i = 0; i < MATTER_TRIES && r == LB_ERR_CONFLICT; i++) {
		if (i > 0 && (r = reload(app, call, m)) != LB_OK)
			return r;
		r = once(app, call, reply, v, m);
	}
	return r;
}

static void
deed_fill(struct deed *d, const char *principal, const struct verdict_in *v,
    int64_t now)
{
	memset(d, 0, sizeof(*d));
	ROW_TEXT(d->principal, principal);
	ROW_TEXT(d->signature, v->armor);
	ROW_TEXT(d->reason, v->reason);
	d->at = now;
}

static enum lb_err
commit_request(struct app *app, const struct call *call, struct change *c,
    struct matter *m, const char *event, const char *actor, const char *detail)
{
	enum lb_err r;

	c->request = &m->q;
	call_event(app, call, c, event, actor, m->q.doc.tenant);
	matter_event(m, c);
	ROW_TEXT(change_event(c)->detail, detail);
	if ((r = call_commit(app, c)) != LB_OK)
		return r;
	m->q.version++;
	m->state = rules_state_at(m->q.state, m->q.lapses_at, m->q.not_before,
	    m->q.not_after, call->now);
	if (c->grant != NULL)
		m->grant.version++;
	return LB_OK;
}

/* Whoever asked may have left since. */
static enum lb_err
engineer_stays(struct reply *reply, const struct matter *m)
{
	struct lb_keyfps left;

	rules_keys_left(&m->q.doc.engineer_key,
	    m->engineer_known ? &m->engineer : NULL, &left);
	if (left.count > 0)
		return LB_OK;
	return reply_refuse(reply, "would_not_pass",
	    "the roster has no such engineer with these keys any more");
}

static enum lb_err
endorse_once(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	struct person_row manager;
	struct change c = { 0 };
	enum lb_err r;

	if ((r = store_person_by_key(app->store, v->sig.key.fp, &manager)) !=
	    LB_OK)
		return r; /* a stranger: as if there were no such request */
	if (lb_sshsig_verify(
		&v->sig, LB_NS_ENDORSE, m->q.text, m->q.text_len) != LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	if (m->q.endorsement.at != 0 &&
	    strcmp(m->q.endorsement.signature, v->armor) == 0)
		return LB_OK;
	r = rules_may_endorse(&manager, v->sig.key.fp, &m->q.doc,
	    m->engineer_known ? &m->engineer : NULL);
	if (r == LB_ERR_CONFLICT)
		return reply_refuse(reply, "own_request", "%s", "");
	if (r != LB_OK)
		return reply_refuse(reply, "role_needed", "manager");
	if (rules_move(m->state, HAPPENS_ENDORSE, &m->q.state) != LB_OK)
		return wrong_state(reply, m);
	if ((r = engineer_stays(reply, m)) != LB_OK)
		return r;
	deed_fill(&m->q.endorsement, manager.principal, v, call->now);
	m->q.lapses_at = call->now + m->tenant.approve_ttl;
	return commit_request(
	    app, call, &c, m, "request.endorsed", manager.principal, "");
}

enum lb_err
decide_endorse(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return attempts(app, call, reply, v, m, endorse_once);
}

/* The grant being approved: its text, and all approvals of it. Heap. */
struct approving {
	struct lb_grant grant;
	char id[LB_SHA256_LEN + 1];
	struct sheet sheet;
	struct lb_quorum quorum;
	size_t stored;
	struct approval_row row[PARTS_SIGS_MAX];
	struct approval_row mine;
	const struct lb_trust *trust;
	bool again; /* this person approved this text already ... */
	bool stale; /* ... but with a key that is in no line any more */
	const struct verdict_in *v;
	const struct lb_pinned *line; /* whose signature it is */
	enum lb_err r;
};

static bool
approval_take(void *arg, const struct approval_row *row)
{
	struct approving *a = arg;

	if (a->stored == PARTS_SIGS_MAX - 1) {
		a->r = LB_ERR_RANGE;
		return false;
	}
	a->row[a->stored] = *row;
	if (strcmp(row->principal, a->line->principal) == 0) {
		a->again |= trust_line_of(a->trust, row->key_fp) != NULL;
		a->stale = !a->again;
	}
	a->r = sheet_sign(&a->sheet, a->row[a->stored++].signature);
	return a->r == LB_OK;
}

/* The signer's line of the trust document; a stranger learns nothing. */
static enum lb_err
approver_line(const struct matter *m, const struct verdict_in *v,
    const struct lb_pinned **ret)
{
	*ret = trust_line_of(m->held->trust, v->sig.key.fp);
	return *ret != NULL ? LB_OK : LB_ERR_MISSING;
}

/* Does the new signature count, all alone? */
static enum lb_err
mine_counts(struct reply *reply, const struct matter *m, struct approving *a,
    int64_t now)
{
	struct sheet *s;
	enum lb_err r;

	if (rules_is_own(a->line->principal, a->v->sig.key.fp, &m->q.doc,
		m->engineer_known ? &m->engineer : NULL))
		return reply_refuse(reply, "own_request", "%s", "");
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return LB_ERR_MEMORY;
	sheet_init(s, &lb_grant_type, a->v->text, a->v->text_len);
	if ((r = sheet_sign(s, a->v->armor)) == LB_OK) {
		lb_trust_count_approvals(
		    m->held->trust, &s->part, &a->grant, now, &a->quorum);
		if (a->quorum.counted == 0 && !a->quorum.reached)
			r = reply_refuse(reply, "cannot_approve", "%s",
			    a->quorum.code != NULL ? a->quorum.code : "");
	}
	free(s);
	return r;
}

/* Grant, approvals, request and its signature: what hosts get. */
static enum lb_err
bundle_write(
    const struct matter *m, const struct approving *a, struct lb_buf *ret)
{
	enum lb_err r;

	ret->max = LB_BUNDLE_MAX / 2;
	if ((r = lb_buf_add(ret, a->v->text, a->v->text_len)) != LB_OK)
		return r;
	for (size_t i = 0; i < a->sheet.part.sig_count; i++)
		if ((r = lb_buf_add(ret, a->sheet.sig[i].text,
			 a->sheet.sig[i].len)) != LB_OK)
			return r;
	if ((r = lb_buf_add(ret, m->q.text, m->q.text_len)) != LB_OK)
		return r;
	return lb_buf_adds(ret, m->q.signature);
}

/* The threshold is reached: the grant comes into being. */
static enum lb_err
admit(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m, struct approving *a)
{
	bool now = a->grant.not_before <= call->now;
	struct grant_row g = { .created_at = call->now };
	struct change c = { .approval = &a->mine, .grant = &g };
	enum lb_err r;

	if ((r = bundle_write(m, a, &g.bundle)) != LB_OK ||
	    (r = passing_judge(m->held->trust, &g.bundle, a->id, &a->grant,
		 call->now, reply)) != LB_OK)
		goto out;
	if (rules_move(m->state, now ? HAPPENS_ADMIT : HAPPENS_SCHEDULE,
		&g.state) != LB_OK) {
		r = wrong_state(reply, m);
		goto out;
	}
	memcpy(g.sha256, a->id, sizeof(g.sha256));
	memcpy(g.request_id, m->q.doc.request, sizeof(g.request_id));
	g.doc = a->grant;
	g.text_len = a->v->text_len;
	m->q.state = g.state;
	m->q.not_before = a->grant.not_before;
	m->q.not_after = a->grant.not_after;
	memcpy(m->q.grant, a->id, sizeof(m->q.grant));
	r = commit_request(app, call, &c, m,
	    now ? "grant.active" : "grant.scheduled", a->mine.principal, "");
out:
	grant_row_clear(&g);
	return r;
}

/* One of several approvals: the text is fixed from now on. */
static enum lb_err
sign_on(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m, struct approving *a)
{
	struct change c = { .approval = &a->mine };

	if (rules_move(m->state, HAPPENS_SIGN, &m->q.state) != LB_OK)
		return wrong_state(reply, m);
	memcpy(m->q.draft, a->v->text, a->v->text_len);
	m->q.draft[a->v->text_len] = '\0';
	m->q.draft_len = a->v->text_len;
	return commit_request(
	    app, call, &c, m, "request.approved", a->mine.principal, "");
}

static enum lb_err
approve_read(struct app *app, struct reply *reply, struct matter *m,
    struct approving *a, int64_t now)
{
	const struct verdict_in *v = a->v;
	const char *code = NULL;
	bool fixed = m->q.draft_len == v->text_len &&
	    memcmp(m->q.draft, v->text, v->text_len) == 0;
	enum lb_err r;

	if (v->text_len > LB_DOC_TEXT_MAX ||
	    lb_grant_parse(v->text, v->text_len, &a->grant) != LB_OK)
		return reply_refuse(
		    reply, "bad_document", "not a lockbox-grant-v1");
	if (strcmp(a->grant.request, m->q.sha256) != 0)
		return reply_refuse(reply, "not_within", "%s", "");
	sheet_init(&a->sheet, &lb_grant_type, v->text, v->text_len);
	lb_doc_id(v->text, v->text_len, a->id);
	r = store_approval_each(
	    app->store, m->q.doc.tenant, a->id, approval_take, a);
	if (r == LB_OK)
		r = a->r;
	if (r != LB_OK || a->again)
		return r;
	if (m->state != STATE_PENDING_APPROVAL)
		return wrong_state(reply, m);
	if (a->stale)
		return reply_refuse(reply, "draft_fixed",
		    "an approval by your former key stands under it");
	if (m->q.draft_len > 0 && !fixed)
		return reply_refuse(reply, "draft_fixed", "%s", "");
	if (rules_grant_check(&a->grant, &m->q.doc, m->q.sha256,
		matter_longest(m), fixed, now, &code) != LB_OK)
		return reply_refuse(reply, code, "%s", "");
	return LB_OK;
}

static enum lb_err
approve_with(struct app *app, const struct call *call, struct reply *reply,
    struct matter *m, struct approving *a)
{
	enum lb_err r;

	if ((r = approver_line(m, a->v, &a->line)) != LB_OK)
		return r;
	if (lb_sshsig_verify(
		&a->v->sig, LB_NS_APPROVE, a->v->text, a->v->text_len) != LB_OK)
		return reply_refuse(reply, "bad_signature", "%s", "");
	if ((r = approve_read(app, reply, m, a, call->now)) != LB_OK ||
	    a->again)
		return r;
	if ((r = mine_counts(reply, m, a, call->now)) != LB_OK ||
	    (r = engineer_stays(reply, m)) != LB_OK ||
	    (r = sheet_sign(&a->sheet, a->v->armor)) != LB_OK)
		return r;
	memcpy(a->mine.tenant, m->q.doc.tenant, sizeof(a->mine.tenant));
	memcpy(a->mine.grant, a->id, sizeof(a->mine.grant));
	ROW_TEXT(a->mine.principal, a->line->principal);
	ROW_TEXT(a->mine.key_fp, a->line->key.fp);
	ROW_TEXT(a->mine.signature, a->v->armor);
	a->mine.at = call->now;
	lb_trust_count_approvals(
	    m->held->trust, &a->sheet.part, &a->grant, call->now, &a->quorum);
	if (a->quorum.reached)
		return admit(app, call, reply, m, a);
	return sign_on(app, call, reply, m, a);
}

static enum lb_err
approve_once(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	struct approving *a = calloc(1, sizeof(*a));
	enum lb_err r = LB_ERR_MEMORY;

	if (a == NULL)
		return r;
	a->v = v;
	a->trust = m->held->trust;
	r = approve_with(app, call, reply, m, a);
	free(a);
	return r;
}

enum lb_err
decide_approve(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return attempts(app, call, reply, v, m, approve_once);
}

/* Did a line of the tenant's trust close it, in that namespace? */
static enum lb_err
closed_by(struct reply *reply, const struct matter *m,
    const struct verdict_in *v, enum lb_ns ns, const struct lb_doc_type *type,
    const char *text, size_t len, int64_t now, char ret[LB_PRINCIPAL_MAX + 1])
{
	const struct lb_pinned *line;
	struct sheet *s;
	enum lb_err r;

	if ((r = approver_line(m, v, &line)) != LB_OK)
		return r;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return LB_ERR_MEMORY;
	sheet_init(s, type, text, len);
	if (sheet_sign(s, v->armor) != LB_OK ||
	    !lb_trust_closed_by(m->held->trust, &s->part, ns, now, ret))
		r = reply_refuse(reply, "bad_signature",
		    "it does not verify, or this line may not do that");
	free(s);
	return r;
}

/* What ends the grant at its hosts: a document and the signature over it. */
static enum lb_err
killing_set(
    struct grant_row *g, const char *text, size_t len, const char *armor)
{
	enum lb_err r;

	lb_buf_clear(&g->killing);
	if ((r = lb_buf_add(&g->killing, text, len)) != LB_OK)
		return r;
	return lb_buf_adds(&g->killing, armor);
}

/* A denied request's grant, if there was one, is revoked with it. */
static enum lb_err
grant_deny(struct matter *m, const char *who, const struct verdict_in *v,
    struct change *c, int64_t now)
{
	enum lb_err r;

	if (!m->grant_loaded)
		return LB_OK;
	if ((r = killing_set(&m->grant, m->q.text, m->q.text_len, v->armor)) !=
	    LB_OK)
		return r;
	deed_fill(&m->grant.closing, who, v, now);
	m->grant.state = STATE_REVOKED;
	c->grant = &m->grant;
	return LB_OK;
}

static enum lb_err
deny_once(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	char who[LB_PRINCIPAL_MAX + 1];
	struct change c = { 0 };
	enum lb_err r;

	if ((r = closed_by(reply, m, v, LB_NS_DENY, &lb_request_type, m->q.text,
		 m->q.text_len, call->now, who)) != LB_OK)
		return r;
	if (m->q.denial.at != 0 && strcmp(m->q.denial.signature, v->armor) == 0)
		return LB_OK;
	if (rules_move(m->state, HAPPENS_DENY, &m->q.state) != LB_OK)
		return wrong_state(reply, m);
	deed_fill(&m->q.denial, who, v, call->now);
	if ((r = grant_deny(m, who, v, &c, call->now)) != LB_OK)
		return r;
	return commit_request(
	    app, call, &c, m, "request.denied", who, v->reason);
}

enum lb_err
decide_deny(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return attempts(app, call, reply, v, m, deny_once);
}

/*
 * Handed back or stopped: only we say so. The customer's own word still counts
 * for more, and hosts that let it in without us hear nothing else.
 */
static bool
closed_unsigned(const struct matter *m, int64_t now)
{
	return (m->state == STATE_REVOKED || m->state == STATE_RETURNED) &&
	    m->grant.killing.len == 0 && now < m->q.not_after;
}

static enum lb_err
revoke_once(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	char who[LB_PRINCIPAL_MAX + 1];
	struct change c = { .grant = &m->grant };
	enum lb_err r;

	if (!m->grant_loaded)
		return LB_ERR_MISSING;
	if ((r = closed_by(reply, m, v, LB_NS_REVOKE, &lb_grant_type,
		 m->grant.bundle.data, m->grant.text_len, call->now, who)) !=
	    LB_OK)
		return r;
	if (m->grant.closing.at != 0 &&
	    strcmp(m->grant.closing.signature, v->armor) == 0)
		return LB_OK;
	if (!closed_unsigned(m, call->now) &&
	    rules_move(m->state, HAPPENS_REVOKE, &m->q.state) != LB_OK)
		return wrong_state(reply, m);
	deed_fill(&m->grant.closing, who, v, call->now);
	m->grant.state = m->q.state;
	if ((r = killing_set(&m->grant, m->grant.bundle.data, m->grant.text_len,
		 v->armor)) != LB_OK)
		return r;
	return commit_request(
	    app, call, &c, m, "grant.revoked", who, v->reason);
}

enum lb_err
decide_revoke(struct app *app, const struct call *call, struct reply *reply,
    const struct verdict_in *v, struct matter *m)
{
	return attempts(app, call, reply, v, m, revoke_once);
}

enum lb_err
decide_close(struct app *app, const struct call *call, struct reply *reply,
    enum happening what, const char *reason, struct matter *m)
{
	struct verdict_in v = { .armor = "", .reason = reason };
	enum lb_err r = LB_ERR_CONFLICT;

	for (int i = 0; i < MATTER_TRIES && r == LB_ERR_CONFLICT; i++) {
		struct change c = { .grant = &m->grant };

		if (i > 0 && (r = reload(app, call, m)) != LB_OK)
			return r;
		if (!m->grant_loaded)
			return LB_ERR_MISSING;
		if (rules_move(m->state, what, &m->q.state) != LB_OK)
			return wrong_state(reply, m);
		deed_fill(
		    &m->grant.closing, call->caller.principal, &v, call->now);
		m->grant.state = m->q.state;
		r = commit_request(app, call, &c, m,
		    what == HAPPENS_RETURN ? "grant.returned" : "grant.stopped",
		    call->caller.principal, reason);
	}
	return r;
}
