/* Fetches, checks and shows grants. */
#include "grant.h"

#include <string.h>

#include "lockbox/clock.h"
#include "output.h"
#include "request.h"

/* The grant that a request led to. */
static int
of_request(
    struct api *api, const char *typed, char ret[static LB_SHA256_LEN + 1])
{
	json_t *request = NULL;
	const char *id;
	int rv;

	if ((rv = request_fetch(api, typed, &request)) != ENDING_DONE)
		return rv;
	id = api_str(request, "grant");
	if (!lb_sha256_valid(id))
		rv = out_fail(api->cli, ENDING_FAILED,
		    "request %s has no grant: it is %s", api_str(request, "id"),
		    api_str(request, "state"));
	else
		memcpy(ret, id, LB_SHA256_LEN + 1);
	json_decref(request);
	return rv;
}

static int
text_check(
    struct api *api, const json_t *grant, const char *id, struct lb_grant *ret)
{
	const char *text = api_str(grant, "text");
	char found[LB_SHA256_LEN + 1];
	struct lb_grant g;

	lb_doc_id(text, strlen(text), found);
	if (strcmp(found, id) != 0 ||
	    lb_grant_parse(text, strlen(text), &g) != LB_OK)
		return out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker answered with another grant than %s", id);
	if (ret != NULL)
		*ret = g;
	return ENDING_DONE;
}

int
grant_fetch(struct api *api, const char *typed, json_t **ret,
    struct lb_grant *ret_paper)
{
	char id[LB_SHA256_LEN + 1];
	json_t *grant = NULL;
	int rv;

	rv = strlen(typed) == LB_ID_LEN ? of_request(api, typed, id)
					: api_grant_id(api, typed, id);
	if (rv != ENDING_DONE)
		return rv;
	if ((rv = api_get(api, &grant, "/v1/grants/%s", id)) == ENDING_DONE &&
	    (rv = text_check(api, grant, id, ret_paper)) == ENDING_DONE)
		*ret = grant;
	else
		json_decref(grant);
	return rv;
}

int
grant_papers_fetch(struct api *api, const char *id, struct grant_papers *ret)
{
	int rv = api_get_text(
	    api, LB_BUNDLE_MAX, &ret->text, "/v1/grants/%s/bundle", id);

	if (rv != ENDING_DONE)
		return rv;
	if (lb_bundle_split(ret->text.data, ret->text.len, &ret->bundle) ==
	    LB_OK)
		ret->part = lb_bundle_find(ret->bundle, id);
	return ret->part != NULL ? ENDING_DONE
				 : out_fail(api->cli, ENDING_UNAVAILABLE,
				       "the broker's bundle lacks the grant");
}

void
grant_papers_clear(struct grant_papers *p)
{
	lb_bundle_free(p->bundle);
	lb_buf_clear(&p->text);
	*p = (struct grant_papers){ 0 };
}

static void
field_list(struct out_table *t, const char *name, const json_t *grant,
    const char *list)
{
	struct lb_buf b = { 0 };

	if (api_join(grant, list, &b) != LB_OK)
		t->failed = true;
	else
		out_field(t, name, "%s", b.data);
	lb_buf_clear(&b);
}

static void
field_time(struct out_table *t, const char *name, const json_t *grant,
    const char *time)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX];

	out_time(api_at(grant, time), at);
	out_when(api_at(grant, time), lb_clock_now(), when);
	out_field(t, name, "%s (%s)", at, when);
}

static void
field_act(struct out_table *t, const char *name, const json_t *act)
{
	char at[OUT_TIME_MAX];
	const char *reason = api_str(act, "reason");

	if (!json_is_object(act))
		return;
	out_time(api_at(act, "at"), at);
	out_field(t, name, "%s, %s%s%s", api_str(act, "principal"), at,
	    reason[0] != '\0' ? ": " : "", reason);
}

int
grant_print(const struct cli *cli, const json_t *grant)
{
	const json_t *list = json_object_get(grant, "approvals");
	struct out_table t = { .columns = 2 };

	if (cli->json)
		return out_json(cli, json_incref((json_t *)(uintptr_t)grant));
	out_field(&t, "grant", "%s", api_str(grant, "id"));
	out_field(&t, "request", "%s", api_str(grant, "request"));
	out_field(&t, "state", "%s", api_str(grant, "state"));
	out_field(&t, "tenant", "%s", api_str(grant, "tenant"));
	out_field(&t, "engineer", "%s", api_str(grant, "engineer"));
	field_list(&t, "hosts", grant, "hosts");
	field_list(&t, "logins", grant, "logins");
	field_list(&t, "services", grant, "services");
	field_time(&t, "from", grant, "not_before");
	field_time(&t, "until", grant, "not_after");
	for (size_t i = 0; i < json_array_size(list); i++)
		field_act(&t, "approved by", json_array_get(list, i));
	field_act(&t, "revoked by", json_object_get(grant, "revocation"));
	if (out_table_print(cli->out, &t) != LB_OK)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	return ENDING_DONE;
}

static enum lb_err
list_row(struct out_table *t, const json_t *g, int64_t now)
{
	struct lb_buf hosts = { 0 }, logins = { 0 };
	char until[OUT_TIME_MAX], id[20];
	enum lb_err r;

	/* Enough of it to type, and unique among what is listed. */
	(void)snprintf(id, sizeof(id), "%.19s", api_str(g, "id"));
	out_when(api_at(g, "not_after"), now, until);
	if ((r = api_join(g, "hosts", &hosts)) == LB_OK &&
	    (r = api_join(g, "logins", &logins)) == LB_OK)
		out_row(t, id, api_str(g, "state"), api_str(g, "tenant"),
		    api_str(g, "engineer"), hosts.data, logins.data, until);
	lb_buf_clear(&hosts);
	lb_buf_clear(&logins);
	return r;
}

int
grant_print_list(const struct cli *cli, json_t *items)
{
	struct out_table t = { .columns = 7 };
	int64_t now = lb_clock_now();
	enum lb_err r = LB_OK;

	if (cli->json)
		return out_json(cli, json_incref(items));
	if (json_array_size(items) == 0) {
		out_note(cli, "no grants");
		return ENDING_DONE;
	}
	out_row(&t, "GRANT", "STATE", "TENANT", "ENGINEER", "HOSTS", "LOGINS",
	    "ENDS");
	for (size_t i = 0; r == LB_OK && i < json_array_size(items); i++)
		r = list_row(&t, json_array_get(items, i), now);
	if (r == LB_OK)
		r = out_table_print(cli->out, &t);
	out_table_clear(&t);
	return r == LB_OK ? ENDING_DONE
			  : out_fail(cli, ENDING_FAILED, "out of memory");
}

void
grant_hint(const struct cli *cli, const json_t *grant)
{
	const json_t *login =
	    json_array_get(json_object_get(grant, "logins"), 0);
	const json_t *host = json_array_get(json_object_get(grant, "hosts"), 0);

	if (json_is_string(login) && json_is_string(host))
		out_hint(cli, "ssh %s@%s", json_string_value(login),
		    json_string_value(host));
}
