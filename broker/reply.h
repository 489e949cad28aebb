/* What a handler answers: JSON, text, or a refusal with a stable code. */
#ifndef BROKER_REPLY_H
#define BROKER_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/sshsig.h"

#define REPLY_DETAIL_MAX 256
#define REPLY_ETAG_MAX   40
#define REPLY_COOKIE_MAX 128

/* All zero is an empty reply; cleared with reply_clear. */
struct reply {
	unsigned int status; /* HTTP; 0: the handler's error decides */
	bool waits; /* no answer yet: the call's waiter waits, see wake.h */
	const char *type;
	struct lb_buf body;
	const unsigned char *still; /* instead of body: it outlives the reply */
	size_t still_len;
	bool page;                 /* of the portal: headers.c */
	bool to_host;              /* none of what only browsers heed */
	const char *download;      /* save it under this name; or NULL */
	char etag[REPLY_ETAG_MAX]; /* with its quotes; may be empty */
	char set_cookie[REPLY_COOKIE_MAX];    /* may be empty */
	char allow_origin[LB_ORIGIN_MAX + 1]; /* this page may read it; or "" */
	const char *preflight; /* the method that page may use; or NULL */
	int64_t retry_after;   /* seconds; 0: none */
	char allow[64];        /* methods of a 405; may be empty */
	const char *code;      /* of a refusal; static */
	char detail[REPLY_DETAIL_MAX];
};

void reply_clear(struct reply *reply);

/* Takes root over, also when it fails; NULL root is LB_ERR_MEMORY. */
enum lb_err reply_json(
    struct reply *reply, unsigned int status, json_t *root) LB_MUST_CHECK;
/* type is static. */
enum lb_err reply_text(struct reply *reply, unsigned int status,
    const char *type, const char *text, size_t len) LB_MUST_CHECK;
enum lb_err reply_empty(struct reply *reply) LB_MUST_CHECK; /* 204 */

/*
 * Refuse with a code of the table in reply.c (asserted); fmt says what about
 * this one, in a peer's words: no secrets, may be "". Returns the error that
 * the handler returns; never LB_OK.
 */
enum lb_err reply_refuse(struct reply *reply, const char *code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4))) LB_MUST_CHECK;

/*
 * Turn a handler's error into problem+json. The code of reply_refuse, if it
 * was called, else one that fits r. Never fails: without memory the body stays
 * empty.
 */
void reply_problem(struct reply *reply, enum lb_err r);

/* Every code with its status, for the documentation's test; i from 0. NULL:
 * no more. */
const char *reply_code(
    size_t i, unsigned int *ret_status, const char **ret_title);

#endif
