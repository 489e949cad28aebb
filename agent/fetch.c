/* libcurl's multi interface, for one broker. */
#include "fetch.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "lockbox/buf.h"
#include "lockbox/clock.h"

#define BESIDES    2 /* connections: one that waits for news, one for reports */
#define CONNECT_MS 10000
#define UNACKED_MS 2000u /* after which a silent peer is gone */

struct fetch {
	CURLM *multi;
	struct curl_slist *headers;
	const struct fetch_broker *broker;
	char url[FRAME_OP_REPORT + 1][600]; /* by enum frame_op */
	struct fetch_job *jobs;
};

struct fetch_job {
	struct fetch *all;
	struct fetch_job *next;
	CURL *easy;
	char *body;
	struct lb_buf answer;
	size_t headers_len;
	bool too_large;
	int64_t due_ms;
	enum frame_op op;
	fetch_done *done;
	void *arg;
	char error[CURL_ERROR_SIZE];
};

enum lb_err
fetch_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return LB_ERR_MEMORY;
	/* Load the resolver's plugins now, all of them, without a question: where
	 * no file knows even localhost, a silent server would hold the start. */
	sethostent(0);
	endhostent();
	return LB_OK;
}

/* What the headers of every request are. "Expect:" takes libcurl's away. */
static struct curl_slist *
request_headers(void)
{
	static const char *const lines[] = { "Content-Type: text/plain",
		"Accept: text/plain, application/json", "Expect:" };
	struct curl_slist *list = NULL, *more;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		more = curl_slist_append(list, lines[i]);
		if (more == NULL) {
			curl_slist_free_all(list);
			return NULL;
		}
		list = more;
	}
	return list;
}

static enum lb_err
make_urls(struct fetch *f, const char *base)
{
	static const char *const paths[FRAME_OP_REPORT + 1] = {
		[FRAME_OP_ASK] = "/v1/ask",
		[FRAME_OP_WATCH] = "/v1/watch",
		[FRAME_OP_REPORT] = "/v1/report",
	};
	int n;

	for (int op = FRAME_OP_ASK; op <= FRAME_OP_REPORT; op++) {
		n = snprintf(
		    f->url[op], sizeof(f->url[op]), "%s%s", base, paths[op]);
		if (n < 0 || (size_t)n >= sizeof(f->url[op]))
			return LB_ERR_RANGE;
	}
	return LB_OK;
}

enum lb_err
fetch_new(const struct fetch_broker *b, struct fetch **ret)
{
	struct fetch *f = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return LB_ERR_MEMORY;
	f->broker = b;
	f->multi = curl_multi_init();
	f->headers = request_headers();
	if (f->multi == NULL || f->headers == NULL)
		goto out;
	if ((r = make_urls(f, b->url)) != LB_OK)
		goto out;
	r = LB_ERR_MEMORY;
	if (curl_multi_setopt(f->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
		b->connections + BESIDES) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS,
		b->connections + BESIDES) != CURLM_OK ||
	    curl_multi_setopt(f->multi, CURLMOPT_PIPELINING,
		(long)CURLPIPE_NOTHING) != CURLM_OK)
		goto out;
	*ret = f;
	f = NULL; /* handed over */
	r = LB_OK;
out:
	fetch_free(f);
	return r;
}

static void
job_free(struct fetch_job *job)
{
	struct fetch_job **at = &job->all->jobs;

	while (*at != NULL && *at != job)
		at = &(*at)->next;
	if (*at == job)
		*at = job->next;
	if (job->easy != NULL) {
		(void)curl_multi_remove_handle(job->all->multi, job->easy);
		curl_easy_cleanup(job->easy);
	}
	free(job->body);
	lb_buf_clear(&job->answer);
	free(job);
}

void
fetch_free(struct fetch *f)
{
	if (f == NULL)
		return;
	while (f->jobs != NULL)
		job_free(f->jobs);
	if (f->multi != NULL)
		(void)curl_multi_cleanup(f->multi); /* nothing is left in it */
	curl_slist_free_all(f->headers);
	free(f);
}

static size_t
on_body(char *bytes, size_t one, size_t count, void *arg)
{
	struct fetch_job *job = arg;

	if (lb_buf_add(&job->answer, bytes, one * count) == LB_OK)
		return one * count;
	job->too_large = true;
	return 0;
}

static size_t
on_header(char *bytes, size_t one, size_t count, void *arg)
{
	struct fetch_job *job = arg;

	(void)bytes;
	job->headers_len += one * count;
	if (job->headers_len <= FETCH_HEADERS_MAX)
		return one * count;
	job->too_large = true;
	return 0;
}

/*
 * A kept connection may have died without a word: a firewall forgot it, the
 * broker's machine is another. Noticed in time, libcurl asks once more over a
 * new one; without that each kept connection costs one login. As lib's client
 * does, with a time for those who wait 4 s.
 */
static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const unsigned int unacked_ms = UNACKED_MS;

	(void)arg;
	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms,
	    sizeof(unacked_ms)); /* only costs time */
	return CURL_SOCKOPT_OK;
}

#define SET(opt, value)                                                        \
	do {                                                                   \
		if (curl_easy_setopt(e, (opt), (value)) != CURLE_OK)           \
			return LB_ERR_UNSUPPORTED;                             \
	} while (0)

/* Whom we speak to, and nobody else: no environment, no redirect, no default
 * CA. Any option that libcurl does not know makes the job fail. */
static enum lb_err
set_peer(CURL *e, const struct fetch *f, enum frame_op op)
{
	struct curl_blob ca = {
		.len = f->broker->ca_len,
		.flags = CURL_BLOB_COPY,
	};

	/* curl_blob has no const; the bytes are copied. */
	memcpy(&ca.data, &f->broker->ca_pem, sizeof(ca.data));
	SET(CURLOPT_URL, f->url[op]);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, f->broker->proxy);
	SET(CURLOPT_NOPROXY, "");
	SET(CURLOPT_CAINFO_BLOB, &ca);
	SET(CURLOPT_CAPATH, NULL);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* Kept in this one handle, which asks once: of no use, and libcurl 7.88
	 * frees a session twice when there is no memory to keep it. */
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L); /* never wait for a resolver's thread */
	SET(CURLOPT_DNS_CACHE_TIMEOUT, 60L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, 30L);
	SET(CURLOPT_TCP_KEEPINTVL, 10L);
	SET(CURLOPT_MAXAGE_CONN, 3600L);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
	return LB_OK;
}

static enum lb_err
set_job(CURL *e, struct fetch_job *job, size_t len, uint32_t timeout_ms)
{
	SET(CURLOPT_POST, 1L);
	SET(CURLOPT_POSTFIELDS, job->body);
	SET(CURLOPT_POSTFIELDSIZE, (long)len);
	SET(CURLOPT_HTTPHEADER, job->all->headers);
	SET(CURLOPT_USERAGENT, "lockbox-courier/" LOCKBOX_VERSION);
	SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS,
	    timeout_ms < CONNECT_MS ? (long)timeout_ms : CONNECT_MS);
	SET(CURLOPT_MAXFILESIZE, (long)FRAME_BODY_MAX);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, job);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, job);
	SET(CURLOPT_ERRORBUFFER, job->error);
	SET(CURLOPT_PRIVATE, job);
	return LB_OK;
}

enum lb_err
fetch_start(struct fetch *f, const struct frame_ask *ask, const char *body,
    size_t len, fetch_done *done, void *arg, struct fetch_job **ret)
{
	struct fetch_job *job = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return LB_ERR_MEMORY;
	job->all = f;
	job->op = ask->op;
	job->done = done;
	job->arg = arg;
	job->answer.max = FRAME_BODY_MAX;
	job->due_ms = lb_clock_boottime_ms() + ask->timeout_ms;
	job->body = malloc(len + 1);
	job->easy = curl_easy_init();
	if (job->body == NULL || job->easy == NULL)
		goto out;
	memcpy(job->body, body, len);
	job->body[len] = '\0';
	if ((r = set_peer(job->easy, f, ask->op)) != LB_OK ||
	    (r = set_job(job->easy, job, len, ask->timeout_ms)) != LB_OK)
		goto out;
	if (curl_multi_add_handle(f->multi, job->easy) != CURLM_OK) {
		r = LB_ERR_MEMORY;
		goto out;
	}
	job->next = f->jobs;
	f->jobs = job;
	*ret = job;
	job = NULL; /* handed over */
	r = LB_OK;
out:
	if (job != NULL)
		job_free(job);
	return r;
}

void
fetch_cancel(struct fetch_job *job)
{
	job_free(job);
}

static enum frame_outcome
outcome_of(const struct fetch_job *job, CURLcode rc)
{
	if (job->too_large)
		return FRAME_TOO_LARGE;
	switch (rc) {
	case CURLE_OK:
		return FRAME_OK;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PROXY:
		return FRAME_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return FRAME_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_USE_SSL_FAILED:
		return FRAME_TLS;
	case CURLE_FILESIZE_EXCEEDED:
		return FRAME_TOO_LARGE;
	case CURLE_OUT_OF_MEMORY:
	case CURLE_FAILED_INIT:
		return FRAME_BUSY; /* it is not the broker's fault */
	default:
		return FRAME_GARBAGE;
	}
}

/* The type that answers such an ask, perhaps with parameters. */
static bool
is_wanted(enum frame_op op, const char *type)
{
	const char *want =
	    op == FRAME_OP_REPORT ? "application/json" : "text/plain";
	const size_t n = strlen(want);

	return type != NULL && strncasecmp(type, want, n) == 0 &&
	    (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* The stable word after "code": in a problem document, for the log only. */
static void
problem_code(const struct lb_buf *b, char *ret, size_t ret_size)
{
	const char *p = b->data == NULL ? NULL : strstr(b->data, "\"code\"");
	size_t n;

	ret[0] = '\0';
	if (p == NULL)
		return;
	p += strlen("\"code\"");
	p += strspn(p, " :");
	if (*p++ != '"')
		return;
	n = strspn(p, "abcdefghijklmnopqrstuvwxyz_0123456789");
	if (p[n] == '"' && n < ret_size) {
		memcpy(ret, p, n);
		ret[n] = '\0';
	}
}

static void
say(struct fetch_job *job, enum frame_outcome outcome, const char *cause)
{
	char text[FRAME_CAUSE_MAX + 1];
	size_t n = 0;

	for (; *cause != '\0' && n < FRAME_CAUSE_MAX; cause++)
		text[n++] = *cause >= ' ' && *cause <= '~' ? *cause : '?';
	text[n] = '\0';
	job->done(job->arg, outcome, text, n);
}

static void
finish(struct fetch_job *job, CURLcode rc)
{
	enum frame_outcome outcome = outcome_of(job, rc);
	const char *type = NULL;
	char cause[FRAME_CAUSE_MAX + 1], code[FRAME_CODE_MAX + 1];
	long status = 0;

	(void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(job->easy, CURLINFO_CONTENT_TYPE, &type);
	if (outcome != FRAME_OK) {
		say(job, outcome,
		    job->error[0] != '\0' ? job->error
					  : curl_easy_strerror(rc));
	} else if (status != 200) {
		problem_code(&job->answer, code, sizeof(code));
		frame_refusal_put(status, code, cause);
		say(job,
		    status >= 500 && status <= 599 ? FRAME_FAILED
						   : FRAME_REFUSED,
		    cause);
	} else if (!is_wanted(job->op, type)) {
		say(job, FRAME_GARBAGE, "not the type that was asked for");
	} else {
		job->done(job->arg, FRAME_OK,
		    job->answer.data == NULL ? "" : job->answer.data,
		    job->answer.len);
	}
	job_free(job);
}

/* Those that libcurl has not begun yet have no clock of its own. */
static int64_t
end_overdue(struct fetch *f)
{
	int64_t now = lb_clock_boottime_ms(), soonest = -1;
	struct fetch_job *job, *next;

	for (job = f->jobs; job != NULL; job = next) {
		next = job->next;
		if (job->due_ms <= now) {
			say(job, FRAME_TIMEOUT, "no answer in time");
			job_free(job);
		} else if (soonest < 0 || job->due_ms - now < soonest) {
			soonest = job->due_ms - now;
		}
	}
	return soonest;
}

enum lb_err
fetch_turn(struct fetch *f, struct curl_waitfd *others, unsigned int count,
    int timeout_ms)
{
	struct fetch_job *job;
	struct CURLMsg *msg;
	int64_t due;
	char *private;
	CURL *easy;
	CURLcode rc;
	int n;

	due = end_overdue(f);
	if (due >= 0 && due < timeout_ms)
		timeout_ms = (int)due;
	if (curl_multi_poll(f->multi, others, count, timeout_ms, NULL) !=
		CURLM_OK ||
	    curl_multi_perform(f->multi, &n) != CURLM_OK)
		return LB_ERR_IO;
	while ((msg = curl_multi_info_read(f->multi, &n)) != NULL) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		easy = msg->easy_handle;
		rc = msg->data.result; /* msg is gone with its handle */
		if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private) ==
		    CURLE_OK) {
			memcpy(&job, &private, sizeof(job));
			finish(job, rc);
		}
	}
	return LB_OK;
}
