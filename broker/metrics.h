/* Counters for GET /metrics. Any thread may count. */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "lockbox/buf.h"

#include "outbox_rows.h"

struct metrics {
	atomic_uint_fast64_t ask_allow, ask_pending, ask_deny, ask_refused;
	atomic_uint_fast64_t http[6]; /* by the status's first digit */
	atomic_uint_fast64_t store_errors;
	atomic_uint_fast64_t signins;
	atomic_uint_fast64_t rate_limited;
	atomic_uint_fast64_t mails_sent, mails_failed; /* attempts */
	atomic_uint_fast64_t hooks_sent, hooks_failed;
};

static inline void
metrics_count(atomic_uint_fast64_t *counter)
{
	(void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/*
 * Prometheus text format, appended to ret. watching: how many hosts wait;
 * counts: what waits and what failed.
 */
enum lb_err metrics_write(struct metrics *m, size_t watching,
    const struct outbox_counts *counts, struct lb_buf *ret) LB_MUST_CHECK;

#endif
