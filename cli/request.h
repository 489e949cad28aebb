/*
 * Requests and grants as the broker answers them: shown, waited for, and
 * turned into what review.h checks. Shared by the cmd_ files of both nouns.
 */
#ifndef LOCKBOX_CLI_REQUEST_H
#define LOCKBOX_CLI_REQUEST_H

#include <jansson.h>

#include "api.h"
#include "lockbox/trust.h"
#include "review.h"

#define REQUEST_POLL_FIRST 2 /* seconds between looks, at first */
#define REQUEST_POLL_MOST  10

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

/* Who must act, as one line: "waiting for anna@acme.example (1 more), ...". */
enum lb_err request_wait_line(
    const json_t *request, int64_t now, struct lb_buf *ret) LB_MUST_CHECK;

/*
 * Look until somebody decided, or until (0: for ever). On a terminal one line
 * tells who must act; otherwise a line per change. Prints the request at its
 * end; ENDING_TIMEOUT when the time ran out.
 */
int request_wait(struct api *api, const char *id, int64_t until);

#endif
