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

static enum lb_err
told(struct metrics *m, struct lb_buf *b)
{
	const char *name = "lockbox_broker_deliveries_total";
	const struct {
		const char *channel, *outcome;
		atomic_uint_fast64_t *counter;
	} row[] = {
		{ "mail", "sent", &m->mails_sent },
		{ "mail", "failed", &m->mails_failed },
		{ "webhook", "sent", &m->hooks_sent },
		{ "webhook", "failed", &m->hooks_failed },
	};
	enum lb_err r = lb_buf_addf(b, "# TYPE %s counter\n", name);

	for (size_t i = 0; r == LB_OK && i < sizeof(row) / sizeof(row[0]); i++)
		r = lb_buf_addf(b,
		    "%s{channel=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", name,
		    row[i].channel, row[i].outcome,
		    (uint64_t)atomic_load_explicit(
			row[i].counter, memory_order_relaxed));
	return r;
}

/* What somebody should look at: it waits long, or was given up. */
static enum lb_err
outbox(const struct outbox_counts *o, struct lb_buf *b)
{
	const char *name = "lockbox_broker_outbox";
	enum lb_err r = lb_buf_addf(b, "# TYPE %s gauge\n", name);

	for (enum channel c = CHANNEL_MAIL; r == LB_OK && c <= CHANNEL_WEBHOOK;
	     c++) {
		r = lb_buf_addf(b,
		    "%s{channel=\"%s\",state=\"waiting\"} %" PRId64 "\n"
		    "%s{channel=\"%s\",state=\"failed\"} %" PRId64 "\n",
		    name, channel_name(c), o->waiting[c], name, channel_name(c),
		    o->failed[c]);
	}
	if (r == LB_OK)
		r = lb_buf_addf(b,
		    "# TYPE lockbox_broker_outbox_oldest_seconds gauge\n"
		    "lockbox_broker_outbox_oldest_seconds %" PRId64 "\n",
		    o->oldest);
	return r;
}

enum lb_err
metrics_write(struct metrics *m, size_t watching,
    const struct outbox_counts *counts, struct lb_buf *ret)
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
		 &m->rate_limited)) != LB_OK ||
	    (r = told(m, ret)) != LB_OK || (r = outbox(counts, ret)) != LB_OK)
		return r;
	return lb_buf_addf(ret,
	    "# TYPE lockbox_broker_watching gauge\n"
	    "lockbox_broker_watching %zu\n",
	    watching);
}
