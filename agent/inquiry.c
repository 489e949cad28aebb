/* Asking the broker, and judging what it answers. */
#include "inquiry.h"

#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/judge.h"

#include "decide.h"
#include "journal.h"
#include "news.h"
#include "offline.h"
#include "post.h"
#include "reply.h"

#define REPLY_MARGIN_MS 150  /* the courier's word comes before ours */
#define AWAY_MS         1000 /* to write a session down that needs no answer */

static void
judge(struct visit *v, const struct lb_bundle *bundle, struct lb_ruling *ret)
{
	struct agent *a = v->agent;
	const struct lb_case c = {
		.trust = agent_trust(a),
		.question = v->question.bundle.data,
		.question_len = v->question.text_len,
		.bundle = bundle,
		.kills = &a->state.kills,
		.now = lb_clock_now(),
		.floor = a->state.floor,
	};

	lb_judge(&c, ret);
	if (ret->floor > a->state.floor) {
		a->state.floor = ret->floor;
		agent_state_soon(a, lb_clock_boottime_ms());
	}
}

static void
answered(struct visit *v, const struct lb_bundle *bundle)
{
	struct agent *a = v->agent;
	struct lb_ruling ruling;

	if (news_take(a, bundle) != LB_OK) {
		reply_refuse(v, "state_unwritable", "");
		return;
	}
	if (strcmp(agent_trust(a)->id, v->question.trust) != 0 &&
	    v->questions < VISIT_QUESTIONS) {
		inquiry_begin(v); /* under the trust that is in force now */
		return;
	}
	judge(v, bundle, &ruling);
	if (ruling.verdict != LB_VERDICT_ALLOW)
		reply_refuse(v, ruling.code, ruling.message);
	else if (v->phase == LB_PHASE_SESSION)
		reply_session(v, &ruling, bundle);
	else
		reply_account(v, &ruling);
}

/* By what root handed over, if that does. */
static void
let_in_offline(struct visit *v, const char *code)
{
	struct agent *a = v->agent;
	const struct decide_offline o = {
		.state = &a->state,
		.trust = agent_trust(a),
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.host = a->conf.host,
		.login = v->login,
		.service = v->service,
		.keys = &v->keys,
		.now = lb_clock_now(),
	};
	struct lb_bundle *b = NULL;
	struct lb_ruling ruling;
	const struct state_kept *k;

	k = decide_offline(&o, &ruling);
	if (k == NULL)
		reply_refuse(v,
		    strcmp(ruling.code, "no_grant") == 0 ? code : ruling.code,
		    "");
	else if (v->phase != LB_PHASE_SESSION)
		reply_account(v, &ruling);
	else if (lb_bundle_split(k->bundle, k->bundle_len, &b) == LB_OK)
		reply_session(v, &ruling, b);
	else
		reply_refuse(v, "internal", "");
	lb_bundle_free(b);
}

/* Something came, or nothing will: the time that was held back is here. */
static void
take_time(struct visit *v)
{
	if (v->hasty)
		v->due_ms += AWAY_MS;
	v->hasty = false;
}

void
inquiry_unanswered(struct visit *v, const char *code)
{
	take_time(v);
	if (decide_away(code) && offline_possible(v->agent))
		let_in_offline(v, code);
	else
		reply_refuse(v, code, "");
}

void
inquiry_drop(struct visit *v)
{
	if (v->carrier == NULL)
		return;
	loop_remove(v->agent->loop, &v->carrier_watch);
	v->carrier_watch.fd = -1;
	carrier_free(v->carrier);
	v->carrier = NULL;
	v->agent->question_count--;
}

static void
carried(struct visit *v)
{
	enum frame_outcome outcome = carrier_outcome(v->carrier);
	struct lb_bundle *bundle = NULL;
	const char *text;
	enum lb_err r;
	size_t len;

	text = carrier_text(v->carrier, &len);
	if (outcome != FRAME_OK) {
		journal(LOG_WARNING, "%s: ask the broker: %s: %.*s",
		    v->question.ref, frame_outcome_code(outcome), (int)len,
		    text);
		inquiry_drop(v);
		inquiry_unanswered(v, frame_outcome_code(outcome));
		return;
	} else if ((r = lb_bundle_split(text, len, &bundle)) != LB_OK) {
		journal_r(r, "%s: read the broker's answer", v->question.ref);
		reply_refuse(v, "broker_garbage", "");
	} else {
		struct carrier *c = v->carrier;

		post_heard(v->agent);
		/* The text must live while it is judged; another question
		 * needs the place. */
		v->carrier = NULL;
		loop_remove(v->agent->loop, &v->carrier_watch);
		v->carrier_watch.fd = -1;
		v->agent->question_count--;
		take_time(v);
		answered(v, bundle);
		lb_bundle_free(bundle);
		carrier_free(c);
		return;
	}
	inquiry_drop(v);
}

void
inquiry_ready(void *arg, uint32_t events)
{
	struct visit *v = arg;
	enum lb_err r;

	(void)events;
	r = carrier_step(v->carrier);
	if (r == LB_ERR_STATE)
		r = loop_change(v->agent->loop, &v->carrier_watch,
		    carrier_events(v->carrier));
	else if (r == LB_OK) {
		carried(v);
		return;
	}
	if (r == LB_OK)
		return;
	journal_r(r, "%s: ask the courier", v->question.ref);
	inquiry_drop(v);
	reply_refuse(
	    v, r == LB_ERR_MEMORY ? "internal" : "courier_garbage", "");
}

static enum lb_err
make_question(struct visit *v)
{
	struct agent *a = v->agent;
	const struct question_facts f = {
		.host = a->conf.host,
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.trust = agent_trust(a)->id,
		.login = v->login,
		.service = v->service,
		.rhost = v->rhost,
		.keys = &v->keys,
		.now = lb_clock_now(),
	};

	question_clear(&v->question);
	return question_make(&f, a->signer, &v->question);
}

static enum lb_err
send_question(struct visit *v)
{
	int64_t left = v->due_ms - REPLY_MARGIN_MS - lb_clock_boottime_ms();
	struct agent *a = v->agent;
	enum lb_err r;

	if (left <= 0)
		return LB_ERR_TIMEOUT;
	if ((r = carrier_new(a->conf.courier, FRAME_OP_ASK, (uint32_t)left,
		 v->question.bundle.data, v->question.bundle.len,
		 &v->carrier)) != LB_OK)
		return r;
	a->question_count++;
	v->carrier_watch.fd = carrier_fd(v->carrier);
	r = loop_add(a->loop, &v->carrier_watch, carrier_events(v->carrier));
	if (r != LB_OK)
		inquiry_drop(v);
	return r;
}

void
inquiry_begin(struct visit *v)
{
	enum lb_err r;

	v->questions++;
	v->stage = STAGE_BROKER;
	if (!v->hasty && offline_possible(v->agent)) {
		v->due_ms -= AWAY_MS;
		v->hasty = true;
	}
	if (v->agent->question_count >= (size_t)v->agent->conf.questions) {
		reply_refuse(v, "agent_busy", "");
		return;
	}
	if ((r = make_question(v)) != LB_OK) {
		journal_r(r, "compose a question for login '%s'", v->login);
		reply_refuse(v, "internal", "");
	} else if ((r = send_question(v)) == LB_ERR_TIMEOUT) {
		reply_refuse(v, "broker_timeout", "");
	} else if (r != LB_OK) {
		journal_r(r, "%s: reach the courier at '%s'", v->question.ref,
		    v->agent->conf.courier);
		inquiry_unanswered(v, "courier_unreachable");
	}
}
