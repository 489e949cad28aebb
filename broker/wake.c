/* Where hosts wait: a table of hosts, a line by time, one thread. */
#include "wake.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sodium.h>

#include "lockbox/clock.h"

#define BUCKETS  4096
#define IDLE_MS  (10 * 60 * 1000) /* after which a host is forgotten */
#define PURGE_MS (60 * 1000)
#define FD_MAX   (1 << 20)
#define EVENTS   64

TAILQ_HEAD(waiters, waiter);

struct wake_host {
	LIST_ENTRY(wake_host) link;
	uint8_t key[WAKE_KEY_LEN], tenant[WAKE_KEY_LEN];
	uint64_t news, told; /* numbers of changes */
	int64_t used_ms;
	size_t count;
	struct waiters waiters; /* in the order they came */
};

struct wake {
	pthread_mutex_t lock;
	pthread_t thread;
	bool ending, stop;
	int epoll_fd, kick_fd;
	size_t most, count;
	uint64_t changes;
	int64_t purged_ms;
	uint8_t secret[crypto_generichash_KEYBYTES];
	struct waiters by_time; /* by due_ms */
	struct waiter **by_fd;  /* parked ones */
	size_t by_fd_count;
	LIST_HEAD(bucket, wake_host) bucket[BUCKETS];
};

/* A host's key, or with host "" a tenant's. No two share one. */
static void
key_make(const struct wake *w, const char *tenant, const char *host,
    uint8_t ret[static WAKE_KEY_LEN])
{
	crypto_generichash_state s;

	(void)crypto_generichash_init(
	    &s, w->secret, sizeof(w->secret), WAKE_KEY_LEN);
	(void)crypto_generichash_update(
	    &s, (const uint8_t *)tenant, strlen(tenant) + 1);
	(void)crypto_generichash_update(
	    &s, (const uint8_t *)host, strlen(host));
	(void)crypto_generichash_final(&s, ret, WAKE_KEY_LEN);
}

static struct bucket *
bucket_of(struct wake *w, const uint8_t key[static WAKE_KEY_LEN])
{
	return &w->bucket[(key[0] | (unsigned int)key[1] << 8) % BUCKETS];
}

static struct wake_host *
host_find(struct wake *w, const uint8_t key[static WAKE_KEY_LEN])
{
	struct wake_host *h;

	LIST_FOREACH(h, bucket_of(w, key), link)
	if (memcmp(h->key, key, WAKE_KEY_LEN) == 0)
		return h;
	return NULL;
}

/* Forget hosts that have not watched for long: they are told at once then. */
static void
purge(struct wake *w, int64_t now_ms)
{
	struct wake_host *h, *next;

	if (now_ms - w->purged_ms < PURGE_MS)
		return;
	w->purged_ms = now_ms;
	for (size_t i = 0; i < BUCKETS; i++)
		for (h = LIST_FIRST(&w->bucket[i]); h != NULL; h = next) {
			next = LIST_NEXT(h, link);
			if (h->count > 0 || now_ms - h->used_ms < IDLE_MS)
				continue;
			LIST_REMOVE(h, link);
			free(h);
		}
}

static struct wake_host *
host_add(struct wake *w, const uint8_t key[static WAKE_KEY_LEN],
    const char *tenant, int64_t now_ms)
{
	struct wake_host *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	memcpy(h->key, key, WAKE_KEY_LEN);
	key_make(w, tenant, "", h->tenant);
	h->used_ms = now_ms;
	TAILQ_INIT(&h->waiters);
	LIST_INSERT_HEAD(bucket_of(w, key), h, link);
	return h;
}

static void
kick(const struct wake *w)
{
	const uint64_t one = 1;

	/* Full means that the thread has not read the last one yet. */
	if (write(w->kick_fd, &one, sizeof(one)) < 0)
		assert(errno == EAGAIN);
}

/* Behind those who are due earlier; usually all. */
static void
line_up(struct wake *w, struct waiter *x)
{
	struct waiter *before = TAILQ_LAST(&w->by_time, waiters);

	while (before != NULL && before->due_ms > x->due_ms)
		before = TAILQ_PREV(before, waiters, of_time);
	if (before != NULL) {
		TAILQ_INSERT_AFTER(&w->by_time, before, x, of_time);
	} else {
		TAILQ_INSERT_HEAD(&w->by_time, x, of_time);
		kick(w);
	}
}

static void
detach(struct wake *w, struct waiter *x)
{
	TAILQ_REMOVE(&x->host->waiters, x, of_host);
	TAILQ_REMOVE(&w->by_time, x, of_time);
	x->host->count--;
	x->host = NULL;
	x->waits = false;
	w->count--;
	if (x->parked && x->fd >= 0 && w->by_fd[x->fd] == x) {
		w->by_fd[x->fd] = NULL;
		(void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, x->fd, NULL);
	}
}

/* From resume on it is its owner's again, and may be gone. */
static void
wake_one(struct wake *w, struct waiter *x, enum wake_cause cause)
{
	bool parked = x->parked;

	detach(w, x);
	x->cause = cause;
	x->parked = false;
	if (parked)
		x->resume(x);
}

static void
wake_all(struct wake *w, struct wake_host *h, enum wake_cause cause)
{
	while (!TAILQ_EMPTY(&h->waiters))
		wake_one(w, TAILQ_FIRST(&h->waiters), cause);
}

/* A readable descriptor may be stale news of another connection: look. */
static void
hang_up(struct wake *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	if ((size_t)fd < w->by_fd_count && w->by_fd[fd] != NULL &&
	    poll(&p, 1, 0) == 1)
		wake_one(w, w->by_fd[fd], WAKE_GONE);
}

/* Wake those whose time is over; how long until the next, -1: nobody. */
static int
times_up(struct wake *w)
{
	int64_t now = lb_clock_boottime_ms();
	struct waiter *x;

	while ((x = TAILQ_FIRST(&w->by_time)) != NULL && x->due_ms <= now)
		wake_one(w, x, WAKE_TIME);
	if (x == NULL)
		return -1;
	return x->due_ms - now < INT32_MAX ? (int)(x->due_ms - now) : INT32_MAX;
}

static void *
run(void *arg)
{
	struct epoll_event ev[EVENTS];
	struct wake *w = arg;
	uint64_t kicks;
	int wait_ms = -1, n;
	bool stop = false;

	while (!stop) {
		n = epoll_wait(w->epoll_fd, ev, EVENTS, wait_ms);
		(void)pthread_mutex_lock(&w->lock);
		for (int i = 0; i < n; i++) {
			if (ev[i].data.fd != w->kick_fd)
				hang_up(w, ev[i].data.fd);
			else if (read(w->kick_fd, &kicks, sizeof(kicks)) < 0)
				assert(errno == EAGAIN);
		}
		wait_ms = times_up(w);
		stop = w->stop;
		(void)pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

enum lb_err
wake_new(size_t most, struct wake **ret)
{
	struct wake *w = calloc(1, sizeof(*w));
	struct epoll_event ev = { .events = EPOLLIN };

	if (w == NULL)
		return LB_ERR_MEMORY;
	w->most = most;
	TAILQ_INIT(&w->by_time);
	randombytes_buf(w->secret, sizeof(w->secret));
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ev.data.fd = w->kick_fd;
	(void)pthread_mutex_init(&w->lock, NULL);
	if (w->epoll_fd < 0 || w->kick_fd < 0 ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->kick_fd, &ev) != 0 ||
	    pthread_create(&w->thread, NULL, run, w) != 0) {
		if (w->epoll_fd >= 0)
			(void)close(w->epoll_fd);
		if (w->kick_fd >= 0)
			(void)close(w->kick_fd);
		(void)pthread_mutex_destroy(&w->lock);
		free(w);
		return LB_ERR_IO;
	}
	*ret = w;
	return LB_OK;
}

void
wake_free(struct wake *w)
{
	struct wake_host *h;

	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	assert(w->count == 0);
	w->stop = true;
	kick(w);
	(void)pthread_mutex_unlock(&w->lock);
	(void)pthread_join(w->thread, NULL);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((h = LIST_FIRST(&w->bucket[i])) != NULL) {
			LIST_REMOVE(h, link);
			free(h);
		}
	(void)close(w->epoll_fd);
	(void)close(w->kick_fd);
	(void)pthread_mutex_destroy(&w->lock);
	free(w->by_fd);
	free(w);
}

/* Called with the lock held; x->key is set. */
static enum lb_err
wait_for(struct wake *w, const char *tenant, int64_t wait_ms, struct waiter *x)
{
	int64_t now = lb_clock_boottime_ms();
	struct wake_host *h;
	bool known;

	if (w->ending)
		return LB_ERR_STATE;
	purge(w, now);
	h = host_find(w, x->key);
	known = h != NULL;
	if (!known && (h = host_add(w, x->key, tenant, now)) == NULL)
		return LB_ERR_MEMORY;
	h->used_ms = now;
	if (!known || h->news > h->told) {
		h->told = w->changes;
		return LB_ERR_STATE;
	}
	if (h->count >= WAKE_PER_HOST)
		wake_one(w, TAILQ_FIRST(&h->waiters), WAKE_TIME);
	if (w->count >= w->most)
		return LB_ERR_RANGE;
	x->host = h;
	x->due_ms = now + wait_ms;
	x->waits = true;
	TAILQ_INSERT_TAIL(&h->waiters, x, of_host);
	h->count++;
	w->count++;
	line_up(w, x);
	return LB_OK;
}

enum lb_err
wake_wait(struct wake *w, const char *tenant, const char *host, int64_t wait_ms,
    struct waiter *x)
{
	enum lb_err r;

	assert(!x->waits && !x->parked);
	key_make(w, tenant, host, x->key);
	x->named = true;
	(void)pthread_mutex_lock(&w->lock);
	r = wait_for(w, tenant, wait_ms, x);
	(void)pthread_mutex_unlock(&w->lock);
	return r;
}

/* Room for fd in the table. Called with the lock held. */
static bool
by_fd_room(struct wake *w, int fd)
{
	size_t count = w->by_fd_count > 0 ? w->by_fd_count : 64;
	struct waiter **p;

	if (fd < 0 || fd >= FD_MAX)
		return false;
	if ((size_t)fd < w->by_fd_count)
		return true;
	while (count <= (size_t)fd)
		count *= 2;
	p = realloc(w->by_fd, count * sizeof(struct waiter *));
	if (p == NULL)
		return false;
	memset(p + w->by_fd_count, 0,
	    (count - w->by_fd_count) * sizeof(struct waiter *));
	w->by_fd = p;
	w->by_fd_count = count;
	return true;
}

/* Who cannot be looked at is found gone when his time is over. */
static void
look_at(struct wake *w, struct waiter *x)
{
	struct epoll_event ev = { .events = EPOLLRDHUP, .data.fd = x->fd };

	if (!by_fd_room(w, x->fd) ||
	    epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, x->fd, &ev) != 0)
		x->fd = -1;
	else
		w->by_fd[x->fd] = x;
}

bool
wake_park(struct wake *w, struct waiter *x)
{
	bool waits;

	(void)pthread_mutex_lock(&w->lock);
	waits = x->waits;
	if (waits) {
		look_at(w, x);
		x->suspend(x);
		x->parked = true;
	}
	(void)pthread_mutex_unlock(&w->lock);
	return waits;
}

static void
told_set(struct wake *w, const struct waiter *x, bool told)
{
	struct wake_host *h;

	if (!x->named)
		return;
	(void)pthread_mutex_lock(&w->lock);
	h = host_find(w, x->key);
	if (h != NULL && told) {
		h->told = w->changes;
	} else if (h != NULL && h->count == 0) {
		LIST_REMOVE(h, link);
		free(h);
	} else if (h != NULL) {
		h->news = ++w->changes;
	}
	(void)pthread_mutex_unlock(&w->lock);
}

void
wake_told(struct wake *w, const struct waiter *x)
{
	told_set(w, x, true);
}

void
wake_untold(struct wake *w, const struct waiter *x)
{
	told_set(w, x, false);
}

void
wake_leave(struct wake *w, struct waiter *x)
{
	(void)pthread_mutex_lock(&w->lock);
	if (x->waits)
		detach(w, x);
	(void)pthread_mutex_unlock(&w->lock);
}

static void
news_for_host(struct wake *w, const char *tenant, const char *host)
{
	uint8_t key[WAKE_KEY_LEN];
	struct wake_host *h;

	key_make(w, tenant, host, key);
	h = host_find(w, key);
	if (h == NULL)
		return;
	h->news = w->changes;
	wake_all(w, h, WAKE_NEWS);
}

static void
news_for_hosts(struct wake *w, const char *tenant, const struct lb_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		news_for_host(w, tenant, hosts->item[i]);
}

static void
news_for_tenant(struct wake *w, const char *tenant)
{
	uint8_t key[WAKE_KEY_LEN];
	struct wake_host *h;

	key_make(w, tenant, "", key);
	for (size_t i = 0; i < BUCKETS; i++)
		LIST_FOREACH(h, &w->bucket[i], link)
		{
			if (memcmp(h->tenant, key, sizeof(key)) != 0)
				continue;
			h->news = w->changes;
			wake_all(w, h, WAKE_NEWS);
		}
}

void
wake_change(struct wake *w, const struct change *c)
{
	const struct request_row *q = c->request;

	(void)pthread_mutex_lock(&w->lock);
	w->changes++;
	if (c->trust != NULL)
		news_for_tenant(w, c->trust->tenant);
	if (c->host != NULL)
		news_for_host(w, c->host->tenant, c->host->name);
	/* That a grant's time is over, its hosts know by themselves. */
	if (c->grant != NULL && c->grant->state != STATE_EXPIRED)
		news_for_hosts(w, c->grant->doc.tenant, &c->grant->doc.host);
	if (q != NULL && q->state == STATE_DENIED)
		news_for_hosts(w, q->doc.tenant, &q->doc.host);
	(void)pthread_mutex_unlock(&w->lock);
}

void
wake_end(struct wake *w)
{
	(void)pthread_mutex_lock(&w->lock);
	w->ending = true;
	while (!TAILQ_EMPTY(&w->by_time))
		wake_one(w, TAILQ_FIRST(&w->by_time), WAKE_END);
	(void)pthread_mutex_unlock(&w->lock);
}

size_t
wake_count(struct wake *w)
{
	size_t n;

	(void)pthread_mutex_lock(&w->lock);
	n = w->count;
	(void)pthread_mutex_unlock(&w->lock);
	return n;
}
