/*
 * The customer's trust document as the command line sees it: the broker's
 * chain, begun at the person's own copy where the configuration names one.
 */
#ifndef LOCKBOX_CLI_PIN_H
#define LOCKBOX_CLI_PIN_H

#include <stdbool.h>

#include "api.h"
#include "lockbox/bundle.h"
#include "lockbox/trust.h"

/*
 * Fetch the documents of a tenant and follow them to the last.
 *
 * ret         owned by the caller
 * ret_pinned  whether they were followed from the person's own copy
 *
 * An enum ending.
 */
int pin_fetch(struct api *api, const char *tenant, struct lb_trust **ret,
    bool *ret_pinned);

/*
 * Pure: follow bundle from pin (NULL: from its own first document, which must
 * sign itself). Documents up to the pin's serial are passed over, but one with
 * the pin's serial and another id is a fork.
 *
 * LB_ERR_CONFLICT  a fork
 * LB_ERR_MISSING   no trust document
 * and the errors of lb_trust_follow
 */
enum lb_err pin_follow(const struct lb_trust *pin,
    const struct lb_bundle *bundle, int64_t now,
    struct lb_trust **ret) LB_MUST_CHECK;

#endif
