/* Ending a grant before its time, in the three ways there are. */
#ifndef LOCKBOX_CLI_CLOSING_H
#define LOCKBOX_CLI_CLOSING_H

#include <jansson.h>

#include "api.h"
#include "lockbox/papers.h"

/*
 * A customer's: show the text, ask, sign the revocation, see that it counts,
 * send it.
 *
 * key     --key, or NULL: the configuration's
 * reason  may be NULL
 * grant   as the broker answered it, paper what its text says
 *
 * ret  the grant as it is then; owned by the caller. Enum endings, all.
 */
int closing_revoke(struct api *api, const char *key, const char *reason,
    const json_t *grant, const struct lb_grant *paper, json_t **ret);

/* The engineer's own. */
int closing_return(struct api *api, const json_t *grant, json_t **ret);

/* A manager's; the reason is needed. */
int closing_stop(
    struct api *api, const char *reason, const json_t *grant, json_t **ret);

#endif
