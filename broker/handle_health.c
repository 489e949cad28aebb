/* Is the broker well, and who is it. */
#include <stdlib.h>

#include <sodium.h>

#include "handlers.h"
#include "version.h"

#include "lockbox/clock.h"

enum lb_err
health_get(struct app *app, const struct call *call, struct reply *reply)
{
	(void)app;
	(void)call;
	return reply_text(reply, 200, "text/plain", "ok\n", 3);
}

/* The clock may not stand before the newest record. */
enum lb_err
ready_get(struct app *app, const struct call *call, struct reply *reply)
{
	int64_t latest;
	enum lb_err r;

	if ((r = store_ping(app->store)) != LB_OK ||
	    (r = store_event_latest(app->store, &latest)) != LB_OK)
		return r == LB_ERR_MEMORY ? r : LB_ERR_STORE;
	if (call->now + RULES_CLOCK_SKEW < latest)
		return reply_text(reply, 503, "text/plain",
		    "the clock stands before the newest record\n", 42);
	return reply_text(reply, 200, "text/plain", "ok\n", 3);
}

enum lb_err
metrics_get(struct app *app, const struct call *call, struct reply *reply)
{
	struct outbox_counts counts;
	enum lb_err r;

	if (!app->conf.metrics)
		return LB_ERR_MISSING;
	if ((r = store_outbox_count(app->store, &counts)) != LB_OK)
		return r;
	if (counts.oldest != 0)
		counts.oldest = call->now - counts.oldest;
	if ((r = metrics_write(&app->metrics, wake_count(app->wake), &counts,
		 &reply->body)) != LB_OK)
		return r;
	reply->status = 200;
	reply->type = "text/plain; version=0.0.4";
	return LB_OK;
}

enum lb_err
broker_get(struct app *app, const struct call *call, struct reply *reply)
{
	char time[LB_TIME_LEN + 1];

	lb_time_format(call->now, time);
	return reply_json(reply, 200,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "broker", app->conf.name,
		"version", BROKER_VERSION, "key", app->key_line, "ca",
		app->ca.data != NULL ? app->ca.data : "", "time", time));
}
