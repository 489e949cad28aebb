/* HTTPS over libcurl's multi interface, under a deadline of our own. */
#include "https.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lockbox/clock.h"
#include "lockbox/text.h"

#define POLL_MAX_MS 1000

/* What would lead libcurl, OpenSSL or the resolver astray. */
static const char *const astray[] = { "http_proxy", "HTTP_PROXY", "https_proxy",
	"HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
	"SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
	"CURL_HOME", "CURL_SSL_BACKEND", "NETRC", "OPENSSL_CONF",
	"OPENSSL_CONF_INCLUDE", "OPENSSL_MODULES", "OPENSSL_ENGINES",
	"HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS" };

static enum lb_err
options_check(const struct lb_https_options *opt)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";

	if (opt->ca_pem_len > LB_HTTPS_CA_MAX)
		return LB_ERR_RANGE;
	if (opt->ca_pem == NULL ||
	    memmem(opt->ca_pem, opt->ca_pem_len, begin, strlen(begin)) == NULL)
		return LB_ERR_FORMAT;
	if (opt->agent == NULL || !https_printable(opt->agent))
		return LB_ERR_FORMAT;
	if (opt->proxy != NULL &&
	    (strncmp(opt->proxy, "http://", 7) != 0 || opt->proxy[7] == '\0' ||
		!https_printable(opt->proxy)))
		return LB_ERR_FORMAT;
	return LB_OK;
}

enum lb_err
lb_https_open(const struct lb_https_options *opt, struct lb_https **ret)
{
	struct lb_https *h = NULL;
	enum lb_err r;

	if ((r = options_check(opt)) != LB_OK)
		return r;
	for (size_t i = 0; i < sizeof(astray) / sizeof(astray[0]); i++)
		(void)unsetenv(astray[i]); /* fails for no such name */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return LB_ERR_MEMORY;

	r = LB_ERR_MEMORY;
	if ((h = calloc(1, sizeof(*h))) == NULL ||
	    (h->ca_pem = malloc(opt->ca_pem_len)) == NULL ||
	    (h->proxy = strdup(opt->proxy == NULL ? "" : opt->proxy)) == NULL ||
	    (h->agent = strdup(opt->agent)) == NULL ||
	    (h->easy = curl_easy_init()) == NULL ||
	    (h->multi = curl_multi_init()) == NULL ||
	    curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK)
		goto out;
	memcpy(h->ca_pem, opt->ca_pem, opt->ca_pem_len);
	h->ca_pem_len = opt->ca_pem_len;
	*ret = h;
	h = NULL; /* handed over */
	r = LB_OK;
out:
	if (r != LB_OK && h == NULL)
		curl_global_cleanup();
	lb_https_close(h);
	return r;
}

/*
 * libcurl told to use no signals leaves SIGPIPE to us: hold it back in this
 * thread, and take away what has come up meanwhile.
 */
static bool
pipe_hold(sigset_t *ret_old)
{
	sigset_t pipe;

	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, ret_old);
	return sigismember(ret_old, SIGPIPE) == 0;
}

static void
pipe_release(bool held, const sigset_t *old)
{
	static const struct timespec none;
	sigset_t pipe;

	if (!held)
		return;
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	(void)sigtimedwait(&pipe, NULL, &none); /* mostly there is none */
	(void)pthread_sigmask(SIG_SETMASK, old, NULL);
}

void
lb_https_close(struct lb_https *h)
{
	sigset_t old;
	bool held;

	if (h == NULL)
		return;
	held = pipe_hold(&old); /* TLS says goodbye */
	curl_easy_cleanup(h->easy);
	(void)curl_multi_cleanup(h->multi); /* accepts NULL */
	pipe_release(held, &old);
	free(h->ca_pem);
	free(h->proxy);
	free(h->agent);
	free(h);
	curl_global_cleanup();
}

const char *
lb_https_why(const struct lb_https *h)
{
	return h->why;
}

/* Remember why; returns r. */
static enum lb_err
failed(struct lb_https *h, enum lb_err r, const char *why)
{
	lb_text_escape(why, strlen(why), h->why, sizeof(h->why));
	return r;
}

/* What libcurl says, in our words. */
static enum lb_err
error_of(CURLcode rc)
{
	switch (rc) {
	case CURLE_OK:
		return LB_OK;
	case CURLE_OUT_OF_MEMORY:
		return LB_ERR_MEMORY;
	case CURLE_OPERATION_TIMEDOUT:
		return LB_ERR_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return LB_ERR_UNREACHABLE;
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED:
	case CURLE_SSL_CACERT_BADFILE:
		return LB_ERR_FORMAT;
	case CURLE_FILESIZE_EXCEEDED:
		return LB_ERR_RANGE;
	default:
		return LB_ERR_PEER;
	}
}

static enum lb_err
curl_failed(struct lb_https *h, CURLcode rc)
{
	return failed(h, error_of(rc),
	    h->detail[0] != '\0' ? h->detail : curl_easy_strerror(rc));
}

/* Has the transfer come to its end, and how? */
static bool
finished(CURLM *multi, CURLcode *ret)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL) {
		if (msg->msg == CURLMSG_DONE) {
			*ret = msg->data.result;
			return true;
		}
	}
	return false;
}

/* Drive the transfer until it ends or the deadline passes. */
static CURLcode
drive(CURLM *multi, int64_t deadline)
{
	CURLcode rc = CURLE_OK;
	int running;

	for (;;) {
		int64_t left;

		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
		if (finished(multi, &rc))
			return rc;
		left = deadline - lb_clock_boottime_ms();
		if (left <= 0)
			return CURLE_OPERATION_TIMEDOUT;
		if (left > POLL_MAX_MS)
			left = POLL_MAX_MS;
		if (curl_multi_poll(multi, NULL, 0, (int)left, NULL) !=
		    CURLM_OK)
			return CURLE_OUT_OF_MEMORY;
	}
}

static enum lb_err
transfer(struct lb_https *h, int64_t deadline, struct inflow *in)
{
	const char *why = lb_err_text(LB_ERR_MEMORY);
	CURLcode rc = CURLE_OUT_OF_MEMORY;
	enum lb_err r;

	if (curl_multi_add_handle(h->multi, h->easy) == CURLM_OK) {
		rc = drive(h->multi, deadline);
		(void)curl_multi_remove_handle(h->multi, h->easy);
	}
	if (in->r != LB_OK) /* it was us who stopped */
		return failed(h, in->r,
		    in->r == LB_ERR_RANGE ? "the answer is too long"
					  : lb_err_text(in->r));
	if (rc != CURLE_OK)
		return curl_failed(h, rc);
	r = https_inflow_check(h->easy, in, &why);
	return r == LB_OK ? r : failed(h, r, why);
}

enum lb_err
lb_https_send(struct lb_https *h, const struct lb_https_request *req,
    struct lb_https_answer *ret)
{
	int64_t deadline = lb_clock_boottime_ms() + req->timeout_ms;
	struct inflow in = { .answer.body.max = req->answer_max };
	struct curl_slist *headers = NULL;
	const char *why = lb_err_text(LB_ERR_MEMORY);
	sigset_t old;
	CURLcode rc;
	bool held;
	enum lb_err r;

	assert(req->timeout_ms >= 1 && req->timeout_ms <= LB_HTTPS_TIME_MAX_MS);
	assert(req->answer_max >= 1);
	h->why[0] = '\0';
	h->detail[0] = '\0';
	held = pipe_hold(&old);
	if ((r = https_request_check(req, &why)) != LB_OK ||
	    (r = https_headers_list(req, &headers)) != LB_OK) {
		(void)failed(h, r, why);
		goto out;
	}
	if ((rc = https_request_set(h, req, headers)) != CURLE_OK ||
	    (rc = https_inflow_set(h->easy, &in)) != CURLE_OK ||
	    (rc = curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->detail)) !=
		CURLE_OK) {
		r = curl_failed(h, rc);
		goto out;
	}
	if ((r = transfer(h, deadline, &in)) != LB_OK)
		goto out;
	*ret = in.answer;
	memset(&in.answer, 0, sizeof(in.answer)); /* handed over */
out:
	/* Forget what is borrowed; connection and TLS session stay. */
	curl_easy_reset(h->easy);
	pipe_release(held, &old);
	curl_slist_free_all(headers);
	lb_https_answer_clear(&in.answer);
	return r;
}
