/*
 * HTTPS to one broker: TLS 1.2 or later, one CA, no redirects, no proxy from
 * the environment, a capped body, one deadline for a whole call.
 */
#ifndef LOCKBOX_CLI_HTTP_H
#define LOCKBOX_CLI_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

#define HTTP_BODY_MAX   (8 * 1024 * 1024) /* bytes of an answer */
#define HTTP_TIMEOUT_MS 30000
#define HTTP_TYPE_MAX   80

struct http;

struct http_call {
	const char *method; /* "GET", "POST" */
	const char *path;   /* "/v1/..." */
	const char *token;  /* NULL: none; goes into a header, nowhere else */
	const char *type;   /* of the body; NULL: no body */
	const void *body;
	size_t body_len;
	const char *idempotency; /* NULL: none */
};

struct http_reply {
	int status;
	char type[HTTP_TYPE_MAX + 1]; /* "" when it does not say */
	int64_t date;                 /* of the Date header; 0: none */
	int64_t retry_after;          /* seconds; 0: none */
	struct lb_buf body;           /* data is never NULL */
};

/*
 * url  https://host[:port]
 * ca   PEM file; NULL or "" means the system's authorities
 */
enum lb_err http_open(
    const char *url, const char *ca, struct http **ret) LB_MUST_CHECK;
void http_close(struct http *h); /* accepts NULL */

/*
 * One call. Any status is LB_OK.
 *
 * LB_ERR_UNREACHABLE, LB_ERR_TIMEOUT, LB_ERR_PEER (TLS, or no HTTP),
 * LB_ERR_MISSING (the CA file), LB_ERR_RANGE (body too large); http_why says
 * more.
 */
enum lb_err http_send(struct http *h, const struct http_call *call,
    struct http_reply *ret) LB_MUST_CHECK;
void http_reply_clear(struct http_reply *reply);

/* What the last http_send found wrong, for people; never NULL. */
const char *http_why(const struct http *h);

#endif
