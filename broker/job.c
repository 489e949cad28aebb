/* What both kinds of sending have in common. */
#include "job.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "version.h"

/*
 * The second wall: whatever libcurl connects to, this looks at the very
 * address.
 */
static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct job *j = arg;

	(void)purpose;
	if (!j->private && !address_public(&a->addr)) {
		j->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

CURLcode
job_common_set(struct job *j, const char *ca, long timeout_s)
{
	CURL *c = j->easy;
	CURLcode rc;

	if ((rc = curl_easy_setopt(c, CURLOPT_PRIVATE, j)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, j->error)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_TIMEOUT, timeout_s)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, timeout_s)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_PROXY, "")) != CURLE_OK ||
	    (rc = curl_easy_setopt(
		 c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_SSLVERSION,
		 (long)CURL_SSLVERSION_TLSv1_2)) != CURLE_OK ||
	    /* Debian's libcurl believes CAPATH as well, unless told. */
	    (rc = curl_easy_setopt(c, CURLOPT_CAPATH, NULL)) != CURLE_OK ||
	    /* As in agent/fetch.c: a handle sends once. */
	    (rc = curl_easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_CAINFO, ca)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, j)) != CURLE_OK ||
	    (rc = curl_easy_setopt(
		 c, CURLOPT_OPENSOCKETFUNCTION, socket_open)) != CURLE_OK)
		return rc;
	return curl_easy_setopt(
	    c, CURLOPT_USERAGENT, "lockbox-broker/" BROKER_VERSION);
}

const char *
job_code(const struct job *j, CURLcode rc)
{
	if (j->refused)
		return "address_refused";
	switch (rc) {
	case CURLE_OK:
		return "";
	case CURLE_OPERATION_TIMEDOUT:
		return "timeout";
	case CURLE_COULDNT_RESOLVE_HOST:
		return "no_such_host";
	case CURLE_COULDNT_CONNECT:
		return "unreachable";
	case CURLE_USE_SSL_FAILED:
		return "tls_missing";
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return "tls_failed";
	case CURLE_LOGIN_DENIED:
		return "login_refused";
	case CURLE_OUT_OF_MEMORY:
		return "out_of_memory";
	default:
		return "broken";
	}
}

void
job_clear(struct job *j)
{
	lookup_drop(j->lookup);
	curl_easy_cleanup(j->easy); /* accepts NULL */
	curl_mime_free(j->mime);
	curl_slist_free_all(j->headers);
	curl_slist_free_all(j->resolve);
	curl_slist_free_all(j->recipients);
	lb_buf_clear(&j->body);
	mail_clear(&j->mail);
	memset(j, 0, sizeof(*j));
}
