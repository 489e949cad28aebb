/* How the benchmark's hosts, logins and doors are called: one way for all. */
#ifndef BENCH_DOORS_H
#define BENCH_DOORS_H

#include <stdio.h>

#include "lockbox/text.h"

#define BENCH_HOSTS 200 /* hosts that ask; each has a key of its own */

/* Door d is one login on one host; grants that live open doors 0..n-1. */
static inline void
door_name(size_t door, char ret_host[static LB_HOST_MAX + 1],
    char ret_login[static LB_LOGIN_MAX + 1])
{
	(void)snprintf(
	    ret_host, LB_HOST_MAX + 1, "host%04zu", door % BENCH_HOSTS);
	(void)snprintf(
	    ret_login, LB_LOGIN_MAX + 1, "u%04zu", door / BENCH_HOSTS);
}

#define WATCHES_EACH 4 /* of one host: more the broker does not keep */

/* A host that only watches; its key's file is called so, too. */
static inline void
watcher_name(size_t n, char ret_host[static LB_HOST_MAX + 1])
{
	(void)snprintf(ret_host, LB_HOST_MAX + 1, "watch%04zu", n);
}

/* Where the key of that door's host is. */
static inline void
door_key(const char *dir, size_t host, char *ret, size_t size)
{
	(void)snprintf(ret, size, "%s/host%04zu", dir, host);
}

/* Of so many grants these live; the rest is the past. */
static inline size_t
doors_live(size_t grants)
{
	return grants / 100 > BENCH_HOSTS ? grants / 100 : BENCH_HOSTS;
}

#endif
