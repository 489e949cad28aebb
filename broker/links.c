/* Deadlines of connections. */
#include "links.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

struct link {
	struct link *prev, *next;
	int fd;
	int64_t since_ms; /* 0: not waiting */
};

struct links {
	pthread_mutex_t lock;
	struct link *first;
};

enum lb_err
links_new(struct links **ret)
{
	struct links *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return LB_ERR_MEMORY;
	(void)pthread_mutex_init(&l->lock, NULL);
	*ret = l;
	return LB_OK;
}

void
links_free(struct links *l)
{
	if (l == NULL)
		return;
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

struct link *
links_open(struct links *l, int fd, int64_t now_ms)
{
	struct link *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->fd = fd;
	k->since_ms = now_ms;
	(void)pthread_mutex_lock(&l->lock);
	k->next = l->first;
	if (k->next != NULL)
		k->next->prev = k;
	l->first = k;
	(void)pthread_mutex_unlock(&l->lock);
	return k;
}

void
links_close(struct links *l, struct link *k)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_lock(&l->lock);
	if (k->prev != NULL)
		k->prev->next = k->next;
	else
		l->first = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	(void)pthread_mutex_unlock(&l->lock);
	free(k);
}

void
links_wait(struct links *l, struct link *k, int64_t now_ms)
{
	if (k == NULL)
		return;
	(void)pthread_mutex_lock(&l->lock);
	k->since_ms = now_ms;
	(void)pthread_mutex_unlock(&l->lock);
}

size_t
links_sweep(struct links *l, int64_t now_ms)
{
	size_t n = 0;

	(void)pthread_mutex_lock(&l->lock);
	for (struct link *k = l->first; k != NULL; k = k->next) {
		if (k->since_ms == 0 || now_ms - k->since_ms < LINKS_WAIT_MS)
			continue;
		/* The server then sees its end and closes it. */
		(void)shutdown(k->fd, SHUT_RDWR);
		k->since_ms = 0;
		n++;
	}
	(void)pthread_mutex_unlock(&l->lock);
	return n;
}
