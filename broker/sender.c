/* The sender's thread. */
#include "sender.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curl/curl.h>
#include <sodium.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "job.h"
#include "log.h"
#include "outbox.h"
#include "retry.h"

#define LOOK_EVERY_MS   1000
#define MAILS_MAX       4  /* at a time */
#define HOOKS_MAX       32 /* at a time */
#define HOOKS_OF_TENANT 8  /* at a time */
#define LOOKUP_MS       10000
#define WORSE_AFTER_S   (10 * 60)
#define WORSE_ATTEMPTS  4
#define PASSWORD_MAX    512
#define HEADS_MAX       256

TAILQ_HEAD(jobs, job);

struct sender {
	struct app *app;
	CURLM *multi;
	pthread_t thread;
	bool started;
	atomic_bool woken, ending;
	char *password; /* sodium_malloc; NULL: none */
	int64_t look_ms;
	struct jobs jobs;
	size_t head_count;
	struct delivery_row head[HEADS_MAX];
};

static void
wake(void *arg)
{
	struct sender *s = arg;

	(void)curl_multi_wakeup(s->multi); /* at worst a second later */
}

void
sender_wake(struct sender *s)
{
	if (s == NULL)
		return;
	atomic_store(&s->woken, true);
	wake(s);
}

/* --- how it came out --------------------------------------------------- */

/* What is written down about one delivery of the job. */
static void
row_settle(
    struct delivery_row *d, const struct outcome *o, int64_t now, int64_t next)
{
	bool hopeless = o->what == OUTCOME_GONE ||
	    (o->what == OUTCOME_WORSE && d->attempts + 1 >= WORSE_ATTEMPTS) ||
	    next >= d->ends_at;

	d->attempts++;
	d->status = o->status;
	ROW_TEXT(d->code, o->code);
	if (o->what == OUTCOME_SENT) {
		d->state = DELIVERY_SENT;
		d->done_at = now;
	} else if (hopeless) {
		d->state = DELIVERY_FAILED;
		d->done_at = now;
	} else {
		d->due_at = next;
	}
}

static void
told(struct sender *s, const struct job *j, const struct outcome *o)
{
	struct metrics *m = &s->app->metrics;
	bool mail = j->channel == CHANNEL_MAIL;

	if (o->what == OUTCOME_SENT) {
		metrics_count(mail ? &m->mails_sent : &m->hooks_sent);
		return;
	}
	metrics_count(mail ? &m->mails_failed : &m->hooks_failed);
	LOG_WARN("%s to '%s' of '%s': %s, status %lld, attempt %lld",
	    channel_name(j->channel), j->row[0].receiver, j->tenant, o->code,
	    (long long)o->status, (long long)j->row[0].attempts);
}

static void
job_settle(struct sender *s, struct job *j, const struct outcome *o)
{
	int64_t now = s->app->clock(), next;
	struct outbox_change c = {
		.set = j->row, .set_count = j->count, .now = now
	};
	enum lb_err r;

	next = now +
	    retry_after(j->row[0].attempts + 1, o->asked, randombytes_random());
	if (o->what == OUTCOME_WORSE && next < now + WORSE_AFTER_S)
		next = now + WORSE_AFTER_S;
	for (size_t i = 0; i < j->count; i++)
		row_settle(&j->row[i], o, now, next);
	if (o->what == OUTCOME_AGAIN) {
		c.line = j->line;
		c.quiet_until = next;
	}
	if (o->what == OUTCOME_GONE)
		c.webhook = j->row[0].receiver;
	told(s, j, o);
	if ((r = store_outbox_write(s->app->store, &c)) != LB_OK)
		LOG_ERR_R(r, "note what came of '%s'", j->row[0].id);
}

static void
job_end(struct sender *s, struct job *j)
{
	TAILQ_REMOVE(&s->jobs, j, next);
	if (j->easy != NULL)
		(void)curl_multi_remove_handle(s->multi, j->easy);
	job_clear(j);
	free(j);
	s->look_ms = 0; /* its line may have more */
}

static void
job_fail(struct sender *s, struct job *j, const char *code)
{
	struct outcome o = { .what = OUTCOME_AGAIN, .code = code };

	job_settle(s, j, &o);
	job_end(s, j);
}

/* --- beginning --------------------------------------------------------- */

static bool
transfer_add(struct sender *s, struct job *j)
{
	if (curl_multi_add_handle(s->multi, j->easy) == CURLM_OK)
		return true;
	return false;
}

static void
hook_begin(struct sender *s, struct job *j)
{
	enum lb_err r = job_hook_begin(s->app, j);

	if (r == LB_OK && transfer_add(s, j))
		return;
	job_fail(s, j,
	    r == LB_ERR_FORBIDDEN         ? "address_refused"
		: r == LB_ERR_UNREACHABLE ? "no_such_host"
					  : "out_of_memory");
}

static void
hook_start(struct sender *s, struct job *j)
{
	struct outcome void_ = { .what = OUTCOME_GONE, .code = "" };
	enum lb_err r = job_hook_init(s->app, j);

	if (r == LB_OK)
		r = lookup_start(
		    j->target.host, j->target.port, wake, s, &j->lookup);
	if (r == LB_OK)
		return;
	if (r == LB_ERR_MISSING) {
		void_.code = "webhook_removed";
		job_settle(s, j, &void_);
		job_end(s, j);
		return;
	}
	job_fail(
	    s, j, r == LB_ERR_FORBIDDEN ? "address_refused" : "out_of_memory");
}

static void
mail_start(struct sender *s, struct job *j)
{
	enum lb_err r = job_mail_init(s->app, j);

	if (r == LB_ERR_STATE || r == LB_ERR_TIMEOUT) {
		job_end(s, j); /* nothing to send, or not now */
		return;
	}
	if (r == LB_OK &&
	    (r = job_mail_begin(s->app, j, s->password)) == LB_OK &&
	    transfer_add(s, j))
		return;
	LOG_ERR_R(r, "make a mail of '%s'", j->row[0].id);
	job_fail(s, j, "out_of_memory");
}

/* Is its line busy, or has its channel, or its tenant, enough? */
static bool
has_room(const struct sender *s, const struct delivery_row *d)
{
	size_t same = 0, tenant = 0;
	const struct job *j;

	TAILQ_FOREACH(j, &s->jobs, next)
	{
		if (strcmp(j->line, d->line) == 0)
			return false;
		same += j->channel == d->channel;
		tenant += j->channel == d->channel &&
		    strcmp(j->tenant, d->tenant) == 0;
	}
	if (d->channel == CHANNEL_MAIL)
		return same < MAILS_MAX;
	return same < HOOKS_MAX && tenant < HOOKS_OF_TENANT;
}

static void
job_start(struct sender *s, const struct delivery_row *d)
{
	struct job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return;
	j->channel = d->channel;
	ROW_TEXT(j->tenant, d->tenant);
	ROW_TEXT(j->line, d->line);
	j->row[0] = *d;
	j->count = 1;
	j->begun_ms = lb_clock_boottime_ms();
	TAILQ_INSERT_TAIL(&s->jobs, j, next);
	if (d->channel == CHANNEL_MAIL)
		mail_start(s, j);
	else
		hook_start(s, j);
}

static bool
head_take(void *arg, const struct delivery_row *d)
{
	struct sender *s = arg;

	if (has_room(s, d))
		s->head[s->head_count++] = *d;
	return s->head_count < HEADS_MAX;
}

/* New notices, then what is due of each line. */
static void
look(struct sender *s)
{
	int64_t now = s->app->clock();
	enum lb_err r;

	s->look_ms = lb_clock_boottime_ms() + LOOK_EVERY_MS;
	outbox_address(s->app, now);
	s->head_count = 0;
	if ((r = store_delivery_heads(s->app->store, now, head_take, s)) !=
	    LB_OK) {
		LOG_ERR_R(r, "%s", "look for what is to be sent");
		return;
	}
	for (size_t i = 0; i < s->head_count; i++)
		if (has_room(s, &s->head[i]))
			job_start(s, &s->head[i]);
}

/* --- going on ---------------------------------------------------------- */

static void
lookups_check(struct sender *s)
{
	int64_t now = lb_clock_boottime_ms();
	struct job *j, *after;

	for (j = TAILQ_FIRST(&s->jobs); j != NULL; j = after) {
		after = TAILQ_NEXT(j, next);
		if (j->channel != CHANNEL_WEBHOOK || j->easy != NULL)
			continue;
		if (lookup_is_done(j->lookup))
			hook_begin(s, j);
		else if (now - j->begun_ms > LOOKUP_MS)
			job_fail(s, j, "no_such_host");
	}
}

static void
transfers_check(struct sender *s)
{
	struct outcome o;
	const CURLMsg *m;
	struct job *j;
	int left;

	while ((m = curl_multi_info_read(s->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &j) !=
			CURLE_OK)
			continue;
		if (j->channel == CHANNEL_MAIL)
			job_mail_outcome(j, m->data.result, &o);
		else
			job_hook_outcome(j, m->data.result, &o);
		job_settle(s, j, &o);
		job_end(s, j);
	}
}

static void *
sender_run(void *arg)
{
	struct sender *s = arg;
	int running;

	while (!atomic_load(&s->ending)) {
		int64_t wait;

		if (atomic_exchange(&s->woken, false) ||
		    lb_clock_boottime_ms() >= s->look_ms)
			look(s);
		lookups_check(s);
		if (curl_multi_perform(s->multi, &running) != CURLM_OK)
			LOG_ERROR("libcurl cannot go on with what is sent");
		transfers_check(s);
		wait = s->look_ms - lb_clock_boottime_ms();
		if (wait > 0 && !atomic_load(&s->ending))
			(void)curl_multi_poll(
			    s->multi, NULL, 0, (int)wait, NULL);
	}
	return NULL;
}

/* --- start and end ----------------------------------------------------- */

static enum lb_err
password_load(struct sender *s)
{
	const struct config *c = &s->app->conf;
	struct lb_buf text = { 0 };
	enum lb_err r;

	if (c->smtp_password_file[0] == '\0')
		return LB_OK;
	if ((r = lb_file_read_secret(c->smtp_password_file, geteuid(),
		 PASSWORD_MAX, &text)) != LB_OK)
		goto out;
	if (text.len > 0 && text.data[text.len - 1] == '\n')
		text.data[--text.len] = '\0';
	r = LB_ERR_FORMAT;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			goto out;
	r = LB_ERR_MEMORY;
	if (text.len == 0 ||
	    (s->password = sodium_malloc(text.len + 1)) == NULL)
		goto out;
	memcpy(s->password, text.data, text.len + 1);
	r = LB_OK;
out:
	if (r != LB_OK)
		LOG_ERR_R(r, "read password '%s'", c->smtp_password_file);
	lb_buf_clear(&text);
	return r;
}

/* No signal is for this thread; libcurl leaves SIGPIPE to us. */
static enum lb_err
thread_start(struct sender *s)
{
	sigset_t all, old;
	int rc;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->thread, NULL, sender_run, s);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->started = rc == 0;
	return rc == 0 ? LB_OK : LB_ERR_MEMORY;
}

enum lb_err
sender_start(struct app *app, struct sender **ret)
{
	struct sender *s;
	enum lb_err r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return LB_ERR_MEMORY;
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		curl_global_cleanup();
		return LB_ERR_MEMORY;
	}
	s->app = app;
	TAILQ_INIT(&s->jobs);
	r = LB_ERR_MEMORY;
	if ((s->multi = curl_multi_init()) == NULL ||
	    (r = password_load(s)) != LB_OK || (r = thread_start(s)) != LB_OK)
		goto out;
	*ret = s;
	s = NULL; /* handed over */
out:
	sender_stop(s);
	return r;
}

void
sender_stop(struct sender *s)
{
	if (s == NULL)
		return;
	if (s->started) {
		atomic_store(&s->ending, true);
		wake(s);
		(void)pthread_join(s->thread, NULL);
	}
	while (!TAILQ_EMPTY(&s->jobs))
		job_end(s, TAILQ_FIRST(&s->jobs));
	(void)curl_multi_cleanup(s->multi); /* accepts NULL */
	sodium_free(s->password);
	free(s);
	curl_global_cleanup();
}
