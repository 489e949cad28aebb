/*
 * Would hosts let a grant pass? They decide; the broker asks the same rules
 * beforehand, so that nobody relies on a grant that opens nothing.
 */
#ifndef BROKER_PASSING_H
#define BROKER_PASSING_H

#include "lockbox/trust.h"

#include "reply.h"

/*
 * Judge the grant, whose id and bundle (grant, approvals, request, signature)
 * these are, for each of its hosts as they would at now, or when it begins.
 *
 * LB_ERR_FORBIDDEN  "would_not_pass" is in reply, with host and cause
 */
enum lb_err passing_judge(const struct lb_trust *t, const struct lb_buf *bundle,
    const char *id, const struct lb_grant *grant, int64_t now,
    struct reply *reply) LB_MUST_CHECK;

#endif
