/* Verifying and signing in turns, and the time that takes. */
#include "reference.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BATCH       16 /* of one kind, between looks at the clock */
#define THREADS_MAX 64

struct worker {
	const struct reference_data *d;
	double seconds;
	size_t pairs;
	double wall, sign, verify; /* seconds; the last two of CPU time */
};

static double
seconds_of(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts); /* cannot fail */
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "bench_ask: %s\n", what);
	exit(1);
}

static void
verify_batch(const struct reference_data *d)
{
	for (int i = 0; i < BATCH; i++)
		if (lb_sshsig_verify(d->sig, LB_NS_QUESTION, d->question,
			d->question_len) != LB_OK)
			fail("the question's signature does not verify");
}

static void
sign_batch(const struct reference_data *d)
{
	struct lb_buf b = { 0 };

	for (int i = 0; i < BATCH; i++) {
		if (lb_signer_sign(d->signer, LB_NS_ANSWER, d->answer,
			d->answer_len, &b) != LB_OK)
			fail("cannot sign");
		b.len = 0;
	}
	lb_buf_clear(&b);
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	double from = seconds_of(CLOCK_MONOTONIC), a, b, c;

	do {
		a = seconds_of(CLOCK_THREAD_CPUTIME_ID);
		verify_batch(w->d);
		b = seconds_of(CLOCK_THREAD_CPUTIME_ID);
		sign_batch(w->d);
		c = seconds_of(CLOCK_THREAD_CPUTIME_ID);
		w->verify += b - a;
		w->sign += c - b;
		w->pairs += BATCH;
		w->wall = seconds_of(CLOCK_MONOTONIC) - from;
	} while (w->wall < w->seconds);
	return NULL;
}

void
reference_measure(const struct reference_data *d, double seconds,
    size_t threads, struct reference *ret)
{
	struct worker w[THREADS_MAX] = { 0 };
	pthread_t id[THREADS_MAX];
	double sign = 0, verify = 0;
	size_t pairs = 0;

	*ret = (struct reference){ 0 };
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	for (size_t i = 0; i < threads; i++) {
		w[i].d = d;
		w[i].seconds = seconds;
		if (pthread_create(&id[i], NULL, work, &w[i]) != 0)
			fail("cannot start a thread");
	}
	for (size_t i = 0; i < threads; i++) {
		(void)pthread_join(id[i], NULL);
		ret->pairs_per_second += (double)w[i].pairs / w[i].wall;
		pairs += w[i].pairs;
		sign += w[i].sign;
		verify += w[i].verify;
	}
	ret->pairs_per_cpu_second = (double)pairs / (sign + verify);
	ret->sign_us = sign / (double)pairs * 1e6;
	ret->verify_us = verify / (double)pairs * 1e6;
}
