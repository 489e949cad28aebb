/* Pages and their cursors. */
#include "lists.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
page_init(struct page *p, const struct call *call)
{
	memset(p, 0, sizeof(*p));
	p->call = call;
	p->items = json_array();
	p->limit = (size_t)call->query.limit;
}

bool
page_full(struct page *p)
{
	if (p->count < p->limit && p->items != NULL)
		return false;
	p->more = true;
	return true;
}

void
page_add(struct page *p, json_t *item, int64_t at, const char *id)
{
	if (item == NULL || json_array_append_new(p->items, item) != 0) {
		json_decref(p->items);
		p->items = NULL;
		return;
	}
	p->count++;
	(void)page_skip(p, at, id);
}

bool
page_skip(struct page *p, int64_t at, const char *id)
{
	p->passed++;
	p->at = at;
	(void)snprintf(p->id, sizeof(p->id), "%s", id);
	return true;
}

enum lb_err
page_end(struct page *p, enum lb_err r, struct reply *reply)
{
	char cursor[LB_HOST_MAX + 32];

	if (r == LB_OK && p->items == NULL)
		r = LB_ERR_MEMORY;
	if (r != LB_OK) {
		json_decref(p->items);
		return r;
	}
	(void)snprintf(cursor, sizeof(cursor), "%" PRId64 ":%s", p->at, p->id);
	return reply_json(reply, 200,
	    json_pack("{s:o, s:o}", "items", p->items, "next_cursor",
		p->more || p->passed >= STORE_SCAN_MAX ? json_string(cursor)
						       : json_null()));
}

enum lb_err
page_whole(struct reply *reply, json_t *items)
{
	if (items == NULL)
		return LB_ERR_MEMORY;
	return reply_json(
	    reply, 200, json_pack("{s:o, s:n}", "items", items, "next_cursor"));
}

enum lb_err
page_cursor_read(const char *s, struct query *q)
{
	const char *colon = strchr(s, ':');
	char at[24];

	if (colon == NULL || (size_t)(colon - s) >= sizeof(at))
		return LB_ERR_FORMAT;
	memcpy(at, s, (size_t)(colon - s));
	at[colon - s] = '\0';
	if (lb_number_parse(at, 0, INT64_MAX, &q->before_at) != LB_OK)
		return LB_ERR_FORMAT;
	return lb_text_copy(q->before_id, sizeof(q->before_id), colon + 1);
}

bool
page_bounds(const struct call *call, struct list_query *ret)
{
	const struct caller *c = &call->caller;
	const struct query *q = &call->query;
	bool provider = rules_sees_all(c) || (c->roles & ROLE_ENGINEER) != 0;

	memset(ret, 0, sizeof(*ret));
	ret->before_at = q->before_at;
	if (lb_text_copy(
		ret->before_id, sizeof(ret->before_id), q->before_id) != LB_OK)
		return false;
	if (q->tenant[0] != '\0') {
		if (!provider && !rules_is_of_tenant(c, q->tenant))
			return false;
		memcpy(ret->tenant[0], q->tenant, sizeof(ret->tenant[0]));
		ret->tenant_count = 1;
	} else if (!provider) {
		ret->tenant_count = c->tenant_count;
		memcpy(ret->tenant, c->tenant, sizeof(ret->tenant));
	} else if (!rules_sees_all(c) && c->tenant_count == 0) {
		memcpy(ret->engineer, c->principal, sizeof(ret->engineer));
	}
	return true;
}
