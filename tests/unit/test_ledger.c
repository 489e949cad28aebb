/* What of the spool is written when, and what is known after each way that can
 * go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/sshsig.h"

#include "ledger.h"

#define NOW INT64_C(1000000) /* boottime ms */

struct stand {
	char dir[40], path[64];
	struct lb_signer *signer;
	struct ledger l;
	struct state st;
};

static const struct saver_result good, good_state = { .had_state = true };

static const char *
key(const struct stand *st)
{
	return lb_signer_key(st->signer)->fp;
}

static int
setup(void **state)
{
	static struct stand st;

	memset(&st, 0, sizeof(st));
	(void)strcpy(st.dir, "/tmp/lockbox-ledger-XXXXXX");
	assert_non_null(mkdtemp(st.dir));
	(void)snprintf(st.path, sizeof(st.path), "%s/spool", st.dir);
	assert_int_equal(lb_signer_new(&st.signer), LB_OK);
	*state = &st;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *st = *state;
	char bad[80];

	ledger_clear(&st->l);
	state_clear(&st->st);
	lb_signer_free(st->signer);
	(void)snprintf(bad, sizeof(bad), "%s.unreadable", st->path);
	(void)unlink(bad);
	(void)unlink(st->path);
	assert_int_equal(rmdir(st->dir), 0);
	return 0;
}

static void
load(struct stand *st, bool lost)
{
	ledger_clear(&st->l);
	ledger_load(&st->l, st->dir, geteuid(), key(st), &st->st, lost);
	assert_int_equal(st->st.tail.len, 0);
}

static void
report(struct stand *st, bool tied)
{
	struct lb_report d = { .host = "web1",
		.tenant = "acme",
		.broker = "support",
		.trust = "sha256:0123456789012345678901234567890123456789"
			 "012345678901234567890123",
		.sequence = st->l.spool.last + 1,
		.event = "login.decision",
		.at = 1772460000 };
	struct lb_buf text = { 0 }, armor = { 0 };

	assert_int_equal(lb_doc_write(&lb_report_type, &d, &text), LB_OK);
	assert_int_equal(lb_signer_sign(st->signer, LB_NS_REPORT, text.data,
			     text.len, &armor),
	    LB_OK);
	assert_int_equal(lb_buf_add(&text, armor.data, armor.len), LB_OK);
	assert_int_equal(spool_add(&st->l.spool, &text, tied), LB_OK);
	lb_buf_clear(&armor);
}

/* What would be written now; its length. Nothing is. */
static size_t
add(struct stand *st, bool has_state, int64_t now, bool want_sync)
{
	struct saver_job job = { 0 };
	size_t len;

	ledger_add(&st->l, has_state, now, &job);
	assert_int_equal(job.sync, want_sync);
	assert_false(job.whole);
	len = job.spool.len;
	lb_buf_clear(&job.spool);
	return len;
}

/* The whole file is due: write it, or fail to. */
static void
whole(struct stand *st, int64_t now, bool fail)
{
	struct saver_result r = { .spool = fail ? LB_ERR_IO : LB_OK };
	struct saver_job job = { 0 };

	assert_true(ledger_whole(&st->l, now, &job));
	assert_true(job.whole);
	if (!fail)
		assert_int_equal(lb_file_write_atomic(st->path, 0600,
				     job.spool.data, job.spool.len),
		    LB_OK);
	lb_buf_clear(&job.spool);
	ledger_saved(&st->l, &r);
	assert_int_equal(st->l.spool.rewrite, fail);
}

static void
test_ledger_first_start(void **state)
{
	struct stand *st = *state;
	struct saver_job job = { 0 };

	load(st, false);
	assert_int_equal(st->l.spool.doubt, 0);
	assert_string_equal(st->l.spool.key, key(st));
	assert_int_equal(ledger_file_len(&st->l), 0);
	assert_int_equal(ledger_next(&st->l), 0);
	whole(st, NOW, false);
	assert_false(ledger_whole(&st->l, NOW, &job));
	assert_int_equal(ledger_next(&st->l), -1);
	load(st, false);
	assert_true(ledger_file_len(&st->l) > 100);
	assert_false(ledger_whole(&st->l, NOW, &job));
}

static void
test_ledger_closed_without_a_key(void **state)
{
	struct ledger l = { 0 };
	struct saver_job job = { 0 };

	(void)state;
	assert_false(ledger_whole(&l, NOW, &job));
	ledger_add(&l, true, NOW, &job);
	assert_int_equal(job.spool.len, 0);
	assert_false(job.sync);
	ledger_saved(&l, &good_state);
	assert_int_equal(ledger_next(&l), -1);
	assert_false(ledger_unsafe(&l));
}

/* Written at once, safe a little later: then it may be sent. */
static void
test_ledger_written_then_synced(void **state)
{
	struct stand *st = *state;

	load(st, false);
	whole(st, NOW, false);
	report(st, false);
	assert_true(ledger_unsafe(&st->l));
	assert_int_equal(ledger_next(&st->l), 0);
	assert_true(add(st, false, NOW, false) > 0);
	ledger_saved(&st->l, &good);
	assert_int_equal(st->l.spool.written, 1);
	assert_int_equal(spool_ready(&st->l.spool), 0);
	assert_int_equal(ledger_next(&st->l), NOW + LEDGER_SYNC_MS);
	assert_int_equal(add(st, false, NOW + LEDGER_SYNC_MS - 1, false), 0);
	assert_int_equal(add(st, false, NOW + LEDGER_SYNC_MS, true), 0);
	ledger_saved(&st->l, &good);
	assert_int_equal(spool_ready(&st->l.spool), 1);
	assert_false(ledger_unsafe(&st->l));
	assert_int_equal(ledger_next(&st->l), -1);
	assert_int_equal(st->l.spool.synced, 1);
}

/* A save of the state makes it safe, without a sync. */
static void
test_ledger_state_makes_safe(void **state)
{
	struct stand *st = *state;

	load(st, false);
	whole(st, NOW, false);
	report(st, false);
	assert_true(add(st, false, NOW, false) > 0);
	ledger_saved(&st->l, &good);
	assert_int_equal(ledger_tail(&st->l, &st->st), LB_OK);
	assert_true(st->st.tail.len > 0);
	assert_int_equal(st->st.reports, 1);
	assert_int_equal(add(st, true, NOW + 5, false), 0);
	ledger_saved(&st->l, &good_state);
	assert_int_equal(spool_ready(&st->l.spool), 1);
	assert_int_equal(st->l.spool.synced, 0);
	assert_int_equal(ledger_next(&st->l), -1);
}

/* It is written with the state that it tells of, never before; so is what
 * comes behind it. */
static void
test_ledger_tied_waits(void **state)
{
	struct stand *st = *state;
	struct saver_result bad = { .state = LB_ERR_IO, .had_state = true };
	struct saver_job job = { 0 };

	load(st, false);
	whole(st, NOW, false);
	report(st, true);
	report(st, false);
	assert_int_equal(add(st, false, NOW, false), 0);
	assert_int_equal(ledger_next(&st->l), -1);
	st->l.spool.rewrite = true;
	assert_true(ledger_whole(&st->l, NOW, &job));
	assert_null(strstr(job.spool.data, "report: "));
	lb_buf_clear(&job.spool);
	st->l.spool.rewrite = false;
	assert_true(add(st, true, NOW, false) > 0);
	assert_false(st->l.failing);
	ledger_saved(&st->l, &bad);
	assert_true(st->l.failing);
	assert_int_equal(st->l.spool.written, 0);
	assert_int_equal(spool_ready(&st->l.spool), 0);
	assert_true(add(st, true, NOW, false) > 0);
	ledger_saved(&st->l, &good_state);
	assert_false(st->l.failing);
	assert_int_equal(spool_ready(&st->l.spool), 2);
	assert_int_equal(st->l.spool.written, 2);
}

static void
test_ledger_write_fails(void **state)
{
	struct stand *st = *state;
	struct saver_result bad = { .spool = LB_ERR_IO };
	int64_t now = lb_clock_boottime_ms();

	load(st, false);
	whole(st, now, false);
	report(st, false);
	assert_true(add(st, false, now, false) > 0);
	ledger_saved(&st->l, &bad);
	assert_true(st->l.failing);
	assert_false(st->l.spool.rewrite);
	assert_true(ledger_next(&st->l) >= now + LEDGER_RETRY_MS);
	assert_int_equal(add(st, false, now, false), 0);
	/* The state holds it meanwhile; then it may even be sent. */
	assert_int_equal(add(st, true, now, false), 0);
	ledger_saved(&st->l, &good_state);
	assert_false(st->l.failing);
	assert_int_equal(spool_ready(&st->l.spool), 1);
	assert_int_equal(st->l.spool.written, 0);
	assert_true(add(st, false, now + 60000, false) > 0);
	bad.spool = LB_ERR_MISSING;
	ledger_saved(&st->l, &bad);
	assert_true(st->l.spool.rewrite);
	whole(st, now + 60000, true);
	whole(st, now + 120000, false);
	assert_int_equal(st->l.spool.synced, 1);
}

static void
test_ledger_sync_fails(void **state)
{
	struct stand *st = *state;
	struct saver_result bad = { .sync = LB_ERR_IO };

	load(st, false);
	whole(st, NOW, false);
	report(st, false);
	assert_true(add(st, false, NOW, false) > 0);
	ledger_saved(&st->l, &good);
	assert_int_equal(add(st, false, NOW + LEDGER_SYNC_MS, true), 0);
	ledger_saved(&st->l, &bad);
	assert_true(st->l.failing);
	assert_true(st->l.spool.rewrite);
	assert_int_equal(spool_ready(&st->l.spool), 0);
	st->l.retry_ms = 0;
	whole(st, NOW, false);
	assert_false(st->l.failing);
	assert_int_equal(spool_ready(&st->l.spool), 1);
}

static void
test_ledger_notes_how_far_the_broker_is(void **state)
{
	struct stand *st = *state;

	load(st, false);
	whole(st, NOW, false);
	report(st, false);
	(void)add(st, true, NOW, false);
	ledger_saved(&st->l, &good_state);
	assert_int_equal(spool_answered(&st->l.spool, 1, 1), SPOOL_TAKEN);
	ledger_note(&st->l, NOW);
	ledger_note(&st->l, NOW + 3);
	assert_int_equal(ledger_next(&st->l), NOW + LEDGER_NOTE_MS);
	assert_int_equal(add(st, false, NOW, false), 0);
	assert_true(add(st, false, NOW + LEDGER_NOTE_MS, false) > 0);
	ledger_saved(&st->l, &good);
	assert_int_equal(st->l.spool.noted, 1);
	assert_int_equal(ledger_next(&st->l), -1);
	st->l.spool.file_len = LEDGER_LOOSE + 1;
	report(st, false);
	assert_true(add(st, true, NOW, false) > 0);
	ledger_saved(&st->l, &good_state);
	assert_true(st->l.spool.rewrite);
}

/* Which numbers are surely ours? */
static void
test_ledger_doubt(void **state)
{
	struct stand *st = *state;
	static const struct {
		const char *file; /* NULL: none */
		int64_t reports;
		bool lost;
		int64_t want;
	} row[] = {
		{ NULL, 0, false, 0 },
		{ NULL, 0, true, 1 },
		{ NULL, 7, false, 8 },
		{ "", 0, false, 1 },
		{ "nonsense\n", 7, false, 8 },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		(void)unlink(st->path);
		if (row[i].file != NULL)
			assert_int_equal(lb_file_write_atomic(st->path, 0600,
					     row[i].file, strlen(row[i].file)),
			    LB_OK);
		st->st.reports = row[i].reports;
		load(st, row[i].lost);
		assert_int_equal(st->l.spool.doubt, row[i].want);
		assert_true(st->l.spool.rewrite);
		assert_int_equal(access(st->path, F_OK), -1); /* set aside */
	}
}

/* What the file lost at its end, and what the state's tail gives back. */
static void
test_ledger_cut_and_tail(void **state)
{
	struct stand *st = *state;
	size_t len;

	load(st, false);
	report(st, false);
	report(st, false);
	whole(st, NOW, false);
	len = ledger_file_len(&st->l);
	report(st, false);
	assert_int_equal(ledger_tail(&st->l, &st->st), LB_OK);
	load(st, false);
	assert_int_equal(st->l.spool.count, 3);
	assert_int_equal(st->l.spool.doubt, 0);
	assert_int_equal(st->l.spool.safe, 3);
	assert_int_equal(truncate(st->path, (off_t)len - 1), 0);
	st->st.reports = 3;
	load(st, false);
	assert_int_equal(st->l.spool.count, 1);
	assert_int_equal(st->l.spool.last, 3);
	assert_int_equal(st->l.spool.doubt, 4);
	whole(st, NOW, false);
	load(st, false); /* it is not forgotten */
	assert_int_equal(st->l.spool.doubt, 4);
}

static void
test_ledger_another_key(void **state)
{
	struct stand *st = *state;

	load(st, false);
	report(st, false);
	whole(st, NOW, false);
	lb_signer_free(st->signer);
	assert_int_equal(lb_signer_new(&st->signer), LB_OK);
	st->st.reports = 0;
	load(st, false);
	assert_int_equal(st->l.spool.count, 0);
	assert_int_equal(st->l.spool.last, 0);
	assert_int_equal(st->l.spool.doubt, 0);
	assert_true(st->l.spool.rewrite);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_ledger_first_start, setup, teardown),
		cmocka_unit_test(test_ledger_closed_without_a_key),
		cmocka_unit_test_setup_teardown(
		    test_ledger_written_then_synced, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_state_makes_safe, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_tied_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_write_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_sync_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_notes_how_far_the_broker_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_doubt, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_cut_and_tail, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_ledger_another_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
