/* Counting people: against every set of lines that could be counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "match.h"

#define LINES_MAX 10

/* "Ax" is a line of principal A with key x. */
static void
lines_make(const char *const *pair, size_t count, struct lb_pinned *ret)
{
	for (size_t i = 0; i < count; i++) {
		memset(&ret[i], 0, sizeof(ret[i]));
		ret[i].principal[0] = pair[i][0];
		ret[i].key.pk[0] = (uint8_t)pair[i][1];
		ret[i].key.pk_len = 32;
	}
}

static size_t
count_lines(struct lb_pinned *item, size_t count, const struct lb_pinned **ret)
{
	const struct lb_pinned *line[LB_MATCH_MAX];

	for (size_t i = 0; i < count; i++)
		line[i] = &item[i];
	return lb_match(line, count, ret);
}

static bool
apart(const struct lb_pinned *a, const struct lb_pinned *b)
{
	return strcmp(a->principal, b->principal) != 0 &&
	    memcmp(a->key.pk, b->key.pk, sizeof(a->key.pk)) != 0;
}

static void
assert_all_apart(const struct lb_pinned *const *who, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_true(apart(who[i], who[j]));
	}
}

static void
test_match_table(void **state)
{
	static const struct {
		const char *pair[6];
		size_t want;
	} row[] = {
		{ { NULL }, 0 },
		{ { "Aa" }, 1 },
		{ { "Aa", "Bb", "Cc" }, 3 },
		{ { "Aa", "Aa" }, 1 },
		{ { "Aa", "Ab" }, 1 },       /* a person's second key */
		{ { "Aa", "Ba" }, 1 },       /* a key's second name */
		{ { "Aa", "Ab", "Ba" }, 2 }, /* A with b, B with a */
		{ { "Ba", "Aa", "Ab" }, 2 },
		{ { "Aa", "Ab", "Ba", "Bb" }, 2 },
		{ { "Aa", "Ba", "Ca" }, 1 },
		{ { "Aa", "Ab", "Bb", "Bc", "Cc" }, 3 },
		{ { "Aa", "Ba", "Bb", "Cb", "Cc" }, 3 },
		{ { "Aa", "Ba", "Bb", "Cb" }, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct lb_pinned *who[LB_MATCH_MAX];
		struct lb_pinned item[6];
		size_t count = 0, n;

		while (count < 6 && row[i].pair[count] != NULL)
			count++;
		lines_make(row[i].pair, count, item);
		n = count_lines(item, count, who);
		assert_int_equal(n, row[i].want);
		assert_all_apart(who, n);
	}
}

/* One public point is one key, whatever type and application say. */
static void
test_match_same_point(void **state)
{
	static const char *const pair[] = { "Aa", "Ba" };
	const struct lb_pinned *who[LB_MATCH_MAX];
	struct lb_pinned item[2];

	(void)state;
	lines_make(pair, 2, item);
	item[0].key.type = LB_KEY_ED25519;
	item[1].key.type = LB_KEY_SK_ED25519;
	(void)snprintf(
	    item[1].key.application, sizeof(item[1].key.application), "ssh:");
	assert_int_equal(count_lines(item, 2, who), 1);
	item[1].key.pk[0] = 'b';
	assert_int_equal(count_lines(item, 2, who), 2);
}

/* The size of the largest set, by trying them all. */
static size_t
largest(const struct lb_pinned *item, size_t count)
{
	size_t best = 0;

	for (unsigned int set = 0; set < 1U << count; set++) {
		const struct lb_pinned *who[LINES_MAX];
		size_t n = 0;
		bool fits = true;

		for (size_t i = 0; i < count; i++) {
			if ((set >> i & 1) != 0)
				who[n++] = &item[i];
		}
		for (size_t i = 0; i < n; i++) {
			for (size_t j = 0; j < i; j++)
				fits = fits && apart(who[i], who[j]);
		}
		if (fits && n > best)
			best = n;
	}
	return best;
}

static void
test_match_random(void **state)
{
	const uint8_t seed[randombytes_SEEDBYTES] = { 7 };
	uint8_t dice[3000 * (LINES_MAX * 2 + 1)], *d = dice;

	(void)state;
	randombytes_buf_deterministic(dice, sizeof(dice), seed);
	for (int round = 0; round < 3000; round++) {
		const struct lb_pinned *who[LB_MATCH_MAX];
		char text[LINES_MAX][3] = { 0 };
		const char *pair[LINES_MAX];
		struct lb_pinned item[LINES_MAX];
		size_t count = *d++ % (LINES_MAX + 1);

		for (size_t i = 0; i < LINES_MAX; i++) {
			text[i][0] = (char)('A' + *d++ % 5);
			text[i][1] = (char)('a' + *d++ % 5);
			pair[i] = text[i];
		}
		lines_make(pair, count, item);
		assert_int_equal(
		    count_lines(item, count, who), largest(item, count));
		assert_all_apart(who, largest(item, count));
	}
}

/* As many as there may be, all under as few names as possible and reverse. */
static void
test_match_most(void **state)
{
	const struct lb_pinned *who[LB_MATCH_MAX];
	static struct lb_pinned item[LB_MATCH_MAX];

	(void)state;
	for (size_t i = 0; i < LB_MATCH_MAX; i++) {
		item[i].principal[0] = (char)(i + 1);
		item[i].key.pk[0] = (uint8_t)(LB_MATCH_MAX - i);
		item[i].key.pk_len = 32;
	}
	assert_int_equal(count_lines(item, LB_MATCH_MAX, who), LB_MATCH_MAX);
	for (size_t i = 0; i < LB_MATCH_MAX; i++)
		item[i].principal[0] = 'A';
	assert_int_equal(count_lines(item, LB_MATCH_MAX, who), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match_table),
		cmocka_unit_test(test_match_same_point),
		cmocka_unit_test(test_match_random),
		cmocka_unit_test(test_match_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
