/* The rules of the door that need nobody's answer. */
#include "decide.h"

#include <stdio.h>
#include <string.h>

#include "lockbox/bundle.h"

/* Services by the word that a grant has for them; NULL: never by a grant. */
static const char *
word_for(const char *service)
{
	static const struct {
		const char *service, *word;
	} row[] = {
		{ "sudo", "sudo" },
		{ "sudo-i", "sudo" },
		{ "su", "su" },
		{ "su-l", "su" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(service, row[i].service) == 0)
			return row[i].word;
	return NULL;
}

/* A new session: the key known, the audit session id its own. */
static const char *
session_fault(const struct decide_facts *f)
{
	if (!f->keys_told || !f->keys_readable || f->key_count == 0)
		return "key_unknown";
	if (f->sid == PROCS_SID_UNSET)
		return "sid_unset";
	if (f->sid == f->parent_sid)
		return "sid_not_new";
	return NULL;
}

static void
way_within(const struct decide_facts *f, struct decide_way *w)
{
	w->service = word_for(f->service);
	if (w->service == NULL)
		w->code = "not_in_session";
	else if (f->unable != NULL)
		w->code = f->unable;
	else
		w->course = COURSE_WITHIN;
}

static void
way_in(const struct decide_facts *f, struct decide_way *w)
{
	const char *fault = NULL;

	if (f->phase == LB_PHASE_SESSION)
		fault = session_fault(f);
	else if (f->phase != LB_PHASE_ACCOUNT)
		fault = "phase_unknown";
	else if (f->keys_told && !f->keys_readable)
		fault = "key_unknown";
	else if (!lb_login_valid(f->login))
		fault = "login_unknown";
	if (fault == NULL)
		fault = f->unable;
	if (fault != NULL)
		w->code = fault;
	else
		w->course = COURSE_ASK;
}

void
decide_way(const struct decide_facts *f, struct decide_way *ret)
{
	struct decide_way w = { .course = COURSE_REFUSE };

	if (f->in_session)
		way_within(f, &w);
	else if (f->exempt_rule)
		w.course = COURSE_EXEMPT;
	else if (strcmp(f->service, "sshd") != 0)
		w.code = "not_sshd";
	else
		way_in(f, &w);
	*ret = w;
}

static void
refuse(struct lb_ruling *r, const char *code)
{
	*r = (struct lb_ruling){ .verdict = LB_VERDICT_DENY };
	(void)snprintf(r->code, sizeof(r->code), "%s", code);
}

/* For su the target login must be the grant's, too. */
static bool
target_fits(const struct decide_within *w, const struct lb_part *part)
{
	struct lb_grant grant;

	if (strcmp(w->service, "su") != 0)
		return true;
	return lb_grant_parse(part->doc.text, part->doc.len, &grant) == LB_OK &&
	    lb_logins_has(&grant.login, w->target);
}

static void
judge_kept(const struct decide_within *w, const struct state_kept *kept,
    struct lb_ruling *ret)
{
	struct lb_bundle *b = NULL;
	struct lb_grant_case c = {
		.trust = w->trust,
		.kills = &w->state->kills,
		.tenant = w->tenant,
		.broker = w->broker,
		.host = w->host,
		.login = w->session->login,
		.service = w->service,
		.keys = &w->session->keys,
		.now = w->now,
	};

	if (lb_bundle_split(kept->bundle, kept->bundle_len, &b) != LB_OK ||
	    (c.part = lb_bundle_find(b, kept->id)) == NULL) {
		refuse(ret, "grant_unreadable");
	} else if (!target_fits(w, c.part)) {
		refuse(ret, "target_not_granted");
	} else {
		c.bundle = b;
		lb_grant_judge(&c, ret);
	}
	/* Without a key nothing passes here: no session has none. */
	if (ret->provisional || w->session->keys.count == 0)
		refuse(ret, "key_unknown");
	lb_bundle_free(b);
}

/* Is a better than b, both allowing? */
static bool
better(const struct state_session *s, const struct lb_ruling *a,
    const struct lb_ruling *b)
{
	bool a_rests = lb_grant_ids_has(&s->rests, a->grant),
	     b_rests = lb_grant_ids_has(&s->rests, b->grant);

	if (a_rests != b_rests)
		return a_rests;
	return a->not_after > b->not_after;
}

/* NULL, or why the session itself is over, whatever its grants say. */
static const char *
session_over(const struct decide_within *w)
{
	const struct state_session *s = w->session;

	if (s->ending[0] != '\0')
		return "time_over";
	if (w->now < w->state->floor)
		return "clock_floor";
	if (w->now >= s->deadline || w->now_boot_ms >= s->deadline_boot_ms)
		return "time_over";
	if (w->now >= s->lease_end || w->now_boot_ms >= s->lease_end_boot_ms)
		return "lease_over";
	if (s->offline && !w->trust->offline)
		return "offline_denied";
	for (size_t i = 0; i < s->rests.count; i++)
		if (lb_kills_has(&w->state->kills, s->rests.item[i], w->now))
			return "grant_revoked";
	return NULL;
}

void
decide_within(const struct decide_within *w, struct lb_ruling *ret)
{
	const struct state_session *s = w->session;
	const char *over = session_over(w);
	struct lb_ruling best, one;

	refuse(&best, "no_grant");
	if (over != NULL) {
		refuse(ret, over);
		return;
	}
	for (size_t i = 0; i < s->keeps.count; i++) {
		const struct state_kept *kept =
		    state_kept_find(w->state, s->keeps.item[i]);

		if (kept == NULL)
			continue;
		judge_kept(w, kept, &one);
		if (one.verdict == LB_VERDICT_ALLOW &&
		    (best.verdict != LB_VERDICT_ALLOW ||
			better(s, &one, &best)))
			best = one;
		else if (one.verdict != LB_VERDICT_ALLOW &&
		    best.verdict != LB_VERDICT_ALLOW)
			best = one;
	}
	*ret = best;
}

/* --- while the broker is away ---------------------------------------------- */

bool
decide_away(const char *code)
{
	static const char *const row[] = { "broker_unreachable",
		"broker_timeout", "broker_tls", "broker_failed",
		"broker_garbage", "courier_unreachable" };

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(code, row[i]) == 0)
			return true;
	return false;
}

/* False: it is not for this login. */
static bool
judge_handed(const struct decide_offline *o, const struct state_kept *kept,
    struct lb_ruling *ret)
{
	static struct lb_grant grant; /* large; one thread */
	struct lb_bundle *b = NULL;
	bool meant = false;
	struct lb_grant_case c = {
		.trust = o->trust,
		.kills = &o->state->kills,
		.tenant = o->tenant,
		.broker = o->broker,
		.host = o->host,
		.login = o->login,
		.service = o->service,
		.keys = o->keys,
		.now = o->now,
	};

	if (lb_bundle_split(kept->bundle, kept->bundle_len, &b) == LB_OK &&
	    (c.part = lb_bundle_find(b, kept->id)) != NULL &&
	    lb_grant_parse(c.part->doc.text, c.part->doc.len, &grant) ==
		LB_OK &&
	    lb_logins_has(&grant.login, o->login)) {
		c.bundle = b;
		lb_offline_judge(&c, o->state->floor, ret);
		meant = true;
	}
	lb_bundle_free(b);
	return meant;
}

const struct state_kept *
decide_offline(const struct decide_offline *o, struct lb_ruling *ret)
{
	const struct state_kept *best = NULL;
	struct lb_ruling one;

	refuse(ret, "no_grant");
	for (size_t i = 0; i < o->state->kept_count; i++) {
		const struct state_kept *kept = &o->state->kept[i];

		if (!kept->handed || !judge_handed(o, kept, &one))
			continue;
		if (one.verdict != LB_VERDICT_ALLOW) {
			if (best == NULL)
				*ret = one;
		} else if (best == NULL || one.not_after > ret->not_after) {
			best = kept;
			*ret = one;
		}
	}
	return best;
}
