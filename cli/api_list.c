/* Lists of the broker over their pages, and ids that people shorten. */
#include "api.h"

#include <string.h>

#include "output.h"

#define LIST_PAGE 200
#define LIST_MAX  10000

/* Move the items of one page over, and read where the next one begins. */
static int
page_take(const struct api *api, json_t *page, json_t *all, char *cursor,
    size_t cursor_size)
{
	const json_t *items = json_object_get(page, "items");

	if (!json_is_array(items) ||
	    lb_text_copy(cursor, cursor_size, api_str(page, "next_cursor")) !=
		LB_OK)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker's answer is no list");
	if (json_array_extend(all, json_object_get(page, "items")) != 0)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	return ENDING_DONE;
}

int
api_list(struct api *api, const char *path, const char *query, size_t limit,
    json_t **ret)
{
	char cursor[512] = "";
	json_t *all = json_array();
	int rv = ENDING_DONE;

	if (limit == 0 || limit > LIST_MAX)
		limit = LIST_MAX;
	do {
		size_t left = limit - json_array_size(all);
		struct lb_buf q = { 0 };
		json_t *page = NULL;

		if (lb_buf_addf(&q, "?limit=%zu%s%s",
			left < LIST_PAGE ? left : LIST_PAGE,
			query[0] != '\0' ? "&" : "", query) != LB_OK ||
		    (cursor[0] != '\0' &&
			api_query(&q, "cursor", cursor) != LB_OK))
			rv = out_fail(api->cli, ENDING_FAILED, "out of memory");
		if (rv == ENDING_DONE &&
		    (rv = api_get(api, &page, "%s%s", path, q.data)) ==
			ENDING_DONE)
			rv = page_take(api, page, all, cursor, sizeof(cursor));
		json_decref(page);
		lb_buf_clear(&q);
	} while (rv == ENDING_DONE && cursor[0] != '\0' &&
	    json_array_size(all) < limit);
	if (rv == ENDING_DONE)
		*ret = all;
	else
		json_decref(all);
	return rv;
}

enum lb_err
api_query(struct lb_buf *query, const char *name, const char *value)
{
	enum lb_err r;

	r = lb_buf_addf(query, "%s%s=", query->len > 0 ? "&" : "", name);
	for (; r == LB_OK && *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || strchr("-._~", c) != NULL)
			r = lb_buf_add(query, value, 1);
		else
			r = lb_buf_addf(query, "%%%02X", c);
	}
	return r;
}

int
api_filters(const struct api *api, const char *state, const char *tenant,
    const char *host, struct lb_buf *ret)
{
	enum lb_err r = lb_buf_add(ret, "", 0);

	if (r == LB_OK && state != NULL)
		r = api_query(ret, "state", state);
	if (r == LB_OK && tenant != NULL)
		r = api_query(ret, "tenant", tenant);
	if (r == LB_OK && host != NULL)
		r = api_query(ret, "host", host);
	return r == LB_OK ? ENDING_DONE
			  : out_fail(api->cli, ENDING_FAILED, "out of memory");
}

/* The one item whose id begins with prefix. */
static int
prefix_find(struct api *api, const char *path, const char *what,
    const char *prefix, json_t **ret)
{
	struct lb_buf query = { 0 };
	json_t *items = NULL;
	int rv;

	if (api_query(&query, "prefix", prefix) != LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	rv = api_list(api, path, query.data, 2, &items);
	lb_buf_clear(&query);
	if (rv != ENDING_DONE)
		return rv;
	if (json_array_size(items) == 1) {
		*ret = json_incref(json_array_get(items, 0));
		json_decref(items);
		return ENDING_DONE;
	}
	rv = out_fail(api->cli, ENDING_FAILED, "%s %s begins with '%s'",
	    json_array_size(items) == 0 ? "no" : "more than one", what, prefix);
	json_decref(items);
	return rv;
}

static int
found_copy(const struct api *api, json_t *found, const char *prefix, char *ret,
    size_t size)
{
	const char *id = api_str(found, "id");
	int rv = ENDING_DONE;

	/* What the broker picked must be what was typed. */
	if (strncmp(id, prefix, strlen(prefix)) != 0 ||
	    lb_text_copy(ret, size, id) != LB_OK)
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another id than '%s'", prefix);
	json_decref(found);
	return rv;
}

int
api_request_id(
    struct api *api, const char *typed, char ret[static LB_ID_LEN + 1])
{
	char id[LB_ID_LEN + 1] = "";
	size_t len = strlen(typed);
	json_t *found = NULL;
	int rv;

	for (size_t i = 0; i < len && i < LB_ID_LEN; i++)
		id[i] = typed[i] >= 'a' && typed[i] <= 'z'
		    ? (char)(typed[i] - 'a' + 'A')
		    : typed[i];
	if (len == LB_ID_LEN && lb_id_valid(id))
		return lb_text_copy(ret, LB_ID_LEN + 1, id) == LB_OK
		    ? ENDING_DONE
		    : ENDING_FAILED;
	if (len < API_PREFIX_MIN || len > LB_ID_LEN ||
	    strspn(id, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != len)
		return out_fail(api->cli, ENDING_USAGE,
		    "'%s' is no request id, nor the first %d or more characters "
		    "of one",
		    typed, API_PREFIX_MIN);
	if ((rv = prefix_find(api, "/v1/requests", "request", id, &found)) !=
	    ENDING_DONE)
		return rv;
	rv = found_copy(api, found, id, ret, LB_ID_LEN + 1);
	if (rv == ENDING_DONE && !lb_id_valid(ret))
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with what is no id");
	return rv;
}

/* A grant's or a session's: "sha256:..." or the beginning of it. */
static int
sha256_id(struct api *api, const char *path, const char *what,
    const char *typed, char ret[static LB_SHA256_LEN + 1])
{
	static const char head[] = "sha256:";
	const char *hex = typed;
	char id[LB_SHA256_LEN + 1];
	json_t *found = NULL;
	int rv;

	if (strncmp(typed, head, strlen(head)) == 0)
		hex += strlen(head);
	if (snprintf(id, sizeof(id), "%s%s", head, hex) >= (int)sizeof(id) ||
	    strlen(hex) < API_PREFIX_MIN ||
	    strspn(hex, "0123456789abcdef") != strlen(hex))
		return out_fail(api->cli, ENDING_USAGE,
		    "'%s' is no %s id (sha256:...), nor the first %d or more "
		    "characters of one",
		    typed, what, API_PREFIX_MIN);
	if (lb_sha256_valid(id)) {
		memcpy(ret, id, sizeof(id));
		return ENDING_DONE;
	}
	if ((rv = prefix_find(api, path, what, id, &found)) != ENDING_DONE)
		return rv;
	rv = found_copy(api, found, id, ret, LB_SHA256_LEN + 1);
	if (rv == ENDING_DONE && !lb_sha256_valid(ret))
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with what is no id");
	return rv;
}

int
api_grant_id(
    struct api *api, const char *typed, char ret[static LB_SHA256_LEN + 1])
{
	return sha256_id(api, "/v1/grants", "grant", typed, ret);
}

int
api_session_id(
    struct api *api, const char *typed, char ret[static LB_SHA256_LEN + 1])
{
	return sha256_id(api, "/v1/sessions", "session", typed, ret);
}
