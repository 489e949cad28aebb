/* Saving in another thread: whole files, told errors, nothing lost on leaving. */
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
	char dir[40], path[64];
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
	assert_int_equal(saver_new(st.path, &st.s), LB_OK);
	*state = &st;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *st = *state;

	saver_free(st->s);
	(void)unlink(st->path);
	(void)rmdir(st->dir);
	return 0;
}

static void
begin(struct stand *st, const char *text)
{
	struct lb_buf b = { 0 };

	assert_int_equal(lb_buf_adds(&b, text), LB_OK);
	assert_false(saver_busy(st->s));
	saver_begin(st->s, &b);
	assert_null(b.data);
	assert_true(saver_busy(st->s));
}

static enum lb_err
finish(struct stand *st)
{
	struct pollfd p = { .fd = saver_fd(st->s), .events = POLLIN };
	enum lb_err r;
	int error;

	assert_int_equal(poll(&p, 1, 10000), 1);
	r = saver_finish(st->s);
	error = errno;
	assert_false(saver_busy(st->s));
	assert_int_equal(saver_finish(st->s), LB_ERR_LIMIT);
	assert_int_equal(poll(&p, 1, 0), 0);
	errno = error;
	return r;
}

static void
assert_file(const struct stand *st, const char *want)
{
	struct lb_buf b = { 0 };

	assert_int_equal(
	    lb_file_read_secret(st->path, geteuid(), 4096, &b), LB_OK);
	assert_string_equal(b.data, want);
	lb_buf_clear(&b);
}

static void
test_saver_saves(void **state)
{
	struct stand *st = *state;

	assert_int_equal(saver_finish(st->s), LB_ERR_LIMIT);
	for (int i = 0; i < 50; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "state %d\n", i);
		begin(st, text);
		assert_int_equal(finish(st), LB_OK);
		assert_file(st, text);
	}
}

static void
test_saver_tells_errors(void **state)
{
	struct stand *st = *state;

	begin(st, "first\n");
	assert_int_equal(finish(st), LB_OK);
	assert_int_equal(unlink(st->path), 0);
	assert_int_equal(rmdir(st->dir), 0);
	begin(st, "second\n");
	assert_int_equal(finish(st), LB_ERR_IO);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(mkdir(st->dir, 0700), 0);
	begin(st, "third\n");
	assert_int_equal(finish(st), LB_OK);
	assert_file(st, "third\n");
}

static void
test_saver_free_waits(void **state)
{
	struct stand *st = *state;

	for (int i = 0; i < 20; i++) {
		begin(st, i % 2 == 0 ? "even\n" : "odd\n");
		saver_free(st->s);
		assert_file(st, i % 2 == 0 ? "even\n" : "odd\n");
		assert_int_equal(saver_new(st->path, &st->s), LB_OK);
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
		    test_saver_tells_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_saver_free_waits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
