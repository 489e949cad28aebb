/* The course of one visit. */
#include "visit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/judge.h"
#include "lockbox/sshkey.h"

#include "accept.h"
#include "decide.h"
#include "inquiry.h"
#include "journal.h"
#include "orders.h"
#include "procs.h"
#include "reply.h"
#include "report.h"
#include "sessions.h"
#include "tell.h"

static void
visit_end(struct visit *v)
{
	struct agent *a = v->agent;
	struct visit **at = &a->visits;

	if (v->stage != STAGE_ASK) /* if nobody has said yet */
		report_login(v, false,
		    v->reply.verdict == LB_VERDICT_DENY &&
			    v->reply.code[0] != '\0'
			? v->reply.code
			: "unfinished");
	while (*at != v)
		at = &(*at)->next;
	*at = v->next;
	a->visit_count--;
	if (v->carrier != NULL)
		a->question_count--;
	loop_remove(a->loop, &v->carrier_watch);
	carrier_free(v->carrier);
	loop_remove(a->loop, &v->watch);
	door_peer_close(&v->peer);
	question_clear(&v->question);
	free(v);
}

/* --- inside a session ----------------------------------------------------- */

static void
within(struct visit *v, struct state_session *s, const char *word)
{
	struct agent *a = v->agent;
	const struct decide_within w = {
		.state = &a->state,
		.session = s,
		.trust = agent_trust(a),
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.host = a->conf.host,
		.service = word,
		.target = v->target,
		.now = lb_clock_now(),
		.now_boot_ms = lb_clock_boottime_ms(),
	};
	struct lb_ruling ruling;
	int64_t deadline = s->deadline;
	bool more = false;

	v->keys = s->keys;
	memcpy(v->grant, s->rests.item[0], sizeof(v->grant));
	memcpy(v->login, s->login, sizeof(v->login)); /* what is judged */
	decide_within(&w, &ruling);
	if (ruling.verdict != LB_VERDICT_ALLOW) {
		reply_refuse(v,
		    strcmp(ruling.code, "grant_service") == 0
			? "service_not_granted"
			: ruling.code,
		    "");
		return;
	}
	if (report_refusal(a) != NULL) {
		reply_refuse(v, report_refusal(a), "");
		return;
	}
	if (sessions_rest(s, &ruling, w.now, w.now_boot_ms, &more) != LB_OK) {
		reply_refuse(v, "internal", "");
		return;
	}
	ruling.lease_end = s->lease_end;
	reply_allow(v, &ruling);
	v->reply.not_after = s->deadline;
	if (s->deadline < deadline) {
		tell_rests(word, s->deadline, v->reply.tell);
		report_moved(a, s, deadline);
	}
	if (more)
		s->round = a->round;
	if (s->round < a->saved && !a->ledger.failing)
		reply_send(v);
	else /* nor by a grant that another has still to wait for */
		reply_when_written(v);
}

/* --- the module's packets --------------------------------------------------- */

/* What the kernel says of the one who asks. */
static enum lb_err
look_at_peer(struct visit *v, uint32_t *ret_parent_sid)
{
	pid_t parent;
	enum lb_err r;

	if ((r = procs_sid(v->peer.pid, &v->sid)) != LB_OK ||
	    (r = procs_parent(v->peer.pid, &parent)) != LB_OK)
		return r;
	*ret_parent_sid = PROCS_SID_UNSET;
	if (parent > 0 && (r = procs_sid(parent, ret_parent_sid)) != LB_OK)
		return r;
	/* Was all that still of this process? */
	return procs_pidfd_pid(v->peer.pidfd, &parent);
}

static void
go(struct visit *v, const struct decide_facts *f, struct state_session *s)
{
	struct decide_way way;

	decide_way(f, &way);
	switch (way.course) {
	case COURSE_EXEMPT:
		reply_start(v);
		memcpy(v->reply.code, "exempt", sizeof("exempt"));
		v->reply.exempt = 1; /* neither allowed nor denied by us */
		reply_send(v);
		return;
	case COURSE_WITHIN:
		assert(s != NULL); /* way.course says so */
		within(v, s, way.service);
		return;
	case COURSE_ASK:
		inquiry_begin(v);
		return;
	case COURSE_REFUSE:
		break;
	}
	reply_refuse(v, way.code, "");
}

static void
take_ask(struct visit *v, const struct lb_door_ask *q)
{
	struct decide_facts f = {
		.phase = (enum lb_phase)q->phase,
		.service = q->service,
		.login = q->login,
		.exempt_rule = q->exempt_rule == 1,
		.unable = v->agent->unable,
		.keys_told = q->auth_info_known == 1,
	};
	struct state_session *s;
	enum lb_err r;

	v->phase = q->phase;
	memcpy(v->service, q->service, sizeof(v->service));
	memcpy(v->login, q->login, sizeof(v->login));
	memcpy(v->target, q->login, sizeof(v->target));
	memcpy(v->rhost, q->rhost, sizeof(v->rhost));
	if (q->phase == LB_PHASE_CLOSE) { /* nobody waits for a word */
		agent_sweep_soon(v->agent, lb_clock_boottime_ms());
		v->due_ms = 0;
		return;
	}
	if ((r = look_at_peer(v, &f.parent_sid)) != LB_OK) {
		journal_r(r, "look at pid %d", (int)v->peer.pid);
		v->sid = PROCS_SID_UNSET;
		reply_refuse(
		    v, f.unable != NULL ? f.unable : "system_error", "");
		return;
	}
	f.sid = v->sid;
	s = f.sid == PROCS_SID_UNSET
	    ? NULL
	    : state_session_find(&v->agent->state, f.sid);
	f.in_session = s != NULL;
	if (f.keys_told)
		f.keys_readable =
		    lb_auth_info_parse(q->auth_info, &v->keys) == LB_OK;
	f.key_count = v->keys.count;
	go(v, &f, s);
}

/* Root hands a bundle over: that is all of this visit. */
static void
take_bundle(struct visit *v, const struct lb_slice *bundle)
{
	struct lb_door_accepted reply;

	accept_take(v->agent, bundle->text, bundle->len, &reply);
	if (door_reply_accepted(&v->peer, &reply) != LB_OK)
		journal(LOG_DEBUG, "who handed a bundle over is gone");
	visit_end(v);
}

/* Root asks who is in, or ends somebody: that is all of this visit. */
static void
take_order(struct visit *v, const struct lb_door_order *order)
{
	struct lb_door_session reply;

	orders_take(v->agent, order, &reply);
	if (door_reply_session(&v->peer, &reply) != LB_OK)
		journal(LOG_DEBUG, "who gave an order is gone");
	visit_end(v);
}

static void
read_ask(struct visit *v)
{
	static struct lb_door_ask q; /* large; one thread */
	struct door_word word;
	enum lb_err r;

	r = door_receive_ask(&v->peer, &q, &word);
	if (r == LB_ERR_STATE)
		return;
	if (r != LB_OK) {
		if (r != LB_ERR_PEER)
			journal_r(r, "read what pid %d asks", (int)v->peer.pid);
		visit_end(v);
		return;
	}
	if (word.bundle.len > 0)
		take_bundle(v, &word.bundle);
	else if (word.order.phase != 0)
		take_order(v, &word.order);
	else
		take_ask(v, &q);
}

static void
read_final(struct visit *v)
{
	struct lb_door_final f;
	enum lb_err r;

	r = door_receive_final(&v->peer, &f);
	if (r == LB_ERR_STATE)
		return;
	if (r != LB_OK || f.phase != v->phase) {
		reply_forget_session(v, "the module said no last word");
	} else if (f.verdict != LB_VERDICT_ALLOW) {
		report_login(
		    v, false, f.code[0] != '\0' ? f.code : v->reply.code);
		reply_forget_session(v, f.code);
		if (v->reply.verdict == LB_VERDICT_ALLOW)
			journal(LOG_WARNING,
			    "%s: the module refused what we allowed: %s",
			    v->reply.ref, f.code);
	} else {
		report_login(v, true, "");
		v->registered = false; /* it goes on without us */
	}
	visit_end(v);
}

static void
on_module(void *arg, uint32_t events)
{
	struct visit *v = arg;

	(void)events;
	switch (v->stage) {
	case STAGE_ASK:
		read_ask(v);
		return;
	case STAGE_FINAL:
		read_final(v);
		return;
	case STAGE_BROKER:
	case STAGE_COMMIT:
		break;
	}
	/* It must be silent until our reply: it hung up, or is no module. */
	reply_forget_session(v, "the module went away");
	visit_end(v);
}

void
visit_begin(struct agent *a, const struct door_peer *peer)
{
	struct door_peer p = *peer;
	struct visit *v;
	enum lb_err r;

	v = calloc(1, sizeof(*v));
	if (v == NULL) {
		door_peer_close(&p);
		return;
	}
	v->agent = a;
	v->peer = p;
	v->sid = PROCS_SID_UNSET;
	v->due_ms = lb_clock_boottime_ms() + VISIT_ANSWER_MS;
	v->watch =
	    (struct loop_watch){ .fd = p.fd, .ready = on_module, .arg = v };
	v->carrier_watch =
	    (struct loop_watch){ .fd = -1, .ready = inquiry_ready, .arg = v };
	v->next = a->visits;
	a->visits = v;
	a->visit_count++;
	if ((r = loop_add(a->loop, &v->watch, EPOLLIN)) != LB_OK) {
		journal_r(r, "watch a visitor");
		visit_end(v);
	}
}

static void
not_written(struct visit *v)
{
	reply_forget_session(v, "the state was not written");
	reply_refuse(v, "state_unwritable", "");
}

void
visit_saved_all(struct agent *a, uint64_t round, enum lb_err result)
{
	struct visit *v = a->visits, *next;

	for (; v != NULL; v = next) {
		next = v->next;
		if (v->stage != STAGE_COMMIT || v->round > round)
			continue;
		if (result != LB_OK) {
			not_written(v);
			continue;
		}
		if (v->registered)
			askers_forget(a->askers, v->peer.pid);
		reply_send(v);
	}
}

/* One visit's time is over. */
static void
expire(struct visit *v)
{
	if (v->stage == STAGE_COMMIT) {
		not_written(v); /* in time, at least */
		return;
	}
	if (v->stage == STAGE_BROKER) {
		journal(LOG_WARNING, "%s: no answer in time", v->question.ref);
		inquiry_drop(v);
		inquiry_unanswered(v, "broker_timeout");
		return;
	}
	reply_forget_session(v, "the module said no last word");
	visit_end(v);
}

int64_t
visit_expire_all(struct agent *a, int64_t now_boot_ms)
{
	struct visit *v = a->visits, *next;
	int64_t soonest = -1;

	for (; v != NULL; v = next) {
		next = v->next;
		if (v->due_ms <= now_boot_ms) {
			expire(v);
			continue;
		}
		if (soonest < 0 || v->due_ms < soonest)
			soonest = v->due_ms;
	}
	return soonest;
}

void
visit_drop_all(struct agent *a)
{
	while (a->visits != NULL) {
		a->visits->reported = true; /* what came of it nobody knows */
		visit_end(a->visits);
	}
}
