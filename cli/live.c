/* Finds live grants and open requests at the broker. */
#include "live.h"

#include <string.h>

#include "compose.h"
#include "lockbox/clock.h"
#include "output.h"
#include "sign.h"

#define LIVE_LOOK_AT 200 /* grants or requests, newest first */

/* Whose host is it: the broker knows, unless two customers have one. */
static int
tenant_of_host(
    struct api *api, const char *host, char ret[static LB_NAME_MAX + 1])
{
	json_t *reply = NULL;
	int rv;

	rv = api_get(api, &reply, "/v1/hosts/%s", host);
	if (rv == ENDING_FAILED)
		out_hint(api->cli,
		    "--tenant NAME says which customer's host is meant");
	if (rv != ENDING_DONE)
		return rv;
	if (strcmp(api_str(reply, "name"), host) != 0 ||
	    !lb_name_valid(api_str(reply, "tenant")) ||
	    lb_text_copy(ret, LB_NAME_MAX + 1, api_str(reply, "tenant")) !=
		LB_OK)
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another host than '%s'", host);
	json_decref(reply);
	return rv;
}

static int
tenant_fill(struct api *api, const struct live_wish *w, struct cover_need *need)
{
	const char *tenant =
	    w->tenant != NULL ? w->tenant : api->settings.tenant;

	if (tenant[0] == '\0')
		return tenant_of_host(api, w->host, need->tenant);
	if (!lb_name_valid(tenant) ||
	    lb_text_copy(need->tenant, sizeof(need->tenant), tenant) != LB_OK)
		return out_fail(api->cli, ENDING_USAGE,
		    "--tenant: '%s' is no tenant's name", tenant);
	return ENDING_DONE;
}

int
live_need(struct api *api, const struct live_wish *w, struct cover_need *ret)
{
	const char *key = w->key != NULL ? w->key : api->settings.key;
	struct cover_need n = { .service = w->service };
	int rv;

	if (!lb_host_valid(w->host) ||
	    lb_text_copy(n.host, sizeof(n.host), w->host) != LB_OK)
		return out_fail(
		    api->cli, ENDING_USAGE, "'%s' is no host's name", w->host);
	if (w->login == NULL) {
		if ((rv = compose_login(api, n.login)) != ENDING_DONE)
			return rv;
	} else if (!lb_login_valid(w->login) ||
	    lb_text_copy(n.login, sizeof(n.login), w->login) != LB_OK) {
		return out_fail(api->cli, ENDING_USAGE,
		    "'%s' is no account's name", w->login);
	}
	if (lb_text_copy(n.engineer, sizeof(n.engineer), api->principal) !=
	    LB_OK)
		return out_fail(api->cli, ENDING_FAILED, "a name is too long");
	if ((rv = sign_fingerprint(api->cli, key, n.key)) != ENDING_DONE ||
	    (rv = tenant_fill(api, w, &n)) != ENDING_DONE)
		return rv;
	*ret = n;
	return ENDING_DONE;
}

/* What the broker has about that host, newest first. */
static int
items_get(struct api *api, const char *path, const char *state,
    const char *tenant, const char *host, json_t **ret)
{
	struct lb_buf query = { 0 };
	int rv;

	if ((rv = api_filters(api, state, tenant, host, &query)) == ENDING_DONE)
		rv = api_list(api, path, query.data, LIVE_LOOK_AT, ret);
	lb_buf_clear(&query);
	return rv;
}

/* A grant counts only by its text, and that must be the one of its id. */
static bool
grant_read(const json_t *item, struct lb_grant *ret)
{
	const char *text = api_str(item, "text");
	char id[LB_SHA256_LEN + 1];

	lb_doc_id(text, strlen(text), id);
	return strcmp(id, api_str(item, "id")) == 0 &&
	    lb_grant_parse(text, strlen(text), ret) == LB_OK;
}

int
live_grant(struct api *api, const struct cover_need *need, json_t **ret,
    struct lb_grant *ret_paper)
{
	json_t *items = NULL, *best = NULL;
	int64_t until = 0;
	struct lb_grant g;
	int rv;

	if ((rv = items_get(api, "/v1/grants", "active", need->tenant,
		 need->host, &items)) != ENDING_DONE)
		return rv;
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i);

		if (!grant_read(item, &g) || g.not_after <= until ||
		    cover_grant(&g, need, lb_clock_now()) != COVER_ALL)
			continue;
		best = item;
		until = g.not_after;
		*ret_paper = g;
	}
	*ret = json_incref(best);
	json_decref(items);
	return ENDING_DONE;
}

static bool
carries(const json_t *item, const struct lb_grant *began, const char *began_id)
{
	struct lb_grant g;

	return strcmp(api_str(item, "id"), began_id) == 0 ||
	    (grant_read(item, &g) && strcmp(g.engineer, began->engineer) == 0 &&
		g.not_after > began->not_after &&
		lb_grant_lists_all(&g, began));
}

int
live_carriers(struct api *api, const char *host, const struct lb_grant *began,
    const char *began_id, json_t **ret)
{
	json_t *items = NULL, *found = json_array();
	int rv;

	if ((rv = items_get(api, "/v1/grants", "active", began->tenant, host,
		 &items)) != ENDING_DONE) {
		json_decref(found);
		return rv;
	}
	for (size_t i = 0; i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i);

		if (carries(item, began, began_id))
			(void)json_array_append(found, item);
	}
	json_decref(items);
	*ret = found;
	return ENDING_DONE;
}

static bool
request_fits(const json_t *item, const struct cover_need *need)
{
	const char *text = api_str(item, "text"), *s = api_str(item, "state");
	struct lb_request q;

	return strncmp(s, "pending_", strlen("pending_")) == 0 &&
	    lb_request_parse(text, strlen(text), &q) == LB_OK &&
	    strcmp(q.request, api_str(item, "id")) == 0 &&
	    cover_request(&q, need, lb_clock_now());
}

int
live_request(struct api *api, const struct cover_need *need, json_t **ret)
{
	json_t *items = NULL, *found = NULL;
	int rv;

	if ((rv = items_get(api, "/v1/requests", NULL, need->tenant, need->host,
		 &items)) != ENDING_DONE)
		return rv;
	for (size_t i = 0; found == NULL && i < json_array_size(items); i++)
		if (request_fits(json_array_get(items, i), need))
			found = json_array_get(items, i);
	*ret = json_incref(found);
	json_decref(items);
	return ENDING_DONE;
}
