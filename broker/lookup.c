/* One thread for each look-up; whoever lets go last frees it. */
#include "lookup.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/text.h"

#define STACK (256 * 1024) /* bytes; getaddrinfo needs less */

struct lookup {
	pthread_mutex_t lock;
	char host[LB_HOST_MAX + 1], port[8];
	void (*tell)(void *arg);
	void *arg;
	bool done, dropped;
	struct addrinfo *found;
};

/* Threads that hang in the resolver outlive whoever started them. */
static atomic_uint under_way;

static void
lookup_free(struct lookup *l)
{
	if (l->found != NULL)
		freeaddrinfo(l->found);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *
lookup_run(void *arg)
{
	static const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	struct lookup *l = arg;
	bool dropped;

	if (getaddrinfo(l->host, l->port, &hints, &found) != 0)
		found = NULL;
	(void)pthread_mutex_lock(&l->lock);
	l->found = found;
	l->done = true;
	dropped = l->dropped;
	if (!dropped)
		l->tell(l->arg);
	(void)pthread_mutex_unlock(&l->lock);
	if (dropped)
		lookup_free(l);
	(void)atomic_fetch_sub(&under_way, 1);
	return NULL;
}

static enum lb_err
thread_start(struct lookup *l)
{
	pthread_attr_t attr;
	pthread_t t;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return LB_ERR_MEMORY;
	(void)pthread_attr_setstacksize(&attr, STACK);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&t, &attr, lookup_run, l);
	(void)pthread_attr_destroy(&attr);
	return rc == 0 ? LB_OK : LB_ERR_LIMIT;
}

enum lb_err
lookup_start(const char *host, uint16_t port, void (*done)(void *arg),
    void *arg, struct lookup **ret)
{
	struct lookup *l;
	enum lb_err r = LB_ERR_LIMIT;

	if (atomic_fetch_add(&under_way, 1) >= LOOKUPS_MAX)
		goto out;
	r = LB_ERR_MEMORY;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		goto out;
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)snprintf(l->host, sizeof(l->host), "%s", host);
	(void)snprintf(l->port, sizeof(l->port), "%u", port);
	l->tell = done;
	l->arg = arg;
	if ((r = thread_start(l)) == LB_OK) {
		*ret = l;
		return LB_OK;
	}
	lookup_free(l);
out:
	(void)atomic_fetch_sub(&under_way, 1);
	return r;
}

bool
lookup_is_done(struct lookup *l)
{
	bool done;

	(void)pthread_mutex_lock(&l->lock);
	done = l->done;
	(void)pthread_mutex_unlock(&l->lock);
	return done;
}

const struct addrinfo *
lookup_result(const struct lookup *l)
{
	return l->found;
}

void
lookup_drop(struct lookup *l)
{
	bool done;

	if (l == NULL)
		return;
	(void)pthread_mutex_lock(&l->lock);
	l->dropped = true;
	done = l->done;
	(void)pthread_mutex_unlock(&l->lock);
	if (done)
		lookup_free(l);
}
