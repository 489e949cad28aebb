/* A page of a list: items until the limit, and a cursor for the next. */
#ifndef BROKER_LISTS_H
#define BROKER_LISTS_H

#include "call.h"

struct page {
	const struct call *call;
	json_t *items; /* NULL: no memory */
	size_t limit, count;
	bool more;
	size_t passed; /* rows added or skipped */
	int64_t at;    /* of the last of them */
	char id[LB_HOST_MAX + 1];
};

void page_init(struct page *p, const struct call *call);

/* Has it enough already? Remembers that there is more. */
bool page_full(struct page *p);

/* Takes item over. at and id make the cursor. */
void page_add(struct page *p, json_t *item, int64_t at, const char *id);

/*
 * Leave a row out. Returns true, for takers: a walk that ends because it has
 * looked at STORE_SCAN_MAX rows goes on behind this one with the next page.
 */
bool page_skip(struct page *p, int64_t at, const char *id);

/* {"items":[...],"next_cursor":...} as r and the page say. */
enum lb_err page_end(
    struct page *p, enum lb_err r, struct reply *reply) LB_MUST_CHECK;

/* A list that always comes as a whole. Takes items over; NULL: no memory. */
enum lb_err page_whole(struct reply *reply, json_t *items) LB_MUST_CHECK;

/* Read "AT:ID" into the query. LB_ERR_FORMAT. */
enum lb_err page_cursor_read(const char *s, struct query *q) LB_MUST_CHECK;

/*
 * The rows a caller may see at all, narrowed by ?tenant=: false: none.
 */
bool page_bounds(const struct call *call, struct list_query *ret);

#endif
