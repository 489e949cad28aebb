/* Cookies, origins, and who may use which from where. */
#include "origin.h"

#include <stdio.h>
#include <string.h>

#define SCHEME "https://"

/* Fetch metadata of a call that our own page, or nobody's page, caused. */
static bool
site_good(const struct visit *v)
{
	return v->site == NULL || strcmp(v->site, "same-origin") == 0 ||
	    (v->get && strcmp(v->site, "none") == 0);
}

const char *
origin_refuses(const struct visit *v)
{
	if (v->bearer && v->cookie)
		return "bad_request"; /* whose call would it be? */
	if (!v->get && v->from == ORIGIN_FOREIGN)
		return "foreign_origin";
	if (!v->cookie)
		return NULL;
	if (!site_good(v) ||
	    (v->from != ORIGIN_OWN && !(v->get && v->from == ORIGIN_NONE)))
		return "foreign_origin";
	return NULL;
}

/* Of a host name, an IPv4 address or a bracketed IPv6 one: its length. */
static size_t
host_len(const char *s)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t n = 0;

	if (*s == '[') {
		n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		return n > 1 && s[n] == ']' ? n + 1 : 0;
	}
	while (s[n] != '\0' && (strchr(letters, s[n]) || strchr(".-", s[n])))
		n++;
	return n;
}

enum lb_err
origin_of_url(const char *url, char ret[static LB_ORIGIN_MAX + 1],
    char ret_host[static LB_ORIGIN_MAX + 1])
{
	const char *host = url + strlen(SCHEME), *port;
	char word[6] = "";
	int64_t number = 443;
	size_t len, digits;

	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 ||
	    (len = host_len(host)) == 0)
		return LB_ERR_FORMAT;
	port = host + len + (host[len] == ':');
	digits = host[len] == ':' ? strspn(port, "0123456789") : 0;
	if (digits >= sizeof(word))
		return LB_ERR_RANGE;
	memcpy(word, port, digits);
	if ((host[len] == ':' &&
		lb_number_parse(word, 1, 65535, &number) != LB_OK) ||
	    (port[digits] != '\0' && port[digits] != '/'))
		return LB_ERR_FORMAT;
	if (strlen(SCHEME) + len + sizeof(word) > LB_ORIGIN_MAX)
		return LB_ERR_RANGE;
	(void)snprintf(ret_host, LB_ORIGIN_MAX + 1, "%.*s", (int)len, host);
	for (char *p = ret_host; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	(void)snprintf(ret, LB_ORIGIN_MAX + 1, SCHEME "%s%s%s", ret_host,
	    number != 443 ? ":" : "", number != 443 ? word : "");
	return LB_OK;
}
