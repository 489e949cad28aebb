/* The words for each refusal. */
#include "tell.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"

enum next {
	NEXT_REQUEST,  /* ask for a grant */
	NEXT_WAIT,     /* somebody else must act */
	NEXT_AGAIN,    /* try again */
	NEXT_HOST,     /* the host's administrator must act */
	NEXT_PROVIDER, /* the provider's operators must act */
	NEXT_CUSTOMER, /* the customer's approvers must act */
};

/* %s in a text stands for "LOGIN on HOST". */
static const struct row {
	const char *code;
	enum next next;
	const char *text;
} rows[] = {
	{ "no_grant", NEXT_REQUEST, "nobody has approved a login as %s" },
	{ "pending_endorsement", NEXT_WAIT,
	    "the request for %s waits for a manager's endorsement" },
	{ "pending_approval", NEXT_WAIT,
	    "the request for %s waits for the customer's approval" },
	{ "not_yet", NEXT_WAIT, "the approved time for %s has not begun" },
	{ "grant_not_yet", NEXT_WAIT,
	    "the approved time for %s has not begun" },
	{ "denied", NEXT_REQUEST, "the customer denied the request for %s" },
	{ "request_denied", NEXT_REQUEST,
	    "the customer denied the request for %s" },
	{ "lapsed", NEXT_REQUEST,
	    "nobody answered the request for %s in time" },
	{ "cancelled", NEXT_REQUEST, "the request for %s was withdrawn" },
	{ "expired", NEXT_REQUEST, "the approved time for %s is over" },
	{ "grant_over", NEXT_REQUEST, "the approved time for %s is over" },
	{ "time_over", NEXT_REQUEST, "the approved time for %s is over" },
	{ "revoked", NEXT_REQUEST, "the approval for %s was ended early" },
	{ "grant_revoked", NEXT_REQUEST,
	    "the customer revoked the approval for %s" },
	{ "returned", NEXT_REQUEST, "the grant for %s was handed back" },
	{ "grant_host", NEXT_REQUEST, "the grant is not for this host: %s" },
	{ "grant_login", NEXT_REQUEST, "the grant is not for %s" },
	{ "grant_service", NEXT_REQUEST,
	    "the grant does not list this service for %s" },
	{ "service_not_granted", NEXT_REQUEST,
	    "no grant of this session lists this service for %s" },
	{ "target_not_granted", NEXT_REQUEST,
	    "the grant does not list that target login; session: %s" },
	{ "grant_key", NEXT_REQUEST,
	    "the grant for %s is for another SSH key than the one used" },
	{ "lease_over", NEXT_AGAIN,
	    "the broker has not confirmed the grant for %s lately" },
	{ "approvals_missing", NEXT_CUSTOMER, "approvals are missing for %s" },
	{ "approval_dates", NEXT_CUSTOMER,
	    "the approver's key for %s is outside its dates" },
	{ "approval_touch", NEXT_CUSTOMER,
	    "the approval for %s was made without the required touch" },
	{ "approval_page", NEXT_CUSTOMER,
	    "the approval for %s was made on a page that is not pinned" },
	{ "approval_own", NEXT_CUSTOMER,
	    "nobody but the engineer approved %s" },
	{ "delegation_over", NEXT_CUSTOMER,
	    "the delegation that approved %s has ended" },
	{ "trust_over", NEXT_CUSTOMER,
	    "the customer's trust document has ended; it opens no %s" },
	{ "trust_expired", NEXT_CUSTOMER,
	    "the customer's trust document has ended; it opens no %s" },
	{ "trust_unusable", NEXT_HOST,
	    "this host's trust file cannot be used: no login as %s" },
	{ "key_unusable", NEXT_HOST,
	    "this host's own key cannot be used: no login as %s" },
	{ "config_error", NEXT_HOST,
	    "this host's lockbox is configured wrongly: no login as %s" },
	{ "agent_unable", NEXT_HOST,
	    "this host could not end a session, so it begins none as %s" },
	{ "agent_busy", NEXT_AGAIN, "too many logins just now: %s" },
	{ "internal", NEXT_HOST, "this host lacks memory: no login as %s" },
	{ "system_error", NEXT_HOST,
	    "this host cannot see who asks: no login as %s" },
	{ "phase_unknown", NEXT_HOST,
	    "lockbox on this host is not of one piece: no login as %s" },
	{ "courier_garbage", NEXT_HOST,
	    "lockbox on this host is not of one piece: no login as %s" },
	{ "login_unknown", NEXT_HOST, "no grant can name this login: %s" },
	{ "grant_unreadable", NEXT_HOST,
	    "this host's records are not sound; session: %s" },
	{ "state_unwritable", NEXT_HOST,
	    "this host cannot write its records: no login as %s" },
	{ "spool_full", NEXT_HOST,
	    "this host's reports have not reached the broker for too long: no "
	    "login as %s" },
	{ "not_sshd", NEXT_HOST, "%s may be entered through ssh only" },
	{ "not_in_session", NEXT_HOST,
	    "this service is not decided inside a session: %s" },
	{ "key_unknown", NEXT_HOST,
	    "sshd did not say which key was used for %s" },
	{ "sid_unset", NEXT_HOST,
	    "this host gives sessions no audit session id: %s" },
	{ "sid_not_new", NEXT_HOST,
	    "this host gave the login no audit session of its own: %s" },
	{ "courier_unreachable", NEXT_HOST,
	    "this host's courier is not running, the broker is out of reach: "
	    "%s" },
	{ "courier_busy", NEXT_AGAIN, "too many logins just now: %s" },
	{ "broker_unreachable", NEXT_AGAIN,
	    "the broker is out of reach, nobody can be let in as %s" },
	{ "broker_timeout", NEXT_AGAIN,
	    "the broker did not answer in time, nobody can be let in as %s" },
	{ "broker_tls", NEXT_PROVIDER,
	    "the broker's certificate is not the expected one: no login as "
	    "%s" },
	{ "broker_failed", NEXT_AGAIN,
	    "the broker does not work just now, nobody can be let in as %s" },
	{ "broker_refused", NEXT_PROVIDER,
	    "the broker refused this host's question about %s" },
	{ "unknown_host", NEXT_PROVIDER,
	    "the broker does not know this host: no login as %s" },
	{ "clock_skew", NEXT_HOST,
	    "this host's clock and the broker's differ: no login as %s" },
	{ "clock_floor", NEXT_HOST,
	    "this host's clock has gone back: no login as %s" },
	{ "offline_denied", NEXT_CUSTOMER,
	    "the customer lets nobody in without the broker: %s" },
	{ "answer_over", NEXT_AGAIN, "the broker's answer came late for %s" },
	{ "trust_changed", NEXT_AGAIN,
	    "the customer's trust changed meanwhile: %s" },
};

static const struct row unknown = { "", NEXT_PROVIDER,
	"what the broker sent does not prove a login as %s" };

/* The broker's answers: its message, when there is one, says it all. */
static const char *const spoken[] = {
	"no_grant",
	"pending_endorsement",
	"pending_approval",
	"not_yet",
	"denied",
	"lapsed",
	"cancelled",
	"expired",
	"revoked",
	"returned",
};

static bool
is_spoken(const char *code)
{
	for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
		if (strcmp(code, spoken[i]) == 0)
			return true;
	return false;
}

static const struct row *
find(const char *code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(code, rows[i].code) == 0)
			return &rows[i];
	return &unknown;
}

/* Add printable ASCII; other bytes become '?'; a full line ends in "...". */
static void
add(char *line, const char *s)
{
	size_t at = strlen(line);

	for (; *s != '\0'; s++) {
		if (at == LB_TELL_MAX) {
			memcpy(line + at - 3, "...", 3);
			return;
		}
		line[at++] = *s >= ' ' && *s <= '~' ? *s : '?';
		line[at] = '\0';
	}
}

/* A row's text with "LOGIN on HOST" in place of its %s. */
static void
add_text(char *line, const char *text, const struct tell_facts *f)
{
	const char *gap = strstr(text, "%s");
	char before[LB_TELL_MAX + 1];

	if (gap == NULL) {
		add(line, text);
		return;
	}
	(void)snprintf(before, sizeof(before), "%.*s", (int)(gap - text), text);
	add(line, before);
	add(line, f->login);
	add(line, " on ");
	add(line, f->host);
	add(line, gap + 2);
}

static void
add_request(char *line, const struct tell_facts *f)
{
	bool more = strcmp(f->service, "sshd") != 0;
	char command[LB_TELL_MAX * 3];
	int n;

	n = snprintf(command, sizeof(command),
	    "ask with: lockbox request create --tenant %s --host %s "
	    "--login %s%s%s --reason '...'",
	    f->tenant, f->host, f->login,
	    more ? " --service sshd --service " : "", more ? f->service : "");
	if (n < 0 || n > LB_TELL_MAX) /* half a command helps nobody */
		(void)snprintf(command, sizeof(command),
		    "ask with: lockbox request create --help");
	add(line, command);
}

static void
add_next(char *line, enum next next, const struct tell_facts *f)
{
	switch (next) {
	case NEXT_REQUEST:
		add_request(line, f);
		return;
	case NEXT_WAIT:
		add(line, "see how it stands: lockbox request ls");
		return;
	case NEXT_AGAIN:
		add(line,
		    "try again in a minute; if it stays so, tell the "
		    "host's administrator");
		return;
	case NEXT_HOST:
		add(line,
		    "the host's administrator can see why with: "
		    "lockbox doctor");
		return;
	case NEXT_PROVIDER:
		add(line,
		    "tell the operators of the broker; nothing on your "
		    "side is wrong");
		return;
	case NEXT_CUSTOMER:
		add(line, "the customer must act; see: lockbox request ls");
		return;
	}
}

void
tell_refusal(
    const struct tell_facts *f, char ret[LB_TELL_LINES][LB_TELL_MAX + 1])
{
	const struct row *row = find(f->code);

	memset(ret, 0, (size_t)LB_TELL_LINES * (LB_TELL_MAX + 1));
	add(ret[0], "lockbox: ");
	add(ret[0], f->tenant);
	add(ret[0], f->tenant[0] == '\0' ? "" : ": ");
	add_text(ret[0],
	    f->message[0] != '\0' && is_spoken(f->code) ? "%s" : row->text, f);
	if (f->message[0] != '\0') {
		add(ret[0], ": ");
		add(ret[0], f->message);
	}
	add_next(ret[1], row->next, f);
	add(ret[2], "reference: ");
	add(ret[2], f->ref);
	add(ret[2], " (");
	add(ret[2], f->code);
	add(ret[2], ")");
}

void
tell_rests(const char *service, int64_t deadline,
    char ret[LB_TELL_LINES][LB_TELL_MAX + 1])
{
	char at[LB_TIME_LEN + 1];

	memset(ret, 0, (size_t)LB_TELL_LINES * (LB_TELL_MAX + 1));
	lb_time_format(deadline, at);
	add(ret[0], "lockbox: with this ");
	add(ret[0], service);
	add(ret[0], " the whole session now ends at ");
	add(ret[0], at);
}

void
tell_offline(int64_t not_after, char ret[LB_TELL_LINES][LB_TELL_MAX + 1])
{
	char at[LB_TIME_LEN + 1];

	memset(ret, 0, (size_t)LB_TELL_LINES * (LB_TELL_MAX + 1));
	lb_time_format(not_after, at);
	add(ret[0],
	    "lockbox: the broker is out of reach; you are in by a grant that "
	    "was handed to this host, until ");
	add(ret[0], at);
}
