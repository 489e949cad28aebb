/*
 * Waiting for a decision, and showing it: who must act, the time that is left,
 * the code. Motion and colour only on a terminal.
 */
#ifndef LOCKBOX_CLI_WAIT_H
#define LOCKBOX_CLI_WAIT_H

#include <jansson.h>
#include <stdint.h>

#include "api.h"
#include "lockbox/buf.h"

#define WAIT_POLL_FIRST 2 /* seconds between looks, at first */
#define WAIT_POLL_MOST  10

/*
 * How a request stands, as one line: "lapses in 11h59m  waiting for
 * anna@acme.example, bert@acme.example". Not escaped.
 */
enum lb_err wait_line(
    const json_t *request, int64_t now, struct lb_buf *ret) LB_MUST_CHECK;

/*
 * Look until somebody decided, or until (0: for ever). On a terminal one line
 * is kept up to date; otherwise there is a line per change, on stderr. The
 * session is renewed when it ends meanwhile, and a broker that is away for a
 * moment does not end the waiting. Ctrl-C does; the request stays open.
 *
 * sha256  of the text that was signed here; NULL when it is not known
 * ret     the request as seen last; NULL when it never was
 *
 * request_ending of its state, ENDING_TIMEOUT, ENDING_INTERRUPTED, or why it
 * cannot be seen any more. Says how to go on waiting, or to cancel, when it
 * stays open; what was decided is for the caller to say.
 */
int wait_decided(struct api *api, const char *id, const char *sha256,
    int64_t until, json_t **ret);

/* wait_decided, then the request as it stands on stdout, and what is next. */
int wait_print(
    struct api *api, const char *id, const char *sha256, int64_t until);

#endif
