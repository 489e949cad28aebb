/* Session records: what is kept, what they rest on, when they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "sessions.h"

struct opening {
	struct fx *f;
	struct state st;
	struct lb_ruling ruling;
	struct sessions_opening o;
};

static void
opening_new(struct opening *p, struct fx *f)
{
	memset(p, 0, sizeof(*p));
	p->f = f;
	fx_seal(f);
	fx_judge(f, &p->ruling);
	assert_string_equal(p->ruling.code, "granted");
	p->o = (struct sessions_opening){
		.sid = 7,
		.pid = 42,
		.login = "alice",
		.service = "sshd",
		.rhost = "198.51.100.7",
		.ref = "0123-4567-89AB",
		.keys = &f->question.engineer_key,
		.ruling = &p->ruling,
		.bundle = f->bundle,
		.now = f->now,
		.now_boot_ms = 5000,
	};
}

static void
opening_free(struct opening *p)
{
	state_clear(&p->st);
	fx_free(p->f);
}

static void
test_sessions_open(void **state)
{
	const struct state_session *s;
	const struct state_kept *k;
	struct opening p;

	(void)state;
	opening_new(&p, fx_new());
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	s = state_session_find(&p.st, 7);
	assert_non_null(s);
	assert_string_equal(s->login, "alice");
	assert_string_equal(s->engineer, p.ruling.engineer);
	assert_int_equal(s->pid, 42);
	assert_false(s->final);
	assert_int_equal(s->deadline, p.ruling.not_after);
	assert_int_equal(
	    s->deadline_boot_ms, 5000 + (p.ruling.not_after - p.f->now) * 1000);
	assert_int_equal(s->lease_end, p.ruling.lease_end);
	assert_int_equal(s->rests.count, 1);
	assert_string_equal(s->rests.item[0], p.ruling.grant);
	assert_int_equal(s->keeps.count, 1);
	/* The grant with its approvals, then the request it rests on. */
	k = state_kept_find(&p.st, s->keeps.item[0]);
	assert_non_null(k);
	assert_non_null(strstr(k->bundle, "lockbox-grant-v1\n"));
	assert_non_null(strstr(k->bundle, "lockbox-request-v1\n"));
	assert_null(strstr(k->bundle, "lockbox-answer-v1\n"));
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_CONFLICT);
	opening_free(&p);
}

static void
test_sessions_open_refuses(void **state)
{
	const struct lb_keyfps none = { 0 };
	struct lb_ruling good;
	struct opening p;

	(void)state;
	opening_new(&p, fx_new());
	good = p.ruling;
	p.ruling.verdict = LB_VERDICT_DENY;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.ruling = good;
	p.ruling.provisional = true;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.ruling = good;
	p.ruling.not_after = p.f->now;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.ruling = good;
	p.o.sid = PROCS_SID_UNSET;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.o.sid = 7;
	p.o.keys = &none;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.o.keys = &p.f->question.engineer_key;
	p.o.login = "bob"; /* the grant is not for him */
	assert_int_equal(sessions_open(&p.st, &p.o), LB_ERR_STATE);
	p.o.login = "alice";
	assert_int_equal(p.st.session_count, 0);
	assert_int_equal(p.st.kept_count, 0);
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	opening_free(&p);
}

static void
test_sessions_open_keeps_what_is_named(void **state)
{
	struct fx *f = fx_new();
	const struct state_session *s;
	struct opening p;

	(void)state;
	fx_grant_more(f)->not_after -= 600;
	fx_grant_more(f)->not_after -= 1200;
	opening_new(&p, f);
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	s = state_session_find(&p.st, 7);
	assert_int_equal(s->keeps.count, 3);
	assert_string_equal(s->keeps.item[0], p.ruling.grant);
	assert_int_equal(p.st.kept_count, 3);
	state_session_drop(&p.st, 7);
	assert_int_equal(p.st.kept_count, 0);
	opening_free(&p);

	/* The answer that was signed names only the first. */
	f = fx_new();
	fx_grant_more(f)->not_after -= 600;
	fx_seal(f);
	f->answer.grant.count = 1;
	memcpy(
	    f->answer.grant.item[0], f->paper[FX_GRANT].id, LB_SHA256_LEN + 1);
	opening_new(&p, f);
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	s = state_session_find(&p.st, 7);
	assert_int_equal(s->keeps.count, 1);
	opening_free(&p);
}

static void
test_sessions_rest(void **state)
{
	struct lb_ruling more = { .verdict = LB_VERDICT_ALLOW };
	struct state_session *s;
	struct opening p;
	bool new;

	(void)state;
	opening_new(&p, fx_new());
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	s = state_session_find(&p.st, 7);
	assert_int_equal(sessions_rest(s, &p.ruling, p.f->now, 5000, &new), 0);
	assert_false(new);
	memset(more.grant, 'x', LB_SHA256_LEN);
	more.not_after = s->deadline + 100; /* later: the end stays */
	assert_int_equal(sessions_rest(s, &more, p.f->now, 5000, &new), 0);
	assert_true(new);
	assert_int_equal(s->deadline, p.ruling.not_after);
	more.grant[5] = 'y';
	more.not_after = p.f->now + 60; /* sooner: the end comes with it */
	assert_int_equal(sessions_rest(s, &more, p.f->now, 5000, &new), 0);
	assert_true(new);
	assert_int_equal(s->deadline, p.f->now + 60);
	assert_int_equal(s->deadline_boot_ms, 65000);
	assert_int_equal(s->rests.count, 3);
	more.verdict = LB_VERDICT_DENY;
	assert_int_equal(
	    sessions_rest(s, &more, p.f->now, 5000, &new), LB_ERR_STATE);
	more.verdict = LB_VERDICT_ALLOW;
	while (s->rests.count < LB_ANSWER_GRANTS) {
		more.grant[6]++;
		assert_int_equal(
		    sessions_rest(s, &more, p.f->now, 5000, &new), 0);
	}
	more.grant[6]++;
	assert_int_equal(
	    sessions_rest(s, &more, p.f->now, 5000, &new), LB_ERR_LIMIT);
	opening_free(&p);
}

static void
test_sessions_sweep(void **state)
{
	struct procs_one two[] = {
		{ .pid = 100, .parent = 1, .sid = 7 },
		{ .pid = 101, .parent = 1, .sid = PROCS_SID_UNSET },
	};
	struct procs_all all = { .count = 2, .item = two };
	struct opening p;
	size_t gone;

	(void)state;
	opening_new(&p, fx_new());
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	p.o.sid = 8;
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	sessions_sweep(&p.st, &all, &gone);
	assert_int_equal(gone, 1);
	assert_non_null(state_session_find(&p.st, 7));
	assert_null(state_session_find(&p.st, 8));
	assert_int_equal(p.st.kept_count, 1);
	two[0].sid = 9;
	sessions_sweep(&p.st, &all, &gone);
	assert_int_equal(gone, 1);
	assert_int_equal(p.st.kept_count, 0);
	opening_free(&p);
}

static void
test_sessions_other_boot(void **state)
{
	static const char here[] = "00000000-0000-4000-8000-000000000001";
	static const char there[] = "00000000-0000-4000-8000-000000000002";
	struct opening p;
	size_t gone;

	(void)state;
	opening_new(&p, fx_new());
	sessions_other_boot(&p.st, here, &gone);
	assert_int_equal(sessions_open(&p.st, &p.o), LB_OK);
	sessions_other_boot(&p.st, here, &gone);
	assert_int_equal(gone, 0);
	assert_int_equal(p.st.session_count, 1);
	sessions_other_boot(&p.st, there, &gone);
	assert_int_equal(gone, 1);
	assert_int_equal(p.st.session_count, 0);
	assert_string_equal(p.st.boot_id, there);
	opening_free(&p);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sessions_open),
		cmocka_unit_test(test_sessions_open_refuses),
		cmocka_unit_test(test_sessions_open_keeps_what_is_named),
		cmocka_unit_test(test_sessions_rest),
		cmocka_unit_test(test_sessions_sweep),
		cmocka_unit_test(test_sessions_other_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
