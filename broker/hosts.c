/* Hosts by key, in a bounded table. */
#include "hosts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SLOTS 16384

struct slot {
	char key_fp[LB_KEYFP_LEN + 1]; /* empty: free */
	char tenant[LB_NAME_MAX + 1];
	char name[LB_HOST_MAX + 1];
};

struct hosts {
	pthread_rwlock_t lock;
	uint64_t age; /* counts hosts_forget */
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct slot slot[SLOTS];
};

enum lb_err
hosts_new(struct hosts **ret)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_rwlock_init(&h->lock, NULL);
	randombytes_buf(h->key, sizeof(h->key));
	*ret = h;
	return LB_OK;
}

void
hosts_free(struct hosts *h)
{
	if (h == NULL)
		return;
	(void)pthread_rwlock_destroy(&h->lock);
	free(h);
}

static struct slot *
slot_of(struct hosts *h, const char *key_fp)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t n;

	(void)crypto_shorthash(
	    hash, (const uint8_t *)key_fp, strlen(key_fp), h->key);
	memcpy(&n, hash, sizeof(n));
	return &h->slot[n % SLOTS];
}

enum lb_err
hosts_find(struct hosts *h, struct store *st, const char *key_fp,
    char ret_tenant[static LB_NAME_MAX + 1],
    char ret_name[static LB_HOST_MAX + 1])
{
	struct slot *s = slot_of(h, key_fp);
	struct host_row row;
	uint64_t age;
	bool hit;
	enum lb_err r;

	(void)pthread_rwlock_rdlock(&h->lock);
	age = h->age;
	hit = strcmp(s->key_fp, key_fp) == 0;
	if (hit) {
		memcpy(ret_tenant, s->tenant, sizeof(s->tenant));
		memcpy(ret_name, s->name, sizeof(s->name));
	}
	(void)pthread_rwlock_unlock(&h->lock);
	if (hit)
		return LB_OK;
	if ((r = store_host_by_key(st, key_fp, &row)) != LB_OK)
		return r;
	(void)pthread_rwlock_wrlock(&h->lock);
	if (age == h->age) { /* not forgotten while we looked */
		memcpy(s->key_fp, row.key_fp, sizeof(s->key_fp));
		memcpy(s->tenant, row.tenant, sizeof(s->tenant));
		memcpy(s->name, row.name, sizeof(s->name));
	}
	(void)pthread_rwlock_unlock(&h->lock);
	memcpy(ret_tenant, row.tenant, sizeof(row.tenant));
	memcpy(ret_name, row.name, sizeof(row.name));
	return LB_OK;
}

void
hosts_forget(struct hosts *h)
{
	(void)pthread_rwlock_wrlock(&h->lock);
	h->age++;
	memset(h->slot, 0, sizeof(h->slot));
	(void)pthread_rwlock_unlock(&h->lock);
}
