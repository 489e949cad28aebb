/* Where hosts wait: who is woken by what, and that no news is lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "wake.h"

#define LONG_MS 60000
#define MOST    64

/* One who waits, and what became of it. */
struct one {
	struct waiter x;
	int peer; /* the other end of x.fd */
	size_t suspended, resumed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t change = PTHREAD_COND_INITIALIZER;

static void
suspend(struct waiter *x)
{
	((struct one *)x->arg)->suspended++;
}

static void
resume(struct waiter *x)
{
	(void)pthread_mutex_lock(&lock);
	((struct one *)x->arg)->resumed++;
	(void)pthread_cond_broadcast(&change);
	(void)pthread_mutex_unlock(&lock);
}

static void
one_open(struct one *o)
{
	int fd[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	memset(o, 0, sizeof(*o));
	o->x = (struct waiter){
		.fd = fd[0], .suspend = suspend, .resume = resume, .arg = o
	};
	o->peer = fd[1];
}

static void
one_close(struct one *o)
{
	(void)close(o->x.fd);
	if (o->peer >= 0)
		(void)close(o->peer);
}

static enum lb_err
come(struct wake *w, const char *tenant, const char *host, struct one *o)
{
	return wake_wait(w, tenant, host, LONG_MS, &o->x);
}

/* A host that is told everything up to now, and waits. */
static void
park(struct wake *w, const char *tenant, const char *host, struct one *o)
{
	one_open(o);
	if (come(w, tenant, host, o) != LB_OK)
		assert_int_equal(come(w, tenant, host, o), LB_OK);
	assert_true(wake_park(w, &o->x));
	assert_int_equal(o->suspended, 1);
	assert_int_equal(o->resumed, 0);
}

static void
wait_resumed(struct one *o)
{
	(void)pthread_mutex_lock(&lock);
	while (o->resumed == 0)
		(void)pthread_cond_wait(&change, &lock);
	(void)pthread_mutex_unlock(&lock);
}

/* A grant of that state with one host. */
static void
grant_changes(
    struct wake *w, const char *tenant, const char *host, enum state state)
{
	struct grant_row *g = calloc(1, sizeof(*g));
	struct change c = { .grant = g };

	g->state = state;
	ROW_TEXT(g->doc.tenant, tenant);
	ROW_TEXT(g->doc.host.item[0], "another");
	ROW_TEXT(g->doc.host.item[1], host);
	g->doc.host.count = 2;
	wake_change(w, &c);
	free(g);
}

static void
request_changes(struct wake *w, const char *host, enum state state)
{
	struct request_row *q = calloc(1, sizeof(*q));
	struct change c = { .request = q };

	q->state = state;
	ROW_TEXT(q->doc.tenant, "acme");
	ROW_TEXT(q->doc.host.item[0], host);
	q->doc.host.count = 1;
	wake_change(w, &c);
	free(q);
}

static void
trust_changes(struct wake *w, const char *tenant)
{
	struct trust_row t = { 0 };
	struct change c = { .trust = &t };

	ROW_TEXT(t.tenant, tenant);
	wake_change(w, &c);
}

static int
setup(void **state)
{
	struct wake *w;

	assert_int_equal(wake_new(MOST, &w), LB_OK);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	wake_end(*state);
	wake_free(*state);
	return 0;
}

static void
test_wake_unknown_host_need_not_wait(void **state)
{
	struct wake *w = *state;
	struct one o;

	one_open(&o);
	assert_int_equal(come(w, "acme", "db1", &o), LB_ERR_STATE);
	assert_int_equal(wake_count(w), 0);
	assert_int_equal(come(w, "acme", "db1", &o), LB_OK);
	assert_int_equal(wake_count(w), 1);
	wake_leave(w, &o.x);
	assert_int_equal(wake_count(w), 0);
	assert_int_equal(o.resumed, 0);
	one_close(&o);
}

static void
test_wake_grant_wakes_its_hosts_only(void **state)
{
	struct wake *w = *state;
	struct one db1, db2, foreign;

	park(w, "acme", "db1", &db1);
	park(w, "acme", "db2", &db2);
	park(w, "zeta", "db1", &foreign);
	grant_changes(w, "acme", "db1", STATE_REVOKED);
	assert_int_equal(db1.resumed, 1);
	assert_int_equal(db1.x.cause, WAKE_NEWS);
	assert_int_equal(db2.resumed + foreign.resumed, 0);
	grant_changes(w, "acme", "db2", STATE_EXPIRED);
	assert_int_equal(db2.resumed, 0);
	grant_changes(w, "acme", "db2", STATE_ACTIVE);
	assert_int_equal(db2.resumed, 1);
	wake_end(w);
	assert_int_equal(foreign.x.cause, WAKE_END);
	one_close(&db1);
	one_close(&db2);
	one_close(&foreign);
}

static void
test_wake_other_changes(void **state)
{
	struct wake *w = *state;
	struct host_row h = { 0 };
	struct change c = { .host = &h };
	struct one one, two, foreign;

	park(w, "acme", "db1", &one);
	request_changes(w, "db1", STATE_PENDING_APPROVAL);
	assert_int_equal(one.resumed, 0);
	request_changes(w, "db1", STATE_DENIED);
	assert_int_equal(one.resumed, 1);
	one_close(&one);

	park(w, "acme", "db1", &one);
	park(w, "acme", "db2", &two);
	park(w, "zeta", "db1", &foreign);
	trust_changes(w, "acme");
	assert_int_equal(one.resumed + two.resumed, 2);
	assert_int_equal(foreign.resumed, 0);
	ROW_TEXT(h.tenant, "zeta");
	ROW_TEXT(h.name, "db1");
	wake_change(w, &c);
	assert_int_equal(foreign.resumed, 1);
	one_close(&one);
	one_close(&two);
	one_close(&foreign);
}

/* Whatever the order of change, wake and telling: the next watch knows. */
static void
test_wake_no_news_is_lost(void **state)
{
	struct wake *w = *state;
	struct one o;

	/* between two watches */
	park(w, "acme", "db1", &o);
	wake_leave(w, &o.x);
	one_close(&o);
	one_open(&o);
	grant_changes(w, "acme", "db1", STATE_RETURNED);
	assert_int_equal(come(w, "acme", "db1", &o), LB_ERR_STATE);
	/* after one was told, it waits */
	assert_int_equal(come(w, "acme", "db1", &o), LB_OK);
	/* between waiting and parking */
	grant_changes(w, "acme", "db1", STATE_RETURNED);
	assert_false(wake_park(w, &o.x));
	assert_int_equal(o.x.cause, WAKE_NEWS);
	assert_int_equal(o.suspended + o.resumed, 0);
	/* while the answer is made */
	wake_told(w, &o.x);
	grant_changes(w, "acme", "db1", STATE_RETURNED);
	assert_int_equal(come(w, "acme", "db1", &o), LB_ERR_STATE);
	/* the answer was not delivered */
	wake_untold(w, &o.x);
	assert_int_equal(come(w, "acme", "db1", &o), LB_ERR_STATE);
	assert_int_equal(come(w, "acme", "db1", &o), LB_OK);
	wake_untold(w, &o.x);
	wake_leave(w, &o.x);
	assert_int_equal(come(w, "acme", "db1", &o), LB_ERR_STATE);
	one_close(&o);
}

static void
test_wake_time_and_its_order(void **state)
{
	struct wake *w = *state;
	struct one late, early;

	one_open(&late);
	one_open(&early);
	assert_int_equal(come(w, "acme", "db1", &late), LB_ERR_STATE);
	assert_int_equal(wake_wait(w, "acme", "db1", 300, &late.x), LB_OK);
	assert_true(wake_park(w, &late.x));
	assert_int_equal(wake_wait(w, "acme", "db1", 50, &early.x), LB_OK);
	assert_true(wake_park(w, &early.x));
	wait_resumed(&early);
	assert_int_equal(early.x.cause, WAKE_TIME);
	assert_int_equal(late.resumed, 0);
	wait_resumed(&late);
	assert_int_equal(late.x.cause, WAKE_TIME);
	/* a change after time was up, before the answer, is still news */
	grant_changes(w, "acme", "db1", STATE_REVOKED);
	assert_int_equal(come(w, "acme", "db1", &late), LB_ERR_STATE);
	one_close(&late);
	one_close(&early);
}

static void
test_wake_hang_up(void **state)
{
	struct wake *w = *state;
	struct one gone, stays;

	park(w, "acme", "db1", &gone);
	park(w, "acme", "db1", &stays);
	(void)close(gone.peer);
	gone.peer = -1;
	wait_resumed(&gone);
	assert_int_equal(gone.x.cause, WAKE_GONE);
	assert_int_equal(wake_count(w), 1);
	assert_int_equal(stays.resumed, 0);
	/* a peer that only says more does not hang up */
	assert_int_equal(write(stays.peer, "x", 1), 1);
	(void)usleep(50000);
	assert_int_equal(stays.resumed, 0);
	/* the descriptor's next owner is not taken for the first */
	one_close(&gone);
	park(w, "acme", "db2", &gone);
	(void)usleep(50000);
	assert_int_equal(gone.resumed, 0);
	wake_end(w);
	one_close(&gone);
	one_close(&stays);
}

static void
test_wake_bounds(void **state)
{
	struct wake *w = *state;
	struct one o[MOST + 1];
	char host[16];

	for (size_t i = 0; i < WAKE_PER_HOST + 1; i++)
		park(w, "acme", "db1", &o[i]);
	assert_int_equal(o[0].resumed, 1);
	assert_int_equal(o[0].x.cause, WAKE_TIME);
	assert_int_equal(o[1].resumed, 0);
	assert_int_equal(wake_count(w), WAKE_PER_HOST);
	wake_end(w);
	for (size_t i = 0; i < WAKE_PER_HOST + 1; i++)
		one_close(&o[i]);
	wake_free(w);

	assert_int_equal(wake_new(MOST, &w), LB_OK);
	*state = w;
	for (size_t i = 0; i < MOST; i++) {
		(void)snprintf(host, sizeof(host), "n%zu", i);
		park(w, "acme", host, &o[i]);
	}
	one_open(&o[MOST]);
	assert_int_equal(come(w, "acme", "db1", &o[MOST]), LB_ERR_STATE);
	assert_int_equal(come(w, "acme", "db1", &o[MOST]), LB_ERR_RANGE);
	wake_leave(w, &o[0].x);
	assert_int_equal(come(w, "acme", "db1", &o[MOST]), LB_OK);
	wake_end(w);
	for (size_t i = 0; i <= MOST; i++)
		one_close(&o[i]);
}

static void
test_wake_end_lets_nobody_wait(void **state)
{
	struct wake *w = *state;
	struct one o, next;

	park(w, "acme", "db1", &o);
	wake_end(w);
	assert_int_equal(o.resumed, 1);
	assert_int_equal(o.x.cause, WAKE_END);
	one_open(&next);
	assert_int_equal(come(w, "acme", "db1", &next), LB_ERR_STATE);
	assert_int_equal(come(w, "acme", "db1", &next), LB_ERR_STATE);
	one_close(&o);
	one_close(&next);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wake_unknown_host_need_not_wait),
		TEST(test_wake_grant_wakes_its_hosts_only),
		TEST(test_wake_other_changes),
		TEST(test_wake_no_news_is_lost),
		TEST(test_wake_time_and_its_order),
		TEST(test_wake_hang_up),
		TEST(test_wake_bounds),
		TEST(test_wake_end_lets_nobody_wait),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
