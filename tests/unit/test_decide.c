/* The rules of the door: each way, and what changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decide.h"
#include "fixture.h"
#include "sessions.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* sshd's open_session of an engineer whose key is known: is asked about. */
static const struct decide_facts good_session = {
	.phase = LB_PHASE_SESSION,
	.service = "sshd",
	.login = "deploy",
	.sid = 7,
	.parent_sid = PROCS_SID_UNSET,
	.keys_told = true,
	.keys_readable = true,
	.key_count = 1,
};

static const struct decide_facts good_account = {
	.phase = LB_PHASE_ACCOUNT,
	.service = "sshd",
	.login = "deploy",
	.sid = PROCS_SID_UNSET,
	.parent_sid = PROCS_SID_UNSET,
};

static void
assert_way(
    const struct decide_facts *f, enum decide_course course, const char *code)
{
	struct decide_way w;

	decide_way(f, &w);
	assert_int_equal(w.course, course);
	if (code == NULL)
		assert_null(w.code);
	else
		assert_string_equal(w.code, code);
}

static void
test_decide_way_asks(void **state)
{
	struct decide_facts f = good_account;

	(void)state;
	assert_way(&f, COURSE_ASK, NULL);
	f.keys_told = f.keys_readable = true; /* but a password, no key */
	assert_way(&f, COURSE_ASK, NULL);
	f.key_count = 1;
	assert_way(&f, COURSE_ASK, NULL);
	assert_way(&good_session, COURSE_ASK, NULL);
	f = good_session;
	f.parent_sid = 6;
	f.key_count = LB_KEYS_MAX;
	assert_way(&f, COURSE_ASK, NULL);
}

static void
test_decide_way_session_needs(void **state)
{
	struct decide_facts f;

	(void)state;
	f = good_session;
	f.keys_told = false;
	assert_way(&f, COURSE_REFUSE, "key_unknown");
	f = good_session;
	f.keys_readable = false;
	assert_way(&f, COURSE_REFUSE, "key_unknown");
	f = good_session;
	f.key_count = 0;
	assert_way(&f, COURSE_REFUSE, "key_unknown");
	f = good_session;
	f.sid = PROCS_SID_UNSET;
	assert_way(&f, COURSE_REFUSE, "sid_unset");
	f = good_session;
	f.parent_sid = f.sid;
	assert_way(&f, COURSE_REFUSE, "sid_not_new");
	f = good_account;
	f.keys_told = true;
	assert_way(&f, COURSE_REFUSE, "key_unknown");
	f = good_account;
	f.login = "../etc";
	assert_way(&f, COURSE_REFUSE, "login_unknown");
	f = good_account;
	f.phase = LB_PHASE_CLOSE;
	assert_way(&f, COURSE_REFUSE, "phase_unknown");
}

static void
test_decide_way_only_sshd(void **state)
{
	static const char *const others[] = { "sudo", "sudo-i", "su", "su-l",
		"login", "cron", "atd", "systemd-user", "sshd2", "SSHD", "" };
	struct decide_facts f = good_account;

	(void)state;
	assert_way(&f, COURSE_ASK, NULL);
	for (size_t i = 0; i < COUNT(others); i++) {
		f = good_account;
		f.service = others[i];
		assert_way(&f, COURSE_REFUSE, "not_sshd");
		f = good_session;
		f.service = others[i];
		assert_way(&f, COURSE_REFUSE, "not_sshd");
		f.exempt_rule = true;
		assert_way(&f, COURSE_EXEMPT, NULL);
	}
}

static void
test_decide_way_within(void **state)
{
	static const struct {
		const char *service, *word;
	} row[] = {
		{ "sudo", "sudo" },
		{ "sudo-i", "sudo" },
		{ "su", "su" },
		{ "su-l", "su" },
		{ "sshd", NULL },
		{ "login", NULL },
		{ "cron", NULL },
		{ "sudoedit", NULL },
		{ "runuser", NULL },
	};
	struct decide_facts f;
	struct decide_way w;

	(void)state;
	for (size_t i = 0; i < COUNT(row) * 4; i++) {
		f = i % 2 == 0 ? good_session : good_account;
		f.in_session = true;
		f.sid = 7;
		f.exempt_rule = i / COUNT(row) % 2 == 1; /* never here */
		f.service = row[i % COUNT(row)].service;
		decide_way(&f, &w);
		if (row[i % COUNT(row)].word == NULL) {
			assert_way(&f, COURSE_REFUSE, "not_in_session");
			continue;
		}
		assert_int_equal(w.course, COURSE_WITHIN);
		assert_string_equal(w.service, row[i % COUNT(row)].word);
		f.unable = "trust_unusable";
		assert_way(&f, COURSE_REFUSE, "trust_unusable");
	}
}

static void
test_decide_way_unable(void **state)
{
	struct decide_facts f = good_session;

	(void)state;
	f.unable = "agent_unable";
	assert_way(&f, COURSE_REFUSE, "agent_unable");
	f = good_account;
	f.unable = "agent_unable";
	assert_way(&f, COURSE_REFUSE, "agent_unable");
	f.exempt_rule = true;
	assert_way(&f, COURSE_EXEMPT, NULL);
}

/* --- inside a session -------------------------------------------------------- */

struct inside {
	struct fx *f;
	struct state st;
	struct lb_keyfps keys;
	struct decide_within w;
};

static void
fx_key_of(const struct fx *f, struct lb_keyfps *ret)
{
	*ret = f->question.engineer_key;
}

/* Alice is in on db1 by the fixture's first grant. */
static struct inside *
inside_new(struct fx *f)
{
	static struct inside in;
	struct lb_ruling r;
	struct sessions_opening o = {
		.sid = 7,
		.pid = 1,
		.login = "alice",
		.service = "sshd",
		.rhost = "",
		.ref = "0123-4567-89AB",
		.keys = &in.keys,
		.ruling = &r,
		.now_boot_ms = 1000000,
	};

	memset(&in, 0, sizeof(in));
	in.f = f;
	fx_seal(f);
	fx_judge(f, &r);
	assert_string_equal(r.code, "granted");
	fx_key_of(f, &in.keys);
	assert_int_equal(in.keys.count, 1);
	o.bundle = f->bundle;
	o.now = f->now;
	assert_int_equal(sessions_open(&in.st, &o), LB_OK);
	in.w = (struct decide_within){
		.state = &in.st,
		.session = &in.st.session[0],
		.trust = f->t,
		.tenant = "acme",
		.broker = "lockbox.example",
		.host = f->question.host,
		.service = "sudo",
		.target = "root",
		.now = f->now,
		.now_boot_ms = 1000000,
	};
	return &in;
}

static void
inside_free(struct inside *in)
{
	state_clear(&in->st);
	fx_free(in->f);
}

static void
assert_within(struct inside *in, const char *code)
{
	struct lb_ruling r;

	decide_within(&in->w, &r);
	assert_string_equal(r.code, code);
	assert_int_equal(r.verdict,
	    strcmp(code, "granted") == 0 ? LB_VERDICT_ALLOW : LB_VERDICT_DENY);
}

static void
test_decide_within_services(void **state)
{
	struct inside *in = inside_new(fx_new());

	(void)state;
	assert_within(in, "granted");
	in->w.service = "su"; /* not in the grant; nor is the target */
	assert_within(in, "target_not_granted");
	in->w.target = "deploy";
	assert_within(in, "grant_service");
	inside_free(in);
}

static void
test_decide_within_su_target(void **state)
{
	struct fx *f = fx_new();
	struct inside *in;

	(void)state;
	assert_int_equal(lb_text_copy(f->request.service.item[1],
			     sizeof(f->request.service.item[1]), "su"),
	    LB_OK);
	lb_doc_sort(&lb_request_type, &f->request);
	f->grant[0].service = f->request.service;
	in = inside_new(f);
	in->w.service = "su";
	in->w.target = "deploy";
	assert_within(in, "granted");
	in->w.target = "alice";
	assert_within(in, "granted");
	in->w.target = "root";
	assert_within(in, "target_not_granted");
	in->w.target = "";
	assert_within(in, "target_not_granted");
	inside_free(in);
}

static void
test_decide_within_time(void **state)
{
	struct inside *in = inside_new(fx_new());
	struct state_session *s = &in->st.session[0];

	(void)state;
	assert_within(in, "granted");
	in->w.now = s->lease_end - 1;
	assert_within(in, "granted");
	in->w.now = s->lease_end;
	assert_within(
	    in, s->lease_end == s->deadline ? "time_over" : "lease_over");
	in->w.now = in->f->now;
	in->w.now_boot_ms = s->lease_end_boot_ms;
	assert_within(
	    in, s->lease_end == s->deadline ? "time_over" : "lease_over");
	in->w.now_boot_ms = 0;
	s->lease_end = s->deadline;
	s->lease_end_boot_ms = s->deadline_boot_ms;
	in->w.now = s->deadline - 1;
	assert_within(in, "granted");
	in->w.now = s->deadline;
	assert_within(in, "time_over");
	/* The clock was set back, but this much time has passed. */
	in->w.now = in->f->now;
	in->w.now_boot_ms = s->deadline_boot_ms - 1;
	assert_within(in, "granted");
	in->w.now_boot_ms = s->deadline_boot_ms;
	assert_within(in, "time_over");
	/* Its end has begun, whatever the clocks say now. */
	in->w.now_boot_ms = 0;
	assert_within(in, "granted");
	strcpy(s->ending, "time_over");
	assert_within(in, "time_over");
	inside_free(in);
}

/* No answer is asked for, so the floor must be held against the clock here. */
static void
test_decide_within_floor(void **state)
{
	struct inside *in = inside_new(fx_new());

	(void)state;
	in->st.floor = in->w.now;
	assert_within(in, "granted");
	in->st.floor = in->w.now + 1;
	assert_within(in, "clock_floor");
	inside_free(in);
}

/* The session is over with the first grant it rests on, whatever others say. */
static void
test_decide_within_rests_revoked(void **state)
{
	struct fx *f = fx_new();
	struct inside *in;

	(void)state;
	fx_grant_more(f)->not_after -= 600;
	in = inside_new(f);
	assert_within(in, "granted");
	assert_int_equal(lb_kills_add(&in->st.kills, f->paper[FX_GRANT + 1].id,
			     f->now + 100000),
	    LB_OK);
	assert_within(in, "granted"); /* it does not rest on that one */
	lb_kills_clear(&in->st.kills);
	assert_int_equal(
	    lb_kills_add(&in->st.kills, f->paper[FX_GRANT].id, f->now + 100000),
	    LB_OK);
	assert_within(in, "grant_revoked");
	inside_free(in);
}

static void
test_decide_within_kills_and_keys(void **state)
{
	struct inside *in = inside_new(fx_new());
	struct state_session *s = &in->st.session[0];
	struct lb_keyfps keys = s->keys;

	(void)state;
	assert_within(in, "granted");
	s->keys.count = 0;
	assert_within(in, "key_unknown");
	s->keys = keys;
	assert_within(in, "granted");
	assert_int_equal(
	    lb_kills_add(&in->st.kills, s->rests.item[0], in->f->now + 100000),
	    LB_OK);
	assert_within(in, "grant_revoked");
	inside_free(in);
}

static void
test_decide_within_other_door(void **state)
{
	struct inside *in = inside_new(fx_new());

	(void)state;
	assert_within(in, "granted");
	in->w.host = "db9";
	assert_within(in, "grant_host");
	in->w.host = in->f->question.host;
	in->w.broker = "other.example";
	assert_within(in, "grant_broker");
	in->w.broker = "lockbox.example";
	in->w.tenant = "other";
	assert_within(in, "grant_tenant");
	in->w.tenant = "acme";
	in->st.session[0].keeps.count = 0;
	assert_within(in, "no_grant");
	inside_free(in);
}

/* Of two that pass, the one the session rests on; else the later one. */
static void
test_decide_within_prefers(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant *more = fx_grant_more(f);
	struct inside *in;
	struct lb_ruling r;

	(void)state;
	more->not_after -= 600;
	in = inside_new(f);
	assert_int_equal(in->st.session[0].keeps.count, 2);
	decide_within(&in->w, &r);
	assert_string_equal(r.grant, f->paper[FX_GRANT].id);
	memcpy(in->st.session[0].rests.item[0], f->paper[FX_GRANT + 1].id,
	    LB_SHA256_LEN + 1);
	decide_within(&in->w, &r);
	assert_string_equal(r.grant, f->paper[FX_GRANT + 1].id);
	in->st.session[0].rests.count = 0;
	decide_within(&in->w, &r);
	assert_string_equal(r.grant, f->paper[FX_GRANT].id);
	/* One that fails does not hide the other. */
	assert_int_equal(
	    lb_kills_add(&in->st.kills, f->paper[FX_GRANT].id, f->now + 100000),
	    LB_OK);
	decide_within(&in->w, &r);
	assert_int_equal(r.verdict, LB_VERDICT_ALLOW);
	assert_string_equal(r.grant, f->paper[FX_GRANT + 1].id);
	inside_free(in);
}

/* --- while the broker is away --------------------------------------------- */

static void
test_decide_away(void **state)
{
	static const struct {
		const char *code;
		bool want;
	} row[] = {
		{ "broker_unreachable", true },
		{ "broker_timeout", true },
		{ "broker_tls", true },
		{ "broker_failed", true },
		{ "broker_garbage", true },
		{ "courier_unreachable", true },
		/* Somebody was there, or it is for us to mend. */
		{ "broker_refused", false },
		{ "broker_too_large", false },
		{ "courier_busy", false },
		{ "courier_garbage", false },
		{ "agent_busy", false },
		{ "internal", false },
		{ "no_grant", false },
		{ "returned", false },
		{ "answer_signature", false },
		{ "answer_missing", false },
		{ "clock_skew", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		if (decide_away(row[i].code) != row[i].want)
			fail_msg("%s", row[i].code);
}

/* A host that was handed the baseline's grant and one that is like it. */
struct away {
	struct fx *f;
	struct state st;
	struct decide_offline o;
};

static void
away_new(struct away *a)
{
	struct fx *f = fx_new();

	memset(a, 0, sizeof(*a));
	a->f = f;
	assert_int_equal(
	    lb_text_copy(f->trust.offline, sizeof(f->trust.offline), "allow"),
	    LB_OK);
	fx_grant_more(f)->not_after -= 600;
	fx_seal(f);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    state_handed_add(&a->st, f->paper[FX_GRANT + i].id,
			f->bundle_text.data, f->bundle_text.len),
		    LB_OK);
	a->o = (struct decide_offline){
		.state = &a->st,
		.trust = f->t,
		.tenant = "acme",
		.broker = "lockbox.example",
		.host = f->question.host,
		.login = "alice",
		.service = "sshd",
		.keys = &f->question.engineer_key,
		.now = f->now,
	};
}

static void
away_free(struct away *a)
{
	state_clear(&a->st);
	fx_free(a->f);
}

static void
assert_away(struct away *a, const char *code)
{
	struct lb_ruling r;
	const struct state_kept *k = decide_offline(&a->o, &r);

	assert_string_equal(r.code, code);
	assert_int_equal(k != NULL, strcmp(code, "granted_offline") == 0);
	assert_int_equal(
	    r.verdict, k != NULL ? LB_VERDICT_ALLOW : LB_VERDICT_DENY);
	if (k != NULL)
		assert_string_equal(k->id, r.grant);
}

static void
test_decide_offline(void **state)
{
	struct lb_keyfps other = { .count = 1 };
	struct lb_ruling r;
	struct away a;

	(void)state;
	away_new(&a);
	assert_away(&a, "granted_offline");
	assert_string_equal(
	    decide_offline(&a.o, &r)->id, a.f->paper[FX_GRANT].id);
	assert_int_equal(r.not_after, a.f->grant[0].not_after);
	a.o.login = "root"; /* none is for it: nothing to say of them */
	assert_away(&a, "no_grant");
	a.o.login = "alice";
	a.o.service = "sudo-i";
	assert_away(&a, "grant_service");
	a.o.service = "sshd";
	a.o.host = "db3.acme.example";
	assert_away(&a, "grant_host");
	a.o.host = a.f->question.host;
	a.o.tenant = "globex";
	assert_away(&a, "grant_tenant");
	a.o.tenant = "acme";
	memcpy(other.item[0], a.f->key[FX_BOB_LOGIN].pub.fp,
	    sizeof(other.item[0]));
	a.o.keys = &other;
	assert_away(&a, "grant_key");
	a.o.keys = NULL; /* at account, as with the broker */
	assert_away(&a, "granted_offline");
	(void)decide_offline(&a.o, &r);
	assert_true(r.provisional);
	a.st.floor = a.o.now + 1;
	assert_away(&a, "clock_floor");
	a.st.floor = a.o.now;
	assert_away(&a, "granted_offline");
	a.f->t->offline = false;
	assert_away(&a, "offline_denied");
	away_free(&a);
}

/* Only what root handed over, and each alone. */
static void
test_decide_offline_of_several(void **state)
{
	struct lb_ruling r;
	struct state_kept first;
	struct away a;

	(void)state;
	away_new(&a);
	assert_away(&a, "granted_offline");
	/* The first lasts longer, in whatever order they stand. */
	for (int i = 0; i < 2; i++) {
		assert_string_equal(
		    decide_offline(&a.o, &r)->id, a.f->paper[FX_GRANT].id);
		first = a.st.kept[0];
		a.st.kept[0] = a.st.kept[1];
		a.st.kept[1] = first;
	}
	assert_int_equal(
	    lb_kills_add(&a.st.kills, a.f->paper[FX_GRANT].id, INT64_MAX),
	    LB_OK);
	assert_string_equal(
	    decide_offline(&a.o, &r)->id, a.f->paper[FX_GRANT + 1].id);
	a.o.now = a.f->grant[1].not_after;
	assert_null(decide_offline(&a.o, &r));
	lb_kills_clear(&a.st.kills);
	assert_away(&a, "granted_offline"); /* the first lasts longer */
	a.st.kept[0].handed = a.st.kept[1].handed = false;
	assert_away(&a, "no_grant");
	away_free(&a);
}

/* A sudo in a session that was let in without an answer. */
static void
test_decide_within_offline(void **state)
{
	struct inside *in = inside_new(fx_new());

	(void)state;
	assert_within(in, "granted");
	assert_false(in->f->t->offline);
	in->st.session[0].offline = true;
	assert_within(in, "offline_denied");
	in->f->t->offline = true;
	assert_within(in, "granted");
	inside_free(in);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decide_way_asks),
		cmocka_unit_test(test_decide_way_session_needs),
		cmocka_unit_test(test_decide_way_only_sshd),
		cmocka_unit_test(test_decide_way_within),
		cmocka_unit_test(test_decide_way_unable),
		cmocka_unit_test(test_decide_within_services),
		cmocka_unit_test(test_decide_within_su_target),
		cmocka_unit_test(test_decide_within_time),
		cmocka_unit_test(test_decide_within_floor),
		cmocka_unit_test(test_decide_within_rests_revoked),
		cmocka_unit_test(test_decide_within_kills_and_keys),
		cmocka_unit_test(test_decide_within_other_door),
		cmocka_unit_test(test_decide_within_prefers),
		cmocka_unit_test(test_decide_away),
		cmocka_unit_test(test_decide_offline),
		cmocka_unit_test(test_decide_offline_of_several),
		cmocka_unit_test(test_decide_within_offline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
