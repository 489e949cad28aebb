/*
 * Calls to the broker as a signed-in person: the session, JSON both ways, and
 * what an error means for the person and for the exit code.
 * Source: doc/http-api.md.
 */
#ifndef LOCKBOX_CLI_API_H
#define LOCKBOX_CLI_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "http.h"
#include "lockbox/buf.h"
#include "settings.h"

#define API_TOKEN_MAX    512
#define API_PATH_MAX     1024
#define API_PREFIX_MIN   4 /* chars of a shortened id */
#define API_LIST_DEFAULT 50

struct api {
	struct cli *cli;
	struct settings settings;
	struct http *http;
	char token[API_TOKEN_MAX + 1]; /* "" when not signed in here */
	char principal[LB_PRINCIPAL_MAX + 1];
	int64_t expires_at;
};

/*
 * Read configuration and session; no call is made yet. With signed_in there
 * must be a live session for this broker. An enum ending, as all below: they
 * have said why when it is not ENDING_DONE.
 */
int api_open(struct cli *cli, bool signed_in, struct api *ret);

/* As api_open, for settings that are not in the file yet. */
int api_open_with(struct cli *cli, const struct settings *s, struct api *ret);
/* As api_open_with, but without a session and its directory: on a host. */
int api_open_plain(struct cli *cli, const struct settings *s, struct api *ret);
void api_close(struct api *api); /* wipes the token */

/*
 * Take up the session in that file if it is this broker's; a missing,
 * unreadable or foreign one is none.
 */
void api_session_read(struct api *api, const char *path);

/* Keep or forget the session of this broker. */
int api_session_save(const struct api *api);
int api_session_forget(const struct cli *cli);

/* ret  owned by the caller */
int api_get(struct api *api, json_t **ret, const char *path, ...)
    __attribute__((format(printf, 3, 4)));

/* body is stolen; may be NULL for {}. *ret is NULL after a 204. */
int api_post(struct api *api, json_t *body, json_t **ret, const char *path, ...)
    __attribute__((format(printf, 4, 5)));

/* As api_post, once whatever happens to the line: retried with one key. */
int api_create(struct api *api, json_t *body, json_t **ret, const char *path);

/* A bundle as text; max bytes. */
int api_get_text(struct api *api, size_t max, struct lb_buf *ret,
    const char *path, ...) __attribute__((format(printf, 4, 5)));
int api_post_text(struct api *api, const void *text, size_t len, json_t **ret,
    const char *path);

/*
 * All items of a list, over its pages, at most limit (0: all).
 *
 * query  "state=active&tenant=acme" or ""
 */
int api_list(struct api *api, const char *path, const char *query, size_t limit,
    json_t **ret);

/*
 * The whole id of a request (26 chars), of a grant or a session on a host
 * ("sha256:...") from what a person typed: whole, or at least API_PREFIX_MIN chars of its beginning.
 */
int api_request_id(
    struct api *api, const char *typed, char ret[static LB_ID_LEN + 1]);
int api_grant_id(
    struct api *api, const char *typed, char ret[static LB_SHA256_LEN + 1]);
int api_session_id(
    struct api *api, const char *typed, char ret[static LB_SHA256_LEN + 1]);

/* The filters of a list as a query, never NULL; NULL: not filtered by. */
int api_filters(const struct api *api, const char *state, const char *tenant,
    const char *host, struct lb_buf *ret);

/* Percent-encode what is not plain in a URL, appended to a query. */
enum lb_err api_query(
    struct lb_buf *query, const char *name, const char *value) LB_MUST_CHECK;

/* A string member; "" when it is absent, null or something else. */
const char *api_str(const json_t *object, const char *member);
/* A time member as UNIX seconds; 0 when absent or null. */
int64_t api_at(const json_t *object, const char *member);
/* Strings of an array with ", " between, appended; nothing when absent. */
enum lb_err api_join(
    const json_t *object, const char *member, struct lb_buf *ret) LB_MUST_CHECK;

#endif
