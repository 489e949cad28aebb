/* The course of one visit. */
#include "visit.h"

#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/judge.h"
#include "lockbox/sshkey.h"

#include "carrier.h"
#include "decide.h"
#include "journal.h"
#include "procs.h"
#include "question.h"
#include "sessions.h"
#include "tell.h"

#define REPLY_MARGIN_MS 150 /* the courier's word comes before ours */

enum stage {
	STAGE_ASK,    /* waiting for the module's packet */
	STAGE_BROKER, /* waiting for the courier */
	STAGE_COMMIT, /* an allow, told once the state is on disk */
	STAGE_FINAL,  /* waiting for the module's last word */
};

struct visit {
	struct agent *agent;
	struct visit *next;
	enum stage stage;
	struct door_peer peer;
	struct loop_watch watch; /* the module's connection */
	struct loop_watch carrier_watch;
	struct carrier *carrier;
	int64_t due_ms; /* of the stage, CLOCK_BOOTTIME */
	uint32_t phase;
	char service[LB_SERVICE_MAX + 1];
	char login[LB_LOGIN_MAX + 1];  /* whose grant: the session's, inside */
	char target[LB_LOGIN_MAX + 1]; /* as PAM names it: su's target */
	char rhost[LB_RHOST_MAX + 1];
	uint32_t sid;
	uint64_t round;  /* STAGE_COMMIT: of saving that we wait for */
	bool registered; /* this visit made the session record of sid */
	struct lb_keyfps keys;
	char grant[LB_SHA256_LEN + 1]; /* that the session began with */
	struct question question;
	int questions;
	struct lb_door_reply reply;
};

static void
visit_end(struct visit *v)
{
	struct agent *a = v->agent;
	struct visit **at = &a->visits;

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

/* --- replies ----------------------------------------------------------- */

static void
start_reply(struct visit *v)
{
	struct lb_door_reply *p = &v->reply;

	memset(p, 0, sizeof(*p)); /* its padding, too */
	p->version = LB_DOOR_VERSION;
	p->phase = v->phase;
	p->verdict = LB_VERDICT_DENY;
	p->sid = v->sid == PROCS_SID_UNSET ? -1 : (int64_t)v->sid;
	memcpy(p->host, v->agent->conf.host, sizeof(p->host));
	memcpy(
	    p->tenant, agent_tenant(v->agent), strlen(agent_tenant(v->agent)));
	if (v->question.ref[0] != '\0')
		memcpy(p->ref, v->question.ref, sizeof(p->ref));
	else
		question_ref_random(p->ref);
	if (v->keys.count > 0)
		memcpy(p->key, v->keys.item[0], sizeof(p->key));
	memcpy(p->grant, v->grant, sizeof(p->grant));
}

/* What a judged grant says of the login. */
static void
add_ruling(struct visit *v, const struct lb_ruling *ruling)
{
	struct lb_door_reply *p = &v->reply;

	memcpy(p->engineer, ruling->engineer, strlen(ruling->engineer));
	memcpy(p->request, ruling->request, strlen(ruling->request));
	memcpy(p->grant, ruling->grant, strlen(ruling->grant));
	p->not_after = ruling->not_after;
	p->lease_end = ruling->lease_end;
	p->provisional = ruling->provisional ? 1 : 0;
}

static void
send_reply(struct visit *v)
{
	if (door_reply(&v->peer, &v->reply) != LB_OK) {
		journal(LOG_DEBUG, "%s: the module is gone", v->reply.ref);
		v->stage = STAGE_FINAL;
		v->due_ms = 0; /* the final word will not come */
		return;
	}
	if (v->reply.exempt == 1) {
		v->stage = STAGE_ASK;
		v->due_ms = 0; /* nothing more is said */
		return;
	}
	v->stage = STAGE_FINAL;
	v->due_ms = lb_clock_boottime_ms() + VISIT_FINAL_MS;
}

/* The word of a grant for the service, for the engineer's next request. */
static const char *
word_of(const char *service)
{
	if (strncmp(service, "sudo", 4) == 0)
		return "sudo";
	return strncmp(service, "su", 2) == 0 ? "su" : "sshd";
}

static void
refuse(struct visit *v, const char *code, const char *message)
{
	struct tell_facts f = {
		.code = code,
		.message = message,
		.tenant = agent_tenant(v->agent),
		.host = v->agent->conf.host,
		.login = v->login,
		.service = word_of(v->service),
	};

	start_reply(v);
	f.ref = v->reply.ref;
	if (lb_text_copy(v->reply.code, sizeof(v->reply.code), code) != LB_OK)
		memcpy(v->reply.code, "internal", sizeof("internal"));
	tell_refusal(&f, v->reply.tell);
	send_reply(v);
}

/* --- letting in ---------------------------------------------------------- */

static void
allow_ready(struct visit *v, const struct lb_ruling *ruling)
{
	start_reply(v);
	memcpy(v->reply.code, "granted", sizeof("granted"));
	add_ruling(v, ruling);
	v->reply.verdict = LB_VERDICT_ALLOW;
}

/* Told after the state is on disk: see visit_saved_all. */
static void
allow_when_written(struct visit *v)
{
	v->agent->state_must = true;
	v->round = v->agent->round;
	v->stage = STAGE_COMMIT;
}

static void
allow_account(struct visit *v, const struct lb_ruling *ruling)
{
	enum lb_err r;

	if (ruling->provisional) {
		r = askers_add(v->agent->askers, v->peer.pid, v->peer.pidfd,
		    lb_clock_boottime_ms());
		if (r != LB_OK) {
			refuse(v, "agent_busy", "");
			return;
		}
	}
	allow_ready(v, ruling);
	send_reply(v);
}

static void
allow_session(struct visit *v, const struct lb_ruling *ruling,
    const struct lb_bundle *bundle)
{
	const struct sessions_opening o = {
		.sid = v->sid,
		.pid = v->peer.pid,
		.login = v->login,
		.service = v->service,
		.rhost = v->rhost,
		.ref = v->question.ref,
		.keys = &v->keys,
		.ruling = ruling,
		.bundle = bundle,
		.now = lb_clock_now(),
		.now_boot_ms = lb_clock_boottime_ms(),
	};
	enum lb_err r;

	if ((r = sessions_open(&v->agent->state, &o)) != LB_OK) {
		journal_r(
		    r, "%s: register session %u", v->question.ref, v->sid);
		refuse(
		    v, r == LB_ERR_CONFLICT ? "sid_not_new" : "internal", "");
		return;
	}
	v->registered = true;
	allow_ready(v, ruling);
	allow_when_written(v);
}

static void
forget_session(struct visit *v, const char *why)
{
	enum lb_err r;

	if (!v->registered)
		return;
	v->registered = false;
	state_session_drop(&v->agent->state, v->sid);
	agent_state_soon(v->agent, lb_clock_boottime_ms());
	journal(LOG_NOTICE, "%s: session %u was not begun: %s", v->reply.ref,
	    v->sid, why);
	/* Whoever goes on all the same is not one of ours. */
	r = askers_add(v->agent->askers, v->peer.pid, v->peer.pidfd,
	    lb_clock_boottime_ms());
	if (r != LB_OK && r != LB_ERR_MISSING) /* gone is what it should be */
		journal_r(
		    r, "%s: watch pid %d", v->reply.ref, (int)v->peer.pid);
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
		refuse(v,
		    strcmp(ruling.code, "grant_service") == 0
			? "service_not_granted"
			: ruling.code,
		    "");
		return;
	}
	if (sessions_rest(s, &ruling, w.now, w.now_boot_ms, &more) != LB_OK) {
		refuse(v, "internal", "");
		return;
	}
	ruling.lease_end = s->lease_end;
	allow_ready(v, &ruling);
	v->reply.not_after = s->deadline;
	if (s->deadline < deadline)
		tell_rests(word, s->deadline, v->reply.tell);
	if (more)
		allow_when_written(v);
	else
		send_reply(v);
}

/* --- asking the broker ---------------------------------------------------- */

static void ask(struct visit *v);

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

/* Denies and revokes count wherever they arrive: if one cannot be kept, nobody
 * is let in by what brought it. */
static enum lb_err
collect(struct agent *a, const struct lb_bundle *bundle)
{
	size_t added = 0;
	enum lb_err r;

	r = lb_kills_collect(&a->state.kills, agent_trust(a), bundle,
	    lb_clock_now(), a->state.floor, &added);
	if (r != LB_OK)
		journal_r(r, "keep denies and revokes");
	if (added > 0) {
		journal(
		    LOG_NOTICE, "keeping %zu new denies and revokes", added);
		a->state_must = true;
	}
	return r;
}

static void
answered(struct visit *v, const struct lb_bundle *bundle)
{
	struct agent *a = v->agent;
	struct lb_ruling ruling;

	if (anchor_follow(a->anchor, bundle, lb_clock_now()) > 0)
		a->state_must = true;
	if (collect(a, bundle) != LB_OK) {
		refuse(v, "state_unwritable", "");
		return;
	}
	if (strcmp(agent_trust(a)->id, v->question.trust) != 0 &&
	    v->questions < VISIT_QUESTIONS) {
		ask(v); /* under the trust that is in force now */
		return;
	}
	judge(v, bundle, &ruling);
	if (ruling.verdict != LB_VERDICT_ALLOW)
		refuse(v, ruling.code, ruling.message);
	else if (v->phase == LB_PHASE_SESSION)
		allow_session(v, &ruling, bundle);
	else
		allow_account(v, &ruling);
}

static void
drop_carrier(struct visit *v)
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
		refuse(v, frame_outcome_code(outcome), "");
	} else if ((r = lb_bundle_split(text, len, &bundle)) != LB_OK) {
		journal_r(r, "%s: read the broker's answer", v->question.ref);
		refuse(v, "broker_garbage", "");
	} else {
		struct carrier *c = v->carrier;

		/* The text must live while it is judged; another question
		 * needs the place. */
		v->carrier = NULL;
		loop_remove(v->agent->loop, &v->carrier_watch);
		v->carrier_watch.fd = -1;
		v->agent->question_count--;
		answered(v, bundle);
		lb_bundle_free(bundle);
		carrier_free(c);
		return;
	}
	drop_carrier(v);
}

static void
on_carrier(void *arg, uint32_t events)
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
	drop_carrier(v);
	refuse(v, r == LB_ERR_MEMORY ? "internal" : "courier_garbage", "");
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
	if ((r = carrier_new(a->conf.courier, (uint32_t)left,
		 v->question.bundle.data, v->question.bundle.len,
		 &v->carrier)) != LB_OK)
		return r;
	a->question_count++;
	v->carrier_watch.fd = carrier_fd(v->carrier);
	r = loop_add(a->loop, &v->carrier_watch, carrier_events(v->carrier));
	if (r != LB_OK)
		drop_carrier(v);
	return r;
}

static void
ask(struct visit *v)
{
	enum lb_err r;

	v->questions++;
	v->stage = STAGE_BROKER;
	if (v->agent->question_count >= (size_t)v->agent->conf.questions) {
		refuse(v, "agent_busy", "");
		return;
	}
	if ((r = make_question(v)) != LB_OK) {
		journal_r(r, "compose a question for login '%s'", v->login);
		refuse(v, "internal", "");
	} else if ((r = send_question(v)) == LB_ERR_TIMEOUT) {
		refuse(v, "broker_timeout", "");
	} else if (r != LB_OK) {
		journal_r(r, "%s: reach the courier at '%s'", v->question.ref,
		    v->agent->conf.courier);
		refuse(v, "courier_unreachable", "");
	}
}

/* --- the module's packets ------------------------------------------------- */

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
		start_reply(v);
		memcpy(v->reply.code, "exempt", sizeof("exempt"));
		v->reply.exempt = 1; /* neither allowed nor denied by us */
		send_reply(v);
		return;
	case COURSE_WITHIN:
		within(v, s, way.service);
		return;
	case COURSE_ASK:
		ask(v);
		return;
	case COURSE_REFUSE:
		break;
	}
	refuse(v, way.code, "");
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
		refuse(v, f.unable != NULL ? f.unable : "system_error", "");
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

static void
read_ask(struct visit *v)
{
	static struct lb_door_ask q; /* large; one thread */
	enum lb_err r;

	r = door_receive_ask(&v->peer, &q);
	if (r == LB_ERR_STATE)
		return;
	if (r != LB_OK) {
		if (r != LB_ERR_PEER)
			journal_r(r, "read what pid %d asks", (int)v->peer.pid);
		visit_end(v);
		return;
	}
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
		forget_session(v, "the module said no last word");
	} else if (f.verdict != LB_VERDICT_ALLOW) {
		forget_session(v, f.code);
		if (v->reply.verdict == LB_VERDICT_ALLOW)
			journal(LOG_WARNING,
			    "%s: the module refused what we allowed: %s",
			    v->reply.ref, f.code);
	} else if (v->registered) {
		struct state_session *s =
		    state_session_find(&v->agent->state, v->sid);

		if (s != NULL)
			s->final = true;
		agent_state_soon(v->agent, lb_clock_boottime_ms());
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
	forget_session(v, "the module went away");
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
	    (struct loop_watch){ .fd = -1, .ready = on_carrier, .arg = v };
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
	forget_session(v, "the state was not written");
	refuse(v, "state_unwritable", "");
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
		send_reply(v);
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
		drop_carrier(v);
		refuse(v, "broker_timeout", "");
		return;
	}
	forget_session(v, "the module said no last word");
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
	while (a->visits != NULL)
		visit_end(a->visits);
}
