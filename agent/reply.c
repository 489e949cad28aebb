/* Answering the module: refusals, allows, their records. */
#include "reply.h"

#include <string.h>

#include "lockbox/clock.h"

#include "journal.h"
#include "report.h"
#include "sessions.h"
#include "tell.h"

void
reply_start(struct visit *v)
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

void
reply_send(struct visit *v)
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

void
reply_refuse(struct visit *v, const char *code, const char *message)
{
	struct tell_facts f = {
		.code = code,
		.message = message,
		.tenant = agent_tenant(v->agent),
		.host = v->agent->conf.host,
		.login = v->login,
		.service = word_of(v->service),
	};

	reply_start(v);
	f.ref = v->reply.ref;
	if (lb_text_copy(v->reply.code, sizeof(v->reply.code), code) != LB_OK)
		memcpy(v->reply.code, "internal", sizeof("internal"));
	tell_refusal(&f, v->reply.tell);
	reply_send(v);
}

/* --- letting in ---------------------------------------------------------- */

void
reply_allow(struct visit *v, const struct lb_ruling *ruling)
{
	reply_start(v);
	memcpy(v->reply.code, ruling->code, sizeof(ruling->code));
	add_ruling(v, ruling);
	v->reply.verdict = LB_VERDICT_ALLOW;
}

/* No room for the record, no allow. */
static bool
no_room(struct visit *v)
{
	const char *code = report_refusal(v->agent);

	if (code != NULL)
		reply_refuse(v, code, "");
	return code != NULL;
}

/* Told after the state is on disk: see visit_saved_all. */
void
reply_when_written(struct visit *v)
{
	v->agent->state_must = true;
	v->round = v->agent->round;
	v->stage = STAGE_COMMIT;
}

void
reply_account(struct visit *v, const struct lb_ruling *ruling)
{
	enum lb_err r;

	if (no_room(v))
		return;
	if (ruling->provisional) {
		r = askers_add(v->agent->askers, v->peer.pid, v->peer.pidfd,
		    lb_clock_boottime_ms());
		if (r != LB_OK) {
			reply_refuse(v, "agent_busy", "");
			return;
		}
	}
	reply_allow(v, ruling);
	if (v->agent->ledger.failing) /* the next record may fail, too */
		reply_when_written(v);
	else
		reply_send(v);
}

void
reply_session(struct visit *v, const struct lb_ruling *ruling,
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
		.round = v->agent->round,
	};
	enum lb_err r;

	if (no_room(v))
		return;
	if ((r = sessions_open(&v->agent->state, &o)) != LB_OK) {
		journal_r(
		    r, "%s: register session %u", v->question.ref, v->sid);
		reply_refuse(
		    v, r == LB_ERR_CONFLICT ? "sid_not_new" : "internal", "");
		return;
	}
	v->registered = true;
	reply_allow(v, ruling);
	if (ruling->offline)
		tell_offline(ruling->not_after, v->reply.tell);
	reply_when_written(v);
}

void
reply_forget_session(struct visit *v, const char *why)
{
	const struct state_session *s;
	enum lb_err r;

	if (!v->registered)
		return;
	v->registered = false;
	s = state_session_find(&v->agent->state, v->sid);
	if (s != NULL && s->final)
		return; /* it is being ended, and told of */
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
