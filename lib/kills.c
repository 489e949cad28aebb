/* What was denied and revoked: kept until nothing under it can be valid. */
#include "lockbox/judge.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 16

/* Index of the first entry that is not below id. */
static size_t
place_of(const struct lb_kills *k, const char *id)
{
	size_t lo = 0, hi = k->count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(k->item[mid].id, id) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct lb_kill *
find(const struct lb_kills *k, const char *id)
{
	size_t i = place_of(k, id);

	if (i < k->count && strcmp(k->item[i].id, id) == 0)
		return &k->item[i];
	return NULL;
}

bool
lb_kills_has(const struct lb_kills *k, const char *id, int64_t now)
{
	const struct lb_kill *kill = find(k, id);

	return kill != NULL && now < kill->until;
}

static enum lb_err
make_room(struct lb_kills *k)
{
	size_t size = k->size == 0 ? FIRST_SIZE : k->size * 2;
	struct lb_kill *item;

	if (k->count >= LB_KILLS_MAX)
		return LB_ERR_LIMIT;
	if (k->count < k->size)
		return LB_OK;
	item = realloc(k->item, size * sizeof(*item));
	if (item == NULL)
		return LB_ERR_MEMORY;
	k->item = item;
	k->size = size;
	return LB_OK;
}

enum lb_err
lb_kills_add(struct lb_kills *k, const char *id, int64_t until)
{
	struct lb_kill kill = { .until = until };
	struct lb_kill *old = find(k, id);
	enum lb_err r;
	size_t i;

	if (old != NULL) {
		if (until > old->until)
			old->until = until;
		return LB_OK;
	}
	if ((r = lb_text_copy(kill.id, sizeof(kill.id), id)) != LB_OK ||
	    (r = make_room(k)) != LB_OK)
		return r;
	i = place_of(k, id);
	memmove(
	    &k->item[i + 1], &k->item[i], (k->count - i) * sizeof(k->item[0]));
	k->item[i] = kill;
	k->count++;
	return LB_OK;
}

void
lb_kills_prune(struct lb_kills *k, int64_t floor)
{
	size_t n = 0;

	for (size_t i = 0; i < k->count; i++) {
		if (floor < k->item[i].until)
			k->item[n++] = k->item[i];
	}
	k->count = n;
}

void
lb_kills_clear(struct lb_kills *k)
{
	free(k->item);
	*k = (struct lb_kills){ 0 };
}

/* Until when a revoke of this grant matters; 0: never, it opens nothing. */
static enum lb_err
revoke_until(const struct lb_part *part, int64_t *ret)
{
	struct lb_grant *g = malloc(sizeof(*g));
	enum lb_err r;

	if (g == NULL)
		return LB_ERR_MEMORY;
	r = lb_grant_parse(part->doc.text, part->doc.len, g);
	*ret = r == LB_OK ? g->not_after : 0;
	free(g);
	return r == LB_ERR_MEMORY ? r : LB_OK;
}

/* Does the part close something, and until when; 0: it does not. */
static enum lb_err
part_closes(const struct lb_trust *trust, const struct lb_part *part,
    int64_t now, int64_t floor, int64_t *ret_until)
{
	*ret_until = 0;
	if (part->type == &lb_request_type &&
	    lb_trust_closed_by(trust, part, LB_NS_DENY, now, NULL))
		*ret_until = (now > floor ? now : floor) + LB_GRANT_AGE_MAX +
		    LB_CLOCK_SKEW_MAX;
	if (part->type == &lb_grant_type &&
	    lb_trust_closed_by(trust, part, LB_NS_REVOKE, now, NULL))
		return revoke_until(part, ret_until);
	return LB_OK;
}

enum lb_err
lb_kills_collect(struct lb_kills *k, const struct lb_trust *trust,
    const struct lb_bundle *bundle, int64_t now, int64_t floor,
    size_t *ret_added)
{
	size_t added = 0;

	lb_kills_prune(k, floor);
	for (size_t i = 0; i < bundle->count; i++) {
		const struct lb_part *part = &bundle->part[i];
		size_t before = k->count;
		int64_t until;
		enum lb_err r;

		if ((r = part_closes(trust, part, now, floor, &until)) != LB_OK)
			return r;
		if (until <= floor)
			continue;
		if ((r = lb_kills_add(k, part->id, until)) != LB_OK)
			return r;
		added += k->count - before;
	}
	if (ret_added != NULL)
		*ret_added = added;
	return LB_OK;
}
