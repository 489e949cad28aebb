/* Token buckets in a fixed, four-way associative table. */
#include "limits.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define SETS    4096
#define WAYS    4
#define HOUR_MS INT64_C(3600000)

struct bucket {
	uint64_t name; /* keyed hash of kind and name; 0: free */
	int64_t spent; /* of a token, in HOUR_MS-ths per hour's worth */
	int64_t at_ms;
};

struct limits {
	pthread_mutex_t lock;
	int64_t per_hour[LIMIT_KINDS];
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct bucket bucket[SETS][WAYS];
};

enum lb_err
limits_new(const int64_t per_hour[static LIMIT_KINDS], struct limits **ret)
{
	struct limits *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_mutex_init(&l->lock, NULL);
	memcpy(l->per_hour, per_hour, sizeof(l->per_hour));
	randombytes_buf(l->key, sizeof(l->key));
	*ret = l;
	return LB_OK;
}

void
limits_free(struct limits *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint64_t
name_hash(const struct limits *l, enum limit_kind kind, const char *name)
{
	uint8_t text[160] = { (uint8_t)kind }, hash[crypto_shorthash_BYTES];
	size_t len = strnlen(name, sizeof(text) - 1);
	uint64_t h;

	memcpy(text + 1, name, len);
	(void)crypto_shorthash(hash, text, len + 1, l->key);
	memcpy(&h, hash, sizeof(h));
	return h != 0 ? h : 1;
}

static struct bucket *
bucket_find(struct limits *l, uint64_t name)
{
	struct bucket *set = l->bucket[name % SETS], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].name == name)
			return &set[i];
		if (set[i].at_ms < oldest->at_ms)
			oldest = &set[i];
	}
	*oldest = (struct bucket){ .name = name };
	return oldest;
}

void
limits_address(const char *address, char ret[static INET6_ADDRSTRLEN])
{
	struct in6_addr a;

	(void)snprintf(ret, INET6_ADDRSTRLEN, "%s", address);
	if (inet_pton(AF_INET6, address, &a) != 1 || IN6_IS_ADDR_V4MAPPED(&a))
		return;
	memset(a.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &a, ret, INET6_ADDRSTRLEN);
}

int64_t
limits_take(
    struct limits *l, enum limit_kind kind, const char *name, int64_t now_ms)
{
	int64_t rate = l->per_hour[kind], burst = rate / 4 > 5 ? rate / 4 : 5;
	int64_t wait = 0, back;
	struct bucket *b;

	(void)pthread_mutex_lock(&l->lock);
	b = bucket_find(l, name_hash(l, kind, name));
	/* One token costs HOUR_MS; each millisecond gives rate back. */
	back = now_ms > b->at_ms ? now_ms - b->at_ms : 0;
	if (back > 2 * HOUR_MS)
		back = 2 * HOUR_MS;
	b->spent = b->spent > back * rate ? b->spent - back * rate : 0;
	b->at_ms = now_ms;
	if (b->spent + HOUR_MS <= burst * HOUR_MS)
		b->spent += HOUR_MS;
	else
		wait = (b->spent + HOUR_MS - burst * HOUR_MS) / rate / 1000 + 1;
	(void)pthread_mutex_unlock(&l->lock);
	return wait;
}
