/* The event loop: what is ready is called, what was removed is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "loop.h"

struct end {
	struct loop *loop;
	struct loop_watch watch;
	struct end *other; /* removed by our callback */
	int pipe[2];
	int called;
};

static void
on_ready(void *arg, uint32_t events)
{
	struct end *e = arg;

	assert_true((events & (EPOLLIN | EPOLLHUP)) != 0);
	e->called++;
	if (e->other != NULL)
		loop_remove(e->loop, &e->other->watch);
}

static void
end_new(struct loop *l, struct end *e)
{
	memset(e, 0, sizeof(*e));
	assert_int_equal(pipe(e->pipe), 0);
	e->loop = l;
	e->watch = (struct loop_watch){ e->pipe[0], on_ready, e };
	assert_int_equal(loop_add(l, &e->watch, EPOLLIN), LB_OK);
}

static void
end_free(struct end *e)
{
	loop_remove(e->loop, &e->watch);
	(void)close(e->pipe[0]);
	if (e->pipe[1] >= 0)
		(void)close(e->pipe[1]);
}

static void
test_loop_calls(void **state)
{
	struct loop *l = NULL;
	struct end e;

	(void)state;
	assert_int_equal(loop_new(&l), LB_OK);
	end_new(l, &e);
	assert_int_equal(loop_turn(l, 0), LB_OK);
	assert_int_equal(e.called, 0);
	assert_int_equal(write(e.pipe[1], "x", 1), 1);
	assert_int_equal(loop_turn(l, 1000), LB_OK);
	assert_int_equal(e.called, 1);
	assert_int_equal(loop_change(l, &e.watch, 0), LB_OK);
	assert_int_equal(loop_turn(l, 0), LB_OK);
	assert_int_equal(e.called, 1);
	(void)close(e.pipe[1]); /* a hang-up always comes */
	e.pipe[1] = -1;
	assert_int_equal(loop_turn(l, 1000), LB_OK);
	assert_int_equal(e.called, 2);
	end_free(&e);
	loop_free(l);
	loop_free(NULL);
}

/* Both are ready; the first takes the second away. */
static void
test_loop_removed_in_the_same_turn(void **state)
{
	struct loop *l = NULL;
	struct end a, b;

	(void)state;
	assert_int_equal(loop_new(&l), LB_OK);
	end_new(l, &a);
	end_new(l, &b);
	a.other = &b;
	b.other = &a;
	assert_int_equal(write(a.pipe[1], "x", 1), 1);
	assert_int_equal(write(b.pipe[1], "x", 1), 1);
	assert_int_equal(loop_turn(l, 1000), LB_OK);
	assert_int_equal(a.called + b.called, 1);
	end_free(&a);
	end_free(&b);
	loop_free(l);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_calls),
		cmocka_unit_test(test_loop_removed_in_the_same_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
