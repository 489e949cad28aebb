/* The routes of hosts that ask, at once or when there is news. */
#include "ask.h"
#include "handlers.h"

#define FULL_WAIT 10 /* seconds until a host should come again */

enum lb_err
ask_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct ask *a = NULL;
	enum lb_err r;

	if ((r = ask_read(app, call, reply, &a)) == LB_OK)
		r = ask_answer(a, true, reply);
	if (r != LB_OK)
		metrics_count(&app->metrics.ask_refused);
	ask_free(a);
	return r;
}

static enum lb_err
too_many(struct app *app, struct reply *reply)
{
	metrics_count(&app->metrics.rate_limited);
	reply->retry_after = FULL_WAIT;
	return reply_refuse(reply, "rate_limited", "too many hosts wait");
}

/* The first time round: wait, unless there is news already. */
static enum lb_err
watch_begin(struct app *app, const struct call *call, struct reply *reply,
    struct ask *a)
{
	enum lb_err r = LB_ERR_STATE;

	if (call->waiter != NULL && ask_is_fresh(a))
		r = wake_wait(app->wake, ask_tenant(a), ask_host(a),
		    app->conf.watch * 1000, call->waiter);
	if (r == LB_ERR_STATE)
		return ask_answer(a, true, reply);
	if (r == LB_ERR_RANGE)
		return too_many(app, reply);
	reply->waits = r == LB_OK;
	return r;
}

/*
 * Woken. Without news it is not told anything either: what changes in this
 * very moment is still news for the next watch.
 */
static enum lb_err
watch_end(struct app *app, const struct call *call, struct reply *reply,
    struct ask *a)
{
	bool news = call->waiter->cause == WAKE_NEWS;

	if (news)
		wake_told(app->wake, call->waiter);
	return ask_answer(a, news, reply);
}

enum lb_err
watch_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct ask *a = NULL;
	enum lb_err r;

	if ((r = ask_read(app, call, reply, &a)) == LB_OK)
		r = call->late ? watch_end(app, call, reply, a)
			       : watch_begin(app, call, reply, a);
	if (r != LB_OK)
		metrics_count(&app->metrics.ask_refused);
	ask_free(a);
	return r;
}
