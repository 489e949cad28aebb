/* What goes out: the request checked, and libcurl told all about it. */
#include "https.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define IDLE_MAX_S     3600L /* a connection unused for so long is closed */
#define ALIVE_IDLE_S   30L   /* then ask whether the peer is still there */
#define ALIVE_STEP_S   10L
#define UNACKED_MIN_MS 2000u

bool
https_printable(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s < ' ' || *s > '~')
			return false;
	}
	return true;
}

static bool
method_known(const char *method)
{
	static const char *const known[] = { "GET", "POST", "PUT", "PATCH",
		"DELETE" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(method, known[i]) == 0)
			return true;
	}
	return false;
}

static bool
url_valid(const char *url)
{
	size_t len = strlen(url);

	return len <= LB_HTTPS_URL_MAX && strncmp(url, "https://", 8) == 0 &&
	    url[8] != '\0' && https_printable(url) &&
	    strpbrk(url, " \"<>\\^`{|}#") == NULL;
}

/* "Name: value" and nothing that could end the line. */
static bool
header_valid(const char *s)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	size_t name = strspn(s, token);

	return name > 0 && s[name] == ':' && s[name + 1] == ' ' &&
	    s[name + 2] != '\0' && strlen(s) <= LB_HTTPS_HEADER_MAX &&
	    https_printable(s);
}

static bool
headers_valid(const char *const *headers)
{
	for (size_t n = 0; headers != NULL && headers[n] != NULL; n++) {
		if (n == LB_HTTPS_HEADERS_MAX || !header_valid(headers[n]))
			return false;
	}
	return true;
}

enum lb_err
https_request_check(const struct lb_https_request *req, const char **ret_why)
{
	if (!method_known(req->method))
		*ret_why = "unknown method";
	else if (!url_valid(req->url))
		*ret_why = "not an https URL";
	else if (req->body_len > 0 && strcmp(req->method, "GET") == 0)
		*ret_why = "GET with a body";
	else if (!headers_valid(req->headers))
		*ret_why = "bad header";
	else
		return LB_OK;
	return LB_ERR_FORMAT;
}

static enum lb_err
headers_add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer == NULL)
		return LB_ERR_MEMORY;
	*list = longer;
	return LB_OK;
}

/* Ours, and none of those that libcurl would add by itself. */
enum lb_err
https_headers_list(const struct lb_https_request *req, struct curl_slist **ret)
{
	static const char type[] = "Content-Type:";
	struct curl_slist *list = NULL;
	bool typed = false;
	enum lb_err r;

	if ((r = headers_add(&list, "Expect:")) != LB_OK)
		goto out;
	for (size_t i = 0; req->headers != NULL && req->headers[i] != NULL;
	     i++) {
		if ((r = headers_add(&list, req->headers[i])) != LB_OK)
			goto out;
		if (strncasecmp(req->headers[i], type, strlen(type)) == 0)
			typed = true;
	}
	if (!typed && (r = headers_add(&list, type)) != LB_OK)
		goto out;
	*ret = list;
	list = NULL; /* handed over */
out:
	curl_slist_free_all(list);
	return r;
}

/*
 * A peer that vanished without a word is noticed while there is time left to
 * reconnect; without that a lost connection costs one request.
 */
static int
on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	const struct lb_https *h = arg;

	(void)purpose;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &h->unacked_ms,
	    sizeof(h->unacked_ms)); /* only costs time */
	return CURL_SOCKOPT_OK;
}

static CURLcode
set_trust(const struct lb_https *h)
{
	struct curl_blob ca = { .data = h->ca_pem,
		.len = h->ca_pem_len,
		.flags = CURL_BLOB_NOCOPY };
	CURL *c = h->easy;
	CURLcode rc;

	/* Debian's libcurl believes CAPATH as well, unless told. */
	if ((rc = curl_easy_setopt(c, CURLOPT_CAPATH, NULL)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_CAINFO, NULL)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSLVERSION,
		 (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK)
		return rc;
	return CURLE_OK;
}

static CURLcode
set_route(const struct lb_https *h)
{
	CURL *c = h->easy;
	CURLcode rc;

	if ((rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https")) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https")) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_PROXY, h->proxy)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_NOPROXY, "")) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(
		 c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
		 (long)CURL_HTTP_VERSION_1_1)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTP09_ALLOWED, 0L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_USERAGENT, h->agent)) != CURLE_OK)
		return rc;
	return CURLE_OK;
}

/* QUICK_EXIT: do not wait for the thread that looks up a name. */
static CURLcode
set_times(struct lb_https *h, int64_t timeout_ms)
{
	CURL *c = h->easy;
	CURLcode rc;

	h->unacked_ms = (unsigned int)(timeout_ms / 2);
	if (h->unacked_ms < UNACKED_MIN_MS)
		h->unacked_ms = UNACKED_MIN_MS;
	if ((rc = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(
		 c, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, IDLE_MAX_S)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_TCP_KEEPIDLE, ALIVE_IDLE_S)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_TCP_KEEPINTVL, ALIVE_STEP_S)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, h)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket)) !=
		CURLE_OK)
		return rc;
	return CURLE_OK;
}

static CURLcode
set_message(const struct lb_https *h, const struct lb_https_request *req,
    struct curl_slist *headers)
{
	CURL *c = h->easy;
	CURLcode rc;

	if ((rc = curl_easy_setopt(c, CURLOPT_URL, req->url)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers)) != CURLE_OK)
		return rc;
	if (strcmp(req->method, "GET") == 0)
		return curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	if ((rc = curl_easy_setopt(c, CURLOPT_POST, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		 (curl_off_t)req->body_len)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_POSTFIELDS,
		 req->body == NULL ? "" : req->body)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, req->method)) !=
		CURLE_OK)
		return rc;
	return CURLE_OK;
}

CURLcode
https_request_set(struct lb_https *h, const struct lb_https_request *req,
    struct curl_slist *headers)
{
	CURLcode rc;

	if ((rc = set_trust(h)) != CURLE_OK ||
	    (rc = set_route(h)) != CURLE_OK ||
	    (rc = set_times(h, req->timeout_ms)) != CURLE_OK ||
	    (rc = set_message(h, req, headers)) != CURLE_OK)
		return rc;
	return CURLE_OK;
}
