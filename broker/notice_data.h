/* What a notice says, as the JSON that webhooks get: doc/http-api.md. */
#ifndef BROKER_NOTICE_DATA_H
#define BROKER_NOTICE_DATA_H

#include "lockbox/buf.h"

#include "store.h"

#define NOTICE_DATA_MAX 19000 /* bytes; a webhook's body stays below 20 kB */

/*
 * What one event of the change means for those outside: who did it, the
 * request, grant, session or trust document, but no text or signature, which
 * are for those who sign in.
 *
 * Where it would be too long, the grant's hosts and the detail are left out.
 *
 * e     NULL for a step of an intake; stay then says which
 */
enum lb_err notice_data_write(const struct change *c, const struct lb_event *e,
    const struct step *step, struct lb_buf *ret) LB_MUST_CHECK;

#endif
