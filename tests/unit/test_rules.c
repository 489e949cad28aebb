/* The broker's rules, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "rules.h"

#define HOUR INT64_C(3600)

/* The whole machine, drawn again: 0 means refused. */
static const enum state want[STATES][HAPPENINGS] = {
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

static void
test_rules_move_every_state_and_happening(void **state)
{
	(void)state;
	for (int s = 1; s < STATES; s++)
		for (int h = 1; h < HAPPENINGS; h++) {
			enum state got = (enum state)99;
			enum lb_err r =
			    rules_move((enum state)s, (enum happening)h, &got);

			if (want[s][h] == 0) {
				assert_int_equal(r, LB_ERR_STATE);
				assert_int_equal(got, 99); /* untouched */
			} else {
				assert_int_equal(r, LB_OK);
				assert_int_equal(got, want[s][h]);
			}
		}
}

/* Every path of five steps: what is over stays over, and nothing is active
 * that was not admitted out of pending_approval. */
static void
walk(enum state s, int depth, bool endorsed, bool admitted)
{
	assert_true(!rules_state_live(s) || (endorsed && admitted));
	for (int h = 1; h < HAPPENINGS && depth > 0; h++) {
		enum state next;

		if (rules_move(s, (enum happening)h, &next) != LB_OK)
			continue;
		assert_true(rules_state_pending(s) || rules_state_live(s));
		walk(next, depth - 1, endorsed || h == HAPPENS_ENDORSE,
		    admitted || h == HAPPENS_ADMIT || h == HAPPENS_SCHEDULE);
	}
}

static void
test_rules_move_no_way_around_approval(void **state)
{
	(void)state;
	walk(STATE_PENDING_ENDORSEMENT, 7, false, false);
	walk(STATE_PENDING_APPROVAL, 7, true, false);
}

static void
test_rules_state_names_are_one_to_one(void **state)
{
	(void)state;
	for (int s = 1; s < STATES; s++)
		assert_int_equal(
		    row_state_find(row_state_name((enum state)s)), s);
	assert_int_equal(row_state_find("asleep"), 0);
	assert_int_equal(row_state_find(""), 0);
}

static void
test_rules_state_at_boundaries(void **state)
{
	static const struct {
		enum state stored;
		int64_t now;
		enum state want;
	} row[] = {
		{ STATE_PENDING_ENDORSEMENT, 99, STATE_PENDING_ENDORSEMENT },
		{ STATE_PENDING_ENDORSEMENT, 100, STATE_LAPSED },
		{ STATE_PENDING_APPROVAL, 99, STATE_PENDING_APPROVAL },
		{ STATE_PENDING_APPROVAL, 100, STATE_LAPSED },
		{ STATE_SCHEDULED, 199, STATE_SCHEDULED },
		{ STATE_SCHEDULED, 200, STATE_ACTIVE },
		{ STATE_SCHEDULED, 299, STATE_ACTIVE },
		{ STATE_SCHEDULED, 300, STATE_EXPIRED },
		{ STATE_ACTIVE, 200, STATE_ACTIVE },
		{ STATE_ACTIVE, 299, STATE_ACTIVE },
		{ STATE_ACTIVE, 300, STATE_EXPIRED },
		{ STATE_EXPIRED, 250, STATE_EXPIRED }, /* never revives */
		{ STATE_REVOKED, 250, STATE_REVOKED },
		{ STATE_RETURNED, 250, STATE_RETURNED },
		{ STATE_DENIED, 50, STATE_DENIED },
		{ STATE_CANCELLED, 50, STATE_CANCELLED },
		{ STATE_LAPSED, 50, STATE_LAPSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    rules_state_at(row[i].stored, 100, 200, 300, row[i].now),
		    row[i].want);
}

/* Who sees a request of acme's, made by alice. */
static void
test_rules_may_see_by_role(void **state)
{
	static const struct {
		const char *principal;
		unsigned int roles;
		const char *tenant;
		bool request, tenants, events;
	} row[] = {
		{ "", ROLE_OPERATOR, "acme", 0, 0, 0 }, /* nobody */
		{ "alice", ROLE_ENGINEER, "", 1, 1, 0 },
		{ "bob", ROLE_ENGINEER, "", 0, 1, 0 },
		{ "alice", ROLE_APPROVER, "zeta", 0, 0, 0 }, /* no engineer */
		{ "m", ROLE_MANAGER, "", 1, 1, 0 },
		{ "o", ROLE_OPERATOR, "", 1, 1, 1 },
		{ "a", ROLE_AUDITOR, "", 1, 1, 1 },
		{ "anna", ROLE_APPROVER, "acme", 1, 1, 1 },
		{ "zoe", ROLE_APPROVER, "zeta", 0, 0, 0 },
		{ "x", 0, "", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct caller c = { .roles = row[i].roles };

		strcpy(c.principal, row[i].principal);
		if (row[i].tenant[0] != '\0') {
			strcpy(c.tenant[0], row[i].tenant);
			c.tenant_count = 1;
		}
		assert_int_equal(
		    rules_may_see(&c, "acme", "alice"), row[i].request);
		assert_int_equal(
		    rules_may_see_tenant(&c, "acme"), row[i].tenants);
		assert_int_equal(
		    rules_may_see_events(&c, "acme"), row[i].events);
	}
}

/* Approvers look after their tenant's people; nobody else of it does. */
static void
test_rules_tend(void **state)
{
	static const struct {
		unsigned int roles, part;
		bool approver, tend;
	} row[] = {
		{ ROLE_APPROVER, PART_APPROVER, true, true },
		{ ROLE_APPROVER, PART_APPROVER | PART_OWNER, true, true },
		{ ROLE_APPROVER, PART_HOOK, false, false },
		{ ROLE_APPROVER | ROLE_MANAGER, PART_DELEGATE, false, false },
		{ ROLE_APPROVER | ROLE_OPERATOR, PART_DELEGATE, false, true },
		{ ROLE_OPERATOR, 0, false, true },
		{ ROLE_ENGINEER | ROLE_MANAGER | ROLE_AUDITOR, 0, false,
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct caller c = { .roles = row[i].roles,
			.tenant_count = row[i].part != 0 ? 2 : 0,
			.tenant = { "zeta", "acme" },
			.part = { 0, row[i].part } };
		bool everywhere = (row[i].roles & ROLE_OPERATOR) != 0;

		assert_int_equal(
		    rules_is_approver(&c, "acme"), row[i].approver);
		assert_int_equal(rules_may_tend(&c, "acme"), row[i].tend);
		assert_false(rules_is_approver(&c, "zeta"));
		assert_int_equal(rules_may_tend(&c, "zeta"), everywhere);
		assert_int_equal(rules_may_tend(&c, "other"), everywhere);
	}
}

static struct person_row
person(
    const struct fx *f, const char *name, enum fx_who who, unsigned int roles)
{
	struct person_row p = {
		.roles = roles, .active = true, .key_count = 1
	};

	strcpy(p.principal, name);
	p.key[0] = f->key[who].pub;
	return p;
}

static void
test_rules_may_endorse_managers_only_and_not_their_own(void **state)
{
	struct fx *f = fx_new();
	struct person_row mia, alice;
	const struct lb_request *q = &f->request;

	(void)state;
	mia = person(f, "mia", FX_MANAGER, ROLE_MANAGER);
	alice = person(f, q->engineer, FX_ALICE, ROLE_ENGINEER | ROLE_MANAGER);
	assert_int_equal(
	    rules_may_endorse(&mia, mia.key[0].fp, q, &alice), LB_OK);
	assert_int_equal(
	    rules_may_endorse(&mia, mia.key[0].fp, q, NULL), LB_OK);
	/* a key that is not hers */
	assert_int_equal(rules_may_endorse(&mia, alice.key[0].fp, q, &alice),
	    LB_ERR_FORBIDDEN);
	/* her own, by name; by a key the engineer also has */
	assert_int_equal(rules_may_endorse(&alice, alice.key[0].fp, q, &alice),
	    LB_ERR_CONFLICT);
	assert_int_equal(rules_may_endorse(&alice, alice.key[0].fp, q, NULL),
	    LB_ERR_CONFLICT);
	alice.key[1] = mia.key[0];
	alice.key_count = 2;
	assert_int_equal(
	    rules_may_endorse(&mia, mia.key[0].fp, q, &alice), LB_ERR_CONFLICT);
	alice.key_count = 1;
	mia.roles = ROLE_ENGINEER | ROLE_OPERATOR | ROLE_AUDITOR;
	assert_int_equal(rules_may_endorse(&mia, mia.key[0].fp, q, &alice),
	    LB_ERR_FORBIDDEN);
	mia.roles = ROLE_MANAGER;
	mia.active = false;
	assert_int_equal(rules_may_endorse(&mia, mia.key[0].fp, q, &alice),
	    LB_ERR_FORBIDDEN);
	/* a login key that the request names */
	mia = person(f, "mia", FX_ALICE_LOGIN, ROLE_MANAGER);
	assert_int_equal(
	    rules_may_endorse(&mia, mia.key[0].fp, q, NULL), LB_ERR_CONFLICT);
	fx_free(f);
}

static void
test_rules_can_be_approved(void **state)
{
	struct fx *f = fx_new();
	struct lb_trust *t;
	int64_t now = f->now;

	(void)state;
	fx_seal(f);
	t = f->t;
	assert_true(rules_can_be_approved(t, &f->request, now));
	/* the trust document is over */
	assert_true(rules_can_be_approved(t, &f->request, t->good_until - 1));
	assert_false(rules_can_be_approved(t, &f->request, t->good_until));
	/* the engineer is one of three: two are left; then one, with hooks */
	strcpy(t->approver.item[0].principal, f->request.engineer);
	assert_true(rules_can_be_approved(t, &f->request, now));
	t->approver.item[1].valid_before = now;
	assert_true(rules_can_be_approved(t, &f->request, now));
	t->hook.count = 0;
	assert_false(rules_can_be_approved(t, &f->request, now));
	t->approver.item[1].valid_before = now + 1;
	assert_true(rules_can_be_approved(t, &f->request, now));
	/* only devices may approve, and there are none */
	t->require = LB_REQUIRE_TOUCH;
	assert_false(rules_can_be_approved(t, &f->request, now));
	/* a delegate, until his end */
	t->delegate.count = 1;
	t->delegate.item[0] = t->approver.item[2];
	t->delegate_until = now + 1;
	assert_true(rules_can_be_approved(t, &f->request, now));
	assert_false(rules_can_be_approved(t, &f->request, now + 1));
	strcpy(t->delegate.item[0].principal, f->request.engineer);
	assert_false(rules_can_be_approved(t, &f->request, now));
	fx_free(f);
}

/* Of three approvers and two hooks: as many as could still reach it. */
static void
test_rules_can_be_approved_counts(void **state)
{
	struct fx *f = fx_new();
	struct lb_trust *t;
	struct lb_pinned *line;

	(void)state;
	fx_seal(f);
	t = f->t;
	line = t->approver.item;
	assert_int_equal(t->approver.count, 3);
	assert_int_equal(t->hook.count, 2);
	/* one hook, whatever their number */
	t->threshold = 4;
	assert_true(rules_can_be_approved(t, &f->request, f->now));
	t->threshold = 5;
	assert_false(rules_can_be_approved(t, &f->request, f->now));
	t->threshold = 4;
	/* one principal, whatever the number of keys */
	strcpy(line[1].principal, line[0].principal);
	assert_false(rules_can_be_approved(t, &f->request, f->now));
	t->threshold = 3;
	assert_true(rules_can_be_approved(t, &f->request, f->now));
	/* who may not approve does not count */
	line[2].namespaces &= ~(unsigned int)LB_NS_APPROVE;
	assert_false(rules_can_be_approved(t, &f->request, f->now));
	line[2].namespaces |= LB_NS_APPROVE;
	assert_true(rules_can_be_approved(t, &f->request, f->now));
	/* nor does the engineer's key under another name */
	line[2].key = f->key[FX_ALICE_LOGIN].pub;
	assert_false(rules_can_be_approved(t, &f->request, f->now));
	/* nor a passkey where no page is pinned */
	t->page_count = 1;
	line[2].key = f->key[FX_PASS1].pub;
	assert_true(rules_can_be_approved(t, &f->request, f->now));
	t->page_count = 0;
	assert_false(rules_can_be_approved(t, &f->request, f->now));
	fx_free(f);
}

static void
test_rules_keys_left(void **state)
{
	struct fx *f = fx_new();
	struct person_row alice = person(f, "alice", FX_ALICE_LOGIN, 0);
	struct lb_keyfps left;

	(void)state;
	rules_keys_left(&f->request.engineer_key, &alice, &left);
	assert_int_equal(left.count, 1);
	assert_string_equal(left.item[0], alice.key[0].fp);
	alice.active = false;
	rules_keys_left(&f->request.engineer_key, &alice, &left);
	assert_int_equal(left.count, 0);
	alice = person(f, "alice", FX_ALICE, 0);
	rules_keys_left(&f->request.engineer_key, &alice, &left);
	assert_int_equal(left.count, 0);
	rules_keys_left(&f->request.engineer_key, NULL, &left);
	assert_int_equal(left.count, 0);
	fx_free(f);
}

/* One change to a request that passes, and the code it gets. */
struct wrong {
	const char *code; /* NULL: passes */
	void (*change)(struct fx *f, struct caller *c);
};

static void
change_nothing(struct fx *f, struct caller *c)
{
	(void)f;
	(void)c;
}

static void
change_name(struct fx *f, struct caller *c)
{
	(void)f;
	strcpy(c->principal, "bob");
}

static void
change_broker(struct fx *f, struct caller *c)
{
	(void)c;
	strcpy(f->request.broker, "other");
}

static void
change_key(struct fx *f, struct caller *c)
{
	(void)c;
	strcpy(f->request.engineer_key.item[0], f->key[FX_BOB_LOGIN].pub.fp);
}

static void
change_old(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.requested = f->now - RULES_REQUEST_FRESH - 1;
}

static void
change_oldest(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.requested = f->now - RULES_REQUEST_FRESH;
}

static void
change_future(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.requested = f->now + RULES_CLOCK_SKEW + 1;
}

static void
change_longest(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.duration = 4 * HOUR;
}

static void
change_longer(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.duration = 4 * HOUR + 1;
}

static void
change_start(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.start = f->now + RULES_START_MAX;
}

static void
change_start_far(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.start = f->now + RULES_START_MAX + 1;
}

static void
change_start_past(struct fx *f, struct caller *c)
{
	(void)c;
	f->request.start = f->now - RULES_CLOCK_SKEW - 1;
}

static void
change_trust_last(struct fx *f, struct caller *c)
{
	(void)c;
	f->t->good_until = f->now + 1;
}

static void
change_trust_over(struct fx *f, struct caller *c)
{
	(void)c;
	f->t->good_until = f->now;
}

static void
test_rules_request_check(void **state)
{
	static const struct wrong row[] = {
		{ NULL, change_nothing },
		{ "not_your_name", change_name },
		{ "other_broker", change_broker },
		{ "unknown_key", change_key },
		{ NULL, change_oldest },
		{ "stale_request", change_old },
		{ "stale_request", change_future },
		{ NULL, change_longest },
		{ "too_long", change_longer },
		{ NULL, change_start },
		{ "bad_start", change_start_far },
		{ "bad_start", change_start_past },
		{ NULL, change_trust_last },
		{ "trust_over", change_trust_over },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct caller c = { .roles = ROLE_ENGINEER };
		struct person_row p;
		const char *code = NULL;
		enum lb_err r;

		fx_seal(f);
		p = person(
		    f, f->request.engineer, FX_ALICE_LOGIN, ROLE_ENGINEER);
		strcpy(c.principal, f->request.engineer);
		f->request.requested = f->now;
		row[i].change(f, &c);
		r = rules_request_check(&f->request, &c, &p, "lockbox.example",
		    f->t, 4 * HOUR, f->now, &code);
		assert_int_equal(r, row[i].code == NULL ? LB_OK : LB_ERR_RANGE);
		if (row[i].code != NULL)
			assert_string_equal(code, row[i].code);
		else
			assert_null(code);
		fx_free(f);
	}
}

static const char request_id[] =
    "sha256:0000000000000000000000000000000000000000000000000000000000000001";

static void
test_rules_draft_as_asked(void **state)
{
	struct fx *f = fx_new();
	struct narrowing n = { 0 };
	struct lb_grant g;

	(void)state;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	assert_string_equal(g.request, request_id);
	assert_int_equal(g.issued, f->now);
	assert_int_equal(g.not_before, f->now - RULES_BACKDATE);
	assert_int_equal(g.not_after, f->now + f->request.duration);
	assert_int_equal(g.host.count, f->request.host.count);
	assert_true(lb_grant_within(&g, &f->request, request_id));
	/* trust allows less than was asked */
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, HOUR, f->now, &g), LB_OK);
	assert_int_equal(g.not_after - g.not_before, HOUR);
	fx_free(f);
}

static void
test_rules_draft_scheduled(void **state)
{
	struct fx *f = fx_new();
	struct narrowing n = { 0 };
	struct lb_grant g;

	(void)state;
	f->request.start = f->now + HOUR;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	assert_int_equal(g.not_before, f->now + HOUR);
	assert_int_equal(g.not_after, f->now + HOUR + f->request.duration);
	n.not_before = f->now + 2 * HOUR; /* later than asked: narrower */
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	assert_int_equal(g.not_before, f->now + 2 * HOUR);
	n.not_before = f->now + HOUR - 1; /* earlier: wider */
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	n.not_before = 0;
	n.duration = f->request.duration + 1; /* longer, by no backdating */
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	/* trust allows less than was asked */
	n.duration = 0;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, HOUR, f->now, &g), LB_OK);
	assert_int_equal(g.not_before, f->now + HOUR);
	assert_int_equal(g.not_after, f->now + 2 * HOUR);
	fx_free(f);
}

/* Later than at once: the approver's own wish, within a month. */
static void
test_rules_draft_begins_later(void **state)
{
	struct fx *f = fx_new();
	struct narrowing n = { 0 };
	struct lb_grant g;

	(void)state;
	n.not_before = f->now;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	n.not_before = f->now - 1;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	n.not_before = f->now + RULES_START_MAX;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	assert_int_equal(g.not_before, f->now + RULES_START_MAX);
	n.not_before = f->now + RULES_START_MAX + 1;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	fx_free(f);
}

static void
test_rules_draft_only_ever_narrower(void **state)
{
	struct fx *f = fx_new();
	struct narrowing n = { 0 };
	struct lb_grant g, untouched;

	(void)state;
	memset(&g, 0x5a, sizeof(g));
	untouched = g;
	n.duration = f->request.duration + 1;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	n.duration = -1;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	n.duration = 0;
	n.host.count = 1;
	strcpy(n.host.item[0], "db9");
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_ERR_RANGE);
	assert_memory_equal(&g, &untouched, sizeof(g));
	strcpy(n.host.item[0], f->request.host.item[0]);
	n.duration = 1; /* as little as the customer likes */
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &g),
	    LB_OK);
	assert_int_equal(g.host.count, 1);
	fx_free(f);
}

static void
test_rules_grant_check(void **state)
{
	struct fx *f = fx_new();
	struct narrowing n = { 0 };
	struct lb_grant good, g;
	const char *code;
	static const struct {
		int64_t after; /* seconds since it was drafted */
		bool fixed;
		const char *code;
	} row[] = {
		{ 0, false, NULL },
		{ RULES_DRAFT_TTL, false, NULL },
		{ RULES_DRAFT_TTL + 1, false, "draft_old" },
		{ RULES_DRAFT_TTL + 1, true, NULL },
		{ -RULES_CLOCK_SKEW, false, NULL },
		{ -RULES_CLOCK_SKEW - 1, false, "draft_old" },
		{ -RULES_CLOCK_SKEW - 1, true, "draft_old" },
		{ 2 * HOUR - 1, true, NULL },
		{ 2 * HOUR, true, "over" },
	};

	(void)state;
	assert_int_equal(
	    rules_draft(&f->request, request_id, &n, 24 * HOUR, f->now, &good),
	    LB_OK);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		code = NULL;
		assert_int_equal(
		    rules_grant_check(&good, &f->request, request_id, 24 * HOUR,
			row[i].fixed, f->now + row[i].after, &code),
		    row[i].code == NULL ? LB_OK : LB_ERR_RANGE);
		if (row[i].code != NULL)
			assert_string_equal(code, row[i].code);
	}
	assert_int_equal(rules_grant_check(&good, &f->request, request_id, HOUR,
			     false, f->now, &code),
	    LB_ERR_RANGE);
	assert_string_equal(code, "too_long");
	g = good;
	g.not_after -= HOUR;
	assert_int_equal(rules_grant_check(&g, &f->request, request_id,
			     24 * HOUR, false, f->now, &code),
	    LB_OK);
	g.not_before--; /* further back than any draft */
	assert_int_equal(rules_grant_check(&g, &f->request, request_id,
			     24 * HOUR, false, f->now, &code),
	    LB_ERR_RANGE);
	assert_string_equal(code, "draft_old");
	g = good;
	strcpy(g.login.item[0], "root");
	assert_int_equal(rules_grant_check(&g, &f->request, request_id,
			     24 * HOUR, false, f->now, &code),
	    LB_ERR_RANGE);
	assert_string_equal(code, "not_within");
	fx_free(f);
}

static void
test_rules_covers(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *g = &f->grant[0];
	struct lb_request q = f->request;
	int64_t half = g->not_after - q.duration / 2;

	(void)state;
	assert_true(rules_covers(g, &q, f->now));
	assert_true(rules_covers(g, &q, half));
	assert_false(rules_covers(g, &q, half + 1));
	assert_false(rules_covers(g, &q, g->not_before - 1));
	strcpy(q.host.item[0], "db9");
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.engineer, "bob");
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.tenant, "zeta");
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.service.item[0], "su");
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.login.item[0], "root");
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.engineer_key.item[0], f->key[FX_BOB_LOGIN].pub.fp);
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	q.start = f->now + 1;
	assert_false(rules_covers(g, &q, f->now));
	q = f->request;
	strcpy(q.extends, request_id);
	assert_false(rules_covers(g, &q, f->now));
	fx_free(f);
}

/* With another word there it is another scope than a; then as before. */
static void
assert_scope(const struct lb_request *q, char *word, const char *a)
{
	char b[LB_SHA256_LEN + 1], first = word[0];

	word[0] = 'x';
	assert_int_equal(rules_scope(q, b), LB_OK);
	assert_string_not_equal(a, b);
	word[0] = first;
	assert_int_equal(rules_scope(q, b), LB_OK);
	assert_string_equal(a, b);
}

static void
test_rules_scope_is_what_is_asked_for(void **state)
{
	struct fx *f = fx_new();
	char a[LB_SHA256_LEN + 1], b[LB_SHA256_LEN + 1];

	(void)state;
	assert_int_equal(rules_scope(&f->request, a), LB_OK);
	strcpy(f->request.reason, "another reason");
	f->request.duration /= 2;
	assert_int_equal(rules_scope(&f->request, b), LB_OK);
	assert_string_equal(a, b);
	assert_scope(&f->request, f->request.tenant, a);
	assert_scope(&f->request, f->request.host.item[1], a);
	assert_scope(&f->request, f->request.login.item[0], a);
	assert_scope(&f->request, f->request.service.item[1], a);
	fx_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_tend),
		cmocka_unit_test(test_rules_move_every_state_and_happening),
		cmocka_unit_test(test_rules_move_no_way_around_approval),
		cmocka_unit_test(test_rules_state_names_are_one_to_one),
		cmocka_unit_test(test_rules_state_at_boundaries),
		cmocka_unit_test(test_rules_may_see_by_role),
		cmocka_unit_test(
		    test_rules_may_endorse_managers_only_and_not_their_own),
		cmocka_unit_test(test_rules_can_be_approved),
		cmocka_unit_test(test_rules_can_be_approved_counts),
		cmocka_unit_test(test_rules_keys_left),
		cmocka_unit_test(test_rules_request_check),
		cmocka_unit_test(test_rules_draft_as_asked),
		cmocka_unit_test(test_rules_draft_scheduled),
		cmocka_unit_test(test_rules_draft_begins_later),
		cmocka_unit_test(test_rules_draft_only_ever_narrower),
		cmocka_unit_test(test_rules_grant_check),
		cmocka_unit_test(test_rules_covers),
		cmocka_unit_test(test_rules_scope_is_what_is_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
