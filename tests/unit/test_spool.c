/* The spool: order, room, numbers that are never told twice, and a file that
 * may be cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/bundle.h"
#include "lockbox/sshsig.h"

#include "spool.h"

static struct lb_signer *signer;

/* A report of that number, as an agent writes it. */
static void
report(int64_t sequence, struct lb_buf *ret)
{
	struct lb_report d = { .host = "web1",
		.tenant = "acme",
		.broker = "support",
		.trust = "sha256:0123456789012345678901234567890123456789"
			 "012345678901234567890123",
		.sequence = sequence,
		.event = "login.decision",
		.at = 1772460000 };
	struct lb_buf armor = { 0 };

	assert_int_equal(lb_doc_write(&lb_report_type, &d, ret), LB_OK);
	assert_int_equal(
	    lb_signer_sign(signer, LB_NS_REPORT, ret->data, ret->len, &armor),
	    LB_OK);
	assert_int_equal(lb_buf_add(ret, armor.data, armor.len), LB_OK);
	lb_buf_clear(&armor);
}

static void
add(struct spool *sp, bool tied)
{
	struct lb_buf text = { 0 };

	report(sp->last + 1, &text);
	assert_int_equal(spool_add(sp, &text, tied), LB_OK);
	assert_null(text.data);
}

static struct spool
spool_of(int count)
{
	struct spool sp = { 0 };

	(void)strcpy(sp.key, lb_signer_key(signer)->fp);
	for (int i = 0; i < count; i++)
		add(&sp, false);
	return sp;
}

/* As if all of it had been saved. */
static void
saved(struct spool *sp)
{
	sp->written = sp->synced = sp->safe = sp->last;
}

static void
assert_items(const struct spool *sp, int64_t first, size_t count)
{
	assert_int_equal(sp->count, count);
	for (size_t i = 0; i < count; i++) {
		char line[40];

		assert_int_equal(sp->item[i].sequence, first + (int64_t)i);
		(void)snprintf(line, sizeof(line), "\nsequence: %lld\n",
		    (long long)sp->item[i].sequence);
		assert_non_null(memmem(
		    sp->item[i].text, sp->item[i].len, line, strlen(line)));
	}
}

static int
setup(void **state)
{
	(void)state;
	return lb_signer_new(&signer) == LB_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	lb_signer_free(signer);
	return 0;
}

static void
test_spool_has_room_by_kind(void **state)
{
	struct spool sp = spool_of(1);
	struct lb_buf text = { 0 };

	(void)state;
	for (size_t n = 0; n <= SPOOL_MAX; n++) {
		sp.count = n;
		assert_int_equal(
		    spool_takes(&sp, SPOOL_MINOR), n < SPOOL_MINOR_MAX);
		assert_int_equal(spool_takes(&sp, SPOOL_MAJOR), n < SPOOL_MAX);
	}
	report(2, &text);
	assert_int_equal(spool_add(&sp, &text, false), LB_ERR_RANGE);
	assert_non_null(text.data);
	sp.count = 1;
	assert_int_equal(spool_add(&sp, &text, false), LB_OK);
	assert_int_equal(spool_add(&sp, &text, false), LB_ERR_RANGE);
	spool_skip(&sp);
	assert_int_equal(sp.skipped, 1);
	assert_int_equal(sp.last, 3);
	add(&sp, false);
	assert_int_equal(sp.item[2].sequence, 4);
	sp.last = LB_SEQUENCE_MAX;
	assert_false(spool_takes(&sp, SPOOL_MAJOR));
	spool_skip(&sp);
	assert_int_equal(sp.last, LB_SEQUENCE_MAX);
	spool_clear(&sp);
	assert_int_equal(sp.count, 0);
}

static void
test_spool_tied_waits_for_its_state(void **state)
{
	struct spool sp = spool_of(2);

	(void)state;
	assert_false(spool_tied(&sp));
	assert_int_equal(spool_free(&sp), 2);
	add(&sp, true);
	add(&sp, false);
	add(&sp, true);
	assert_true(spool_tied(&sp));
	assert_int_equal(spool_free(&sp), 2);
	sp.safe = 4;
	assert_true(spool_tied(&sp));
	assert_int_equal(spool_free(&sp), 4);
	sp.safe = 5;
	assert_false(spool_tied(&sp));
	assert_int_equal(spool_free(&sp), 5);
	spool_clear(&sp);
}

/* Head, three entries, "done" once, two entries more. */
static struct lb_buf
file_of_five(void)
{
	struct spool sp = spool_of(3);
	struct lb_buf b = { 0 };

	assert_int_equal(spool_whole(&sp, sp.last, &b), LB_OK);
	saved(&sp);
	assert_int_equal(spool_answered(&sp, 2, 2), SPOOL_TAKEN);
	add(&sp, false);
	add(&sp, false);
	assert_int_equal(spool_news(&sp, sp.last, &b), LB_OK);
	spool_clear(&sp);
	return b;
}

static void
test_spool_file_round_trip(void **state)
{
	struct lb_buf b = file_of_five(), again = { 0 };
	struct spool sp = { 0 };
	size_t good = 0;

	(void)state;
	assert_int_equal(spool_parse(b.data, b.len, &sp, &good), LB_OK);
	assert_int_equal(good, b.len);
	assert_int_equal(sp.file_len, b.len);
	assert_items(&sp, 3, 3);
	assert_int_equal(sp.last, 5);
	assert_int_equal(sp.done, 2);
	assert_int_equal(sp.noted, 2);
	assert_int_equal(sp.safe, 5);
	assert_int_equal(sp.written, 5);
	assert_int_equal(sp.synced, 5);
	assert_int_equal(sp.doubt, 0);
	assert_false(sp.rewrite);
	assert_string_equal(sp.key, lb_signer_key(signer)->fp);
	assert_int_equal(spool_news(&sp, sp.last, &again), LB_OK);
	assert_int_equal(again.len, 0);
	sp.doubt = 6;
	assert_int_equal(spool_whole(&sp, sp.last, &again), LB_OK);
	spool_clear(&sp);
	assert_int_equal(spool_parse(again.data, again.len, &sp, &good), LB_OK);
	assert_items(&sp, 3, 3);
	assert_int_equal(sp.doubt, 6);
	assert_int_equal(sp.done, 2);
	spool_clear(&sp);
	lb_buf_clear(&again);
	lb_buf_clear(&b);
}

/* Wherever it is cut, what stands whole before is read, and nothing else. */
static void
test_spool_file_cut_anywhere(void **state)
{
	struct lb_buf b = file_of_five();
	size_t good, before = 0, steps = 0;

	(void)state;
	for (size_t len = 0; len <= b.len; len++) {
		struct spool sp = { .count = 77 };
		enum lb_err r;

		good = SIZE_MAX;
		r = spool_parse(b.data, len, &sp, &good);
		if (r != LB_OK) {
			assert_int_equal(r, LB_ERR_FORMAT);
			assert_int_equal(good, SIZE_MAX);
			assert_int_equal(sp.count, 77);
			assert_int_equal(steps, 0);
			continue;
		}
		assert_in_range(good, before, len);
		steps += good > before;
		before = good;
		assert_true(sp.last == 3 || sp.last == 4 || sp.last == 5);
		spool_clear(&sp);
	}
	assert_int_equal(steps, 7); /* head, 3 reports, done, 2 reports */
	lb_buf_clear(&b);
}

static void
test_spool_file_altered(void **state)
{
	struct lb_buf b = file_of_five();
	struct spool whole = { 0 };
	size_t good, heads = 0;

	(void)state;
	assert_int_equal(spool_parse(b.data, b.len, &whole, &good), LB_OK);
	for (size_t i = 0; i < b.len; i += 3) {
		struct spool sp = { 0 };
		char was = b.data[i];

		b.data[i] ^= 1;
		if (spool_parse(b.data, b.len, &sp, &good) != LB_OK) {
			heads++;
		} else {
			assert_true(good <= i);
			assert_true(sp.done <= whole.done);
			assert_true(sp.last <= whole.last);
			spool_clear(&sp);
		}
		b.data[i] = was;
	}
	assert_true(heads > 20);
	spool_clear(&whole);
	lb_buf_clear(&b);
}

static void
test_spool_file_refuses(void **state)
{
	static const struct {
		const char *from, *to;
	} row[] = { { "spool-v1", "spool-v2" },
		{ "key: SHA256:", "key: SHA1:" }, { "last: 3", "last: 4" },
		{ "last: 3", "last: -3" }, { "doubt: 0\n", "" },
		{ "done: 0", "done: 00" } };
	struct lb_buf b = file_of_five();

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *at = strstr(b.data, row[i].from);
		struct lb_buf bad = { 0 };
		struct spool sp = { 0 };
		size_t good = 0;

		assert_non_null(at);
		assert_int_equal(
		    lb_buf_add(&bad, b.data, (size_t)(at - b.data)), LB_OK);
		assert_int_equal(lb_buf_adds(&bad, row[i].to), LB_OK);
		assert_int_equal(
		    lb_buf_adds(&bad, at + strlen(row[i].from)), LB_OK);
		assert_int_equal(
		    spool_parse(bad.data, bad.len, &sp, &good), LB_ERR_FORMAT);
		lb_buf_clear(&bad);
	}
	lb_buf_clear(&b);
}

/* A number twice, a number below what the broker has, a report unsigned. */
static void
test_spool_file_entries_ascend(void **state)
{
	struct spool sp = spool_of(3), got = { 0 };
	struct lb_buf b = { 0 };
	size_t good = 0, len;

	(void)state;
	assert_int_equal(spool_whole(&sp, 3, &b), LB_OK);
	len = b.len;
	assert_int_equal(spool_entries(&sp, 2, 3, &b), LB_OK);
	assert_int_equal(spool_parse(b.data, b.len, &got, &good), LB_OK);
	assert_int_equal(good, len);
	assert_items(&got, 1, 3);
	spool_clear(&got);
	b.len = len;
	sp.item[0].len =
	    (size_t)(strstr(sp.item[0].text, "-----") - sp.item[0].text);
	sp.item[0].sequence = 4;
	assert_int_equal(spool_entries(&sp, 3, 9, &b), LB_OK);
	assert_int_equal(spool_parse(b.data, b.len, &got, &good), LB_OK);
	assert_int_equal(good, len);
	spool_clear(&got);
	lb_buf_clear(&b);
	spool_clear(&sp);
}

static void
test_spool_tail_is_taken_up_once(void **state)
{
	struct spool sp = spool_of(2), more = spool_of(5);
	struct lb_buf tail = { 0 }, news = { 0 };

	(void)state;
	saved(&sp);
	assert_int_equal(spool_entries(&more, 1, 5, &tail), LB_OK);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    spool_take_tail(&sp, tail.data, tail.len, 7), LB_OK);
		assert_items(&sp, 1, 5);
		assert_int_equal(sp.last, 7); /* two were skipped */
		assert_int_equal(sp.safe, 7);
		assert_int_equal(sp.written, 2);
	}
	assert_int_equal(spool_news(&sp, sp.last, &news), LB_OK);
	lb_buf_clear(&tail);
	assert_int_equal(spool_entries(&more, 2, 5, &tail), LB_OK);
	assert_int_equal(news.len, tail.len);
	assert_memory_equal(news.data, tail.data, tail.len);
	assert_int_equal(
	    spool_take_tail(&sp, tail.data, tail.len - 1, 5), LB_ERR_FORMAT);
	assert_int_equal(spool_take_tail(&sp, NULL, 0, 3), LB_OK);
	assert_int_equal(sp.last, 7);
	lb_buf_clear(&tail);
	lb_buf_clear(&news);
	spool_clear(&sp);
	spool_clear(&more);
}

static void
test_spool_sends_only_what_is_safe(void **state)
{
	struct spool sp = spool_of(70);

	(void)state;
	assert_int_equal(spool_ready(&sp), 0);
	sp.safe = 3;
	assert_int_equal(spool_ready(&sp), 3);
	sp.doubt = 1;
	assert_int_equal(spool_ready(&sp), 1);
	sp.doubt = 0;
	sp.safe = 70;
	assert_int_equal(spool_ready(&sp), LB_BUNDLE_PARTS_MAX);
	spool_clear(&sp);
}

static void
test_spool_answers(void **state)
{
	/* Ten reports; the first three are from before, if there is doubt. */
	static const struct {
		int64_t doubt, sent, kept;
		enum spool_word want;
		int64_t first, left; /* in the queue afterwards, before any
		                      * new numbers */
		int64_t doubt_left;
	} row[] = {
		{ 0, 5, 5, SPOOL_TAKEN, 6, 5, 0 },
		{ 0, 5, 4, SPOOL_GARBAGE, 1, 10, 0 },
		{ 0, 5, 0, SPOOL_GARBAGE, 1, 10, 0 },
		/* it had them already, our note of that was lost */
		{ 0, 1, 8, SPOOL_TAKEN, 9, 2, 0 },
		{ 0, 10, 10, SPOOL_TAKEN, 11, 0, 0 },
		/* more than we ever gave out */
		{ 0, 5, 11, SPOOL_RENUMBER, 1, 10, 0 },
		{ 0, 5, 10 + SPOOL_JUMP_MAX, SPOOL_RENUMBER, 1, 10, 0 },
		{ 0, 5, 11 + SPOOL_JUMP_MAX, SPOOL_GARBAGE, 1, 10, 0 },
		{ 0, 5, INT64_MAX, SPOOL_GARBAGE, 1, 10, 0 },
		/* in doubt: ours before it, somebody's from there on */
		{ 4, 1, 1, SPOOL_TAKEN, 2, 9, 4 },
		{ 4, 1, 3, SPOOL_TAKEN, 4, 7, 4 },
		{ 4, 1, 4, SPOOL_RENUMBER, 4, 7, 0 },
		{ 4, 1, 9, SPOOL_RENUMBER, 4, 7, 0 },
		{ 4, 1, 20, SPOOL_RENUMBER, 4, 7, 0 },
		{ 4, 4, 4, SPOOL_TAKEN, 5, 6, 0 },
		{ 4, 4, 5, SPOOL_RENUMBER, 4, 7, 0 },
		{ 4, 4, 3, SPOOL_GARBAGE, 1, 10, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct spool sp = spool_of(10);

		saved(&sp);
		sp.doubt = row[i].doubt;
		assert_int_equal(
		    spool_answered(&sp, row[i].sent, row[i].kept), row[i].want);
		assert_items(&sp, row[i].first, (size_t)row[i].left);
		assert_int_equal(sp.doubt, row[i].doubt_left);
		if (row[i].want == SPOOL_RENUMBER) {
			assert_true(sp.last >= row[i].kept && sp.last >= 10);
			assert_true(sp.rewrite);
		} else {
			assert_int_equal(sp.last, 10);
			assert_int_equal(
			    sp.rewrite, row[i].doubt != row[i].doubt_left);
		}
		spool_clear(&sp);
	}
}

/* What was read from the disk was told under its number, if at all. */
static void
test_spool_set_back(void **state)
{
	struct spool sp = spool_of(4);

	(void)state;
	saved(&sp);
	sp.old = 2;
	assert_int_equal(spool_answered(&sp, 4, 30), SPOOL_RENUMBER);
	assert_items(&sp, 3, 2);
	assert_int_equal(sp.last, 30);
	spool_clear(&sp);
}

static void
test_spool_renumbered(void **state)
{
	struct spool sp = spool_of(3);

	(void)state;
	saved(&sp);
	add(&sp, true);
	assert_int_equal(spool_answered(&sp, 3, 90), SPOOL_RENUMBER);
	for (size_t i = 0; i < 4; i++) {
		struct lb_buf text = { 0 };

		report(sp.last + 1, &text);
		assert_int_equal(spool_renumbered(&sp, i, &text), LB_OK);
		assert_null(text.data);
	}
	assert_items(&sp, 91, 4);
	assert_int_equal(spool_ready(&sp), 0); /* not safe under that number */
	assert_int_equal(spool_free(&sp), 93); /* the last one is tied still */
	spool_forget(&sp, 1);
	assert_int_equal(sp.count, 3);
	assert_int_equal(sp.item[0].sequence, 91);
	assert_int_equal(sp.item[1].sequence, 93);
	spool_clear(&sp);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spool_has_room_by_kind),
		cmocka_unit_test(test_spool_tied_waits_for_its_state),
		cmocka_unit_test(test_spool_file_round_trip),
		cmocka_unit_test(test_spool_file_cut_anywhere),
		cmocka_unit_test(test_spool_file_altered),
		cmocka_unit_test(test_spool_file_refuses),
		cmocka_unit_test(test_spool_file_entries_ascend),
		cmocka_unit_test(test_spool_tail_is_taken_up_once),
		cmocka_unit_test(test_spool_sends_only_what_is_safe),
		cmocka_unit_test(test_spool_answers),
		cmocka_unit_test(test_spool_set_back),
		cmocka_unit_test(test_spool_renumbered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
