/*
 * HTTPS to one broker: posts opaque bytes over a few kept connections, many
 * at a time, in one thread. Knows nothing of what it carries.
 * Source: design section 10; libcurl-multi(3).
 */
#ifndef LOCKBOX_AGENT_FETCH_H
#define LOCKBOX_AGENT_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include "lockbox/err.h"

#include "frame.h"

#define FETCH_HEADERS_MAX 16384 /* bytes of an answer's headers */

struct fetch;
struct fetch_job;

struct fetch_broker {
	const char *url;    /* https://..., without "/v1/..." */
	const char *ca_pem; /* whom to believe: nobody else */
	size_t ca_len;
	const char *proxy; /* "": none, whatever the environment says */
	long connections;
};

/* Once per process, before the sandbox: loads what libcurl and the resolver
 * load. */
enum lb_err fetch_init(void) LB_MUST_CHECK;

/* b's strings outlive ret, which is freed with fetch_free. */
enum lb_err fetch_new(
    const struct fetch_broker *b, struct fetch **ret) LB_MUST_CHECK;
void fetch_free(struct fetch *f); /* accepts NULL; no job is left */

/*
 * Begin one exchange. done is called once, from fetch_turn, unless it is
 * cancelled before; the job is gone after it. Its text is borrowed for the
 * call: the answer's body for FRAME_OK, else a cause of at most
 * FRAME_CAUSE_MAX printable chars.
 *
 * body  copied
 */
typedef void fetch_done(
    void *arg, enum frame_outcome outcome, const char *text, size_t len);
enum lb_err fetch_start(struct fetch *f, const struct frame_ask *ask,
    const char *body, size_t len, fetch_done *done, void *arg,
    struct fetch_job **ret) LB_MUST_CHECK;
void fetch_cancel(struct fetch_job *job);

/* Wait for the network and for others' descriptors; then work. */
enum lb_err fetch_turn(struct fetch *f, struct curl_waitfd *others,
    unsigned int count, int timeout_ms) LB_MUST_CHECK;

#endif
