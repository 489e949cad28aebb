/* Questions about live sessions, on their way. */
#include "asking.h"

#include <stdlib.h>

#include "lockbox/clock.h"

#include "post.h"

#define MARGIN_MS 2000 /* the courier's own word on its time comes first */

void
asking_free(struct asking *k)
{
	if (k == NULL)
		return;
	loop_remove(k->agent->loop, &k->watch);
	carrier_free(k->carrier);
	question_clear(&k->question);
	free(k);
}

/* Nothing more is watched: done may free it. */
static void
finish(struct asking *k, const char *code, const struct lb_bundle *bundle)
{
	loop_remove(k->agent->loop, &k->watch);
	k->watch.fd = -1;
	k->done(k, code, bundle);
}

static void
carried(struct asking *k)
{
	struct carrier *c = k->carrier;
	struct lb_bundle *bundle = NULL;
	const char *text, *code;
	size_t len;

	k->carrier = NULL; /* the text must outlive done */
	loop_remove(k->agent->loop, &k->watch);
	k->watch.fd = -1;
	text = carrier_text(c, &len);
	code = frame_outcome_code(carrier_outcome(c));
	if (carrier_outcome(c) == FRAME_OK &&
	    lb_bundle_split(text, len, &bundle) != LB_OK)
		code = "broker_garbage";
	if (bundle != NULL)
		post_heard(k->agent);
	finish(k, code, bundle);
	lb_bundle_free(bundle);
	carrier_free(c);
}

static void
ready(void *arg, uint32_t events)
{
	struct asking *k = arg;
	enum lb_err r;

	(void)events;
	r = carrier_step(k->carrier);
	if (r == LB_OK) {
		carried(k);
		return;
	}
	if (r == LB_ERR_STATE)
		r = loop_change(
		    k->agent->loop, &k->watch, carrier_events(k->carrier));
	if (r != LB_OK)
		finish(k, "courier_garbage", NULL);
}

bool
asking_overdue(struct asking *k, int64_t now_boot_ms)
{
	if (now_boot_ms < k->due_ms)
		return false;
	finish(k, "broker_timeout", NULL);
	return true;
}

static enum lb_err
compose(struct agent *a, const struct state_session *s, struct question *ret)
{
	const struct question_facts f = {
		.host = a->conf.host,
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.trust = agent_trust(a)->id,
		.login = s->login,
		.service = s->service,
		.rhost = s->rhost,
		.keys = &s->keys,
		.now = lb_clock_now(),
	};

	return question_make(&f, a->signer, ret);
}

enum lb_err
asking_new(struct agent *a, const struct state_session *s, enum frame_op op,
    uint32_t timeout_ms, struct asking **ret)
{
	struct asking *k = NULL;
	enum lb_err r;

	if (a->signer == NULL || agent_trust(a) == NULL)
		return LB_ERR_STATE;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		return LB_ERR_MEMORY;
	k->agent = a;
	k->sid = s->sid;
	k->watch = (struct loop_watch){ .fd = -1, .ready = ready, .arg = k };
	k->began_ms = lb_clock_boottime_ms();
	k->due_ms = k->began_ms + timeout_ms + MARGIN_MS;
	if ((r = compose(a, s, &k->question)) != LB_OK ||
	    (r = carrier_new(a->conf.courier, op, timeout_ms,
		 k->question.bundle.data, k->question.bundle.len,
		 &k->carrier)) != LB_OK)
		goto out;
	k->watch.fd = carrier_fd(k->carrier);
	r = loop_add(a->loop, &k->watch, carrier_events(k->carrier));
	if (r != LB_OK)
		goto out;
	*ret = k;
	k = NULL; /* handed over */
out:
	asking_free(k);
	return r;
}
