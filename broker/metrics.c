/* Counters in Prometheus text format. */
#include "metrics.h"

#include <inttypes.h>

static enum lb_err
line(struct lb_buf *b, const char *name, const char *label, const char *value,
    atomic_uint_fast64_t *counter)
{
	uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);

	if (label == NULL)
		return lb_buf_addf(b, "%s %" PRIu64 "\n", name, n);
	return lb_buf_addf(
	    b, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, n);
}

enum lb_err
metrics_write(struct metrics *m, size_t watching, struct lb_buf *ret)
{
	static const char *const class[6] = { NULL, "1xx", "2xx", "3xx", "4xx",
		"5xx" };
	const char *asks = "lockbox_broker_asks_total";
	enum lb_err r;

	if ((r = lb_buf_addf(ret, "# TYPE %s counter\n", asks)) != LB_OK ||
	    (r = line(ret, asks, "verdict", "allow", &m->ask_allow)) != LB_OK ||
	    (r = line(ret, asks, "verdict", "pending", &m->ask_pending)) !=
		LB_OK ||
	    (r = line(ret, asks, "verdict", "deny", &m->ask_deny)) != LB_OK ||
	    (r = line(ret, asks, "verdict", "refused", &m->ask_refused)) !=
		LB_OK ||
	    (r = lb_buf_adds(
		 ret, "# TYPE lockbox_broker_http_total counter\n")) != LB_OK)
		return r;
	for (size_t i = 2; i < 6; i++)
		if ((r = line(ret, "lockbox_broker_http_total", "status",
			 class[i], &m -> http[i])) != LB_OK)
			return r;
	if ((r = line(ret, "lockbox_broker_store_errors_total", NULL, NULL,
		 &m->store_errors)) != LB_OK ||
	    (r = line(ret, "lockbox_broker_signins_total", NULL, NULL,
		 &m->signins)) != LB_OK)
		return r;
	if ((r = line(ret, "lockbox_broker_rate_limited_total", NULL, NULL,
		 &m->rate_limited)) != LB_OK)
		return r;
	return lb_buf_addf(ret,
	    "# TYPE lockbox_broker_watching gauge\n"
	    "lockbox_broker_watching %zu\n",
	    watching);
}
