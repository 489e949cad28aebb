/* HTTPS to one broker, over libcurl. */
#include "http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/text.h"

#define RETRY_AFTER_MAX 86400 /* seconds */

struct http {
	CURL *curl;
	char *url, *ca;
	char why[CURL_ERROR_SIZE];
};

/* What the callbacks fill. */
struct sink {
	struct http_reply *reply;
	enum lb_err r;
};

static size_t
on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct sink *s = arg;

	s->r = lb_buf_add(&s->reply->body, bytes, one * n);
	return s->r == LB_OK ? one * n : 0;
}

/* The value when the line is that header, else NULL. */
static const char *
header_value(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	return line + strspn(line, " \t");
}

static size_t
on_header(char *bytes, size_t one, size_t n, void *arg)
{
	struct sink *s = arg;
	size_t len = one * n;
	char line[256] = "";
	const char *value;

	memcpy(line, bytes, len < sizeof(line) ? len : sizeof(line) - 1);
	line[strcspn(line, "\r\n")] = '\0';
	if ((value = header_value(line, len, "date")) != NULL)
		s->reply->date = (int64_t)curl_getdate(value, NULL);
	else if ((value = header_value(line, len, "retry-after")) != NULL) {
		if (lb_number_parse(value, 0, RETRY_AFTER_MAX,
			&s->reply->retry_after) != LB_OK)
			s->reply->retry_after = 0; /* a date: not needed */
	} else if ((value = header_value(line, len, "content-type")) != NULL)
		(void)snprintf(s->reply->type, sizeof(s->reply->type), "%.*s",
		    (int)strcspn(value, "; "), value);
	return len;
}

enum lb_err
http_open(const char *url, const char *ca, struct http **ret)
{
	struct http *h;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return LB_ERR_MEMORY;
	if ((h = calloc(1, sizeof(*h))) == NULL)
		return LB_ERR_MEMORY;
	h->curl = curl_easy_init();
	h->url = strdup(url);
	h->ca = strdup(ca != NULL ? ca : "");
	if (h->curl == NULL || h->url == NULL || h->ca == NULL) {
		http_close(h);
		return LB_ERR_MEMORY;
	}
	*ret = h;
	return LB_OK;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	if (h->curl != NULL)
		curl_easy_cleanup(h->curl);
	free(h->url);
	free(h->ca);
	free(h);
}

static enum lb_err
header_add(struct curl_slist **list, const char *name, const char *before,
    const char *value)
{
	struct lb_buf line = { 0 };
	struct curl_slist *longer = NULL;

	if (value == NULL)
		return LB_OK;
	if (lb_buf_addf(&line, "%s: %s%s", name, before, value) == LB_OK)
		longer = curl_slist_append(*list, line.data);
	lb_buf_clear(&line);
	if (longer == NULL)
		return LB_ERR_MEMORY;
	*list = longer;
	return LB_OK;
}

/* What holds for every call, whoever asks. */
static bool
options_fixed(struct http *h)
{
	CURL *c = h->curl;
	CURLcode rc = CURLE_OK;

	curl_easy_reset(c);
	h->why[0] = '\0';
	rc |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->why);
	rc |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	rc |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	rc |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	rc |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	rc |= curl_easy_setopt(
	    c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	rc |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	rc |= curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	rc |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)HTTP_TIMEOUT_MS);
	rc |= curl_easy_setopt(c, CURLOPT_USERAGENT, "lockbox");
	/* CAINFO alone does not pin: the system's directory would count too. */
	if (h->ca[0] != '\0') {
		rc |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
		rc |= curl_easy_setopt(c, CURLOPT_CAINFO, h->ca);
	}
	return rc == CURLE_OK;
}

static bool
options_call(struct http *h, const struct http_call *call, const char *url,
    struct curl_slist *headers, struct sink *sink)
{
	CURL *c = h->curl;
	CURLcode rc = CURLE_OK;

	rc |= curl_easy_setopt(c, CURLOPT_URL, url);
	rc |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	rc |= curl_easy_setopt(c, CURLOPT_WRITEDATA, sink);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	rc |= curl_easy_setopt(c, CURLOPT_HEADERDATA, sink);
	if (call->type != NULL) {
		rc |= curl_easy_setopt(c, CURLOPT_POST, 1L);
		rc |= curl_easy_setopt(
		    c, CURLOPT_POSTFIELDSIZE, (long)call->body_len);
		rc |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, call->body);
	}
	return rc == CURLE_OK;
}

static enum lb_err
failure(struct http *h, CURLcode rc, const struct sink *sink)
{
	if (h->why[0] == '\0')
		(void)snprintf(
		    h->why, sizeof(h->why), "%s", curl_easy_strerror(rc));
	switch (rc) {
	case CURLE_OK:
		return LB_OK;
	case CURLE_WRITE_ERROR:
		return sink->r != LB_OK ? sink->r : LB_ERR_PEER;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return LB_ERR_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return LB_ERR_TIMEOUT;
	case CURLE_SSL_CACERT_BADFILE:
		return LB_ERR_MISSING;
	case CURLE_OUT_OF_MEMORY:
		return LB_ERR_MEMORY;
	default:
		return LB_ERR_PEER;
	}
}

enum lb_err
http_send(struct http *h, const struct http_call *call, struct http_reply *ret)
{
	struct http_reply reply = { .body.max = HTTP_BODY_MAX };
	struct sink sink = { &reply, LB_OK };
	struct curl_slist *headers = NULL;
	struct lb_buf url = { 0 };
	enum lb_err r;
	CURLcode rc;
	long status = 0;

	if ((r = lb_buf_addf(&url, "%s%s", h->url, call->path)) != LB_OK ||
	    (r = header_add(
		 &headers, "Authorization", "Bearer ", call->token)) != LB_OK ||
	    (r = header_add(&headers, "Content-Type", "", call->type)) !=
		LB_OK ||
	    (r = header_add(&headers, "Idempotency-Key", "",
		 call->idempotency)) != LB_OK ||
	    (r = lb_buf_add(&reply.body, "", 0)) != LB_OK)
		goto out;
	r = LB_ERR_MEMORY;
	if (!options_fixed(h) ||
	    !options_call(h, call, url.data, headers, &sink))
		goto out;
	rc = curl_easy_perform(h->curl);
	if ((r = failure(h, rc, &sink)) != LB_OK)
		goto out;
	(void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	reply.status = (int)status;
	*ret = reply;
	reply.body = (struct lb_buf){ 0 }; /* handed over */
out:
	http_reply_clear(&reply);
	curl_slist_free_all(headers); /* the token goes with libcurl's copy */
	lb_buf_clear(&url);
	return r;
}

void
http_reply_clear(struct http_reply *reply)
{
	lb_buf_clear(&reply->body);
	*reply = (struct http_reply){ 0 };
}

const char *
http_why(const struct http *h)
{
	return h != NULL && h->why[0] != '\0' ? h->why : "no reason known";
}
