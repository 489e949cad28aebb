/*
 * The rules: what may follow on what, who may do what, what a draft says.
 * Pure: everything comes in as arguments, the time too.
 * Source: design section 6.
 */
#ifndef BROKER_RULES_H
#define BROKER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/trust.h"

#include "rows.h"

#define RULES_DRAFT_TTL     (10 * 60) /* seconds */
#define RULES_BACKDATE      60 /* a draft's not-before lies so far before now */
#define RULES_CLOCK_SKEW    60
#define RULES_REQUEST_FRESH (5 * 60)
#define RULES_START_MAX     (30 * 24 * 60 * 60) /* seconds ahead */
#define RULES_TENANTS_MAX   8                   /* of one signed-in person */

/* What happens to a request or its grant. */
enum happening {
	HAPPENS_ENDORSE = 1,
	HAPPENS_SIGN,     /* an approval, the threshold not reached yet */
	HAPPENS_SCHEDULE, /* threshold reached, not-before ahead */
	HAPPENS_ADMIT,    /* threshold reached, or not-before passed */
	HAPPENS_DENY,
	HAPPENS_CANCEL,
	HAPPENS_REVOKE, /* by the customer, or stopped by a manager */
	HAPPENS_RETURN,
	HAPPENS_LAPSE,
	HAPPENS_EXPIRE,
};
#define HAPPENINGS (HAPPENS_EXPIRE + 1)

/* Waiting for people? Then it can lapse, be cancelled, be denied. */
bool rules_state_pending(enum state s);
/* A grant that opens doors now or later. */
bool rules_state_live(enum state s);

/* The state after it. LB_ERR_STATE: not possible there. */
enum lb_err rules_move(
    enum state from, enum happening what, enum state *ret) LB_MUST_CHECK;

/*
 * What the state really is at now, whether or not a timer has written it down:
 * pending past lapses_at has lapsed, a grant's own time starts and ends it.
 */
enum state rules_state_at(enum state stored, int64_t lapses_at,
    int64_t not_before, int64_t not_after, int64_t now);

/* What somebody is in a tenant's trust document; a set. */
enum part {
	PART_APPROVER = 1 << 0,
	PART_OWNER = 1 << 1, /* an approver who signs trust documents */
	PART_HOOK = 1 << 2,
	PART_DELEGATE = 1 << 3,
};

/* Who is asking. */
struct caller {
	char principal[LB_PRINCIPAL_MAX + 1]; /* empty: nobody signed in */
	char key_fp[LB_KEYFP_LEN + 1];
	unsigned int roles; /* provider roles, and ROLE_APPROVER */
	size_t tenant_count;
	char tenant[RULES_TENANTS_MAX][LB_NAME_MAX + 1];
	unsigned int part[RULES_TENANTS_MAX]; /* in each: set of enum part */
	enum sign_in sign_in;
	int64_t expires_at;
	char session[ROW_TOKEN_HASH_LEN + 1];
};

bool rules_is_of_tenant(const struct caller *c, const char *tenant);
/* Sees every tenant's requests: managers, operators, auditors. */
bool rules_sees_all(const struct caller *c);
bool rules_may_see(
    const struct caller *c, const char *tenant, const char *engineer);
/* Tenants, trust and hosts: all of the provider's people, and their own. */
bool rules_may_see_tenant(const struct caller *c, const char *tenant);
/* One of the tenant's approvers: not its hooks, and not delegates. */
bool rules_is_approver(const struct caller *c, const char *tenant);
/* May see and keep what is said of the tenant's people: they, and operators. */
bool rules_may_tend(const struct caller *c, const char *tenant);
bool rules_may_see_events(const struct caller *c, const char *tenant);

/*
 * May this person, with this key, endorse the request: an active manager, not
 * its engineer and with none of the engineer's keys. engineer may be NULL when
 * the roster no longer has him.
 *
 * LB_ERR_FORBIDDEN   not a manager
 * LB_ERR_CONFLICT    his own request
 */
enum lb_err rules_may_endorse(const struct person_row *manager,
    const char *key_fp, const struct lb_request *request,
    const struct person_row *engineer) LB_MUST_CHECK;

/* Is it the engineer's own request, by name or by any of his keys. */
bool rules_is_own(const char *principal, const char *key_fp,
    const struct lb_request *request, const struct person_row *engineer);

/*
 * Those of the keys that the roster still has for its active engineer: who
 * left, or lost a key, enters nowhere any more. engineer may be NULL.
 */
void rules_keys_left(const struct lb_keyfps *keys,
    const struct person_row *engineer, struct lb_keyfps *ret);

/*
 * Could anybody approve this at now: enough approver and hook lines (dates,
 * "require", not the engineer), or a delegate. Counts generously: a request
 * that passes may still find nobody.
 */
bool rules_can_be_approved(
    const struct lb_trust *t, const struct lb_request *request, int64_t now);

/* The request's own sense, besides its format. ret_code on error. */
enum lb_err rules_request_check(const struct lb_request *r,
    const struct caller *c, const struct person_row *engineer,
    const char *broker, const struct lb_trust *t, int64_t longest, int64_t now,
    const char **ret_code) LB_MUST_CHECK;

/* Does a live grant make this request needless: same engineer, it lists all
 * that is asked, and at least half of the time asked is left. */
bool rules_covers(
    const struct lb_grant *g, const struct lb_request *r, int64_t now);

/* Narrowing; a list of count 0 and a 0 mean: as asked. */
struct narrowing {
	int64_t not_before;
	int64_t duration;
	struct lb_hosts host;
	struct lb_logins login;
	struct lb_services service;
};

/*
 * The grant for a request. longest is the most seconds it may last (trust and
 * tenant). LB_ERR_RANGE: wider than asked, or nothing left.
 */
enum lb_err rules_draft(const struct lb_request *r, const char *request_id,
    const struct narrowing *n, int64_t longest, int64_t now,
    struct lb_grant *ret) LB_MUST_CHECK;

/*
 * May this text be the grant: within the request, its times sane at now. fixed
 * is true for the text that a first approver has signed already: then it need
 * not be fresh. ret_code on error: "not_within", "draft_old", "too_long",
 * "over".
 */
enum lb_err rules_grant_check(const struct lb_grant *g,
    const struct lb_request *r, const char *request_id, int64_t longest,
    bool fixed, int64_t now, const char **ret_code) LB_MUST_CHECK;

/* Hash of tenant, hosts, logins, services: "the same scope". LB_ERR_MEMORY. */
enum lb_err rules_scope(const struct lb_request *q,
    char ret[static LB_SHA256_LEN + 1]) LB_MUST_CHECK;

#endif
