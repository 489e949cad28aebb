/* Saving in another thread: whole files, added reports, told errors, nothing
 * lost on leaving. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lockbox/file.h"

#include "saver.h"

struct stand {
	char dir[40], path[64], spool[64];
	struct saver *s;
};

static int
setup(void **state)
{
	static struct stand st;

	memset(&st, 0, sizeof(st));
	(void)strcpy(st.dir, "/tmp/lockbox-saver-XXXXXX");
	assert_non_null(mkdtemp(st.dir));
	(void)snprintf(st.path, sizeof(st.path), "%s/state", st.dir);
	(void)snprintf(st.spool, sizeof(st.spool), "%s/spool", st.dir);
	assert_int_equal(saver_new(st.path, st.spool, 0, &st.s), LB_OK);
	*state = &st;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *st = *state;

	saver_free(st->s);
	(void)unlink(st->path);
	(void)unlink(st->spool);
	(void)rmdir(st->dir);
	return 0;
}

/* "" for what is not to be written. */
static void
begin(struct stand *st, const char *text, const char *spool, bool whole)
{
	struct saver_job job = { .whole = whole, .sync = spool[0] != '\0' };

	if (text[0] != '\0')
		assert_int_equal(lb_buf_adds(&job.state, text), LB_OK);
	if (spool[0] != '\0')
		assert_int_equal(lb_buf_adds(&job.spool, spool), LB_OK);
	assert_false(saver_busy(st->s));
	saver_begin(st->s, &job);
	assert_null(job.state.data);
	assert_null(job.spool.data);
	assert_true(saver_busy(st->s));
}

static struct saver_result
finish(struct stand *st)
{
	struct pollfd p = { .fd = saver_fd(st->s), .events = POLLIN };
	struct saver_result r, same;
	int error;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(saver_finish(st->s, &r), LB_OK);
	error = errno;
	assert_false(saver_busy(st->s));
	same = r;
	assert_int_equal(saver_finish(st->s, &same), LB_ERR_LIMIT);
	assert_memory_equal(&same, &r, sizeof(r));
	assert_int_equal(poll(&p, 1, 0), 0);
	errno = error;
	return r;
}

static void
finish_well(struct stand *st)
{
	struct saver_result r = finish(st);

	assert_int_equal(r.state, LB_OK);
	assert_int_equal(r.spool, LB_OK);
	assert_int_equal(r.sync, LB_OK);
}

static void
assert_file(const char *path, const char *want)
{
	struct lb_buf b = { 0 };

	assert_int_equal(lb_file_read_secret(path, geteuid(), 4096, &b), LB_OK);
	assert_string_equal(b.data, want);
	lb_buf_clear(&b);
}

static void
test_saver_saves(void **state)
{
	struct stand *st = *state;
	struct saver_result r;

	assert_int_equal(saver_finish(st->s, &r), LB_ERR_LIMIT);
	for (int i = 0; i < 50; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "state %d\n", i);
		begin(st, text, "", false);
		r = finish(st);
		assert_int_equal(r.state, LB_OK);
		assert_true(r.had_state);
		assert_file(st->path, text);
	}
	assert_int_equal(access(st->spool, F_OK), -1);
}

static void
test_saver_adds_to_the_spool(void **state)
{
	struct stand *st = *state;

	begin(st, "", "head\n", true);
	finish_well(st);
	begin(st, "one\n", "1\n", false);
	finish_well(st);
	assert_file(st->path, "one\n");
	assert_file(st->spool, "head\n1\n");
	begin(st, "", "2\n", false);
	assert_false(finish(st).had_state);
	assert_file(st->spool, "head\n1\n2\n");
	begin(st, "", "anew\n", true);
	finish_well(st);
	begin(st, "", "3\n", false);
	finish_well(st);
	assert_file(st->spool, "anew\n3\n");
	assert_file(st->path, "one\n");
}

static void
test_saver_takes_off_what_is_half(void **state)
{
	struct stand *st = *state;

	begin(st, "", "head\n1\nha", true);
	finish_well(st);
	saver_free(st->s);
	/* As it was found: seven bytes are whole. */
	assert_int_equal(saver_new(st->path, st->spool, 7, &st->s), LB_OK);
	begin(st, "", "2\n", false);
	finish_well(st);
	assert_file(st->spool, "head\n1\n2\n");
}

static void
test_saver_tells_errors(void **state)
{
	struct stand *st = *state;
	struct saver_result r;

	begin(st, "first\n", "head\n", true);
	finish_well(st);
	assert_int_equal(unlink(st->path), 0);
	assert_int_equal(unlink(st->spool), 0);
	assert_int_equal(rmdir(st->dir), 0);
	begin(st, "second\n", "never\n", true);
	r = finish(st);
	assert_int_equal(r.state, LB_ERR_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir(st->dir, 0700), 0);
	/* What belongs to a state that failed is not told either. */
	assert_int_equal(access(st->spool, F_OK), -1);
	begin(st, "third\n", "1\n", false);
	r = finish(st);
	assert_int_equal(r.state, LB_OK);
	assert_int_equal(r.spool, LB_ERR_MISSING);
	assert_file(st->path, "third\n");
}

static void
test_saver_free_waits(void **state)
{
	struct stand *st = *state;

	for (int i = 0; i < 20; i++) {
		const char *text = i % 2 == 0 ? "even\n" : "odd\n";

		begin(st, text, text, true);
		saver_free(st->s);
		assert_file(st->path, text);
		assert_file(st->spool, text);
		assert_int_equal(
		    saver_new(st->path, st->spool, 0, &st->s), LB_OK);
	}
	saver_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_saver_saves, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_saver_adds_to_the_spool, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_saver_takes_off_what_is_half, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_saver_tells_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_saver_free_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
