/*
 * Requests as the broker answers them: fetched, shown, and turned into what
 * review.h checks. Shared by the cmd_ files.
 */
#ifndef LOCKBOX_CLI_REQUEST_H
#define LOCKBOX_CLI_REQUEST_H

#include <jansson.h>

#include "api.h"
#include "lockbox/trust.h"
#include "review.h"

/*
 * Fetch a request by its whole id. It must check out (request_review), and
 * what it asks for is taken from the signed text, whatever the broker says
 * beside it; state, endorsement and approvals are the broker's words.
 * ret: owned by the caller.
 */
int request_get(struct api *api, const char *id, json_t **ret);

/* Fetch a request by what a person typed. ret: owned by the caller. */
int request_fetch(struct api *api, const char *typed, json_t **ret);

/* Check what was fetched: review_request, and says why not. */
int request_review(struct api *api, const json_t *request,
    const struct lb_trust *trust, struct review *ret);

/* One request in a table, or as JSON (root is borrowed). */
int request_print(const struct cli *cli, const json_t *request);

/* Many of them. */
int request_print_list(const struct cli *cli, json_t *items);

/*
 * What the state means to a script: done when the door is or will be open,
 * later while somebody must act, denied otherwise.
 */
int request_ending(const char *state);

#endif
