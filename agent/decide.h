/*
 * What the agent decides without anybody's help. Pure: everything comes in as
 * arguments, the time too. Source: design section 5, "Always" and "Scope".
 */
#ifndef LOCKBOX_AGENT_DECIDE_H
#define LOCKBOX_AGENT_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/door.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"

#include "state.h"

/* What the agent knows of one asker. */
struct decide_facts {
	enum lb_phase phase; /* account or session */
	const char *service;
	const char *login;
	bool exempt_rule;    /* pam.conf has a rule for this login */
	const char *unable;  /* NULL, or the code why the agent cannot judge */
	uint32_t sid;        /* the asker's audit session, PROCS_SID_UNSET */
	uint32_t parent_sid; /* of its parent */
	bool in_session;     /* sid is that of a registered session */
	bool keys_told;      /* sshd's word on the key can be believed */
	bool keys_readable;  /* and every key in it was understood */
	size_t key_count;
};

/* Values that differ in many bits; COURSE_REFUSE is none of the others. */
enum decide_course {
	COURSE_REFUSE = 0x5cc5, /* no, because of code */
	COURSE_EXEMPT = 0x3a69, /* not a managed login */
	COURSE_ASK = 0xa596,    /* ask the broker */
	COURSE_WITHIN = 0xc33a, /* by the grants of the session */
};

struct decide_way {
	enum decide_course course;
	const char *code;    /* static; of a refusal */
	const char *service; /* COURSE_WITHIN: the grant's word, sudo or su */
};

/*
 * Which way to go. Inside a registered session nobody is exempt and every
 * service is decided there; outside, a managed login passes only under sshd,
 * and a session is opened only with a known key and a new audit session id.
 */
void decide_way(const struct decide_facts *f, struct decide_way *ret);

/* A sudo or su inside a session. */
struct decide_within {
	const struct state *state; /* holds the session's grants */
	const struct state_session *session;
	const struct lb_trust *trust;
	const char *tenant, *broker, *host;
	const char *service; /* the grant's word, sudo or su */
	const char *target;  /* su: must be one of the grant's logins */
	int64_t now;
	int64_t now_boot_ms;
};

/*
 * Does one of the session's grants pass alone, now, for that service? Grants
 * that the session rests on already go first, then the latest not_after.
 * Before that the kept floor, the session's own deadline and lease, what trust
 * says if it was let in offline, and the grants it rests on: codes
 * "clock_floor", "time_over", "lease_over", "offline_denied" and
 * "grant_revoked". ret is as lb_grant_judge fills it; of several refusals the
 * last grant's.
 */
void decide_within(const struct decide_within *w, struct lb_ruling *ret);

/*
 * Is the broker away: does this code of a question that came to nothing
 * (doc/codes.md, "Whom the agent could not reach") mean that nobody was there
 * to answer? Never for what was answered, however badly, nor when it is this
 * host that has too much to do. Why which: doc/threat-model.md.
 */
bool decide_away(const char *code);

/* A login while the broker is away. */
struct decide_offline {
	const struct state *state; /* holds what root handed over */
	const struct lb_trust *trust;
	const char *tenant, *broker, *host, *login, *service;
	const struct lb_keyfps *keys; /* none: not known yet, provisional */
	int64_t now;
};

/*
 * Does one of the grants that root handed over let in, alone: lb_offline_judge.
 * Of several the one with the latest not_after, which is returned, borrowed
 * from the state. NULL when none does: then ret's code is that of the last for
 * this login, "no_grant" when there is none for it.
 */
const struct state_kept *decide_offline(
    const struct decide_offline *o, struct lb_ruling *ret);

#endif
