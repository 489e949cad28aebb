/* Calls to the broker as a signed-in person. */
#include "api.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "lockbox/clock.h"
#include "lockbox/https.h"
#include "output.h"

#define CREATE_TRIES     3
#define JSON_DEPTH_FLAGS JSON_REJECT_DUPLICATES

int
api_open_plain(struct cli *cli, const struct settings *s, struct api *ret)
{
	struct api api = { .cli = cli, .settings = *s };
	enum lb_err r;

	r = http_open(s->url, s->ca, s->proxy, &api.http);
	if (r == LB_ERR_MEMORY)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if (r != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "the CA file '%s': %s",
		    s->ca[0] != '\0' ? s->ca : LB_HTTPS_CA_SYSTEM,
		    files_why(r));
	*ret = api;
	return ENDING_DONE;
}

int
api_open_with(struct cli *cli, const struct settings *s, struct api *ret)
{
	char path[PATH_MAX];
	int rv;

	if (s->url[0] == '\0')
		return out_fail(cli, ENDING_CONFIG,
		    "which broker: 'lockbox signin --url https://... --ca FILE "
		    "--as PRINCIPAL --key FILE' once");
	if ((rv = settings_state_path(cli, "session", path)) != ENDING_DONE ||
	    (rv = api_open_plain(cli, s, ret)) != ENDING_DONE)
		return rv;
	api_session_read(ret, path);
	return ENDING_DONE;
}

int
api_open(struct cli *cli, bool signed_in, struct api *ret)
{
	struct settings s;
	int rv;

	if ((rv = settings_load(cli, &s)) != ENDING_DONE ||
	    (rv = api_open_with(cli, &s, ret)) != ENDING_DONE)
		return rv;
	if (!signed_in ||
	    (ret->token[0] != '\0' && ret->expires_at > lb_clock_now()))
		return ENDING_DONE;
	rv = out_fail(cli, ENDING_DENIED, "%s",
	    ret->token[0] != '\0' ? "the session is over"
				  : "not signed in to this broker");
	out_hint(cli, "lockbox signin");
	api_close(ret);
	return rv;
}

void
api_close(struct api *api)
{
	http_close(api->http);
	sodium_memzero(api, sizeof(*api));
}

/* No line to the broker, or nonsense on it. */
static int
line_fail(const struct api *api, enum lb_err r)
{
	const char *url = api->settings.url;

	if (r == LB_ERR_MEMORY)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	return out_fail(api->cli, ENDING_UNAVAILABLE,
	    "the broker at %s cannot be reached: %s", url,
	    r == LB_ERR_RANGE ? "its answer is too large"
			      : http_why(api->http));
}

static int
status_ending(int status)
{
	switch (status) {
	case 401:
	case 403:
		return ENDING_DENIED;
	case 429:
	case 503:
		return ENDING_LATER;
	default:
		return status >= 500 ? ENDING_UNAVAILABLE : ENDING_FAILED;
	}
}

/* A problem+json, said to the person. */
static int
problem_fail(const struct api *api, const struct http_reply *reply)
{
	int rv = status_ending(reply->status);
	json_t *root = NULL;
	const char *next;

	if (strcmp(reply->type, "application/problem+json") == 0)
		root = json_loadb(
		    reply->body.data, reply->body.len, JSON_DEPTH_FLAGS, NULL);
	if (root == NULL) {
		rv = out_fail(api->cli,
		    reply->status < 500 && rv == ENDING_FAILED
			? ENDING_UNAVAILABLE
			: rv,
		    "the broker answered %d without saying why: is %s a "
		    "lockbox broker?",
		    reply->status, api->settings.url);
	} else {
		const char *detail = api_str(root, "detail");

		out_fail(api->cli, rv, "%s%s%s (%s)", api_str(root, "title"),
		    detail[0] != '\0' ? ": " : "", detail,
		    api_str(root, "code"));
	}
	next = api_str(root, "next");
	if (reply->status == 401)
		out_hint(api->cli, "lockbox signin");
	else if (next[0] != '\0')
		out_hint(api->cli, "%s", next);
	else if (reply->retry_after > 0)
		out_hint(api->cli, "try again in %lld s",
		    (long long)reply->retry_after);
	json_decref(root);
	return rv;
}

/* An answer that is JSON, or an error that is told. */
static int
reply_json(const struct api *api, const struct http_reply *reply, json_t **ret)
{
	json_t *root;

	if (reply->status < 200 || reply->status > 299)
		return problem_fail(api, reply);
	if (reply->status == 204) {
		*ret = NULL;
		return ENDING_DONE;
	}
	root = json_loadb(
	    reply->body.data, reply->body.len, JSON_DEPTH_FLAGS, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker's answer is no JSON object");
	}
	*ret = root;
	return ENDING_DONE;
}

static int
send_json(struct api *api, const struct http_call *call, json_t **ret)
{
	struct http_reply reply = { 0 };
	enum lb_err r;
	int rv;

	out_debug(
	    api->cli, "%s %s%s", call->method, api->settings.url, call->path);
	if ((r = http_send(api->http, call, &reply)) != LB_OK)
		return line_fail(api, r);
	rv = reply_json(api, &reply, ret);
	http_reply_clear(&reply);
	return rv;
}

static const char *
token_of(const struct api *api)
{
	return api->token[0] != '\0' ? api->token : NULL;
}

/* Format a path, or say that it is too long. */
static int __attribute__((format(printf, 3, 0)))
path_make(const struct api *api, char ret[static API_PATH_MAX], const char *fmt,
    va_list ap)
{
	int n = vsnprintf(ret, API_PATH_MAX, fmt, ap);

	if (n < 0 || n >= API_PATH_MAX)
		return out_fail(api->cli, ENDING_USAGE, "too long");
	return ENDING_DONE;
}

int
api_get(struct api *api, json_t **ret, const char *path, ...)
{
	struct http_call call = { .method = "GET", .token = token_of(api) };
	char whole[API_PATH_MAX];
	va_list ap;
	int rv;

	va_start(ap, path);
	rv = path_make(api, whole, path, ap);
	va_end(ap);
	call.path = whole;
	return rv != ENDING_DONE ? rv : send_json(api, &call, ret);
}

static int
post_json(struct api *api, json_t *body, const char *path,
    const char *idempotency, json_t **ret)
{
	struct http_call call = { .method = "POST",
		.path = path,
		.token = token_of(api),
		.type = "application/json",
		.idempotency = idempotency };
	char *text =
	    body != NULL ? json_dumps(body, JSON_COMPACT) : strdup("{}");
	int rv;

	if (text == NULL)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	call.body = text;
	call.body_len = strlen(text);
	rv = send_json(api, &call, ret);
	free(text);
	return rv;
}

int
api_post(struct api *api, json_t *body, json_t **ret, const char *path, ...)
{
	char whole[API_PATH_MAX];
	json_t *reply = NULL;
	va_list ap;
	int rv;

	va_start(ap, path);
	rv = path_make(api, whole, path, ap);
	va_end(ap);
	if (rv == ENDING_DONE)
		rv = post_json(api, body, whole, NULL, &reply);
	json_decref(body);
	if (ret != NULL)
		*ret = reply;
	else
		json_decref(reply);
	return rv;
}

int
api_create(struct api *api, json_t *body, json_t **ret, const char *path)
{
	uint8_t bytes[16];
	char key[2 * sizeof(bytes) + 1];
	int rv = ENDING_FAILED;

	randombytes_buf(bytes, sizeof(bytes));
	lb_hex_encode(bytes, sizeof(bytes), key);
	/* With one key, a repeat after a lost answer makes nothing twice. */
	for (int i = 0; i < CREATE_TRIES; i++) {
		if (i > 0)
			(void)sleep(1);
		rv = post_json(api, body, path, key, ret);
		if (rv != ENDING_UNAVAILABLE)
			break;
	}
	json_decref(body);
	return rv;
}

int
api_get_text(
    struct api *api, size_t max, struct lb_buf *ret, const char *path, ...)
{
	struct http_call call = { .method = "GET", .token = token_of(api) };
	struct http_reply reply = { 0 };
	char whole[API_PATH_MAX];
	va_list ap;
	enum lb_err r;
	int rv;

	va_start(ap, path);
	rv = path_make(api, whole, path, ap);
	va_end(ap);
	if (rv != ENDING_DONE)
		return rv;
	call.path = whole;
	out_debug(api->cli, "GET %s%s", api->settings.url, whole);
	if ((r = http_send(api->http, &call, &reply)) != LB_OK)
		return line_fail(api, r);
	if (reply.status != 200)
		rv = problem_fail(api, &reply);
	else if (reply.body.len > max ||
	    lb_buf_add(ret, reply.body.data, reply.body.len) != LB_OK)
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker's answer is too large");
	http_reply_clear(&reply);
	return rv;
}

int
api_post_text(struct api *api, const void *text, size_t len, json_t **ret,
    const char *path)
{
	struct http_call call = { .method = "POST",
		.path = path,
		.token = token_of(api),
		.type = "text/plain",
		.body = text,
		.body_len = len };

	return send_json(api, &call, ret);
}

const char *
api_str(const json_t *object, const char *member)
{
	const char *s = json_string_value(json_object_get(object, member));

	return s != NULL ? s : "";
}

int64_t
api_at(const json_t *object, const char *member)
{
	int64_t at = 0;

	if (lb_time_parse(api_str(object, member), &at) != LB_OK)
		return 0;
	return at;
}

enum lb_err
api_join(const json_t *object, const char *member, struct lb_buf *ret)
{
	const json_t *list = json_object_get(object, member);
	enum lb_err r = lb_buf_add(ret, "", 0);

	for (size_t i = 0; r == LB_OK && i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		r = lb_buf_addf(
		    ret, "%s%s", i > 0 ? ", " : "", s != NULL ? s : "?");
	}
	return r;
}
