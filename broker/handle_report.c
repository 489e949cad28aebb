/* What hosts report: taken in order, each once, in one transaction. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/clock.h"

#include "handlers.h"
#include "log.h"
#include "matter.h"
#include "speaker.h"

#define AGENT      "lockbox-agent"
#define UNREPORTED "unreported"

/* The reports of one bundle. Heap. */
struct intake {
	struct speaker speaker;
	size_t count;
	struct {
		char id[LB_SHA256_LEN + 1];
		struct lb_report doc;
	} report[LB_BUNDLE_PARTS_MAX];
	struct intake_row row;
	struct step step[LB_BUNDLE_PARTS_MAX];
	struct lb_event event[2 * LB_BUNDLE_PARTS_MAX]; /* a gap before each */
};

/* One report, by the same host as those before, and about itself. */
static enum lb_err
report_read(struct app *app, struct reply *reply, const struct lb_part *part,
    struct intake *in)
{
	struct lb_report *doc = &in->report[in->count].doc;
	struct speaker s;
	enum lb_err r;

	if (part->type != &lb_report_type)
		return reply_refuse(reply, "bad_document", "reports only");
	if ((r = speaker_find(app, part, LB_NS_REPORT, reply, &s)) != LB_OK ||
	    (r = lb_report_parse(part->doc.text, part->doc.len, doc)) != LB_OK)
		return r;
	if (in->count == 0)
		in->speaker = s;
	/* Another host's or tenant's is as if there were none. */
	if (strcmp(s.key_fp, in->speaker.key_fp) != 0 ||
	    strcmp(doc->host, s.host) != 0 ||
	    strcmp(doc->tenant, s.tenant) != 0)
		return LB_ERR_MISSING;
	if (strcmp(doc->broker, app->conf.name) != 0)
		return reply_refuse(reply, "other_broker", "%s", "");
	if (in->count > 0 &&
	    doc->sequence <= in->report[in->count - 1].doc.sequence)
		return reply_refuse(
		    reply, "bad_document", "not in ascending sequence");
	memcpy(in->report[in->count++].id, part->id, sizeof(part->id));
	return LB_OK;
}

static enum lb_err
reports_read(struct app *app, const struct call *call, struct reply *reply,
    struct intake *in)
{
	struct lb_bundle *b = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(call->body, call->body_len, &b)) != LB_OK)
		return r;
	if (b->count == 0)
		r = reply_refuse(reply, "bad_document", "no report");
	for (size_t i = 0; r == LB_OK && i < b->count; i++)
		r = report_read(app, reply, &b->part[i], in);
	lb_bundle_free(b);
	if (r != LB_OK)
		return r;
	return call_limit(app, reply, LIMIT_REPORT, in->speaker.key_fp);
}

static struct lb_event *
event_add(struct intake *in, const char *event, const char *actor, int64_t now)
{
	struct lb_event *e = &in->event[in->row.event_count++];

	memset(e, 0, sizeof(*e));
	ROW_TEXT(e->tenant, in->speaker.tenant);
	ROW_TEXT(e->host, in->speaker.host);
	ROW_TEXT(e->event, event);
	ROW_TEXT(e->actor, actor);
	e->at = now;
	return e;
}

/* A host speaks of doors, sessions and its agent, in these words only. */
static bool
word_of_hosts(const char *event)
{
	return strncmp(event, "login.", 6) == 0 ||
	    strncmp(event, "session.", 8) == 0 ||
	    strncmp(event, "agent.", 6) == 0;
}

static void
detail_add(struct lb_event *e, const char *name, const char *value)
{
	size_t n = strlen(e->detail);

	if (value[0] != '\0')
		(void)snprintf(e->detail + n, sizeof(e->detail) - n, "%s%s=%s",
		    n > 0 ? " " : "", name, value);
}

static void
detail_number(struct lb_event *e, const char *name, int64_t value)
{
	char text[24] = "";

	if (value != 0)
		(void)snprintf(text, sizeof(text), "%" PRId64, value);
	detail_add(e, name, text);
}

/* The record says when we heard of it; the detail, when it was. */
static void
report_event(struct intake *in, const struct lb_report *d, int64_t now)
{
	char at[LB_TIME_LEN + 1];
	bool known = word_of_hosts(d->event);
	struct lb_event *e;

	e = event_add(in, known ? d->event : "host.reported", AGENT, now);
	memcpy(e->grant, d->grant, sizeof(e->grant));
	lb_time_format(d->at, at);
	if (!known)
		detail_add(e, "event", d->event);
	detail_add(e, "cause", d->cause);
	detail_add(e, "login", d->login);
	detail_add(e, "service", d->service);
	detail_number(e, "session", d->session);
	detail_number(e, "seconds", d->seconds);
	detail_number(e, "killed", d->killed);
	detail_number(e, "report", d->sequence);
	detail_add(e, "at", at);
	detail_add(e, "rhost", d->rhost);
}

static void
gap_event(
    struct app *app, struct intake *in, int64_t from, int64_t to, int64_t now)
{
	struct lb_event *e;

	e = event_add(in, "host.report_gap", app->conf.name, now);
	(void)snprintf(e->detail, sizeof(e->detail),
	    "reports %" PRId64 " to %" PRId64 " never came", from, to);
	LOG_WARN("reports %" PRId64 " to %" PRId64
		 " of host '%s' of '%s' never came",
	    from, to, in->speaker.host, in->speaker.tenant);
}

/* Until when, and whose, by the grant if we know it and it is for this host. */
static enum lb_err
stay_by_grant(struct app *app, struct stay_row *s)
{
	struct grant_row g = { 0 };
	enum lb_err r;

	if (s->grant[0] == '\0')
		return LB_OK;
	r = store_grant_get(app->store, s->grant, &g);
	if (r == LB_OK && strcmp(g.doc.tenant, s->tenant) == 0 &&
	    lb_hosts_has(&g.doc.host, s->host)) {
		s->ends_at = g.doc.not_after;
		ROW_TEXT(s->engineer, g.doc.engineer);
	}
	grant_row_clear(&g);
	return r == LB_ERR_MISSING ? LB_OK : r;
}

/* 0: it says nothing about a session that is kept. */
static enum step_kind
step_kind(const struct lb_report *d)
{
	if (strncmp(d->event, "session.", 8) != 0 || d->session == 0 ||
	    strcmp(d->event, "session.refused") == 0)
		return 0;
	if (strcmp(d->event, "session.opened") == 0)
		return STEP_OPENED;
	if (strcmp(d->event, "session.ended") == 0)
		return STEP_ENDED;
	return d->grant[0] != '\0' ? STEP_MOVED : 0;
}

/* What a report means for the session it tells of, if any. */
static enum lb_err
report_step(struct app *app, struct intake *in, const char *id,
    const struct lb_report *d)
{
	struct step *p = &in->step[in->row.step_count];
	struct stay_row *s = &p->stay;

	memset(p, 0, sizeof(*p));
	p->kind = step_kind(d);
	if (p->kind == 0)
		return LB_OK;
	in->row.step_count++;
	memcpy(s->id, id, sizeof(s->id));
	ROW_TEXT(s->tenant, in->speaker.tenant);
	ROW_TEXT(s->host, in->speaker.host);
	s->session = d->session;
	memcpy(s->login, d->login, sizeof(s->login));
	memcpy(s->service, d->service, sizeof(s->service));
	memcpy(s->rhost, d->rhost, sizeof(s->rhost));
	memcpy(s->engineer, d->engineer, sizeof(s->engineer));
	memcpy(s->grant, d->grant, sizeof(s->grant));
	s->opened_at = d->at;
	s->ended_at = d->at;
	ROW_TEXT(s->cause, d->cause[0] != '\0' ? d->cause : UNREPORTED);
	return stay_by_grant(app, s);
}

/* Everything above what is kept. */
static enum lb_err
intake_fill(struct app *app, struct intake *in, int64_t kept, int64_t now)
{
	struct intake_row *row = &in->row;
	enum lb_err r = LB_OK;

	memset(row, 0, sizeof(*row));
	ROW_TEXT(row->tenant, in->speaker.tenant);
	ROW_TEXT(row->host, in->speaker.host);
	ROW_TEXT(row->key_fp, in->speaker.key_fp);
	row->kept = row->sequence = kept;
	row->at = now;
	row->step = in->step;
	row->event = in->event;
	for (size_t i = 0; r == LB_OK && i < in->count; i++) {
		const struct lb_report *d = &in->report[i].doc;

		if (d->sequence <= row->sequence)
			continue;
		if (d->sequence != row->sequence + 1)
			gap_event(
			    app, in, row->sequence + 1, d->sequence - 1, now);
		row->sequence = d->sequence;
		report_event(in, d, now);
		r = report_step(app, in, in->report[i].id, d);
	}
	return r;
}

/* Take what is new. LB_ERR_CONFLICT: the same host's, just now; look again. */
static enum lb_err
intake_once(struct app *app, int64_t now, struct intake *in)
{
	struct change c = { .intake = &in->row };
	int64_t kept = 0;
	enum lb_err r;

	r = store_intake_get(app->store, in->speaker.tenant, in->speaker.host,
	    in->speaker.key_fp, &kept);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	if ((r = intake_fill(app, in, kept, now)) != LB_OK ||
	    in->row.event_count == 0)
		return r;
	return call_commit(app, &c);
}

enum lb_err
report_post(struct app *app, const struct call *call, struct reply *reply)
{
	struct intake *in = calloc(1, sizeof(*in));
	enum lb_err r = LB_ERR_MEMORY;

	if (in == NULL)
		return r;
	if ((r = reports_read(app, call, reply, in)) != LB_OK)
		goto out;
	r = LB_ERR_CONFLICT;
	for (int i = 0; i < MATTER_TRIES && r == LB_ERR_CONFLICT; i++)
		r = intake_once(app, call->now, in);
	if (r != LB_OK)
		goto out;
	seen_note(app->seen, in->speaker.tenant, in->speaker.host, call->now);
	r = reply_json(reply, 200,
	    json_pack("{s:I}", "sequence", (json_int_t)in->row.sequence));
out:
	free(in);
	return r;
}
