/* Counting people: a largest matching between keys and principals. */
#include "match.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define NOBODY LB_MATCH_MAX

/*
 * Lines are edges between a key and a principal. A key or principal is named
 * by the index of the first line on which it stands.
 */
struct match {
	size_t count;
	size_t key[LB_MATCH_MAX];
	size_t principal[LB_MATCH_MAX];
	size_t taken[LB_MATCH_MAX]; /* by principal: the line, or NOBODY */
	bool seen[LB_MATCH_MAX];    /* by principal, in this search */
};

static bool
same_point(const struct lb_sshkey *a, const struct lb_sshkey *b)
{
	return a->pk_len == b->pk_len && memcmp(a->pk, b->pk, a->pk_len) == 0;
}

static void
number(struct match *m, const struct lb_pinned *const *line)
{
	for (size_t i = 0; i < m->count; i++) {
		size_t k = 0, p = 0;

		while (!same_point(&line[k]->key, &line[i]->key))
			k++;
		while (strcmp(line[p]->principal, line[i]->principal) != 0)
			p++;
		m->key[i] = k;
		m->principal[i] = p;
		m->taken[i] = NOBODY;
	}
}

/*
 * Find a principal for this key, moving others aside (an augmenting path). No
 * deeper than there are principals: each is seen once in a search.
 */
static bool
place(struct match *m, size_t key)
{
	for (size_t i = 0; i < m->count; i++) {
		size_t p = m->principal[i];

		if (m->key[i] != key || m->seen[p])
			continue;
		m->seen[p] = true;
		if (m->taken[p] == NOBODY || place(m, m->key[m->taken[p]])) {
			m->taken[p] = i;
			return true;
		}
	}
	return false;
}

size_t
lb_match(const struct lb_pinned *const *line, size_t count,
    const struct lb_pinned **ret)
{
	struct match m = { .count = count };
	size_t n = 0;

	assert(count <= LB_MATCH_MAX);
	number(&m, line);
	for (size_t i = 0; i < count; i++) {
		if (m.key[i] != i)
			continue;
		memset(m.seen, 0, sizeof(m.seen));
		(void)place(&m, i); /* a key without a place is not counted */
	}
	for (size_t i = 0; i < count; i++) {
		if (m.taken[i] != NOBODY)
			ret[n++] = line[m.taken[i]];
	}
	return n;
}
