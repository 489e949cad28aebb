/* What every reply says besides its body. */
#include "headers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct header {
	const char *name, *value;
};

static const struct header all_headers[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Strict-Transport-Security", "max-age=31536000" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	{ 0 },
};

/* A host is no browser; and it asks at every login. */
static const struct header host_headers[] = {
	{ "X-Content-Type-Options", "nosniff" },
	{ "Cache-Control", "no-store" },
	{ 0 },
};

static const struct header answer_headers[] = {
	{ "Cache-Control", "no-store" },
	{ "Content-Security-Policy",
	    "default-src 'none'; frame-ancestors 'none'" },
	{ 0 },
};

/* Scripts and styles of our own files only, and no text becomes markup. */
static const struct header page_headers[] = {
	{ "Cache-Control", "no-cache" },
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; "
	    "img-src 'self' data:; connect-src 'self'; form-action 'none'; "
	    "frame-ancestors 'none'; base-uri 'none'; "
	    "require-trusted-types-for 'script'; trusted-types 'none'" },
	{ "X-Frame-Options", "DENY" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Permissions-Policy",
	    "publickey-credentials-get=(self), "
	    "publickey-credentials-create=(self)" },
	{ 0 },
};

static bool
list_take(const struct header *list, header_taker *take, void *arg)
{
	for (; list->name != NULL; list++)
		if (!take(arg, list->name, list->value))
			return false;
	return true;
}

/* On answers that a customer's own page may read. */
static const struct header shared_headers[] = {
	{ "Vary", "Origin" },
	{ "Access-Control-Expose-Headers", "etag, retry-after" },
	{ 0 },
};

/* What that page may send besides what every page may. */
static const struct header preflight_headers[] = {
	{ "Access-Control-Allow-Headers",
	    "authorization, content-type, if-match, idempotency-key" },
	{ "Access-Control-Max-Age", "600" },
	{ 0 },
};

/* Those that not every reply has; "" and NULL: this one has not. */
static bool
own_take(const struct reply *reply, header_taker *take, void *arg)
{
	char wait[24] = "", save[80] = "";
	const struct header own[] = {
		{ "Content-Type", reply->type },
		{ "ETag", reply->etag },
		{ "Allow", reply->allow },
		{ "WWW-Authenticate", reply->status == 401 ? "Bearer" : "" },
		{ "Retry-After", wait },
		{ "Content-Disposition", save },
		{ "Set-Cookie", reply->set_cookie },
		{ "Access-Control-Allow-Origin", reply->allow_origin },
		{ "Access-Control-Allow-Methods", reply->preflight },
	};

	if (reply->retry_after > 0)
		(void)snprintf(
		    wait, sizeof(wait), "%lld", (long long)reply->retry_after);
	if (reply->download != NULL)
		(void)snprintf(save, sizeof(save),
		    "attachment; filename=\"%s\"", reply->download);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (own[i].value != NULL && own[i].value[0] != '\0' &&
		    !take(arg, own[i].name, own[i].value))
			return false;
	return true;
}

bool
headers_each(const struct reply *reply, header_taker *take, void *arg)
{
	if (reply->to_host)
		return list_take(host_headers, take, arg) &&
		    own_take(reply, take, arg);
	return list_take(all_headers, take, arg) &&
	    list_take(reply->page ? page_headers : answer_headers, take, arg) &&
	    (reply->allow_origin[0] == '\0' ||
		list_take(shared_headers, take, arg)) &&
	    (reply->preflight == NULL ||
		list_take(preflight_headers, take, arg)) &&
	    own_take(reply, take, arg);
}

enum lb_err
headers_take(struct call *call, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} row[] = {
		{ "Authorization", &call->authorization },
		{ "Cookie", &call->cookie },
		{ "Idempotency-Key", &call->idempotency_key },
		{ "If-Match", &call->if_match },
		{ "If-None-Match", &call->if_none_match },
		{ "Origin", &call->origin },
		{ "Sec-Fetch-Site", &call->site },
		{ "User-Agent", &call->agent },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (strcasecmp(name, row[i].name) != 0)
			continue;
		if (*row[i].to != NULL)
			return LB_ERR_FORMAT;
		*row[i].to = value != NULL ? value : "";
	}
	return LB_OK;
}

enum lb_err
cookie_read(const char *header, const char *name, char *ret, size_t size)
{
	const char *found = NULL;
	size_t len = strlen(name), found_len = 0, n;

	if (header == NULL)
		return LB_ERR_MISSING;
	for (header += strspn(header, "; \t"); *header != '\0';
	     header += n + strspn(header + n, "; \t")) {
		n = strcspn(header, "; \t");
		if (n <= len || strncmp(header, name, len) != 0 ||
		    header[len] != '=')
			continue;
		if (found != NULL)
			return LB_ERR_FORMAT;
		found = header + len + 1;
		found_len = n - len - 1;
	}
	if (found == NULL)
		return LB_ERR_MISSING;
	if (found_len >= size)
		return LB_ERR_RANGE;
	memcpy(ret, found, found_len);
	ret[found_len] = '\0';
	return LB_OK;
}

bool
etag_listed(const char *list, const char *etag)
{
	static const char blanks[] = " \t,";
	size_t len = strlen(etag), n;

	if (list == NULL)
		return false;
	for (list += strspn(list, blanks); *list != '\0';
	     list += n + strspn(list + n, blanks)) {
		/* A weak mark does not matter here: RFC 9110, 13.1.2. */
		if (strncmp(list, "W/", 2) == 0)
			list += 2;
		n = strcspn(list, blanks);
		if (n == 0)
			return false;
		if ((n == len && strncmp(list, etag, n) == 0) ||
		    (n == 1 && *list == '*'))
			return true;
	}
	return false;
}
