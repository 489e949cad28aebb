/* Sending a webhook. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"

#include "job.h"
#include "seal.h"

#define TIMEOUT_S    15L
#define ANSWER_MAX   65536 /* bytes of head and body that we listen to */
#define RESOLVED_MAX 16    /* addresses of one name */

static enum lb_err
body_write(struct job *j, const struct notice_row *n)
{
	char at[LB_TIME_LEN + 1];

	lb_time_format(n->at, at);
	return lb_buf_addf(&j->body,
	    "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":%s}",
	    notice_word(n->kind), at, n->data.data);
}

enum lb_err
job_hook_init(struct app *app, struct job *j)
{
	struct notice_row n = { 0 };
	enum lb_err r;

	if ((r = store_webhook_get(app->store, j->row[0].receiver, &j->hook)) !=
	    LB_OK)
		return r;
	if (!j->hook.active)
		return LB_ERR_MISSING;
	j->private = app->conf.webhook_private;
	r = address_url(j->hook.url, j->private, &j->target);
	if (r != LB_OK)
		return LB_ERR_FORBIDDEN; /* the setting may have changed */
	if ((r = store_notice_get(app->store, j->row[0].notice, &n)) == LB_OK)
		r = body_write(j, &n);
	lb_buf_clear(&n.data);
	return r;
}

static bool
list_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static enum lb_err
headers_make(struct app *app, struct job *j, int64_t now)
{
	char line[SEAL_MAX + 64], seal[SEAL_MAX + 1];
	enum lb_err r;

	if ((r = seal_make(app, &j->hook, j->row[0].id, now, j->body.data,
		 j->body.len, seal)) != LB_OK)
		return r;
	r = LB_ERR_MEMORY;
	if (!list_add(&j->headers, "Expect:") ||
	    !list_add(&j->headers, "Content-Type: application/json"))
		return r;
	(void)snprintf(line, sizeof(line), "webhook-id: %s", j->row[0].id);
	if (!list_add(&j->headers, line))
		return r;
	(void)snprintf(line, sizeof(line), "webhook-timestamp: %" PRId64, now);
	if (!list_add(&j->headers, line))
		return r;
	(void)snprintf(line, sizeof(line), "webhook-signature: %s", seal);
	return list_add(&j->headers, line) ? LB_OK : r;
}

static const char *
address_text(const struct sockaddr *sa, char *ret, socklen_t size)
{
	if (sa->sa_family == AF_INET6)
		return inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    ret, size);
	return inet_ntop(AF_INET,
	    &((const struct sockaddr_in *)(const void *)sa)->sin_addr, ret,
	    size);
}

/*
 * All addresses of the name must be fit to be reached, and libcurl gets these
 * and no others: what a second look-up would say does not matter.
 */
static enum lb_err
resolved(struct job *j)
{
	const struct addrinfo *a = lookup_result(j->lookup);
	char one[INET6_ADDRSTRLEN];
	struct lb_buf line = { 0 };
	size_t count = 0;
	enum lb_err r;

	if (a == NULL)
		return LB_ERR_UNREACHABLE;
	r = lb_buf_addf(&line, "%s:%u:", j->target.host, j->target.port);
	for (; r == LB_OK && a != NULL; a = a->ai_next) {
		if (!j->private && !address_public(a->ai_addr)) {
			j->refused = true;
			r = LB_ERR_FORBIDDEN;
		} else if (count < RESOLVED_MAX &&
		    address_text(a->ai_addr, one, sizeof(one)) != NULL) {
			r = lb_buf_addf(&line, "%s%s%s%s", count > 0 ? "," : "",
			    a->ai_family == AF_INET6 ? "[" : "", one,
			    a->ai_family == AF_INET6 ? "]" : "");
			count++;
		}
	}
	if (r == LB_OK && !j->target.literal &&
	    !list_add(&j->resolve, line.data))
		r = LB_ERR_MEMORY;
	lb_buf_clear(&line);
	return r;
}

/* Nothing of it is kept; more than a bit is not listened to. */
static size_t
answer_take(char *bytes, size_t size, size_t count, void *arg)
{
	struct job *j = arg;

	(void)bytes;
	j->answered += size * count;
	return j->answered > ANSWER_MAX ? 0 : size * count;
}

static CURLcode
post_set(struct job *j)
{
	CURL *c = j->easy;
	CURLcode rc;

	if ((rc = curl_easy_setopt(c, CURLOPT_URL, j->hook.url)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR,
		 j->target.tls ? "https" : "http")) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
		 (long)CURL_HTTP_VERSION_1_1)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_POST, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(
		 c, CURLOPT_POSTFIELDSIZE, (long)j->body.len)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS, j->body.data)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, j->headers)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_RESOLVE, j->resolve)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, answer_take)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HEADERDATA, j)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_take)) !=
		CURLE_OK)
		return rc;
	return curl_easy_setopt(c, CURLOPT_WRITEDATA, j);
}

enum lb_err
job_hook_begin(struct app *app, struct job *j)
{
	enum lb_err r;

	if ((r = resolved(j)) != LB_OK ||
	    (r = headers_make(app, j, app->clock())) != LB_OK)
		return r;
	if ((j->easy = curl_easy_init()) == NULL ||
	    job_common_set(j, app->conf.webhook_ca, TIMEOUT_S) != CURLE_OK ||
	    post_set(j) != CURLE_OK)
		return LB_ERR_MEMORY;
	return LB_OK;
}

/* Once the status is there, it alone counts: also if the rest was cut off. */
void
job_hook_outcome(const struct job *j, CURLcode rc, struct outcome *ret)
{
	curl_off_t asked = 0;
	long status = 0;

	*ret = (struct outcome){ .what = OUTCOME_AGAIN };
	(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(j->easy, CURLINFO_RETRY_AFTER, &asked);
	ret->status = status;
	ret->asked = asked;
	ret->code = "http_status";
	if (status >= 200 && status < 300) {
		ret->what = OUTCOME_SENT;
		ret->code = "";
	} else if (status == 410) {
		ret->what = OUTCOME_GONE;
		ret->code = "gone";
	} else if (status < 200) {
		ret->status = 0;
		ret->code = job_code(j, rc != CURLE_OK ? rc : CURLE_RECV_ERROR);
	}
}
