/* epoll with callbacks. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH 256

struct loop {
	int fd;
	int count, at; /* of the batch being called */
	struct epoll_event batch[BATCH];
};

enum lb_err
loop_new(struct loop **ret)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return LB_ERR_MEMORY;
	l->fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->fd < 0) {
		free(l);
		return LB_ERR_IO;
	}
	*ret = l;
	return LB_OK;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	(void)close(l->fd); /* holds nothing */
	free(l);
}

static enum lb_err
control(struct loop *l, int op, struct loop_watch *w, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = w };

	return epoll_ctl(l->fd, op, w->fd, &e) == 0 ? LB_OK : LB_ERR_IO;
}

enum lb_err
loop_add(struct loop *l, struct loop_watch *w, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, w, events);
}

enum lb_err
loop_change(struct loop *l, struct loop_watch *w, uint32_t events)
{
	return control(l, EPOLL_CTL_MOD, w, events);
}

void
loop_remove(struct loop *l, struct loop_watch *w)
{
	if (w->fd < 0)
		return;
	(void)control(l, EPOLL_CTL_DEL, w, 0); /* perhaps never added */
	for (int i = l->at; i < l->count; i++)
		if (l->batch[i].data.ptr == w)
			l->batch[i].data.ptr = NULL;
}

enum lb_err
loop_turn(struct loop *l, int timeout_ms)
{
	struct loop_watch *w;

	l->count = epoll_wait(l->fd, l->batch, BATCH, timeout_ms);
	if (l->count < 0) {
		l->count = 0;
		return errno == EINTR ? LB_OK : LB_ERR_IO;
	}
	for (l->at = 0; l->at < l->count;) {
		const struct epoll_event *e = &l->batch[l->at++];

		w = e->data.ptr;
		if (w != NULL)
			w->ready(w->arg, e->events);
	}
	l->count = l->at = 0;
	return LB_OK;
}
