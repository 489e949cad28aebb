/* Grants by door, in a bounded table. */
#include "doors.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lockbox/bundle.h"

#include "rules.h"

#define SLOTS          32768
#define TRIES          4 /* places where a door may stand */
#define KEPT_MAX       4 /* grants of a door; more are read each time */
#define NAME_MAX_CHARS (LB_NAME_MAX + LB_HOST_MAX + LB_LOGIN_MAX + 2)

/* What one door has, read at some time. */
struct door {
	char name[NAME_MAX_CHARS + 1]; /* "tenant host login" */
	size_t hash;                   /* of name */
	uint_fast64_t age;             /* of hash, before it was read */
	size_t count, size;
	struct door_grant *grant;
};

struct doors {
	pthread_rwlock_t lock;
	atomic_uint_fast64_t all_age;    /* counts doors_forget_all */
	atomic_uint_fast64_t age[SLOTS]; /* counts doors_forget, by hash */
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct door *slot[SLOTS]; /* NULL: nothing kept */
};

static void
door_free(struct door *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->count; i++) {
		lb_buf_clear(&d->grant[i].bundle);
		lb_buf_clear(&d->grant[i].killing);
	}
	free(d->grant);
	free(d);
}

enum lb_err
doors_new(struct doors **ret)
{
	struct doors *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_rwlock_init(&d->lock, NULL);
	randombytes_buf(d->key, sizeof(d->key));
	*ret = d;
	return LB_OK;
}

void
doors_free(struct doors *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		door_free(d->slot[i]);
	(void)pthread_rwlock_destroy(&d->lock);
	free(d);
}

/* Where a door's name leads; several names may share a number. */
static size_t
door_hash(const struct doors *ds, const char *name)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t n;

	(void)crypto_shorthash(
	    hash, (const uint8_t *)name, strlen(name), ds->key);
	memcpy(&n, hash, sizeof(n));
	return (size_t)(n % SLOTS);
}

/* What is kept with another age than this is old. Both only ever grow, so
 * their sum is the same only as long as each is. */
static uint_fast64_t
door_age(struct doors *ds, size_t hash)
{
	return atomic_load(&ds->all_age) + atomic_load(&ds->age[hash]);
}

static void
door_name(char ret[static NAME_MAX_CHARS + 1], const char *tenant,
    const char *host, const char *login)
{
	(void)snprintf(
	    ret, NAME_MAX_CHARS + 1, "%s %s %s", tenant, host, login);
}

void
doors_forget(struct doors *d, const struct lb_grant *grant)
{
	char name[NAME_MAX_CHARS + 1];

	for (size_t h = 0; h < grant->host.count; h++)
		for (size_t l = 0; l < grant->login.count; l++) {
			door_name(name, grant->tenant, grant->host.item[h],
			    grant->login.item[l]);
			(void)atomic_fetch_add(&d->age[door_hash(d, name)], 1);
		}
}

void
doors_forget_all(struct doors *d)
{
	(void)atomic_fetch_add(&d->all_age, 1);
}

/* Room for one more; NULL without memory. */
static struct door_grant *
door_more(struct door *d)
{
	size_t size = d->size == 0 ? 2 : 2 * d->size;
	void *p;

	if (d->count == d->size) {
		p = realloc(d->grant, size * sizeof(*d->grant));
		if (p == NULL)
			return NULL;
		d->grant = p;
		d->size = size;
	}
	return &d->grant[d->count++];
}

/* Being read, with what it is read from. */
struct reading {
	struct store *store;
	struct door *door;
	enum lb_err r;
};

/* A grant is no longer its engineer's when the roster says so. */
static enum lb_err
keys_left(struct store *st, const struct lb_grant *doc, struct lb_keyfps *ret)
{
	struct person_row p;
	enum lb_err r;

	r = store_person_get(st, doc->engineer, &p);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	rules_keys_left(&doc->engineer_key, r == LB_OK ? &p : NULL, ret);
	return LB_OK;
}

static bool
row_take(void *arg, struct grant_row *row)
{
	struct reading *k = arg;
	struct door_grant *g = door_more(k->door);

	if (g == NULL) {
		k->r = LB_ERR_MEMORY;
		return false;
	}
	memset(g, 0, sizeof(*g));
	if ((k->r = keys_left(k->store, &row->doc, &g->engineer_key)) != LB_OK)
		return false;
	memcpy(g->sha256, row->sha256, sizeof(g->sha256));
	memcpy(g->broker, row->doc.broker, sizeof(g->broker));
	g->state = row->state;
	g->not_before = row->doc.not_before;
	g->not_after = row->doc.not_after;
	g->service = row->doc.service;
	g->bundle = row->bundle;
	g->killing = row->killing;
	g->bundle_sigs = lb_bundle_sigs(g->bundle.data, g->bundle.len);
	g->killing_sigs = lb_bundle_sigs(g->killing.data, g->killing.len);
	memset(&row->bundle, 0, sizeof(row->bundle)); /* handed over */
	memset(&row->killing, 0, sizeof(row->killing));
	return true;
}

static void
door_walk(const struct door *d, int64_t now, door_taker *take, void *arg)
{
	for (size_t i = 0; i < d->count; i++)
		if (now < d->grant[i].not_after && !take(arg, &d->grant[i]))
			return;
}

/*
 * The place of a door, or the best one for it: free, else old, else the first.
 * Called with the lock held.
 */
static struct door **
place(struct doors *ds, const char *name, bool *ret_hit)
{
	struct door **best = NULL;
	size_t n = door_hash(ds, name);

	*ret_hit = false;
	for (size_t i = 0; i < TRIES; i++) {
		struct door **slot = &ds->slot[(n + i) % SLOTS];
		bool old = *slot == NULL ||
		    (*slot)->age != door_age(ds, (*slot)->hash);

		if (!old && strcmp((*slot)->name, name) == 0) {
			*ret_hit = true;
			return slot;
		}
		if (old && best == NULL)
			best = slot;
	}
	return best != NULL ? best : &ds->slot[n];
}

/* Put d in its place; takes it over. */
static void
keep(struct doors *ds, struct door *d)
{
	struct door **slot;
	bool hit;

	(void)pthread_rwlock_wrlock(&ds->lock);
	slot = place(ds, d->name, &hit);
	door_free(*slot);
	*slot = d;
	(void)pthread_rwlock_unlock(&ds->lock);
}

static enum lb_err
read_and_keep(struct doors *ds, struct store *st, const char *name,
    const char *tenant, const char *host, const char *login, int64_t now,
    door_taker *take, void *arg)
{
	struct door *d = calloc(1, sizeof(*d));
	struct reading k = { .store = st, .door = d };
	enum lb_err r;

	if (d == NULL)
		return LB_ERR_MEMORY;
	memcpy(d->name, name, sizeof(d->name));
	d->hash = door_hash(ds, name);
	/* Before reading: what changes meanwhile makes it old at once. */
	d->age = door_age(ds, d->hash);
	r = store_grant_at_door(st, tenant, host, login, now, row_take, &k);
	if (r == LB_OK)
		r = k.r;
	if (r == LB_OK)
		door_walk(d, now, take, arg);
	if (r == LB_OK && d->count <= KEPT_MAX)
		keep(ds, d);
	else
		door_free(d);
	return r;
}

enum lb_err
doors_each(struct doors *ds, struct store *st, const char *tenant,
    const char *host, const char *login, int64_t now, door_taker *take,
    void *arg)
{
	char name[NAME_MAX_CHARS + 1] = { 0 };
	struct door **slot;
	bool hit;

	door_name(name, tenant, host, login);
	(void)pthread_rwlock_rdlock(&ds->lock);
	slot = place(ds, name, &hit);
	if (hit)
		door_walk(*slot, now, take, arg);
	(void)pthread_rwlock_unlock(&ds->lock);
	if (hit)
		return LB_OK;
	return read_and_keep(ds, st, name, tenant, host, login, now, take, arg);
}
