/* Judging what sessions rest on. */
#include "rests.h"

#include <string.h>

#include "sessions.h"

/* One kept grant, whatever services it lists: that it lists the right one was
 * seen when the session came to rest on it. */
static void
judge_one(const struct rests_case *c, const char *id,
    struct lb_grant *ret_grant, struct lb_ruling *ret)
{
	const struct state_kept *kept = state_kept_find(c->state, id);
	struct lb_bundle *b = NULL;
	struct lb_grant_case gc = {
		.trust = c->trust,
		.kills = &c->state->kills,
		.tenant = c->tenant,
		.broker = c->broker,
		.host = c->host,
		.login = c->session->login,
		.keys = &c->session->keys,
		.now = c->now,
	};

	*ret = (struct lb_ruling){ .verdict = LB_VERDICT_DENY,
		.code = "grant_unreadable" };
	if (kept == NULL ||
	    lb_bundle_split(kept->bundle, kept->bundle_len, &b) != LB_OK)
		return;
	gc.part = lb_bundle_find(b, id);
	if (gc.part != NULL &&
	    lb_grant_parse(gc.part->doc.text, gc.part->doc.len, ret_grant) ==
		LB_OK) {
		gc.bundle = b;
		gc.service = ret_grant->service.item[0];
		lb_grant_judge(&gc, ret);
	}
	lb_bundle_free(b);
}

static void
set_deadline(const struct rests_case *c, int64_t deadline)
{
	struct state_session *s = c->session;

	if (deadline == s->deadline)
		return; /* nor the other clock's */
	s->deadline = deadline;
	s->deadline_boot_ms = c->now_boot_ms + (deadline - c->now) * 1000;
}

static void
set_lease(const struct rests_case *c, int64_t lease_end)
{
	struct state_session *s = c->session;

	s->lease_end = lease_end < s->deadline ? lease_end : s->deadline;
	s->lease_end_boot_ms = c->now_boot_ms + (s->lease_end - c->now) * 1000;
	if (s->lease_end_boot_ms > s->deadline_boot_ms)
		s->lease_end_boot_ms = s->deadline_boot_ms;
}

/* NULL and when the first of them ends, or the code of one that fails. */
static const char *
judge_all(const struct rests_case *c, int64_t *ret_first)
{
	static struct lb_ruling ruling; /* its code outlives the call */
	static struct lb_grant grant;   /* large; one thread */

	*ret_first = INT64_MAX;
	for (size_t i = 0; i < c->session->rests.count; i++) {
		judge_one(c, c->session->rests.item[i], &grant, &ruling);
		if (ruling.verdict != LB_VERDICT_ALLOW)
			return ruling.code;
		if (ruling.not_after < *ret_first)
			*ret_first = ruling.not_after;
	}
	return NULL;
}

const char *
rests_fault(const struct rests_case *c)
{
	const char *fault;
	int64_t first;

	if (c->session->offline && !c->trust->offline)
		return "offline_denied";
	if ((fault = judge_all(c, &first)) != NULL)
		return fault;
	if (first < c->session->deadline)
		set_deadline(c, first);
	return NULL;
}

/* The grant, of those the answer names, that ends latest in place of id. */
static const char *
successor(const struct rests_case *c, const struct lb_grant_ids *named,
    const char *id)
{
	static struct lb_grant old, new; /* large; one thread */
	struct lb_ruling was, is;
	const char *best = NULL;
	int64_t latest;

	judge_one(c, id, &old, &was);
	if (was.verdict != LB_VERDICT_ALLOW)
		return NULL; /* what was revoked is not made good by another */
	latest = was.not_after;
	for (size_t i = 0; i < named->count; i++) {
		if (!lb_grant_ids_has(&c->session->keeps, named->item[i]))
			continue;
		judge_one(c, named->item[i], &new, &is);
		if (is.verdict == LB_VERDICT_ALLOW && is.not_after > latest &&
		    lb_grant_lists_all(&new, &old)) {
			latest = is.not_after;
			best = named->item[i];
		}
	}
	return best;
}

/* Each that has one gives way to its successor; nothing stands twice. */
static void
succeed(const struct rests_case *c, const struct lb_grant_ids *named)
{
	struct lb_grant_ids *rests = &c->session->rests, next = { 0 };

	for (size_t i = 0; i < rests->count; i++) {
		const char *id = successor(c, named, rests->item[i]);

		if (id == NULL)
			id = rests->item[i];
		if (!lb_grant_ids_has(&next, id))
			memcpy(next.item[next.count++], id, LB_SHA256_LEN + 1);
	}
	*rests = next;
}

bool
rests_extend(const struct rests_case *c)
{
	struct lb_grant_ids handed = { 0 };
	int64_t first, was = c->session->deadline;

	if (sessions_keep_handed(c->state, c->session) != LB_OK)
		return false;
	for (size_t i = 0; i < c->session->keeps.count; i++) {
		const struct state_kept *k =
		    state_kept_find(c->state, c->session->keeps.item[i]);

		if (k != NULL && k->handed)
			memcpy(
			    handed.item[handed.count++], k->id, sizeof(k->id));
	}
	succeed(c, &handed);
	if (judge_all(c, &first) != NULL)
		return false; /* rests_fault says so */
	set_deadline(c, first);
	set_lease(c, first);
	return c->session->deadline != was;
}

/* Had a further grant found room in this answer? See the broker's limits. */
static bool
had_room(const struct lb_answer *a, const struct lb_bundle *b)
{
	size_t len = 0;

	for (size_t i = 0; i < b->count; i++)
		len += b->part[i].doc.len;
	for (size_t i = 0; i < b->sig_count; i++)
		len += b->sig[i].len;
	return a->grant.count < LB_ANSWER_GRANTS && len < LB_BUNDLE_MAX / 2;
}

const char *
rests_renew(const struct rests_case *c, const struct lb_ruling *ruling,
    const struct lb_bundle *bundle, bool *ret_renewed)
{
	static struct lb_answer a; /* large; one thread */
	const struct lb_part *p = lb_bundle_first(bundle, &lb_answer_type);
	const char *fault;
	int64_t first;

	*ret_renewed = false;
	if (p == NULL || ruling->verdict != LB_VERDICT_ALLOW ||
	    lb_answer_parse(p->doc.text, p->doc.len, &a) != LB_OK)
		return NULL;
	if (sessions_keep(c->state, c->session, bundle, &a.grant) != LB_OK)
		return NULL;
	succeed(c, &a.grant);
	if ((fault = judge_all(c, &first)) != NULL)
		return fault;
	for (size_t i = 0; i < c->session->rests.count; i++)
		if (!lb_grant_ids_has(&a.grant, c->session->rests.item[i]))
			return had_room(&a, bundle) ? "withdrawn" : NULL;
	set_deadline(c, first);
	set_lease(c, ruling->lease_end);
	*ret_renewed = true;
	return NULL;
}

/* 0: it cannot be read. */
static int64_t
not_after_of(const struct state *st, const char *id)
{
	const struct state_kept *kept = state_kept_find(st, id);
	static struct lb_grant grant; /* large; one thread */
	struct lb_bundle *b = NULL;
	const struct lb_part *p;
	int64_t at = 0;

	if (kept == NULL ||
	    lb_bundle_split(kept->bundle, kept->bundle_len, &b) != LB_OK)
		return 0;
	p = lb_bundle_find(b, id);
	if (p != NULL &&
	    lb_grant_parse(p->doc.text, p->doc.len, &grant) == LB_OK)
		at = grant.not_after;
	lb_bundle_free(b);
	return at;
}

const char *
rests_first(const struct state *st, const struct state_session *s)
{
	const char *first = "";
	int64_t least = INT64_MAX, at;

	if (s->rests.count == 1) /* most often */
		return s->rests.item[0];
	for (size_t i = 0; i < s->rests.count; i++) {
		at = not_after_of(st, s->rests.item[i]);
		if (at > 0 && at < least) {
			least = at;
			first = s->rests.item[i];
		}
	}
	return first;
}

const char *
rests_cause(const char *code)
{
	static const struct {
		const char *code, *cause;
	} row[] = {
		{ "grant_revoked", "revoked" },
		{ "request_denied", "revoked" },
		{ "revoked", "revoked" },
		{ "denied", "revoked" },
		{ "grant_over", "expired" },
		{ "delegation_over", "expired" },
		{ "expired", "expired" },
		{ "returned", "returned" },
		{ "withdrawn", "withdrawn" },
		{ "no_grant", "withdrawn" },
		{ "pending_endorsement", "withdrawn" },
		{ "pending_approval", "withdrawn" },
		{ "not_yet", "withdrawn" },
		{ "lapsed", "withdrawn" },
		{ "cancelled", "withdrawn" },
		{ "broker_denied", "withdrawn" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(code, row[i].code) == 0)
			return row[i].cause;
	return "trust_changed";
}

bool
rests_ended_by(const char *code)
{
	static const char *const just_now[] = { "trust_first", "trust_unknown",
		"clock_skew" };

	for (size_t i = 0; i < sizeof(just_now) / sizeof(just_now[0]); i++)
		if (strcmp(code, just_now[i]) == 0)
			return false;
	return true;
}
