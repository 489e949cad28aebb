/* The trust documents in force, shared by reference. */
#include "trusts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct trusts {
	pthread_mutex_t lock;
	size_t count;
	struct held **item; /* sorted by tenant */
};

static void
held_free(struct held *h)
{
	if (h == NULL)
		return;
	lb_trust_free(h->trust);
	free(h->past);
	free(h);
}

/* A chain being read. */
struct chain {
	struct held *h;
	enum lb_err r;
};

static enum lb_err
chain_past(struct held *h)
{
	void *p;

	p = realloc(h->past, (h->past_count + 1) * sizeof(*h->past));
	if (p == NULL)
		return LB_ERR_MEMORY;
	h->past = p;
	memcpy(h->past[h->past_count].sha256, h->trust->id,
	    sizeof(h->past[0].sha256));
	h->past[h->past_count++].serial = h->trust->serial;
	return LB_OK;
}

/*
 * Signatures were checked when the row was added, at that time: keys may be
 * past their dates by now. The chain of ids is checked again.
 */
static enum lb_err
chain_add(struct held *h, const struct trust_row *row)
{
	struct lb_bundle *b = NULL;
	struct lb_trust *t = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(row->bundle.data, row->bundle.len, &b)) !=
	    LB_OK)
		goto out;
	r = LB_ERR_STORE;
	if (b->count != 1 || b->part[0].type != &lb_trust_type ||
	    lb_trust_parse(b->part[0].doc.text, b->part[0].doc.len, &t) !=
		LB_OK ||
	    strcmp(t->id, row->sha256) != 0 || t->serial != row->serial ||
	    strcmp(t->tenant, row->tenant) != 0 ||
	    (h->trust != NULL && strcmp(t->previous, h->trust->id) != 0))
		goto out;
	if (h->trust != NULL && (r = chain_past(h)) != LB_OK)
		goto out;
	lb_trust_free(h->trust);
	h->trust = t;
	t = NULL; /* handed over */
	r = LB_OK;
out:
	lb_trust_free(t);
	lb_bundle_free(b);
	return r;
}

static bool
chain_take(void *arg, const struct trust_row *row)
{
	struct chain *c = arg;

	c->r = chain_add(c->h, row);
	return c->r == LB_OK;
}

static enum lb_err
held_read(struct store *st, const char *tenant, struct held **ret)
{
	struct chain c = { calloc(1, sizeof(*c.h)), LB_OK };
	enum lb_err r;

	if (c.h == NULL)
		return LB_ERR_MEMORY;
	c.h->references = 1;
	r = store_trust_each(st, tenant, 0, chain_take, &c);
	if (r == LB_OK)
		r = c.r;
	if (r == LB_OK &&
	    (c.h->trust == NULL || strcmp(c.h->trust->tenant, tenant) != 0))
		r = LB_ERR_STORE;
	if (r != LB_OK) {
		held_free(c.h);
		return r;
	}
	*ret = c.h;
	return LB_OK;
}

/* Where tenant stands or would stand. Called with the lock held. */
static size_t
place(const struct trusts *t, const char *tenant, bool *ret_found)
{
	size_t lo = 0, hi = t->count;

	*ret_found = false;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = strcmp(t->item[mid]->trust->tenant, tenant);

		if (d == 0) {
			*ret_found = true;
			return mid;
		}
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
drop(struct held *h)
{
	if (--h->references == 0)
		held_free(h);
}

/* Put h in its place; takes it over. Called with the lock held. */
static enum lb_err
put(struct trusts *t, struct held *h)
{
	struct held **item;
	bool found;
	size_t i = place(t, h->trust->tenant, &found);

	if (found) {
		drop(t->item[i]);
		t->item[i] = h;
		return LB_OK;
	}
	item = realloc(t->item, (t->count + 1) * sizeof(struct held *));
	if (item == NULL) {
		held_free(h);
		return LB_ERR_MEMORY;
	}
	t->item = item;
	memmove(&item[i + 1], &item[i], (t->count - i) * sizeof(struct held *));
	item[i] = h;
	t->count++;
	return LB_OK;
}

enum lb_err
trusts_reload(struct trusts *t, struct store *st, const char *tenant)
{
	struct held *h;
	enum lb_err r;

	if ((r = held_read(st, tenant, &h)) != LB_OK)
		return r;
	(void)pthread_mutex_lock(&t->lock);
	r = put(t, h);
	(void)pthread_mutex_unlock(&t->lock);
	return r;
}

/* Names first, chains afterwards: one read at a time. */
struct names {
	size_t count;
	char (*name)[LB_NAME_MAX + 1];
	enum lb_err r;
};

static bool
names_take(void *arg, const struct tenant_row *row)
{
	struct names *n = arg;
	void *p = realloc(n->name, (n->count + 1) * sizeof(*n->name));

	if (p == NULL) {
		n->r = LB_ERR_MEMORY;
		return false;
	}
	n->name = p;
	memcpy(n->name[n->count++], row->name, sizeof(*n->name));
	return true;
}

enum lb_err
trusts_load(struct store *st, struct trusts **ret)
{
	struct trusts *t = calloc(1, sizeof(*t));
	struct names n = { 0 };
	enum lb_err r;

	if (t == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_mutex_init(&t->lock, NULL);
	r = store_tenant_each(st, "", names_take, &n);
	if (r == LB_OK)
		r = n.r;
	for (size_t i = 0; r == LB_OK && i < n.count; i++)
		r = trusts_reload(t, st, n.name[i]);
	free(n.name);
	if (r != LB_OK) {
		trusts_free(t);
		return r;
	}
	*ret = t;
	return LB_OK;
}

void
trusts_free(struct trusts *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->count; i++)
		drop(t->item[i]);
	free(t->item);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

struct held *
trusts_take(struct trusts *t, const char *tenant)
{
	struct held *h = NULL;
	bool found;
	size_t i;

	(void)pthread_mutex_lock(&t->lock);
	i = place(t, tenant, &found);
	if (found) {
		h = t->item[i];
		h->references++;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return h;
}

void
trusts_give(struct trusts *t, struct held *h)
{
	if (h == NULL)
		return;
	(void)pthread_mutex_lock(&t->lock);
	drop(h);
	(void)pthread_mutex_unlock(&t->lock);
}

int64_t
held_serial(const struct held *h, const char *sha256)
{
	if (strcmp(h->trust->id, sha256) == 0)
		return h->trust->serial;
	for (size_t i = 0; i < h->past_count; i++)
		if (strcmp(h->past[i].sha256, sha256) == 0)
			return h->past[i].serial;
	return 0;
}

static const struct lb_pinned *
line_in(const struct lb_pinned_list *l, const char *key_fp)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->item[i].key.fp, key_fp) == 0)
			return &l->item[i];
	return NULL;
}

const struct lb_pinned *
trust_line_of(const struct lb_trust *t, const char *key_fp)
{
	const struct lb_pinned *p;

	if ((p = line_in(&t->approver, key_fp)) == NULL &&
	    (p = line_in(&t->hook, key_fp)) == NULL)
		p = line_in(&t->delegate, key_fp);
	return p;
}

/* One that the tenant serves itself; NULL: any. */
static bool
page_of(const struct lb_trust *d, const char *rp_id, const char *origin)
{
	for (size_t i = 0; i < d->page_count; i++)
		if (!d->page[i].broker &&
		    (rp_id == NULL || strcmp(d->page[i].rp_id, rp_id) == 0) &&
		    (origin == NULL || strcmp(d->page[i].origin, origin) == 0))
			return true;
	return false;
}

/* A passkey signs in on a page that its tenant serves itself, or nowhere. */
static bool
page_for(const struct lb_trust *d, const struct lb_sshkey *key)
{
	return !lb_sshkey_is_passkey(key) || page_of(d, key->application, NULL);
}

/* The namespaces of the lines that are this caller's, now; 0: none. */
static unsigned int
list_matches(const struct lb_trust *d, const struct lb_pinned_list *l,
    int64_t now, const struct caller *c)
{
	unsigned int ns = 0;

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->item[i].key.fp, c->key_fp) == 0 &&
		    strcmp(l->item[i].principal, c->principal) == 0 &&
		    lb_pinned_in_dates(&l->item[i], now) &&
		    page_for(d, &l->item[i].key))
			ns |= l->item[i].namespaces;
	return ns;
}

/* As list_matches, by name alone. */
static unsigned int
list_names(const struct lb_pinned_list *l, int64_t now, const struct caller *c)
{
	unsigned int ns = 0;

	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->item[i].principal, c->principal) == 0 &&
		    lb_pinned_in_dates(&l->item[i], now))
			ns |= l->item[i].namespaces;
	return ns;
}

/* What an approver is whose lines have these namespaces. */
static unsigned int
part_of(unsigned int ns)
{
	if (ns == 0)
		return 0;
	return PART_APPROVER | ((ns & LB_NS_TRUST) != 0 ? PART_OWNER : 0);
}

static unsigned int
part_in(const struct lb_trust *d, int64_t now, const struct caller *c)
{
	unsigned int part = part_of(list_matches(d, &d->approver, now, c));

	if (list_matches(d, &d->hook, now, c) != 0)
		part |= PART_HOOK;
	if (now < d->delegate_until &&
	    list_matches(d, &d->delegate, now, c) != 0)
		part |= PART_DELEGATE;
	return part;
}

static void
caller_add(struct caller *c, const char *tenant, unsigned int part)
{
	if (part == 0 || c->tenant_count == RULES_TENANTS_MAX)
		return;
	c->part[c->tenant_count] = part;
	ROW_TEXT(c->tenant[c->tenant_count++], tenant);
	c->roles |= ROLE_APPROVER;
}

void
trusts_match(struct trusts *t, int64_t now, struct caller *c)
{
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++)
		caller_add(c, t->item[i]->trust->tenant,
		    part_in(t->item[i]->trust, now, c));
	(void)pthread_mutex_unlock(&t->lock);
}

void
trusts_match_name(
    struct trusts *t, int64_t now, const char *tenant, struct caller *c)
{
	struct held *h = trusts_take(t, tenant);

	if (h != NULL)
		caller_add(c, tenant,
		    part_of(list_names(&h->trust->approver, now, c)));
	trusts_give(t, h);
}

bool
trusts_page(
    struct trusts *t, const char *tenant, const char *rp_id, const char *origin)
{
	bool pinned = false;

	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count && !pinned; i++) {
		const struct lb_trust *d = t->item[i]->trust;

		pinned = (tenant == NULL || strcmp(d->tenant, tenant) == 0) &&
		    page_of(d, rp_id, origin);
	}
	(void)pthread_mutex_unlock(&t->lock);
	return pinned;
}

bool
trusts_know(struct trusts *t, const char *key_fp)
{
	bool known = false;

	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count && !known; i++)
		known = trust_line_of(t->item[i]->trust, key_fp) != NULL;
	(void)pthread_mutex_unlock(&t->lock);
	return known;
}
