/*
 * Who spoke, and how many that makes: which pinned lines signed a part, and
 * how many different people with different keys those lines are. Private to
 * lib/. Source: design "Signer rules"; doc/wire-format.md, section 6.
 */
#ifndef LB_QUORUM_H
#define LB_QUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/papers.h"
#include "lockbox/sshkey.h"
#include "lockbox/trust.h"

enum lb_kind {
	LB_KIND_BROKER,
	LB_KIND_APPROVER,
	LB_KIND_HOOK,
	LB_KIND_ENGINEER,
	LB_KIND_DELEGATE,
	LB_KINDS,
};

/* Why a signature did not count; the last one is the most telling. */
enum lb_deaf {
	LB_DEAF_SILENT, /* nobody signed */
	LB_DEAF_SIGNATURE,
	LB_DEAF_DATES,
	LB_DEAF_PAGE,
	LB_DEAF_TOUCH,
	LB_DEAF_DELEGATE_UNTIL,
	LB_DEAF_OWN,
};

/* Lines of a trust document that signed, or could: [kind][index]. */
struct lb_heard {
	bool line[LB_KINDS][LB_APPROVERS_MAX];
	enum lb_deaf why; /* of what was not heard */
};

/* All approver lines and one hook. */
#define LB_QUORUM_MAX (LB_APPROVERS_MAX + 1)

const struct lb_pinned_list *lb_trust_lines(
    const struct lb_trust *t, enum lb_kind kind);

/*
 * May a passkey of that RP-ID speak in ns at all, from origin (NULL: from
 * some origin)? Only if a page line says so; for trust documents no page that
 * the broker serves.
 */
bool lb_trust_page_admits(const struct lb_trust *t, const char *rp_id,
    const char *origin, enum lb_ns ns);

/*
 * Which lines signed the part in ns: the signature verifies, the line has that
 * namespace, stands in its dates at now, its passkey spoke from a pinned page,
 * and the key was used as strongly as "require" asks, where it binds.
 */
void lb_heard_read(const struct lb_trust *t, const struct lb_part *part,
    enum lb_ns ns, int64_t now, struct lb_heard *ret);

bool lb_heard_any(const struct lb_heard *h, enum lb_kind kind);

/*
 * How many different principals with different keys the heard approver lines
 * and at most one heard hook line are: the largest set of lines in which no
 * principal and no key stands twice.
 *
 * ret_who  LB_QUORUM_MAX pointers into t: such a set
 */
size_t lb_heard_count(const struct lb_trust *t, const struct lb_heard *h,
    const struct lb_pinned **ret_who);

/*
 * lb_trust_count_approvals for a part already heard in lb_heard_read; takes
 * the engineer's lines out of h.
 */
void lb_heard_approvals(const struct lb_trust *t, struct lb_heard *h,
    const struct lb_grant *grant, int64_t now, struct lb_quorum *ret);

/* Why approvals are missing, as a stable code. */
const char *lb_heard_code(const struct lb_heard *h);

#endif
