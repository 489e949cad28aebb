/*
 * The decision. Pure: everything comes in as arguments, the time too; nothing
 * is read, logged or remembered. Source: design section 5, step 4.
 */
#ifndef LOCKBOX_JUDGE_H
#define LOCKBOX_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/papers.h"
#include "lockbox/trust.h"
#include "lockbox/verdict.h"

#define LB_CLOCK_SKEW_MAX 60 /* seconds between the broker's clock and ours */

#define LB_KILLS_MAX 16384 /* more than that: LB_ERR_LIMIT, so nobody enters */

/* Requests that were denied and grants that were revoked, by id. */
struct lb_kill {
	char id[LB_SHA256_LEN + 1];
	int64_t until; /* kept until then; half open */
};
struct lb_kills {
	size_t count, size;
	struct lb_kill *item; /* owned; sorted by id */
};

bool lb_kills_has(const struct lb_kills *k, const char *id, int64_t now);

/* The later until of an id stands. LB_ERR_LIMIT past LB_KILLS_MAX. */
enum lb_err lb_kills_add(
    struct lb_kills *k, const char *id, int64_t until) LB_MUST_CHECK;
/* Forget what nothing can be valid under any more. floor is the kept floor:
 * a clock that runs ahead for a while must not bring back what was revoked. */
void lb_kills_prune(struct lb_kills *k, int64_t floor);
void lb_kills_clear(struct lb_kills *k);

/*
 * Add every deny (over a request) and revoke (over a grant) in the bundle that
 * an approver, hook or delegate line of trust signed, after pruning. A revoke
 * is kept until the grant's not-after, a deny for LB_GRANT_AGE_MAX plus
 * LB_CLOCK_SKEW_MAX from now: no grant issued before it lives longer.
 *
 * now        for the signers' dates
 * floor      the kept floor, 0: none; what is over by it is not kept
 * ret_added  counts the new ones; may be NULL
 *
 * On an error some may be missing: nobody may be let in by this bundle.
 */
enum lb_err lb_kills_collect(struct lb_kills *k, const struct lb_trust *trust,
    const struct lb_bundle *bundle, int64_t now, int64_t floor,
    size_t *ret_added) LB_MUST_CHECK;

/* One grant against one door, without any answer. */
struct lb_grant_case {
	const struct lb_trust *trust;
	const struct lb_bundle *bundle; /* holds the request, if need be */
	const struct lb_part *part;     /* the grant and its approvals */
	const struct lb_kills *kills;   /* may be NULL: none */
	const char *tenant, *broker, *host, *login, *service;
	/* Keys that sshd accepted; every one must be in the grant. count 0:
	 * not known yet, let through as provisional. */
	const struct lb_keyfps *keys;
	int64_t now;
};

struct lb_ruling {
	enum lb_verdict verdict;
	char code[LB_WORD_MAX + 1];       /* stable: doc/codes.md */
	char message[LB_MESSAGE_MAX + 1]; /* the broker's, once verified */
	bool provisional;                 /* the key is not known yet */
	bool by_delegate;
	bool by_broker;                /* a no that the broker itself signed */
	bool offline;                  /* an allow without any answer */
	char grant[LB_SHA256_LEN + 1]; /* set on allow */
	char request[LB_SHA256_LEN + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	int64_t not_after; /* the grant's, or the delegation's end if sooner */
	int64_t lease_end; /* min(good-until, now + trust's lease, not_after) */
	int64_t floor;     /* what the kept floor becomes: >= the old one */
};

/*
 * Does this one grant pass, alone: trust before its good-until; enough
 * approvals; tenant, broker, host, login, service and keys in it; span within
 * trust's longest; not-after - issued within 31 days; issued and not-before
 * <= now < not-after; nothing kept here, and nothing in the bundle, denies or
 * revokes it; the engineer's own signed request where trust has engineer
 * lines. On allow code is "granted" and lease_end is not_after. floor is not
 * looked at (ret->floor 0).
 */
void lb_grant_judge(const struct lb_grant_case *c, struct lb_ruling *ret);

/*
 * May this grant, handed over without any answer, be kept for the time when
 * the broker is away: it passes as lb_grant_judge says, whoever will ask
 * (login, service and keys are not looked at) and although it may begin later,
 * and trust says offline: allow. ret_code is "granted", or why not:
 * "offline_denied", or as lb_grant_judge.
 */
bool lb_grant_keepable(
    const struct lb_grant_case *c, char ret_code[static LB_WORD_MAX + 1]);

/*
 * The only way in without an answer, for a grant that was kept and when the
 * broker could not be asked, which is the caller's to know: trust says
 * offline: allow, now is not below the kept floor, and lb_grant_judge lets it
 * pass. On allow code is "granted_offline", offline is set, and the lease ends
 * with the grant. Codes of its own: "offline_denied", "clock_floor".
 */
void lb_offline_judge(
    const struct lb_grant_case *c, int64_t floor, struct lb_ruling *ret);

/* An answer to a question this host asked. */
struct lb_case {
	const struct lb_trust *trust;
	const char *question; /* the host's own text */
	size_t question_len;
	const struct lb_bundle *bundle; /* what the broker sent */
	const struct lb_kills *kills;   /* may be NULL */
	int64_t now;
	int64_t floor; /* 0: none kept */
};

/*
 * In this order: one answer in the bundle, signed by a pinned key of the
 * broker that the question names; the question repeated byte for byte (host,
 * tenant, trust, nonce, login, service, keys); clocks within
 * LB_CLOCK_SKEW_MAX, now < good-until, now not below floor; verdict; then at
 * least one grant of the bundle, named by its sha256 in the answer, passes
 * lb_grant_judge. Of several the one with the latest not_after is taken. Never
 * a mix of two grants' fields. Trust documents are the caller's business: it
 * applies them first, and a question that names another trust than c->trust is
 * refused. When no grant passes, code is of the one that got furthest.
 *
 * ret->floor rises to min(answered, now) once signature, question and clocks
 * held; the local clock alone never raises it.
 */
void lb_judge(const struct lb_case *c, struct lb_ruling *ret);

#endif
