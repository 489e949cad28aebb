/*
 * HTTPS for those who ask the broker: one request at a time over one kept
 * connection, everything bounded. Uses libcurl.
 */
#ifndef LOCKBOX_HTTPS_H
#define LOCKBOX_HTTPS_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

#define LB_HTTPS_URL_MAX     2048          /* chars, without NUL */
#define LB_HTTPS_HEADERS_MAX 16            /* of a request, ours */
#define LB_HTTPS_HEADER_MAX  4096          /* chars of one, without NUL */
#define LB_HTTPS_HEAD_MAX    16384         /* bytes of an answer's headers */
#define LB_HTTPS_CA_MAX      (1024 * 1024) /* bytes of PEM */
#define LB_HTTPS_TIME_MAX_MS (60 * 60 * 1000)
/* Where Debian keeps the public authorities, for those who ask for them. */
#define LB_HTTPS_CA_SYSTEM "/etc/ssl/certs/ca-certificates.crt"

/* A connection that may be open or not. One thread at a time. */
struct lb_https;

/*
 * ca_pem  the only authorities believed, PEM, ca_pem_len bytes; copied. No
 *         directory and no default bundle is looked at besides. The caller
 *         reads the file (lb_file_read_trusted), so that a sandboxed process
 *         need not.
 * proxy   "http://host:port" or NULL for none, whatever the environment says;
 *         copied
 * agent   User-Agent, printable; copied
 */
struct lb_https_options {
	const char *ca_pem;
	size_t ca_pem_len;
	const char *proxy;
	const char *agent;
};

/*
 * method      GET, POST, PUT, PATCH, DELETE
 * url         "https://...", printable ASCII, no user name in it
 * headers     "Name: value", NULL-terminated, or NULL; a Content-Type is sent
 *             only when it stands here
 * body        body_len bytes; not with GET; NULL only if body_len is 0
 * answer_max  most bytes of the answer's body, at least 1
 * timeout_ms  1..LB_HTTPS_TIME_MAX_MS, for all of it: looking up the name,
 *             connecting, TLS, sending, waiting and reading
 *
 * Everything is borrowed for the call.
 */
struct lb_https_request {
	const char *method;
	const char *url;
	const char *const *headers;
	const void *body;
	size_t body_len;
	size_t answer_max;
	int64_t timeout_ms;
};

/* Filled by lb_https_send, emptied by lb_https_answer_clear. */
struct lb_https_answer {
	int status;         /* 200..299, 304, 400..599 */
	struct lb_buf head; /* header lines of the last answer, with CRLF */
	struct lb_buf body; /* data is never NULL */
};

/*
 * Connects nowhere yet. Unsets the variables of the environment that would
 * lead libcurl, OpenSSL or the resolver elsewhere (proxies, key log,
 * authorities, configurations): call it before there are other threads.
 *
 * LB_ERR_FORMAT  no certificate in ca_pem, a proxy that is not http://, an
 *                agent that is not printable
 * LB_ERR_RANGE   ca_pem is too long
 */
enum lb_err lb_https_open(
    const struct lb_https_options *opt, struct lb_https **ret) LB_MUST_CHECK;
void lb_https_close(struct lb_https *h); /* accepts NULL */

/*
 * Send one request and read the whole answer. TLS 1.2 or later, the name in
 * the certificate checked, HTTP/1.1, nothing decoded but chunks. Redirects are
 * refused. A connection that the peer closed meanwhile is replaced silently,
 * so a request may reach the peer twice: give those that change something an
 * Idempotency-Key.
 *
 * ret  written only on LB_OK; cleared by the caller
 *
 * LB_ERR_FORMAT       the request is not one; or the PEM holds no certificate
 * LB_ERR_TIMEOUT      timeout_ms are over
 * LB_ERR_UNREACHABLE  no such name, refused, no route
 * LB_ERR_PEER         TLS, certificate, or not the HTTP it should be; the body
 *                     is cut short; a redirect
 * LB_ERR_RANGE        the body is over answer_max, or the head over
 *                     LB_HTTPS_HEAD_MAX
 * LB_ERR_MEMORY       also for a single header line over libcurl's 100 KiB
 *
 * Returns within timeout_ms even when a name server never answers; libcurl's
 * thread that asks it is then left to end by itself, by the resolver's own
 * time limits, so the process must not unload this code meanwhile. SIGPIPE is
 * held back during the call and never delivered from here.
 */
enum lb_err lb_https_send(struct lb_https *h,
    const struct lb_https_request *req,
    struct lb_https_answer *ret) LB_MUST_CHECK;

/* Empty an answer; all zero is empty. */
void lb_https_answer_clear(struct lb_https_answer *a);

/*
 * The value of a header of the answer, without blanks around it.
 *
 * name  any case, without the colon
 *
 * LB_ERR_MISSING, LB_ERR_PEER when it stands there twice or is not printable
 * ASCII, LB_ERR_RANGE when it does not fit ret_size.
 */
enum lb_err lb_https_answer_header(const struct lb_https_answer *a,
    const char *name, char *ret, size_t ret_size) LB_MUST_CHECK;

/*
 * Why the last lb_https_send failed, in printable ASCII for people and logs;
 * "" when it did not. Lives until the next call with h.
 */
const char *lb_https_why(const struct lb_https *h);

#endif
