/*
 * One broker over lib's HTTPS: its address and CA, the headers of our calls,
 * and what we read of an answer's head.
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
	int64_t retry_after;          /* seconds; 0: none */
	struct lb_buf body;           /* data is never NULL */
};

/*
 * url    https://host[:port]
 * ca     PEM file; "" means the system's authorities
 * proxy  http://host:port; "" means none, whatever the environment says
 *
 * LB_ERR_MISSING or LB_ERR_FORMAT: the CA file; errors of lb_https_open
 */
enum lb_err http_open(const char *url, const char *ca, const char *proxy,
    struct http **ret) LB_MUST_CHECK;
void http_close(struct http *h); /* accepts NULL */

/* One call. Any status is LB_OK; errors of lb_https_send. */
enum lb_err http_send(struct http *h, const struct http_call *call,
    struct http_reply *ret) LB_MUST_CHECK;
void http_reply_clear(struct http_reply *reply);

/* What the last http_send found wrong, for people; never NULL. */
const char *http_why(const struct http *h);

#endif
