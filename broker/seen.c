/* When hosts asked last. */
#include "seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "store.h"

#define SLOTS 4096
#define TRIES 8

struct slot {
	int64_t at; /* 0: free */
	char tenant[LB_NAME_MAX + 1];
	char name[LB_HOST_MAX + 1];
};

struct seen {
	pthread_mutex_t lock;
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct slot slot[SLOTS];
};

enum lb_err
seen_new(struct seen **ret)
{
	struct seen *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_mutex_init(&s->lock, NULL);
	randombytes_buf(s->key, sizeof(s->key));
	*ret = s;
	return LB_OK;
}

void
seen_free(struct seen *s)
{
	if (s == NULL)
		return;
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

static size_t
slot_first(const struct seen *s, const char *tenant, const char *name)
{
	uint8_t text[LB_NAME_MAX + LB_HOST_MAX + 2] = { 0 };
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t h;

	memcpy(text, tenant, strlen(tenant));
	memcpy(text + LB_NAME_MAX + 1, name, strlen(name));
	(void)crypto_shorthash(hash, text, sizeof(text), s->key);
	memcpy(&h, hash, sizeof(h));
	return h % SLOTS;
}

void
seen_note(struct seen *s, const char *tenant, const char *name, int64_t at)
{
	size_t first = slot_first(s, tenant, name);

	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < TRIES; i++) {
		struct slot *p = &s->slot[(first + i) % SLOTS];

		if (p->at != 0 &&
		    (strcmp(p->tenant, tenant) != 0 ||
			strcmp(p->name, name) != 0))
			continue;
		if (p->at == 0) {
			memcpy(p->tenant, tenant, strlen(tenant) + 1);
			memcpy(p->name, name, strlen(name) + 1);
		}
		p->at = at;
		break;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

enum lb_err
seen_flush(struct seen *s, struct store *st)
{
	struct host_row *rows = calloc(SLOTS, sizeof(*rows));
	size_t n = 0;
	enum lb_err r = LB_OK;

	if (rows == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < SLOTS; i++) {
		if (s->slot[i].at == 0)
			continue;
		memcpy(
		    rows[n].tenant, s->slot[i].tenant, sizeof(rows[n].tenant));
		memcpy(rows[n].name, s->slot[i].name, sizeof(rows[n].name));
		rows[n++].last_seen_at = s->slot[i].at;
		s->slot[i].at = 0;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (n > 0)
		r = store_host_seen(st, n, rows);
	free(rows);
	return r;
}
