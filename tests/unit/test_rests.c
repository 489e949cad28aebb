/* What live sessions rest on, judged again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "rests.h"
#include "sessions.h"

struct live {
	struct fx *f;
	struct state st;
	struct lb_ruling ruling;
	struct rests_case c;
};

/* A session of the first grant, and the world as it is sealed now. */
static void
live_new(struct live *l, struct fx *f)
{
	memset(l, 0, sizeof(*l));
	l->f = f;
	fx_seal(f);
	fx_judge(f, &l->ruling);
	assert_string_equal(l->ruling.code, "granted");
	assert_int_equal(sessions_open(&l->st,
			     &(struct sessions_opening){ .sid = 7,
				 .pid = 42,
				 .login = "alice",
				 .service = "sshd",
				 .rhost = "",
				 .ref = "0123-4567-89AB",
				 .keys = &f->question.engineer_key,
				 .ruling = &l->ruling,
				 .bundle = f->bundle,
				 .now = f->now,
				 .now_boot_ms = 5000 }),
	    LB_OK);
	l->c = (struct rests_case){
		.state = &l->st,
		.session = state_session_find(&l->st, 7),
		.trust = f->t,
		.tenant = f->question.tenant,
		.broker = f->question.broker,
		.host = f->question.host,
		.now = f->now,
		.now_boot_ms = 5000,
	};
}

static void
live_free(struct live *l)
{
	state_clear(&l->st);
	fx_free(l->f);
}

/* A fresh answer in the world as it is now. */
static const char *
renew(struct live *l, bool *ret_renewed)
{
	fx_seal(l->f);
	l->c.trust = l->f->t;
	fx_judge(l->f, &l->ruling);
	assert_string_equal(l->ruling.code, "granted");
	return rests_renew(&l->c, &l->ruling, l->f->bundle, ret_renewed);
}

static void
test_rests_fault(void **state)
{
	struct live l;

	(void)state;
	live_new(&l, fx_new());
	assert_null(rests_fault(&l.c));
	assert_int_equal(
	    lb_kills_add(&l.st.kills, l.c.session->rests.item[0], INT64_MAX),
	    LB_OK);
	assert_string_equal(rests_fault(&l.c), "grant_revoked");
	lb_kills_clear(&l.st.kills);
	assert_null(rests_fault(&l.c));
	assert_int_equal(
	    lb_kills_add(&l.st.kills, l.ruling.request, INT64_MAX), LB_OK);
	assert_string_equal(rests_fault(&l.c), "request_denied");
	lb_kills_clear(&l.st.kills);
	l.c.now = l.c.session->deadline;
	assert_string_equal(rests_fault(&l.c), "grant_over");
	live_free(&l);
}

static void
test_rests_fault_under_new_trust(void **state)
{
	struct live l;

	(void)state;
	live_new(&l, fx_new());
	assert_null(rests_fault(&l.c));
	l.f->trust.longest = 60;
	assert_int_equal(fx_seal_trust(l.f), LB_OK);
	l.c.trust = l.f->t;
	assert_string_equal(rests_fault(&l.c), "grant_too_long");
	live_free(&l);
}

static void
test_rests_renew_moves_the_lease(void **state)
{
	struct live l;
	bool renewed = false;
	int64_t lease, deadline;

	(void)state;
	live_new(&l, fx_new());
	lease = l.c.session->lease_end;
	deadline = l.c.session->deadline_boot_ms;
	l.f->now += 60;
	l.f->answer.answered += 60;
	l.f->answer.good_until += 60;
	l.c.now += 60;
	l.c.now_boot_ms += 60000;
	assert_null(renew(&l, &renewed));
	assert_true(renewed);
	assert_int_equal(l.c.session->lease_end, l.ruling.lease_end);
	assert_true(l.c.session->lease_end > lease);
	assert_int_equal(l.c.session->lease_end_boot_ms,
	    65000 + (l.c.session->lease_end - l.c.now) * 1000);
	assert_int_equal(l.c.session->deadline_boot_ms, deadline);
	live_free(&l);
}

static void
test_rests_renew_by_a_later_grant(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *more;
	struct live l;
	bool renewed = false;
	int64_t deadline;

	(void)state;
	f->grant[0].not_after -= 600;
	live_new(&l, f);
	deadline = l.c.session->deadline;
	more = fx_grant_more(f);
	more->not_after += 300;
	assert_null(renew(&l, &renewed));
	assert_true(renewed);
	assert_int_equal(l.c.session->deadline, deadline + 300);
	assert_int_equal(l.c.session->rests.count, 1);
	assert_string_equal(
	    l.c.session->rests.item[0], f->paper[FX_GRANT + 1].id);
	assert_int_equal(l.c.session->deadline_boot_ms,
	    5000 + (deadline + 300 - l.c.now) * 1000);
	live_free(&l);
}

/* It ends later, but lists less. */
static void
test_rests_renew_not_by_a_lesser_grant(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *more;
	struct live l;
	bool renewed = false;
	int64_t deadline;

	(void)state;
	f->grant[0].not_after -= 600;
	live_new(&l, f);
	assert_true(f->grant[0].login.count > 1);
	deadline = l.c.session->deadline;
	more = fx_grant_more(f);
	more->not_after += 300;
	memset(&more->login, 0, sizeof(more->login));
	more->login.count = 1;
	memcpy(more->login.item[0], "alice", sizeof("alice"));
	assert_null(renew(&l, &renewed));
	assert_true(renewed);
	assert_int_equal(l.c.session->deadline, deadline);
	assert_string_equal(l.c.session->rests.item[0], f->paper[FX_GRANT].id);
	assert_int_equal(l.c.session->keeps.count, 2);
	live_free(&l);
}

/* A revoked grant is not made good by another. */
static void
test_rests_renew_of_a_revoked_one(void **state)
{
	struct fx *f = fx_new();
	struct live l;
	bool renewed = true;

	(void)state;
	f->grant[0].not_after -= 600;
	live_new(&l, f);
	assert_int_equal(
	    lb_kills_add(&l.st.kills, l.c.session->rests.item[0], INT64_MAX),
	    LB_OK);
	fx_grant_more(f)->not_after += 300;
	fx_seal(f);
	l.c.trust = f->t;
	fx_judge(f, &l.ruling);
	assert_string_equal(
	    rests_renew(&l.c, &l.ruling, f->bundle, &renewed), "grant_revoked");
	assert_false(renewed);
	live_free(&l);
}

static void
test_rests_renew_names_it_no_longer(void **state)
{
	struct fx *f = fx_new();
	struct live l;
	bool renewed = true;

	(void)state;
	live_new(&l, f);
	assert_null(renew(&l, &renewed));
	assert_true(renewed);
	fx_grant_more(f)->not_after -= 60;
	fx_seal(f);
	l.c.trust = f->t;
	f->answer.grant.count = 1;
	memcpy(f->answer.grant.item[0], f->paper[FX_GRANT + 1].id,
	    LB_SHA256_LEN + 1);
	assert_string_equal(renew(&l, &renewed), "withdrawn");
	assert_false(renewed);
	live_free(&l);
}

static void
test_rests_cause(void **state)
{
	(void)state;
	assert_string_equal(rests_cause("grant_revoked"), "revoked");
	assert_string_equal(rests_cause("returned"), "returned");
	assert_string_equal(rests_cause("no_grant"), "withdrawn");
	assert_string_equal(rests_cause("grant_over"), "expired");
	assert_string_equal(rests_cause("approvals_missing"), "trust_changed");
	assert_true(rests_ended_by("no_grant"));
	assert_true(rests_ended_by("a_new_word"));
	assert_false(rests_ended_by("trust_first"));
	assert_false(rests_ended_by("clock_skew"));
}

/* --- let in without an answer -------------------------------------------- */

static void
allow_offline(struct fx *f)
{
	assert_int_equal(
	    lb_text_copy(f->trust.offline, sizeof(f->trust.offline), "allow"),
	    LB_OK);
}

static void
hand(struct live *l, enum fx_doc doc)
{
	assert_int_equal(state_handed_add(&l->st, l->f->paper[doc].id,
			     l->f->bundle_text.data, l->f->bundle_text.len),
	    LB_OK);
}

static void
test_rests_fault_offline(void **state)
{
	struct fx *f = fx_new();
	struct live l;

	(void)state;
	allow_offline(f);
	live_new(&l, f);
	l.c.session->offline = true;
	assert_null(rests_fault(&l.c));
	f->t->offline = false;
	assert_string_equal(rests_fault(&l.c), "offline_denied");
	assert_string_equal(rests_cause("offline_denied"), "trust_changed");
	l.c.session->offline = false;
	assert_null(rests_fault(&l.c));
	live_free(&l);
}

static void
test_rests_extend(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *more;
	struct live l;
	int64_t deadline;

	(void)state;
	allow_offline(f);
	f->grant[0].not_after -= 600;
	live_new(&l, f);
	deadline = l.c.session->deadline;
	hand(&l, FX_GRANT);
	assert_false(rests_extend(&l.c));
	more = fx_grant_more(f);
	more->not_after += 300;
	fx_seal(f);
	l.c.trust = f->t;
	assert_false(rests_extend(&l.c)); /* nobody has handed it over */
	assert_int_equal(l.c.session->deadline, deadline);
	hand(&l, FX_GRANT + 1);
	assert_true(rests_extend(&l.c));
	assert_int_equal(l.c.session->deadline, deadline + 300);
	assert_int_equal(l.c.session->lease_end, deadline + 300);
	assert_string_equal(
	    l.c.session->rests.item[0], f->paper[FX_GRANT + 1].id);
	assert_false(rests_extend(&l.c));
	live_free(&l);
}

/* It ends later, but lists less. */
static void
test_rests_extend_not_by_a_lesser_grant(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *more;
	struct live l;

	(void)state;
	allow_offline(f);
	f->grant[0].not_after -= 600;
	live_new(&l, f);
	more = fx_grant_more(f);
	more->not_after += 300;
	assert_true(more->service.count > 1);
	memset(&more->service, 0, sizeof(more->service));
	more->service.count = 1;
	memcpy(more->service.item[0], "sshd", sizeof("sshd"));
	fx_seal(f);
	l.c.trust = f->t;
	hand(&l, FX_GRANT);
	hand(&l, FX_GRANT + 1);
	assert_false(rests_extend(&l.c));
	assert_string_equal(l.c.session->rests.item[0], f->paper[FX_GRANT].id);
	live_free(&l);
}

/* A session that rests on two grants; the second ends later by more. */
static void
assert_first(int64_t later, size_t want)
{
	struct fx *f = fx_new();
	struct state_session *s;
	struct lb_grant_ids both;
	struct lb_grant *more;
	bool renewed = false;
	struct live l;

	f->grant[0].not_after -= 600;
	live_new(&l, f);
	more = fx_grant_more(f);
	more->not_after += later;
	memset(&more->login, 0, sizeof(more->login));
	more->login.count = 1; /* so that it takes nobody's place */
	memcpy(more->login.item[0], "alice", sizeof("alice"));
	assert_null(renew(&l, &renewed));
	s = l.c.session;
	both = s->keeps;
	assert_int_equal(both.count, 2);
	for (size_t i = 0; i < 2; i++) { /* in either order */
		s->rests.count = 2;
		memcpy(s->rests.item[i], both.item[0], LB_SHA256_LEN + 1);
		memcpy(s->rests.item[1 - i], both.item[1], LB_SHA256_LEN + 1);
		assert_string_equal(
		    rests_first(&l.st, s), f->paper[FX_GRANT + want].id);
	}
	/* What cannot be read is passed over. */
	(void)memset(s->rests.item[0], 'x', LB_SHA256_LEN);
	assert_string_equal(rests_first(&l.st, s), s->rests.item[1]);
	s->rests.count = 1;
	assert_string_equal(rests_first(&l.st, s), s->rests.item[0]);
	s->rests.count = 0;
	assert_string_equal(rests_first(&l.st, s), "");
	live_free(&l);
}

/* Which grant must be prolonged: the one that ends first. */
static void
test_rests_first(void **state)
{
	(void)state;
	assert_first(300, 0);
	assert_first(-300, 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rests_fault),
		cmocka_unit_test(test_rests_first),
		cmocka_unit_test(test_rests_fault_under_new_trust),
		cmocka_unit_test(test_rests_renew_moves_the_lease),
		cmocka_unit_test(test_rests_renew_by_a_later_grant),
		cmocka_unit_test(test_rests_renew_not_by_a_lesser_grant),
		cmocka_unit_test(test_rests_renew_of_a_revoked_one),
		cmocka_unit_test(test_rests_renew_names_it_no_longer),
		cmocka_unit_test(test_rests_cause),
		cmocka_unit_test(test_rests_fault_offline),
		cmocka_unit_test(test_rests_extend),
		cmocka_unit_test(test_rests_extend_not_by_a_lesser_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
