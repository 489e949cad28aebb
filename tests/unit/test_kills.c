/* What was denied and revoked, and how long it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/judge.h"

#include "fixture.h"

static void
id_make(unsigned int n, char ret[LB_SHA256_LEN + 1])
{
	(void)snprintf(ret, LB_SHA256_LEN + 1, "sha256:%064x", n);
}

static void
test_kills_until_half_open(void **state)
{
	static const struct {
		int64_t now;
		bool want;
	} row[] = { { 0, 1 }, { 999, 1 }, { 1000, 0 }, { 1001, 0 } };
	struct lb_kills k = { 0 };
	char id[LB_SHA256_LEN + 1], other[LB_SHA256_LEN + 1];

	(void)state;
	id_make(1, id);
	id_make(2, other);
	assert_false(lb_kills_has(&k, id, 0));
	assert_int_equal(lb_kills_add(&k, id, 1000), LB_OK);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(lb_kills_has(&k, id, row[i].now), row[i].want);
		assert_false(lb_kills_has(&k, other, row[i].now));
	}
	lb_kills_clear(&k);
	assert_false(lb_kills_has(&k, id, 0));
}

/* An earlier end does not take a later one's place. */
static void
test_kills_later_end_stands(void **state)
{
	struct lb_kills k = { 0 };
	char id[LB_SHA256_LEN + 1];

	(void)state;
	id_make(1, id);
	assert_int_equal(lb_kills_add(&k, id, 1000), LB_OK);
	assert_int_equal(lb_kills_add(&k, id, 500), LB_OK);
	assert_true(lb_kills_has(&k, id, 999));
	assert_int_equal(lb_kills_add(&k, id, 2000), LB_OK);
	assert_true(lb_kills_has(&k, id, 1999));
	assert_int_equal(k.count, 1);
	lb_kills_clear(&k);
}

static void
test_kills_sorted_and_pruned(void **state)
{
	struct lb_kills k = { 0 };
	char id[LB_SHA256_LEN + 1];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		id_make(i * 7919 % 1000, id);
		assert_int_equal(lb_kills_add(&k, id, i * 7919 % 1000), LB_OK);
	}
	assert_int_equal(k.count, 1000);
	for (size_t i = 1; i < k.count; i++)
		assert_true(strcmp(k.item[i - 1].id, k.item[i].id) < 0);
	lb_kills_prune(&k, 600);
	assert_int_equal(k.count, 399);
	for (unsigned int i = 0; i < 1000; i++) {
		id_make(i, id);
		assert_int_equal(lb_kills_has(&k, id, 0), i > 600);
	}
	lb_kills_clear(&k);
	assert_int_equal(k.count, 0);
	assert_null(k.item);
}

static void
test_kills_limit(void **state)
{
	struct lb_kills k = { 0 };
	char id[LB_SHA256_LEN + 1];

	(void)state;
	for (unsigned int i = 0; i < LB_KILLS_MAX; i++) {
		id_make(i, id);
		assert_int_equal(lb_kills_add(&k, id, 1000), LB_OK);
	}
	id_make(LB_KILLS_MAX, id);
	assert_int_equal(lb_kills_add(&k, id, 1000), LB_ERR_LIMIT);
	assert_int_equal(k.count, LB_KILLS_MAX);
	id_make(5, id); /* one that is there already */
	assert_int_equal(lb_kills_add(&k, id, 2000), LB_OK);
	lb_kills_clear(&k);
}

static void
test_kills_refuse_long_id(void **state)
{
	struct lb_kills k = { 0 };
	char id[LB_SHA256_LEN + 2];

	(void)state;
	memset(id, 'a', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	assert_int_equal(lb_kills_add(&k, id, 1), LB_ERR_RANGE);
	assert_int_equal(k.count, 0);
}

/* Who signs what over which document, and until when that is kept. */
static void
test_collect(void **state)
{
	static const struct {
		enum fx_doc doc;
		enum fx_who who;
		enum lb_ns ns;
		bool kept;
	} row[] = {
		{ FX_GRANT, FX_ERIN, LB_NS_REVOKE, true },
		{ FX_GRANT, FX_CI, LB_NS_REVOKE, true },
		{ FX_GRANT, FX_MANAGER, LB_NS_REVOKE, true },
		{ FX_GRANT, FX_MALLORY, LB_NS_REVOKE, false },
		{ FX_GRANT, FX_ALICE, LB_NS_REVOKE, false },
		{ FX_GRANT, FX_BROKER, LB_NS_REVOKE, false },
		{ FX_GRANT, FX_ERIN, LB_NS_DENY, false },
		{ FX_REQUEST, FX_ERIN, LB_NS_DENY, true },
		{ FX_REQUEST, FX_CI, LB_NS_DENY, true },
		{ FX_REQUEST, FX_MANAGER, LB_NS_DENY, true },
		{ FX_REQUEST, FX_MALLORY, LB_NS_DENY, false },
		{ FX_REQUEST, FX_ERIN, LB_NS_REVOKE, false },
		{ FX_ANSWER, FX_ERIN, LB_NS_DENY, false },
		{ FX_ANSWER, FX_ERIN, LB_NS_REVOKE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		int64_t until = row[i].doc == FX_GRANT
		    ? f->grant[0].not_after
		    : f->now + LB_GRANT_AGE_MAX + LB_CLOCK_SKEW_MAX;
		const char *id = f->paper[row[i].doc].id;
		size_t added = 99;

		f->trust.delegate_until = f->now; /* over, and still closes */
		fx_pin(f, FX_DELEGATES, FX_MANAGER, "manager@provider.example",
		    FX_HOOK_NS);
		fx_order(f, row[i].doc, row[i].who, row[i].ns);
		fx_seal(f);
		assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle,
				     f->now, 0, &added),
		    LB_OK);
		assert_int_equal(added, row[i].kept);
		assert_int_equal(f->kills.count, row[i].kept);
		assert_int_equal(
		    lb_kills_has(&f->kills, id, until - 1), row[i].kept);
		assert_false(lb_kills_has(&f->kills, id, until));
		/* Again: nothing new, and nobody asks how many. */
		assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle,
				     f->now, 0, &added),
		    LB_OK);
		assert_int_equal(added, 0);
		assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle,
				     f->now, 0, NULL),
		    LB_OK);
		fx_free(f);
	}
}

/* A line without the namespace, or outside its dates, does not close. */
static void
test_collect_line_must_fit(void **state)
{
	static const struct {
		unsigned int namespaces;
		int64_t after, before; /* relative to now; 0: none */
		bool kept;
	} row[] = {
		{ LB_NS_REVOKE, 0, 0, true },
		{ LB_NS_APPROVE | LB_NS_DENY, 0, 0, false },
		{ LB_NS_REVOKE, -5, 1, true },
		{ LB_NS_REVOKE, -5, -1, false },
		{ LB_NS_REVOKE, 1, 5, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		size_t added;

		fx_pin_dated(f, FX_APPROVERS, FX_MALLORY, "mallory",
		    row[i].namespaces,
		    row[i].after == 0 ? 0 : f->now + row[i].after,
		    row[i].before == 0 ? 0 : f->now + row[i].before);
		fx_order(f, FX_GRANT, FX_MALLORY, LB_NS_REVOKE);
		fx_seal(f);
		assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle,
				     f->now, 0, &added),
		    LB_OK);
		assert_int_equal(added, row[i].kept);
		fx_free(f);
	}
}

/* What is over needs no keeping, and what was kept for it goes. */
static void
test_collect_prunes(void **state)
{
	struct fx *f = fx_new();
	size_t added;

	(void)state;
	fx_order(f, FX_GRANT, FX_ERIN, LB_NS_REVOKE);
	fx_seal(f);
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, f->now, 0, &added),
	    LB_OK);
	assert_int_equal(f->kills.count, 1);
	f->now = f->grant[0].not_after;
	assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle, f->now,
			     f->now, &added),
	    LB_OK);
	assert_int_equal(f->kills.count, 0);
	assert_int_equal(added, 0);
	fx_free(f);
}

static void
line_unknown(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_GRANT)
		fx_replace(text, "reason: ", "shell: yes\nreason: ");
	(void)f;
}

/* A revoke over a request means nothing, and hides no deny. */
static void
test_collect_deny_and_revoke(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	fx_order(f, FX_REQUEST, FX_ERIN, LB_NS_DENY);
	fx_order(f, FX_REQUEST, FX_ERIN, LB_NS_REVOKE);
	fx_seal(f);
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, f->now, 0, NULL),
	    LB_OK);
	assert_true(lb_kills_has(&f->kills, f->paper[FX_REQUEST].id, f->now));
	fx_free(f);
}

/* A revoked text that is no grant can open nothing. */
static void
test_collect_no_grant(void **state)
{
	struct fx *f = fx_new();
	size_t added = 99;

	(void)state;
	fx_order(f, FX_GRANT, FX_ERIN, LB_NS_REVOKE);
	f->before = line_unknown;
	fx_seal(f);
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, f->now, 0, &added),
	    LB_OK);
	assert_int_equal(added, 0);
	fx_free(f);
}

/* No room for it: the caller must know. */
static void
test_collect_limit(void **state)
{
	struct fx *f = fx_new();
	char id[LB_SHA256_LEN + 1];

	(void)state;
	fx_order(f, FX_GRANT, FX_ERIN, LB_NS_REVOKE);
	fx_seal(f);
	for (unsigned int i = 0; i < LB_KILLS_MAX; i++) {
		id_make(i, id);
		assert_int_equal(
		    lb_kills_add(&f->kills, id, f->now + 1), LB_OK);
	}
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, f->now, 0, NULL),
	    LB_ERR_LIMIT);
	/* A second later the others are over. */
	assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle, f->now,
			     f->now + 1, NULL),
	    LB_OK);
	assert_int_equal(f->kills.count, 1);
	fx_free(f);
}

/* Once over by the local clock alone is not over: the clock may run ahead. */
static void
test_collect_clock_ahead(void **state)
{
	struct fx *f = fx_new();
	int64_t floor = f->now, over = f->grant[0].not_after;
	size_t added;

	(void)state;
	fx_order(f, FX_GRANT, FX_ERIN, LB_NS_REVOKE);
	fx_seal(f);
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, over, floor, &added),
	    LB_OK);
	assert_int_equal(added, 1);
	assert_int_equal(
	    lb_kills_collect(&f->kills, f->t, f->bundle, over, floor, &added),
	    LB_OK);
	assert_int_equal(f->kills.count, 1);
	assert_true(lb_kills_has(&f->kills, f->paper[FX_GRANT].id, f->now));
	fx_free(f);
}

/* A clock that stands back does not shorten a deny. */
static void
test_collect_clock_back(void **state)
{
	struct fx *f = fx_new();
	int64_t until = f->now + LB_GRANT_AGE_MAX + LB_CLOCK_SKEW_MAX;

	(void)state;
	fx_order(f, FX_REQUEST, FX_ERIN, LB_NS_DENY);
	fx_seal(f);
	assert_int_equal(lb_kills_collect(&f->kills, f->t, f->bundle,
			     f->now - 86400, f->now, NULL),
	    LB_OK);
	assert_int_equal(f->kills.count, 1);
	assert_int_equal(f->kills.item[0].until, until);
	fx_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kills_until_half_open),
		cmocka_unit_test(test_kills_later_end_stands),
		cmocka_unit_test(test_kills_sorted_and_pruned),
		cmocka_unit_test(test_kills_limit),
		cmocka_unit_test(test_kills_refuse_long_id),
		cmocka_unit_test(test_collect),
		cmocka_unit_test(test_collect_line_must_fit),
		cmocka_unit_test(test_collect_prunes),
		cmocka_unit_test(test_collect_deny_and_revoke),
		cmocka_unit_test(test_collect_no_grant),
		cmocka_unit_test(test_collect_limit),
		cmocka_unit_test(test_collect_clock_ahead),
		cmocka_unit_test(test_collect_clock_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
