/* Composing and signing reports. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/clock.h"

#include "journal.h"
#include "rests.h"

#define UNFINISHED "unfinished"

const char *
report_refusal(const struct agent *a)
{
	return a->ledger.spool.count >= SPOOL_ALLOW_MAX ? "spool_full" : NULL;
}

/* The document, then our signature. */
static enum lb_err
sign(const struct agent *a, const struct lb_report *d, struct lb_buf *ret)
{
	struct lb_buf b = { .max = LB_BUNDLE_MAX };
	struct lb_buf armor = { .max = LB_ARMOR_MAX };
	enum lb_err r;

	if ((r = lb_doc_write(&lb_report_type, d, &b)) != LB_OK ||
	    (r = lb_signer_sign(
		 a->signer, LB_NS_REPORT, b.data, b.len, &armor)) != LB_OK ||
	    (r = lb_buf_add(&b, armor.data, armor.len)) != LB_OK)
		goto out;
	*ret = b;
	b = (struct lb_buf){ 0 }; /* handed over */
out:
	lb_buf_clear(&armor);
	lb_buf_clear(&b);
	return r;
}

/* Said at the first, the second, the fourth, the eighth ... */
static void
skip(struct agent *a, const struct lb_report *d, const char *why)
{
	struct spool *sp = &a->ledger.spool;

	spool_skip(sp);
	if ((sp->skipped & (sp->skipped - 1)) == 0)
		journal(LOG_ERR,
		    "not reporting %s, number %" PRId64 ": %s; %" PRIu64
		    " since the start",
		    d->event, sp->last, why, sp->skipped);
}

/* Everything but what happened, and when unless that was now. */
static enum lb_err
fill(const struct agent *a, struct lb_report *d)
{
	enum lb_err r;

	if ((r = lb_text_copy(d->host, sizeof(d->host), a->conf.host)) !=
		LB_OK ||
	    (r = lb_text_copy(d->tenant, sizeof(d->tenant), agent_tenant(a))) !=
		LB_OK ||
	    (r = lb_text_copy(d->broker, sizeof(d->broker), a->conf.broker)) !=
		LB_OK ||
	    (r = lb_text_copy(
		 d->trust, sizeof(d->trust), agent_trust(a)->id)) != LB_OK)
		return r;
	d->sequence = a->ledger.spool.last + 1;
	if (d->at == 0)
		d->at = lb_clock_now();
	return LB_OK;
}

static bool
can_report(const struct agent *a)
{
	return a->ledger.open && a->signer != NULL && a->anchor != NULL;
}

/* A tied one is written with the state, soon; what comes behind such a one
 * has to wait for it, so then at once. */
static void
hurry(struct agent *a, bool tied)
{
	if (tied)
		agent_state_by(a, lb_clock_boottime_ms() + REPORT_TIED_MS);
	else if (spool_tied(&a->ledger.spool))
		a->state_must = true;
}

static void
add(struct agent *a, struct lb_report *d, enum spool_kind kind, bool tied)
{
	struct lb_buf text = { 0 };
	enum lb_err r;

	if (!can_report(a))
		return;
	if (!spool_takes(&a->ledger.spool, kind)) {
		skip(a, d, "too many reports wait for the broker");
		return;
	}
	if ((r = fill(a, d)) != LB_OK || (r = sign(a, d, &text)) != LB_OK ||
	    (r = spool_add(&a->ledger.spool, &text, tied)) != LB_OK) {
		lb_buf_clear(&text);
		skip(a, d, lb_err_text(r));
		return;
	}
	hurry(a, tied);
}

/* What cannot be said in a document is left out: the rest is said. */
static void
put_who(struct lb_report *d, const char *login, const char *service,
    const char *rhost, const char *engineer, const char *grant)
{
	if (lb_login_valid(login))
		(void)snprintf(d->login, sizeof(d->login), "%s", login);
	if (lb_service_valid(service))
		(void)snprintf(d->service, sizeof(d->service), "%s", service);
	if (lb_rhost_valid(rhost))
		(void)snprintf(d->rhost, sizeof(d->rhost), "%s", rhost);
	if (lb_principal_valid(engineer))
		(void)snprintf(
		    d->engineer, sizeof(d->engineer), "%s", engineer);
	if (lb_sha256_valid(grant))
		(void)snprintf(d->grant, sizeof(d->grant), "%s", grant);
}

static void
put_word(char ret[static LB_WORD_MAX + 1], const char *word)
{
	if (lb_text_copy(ret, LB_WORD_MAX + 1, word) != LB_OK)
		ret[0] = '\0'; /* none that a document knows */
}

/* --- decisions ---------------------------------------------------------------- */

static void
opened(struct visit *v)
{
	struct state_session *s = state_session_find(&v->agent->state, v->sid);

	if (s != NULL)
		report_opened(v->agent, s);
}

void
report_login(struct visit *v, bool allowed, const char *code)
{
	const struct lb_door_reply *p = &v->reply;
	struct lb_report d = { .engineer_key = v->keys };

	if (v->reported)
		return;
	v->reported = true;
	if (v->phase == LB_PHASE_SESSION && allowed) {
		opened(v);
		return;
	}
	put_word(d.event,
	    v->phase == LB_PHASE_SESSION ? "session.refused"
					 : "login.decision");
	put_who(&d, v->login, v->service, v->rhost, p->engineer, p->grant);
	put_word(d.cause, allowed ? p->code : code);
	if (v->sid != PROCS_SID_UNSET && v->sid > 0)
		d.session = v->sid;
	add(v->agent, &d, allowed ? SPOOL_MAJOR : SPOOL_MINOR, false);
}

/* --- sessions ----------------------------------------------------------------- */

static void
put_session(
    struct lb_report *d, const struct state_session *s, const char *grant)
{
	put_who(d, s->login, s->service, s->rhost, s->engineer, grant);
	d->engineer_key = s->keys;
	d->session = s->sid;
}

void
report_opened(struct agent *a, struct state_session *s)
{
	struct lb_report d = { .at = s->opened_at };

	if (s->final)
		return;
	s->final = true;
	put_word(d.event, "session.opened");
	put_word(d.cause, s->offline ? "granted_offline" : "granted");
	put_session(&d, s, s->rests.count > 0 ? s->rests.item[0] : "");
	add(a, &d, SPOOL_MAJOR, true);
}

void
report_session(
    struct agent *a, const struct state_session *s, const char *event)
{
	struct lb_report d = { 0 };

	put_word(d.event, event);
	put_session(&d, s, rests_first(&a->state, s));
	add(a, &d, SPOOL_MINOR, false);
}

void
report_moved(struct agent *a, const struct state_session *s, int64_t before)
{
	const char *event =
	    s->deadline > before ? "session.extended" : "session.shortened";
	const char *grant = rests_first(&a->state, s);
	char sid[24], was[LB_TIME_LEN + 1], is[LB_TIME_LEN + 1];
	struct lb_report d = { 0 };

	(void)snprintf(sid, sizeof(sid), "%" PRIu32, s->sid);
	lb_time_format(before, was);
	lb_time_format(s->deadline, is);
	journal_event(LOG_NOTICE, event, "ref", s->ref, "tenant",
	    agent_tenant(a), "host", a->conf.host, "login", s->login, "service",
	    s->service, "engineer", s->engineer, "grant", grant, "sid", sid,
	    "not_after", is, "before", was, NULL);
	put_word(d.event, event);
	put_session(&d, s, grant);
	add(a, &d, SPOOL_MAJOR, true);
}

void
report_ended(
    struct agent *a, struct state_session *s, const char *cause, size_t killed)
{
	int64_t lasted = lb_clock_now() - s->opened_at;
	struct lb_report d = { .killed = (int64_t)killed };

	report_opened(a, s); /* if nobody has said so yet */
	put_word(d.event, "session.ended");
	put_word(d.cause, cause);
	put_session(&d, s, s->rests.count > 0 ? s->rests.item[0] : "");
	d.rhost[0] = '\0'; /* its opening said so */
	if (lasted > 0 && lasted <= LB_COUNT_MAX)
		d.seconds = lasted;
	add(a, &d, SPOOL_MAJOR, true);
}

/* --- the agent ---------------------------------------------------------------- */

void
report_agent(struct agent *a, const char *event, const char *cause)
{
	struct lb_report d = { 0 };

	if (strncmp(event, "agent.", 6) == 0)
		journal_event(LOG_NOTICE, event, "code", cause, "tenant",
		    agent_tenant(a), "host", a->conf.host, "trust",
		    agent_trust(a) == NULL ? "" : agent_trust(a)->id, NULL);
	put_word(d.event, event);
	put_word(d.cause, cause);
	add(a, &d,
	    strcmp(event, "agent.started") == 0 ? SPOOL_MINOR : SPOOL_MAJOR,
	    false);
}

/* --- a count that was lost ----------------------------------------------------- */

static enum lb_err
renumber(struct agent *a, size_t i)
{
	static struct lb_report d; /* large; one thread */
	struct spool *sp = &a->ledger.spool;
	const struct spool_report *p = &sp->item[i];
	struct lb_bundle *b = NULL;
	struct lb_buf text = { 0 };
	enum lb_err r;

	if ((r = lb_bundle_split(p->text, p->len, &b)) != LB_OK ||
	    (r = lb_report_parse(
		 b->part[0].doc.text, b->part[0].doc.len, &d)) != LB_OK)
		goto out;
	d.sequence = sp->last + 1;
	if ((r = sign(a, &d, &text)) != LB_OK ||
	    (r = spool_renumbered(sp, i, &text)) != LB_OK)
		goto out;
out:
	lb_buf_clear(&text);
	lb_bundle_free(b);
	return r;
}

void
report_renumber(struct agent *a)
{
	struct spool *sp = &a->ledger.spool;
	enum lb_err r;

	journal(LOG_WARNING,
	    "the broker has reports up to number %" PRId64
	    " of this host, which does not remember them: counting on from "
	    "there",
	    sp->last);
	for (size_t i = 0; i < sp->count;) {
		if ((r = renumber(a, i)) == LB_OK) {
			i++;
			continue;
		}
		journal_r(r, "number report %" PRId64 " anew, leaving it out",
		    sp->item[i].sequence);
		spool_forget(sp, i);
	}
}
