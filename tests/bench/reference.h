/*
 * What the signatures alone allow: one question verified and one answer
 * signed, over the same bytes that the broker sees, on every core at once.
 */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

#include <stddef.h>

#include "lockbox/sshsig.h"

struct reference {
	double pairs_per_second;     /* of all cores together */
	double pairs_per_cpu_second; /* of one core, by its own clock */
	double sign_us, verify_us;   /* CPU time of one */
};

struct reference_data {
	const struct lb_signer *signer;
	const struct lb_sshsig *sig; /* over question */
	const char *question, *answer;
	size_t question_len, answer_len;
};

/* Runs for so long on so many threads. */
void reference_measure(const struct reference_data *d, double seconds,
    size_t threads, struct reference *ret);

#endif
