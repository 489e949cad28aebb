/* The thread that waits for the disk. */
#include "saver.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lockbox/file.h"
#include "lockbox/text.h"

#include "spool_file.h"

enum phase { PHASE_IDLE, PHASE_WORK, PHASE_OVER };

struct saver {
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	enum phase phase;
	bool ending;
	struct saver_job job;
	struct saver_result result;
	int error;
	/* The thread's alone. */
	struct spool_file spool;
	/* Never change. */
	int fd;
	char path[512];
};

/* Nothing here can fail but by a programmer's mistake. */
static void
lock(struct saver *s)
{
	int rc = pthread_mutex_lock(&s->lock);

	assert(rc == 0);
	(void)rc;
}

static void
unlock(struct saver *s)
{
	int rc = pthread_mutex_unlock(&s->lock);

	assert(rc == 0);
	(void)rc;
}

static enum lb_err
save_spool(struct saver *s)
{
	const struct lb_buf *b = &s->job.spool;

	if (s->job.whole)
		return spool_file_replace(&s->spool, b->data, b->len);
	return b->len > 0 ? spool_file_add(&s->spool, b->data, b->len) : LB_OK;
}

static struct saver_result
do_job(struct saver *s)
{
	const struct lb_buf *state = &s->job.state;
	struct saver_result r = { .had_state = state->len > 0 };

	if (r.had_state)
		r.state = lb_file_write_atomic(
		    s->path, 0600, state->data, state->len);
	if (r.state == LB_OK)
		r.spool = save_spool(s);
	if (r.state == LB_OK && r.spool == LB_OK && s->job.sync)
		r.sync = spool_file_sync(&s->spool);
	return r;
}

static void
job_clear(struct saver_job *job)
{
	lb_buf_clear(&job->state);
	lb_buf_clear(&job->spool);
	*job = (struct saver_job){ 0 };
}

static void
save(struct saver *s)
{
	const uint64_t one = 1;
	struct saver_result r;
	int error;

	/* The job is ours while the phase is PHASE_WORK. */
	unlock(s);
	errno = 0;
	r = do_job(s);
	error = errno;
	lock(s);
	job_clear(&s->job);
	s->result = r;
	s->error = error;
	s->phase = PHASE_OVER;
	(void)!write(s->fd, &one, sizeof(one)); /* cannot be full */
}

static void *
work(void *arg)
{
	struct saver *s = arg;

	lock(s);
	for (;;) {
		while (s->phase != PHASE_WORK && !s->ending)
			(void)pthread_cond_wait(&s->wake, &s->lock);
		if (s->phase != PHASE_WORK)
			break;
		save(s);
	}
	unlock(s);
	return NULL;
}

enum lb_err
saver_new(
    const char *state, const char *spool, size_t spool_len, struct saver **ret)
{
	struct saver *s = calloc(1, sizeof(*s));
	enum lb_err r;

	if (s == NULL)
		return LB_ERR_MEMORY;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = s->fd < 0 ? LB_ERR_IO
		      : lb_text_copy(s->path, sizeof(s->path), state);
	if (r != LB_OK ||
	    (r = spool_file_init(&s->spool, spool, spool_len)) != LB_OK)
		goto out;
	if (pthread_mutex_init(&s->lock, NULL) != 0 ||
	    pthread_cond_init(&s->wake, NULL) != 0 ||
	    pthread_create(&s->thread, NULL, work, s) != 0) {
		r = LB_ERR_MEMORY;
		goto out;
	}
	*ret = s;
	return LB_OK;
out:
	if (s->fd >= 0)
		(void)close(s->fd); /* nobody has seen it */
	free(s);
	return r;
}

void
saver_free(struct saver *s)
{
	if (s == NULL)
		return;
	lock(s);
	s->ending = true;
	(void)pthread_cond_signal(&s->wake);
	unlock(s);
	(void)pthread_join(s->thread, NULL);
	(void)pthread_cond_destroy(&s->wake);
	(void)pthread_mutex_destroy(&s->lock);
	job_clear(&s->job);
	(void)close(s->fd); /* its news is of no use any more */
	free(s);
}

int
saver_fd(const struct saver *s)
{
	return s->fd;
}

bool
saver_busy(struct saver *s)
{
	bool busy;

	lock(s);
	busy = s->phase != PHASE_IDLE;
	unlock(s);
	return busy;
}

void
saver_begin(struct saver *s, struct saver_job *job)
{
	lock(s);
	assert(s->phase == PHASE_IDLE);
	s->job = *job;
	*job = (struct saver_job){ 0 }; /* handed over */
	s->phase = PHASE_WORK;
	(void)pthread_cond_signal(&s->wake);
	unlock(s);
}

enum lb_err
saver_finish(struct saver *s, struct saver_result *ret)
{
	enum lb_err r = LB_ERR_LIMIT;
	uint64_t count;

	(void)!read(s->fd, &count, sizeof(count)); /* only woke us */
	lock(s);
	if (s->phase == PHASE_OVER) {
		*ret = s->result;
		errno = s->error;
		s->phase = PHASE_IDLE;
		r = LB_OK;
	}
	unlock(s);
	return r;
}
