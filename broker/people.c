/* Who stands in a trust document. */
#include "people.h"

#include <assert.h>
#include <string.h>

static void
people_add(struct people *p, const char *principal, unsigned int part)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->item[i].principal, principal) != 0)
			continue;
		p->item[i].part |= part;
		return;
	}
	assert(p->count < PEOPLE_MAX);
	p->item[p->count].principal = principal;
	p->item[p->count++].part = part;
}

void
people_of(const struct lb_trust *t, struct people *ret)
{
	ret->count = 0;
	for (size_t i = 0; i < t->approver.count; i++) {
		const struct lb_pinned *line = &t->approver.item[i];

		people_add(ret, line->principal,
		    PART_APPROVER |
			((line->namespaces & LB_NS_TRUST) != 0 ? PART_OWNER
							       : 0U));
	}
	for (size_t i = 0; i < t->hook.count; i++)
		people_add(ret, t->hook.item[i].principal, PART_HOOK);
	for (size_t i = 0; i < t->delegate.count; i++)
		people_add(ret, t->delegate.item[i].principal, PART_DELEGATE);
}

unsigned int
people_part(const struct people *p, const char *principal)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->item[i].principal, principal) == 0)
			return p->item[i].part;
	return 0;
}
