/* Who is told what: one table. */
#include "notices.h"

#include <string.h>

/* Who hears of it by mail. */
enum {
	TO_APPROVERS = 1 << 0, /* but not the one who did it */
	TO_OWNERS = 1 << 1,
	TO_ENGINEER = 1 << 2,
	TO_MANAGERS = 1 << 3,
};

static const struct rule {
	const char *word;
	unsigned int mail;
	bool hooks;
	enum state wants; /* it asks for something while in this state */
} rules[NOTICES] = {
	[NOTICE_REQUEST_CREATED] = { "request.created", 0, true, 0 },
	[NOTICE_PENDING_ENDORSEMENT] = { "request.pending_endorsement",
	    TO_MANAGERS, false, STATE_PENDING_ENDORSEMENT },
	[NOTICE_PENDING_APPROVAL] = { "request.pending_approval", TO_APPROVERS,
	    true, STATE_PENDING_APPROVAL },
	[NOTICE_REMINDER] = { "request.reminder", TO_APPROVERS, true,
	    STATE_PENDING_APPROVAL },
	[NOTICE_REQUEST_APPROVED] = { "request.approved", TO_ENGINEER, true,
	    0 },
	[NOTICE_REQUEST_DENIED] = { "request.denied", TO_ENGINEER, true, 0 },
	[NOTICE_REQUEST_CANCELLED] = { "request.cancelled", 0, true, 0 },
	[NOTICE_REQUEST_LAPSED] = { "request.lapsed", TO_ENGINEER, true, 0 },
	[NOTICE_SETTLED] = { "request.settled", TO_APPROVERS, false, 0 },
	[NOTICE_GRANT_ACTIVATED] = { "grant.activated", 0, true, 0 },
	[NOTICE_GRANT_REVOKED] = { "grant.revoked", TO_ENGINEER, true, 0 },
	[NOTICE_GRANT_RETURNED] = { "grant.returned", 0, true, 0 },
	[NOTICE_GRANT_EXPIRED] = { "grant.expired", TO_ENGINEER, true, 0 },
	[NOTICE_SESSION_OPENED] = { "session.opened", 0, true, 0 },
	[NOTICE_SESSION_ENDED] = { "session.ended", 0, true, 0 },
	[NOTICE_TRUST_CHANGED] = { "trust.changed", TO_APPROVERS | TO_OWNERS,
	    true, 0 },
	[NOTICE_TRUST_PROPOSED] = { "trust.proposed", TO_OWNERS, true, 0 },
	[NOTICE_INVITATION_CREATED] = { "invitation.created", TO_OWNERS, true,
	    0 },
	[NOTICE_WEBHOOK_TEST] = { "webhook.test", 0, false, 0 },
};

const char *
notice_word(enum notice_kind k)
{
	return rules[k].word;
}

enum notice_kind
notice_find(const char *word)
{
	for (int k = 1; k < NOTICES; k++)
		if (strcmp(rules[k].word, word) == 0)
			return (enum notice_kind)k;
	return 0;
}

bool
notice_is_for_hooks(enum notice_kind k)
{
	return rules[k].hooks;
}

bool
notice_is_for_mail(enum notice_kind k)
{
	return rules[k].mail != 0;
}

bool
notice_asks(enum notice_kind k)
{
	return rules[k].wants != 0;
}

enum state
notice_wants(enum notice_kind k)
{
	return rules[k].wants;
}

bool
notice_tells_managers(enum notice_kind k)
{
	return (rules[k].mail & TO_MANAGERS) != 0;
}

/*
 * Rows with a state hold for a request in that state alone; a grant becomes
 * active by the last approval, or later by its time.
 */
static const struct meaning {
	const char *event;
	enum state state;
	enum notice_kind kind;
	bool approval; /* only if somebody approved in the same change */
} meanings[] = {
	{ "request.created", 0, NOTICE_REQUEST_CREATED, false },
	{ "request.created", STATE_PENDING_ENDORSEMENT,
	    NOTICE_PENDING_ENDORSEMENT, false },
	{ "request.created", STATE_PENDING_APPROVAL, NOTICE_PENDING_APPROVAL,
	    false },
	{ "request.endorsed", STATE_PENDING_APPROVAL, NOTICE_PENDING_APPROVAL,
	    false },
	{ "grant.scheduled", 0, NOTICE_REQUEST_APPROVED, true },
	{ "grant.scheduled", 0, NOTICE_SETTLED, true },
	{ "grant.active", 0, NOTICE_REQUEST_APPROVED, true },
	{ "grant.active", 0, NOTICE_SETTLED, true },
	{ "grant.active", 0, NOTICE_GRANT_ACTIVATED, false },
	{ "request.denied", 0, NOTICE_REQUEST_DENIED, false },
	{ "request.denied", 0, NOTICE_SETTLED, false },
	{ "request.cancelled", 0, NOTICE_REQUEST_CANCELLED, false },
	{ "request.cancelled", 0, NOTICE_SETTLED, false },
	{ "request.lapsed", 0, NOTICE_REQUEST_LAPSED, false },
	{ "grant.revoked", 0, NOTICE_GRANT_REVOKED, false },
	{ "grant.stopped", 0, NOTICE_GRANT_REVOKED, false },
	{ "grant.returned", 0, NOTICE_GRANT_RETURNED, false },
	{ "grant.expired", 0, NOTICE_GRANT_EXPIRED, false },
	{ "session.opened", 0, NOTICE_SESSION_OPENED, false },
	{ "session.ended", 0, NOTICE_SESSION_ENDED, false },
	{ "trust.changed", 0, NOTICE_TRUST_CHANGED, false },
	{ "trust.proposed", 0, NOTICE_TRUST_PROPOSED, false },
	{ "invitation.created", 0, NOTICE_INVITATION_CREATED, false },
	{ "webhook.tested", 0, NOTICE_WEBHOOK_TEST, false },
};

size_t
notices_of_event(const char *event, enum state state, bool approval,
    enum notice_kind ret[static NOTICES_OF_EVENT])
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (strcmp(meanings[i].event, event) == 0 &&
		    (meanings[i].state == 0 || meanings[i].state == state) &&
		    (!meanings[i].approval || approval) && n < NOTICES_OF_EVENT)
			ret[n++] = meanings[i].kind;
	return n;
}

void
notices_reminders(
    int64_t from, int64_t until, int64_t ret[static NOTICES_REMINDERS])
{
	static const int64_t percent[NOTICES_REMINDERS] = { 25, 50, 90 };

	for (size_t i = 0; i < NOTICES_REMINDERS; i++)
		ret[i] = from + (until - from) * percent[i] / 100;
}

struct telling {
	const char *actor, *engineer;
	struct told *ret;
	size_t count;
};

static void
tell(struct telling *t, const char *principal, bool staff, bool gathers)
{
	struct told *x = &t->ret[t->count];

	if (principal[0] == '\0' || strcmp(principal, t->actor) == 0 ||
	    t->count == NOTICES_TOLD_MAX)
		return;
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->ret[i].principal, principal) == 0 &&
		    t->ret[i].staff == staff)
			return;
	ROW_TEXT(x->principal, principal);
	x->staff = staff;
	x->gathers = gathers;
	t->count++;
}

/* The lines that may do this now; never the engineer's own. */
static void
tell_lines(struct telling *t, const struct lb_pinned_list *lines,
    enum lb_ns may, bool staff, int64_t now)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct lb_pinned *p = &lines->item[i];

		if ((p->namespaces & may) != 0 && lb_pinned_in_dates(p, now) &&
		    strcmp(p->principal, t->engineer) != 0)
			tell(t, p->principal, staff, true);
	}
}

size_t
notices_told(enum notice_kind k, const struct lb_trust *trust,
    const char *actor, const char *engineer, int64_t now,
    struct told ret[static NOTICES_TOLD_MAX])
{
	struct telling t = { actor, engineer, ret, 0 };
	unsigned int mail = rules[k].mail;

	if (trust != NULL && (mail & TO_APPROVERS) != 0) {
		tell_lines(&t, &trust->approver, LB_NS_APPROVE, false, now);
		if (now < trust->delegate_until)
			tell_lines(
			    &t, &trust->delegate, LB_NS_APPROVE, true, now);
	}
	if (trust != NULL && (mail & TO_OWNERS) != 0)
		tell_lines(&t, &trust->approver, LB_NS_TRUST, false, now);
	/* Also of what he did himself nobody need tell him. */
	if ((mail & TO_ENGINEER) != 0)
		tell(&t, engineer, true, false);
	return t.count;
}

bool
notice_in_types(enum notice_kind k, const char *types)
{
	const char *word = rules[k].word;
	size_t len = strlen(word);

	if (types[0] == '\0')
		return rules[k].hooks;
	for (const char *p = types; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, len) == 0 &&
		    (p[len] == ',' || p[len] == '\0'))
			return true;
	}
	return false;
}
