/* Between the rooms of the HTTPS client: what goes out, what comes in. */
#ifndef LOCKBOX_LIB_HTTPS_H
#define LOCKBOX_LIB_HTTPS_H

#include <stdbool.h>
#include <stddef.h>

#include <curl/curl.h>

#include "lockbox/https.h"

#define HTTPS_WHY_MAX 256 /* chars, with NUL */

struct lb_https {
	CURLM *multi; /* holds the connection */
	CURL *easy;
	char *ca_pem;
	size_t ca_pem_len;
	char *proxy; /* "" for none */
	char *agent;
	unsigned int unacked_ms;      /* after which a silent peer is gone */
	char detail[CURL_ERROR_SIZE]; /* what libcurl said */
	char why[HTTPS_WHY_MAX];
};

/* An answer on its way in. */
struct inflow {
	struct lb_https_answer answer;
	size_t head_total; /* bytes, with interim answers and trailers */
	bool head_done;
	enum lb_err r; /* why we stopped reading, or LB_OK */
};

/* No byte but printable ASCII. */
bool https_printable(const char *s);

/* LB_ERR_FORMAT and a static phrase when it is not a request to be sent. */
enum lb_err https_request_check(
    const struct lb_https_request *req, const char **ret_why) LB_MUST_CHECK;

/* The request's headers; freed by the caller with curl_slist_free_all. */
enum lb_err https_headers_list(
    const struct lb_https_request *req, struct curl_slist **ret) LB_MUST_CHECK;

/* Tell libcurl all about one request; h and headers outlive the transfer. */
CURLcode https_request_set(struct lb_https *h,
    const struct lb_https_request *req,
    struct curl_slist *headers) LB_MUST_CHECK;

/* Have libcurl fill in, up to its ceilings. */
CURLcode https_inflow_set(CURL *easy, struct inflow *in) LB_MUST_CHECK;

/*
 * Is what came in an answer; sets its status. LB_ERR_PEER and a static phrase
 * if not; LB_ERR_MEMORY.
 */
enum lb_err https_inflow_check(
    CURL *easy, struct inflow *in, const char **ret_why) LB_MUST_CHECK;

#endif
