/*
 * The decision. Each case is a door that opens, and the same door with one
 * thing changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/judge.h"

#include "fixture.h"

#define DAY INT64_C(86400)

#define SET(array, s) assert_int_equal(lb_text_copy(array, sizeof(array), s), 0)

/*
 * A row: what both worlds have before anything is changed (may be NULL), the
 * change, and the code of the refusal.
 */
struct row {
	const char *name;
	void (*given)(struct fx *f);
	void (*change)(struct fx *f);
	const char *code;
	bool p256; /* needs libcrypto */
};

static struct fx *
world(const struct row *row, bool changed)
{
	struct fx *f = fx_new();

	if (row->given != NULL)
		row->given(f);
	if (changed)
		row->change(f);
	fx_seal(f);
	return f;
}

static void
assert_allowed(const char *name, const struct lb_ruling *r)
{
	if (r->verdict != LB_VERDICT_ALLOW)
		fail_msg("%s: control refused: %s", name, r->code);
	assert_string_equal(r->code, "granted");
}

static void
assert_denied(const char *name, const struct lb_ruling *r, const char *code)
{
	if (r->verdict != LB_VERDICT_DENY)
		fail_msg("%s: let in", name);
	if (strcmp(r->code, code) != 0)
		fail_msg("%s: refused for %s, not %s", name, r->code, code);
	assert_string_equal(r->grant, "");
	assert_int_equal(r->not_after, 0);
	assert_int_equal(r->lease_end, 0);
	assert_false(r->by_delegate);
}

typedef void asker(struct fx *f, struct lb_ruling *ret);

static void
row_check(const struct row *row, asker *ask)
{
	struct lb_ruling r;
	struct fx *f;

	if (row->p256 && !fx_has_p256())
		return;
	f = world(row, false);
	ask(f, &r);
	assert_allowed(row->name, &r);
	fx_free(f);
	f = world(row, true);
	ask(f, &r);
	assert_denied(row->name, &r, row->code);
	fx_free(f);
}

#define ROWS_CHECK(rows, ask)                                                  \
	do {                                                                   \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]);     \
		     i_++)                                                     \
			row_check(&(rows)[i_], ask);                           \
	} while (0)

/* --- the answer ------------------------------------------------------- */

static void
no_answer(struct fx *f)
{
	f->without[FX_ANSWER] = true;
}

static void
empty_bundle(struct fx *f)
{
	f->without[FX_ANSWER] = f->without[FX_REQUEST] = true;
	f->without[FX_GRANT] = true;
}

/* A second one, as true as the first: good for a second less. */
static void
two_answers(struct fx *f)
{
	const struct fx_paper *p = &f->paper[FX_ANSWER];

	f->answer.good_until--;
	fx_seal(f);
	assert_int_equal(lb_buf_add(&f->extra, p->text.data, p->text.len), 0);
	assert_int_equal(lb_buf_add(&f->extra, p->sigs.data, p->sigs.len), 0);
	f->answer.good_until++;
}

static void
answer_unsigned(struct fx *f)
{
	fx_unorder(f, FX_ANSWER, FX_BROKER);
}

static void
answer_by_stranger(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->who = FX_MALLORY;
}

static void
answer_by_unpinned_next_key(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->who = FX_BROKER_NEXT;
}

static void
other_broker_pinned(struct fx *f)
{
	fx_pin(f, FX_BROKERS, FX_OTHER, "other.example", LB_NS_ANSWER);
}

/* Pinned, but not the one that the question names. */
static void
answer_by_other_broker(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->who = FX_OTHER;
}

static void
answer_by_approver(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->who = FX_CAROL;
}

static void
answer_in_other_namespace(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->ns = LB_NS_REPORT;
}

static void
answer_signature_broken(struct fx *f)
{
	fx_find(f, FX_ANSWER, FX_BROKER)->broken = true;
}

static void
good_until_stretched(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_ANSWER)
		fx_replace(text, "good-until: 2026-03-02T15:00:00Z",
		    "good-until: 2026-03-02T16:00:00Z");
	(void)f;
}

static void
answer_altered(struct fx *f)
{
	f->tamper = good_until_stretched;
}

static void
broker_key_dated(struct fx *f)
{
	fx_unpin(f, FX_BROKERS, "lockbox.example");
	fx_pin_dated(f, FX_BROKERS, FX_BROKER, "lockbox.example", LB_NS_ANSWER,
	    f->now, f->now + 1);
}

static void
one_second_late(struct fx *f)
{
	f->now++;
}

static void
one_second_early(struct fx *f)
{
	f->now--;
}

static const struct row answer_rows[] = {
	{ "no answer", NULL, no_answer, "answer_missing", 0 },
	{ "nothing at all", NULL, empty_bundle, "answer_missing", 0 },
	{ "two answers", NULL, two_answers, "answer_doubled", 0 },
	{ "unsigned", NULL, answer_unsigned, "answer_signature", 0 },
	{ "a stranger's", NULL, answer_by_stranger, "answer_signature", 0 },
	{ "unpinned key", NULL, answer_by_unpinned_next_key, "answer_signature",
	    0 },
	{ "another broker's", other_broker_pinned, answer_by_other_broker,
	    "answer_signature", 0 },
	{ "an approver's", NULL, answer_by_approver, "answer_signature", 0 },
	{ "a report's namespace", NULL, answer_in_other_namespace,
	    "answer_signature", 0 },
	{ "broken signature", NULL, answer_signature_broken, "answer_signature",
	    0 },
	{ "altered after signing", NULL, answer_altered, "answer_signature",
	    0 },
	{ "broker key a second too old", broker_key_dated, one_second_late,
	    "answer_signature", 0 },
	{ "broker key a second too new", broker_key_dated, one_second_early,
	    "answer_signature", 0 },
};

static void
test_answer(void **state)
{
	(void)state;
	ROWS_CHECK(answer_rows, fx_judge);
}

/* --- the question ------------------------------------------------------ */

/* The broker's answer repeats the question but for one line. */
#define OTHER_LINE(name, line, value)                                          \
	static void name(struct fx *f)                                         \
	{                                                                      \
		struct lb_question *q = &f->answer.question;                   \
                                                                               \
		fx_seal(f);                                                    \
		*q = f->question;                                              \
		SET(q->trust, f->paper[FX_TRUST].id);                          \
		SET(line, value);                                              \
	}

OTHER_LINE(other_nonce, q->nonce, "000102030405060708090a0b0c0d0e10")
OTHER_LINE(other_host, q->host, "db2.acme.example")
OTHER_LINE(other_tenant, q->tenant, "globex")
OTHER_LINE(other_broker, q->broker, "other.example")
OTHER_LINE(other_trust, q->trust,
    "sha256:00000000000000000000000000000000"
    "00000000000000000000000000000000")
OTHER_LINE(other_login, q->login, "deploy")
OTHER_LINE(other_service, q->service, "sudo")
OTHER_LINE(other_key, q->engineer_key.item[0], f->key[FX_BOB_LOGIN].pub.fp)
OTHER_LINE(other_rhost, q->rhost, "192.0.2.8")

static void
other_asked(struct fx *f)
{
	other_rhost(f);
	SET(f->answer.question.rhost, f->question.rhost);
	f->answer.question.asked--;
}

static void
key_left_out(struct fx *f)
{
	other_asked(f);
	f->answer.question.asked++;
	f->answer.question.engineer_key.count = 0;
}

/* The host's own question. */
static void
asked_for_other_tenant(struct fx *f)
{
	SET(f->question.tenant, "globex");
}

static void
asked_under_other_trust(struct fx *f)
{
	SET(f->question.trust,
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000000");
}

static void
question_spoilt(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_QUESTION)
		fx_replace(text, "login: alice", "logon: alice");
	(void)f;
}

static void
asked_in_other_words(struct fx *f)
{
	f->before = question_spoilt;
}

static void
answer_spoilt(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_ANSWER)
		fx_replace(text, "code: granted\n", "");
	(void)f;
}

static void
answer_lacks_a_line(struct fx *f)
{
	f->before = answer_spoilt;
}

static const struct row question_rows[] = {
	{ "other nonce", NULL, other_nonce, "answer_question", 0 },
	{ "other host", NULL, other_host, "answer_question", 0 },
	{ "other tenant", NULL, other_tenant, "answer_question", 0 },
	{ "other broker", NULL, other_broker, "answer_question", 0 },
	{ "other trust", NULL, other_trust, "answer_question", 0 },
	{ "other login", NULL, other_login, "answer_question", 0 },
	{ "other service", NULL, other_service, "answer_question", 0 },
	{ "other key", NULL, other_key, "answer_question", 0 },
	{ "key left out", NULL, key_left_out, "answer_question", 0 },
	{ "other rhost", NULL, other_rhost, "answer_question", 0 },
	{ "other asked", NULL, other_asked, "answer_question", 0 },
	{ "question of another tenant", NULL, asked_for_other_tenant,
	    "question_wrong", 0 },
	{ "question under another trust", NULL, asked_under_other_trust,
	    "trust_changed", 0 },
	{ "question that does not parse", NULL, asked_in_other_words,
	    "question_wrong", 0 },
	{ "signed answer that does not parse", NULL, answer_lacks_a_line,
	    "answer_malformed", 0 },
};

static void
test_question(void **state)
{
	(void)state;
	ROWS_CHECK(question_rows, fx_judge);
}

/* --- clocks ------------------------------------------------------------ */

static void
answered_a_minute_ago(struct fx *f)
{
	f->answer.answered = f->now - LB_CLOCK_SKEW_MAX;
}

static void
answered_in_a_minute(struct fx *f)
{
	f->answer.answered = f->now + LB_CLOCK_SKEW_MAX;
}

static void
short_lived_answer(struct fx *f)
{
	f->answer.good_until = f->now + 1;
}

static void
answer_for_a_day(struct fx *f)
{
	f->answer.good_until = f->answer.answered + LB_LEASE_MAX;
}

static void
good_until_later(struct fx *f)
{
	f->answer.good_until++;
}

static void
floor_now(struct fx *f)
{
	f->floor = f->now;
}

static const struct row clock_rows[] = {
	{ "answered too long ago", answered_a_minute_ago, one_second_late,
	    "clock_skew", 0 },
	{ "answered in the future", answered_in_a_minute, one_second_early,
	    "clock_skew", 0 },
	{ "good-until reached", short_lived_answer, one_second_late,
	    "answer_over", 0 },
	{ "good for over a day", answer_for_a_day, good_until_later,
	    "answer_too_long", 0 },
	{ "below the floor", floor_now, one_second_early, "clock_floor", 0 },
};

static void
test_clocks(void **state)
{
	(void)state;
	ROWS_CHECK(clock_rows, fx_judge);
}

static void
test_floor(void **state)
{
	static const struct {
		int64_t answered, floor, want; /* relative to now */
	} row[] = {
		{ 0, -1000, 0 },
		{ -10, -1000, -10 },
		{ 30, -1000, 0 }, /* the broker may not raise it past now */
		{ -10, -5, -5 },  /* it never falls */
		{ -10, -10, -10 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		f->answer.answered = f->now + row[i].answered;
		f->floor = f->now + row[i].floor;
		fx_seal(f);
		fx_judge(f, &r);
		assert_allowed("floor", &r);
		assert_int_equal(r.floor, f->now + row[i].want);
		fx_free(f);
	}
}

/* A "deny" raises the floor too: signature, question and clocks held. */
static void
test_floor_of_a_deny(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	SET(f->answer.verdict, "deny");
	SET(f->answer.code, "no_grant");
	fx_seal(f);
	fx_judge(f, &r);
	assert_int_equal(r.floor, f->now);
	fx_free(f);
}

/* What did not hold leaves the floor where it was. */
static void
test_floor_not_raised(void **state)
{
	static void (*const change[])(struct fx *) = { no_answer,
		answer_unsigned, other_nonce, answered_in_a_minute,
		good_until_later, asked_under_other_trust };
	struct lb_ruling r;

	(void)state;
	for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct fx *f = fx_new();

		answer_for_a_day(f);
		change[i](f);
		if (change[i] == answered_in_a_minute)
			f->now--;
		f->floor = f->now - 5000;
		fx_seal(f);
		fx_judge(f, &r);
		assert_int_equal(r.verdict, LB_VERDICT_DENY);
		assert_int_equal(r.floor, f->now - 5000);
		fx_free(f);
	}
}

/* --- verdict and message ------------------------------------------------ */

static void
say(struct fx *f, const char *verdict, const char *code)
{
	SET(f->answer.verdict, verdict);
	SET(f->answer.code, code);
	SET(f->answer.message, "ask carol@acme.example");
}

static void
verdict_deny(struct fx *f)
{
	say(f, "deny", "no_grant");
}

static void
verdict_pending(struct fx *f)
{
	say(f, "pending", "pending_approval");
}

static void
verdict_code_of_ours(struct fx *f)
{
	say(f, "deny", "granted");
}

static void
verdict_code_not_a_word(struct fx *f)
{
	say(f, "deny", "no.grant2");
}

static const struct row verdict_rows[] = {
	{ "deny", NULL, verdict_deny, "no_grant", 0 },
	{ "pending", NULL, verdict_pending, "pending_approval", 0 },
	{ "deny, with an odd word", NULL, verdict_code_not_a_word,
	    "broker_denied", 0 },
	{ "deny, saying granted", NULL, verdict_code_of_ours, "broker_denied",
	    0 },
};

static void
test_verdict(void **state)
{
	(void)state;
	ROWS_CHECK(verdict_rows, fx_judge);
}

/* The grants of a signed "deny" open nothing, even named by a lying text. */
static void
test_message_only_when_proven(void **state)
{
	static const struct {
		void (*change)(struct fx *);
		bool passed_on;
	} row[] = {
		{ verdict_deny, true },
		{ verdict_pending, true },
		{ answer_unsigned, false },
		{ answer_by_stranger, false },
		{ other_nonce, false },
		{ good_until_later, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		answer_for_a_day(f);
		SET(f->answer.message, "ask carol@acme.example");
		row[i].change(f);
		fx_seal(f);
		fx_judge(f, &r);
		assert_int_equal(r.verdict, LB_VERDICT_DENY);
		assert_string_equal(r.message,
		    row[i].passed_on ? "ask carol@acme.example" : "");
		fx_free(f);
	}
}

/* --- the grant ---------------------------------------------------------- */

static void
no_grant(struct fx *f)
{
	fx_seal(f);
	SET(f->answer.grant.item[0], f->paper[FX_GRANT].id);
	f->answer.grant.count = 1;
	f->without[FX_GRANT] = true;
}

/* The broker signs "allow" for something else. */
static void
grant_not_named(struct fx *f)
{
	SET(f->answer.grant.item[0],
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000000");
	f->answer.grant.count = 1;
}

static void
request_named(struct fx *f)
{
	fx_seal(f);
	SET(f->answer.grant.item[0], f->paper[FX_REQUEST].id);
	f->answer.grant.count = 1;
}

static void
trust_ends(struct fx *f)
{
	f->trust.good_until = f->now + 1;
}

/* Grant and request alike, so that only the door's own check refuses. */
static void
for_other_tenant(struct fx *f)
{
	SET(f->request.tenant, "globex");
	SET(f->grant[0].tenant, "globex");
}

static void
for_other_broker(struct fx *f)
{
	SET(f->request.broker, "other.example");
	SET(f->grant[0].broker, "other.example");
}

static void
for_other_host(struct fx *f)
{
	SET(f->question.host, "db3.acme.example");
}

static void
for_host_in_capitals(struct fx *f)
{
	SET(f->question.host, "b1.acme.example");
}

static void
for_other_login(struct fx *f)
{
	SET(f->question.login, "root");
}

static void
for_other_service(struct fx *f)
{
	SET(f->question.service, "login");
}

static void
with_other_key(struct fx *f)
{
	SET(f->question.engineer_key.item[0], f->key[FX_BOB_LOGIN].pub.fp);
}

/* sshd accepted two keys; only one of them is in the grant, be it the first
 * or the last in the question's order. */
static void
with_key_before(struct fx *f)
{
	SET(f->question.engineer_key.item[1],
	    "SHA256:++++++++++++++++++++++++++++++++++++++++++8");
	f->question.engineer_key.count = 2;
}

static void
with_key_after(struct fx *f)
{
	SET(f->question.engineer_key.item[1],
	    "SHA256:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzw");
	f->question.engineer_key.count = 2;
}

static void
longest_span(struct fx *f)
{
	f->trust.longest = 7200;
}

/* An hour more of duration in the request, so that it does not refuse. */
static void
asked_for_more(struct fx *f)
{
	longest_span(f);
	f->request.duration = 10800;
}

static void
longer_by_a_second(struct fx *f)
{
	f->grant[0].not_after++;
}

static void
begins_now(struct fx *f)
{
	f->grant[0].not_before = f->now;
	f->grant[0].not_after = f->now + 600;
}

static void
ends_after_now(struct fx *f)
{
	f->grant[0].not_after = f->now + 1;
}

static void
oldest(struct fx *f)
{
	f->grant[0].issued = f->grant[0].not_after - LB_GRANT_AGE_MAX;
}

static void
issued_earlier(struct fx *f)
{
	f->grant[0].issued--;
}

static void
issued_in_a_minute(struct fx *f)
{
	f->grant[0].issued = f->now + LB_CLOCK_SKEW_MAX;
}

static void
issued_later(struct fx *f)
{
	f->grant[0].issued++;
}

static const struct row grant_rows[] = {
	{ "trust past good-until", trust_ends, one_second_late, "trust_over",
	    0 },
	{ "other tenant", NULL, for_other_tenant, "grant_tenant", 0 },
	{ "other broker", NULL, for_other_broker, "grant_broker", 0 },
	{ "other host", NULL, for_other_host, "grant_host", 0 },
	{ "part of a host's name", NULL, for_host_in_capitals, "grant_host",
	    0 },
	{ "other login", NULL, for_other_login, "grant_login", 0 },
	{ "other service", NULL, for_other_service, "grant_service", 0 },
	{ "other key", NULL, with_other_key, "grant_key", 0 },
	{ "one more key, first", NULL, with_key_before, "grant_key", 0 },
	{ "one more key, last", NULL, with_key_after, "grant_key", 0 },
	{ "too long", asked_for_more, longer_by_a_second, "grant_too_long", 0 },
	{ "not begun", begins_now, one_second_early, "grant_not_yet", 0 },
	{ "over", ends_after_now, one_second_late, "grant_over", 0 },
	{ "issued over 31 days before its end", oldest, issued_earlier,
	    "grant_malformed", 0 },
	{ "issued in the future", issued_in_a_minute, issued_later,
	    "grant_not_yet", 0 },
};

/* The same refusals with and without an answer. */
static void
test_grant(void **state)
{
	(void)state;
	ROWS_CHECK(grant_rows, fx_judge);
	ROWS_CHECK(grant_rows, fx_grant_judge);
}

static const struct row named_rows[] = {
	{ "named but absent", NULL, no_grant, "grant_absent", 0 },
	{ "there but not named", NULL, grant_not_named, "grant_absent", 0 },
	{ "the request named", NULL, request_named, "grant_absent", 0 },
};

static void
test_grant_named(void **state)
{
	(void)state;
	ROWS_CHECK(named_rows, fx_judge);
}

/* --- approvals ---------------------------------------------------------- */

static void
one_approval(struct fx *f)
{
	fx_unorder(f, FX_GRANT, FX_DAVE);
}

static void
no_approval(struct fx *f)
{
	one_approval(f);
	fx_unorder(f, FX_GRANT, FX_CAROL);
}

static void
host_line_added(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_GRANT)
		fx_replace(text, "host: db2.acme.example\n",
		    "host: db2.acme.example\nhost: db3.acme.example\n");
	(void)f;
}

static void
grant_widened(struct fx *f)
{
	f->tamper = host_line_added;
}

static void
line_unknown(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_GRANT)
		fx_replace(text, "reason: ", "shell: yes\nreason: ");
	(void)f;
}

static void
grant_with_unknown_line(struct fx *f)
{
	f->before = line_unknown;
}

#define DAVE_SIGNS_IN(name, namespace)                                         \
	static void name(struct fx *f)                                         \
	{                                                                      \
		fx_find(f, FX_GRANT, FX_DAVE)->ns = namespace;                 \
	}

DAVE_SIGNS_IN(dave_endorses, LB_NS_ENDORSE)
DAVE_SIGNS_IN(dave_denies_grant, LB_NS_DENY)
DAVE_SIGNS_IN(dave_signs_trust, LB_NS_TRUST)
DAVE_SIGNS_IN(dave_signs_in, LB_NS_SIGNIN)

static void
dave_broken(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->broken = true;
}

static void
dave_is_mallory(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_MALLORY;
}

static void
dave_signs_request_only(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->doc = FX_REQUEST;
}

static void
carol_twice(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_CAROL;
}

/* Carol has a second pinned key, which signs instead of dave's. */
static void
carol_second_key(struct fx *f)
{
	fx_pin(
	    f, FX_APPROVERS, FX_MALLORY, "carol@acme.example", FX_APPROVER_NS);
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_MALLORY;
}

/* Carol's key stands under a second name. */
static void
carol_second_name(struct fx *f)
{
	fx_pin(f, FX_APPROVERS, FX_CAROL, "cecil@acme.example", FX_APPROVER_NS);
	one_approval(f);
}

static void
dave_may_not_approve(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, "dave@acme.example");
	fx_pin(f, FX_APPROVERS, FX_DAVE, "dave@acme.example",
	    LB_NS_DENY | LB_NS_TRUST);
}

static void
dave_dated(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, "dave@acme.example");
	fx_pin_dated(f, FX_APPROVERS, FX_DAVE, "dave@acme.example",
	    FX_APPROVER_NS, f->now, f->now + 1);
}

static void
dave_removed(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, "dave@acme.example");
}

static void
hook_for_dave(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_CI;
}

static void
hook_for_carol_too(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_CAROL)->who = FX_DESK;
}

static void
hook_dated(struct fx *f)
{
	hook_for_dave(f);
	fx_unpin(f, FX_HOOKS, "ci");
	fx_pin_dated(f, FX_HOOKS, FX_CI, "ci", FX_HOOK_NS, f->now, f->now + 1);
}

static void
engineer_for_dave(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_ALICE;
}

static void
broker_for_dave(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_DAVE)->who = FX_BROKER;
}

static const struct row approval_rows[] = {
	{ "none", NULL, no_approval, "approvals_missing", 0 },
	{ "too few", NULL, one_approval, "approvals_missing", 0 },
	{ "widened after approval", NULL, grant_widened, "approval_signature",
	    0 },
	{ "unknown line, approved", NULL, grant_with_unknown_line,
	    "grant_malformed", 0 },
	{ "an endorsement", NULL, dave_endorses, "approvals_missing", 0 },
	{ "a denial over the grant", NULL, dave_denies_grant,
	    "approvals_missing", 0 },
	{ "in the trust namespace", NULL, dave_signs_trust, "approvals_missing",
	    0 },
	{ "a sign-in", NULL, dave_signs_in, "approvals_missing", 0 },
	{ "broken signature", NULL, dave_broken, "approval_signature", 0 },
	{ "a stranger", NULL, dave_is_mallory, "approvals_missing", 0 },
	{ "over the request", NULL, dave_signs_request_only,
	    "approvals_missing", 0 },
	{ "the same twice", NULL, carol_twice, "approvals_missing", 0 },
	{ "the same person's other key", NULL, carol_second_key,
	    "approvals_missing", 0 },
	{ "the same key's other name", NULL, carol_second_name,
	    "approvals_missing", 0 },
	{ "a line without approve", NULL, dave_may_not_approve,
	    "approvals_missing", 0 },
	{ "key past its dates", dave_dated, one_second_late, "approval_dates",
	    0 },
	{ "key before its dates", dave_dated, one_second_early,
	    "approval_dates", 0 },
	{ "removed from trust", NULL, dave_removed, "approvals_missing", 0 },
	{ "two hooks", hook_for_dave, hook_for_carol_too, "approvals_missing",
	    0 },
	{ "hook past its dates", hook_dated, one_second_late, "approval_dates",
	    0 },
	{ "an engineer's line", NULL, engineer_for_dave, "approvals_missing",
	    0 },
	{ "the broker", NULL, broker_for_dave, "approvals_missing", 0 },
};

static void
test_approvals(void **state)
{
	(void)state;
	ROWS_CHECK(approval_rows, fx_judge);
	ROWS_CHECK(approval_rows, fx_grant_judge);
}

/* --- nobody approves his own --------------------------------------------- */

/* Dave asks, in a world where engineers are not pinned. */
static void
no_engineer_lines(struct fx *f)
{
	f->trust.engineer.count = 0;
}

static void
dave_is_the_engineer(struct fx *f)
{
	SET(f->grant[0].engineer, "dave@acme.example");
}

static void
dave_logs_in(struct fx *f)
{
	SET(f->grant[0].engineer_key.item[1], f->key[FX_DAVE].pub.fp);
	f->grant[0].engineer_key.count = 2;
}

/* Dave's key also stands under the name of the engineer: an engineer line. */
static void
dave_is_alice_too(struct fx *f)
{
	fx_pin(
	    f, FX_ENGINEERS, FX_DAVE, "alice@provider.example", LB_NS_REQUEST);
}

/* He has not tried to. */
static void
dave_is_the_engineer_and_silent(struct fx *f)
{
	dave_is_the_engineer(f);
	one_approval(f);
}

static void
hook_is_the_engineer(struct fx *f)
{
	SET(f->grant[0].engineer, "ci");
}

static void
hook_logs_in(struct fx *f)
{
	SET(f->grant[0].engineer_key.item[1], f->key[FX_CI].pub.fp);
	f->grant[0].engineer_key.count = 2;
}

static void
hook_and_no_engineers(struct fx *f)
{
	no_engineer_lines(f);
	hook_for_dave(f);
}

static const struct row own_rows[] = {
	{ "by name", no_engineer_lines, dave_is_the_engineer, "approval_own",
	    0 },
	{ "not at all", no_engineer_lines, dave_is_the_engineer_and_silent,
	    "approvals_missing", 0 },
	{ "by login key", no_engineer_lines, dave_logs_in, "approval_own", 0 },
	{ "by a key under the engineer's name", NULL, dave_is_alice_too,
	    "approval_own", 0 },
	{ "hook, by name", hook_and_no_engineers, hook_is_the_engineer,
	    "approval_own", 0 },
	{ "hook, by login key", hook_and_no_engineers, hook_logs_in,
	    "approval_own", 0 },
};

static void
test_own(void **state)
{
	(void)state;
	ROWS_CHECK(own_rows, fx_judge);
	ROWS_CHECK(own_rows, fx_grant_judge);
}

/* --- require and pages --------------------------------------------------- */

static void
require(struct fx *f, const char *word, uint8_t flags)
{
	SET(f->trust.require, word);
	fx_rekey(f, "carol@acme.example", FX_CAROL, FX_SK1, flags, NULL);
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_SK2, flags, NULL);
}

static void
require_touch(struct fx *f)
{
	require(f, "touch", LB_SIG_TOUCH);
}

static void
require_verified(struct fx *f)
{
	require(f, "verified", LB_SIG_TOUCH | LB_SIG_VERIFIED);
}

static void
not_touched(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK2)->flags = 0;
}

static void
only_touched(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK2)->flags = LB_SIG_TOUCH;
}

static void
verified_untouched(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK2)->flags = LB_SIG_VERIFIED;
}

/* Erin's plain key cannot show a touch. */
static void
plain_key(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK2)->who = FX_ERIN;
}

static const struct row require_rows[] = {
	{ "touch: untouched", require_touch, not_touched, "approval_touch", 0 },
	{ "touch: plain key", require_touch, plain_key, "approval_touch", 0 },
	{ "touch: verified without touch", require_touch, verified_untouched,
	    "approval_touch", 0 },
	{ "verified: untouched", require_verified, not_touched,
	    "approval_touch", 0 },
	{ "verified: touched", require_verified, only_touched, "approval_touch",
	    0 },
	{ "verified: not touched", require_verified, verified_untouched,
	    "approval_touch", 0 },
	{ "verified: plain key", require_verified, plain_key, "approval_touch",
	    0 },
};

static void
test_require(void **state)
{
	(void)state;
	ROWS_CHECK(require_rows, fx_judge);
	ROWS_CHECK(require_rows, fx_grant_judge);
}

/* "require" does not bind hooks. */
static void
test_require_leaves_hooks_alone(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	require_verified(f);
	fx_find(f, FX_GRANT, FX_SK2)->who = FX_CI;
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("hook", &r);
	fx_free(f);
}

static void
dave_has_passkey(struct fx *f)
{
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_PASS1,
	    LB_SIG_TOUCH | LB_SIG_VERIFIED, FX_PAGE_OWN);
}

static void
dave_has_broker_passkey(struct fx *f)
{
	fx_page(f, FX_BROKER_RP " " FX_PAGE_BROKER " broker");
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_PASS_BROKER, LB_SIG_TOUCH,
	    FX_PAGE_BROKER);
}

static void
other_origin(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_PASS1)->origin = "https://evil.acme.example";
}

static void
other_port(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_PASS1)->origin = FX_PAGE_OWN ":8443";
}

static void
no_page(struct fx *f)
{
	f->trust.page.count = 0;
}

/* Another page's origin under this RP-ID. */
static void
page_of_other_rp(struct fx *f)
{
	f->trust.page.count = 0;
	fx_page(f, "approve.acme.example " FX_PAGE_OWN);
}

static void
passkey_touched_only(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_PASS1)->flags = LB_SIG_TOUCH;
}

static void
passkeys_verified(struct fx *f)
{
	SET(f->trust.require, "verified");
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
	fx_rekey(f, "carol@acme.example", FX_CAROL, FX_PASS2,
	    LB_SIG_TOUCH | LB_SIG_VERIFIED, FX_PAGE_OWN);
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_PASS1,
	    LB_SIG_TOUCH | LB_SIG_VERIFIED, FX_PAGE_OWN);
}

static void
dave_has_p256(struct fx *f)
{
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_P256_1, 0, NULL);
}

static void
dave_has_sk_p256(struct fx *f)
{
	fx_rekey(f, "dave@acme.example", FX_DAVE, FX_SK_P256_1, 0, NULL);
}

static void
p256_broken(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_P256_1)->broken = true;
}

static void
sk_p256_is_mallory(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK_P256_1)->who = FX_MALLORY;
}

static void
broker_page_gone(struct fx *f)
{
	f->trust.page.count = 0;
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
}

static const struct row page_rows[] = {
	{ "another origin", dave_has_passkey, other_origin, "approval_page",
	    1 },
	{ "another port", dave_has_passkey, other_port, "approval_page", 1 },
	{ "no page", dave_has_passkey, no_page, "approval_page", 1 },
	{ "another RP-ID", dave_has_passkey, page_of_other_rp, "approval_page",
	    1 },
	{ "the broker's page, not pinned", dave_has_broker_passkey,
	    broker_page_gone, "approval_page", 1 },
	{ "verified: touched only", passkeys_verified, passkey_touched_only,
	    "approval_touch", 1 },
	{ "P-256, broken", dave_has_p256, p256_broken, "approval_signature",
	    1 },
	{ "sk P-256, a stranger", dave_has_sk_p256, sk_p256_is_mallory,
	    "approvals_missing", 1 },
};

static void
test_pages(void **state)
{
	(void)state;
	ROWS_CHECK(page_rows, fx_judge);
	ROWS_CHECK(page_rows, fx_grant_judge);
}

/* --- delegation ------------------------------------------------------------ */

static void
delegated(struct fx *f)
{
	f->trust.delegate_until = f->now + 1;
	fx_pin(f, FX_DELEGATES, FX_MANAGER, "manager@provider.example",
	    FX_HOOK_NS);
	no_approval(f);
	fx_order(f, FX_GRANT, FX_MANAGER, LB_NS_APPROVE);
}

static void
delegate_dated(struct fx *f)
{
	delegated(f);
	f->trust.delegate_until = f->now + 1000;
	fx_unpin(f, FX_DELEGATES, "manager@provider.example");
	fx_pin_dated(f, FX_DELEGATES, FX_MANAGER, "manager@provider.example",
	    FX_HOOK_NS, f->now, f->now + 1);
}

static void
delegated_unpinned_engineers(struct fx *f)
{
	delegated(f);
	no_engineer_lines(f);
}

static void
delegate_is_the_engineer(struct fx *f)
{
	SET(f->grant[0].engineer, "manager@provider.example");
}

static void
delegate_logs_in(struct fx *f)
{
	SET(f->grant[0].engineer_key.item[1], f->key[FX_MANAGER].pub.fp);
	f->grant[0].engineer_key.count = 2;
}

static void
delegate_is_alice_too(struct fx *f)
{
	fx_pin(f, FX_ENGINEERS, FX_MANAGER, "alice@provider.example",
	    LB_NS_REQUEST);
}

static void
delegate_only_closes(struct fx *f)
{
	fx_unpin(f, FX_DELEGATES, "manager@provider.example");
	fx_pin(f, FX_DELEGATES, FX_MANAGER, "manager@provider.example",
	    LB_NS_DENY | LB_NS_REVOKE);
}

static void
delegate_is_mallory(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_MANAGER)->who = FX_MALLORY;
}

/* The delegate's approval does not fill up for a missing approver. */
static void
delegate_and_carol_later(struct fx *f)
{
	fx_order(f, FX_GRANT, FX_CAROL, LB_NS_APPROVE);
	f->now++;
}

static void
delegate_touches(struct fx *f)
{
	require_touch(f);
	f->trust.delegate_until = f->now + 1000;
	fx_pin(f, FX_DELEGATES, FX_SK1, "manager@provider.example", FX_HOOK_NS);
	/* Carol's key must not be the delegate's too. */
	fx_unpin(f, FX_APPROVERS, "carol@acme.example");
	if (fx_has_p256())
		fx_pin(f, FX_APPROVERS, FX_SK_P256_1, "carol@acme.example",
		    FX_APPROVER_NS);
	else
		f->trust.threshold = 1;
	fx_unorder(f, FX_GRANT, FX_SK2);
}

static void
delegate_does_not_touch(struct fx *f)
{
	fx_find(f, FX_GRANT, FX_SK1)->flags = 0;
}

static const struct row delegate_rows[] = {
	{ "delegation over", delegated, one_second_late, "delegation_over", 0 },
	{ "delegation over, with one approver", delegated,
	    delegate_and_carol_later, "delegation_over", 0 },
	{ "delegate's key past its dates", delegate_dated, one_second_late,
	    "approval_dates", 0 },
	{ "delegate's key before its dates", delegate_dated, one_second_early,
	    "approval_dates", 0 },
	{ "delegate is the engineer", delegated_unpinned_engineers,
	    delegate_is_the_engineer, "approval_own", 0 },
	{ "delegate's key logs in", delegated_unpinned_engineers,
	    delegate_logs_in, "approval_own", 0 },
	{ "delegate's key is the engineer's", delegated, delegate_is_alice_too,
	    "approval_own", 0 },
	{ "delegate may only close", delegated, delegate_only_closes,
	    "approvals_missing", 0 },
	{ "a stranger", delegated, delegate_is_mallory, "approvals_missing",
	    0 },
	{ "delegate untouched", delegate_touches, delegate_does_not_touch,
	    "approval_touch", 0 },
};

static void
test_delegate(void **state)
{
	(void)state;
	ROWS_CHECK(delegate_rows, fx_judge);
	ROWS_CHECK(delegate_rows, fx_grant_judge);
}

/* What rests on a delegate ends with the delegation. */
static void
test_delegate_until_cuts(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	delegated(f);
	f->trust.delegate_until = f->now + 100;
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("delegate", &r);
	assert_true(r.by_delegate);
	assert_int_equal(r.not_after, f->now + 100);
	assert_int_equal(r.lease_end, f->now + 100);
	fx_grant_judge(f, &r);
	assert_int_equal(r.not_after, f->now + 100);
	assert_int_equal(r.lease_end, f->now + 100);
	f->trust.delegate_until = f->now + 30 * DAY;
	fx_seal(f);
	fx_judge(f, &r);
	assert_true(r.by_delegate);
	assert_int_equal(r.not_after, f->grant[0].not_after);
	fx_free(f);
}

/* Enough approvals of the customer's own do not rest on the delegate. */
static void
test_delegate_not_needed(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	delegated(f);
	fx_order(f, FX_GRANT, FX_CAROL, LB_NS_APPROVE);
	fx_order(f, FX_GRANT, FX_DAVE, LB_NS_APPROVE);
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("approvers and delegate", &r);
	assert_false(r.by_delegate);
	assert_int_equal(r.not_after, f->grant[0].not_after);
	fx_free(f);
}

/* --- the engineer's own request ---------------------------------------------- */

static void
no_request(struct fx *f)
{
	f->without[FX_REQUEST] = true;
}

/* A request that alice signed, but not the one the grant names. */
static void
grant_names_other_request(struct fx *f)
{
	SET(f->grant[0].request,
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000000");
}

static void
request_not_signed(struct fx *f)
{
	fx_unorder(f, FX_REQUEST, FX_ALICE);
}

static void
request_by_mallory(struct fx *f)
{
	fx_find(f, FX_REQUEST, FX_ALICE)->who = FX_MALLORY;
}

static void
request_by_approver(struct fx *f)
{
	fx_find(f, FX_REQUEST, FX_ALICE)->who = FX_CAROL;
}

static void
request_only_endorsed(struct fx *f)
{
	fx_find(f, FX_REQUEST, FX_ALICE)->ns = LB_NS_ENDORSE;
}

static void
request_signature_broken(struct fx *f)
{
	fx_find(f, FX_REQUEST, FX_ALICE)->broken = true;
}

static void
bob_is_an_engineer(struct fx *f)
{
	fx_pin(f, FX_ENGINEERS, FX_BOB_LOGIN, "bob@provider.example",
	    LB_NS_REQUEST);
}

/* Bob is pinned, but he is not alice. */
static void
request_by_bob(struct fx *f)
{
	fx_find(f, FX_REQUEST, FX_ALICE)->who = FX_BOB_LOGIN;
}

static void
alice_dated(struct fx *f)
{
	fx_unpin(f, FX_ENGINEERS, "alice@provider.example");
	fx_pin_dated(f, FX_ENGINEERS, FX_ALICE, "alice@provider.example",
	    LB_NS_REQUEST, f->now, f->now + 1);
}

static void
duration_line_gone(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_REQUEST)
		fx_replace(text, "duration: 7200\n", "");
	(void)f;
}

static void
request_spoilt(struct fx *f)
{
	f->before = duration_line_gone;
}

static void
request_is_for_bob(struct fx *f)
{
	SET(f->request.engineer, "bob@provider.example");
	request_by_bob(f);
}

static void
request_fewer_hosts(struct fx *f)
{
	f->request.host.count = 1;
}

static void
request_fewer_logins(struct fx *f)
{
	f->request.login.count = 1;
}

static void
request_fewer_services(struct fx *f)
{
	f->request.service.count = 1;
}

static void
request_other_key(struct fx *f)
{
	SET(f->request.engineer_key.item[0], f->key[FX_BOB_LOGIN].pub.fp);
}

static void
request_shorter(struct fx *f)
{
	f->request.duration = 7200 - 61;
}

static void
request_exactly(struct fx *f)
{
	f->request.duration = 7200 - 60;
}

static void
request_starts(struct fx *f)
{
	f->request.start = f->grant[0].not_before + 60;
}

static void
request_starts_later(struct fx *f)
{
	f->request.start++;
}

static void
request_other_ticket(struct fx *f)
{
	SET(f->request.ticket, "ACME-4712");
}

static void
request_other_reason(struct fx *f)
{
	SET(f->request.reason, "something else");
}

static void
request_other_reason_type(struct fx *f)
{
	SET(f->request.reason_type, "provider_initiated_service");
}

static void
request_other_tenant(struct fx *f)
{
	SET(f->request.tenant, "globex");
}

static void
request_other_broker(struct fx *f)
{
	SET(f->request.broker, "other.example");
}

static const struct row request_rows[] = {
	{ "not there", NULL, no_request, "request_missing", 0 },
	{ "another one", NULL, grant_names_other_request, "request_missing",
	    0 },
	{ "unsigned", NULL, request_not_signed, "request_unsigned", 0 },
	{ "a stranger's", NULL, request_by_mallory, "request_unsigned", 0 },
	{ "an approver's", NULL, request_by_approver, "request_unsigned", 0 },
	{ "endorsed only", NULL, request_only_endorsed, "request_unsigned", 0 },
	{ "broken signature", NULL, request_signature_broken,
	    "request_unsigned", 0 },
	{ "another engineer's", bob_is_an_engineer, request_by_bob,
	    "request_unsigned", 0 },
	{ "key past its dates", alice_dated, one_second_late,
	    "request_unsigned", 0 },
	{ "key before its dates", alice_dated, one_second_early,
	    "request_unsigned", 0 },
	{ "does not parse", NULL, request_spoilt, "request_malformed", 0 },
	{ "for another engineer", bob_is_an_engineer, request_is_for_bob,
	    "request_exceeded", 0 },
	{ "fewer hosts", NULL, request_fewer_hosts, "request_exceeded", 0 },
	{ "fewer logins", NULL, request_fewer_logins, "request_exceeded", 0 },
	{ "fewer services", NULL, request_fewer_services, "request_exceeded",
	    0 },
	{ "another key", NULL, request_other_key, "request_exceeded", 0 },
	{ "shorter", request_exactly, request_shorter, "request_exceeded", 0 },
	{ "starts later", request_starts, request_starts_later,
	    "request_exceeded", 0 },
	{ "another ticket", NULL, request_other_ticket, "request_exceeded", 0 },
	{ "another reason", NULL, request_other_reason, "request_exceeded", 0 },
	{ "another reason type", NULL, request_other_reason_type,
	    "request_exceeded", 0 },
	{ "another tenant", NULL, request_other_tenant, "request_exceeded", 0 },
	{ "another broker", NULL, request_other_broker, "request_exceeded", 0 },
};

static void
test_request(void **state)
{
	(void)state;
	ROWS_CHECK(request_rows, fx_judge);
	ROWS_CHECK(request_rows, fx_grant_judge);
}

/* Without engineer lines the broker says whose keys are whose. */
static void
test_request_not_needed(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	no_engineer_lines(f);
	no_request(f);
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("no engineer lines", &r);
	fx_free(f);
}

/* --- denied and revoked ------------------------------------------------------ */

#define SIGNS(name, doc, who, ns)                                              \
	static void name(struct fx *f)                                         \
	{                                                                      \
		fx_order(f, doc, who, ns);                                     \
	}

SIGNS(erin_revokes, FX_GRANT, FX_ERIN, LB_NS_REVOKE)
SIGNS(carol_revokes, FX_GRANT, FX_CAROL, LB_NS_REVOKE)
SIGNS(hook_revokes, FX_GRANT, FX_DESK, LB_NS_REVOKE)
SIGNS(erin_denies, FX_REQUEST, FX_ERIN, LB_NS_DENY)
SIGNS(hook_denies, FX_REQUEST, FX_CI, LB_NS_DENY)
SIGNS(manager_revokes, FX_GRANT, FX_MANAGER, LB_NS_REVOKE)
SIGNS(manager_denies, FX_REQUEST, FX_MANAGER, LB_NS_DENY)

/* A delegation that is over still closes. */
static void
delegation_was(struct fx *f)
{
	f->trust.delegate_until = f->now - 1000;
	fx_pin(f, FX_DELEGATES, FX_MANAGER, "manager@provider.example",
	    FX_HOOK_NS);
}

static void
erin_revokes_in_time(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, "erin@acme.example");
	fx_pin_dated(f, FX_APPROVERS, FX_ERIN, "erin@acme.example",
	    FX_APPROVER_NS, f->now + 1, 0);
	erin_revokes(f);
}

/* "require" does not bind who closes: erin's key is a plain one. */
static void
touch_for_two(struct fx *f)
{
	require_touch(f);
	f->trust.threshold = 2;
}

static const struct row closed_rows[] = {
	{ "revoked by an approver", NULL, erin_revokes, "grant_revoked", 0 },
	{ "revoked by who approved", NULL, carol_revokes, "grant_revoked", 0 },
	{ "revoked by a hook", NULL, hook_revokes, "grant_revoked", 0 },
	{ "revoked by a delegate", delegation_was, manager_revokes,
	    "grant_revoked", 0 },
	{ "revoked by a plain key", touch_for_two, erin_revokes,
	    "grant_revoked", 0 },
	{ "revoked once the key's dates begin", erin_revokes_in_time,
	    one_second_late, "grant_revoked", 0 },
	{ "denied by an approver", NULL, erin_denies, "request_denied", 0 },
	{ "denied by a hook", NULL, hook_denies, "request_denied", 0 },
	{ "denied by a delegate", delegation_was, manager_denies,
	    "request_denied", 0 },
	{ "denied by a plain key", touch_for_two, erin_denies, "request_denied",
	    0 },
	{ "denied without engineer lines", no_engineer_lines, erin_denies,
	    "request_denied", 0 },
};

static void
test_closed(void **state)
{
	(void)state;
	ROWS_CHECK(closed_rows, fx_judge);
	ROWS_CHECK(closed_rows, fx_grant_judge);
}

/* Who may not close does not close. */
static void
test_closed_by_nobody(void **state)
{
	static const struct {
		enum fx_doc doc;
		enum fx_who who;
		enum lb_ns ns;
	} row[] = {
		{ FX_GRANT, FX_MALLORY, LB_NS_REVOKE },
		{ FX_GRANT, FX_BROKER, LB_NS_REVOKE },
		{ FX_GRANT, FX_ALICE, LB_NS_REVOKE },
		{ FX_REQUEST, FX_MALLORY, LB_NS_DENY },
		{ FX_REQUEST, FX_ALICE, LB_NS_DENY },
		{ FX_REQUEST, FX_ERIN, LB_NS_REVOKE }, /* means nothing */
		{ FX_GRANT, FX_ERIN, LB_NS_DENY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		fx_order(f, row[i].doc, row[i].who, row[i].ns);
		fx_seal(f);
		fx_judge(f, &r);
		assert_allowed("closed by nobody", &r);
		fx_free(f);
	}
}

/* What the host has kept kills, until its time. */
static void
test_closed_kept(void **state)
{
	static const struct {
		enum fx_doc doc;
		int64_t until; /* relative to now */
		const char *code;
	} row[] = {
		{ FX_GRANT, 1, "grant_revoked" },
		{ FX_GRANT, 0, NULL },
		{ FX_REQUEST, 1, "request_denied" },
		{ FX_REQUEST, 0, NULL },
		{ FX_ANSWER, 1, NULL },
	};
	asker *const asks[] = { fx_judge, fx_grant_judge };

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
		size_t k = i / 2;
		struct fx *f = fx_new();
		struct lb_ruling r;

		fx_seal(f);
		asks[i % 2](f, &r);
		assert_allowed("before", &r);
		assert_int_equal(
		    lb_kills_add(&f->kills, f->paper[row[k].doc].id,
			f->now + row[k].until),
		    LB_OK);
		asks[i % 2](f, &r);
		if (row[k].code == NULL)
			assert_allowed("kept elsewhere", &r);
		else
			assert_denied("kept", &r, row[k].code);
		fx_free(f);
	}
}

/* --- without any answer --------------------------------------------------------- */

static void
ask_offline(struct fx *f, struct lb_ruling *ret)
{
	const struct lb_grant_case c = fx_grant_case(f);

	memset(ret, 0xa5, sizeof(*ret));
	lb_offline_judge(&c, f->floor, ret);
	assert_int_equal(ret->floor, f->floor);
	if (ret->verdict != LB_VERDICT_ALLOW) {
		assert_false(ret->offline);
		return;
	}
	assert_string_equal(ret->code, "granted_offline");
	assert_true(ret->offline);
	assert_int_equal(ret->lease_end, ret->not_after);
	SET(ret->code, "granted"); /* as the other ways in say it */
}

/* The customer lets grants count without the broker, whatever else he says. */
static void
ask_offline_allowed(struct fx *f, struct lb_ruling *ret)
{
	f->t->offline = true;
	ask_offline(f, ret);
}

static void
offline_allow(struct fx *f)
{
	SET(f->trust.offline, "allow");
}

static void
offline_deny(struct fx *f)
{
	SET(f->trust.offline, "deny");
}

static void
offline_allow_floor(struct fx *f)
{
	offline_allow(f);
	f->floor = f->now;
}

static const struct row offline_rows[] = {
	{ "the customer does not let", offline_allow, offline_deny,
	    "offline_denied", 0 },
	{ "the clock was set back", offline_allow_floor, one_second_early,
	    "clock_floor", 0 },
};

/* The same refusals as with an answer. */
static void
test_offline(void **state)
{
	(void)state;
	ROWS_CHECK(offline_rows, ask_offline);
	ROWS_CHECK(grant_rows, ask_offline_allowed);
	ROWS_CHECK(approval_rows, ask_offline_allowed);
	ROWS_CHECK(own_rows, ask_offline_allowed);
	ROWS_CHECK(require_rows, ask_offline_allowed);
	ROWS_CHECK(page_rows, ask_offline_allowed);
	ROWS_CHECK(delegate_rows, ask_offline_allowed);
	ROWS_CHECK(request_rows, ask_offline_allowed);
	ROWS_CHECK(closed_rows, ask_offline_allowed);
}

/* With an answer a floor is a floor, and the flag means nothing. */
static void
test_offline_is_said(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	offline_allow(f);
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("with an answer", &r);
	assert_false(r.offline);
	fx_grant_judge(f, &r);
	assert_allowed("the grant alone", &r);
	assert_false(r.offline);
	fx_free(f);
}

static void
not_begun(struct fx *f)
{
	f->grant[0].not_before = f->now + 60;
}

static void
key_not_told(struct fx *f)
{
	f->question.engineer_key.count = 0;
}

/* What is kept before anybody asks: all but who asks, and whether it is time. */
static void
test_keepable(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct fx *f);
		const char *code;
	} row[] = {
		{ "as it is", offline_allow, "granted" },
		{ "another login asks", for_other_login, "granted" },
		{ "another service asks", for_other_service, "granted" },
		{ "another key asks", with_other_key, "granted" },
		{ "nobody asks", key_not_told, "granted" },
		{ "it begins later", not_begun, "granted" },
		{ "not without the broker", offline_deny, "offline_denied" },
		{ "another tenant's", for_other_tenant, "grant_tenant" },
		{ "another broker's", for_other_broker, "grant_broker" },
		{ "another host's", for_other_host, "grant_host" },
		{ "revoked", erin_revokes, "grant_revoked" },
		{ "denied", erin_denies, "request_denied" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct lb_grant_case c;
		char code[LB_WORD_MAX + 1];
		bool want = strcmp(row[i].code, "granted") == 0;

		offline_allow(f);
		row[i].change(f);
		fx_seal(f);
		c = fx_grant_case(f);
		if (lb_grant_keepable(&c, code) != want)
			fail_msg("%s: %s", row[i].name, code);
		assert_string_equal(code, row[i].code);
		c.now = f->grant[0].not_after;
		assert_false(lb_grant_keepable(&c, code));
		c.now = f->now;
		c.trust = f->t;
		f->t->good_until = f->now;
		assert_false(lb_grant_keepable(&c, code));
		assert_string_equal(code, "trust_over");
		fx_free(f);
	}
}

/* --- what an allow says -------------------------------------------------------- */

static void
test_ruling(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	SET(f->answer.message, "two hours left");
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("ruling", &r);
	assert_string_equal(r.message, "two hours left");
	assert_string_equal(r.grant, f->paper[FX_GRANT].id);
	assert_string_equal(r.request, f->paper[FX_REQUEST].id);
	assert_string_equal(r.engineer, "alice@provider.example");
	assert_false(r.provisional);
	assert_false(r.by_delegate);
	assert_int_equal(r.not_after, f->grant[0].not_after);
	fx_grant_judge(f, &r);
	assert_allowed("without an answer", &r);
	assert_string_equal(r.grant, f->paper[FX_GRANT].id);
	assert_int_equal(r.not_after, f->grant[0].not_after);
	assert_int_equal(r.lease_end, r.not_after);
	assert_int_equal(r.floor, 0);
	fx_free(f);
}

/* The earliest of good-until, trust's lease from now, and not-after. */
static void
test_lease(void **state)
{
	static const struct {
		int64_t good_until, lease, not_after, want; /* from now */
	} row[] = {
		{ 100, 1800, 5000, 100 },
		{ 3600, 1800, 5000, 1800 },
		{ 3600, 1800, 700, 700 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		f->answer.good_until = f->now + row[i].good_until;
		f->trust.lease = row[i].lease;
		f->grant[0].not_after = f->now + row[i].not_after;
		fx_seal(f);
		fx_judge(f, &r);
		assert_allowed("lease", &r);
		assert_int_equal(r.lease_end, f->now + row[i].want);
		fx_free(f);
	}
}

/* An unknown key is let through as a filter only, and it says so. */
static void
test_provisional(void **state)
{
	struct lb_grant_case c;
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	f->question.engineer_key.count = 0;
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("unknown key", &r);
	assert_true(r.provisional);
	c = (struct lb_grant_case){ .trust = f->t,
		.bundle = f->bundle,
		.part = fx_part(f, FX_GRANT),
		.tenant = "acme",
		.broker = "lockbox.example",
		.host = "db1.acme.example",
		.login = "alice",
		.service = "sshd",
		.now = f->now };
	lb_grant_judge(&c, &r);
	assert_allowed("no keys, no kills", &r);
	assert_true(r.provisional);
	fx_free(f);
}

/* A part that is no grant does not become one. */
static void
test_grant_judge_other_part(void **state)
{
	struct fx *f = fx_new();
	struct lb_grant_case c;
	struct lb_ruling r;

	(void)state;
	fx_order(f, FX_REQUEST, FX_CAROL, LB_NS_APPROVE);
	fx_order(f, FX_REQUEST, FX_DAVE, LB_NS_APPROVE);
	fx_seal(f);
	c = (struct lb_grant_case){ .trust = f->t,
		.bundle = f->bundle,
		.part = fx_part(f, FX_REQUEST),
		.tenant = "acme",
		.broker = "lockbox.example",
		.host = "db1.acme.example",
		.login = "alice",
		.service = "sshd",
		.now = f->now };
	lb_grant_judge(&c, &r);
	assert_denied("a request", &r, "grant_malformed");
	fx_free(f);
}

/* --- several grants --------------------------------------------------------- */

/* One grant for each half of what is asked: never a mix of two. */
static void
test_no_mix(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;
	struct lb_grant *g;

	(void)state;
	g = fx_grant_more(f);
	SET(f->grant[0].login.item[0], "alice");
	f->grant[0].login.count = 1;
	SET(g->login.item[0], "deploy");
	g->login.count = 1;
	g->not_after++;
	SET(f->question.host, "db2.acme.example");
	f->grant[0].host.count = 1; /* db1 as alice, db1 and db2 as deploy */
	SET(f->question.login, "deploy");
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("db2 as deploy", &r);
	assert_string_equal(r.grant, f->paper[FX_GRANT + 1].id);
	SET(f->question.login, "alice");
	fx_seal(f);
	fx_judge(f, &r);
	assert_denied("db2 as alice", &r, "grant_login");
	fx_free(f);
}

/* Each needs its own approvals: two of one each are not two. */
static void
test_no_mix_of_approvals(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	(void)fx_grant_more(f);
	f->grant[1].not_after--;
	fx_seal(f);
	fx_judge(f, &r);
	assert_allowed("both approved by both", &r);
	fx_unorder(f, FX_GRANT, FX_CAROL);
	fx_unorder(f, (enum fx_doc)(FX_GRANT + 1), FX_DAVE);
	fx_seal(f);
	fx_judge(f, &r);
	assert_denied("one each", &r, "approvals_missing");
	fx_free(f);
}

/* Of several that pass the one with the latest not-after is taken. */
static void
test_latest_is_taken(void **state)
{
	(void)state;
	for (size_t longest = 0; longest < FX_GRANTS_MAX; longest++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		(void)fx_grant_more(f);
		(void)fx_grant_more(f);
		for (size_t i = 0; i < FX_GRANTS_MAX; i++)
			f->grant[i].not_after -= 100 - (int64_t)i;
		f->grant[longest].not_after += 50;
		fx_seal(f);
		fx_judge(f, &r);
		assert_allowed("latest", &r);
		assert_string_equal(r.grant, f->paper[FX_GRANT + longest].id);
		fx_free(f);
	}
}

/* One that does not pass hides none that does, wherever it stands. */
static void
test_bad_grant_beside_good(void **state)
{
	(void)state;
	for (size_t good = 0; good < FX_GRANTS_MAX; good++) {
		struct fx *f = fx_new();
		struct lb_ruling r;

		(void)fx_grant_more(f);
		(void)fx_grant_more(f);
		for (size_t i = 0; i < FX_GRANTS_MAX; i++) {
			f->grant[i].not_after += (int64_t)i;
			f->grant[i].host.count = 1;
			SET(f->grant[i].host.item[0],
			    i == good ? "db1.acme.example"
				      : "db2.acme.example");
		}
		f->request.duration += 10;
		fx_seal(f);
		fx_judge(f, &r);
		assert_allowed("good beside bad", &r);
		assert_string_equal(r.grant, f->paper[FX_GRANT + good].id);
		fx_free(f);
	}
}

/* When none passes the code is of the one that got furthest. */
static void
test_furthest_code(void **state)
{
	struct fx *f = fx_new();
	struct lb_ruling r;

	(void)state;
	(void)fx_grant_more(f);
	(void)fx_grant_more(f);
	fx_unorder(f, FX_GRANT, FX_CAROL);
	f->grant[1].not_before = f->now - 900;
	f->grant[1].not_after = f->now - 1;
	f->grant[2].login.count = 1;
	SET(f->grant[2].login.item[0], "deploy");
	fx_seal(f);
	fx_judge(f, &r);
	assert_denied("furthest", &r, "grant_over");
	fx_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_floor_of_a_deny),
		cmocka_unit_test(test_floor_not_raised),
		cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_message_only_when_proven),
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_grant_named),
		cmocka_unit_test(test_approvals),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_require),
		cmocka_unit_test(test_require_leaves_hooks_alone),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_delegate),
		cmocka_unit_test(test_delegate_until_cuts),
		cmocka_unit_test(test_delegate_not_needed),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_request_not_needed),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_closed_by_nobody),
		cmocka_unit_test(test_closed_kept),
		cmocka_unit_test(test_offline),
		cmocka_unit_test(test_offline_is_said),
		cmocka_unit_test(test_keepable),
		cmocka_unit_test(test_ruling),
		cmocka_unit_test(test_lease),
		cmocka_unit_test(test_provisional),
		cmocka_unit_test(test_grant_judge_other_part),
		cmocka_unit_test(test_no_mix),
		cmocka_unit_test(test_no_mix_of_approvals),
		cmocka_unit_test(test_latest_is_taken),
		cmocka_unit_test(test_bad_grant_beside_good),
		cmocka_unit_test(test_furthest_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
