/*
 * Whom the customer trusts: a trust document with its keys read, its chain,
 * and the counting of signatures that matter.
 * Source: design "Signer rules"; doc/wire-format.md, section 6.
 */
#ifndef LOCKBOX_TRUST_H
#define LOCKBOX_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/papers.h"
#include "lockbox/sshkey.h"
#include "lockbox/sshsig.h"

enum lb_require { LB_REQUIRE_ANY = 1, LB_REQUIRE_TOUCH, LB_REQUIRE_VERIFIED };

/* "page: RP-ID ORIGIN [broker]" */
struct lb_page {
	char rp_id[LB_APPLICATION_MAX + 1];
	char origin[LB_ORIGIN_MAX + 1]; /* https://host[:port] */
	bool broker; /* the broker serves it: never counts for trust */
};

struct lb_pinned_list {
	size_t count;
	struct lb_pinned item[LB_APPROVERS_MAX];
};

/* A trust document that keeps its own rules. Large: heap only, read only. */
struct lb_trust {
	char id[LB_SHA256_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	int64_t serial;
	char previous[LB_SHA256_LEN + 1];
	int64_t good_until;
	size_t threshold;
	enum lb_require require;
	int64_t longest; /* seconds */
	int64_t lease;   /* seconds */
	bool offline;
	size_t page_count;
	struct lb_page page[LB_PAGES_MAX];
	struct lb_pinned_list broker, approver, hook, engineer, delegate;
	int64_t delegate_until; /* 0: none */
};

/*
 * Read a trust document and check what it says as a whole: namespaces that fit
 * each kind of line (broker: answer; approver: approve, deny, revoke, trust;
 * hook and delegate: approve, deny, revoke; engineer: request), pages, and
 * that owners and approvers can reach the threshold under "require" and
 * "page" (dates aside). Looks at no clock and no signature.
 *
 * ret  new, freed with lb_trust_free
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE, LB_ERR_STATE (threshold out of reach),
 * LB_ERR_UNSUPPORTED (a P-256 key in a build without libcrypto)
 */
enum lb_err lb_trust_parse(
    const char *text, size_t len, struct lb_trust **ret) LB_MUST_CHECK;

void lb_trust_free(struct lb_trust *t); /* accepts NULL */

/*
 * Is next a successor that current's owners signed: same tenant, serial one
 * higher, previous = current's id, threshold different owners with different
 * keys in their dates, as strong as current's "require", no page marked
 * broker. current may be past its good-until.
 *
 * next  a part of type lockbox-trust-v1 with its signatures
 * ret   new, freed with lb_trust_free
 *
 * LB_ERR_SIGNATURE  too few owners; counted first, before next is parsed
 * LB_ERR_STATE      not the successor of current
 * and the errors of lb_trust_parse
 */
enum lb_err lb_trust_follow(const struct lb_trust *current,
    const struct lb_part *next, int64_t now,
    struct lb_trust **ret) LB_MUST_CHECK;

/* Owners whose signatures count, each once; the lines are the trust's. */
struct lb_trust_signers {
	size_t count;
	const struct lb_pinned *who[LB_APPROVERS_MAX];
};

/*
 * Could next become the successor of current once all have signed: as
 * lb_trust_follow, but one owner who counts is enough. It is not in force by
 * this, however many have signed: only lb_trust_follow says so.
 *
 * ret_signers  the owners who count now; borrows from current
 * ret          new, freed with lb_trust_free
 *
 * LB_ERR_SIGNATURE  no owner of current signed it; seen before it is parsed
 * and the errors of lb_trust_follow
 */
enum lb_err lb_trust_propose(const struct lb_trust *current,
    const struct lb_part *next, int64_t now,
    struct lb_trust_signers *ret_signers, struct lb_trust **ret) LB_MUST_CHECK;

/*
 * Is it signed by its own owners, threshold of them: what a broker and
 * "lockbox trust verify" ask of the first document of a tenant.
 */
enum lb_err lb_trust_selfsigned(const struct lb_trust *t,
    const struct lb_part *part, int64_t now) LB_MUST_CHECK;

/*
 * The owner of t whose signature of the part, the i-th, counts now: in his
 * dates, as strong as "require", from a pinned page. NULL: none.
 */
const struct lb_pinned *lb_trust_owner_signed(const struct lb_trust *t,
    const struct lb_part *part, size_t i, int64_t now);

/* What counting found; codes are stable, see doc/codes.md. */
struct lb_quorum {
	bool reached;
	bool by_delegate; /* ends at trust->delegate_until */
	const char *code; /* when not reached: why, e.g. "approvals_missing" */
	size_t counted;   /* signatures that count */
	size_t needed;
	struct {
		char principal[LB_PRINCIPAL_MAX + 1];
		char fp[LB_KEYFP_LEN + 1];
	} who[LB_BUNDLE_SIGS_MAX]; /* those that count */
};

/*
 * Count approvals of a grant. part is the grant with its signatures; engineer
 * and keys (the grant's engineer-key lines) never count. Signatures in other
 * namespaces are passed over; one in lockbox-approve-v1 that does not verify
 * or whose key may not approve now is passed over too.
 *
 * ret  heap or static: large
 */
void lb_trust_count_approvals(const struct lb_trust *t,
    const struct lb_part *part, const struct lb_grant *grant, int64_t now,
    struct lb_quorum *ret);

/*
 * Did any one approver, hook or delegate line with that namespace sign: for
 * deny (over a request) and revoke (over a grant). "require" does not bind, nor
 * does delegate-until: closing is harmless; dates and pages do. ret_principal
 * may be NULL.
 */
bool lb_trust_closed_by(const struct lb_trust *t, const struct lb_part *part,
    enum lb_ns ns, int64_t now, char ret_principal[LB_PRINCIPAL_MAX + 1]);

/*
 * Is the request signed by an engineer line whose principal is its engineer,
 * now in its dates.
 */
bool lb_trust_request_signed(const struct lb_trust *t,
    const struct lb_part *part, const struct lb_request *request, int64_t now);

/* Did a broker line of that name, now in its dates, sign the answer. */
bool lb_trust_answer_signed(const struct lb_trust *t,
    const struct lb_part *part, const char *broker, int64_t now);

#endif
