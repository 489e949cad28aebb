/* The rules of the broker. Pure: no clock, no store, no network. */
#include "rules.h"

#include <assert.h>
#include <string.h>

/*
 * What may follow on what; everything else is refused. A deny that comes after
 * the approval still ends it: deny and revoke win every race.
 */
static const enum state moves[STATES][HAPPENINGS] = {
	[STATE_PENDING_ENDORSEMENT] = {
		[HAPPENS_ENDORSE] = STATE_PENDING_APPROVAL,
		[HAPPENS_DENY] = STATE_DENIED,
		[HAPPENS_CANCEL] = STATE_CANCELLED,
		[HAPPENS_LAPSE] = STATE_LAPSED,
	},
	[STATE_PENDING_APPROVAL] = {
		[HAPPENS_SIGN] = STATE_PENDING_APPROVAL,
		[HAPPENS_SCHEDULE] = STATE_SCHEDULED,
		[HAPPENS_ADMIT] = STATE_ACTIVE,
		[HAPPENS_DENY] = STATE_DENIED,
		[HAPPENS_CANCEL] = STATE_CANCELLED,
		[HAPPENS_LAPSE] = STATE_LAPSED,
	},
	[STATE_SCHEDULED] = {
		[HAPPENS_ADMIT] = STATE_ACTIVE,
		[HAPPENS_DENY] = STATE_DENIED,
		[HAPPENS_REVOKE] = STATE_REVOKED,
		[HAPPENS_RETURN] = STATE_RETURNED,
		[HAPPENS_EXPIRE] = STATE_EXPIRED,
	},
	[STATE_ACTIVE] = {
		[HAPPENS_DENY] = STATE_DENIED,
		[HAPPENS_REVOKE] = STATE_REVOKED,
		[HAPPENS_RETURN] = STATE_RETURNED,
		[HAPPENS_EXPIRE] = STATE_EXPIRED,
	},
};

bool
rules_state_pending(enum state s)
{
	return s == STATE_PENDING_ENDORSEMENT || s == STATE_PENDING_APPROVAL;
}

bool
rules_state_live(enum state s)
{
	return s == STATE_SCHEDULED || s == STATE_ACTIVE;
}

enum lb_err
rules_move(enum state from, enum happening what, enum state *ret)
{
	assert(from > 0 && from < STATES && what > 0 && what < HAPPENINGS);
	if (moves[from][what] == 0)
		return LB_ERR_STATE;
	*ret = moves[from][what];
	return LB_OK;
}

enum state
rules_state_at(enum state stored, int64_t lapses_at, int64_t not_before,
    int64_t not_after, int64_t now)
{
	if (rules_state_pending(stored))
		return now >= lapses_at ? STATE_LAPSED : stored;
	if (!rules_state_live(stored))
		return stored;
	if (now >= not_after)
		return STATE_EXPIRED;
	return now >= not_before ? STATE_ACTIVE : stored;
}

bool
rules_is_of_tenant(const struct caller *c, const char *tenant)
{
	for (size_t i = 0; i < c->tenant_count; i++)
		if (strcmp(c->tenant[i], tenant) == 0)
			return true;
	return false;
}

bool
rules_sees_all(const struct caller *c)
{
	return (c->roles & (ROLE_MANAGER | ROLE_OPERATOR | ROLE_AUDITOR)) != 0;
}

bool
rules_may_see(const struct caller *c, const char *tenant, const char *engineer)
{
	if (c->principal[0] == '\0')
		return false;
	return rules_sees_all(c) || rules_is_of_tenant(c, tenant) ||
	    ((c->roles & ROLE_ENGINEER) != 0 &&
		strcmp(c->principal, engineer) == 0);
}

bool
rules_may_see_tenant(const struct caller *c, const char *tenant)
{
	if (c->principal[0] == '\0')
		return false;
	return (c->roles & ROLES_PROVIDER) != 0 ||
	    rules_is_of_tenant(c, tenant);
}

bool
rules_is_approver(const struct caller *c, const char *tenant)
{
	for (size_t i = 0; i < c->tenant_count; i++)
		if (strcmp(c->tenant[i], tenant) == 0)
			return (c->part[i] & PART_APPROVER) != 0;
	return false;
}

bool
rules_may_tend(const struct caller *c, const char *tenant)
{
	return (c->roles & ROLE_OPERATOR) != 0 || rules_is_approver(c, tenant);
}

bool
rules_may_see_events(const struct caller *c, const char *tenant)
{
	if (c->principal[0] == '\0')
		return false;
	return (c->roles & (ROLE_OPERATOR | ROLE_AUDITOR)) != 0 ||
	    rules_is_of_tenant(c, tenant);
}

bool
rules_is_own(const char *principal, const char *key_fp,
    const struct lb_request *request, const struct person_row *engineer)
{
	if (strcmp(principal, request->engineer) == 0 ||
	    lb_keyfps_has(&request->engineer_key, key_fp))
		return true;
	for (size_t i = 0; engineer != NULL && i < engineer->key_count; i++)
		if (strcmp(engineer->key[i].fp, key_fp) == 0)
			return true;
	return false;
}

enum lb_err
rules_may_endorse(const struct person_row *manager, const char *key_fp,
    const struct lb_request *request, const struct person_row *engineer)
{
	bool has = false;

	for (size_t i = 0; i < manager->key_count; i++)
		has |= strcmp(manager->key[i].fp, key_fp) == 0;
	if (!manager->active || !has || (manager->roles & ROLE_MANAGER) == 0)
		return LB_ERR_FORBIDDEN;
	if (rules_is_own(manager->principal, key_fp, request, engineer))
		return LB_ERR_CONFLICT;
	return LB_OK;
}

/* Strong enough for the trust document's "require", as far as a key alone
 * tells: only a device, or a passkey, says that it was touched. */
static bool
line_strong(const struct lb_trust *t, const struct lb_pinned *line)
{
	if (lb_sshkey_is_passkey(&line->key) && t->page_count == 0)
		return false;
	return t->require == LB_REQUIRE_ANY || lb_sshkey_is_sk(&line->key);
}

static bool
line_may_approve(
    const struct lb_pinned *line, const struct lb_request *r, int64_t now)
{
	return (line->namespaces & LB_NS_APPROVE) != 0 &&
	    lb_pinned_in_dates(line, now) &&
	    strcmp(line->principal, r->engineer) != 0 &&
	    !lb_keyfps_has(&r->engineer_key, line->key.fp);
}

/* How many principals among the lines that may approve. */
static size_t
principals_count(
    const struct lb_trust *t, const struct lb_request *r, int64_t now)
{
	const struct lb_pinned_list *l = &t->approver;
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		bool seen = false;

		if (!line_may_approve(&l->item[i], r, now) ||
		    !line_strong(t, &l->item[i]))
			continue;
		for (size_t j = 0; j < i && !seen; j++)
			seen = line_may_approve(&l->item[j], r, now) &&
			    line_strong(t, &l->item[j]) &&
			    strcmp(l->item[i].principal,
				l->item[j].principal) == 0;
		n += !seen;
	}
	return n;
}

static bool
list_may_approve(
    const struct lb_pinned_list *l, const struct lb_request *r, int64_t now)
{
	for (size_t i = 0; i < l->count; i++)
		if (line_may_approve(&l->item[i], r, now))
			return true;
	return false;
}

bool
rules_can_be_approved(
    const struct lb_trust *t, const struct lb_request *r, int64_t now)
{
	size_t n = principals_count(t, r, now);

	if (now >= t->good_until)
		return false;
	if (list_may_approve(&t->hook, r, now))
		n++; /* at most one hook counts */
	if (n >= t->threshold)
		return true;
	return now < t->delegate_until &&
	    list_may_approve(&t->delegate, r, now);
}

void
rules_keys_left(const struct lb_keyfps *keys, const struct person_row *engineer,
    struct lb_keyfps *ret)
{
	struct lb_keyfps left = { 0 };

	for (size_t i = 0; engineer != NULL && i < keys->count; i++) {
		bool has = false;

		for (size_t j = 0; j < engineer->key_count; j++)
			has |= strcmp(keys->item[i], engineer->key[j].fp) == 0;
		if (has && engineer->active)
			memcpy(left.item[left.count++], keys->item[i],
			    sizeof(left.item[0]));
	}
	*ret = left;
}

/* Every key the engineer names is one the roster knows as his. */
static bool
keys_known(const struct lb_keyfps *keys, const struct person_row *engineer)
{
	struct lb_keyfps left;

	rules_keys_left(keys, engineer, &left);
	return left.count == keys->count;
}

enum lb_err
rules_request_check(const struct lb_request *r, const struct caller *c,
    const struct person_row *engineer, const char *broker,
    const struct lb_trust *t, int64_t longest, int64_t now,
    const char **ret_code)
{
	const char *code = NULL;

	if (strcmp(r->engineer, c->principal) != 0)
		code = "not_your_name";
	else if (strcmp(r->broker, broker) != 0)
		code = "other_broker";
	else if (!keys_known(&r->engineer_key, engineer))
		code = "unknown_key";
	else if (r->requested > now + RULES_CLOCK_SKEW ||
	    r->requested < now - RULES_REQUEST_FRESH)
		code = "stale_request";
	else if (r->duration > longest)
		code = "too_long";
	else if (r->start != 0 &&
	    (r->start < now - RULES_CLOCK_SKEW ||
		r->start > now + RULES_START_MAX))
		code = "bad_start";
	else if (now >= t->good_until)
		code = "trust_over";
	if (code == NULL)
		return LB_OK;
	*ret_code = code;
	return LB_ERR_RANGE;
}

bool
rules_covers(const struct lb_grant *g, const struct lb_request *r, int64_t now)
{
	if (strcmp(g->tenant, r->tenant) != 0 ||
	    strcmp(g->engineer, r->engineer) != 0 || r->start != 0 ||
	    r->extends[0] != '\0' || now < g->not_before ||
	    g->not_after - now < r->duration / 2 || now >= g->not_after)
		return false;
	for (size_t i = 0; i < r->host.count; i++)
		if (!lb_hosts_has(&g->host, r->host.item[i]))
			return false;
	for (size_t i = 0; i < r->login.count; i++)
		if (!lb_logins_has(&g->login, r->login.item[i]))
			return false;
	for (size_t i = 0; i < r->service.count; i++)
		if (!lb_services_has(&g->service, r->service.item[i]))
			return false;
	for (size_t i = 0; i < r->engineer_key.count; i++)
		if (!lb_keyfps_has(&g->engineer_key, r->engineer_key.item[i]))
			return false;
	return true;
}

static enum lb_err
draft_times(const struct lb_request *r, const struct narrowing *n,
    int64_t longest, int64_t now, struct lb_grant *g)
{
	int64_t span = n->duration != 0 ? n->duration : r->duration;
	int64_t from = n->not_before != 0 ? n->not_before : r->start;

	/* A request has a least duration; an approver may give any less. */
	if (span < 1 || span > r->duration ||
	    (n->not_before != 0 &&
		(n->not_before < r->start || n->not_before < now ||
		    n->not_before > now + RULES_START_MAX)))
		return LB_ERR_RANGE;
	if (from <= now)
		from = now - RULES_BACKDATE;
	g->issued = now;
	g->not_before = from;
	/* The minute before now is no one's loss, as long as trust allows. */
	g->not_after = (from < now ? now : from) + span;
	if (g->not_after - g->not_before > longest)
		g->not_after = g->not_before + longest;
	return LB_OK;
}

enum lb_err
rules_draft(const struct lb_request *r, const char *request_id,
    const struct narrowing *n, int64_t longest, int64_t now,
    struct lb_grant *ret)
{
	struct lb_grant g = { 0 };
	enum lb_err r_;

	if ((r_ = lb_text_copy(g.request, sizeof(g.request), request_id)) !=
	    LB_OK)
		return r_;
	memcpy(g.tenant, r->tenant, sizeof(g.tenant));
	memcpy(g.broker, r->broker, sizeof(g.broker));
	memcpy(g.engineer, r->engineer, sizeof(g.engineer));
	memcpy(g.ticket, r->ticket, sizeof(g.ticket));
	memcpy(g.reason_type, r->reason_type, sizeof(g.reason_type));
	memcpy(g.reason, r->reason, sizeof(g.reason));
	g.engineer_key = r->engineer_key;
	g.host = n->host.count > 0 ? n->host : r->host;
	g.login = n->login.count > 0 ? n->login : r->login;
	g.service = n->service.count > 0 ? n->service : r->service;
	if ((r_ = draft_times(r, n, longest, now, &g)) != LB_OK)
		return r_;
	lb_doc_sort(&lb_grant_type, &g);
	if (!lb_grant_within(&g, r, request_id))
		return LB_ERR_RANGE;
	*ret = g;
	return LB_OK;
}

enum lb_err
rules_grant_check(const struct lb_grant *g, const struct lb_request *r,
    const char *request_id, int64_t longest, bool fixed, int64_t now,
    const char **ret_code)
{
	const char *code = NULL;

	if (!lb_grant_within(g, r, request_id))
		code = "not_within";
	else if (g->not_after - g->not_before > longest)
		code = "too_long";
	else if (now >= g->not_after)
		code = "over";
	else if (g->issued > now + RULES_CLOCK_SKEW ||
	    (!fixed && g->issued < now - RULES_DRAFT_TTL) ||
	    g->not_before < g->issued - RULES_BACKDATE)
		code = "draft_old";
	if (code == NULL)
		return LB_OK;
	*ret_code = code;
	return LB_ERR_RANGE;
}

enum lb_err
rules_scope(const struct lb_request *q, char ret[static LB_SHA256_LEN + 1])
{
	struct lb_buf b = { 0 };
	enum lb_err r;

	r = lb_buf_addf(&b, "tenant %s\n", q->tenant);
	for (size_t i = 0; r == LB_OK && i < q->host.count; i++)
		r = lb_buf_addf(&b, "host %s\n", q->host.item[i]);
	for (size_t i = 0; r == LB_OK && i < q->login.count; i++)
		r = lb_buf_addf(&b, "login %s\n", q->login.item[i]);
	for (size_t i = 0; r == LB_OK && i < q->service.count; i++)
		r = lb_buf_addf(&b, "service %s\n", q->service.item[i]);
	if (r == LB_OK)
		lb_doc_id(b.data, b.len, ret);
	lb_buf_clear(&b);
	return r;
}
