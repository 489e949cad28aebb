/* Waits for decisions on requests and shows the waiting. */
#include "wait.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lockbox/clock.h"
#include "output.h"
#include "request.h"
#include "signin.h"

#define WAIT_TRIES 6 /* calls in a row that may fail */

/* One waiting. */
struct waiting {
	struct api *api;
	const char *id, *sha256; /* sha256 may be NULL */
	int64_t until;
	int64_t interval; /* seconds to the next look */
	unsigned int tries;
	bool moving;        /* one line on a terminal, kept up to date */
	unsigned int frame; /* of what turns on it */
	json_t *request;    /* as seen last */
	char state[64];     /* told last */
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* The first Ctrl-C is ours to answer, a second one just kills. */
static void
interrupt_catch(struct sigaction *ret_before)
{
	struct sigaction sa = { .sa_handler = on_interrupt,
		.sa_flags = (int)SA_RESETHAND };

	interrupted = 0;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, NULL, ret_before); /* cannot fail */
	if (ret_before->sa_handler != SIG_IGN)
		(void)sigaction(SIGINT, &sa, NULL);
}

enum lb_err
wait_line(const json_t *request, int64_t now, struct lb_buf *ret)
{
	int64_t lapses = api_at(request, "lapses_at");
	const char *nobody = "nobody";
	struct lb_buf who = { 0 };
	char left[32] = "";
	enum lb_err r;

	/* The broker names customers' people, not the provider's. */
	if (strcmp(api_str(request, "state"), "pending_endorsement") == 0)
		nobody = "a manager of the provider";
	if (lapses > now)
		lb_span_format(lapses - now, left, sizeof(left));
	if ((r = api_join(request, "waiting_for", &who)) == LB_OK)
		r = lb_buf_addf(ret, "%s%s%swaiting for %s",
		    left[0] != '\0' ? "lapses in " : "", left,
		    left[0] != '\0' ? "  " : "",
		    who.len > 0 ? who.data : nobody);
	lb_buf_clear(&who);
	return r;
}

/* Columns of the terminal; 0: not known. */
static size_t
columns_of(FILE *f)
{
	struct winsize size = { 0 };

	return ioctl(fileno(f), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Over the line that is there: a sign of life, the code, how it stands. */
static void
line_draw(struct waiting *w, const char *code, char *line)
{
	static const char turning[] = "|/-\\";
	FILE *f = w->api->cli->err;
	bool coloured = out_coloured(f);
	size_t columns = columns_of(f), taken = out_width(code) + 5;

	out_cut(line, columns > taken ? columns - taken : columns);
	(void)fprintf(f, "\r\033[K%c %s%s%s  %s", turning[w->frame++ % 4],
	    coloured ? "\033[1m" : "", code, coloured ? "\033[0m" : "", line);
	(void)fflush(f);
}

static void
line_clear(const struct waiting *w)
{
	if (w->moving)
		(void)fputs("\r\033[K", w->api->cli->err);
}

/* Tell how it stands: on a terminal always, else if it changed. */
static void
progress(struct waiting *w)
{
	const struct cli *cli = w->api->cli;
	const char *state = api_str(w->request, "state");
	struct lb_buf line = { 0 }, code = { 0 }, safe = { 0 };
	const char *s = api_str(w->request, "code");

	if (cli->quiet || w->request == NULL ||
	    (!w->moving && strcmp(w->state, state) == 0))
		return;
	if (wait_line(w->request, lb_clock_now(), &line) == LB_OK &&
	    out_escape(line.data, line.len, &safe) == LB_OK &&
	    lb_buf_add(&code, "", 0) == LB_OK &&
	    out_escape(s, strlen(s), &code) == LB_OK) {
		if (w->moving)
			line_draw(w, code.data, safe.data);
		else
			out_line(cli->err, "%s  %s  %s", s, state, line.data);
	}
	(void)snprintf(w->state, sizeof(w->state), "%s", state);
	lb_buf_clear(&code);
	lb_buf_clear(&safe);
	lb_buf_clear(&line);
}

/* Sleep until the next look, a little longer each time, and show it. */
static void
rest(struct waiting *w)
{
	int64_t left = w->until != 0 ? w->until - lb_clock_now() : w->interval;

	if (left > w->interval)
		left = w->interval;
	for (; left > 0 && interrupted == 0; left--) {
		progress(w);
		(void)sleep(1);
	}
	if (w->interval < WAIT_POLL_MOST)
		w->interval++;
}

/* Wait on in a session of its own length, which may be shorter. */
static int
session_renew(struct api *api)
{
	if (signin_renew(api) == ENDING_DONE)
		return ENDING_DONE;
	/* Not 77: nobody said no to the request. */
	return out_fail(api->cli, ENDING_LATER,
	    "the session is over and could not be renewed; the request stays "
	    "open");
}

/*
 * One look. A broker that is away for a moment does not end the waiting: then
 * the ending is ENDING_LATER as long as there are tries.
 */
static int
look(struct waiting *w)
{
	json_t *request = NULL;
	int rv;

	if ((rv = session_renew(w->api)) != ENDING_DONE) {
		w->tries = 0;
		return rv;
	}
	rv = request_get(w->api, w->id, &request);
	if (rv == ENDING_DONE && w->sha256 != NULL &&
	    strcmp(api_str(request, "sha256"), w->sha256) != 0) {
		json_decref(request);
		w->tries = 0;
		return out_fail(w->api->cli, ENDING_FAILED,
		    "the broker shows another request under this id than was "
		    "sent");
	}
	if (rv == ENDING_DONE) {
		json_decref(w->request);
		w->request = request;
		w->tries = WAIT_TRIES;
		return request_ending(api_str(request, "state"));
	}
	if (rv != ENDING_UNAVAILABLE && rv != ENDING_LATER)
		w->tries = 0;
	else if (w->tries > 0)
		w->tries--;
	return w->tries > 0 ? ENDING_LATER : rv;
}

static int
look_until(struct waiting *w)
{
	int rv;

	for (;;) {
		line_clear(w); /* what look may say has a line of its own */
		rv = look(w);
		if (rv != ENDING_LATER || w->tries == 0)
			return rv;
		if (w->until != 0 && lb_clock_now() >= w->until)
			return ENDING_TIMEOUT;
		rest(w);
		if (interrupted != 0)
			return ENDING_INTERRUPTED;
	}
}

int
wait_decided(struct api *api, const char *id, const char *sha256, int64_t until,
    json_t **ret)
{
	const struct cli *cli = api->cli;
	struct waiting w = { .api = api,
		.id = id,
		.sha256 = sha256,
		.until = until,
		.interval = WAIT_POLL_FIRST,
		.tries = WAIT_TRIES,
		.moving =
		    !cli->quiet && !cli->verbose && out_moving(cli->err) };
	struct sigaction before;
	int rv;

	interrupt_catch(&before);
	rv = look_until(&w);
	(void)sigaction(SIGINT, &before, NULL); /* cannot fail */
	line_clear(&w);
	if (rv == ENDING_TIMEOUT)
		out_fail(cli, rv, "nobody decided in time");
	if (rv == ENDING_TIMEOUT || rv == ENDING_LATER ||
	    rv == ENDING_INTERRUPTED) {
		out_note(cli, "the request stays open");
		out_hint(cli, "lockbox request wait %s", id);
		out_hint(cli, "or take it back: lockbox request cancel %s", id);
	}
	*ret = w.request;
	return rv;
}

static void
ended_hint(const struct cli *cli, const json_t *request)
{
	const char *state = api_str(request, "state");
	const json_t *login =
	    json_array_get(json_object_get(request, "logins"), 0);
	const json_t *host =
	    json_array_get(json_object_get(request, "hosts"), 0);

	if (strcmp(state, "active") == 0 && json_is_string(login) &&
	    json_is_string(host))
		out_hint(cli, "ssh %s@%s", json_string_value(login),
		    json_string_value(host));
	else if (request_ending(state) == ENDING_DENIED)
		out_hint(cli,
		    "ask again with 'lockbox request create' if it "
		    "is still needed");
}

int
wait_print(struct api *api, const char *id, const char *sha256, int64_t until)
{
	json_t *request = NULL;
	int rv;

	rv = wait_decided(api, id, sha256, until, &request);
	if (request != NULL) {
		(void)request_print(api->cli, request);
		ended_hint(api->cli, request);
	}
	json_decref(request);
	return rv;
}
