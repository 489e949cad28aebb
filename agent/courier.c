/* The courier's clients: one question each. */
#include "courier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lockbox/clock.h"

#include "journal.h"

#define READ_MS 5000 /* that a client may take to say what it wants */

struct client {
	struct courier *courier;
	struct client *next;
	int fd;
	uint8_t head[FRAME_ASK_HEAD];
	size_t head_got;
	struct frame_ask ask;
	char *body;
	size_t body_len, body_got;
	struct fetch_job *job;
	uint8_t *out; /* the whole outcome, once there is one */
	size_t out_len, sent;
	int64_t due_ms; /* to have said what it wants, to have taken it */
};

struct courier {
	int listen_fd;
	uid_t agent_uid;
	struct fetch *fetch;
	struct client *clients;
	unsigned int count;
	struct curl_waitfd waits[COURIER_CLIENTS_MAX + 2];
	struct client *waiting[COURIER_CLIENTS_MAX];
};

enum lb_err
courier_new(
    int listen_fd, uid_t agent_uid, struct fetch *fetch, struct courier **ret)
{
	struct courier *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return LB_ERR_MEMORY;
	c->listen_fd = listen_fd;
	c->agent_uid = agent_uid;
	c->fetch = fetch;
	*ret = c;
	return LB_OK;
}

static void
client_free(struct client *cl)
{
	struct client **at = &cl->courier->clients;

	while (*at != cl)
		at = &(*at)->next;
	*at = cl->next;
	cl->courier->count--;
	if (cl->job != NULL)
		fetch_cancel(cl->job);
	(void)close(cl->fd); /* it has its outcome, or wants none */
	free(cl->body);
	free(cl->out);
	free(cl);
}

void
courier_free(struct courier *c)
{
	if (c == NULL)
		return;
	while (c->clients != NULL)
		client_free(c->clients);
	fetch_free(c->fetch);
	(void)close(c->listen_fd); /* nobody is taken any more */
	free(c);
}

/* How a client gets its outcome; without memory it gets a hang-up. */
static void
have_outcome(
    void *arg, enum frame_outcome outcome, const char *text, size_t len)
{
	struct client *cl = arg;

	cl->job = NULL;
	cl->due_ms = lb_clock_boottime_ms() + READ_MS;
	cl->out = malloc(FRAME_SAY_HEAD + len);
	if (cl->out == NULL) {
		cl->due_ms = 0;
		return;
	}
	frame_say_put(outcome, len, cl->out);
	memcpy(cl->out + FRAME_SAY_HEAD, text, len);
	cl->out_len = FRAME_SAY_HEAD + len;
	if (outcome != FRAME_OK)
		journal(LOG_INFO, "%s: %s", frame_outcome_code(outcome), text);
}

static bool
allowed(const struct courier *c, int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    len == sizeof(who) && (who.uid == 0 || who.uid == c->agent_uid);
}

static void
take_clients(struct courier *c)
{
	struct client *cl;
	int fd;

	while (c->count < COURIER_CLIENTS_MAX) {
		fd = accept4(
		    c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		cl = allowed(c, fd) ? calloc(1, sizeof(*cl)) : NULL;
		if (cl == NULL) {
			(void)close(fd); /* not the agent, or no memory */
			continue;
		}
		cl->courier = c;
		cl->fd = fd;
		cl->due_ms = lb_clock_boottime_ms() + READ_MS;
		cl->next = c->clients;
		c->clients = cl;
		c->count++;
	}
}

/* Up to want bytes; LB_ERR_STATE: the rest is not there yet. */
static enum lb_err
receive(int fd, void *to, size_t want, size_t *got)
{
	ssize_t n;

	while (*got < want) {
		n = recv(fd, (char *)to + *got, want - *got, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? LB_ERR_STATE : LB_ERR_PEER;
		if (n == 0)
			return LB_ERR_PEER;
		*got += (size_t)n;
	}
	return LB_OK;
}

static enum lb_err
receive_ask(struct client *cl)
{
	enum lb_err r;

	if ((r = receive(cl->fd, cl->head, sizeof(cl->head), &cl->head_got)) !=
	    LB_OK)
		return r;
	if (cl->body == NULL) {
		if ((r = frame_ask_get(cl->head, &cl->ask, &cl->body_len)) !=
		    LB_OK)
			return r;
		cl->body = malloc(cl->body_len + 1);
		if (cl->body == NULL)
			return LB_ERR_MEMORY;
	}
	return receive(cl->fd, cl->body, cl->body_len, &cl->body_got);
}

static enum lb_err
send_outcome(struct client *cl)
{
	ssize_t n;

	while (cl->sent < cl->out_len) {
		n = send(cl->fd, cl->out + cl->sent, cl->out_len - cl->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? LB_ERR_STATE : LB_ERR_PEER;
		cl->sent += (size_t)n;
	}
	return LB_OK;
}

/* Something can be done for this one. LB_OK: it is finished. */
static enum lb_err
serve(struct client *cl)
{
	char extra;
	enum lb_err r;

	if (cl->out != NULL)
		return send_outcome(cl);
	if (cl->job != NULL) /* it is to wait: it hung up */
		return recv(cl->fd, &extra, 1, MSG_DONTWAIT) < 0 &&
			errno == EAGAIN
		    ? LB_ERR_STATE
		    : LB_ERR_PEER;
	if ((r = receive_ask(cl)) != LB_OK)
		return r;
	r = fetch_start(cl->courier->fetch, &cl->ask, cl->body, cl->body_len,
	    have_outcome, cl, &cl->job);
	if (r == LB_ERR_MEMORY) {
		have_outcome(cl, FRAME_BUSY, "out of memory", 13);
		return LB_ERR_STATE;
	}
	return r == LB_OK ? LB_ERR_STATE : r;
}

static unsigned int
gather(struct courier *c, int wake_fd)
{
	struct client *cl;
	unsigned int n = 0;

	for (cl = c->clients; cl != NULL; cl = cl->next) {
		c->waiting[n] = cl;
		c->waits[n++] = (struct curl_waitfd){ .fd = cl->fd,
			.events = cl->out != NULL ? CURL_WAIT_POLLOUT
						  : CURL_WAIT_POLLIN };
	}
	c->waits[n] =
	    (struct curl_waitfd){ .fd = wake_fd, .events = CURL_WAIT_POLLIN };
	/* A full house does not listen. */
	c->waits[n + 1] = (struct curl_waitfd){ .fd = c->listen_fd,
		.events =
		    c->count < COURIER_CLIENTS_MAX ? CURL_WAIT_POLLIN : 0 };
	return n;
}

/* Outcomes made in the turn are sent at once, not a turn later. */
static void
serve_all(struct courier *c, unsigned int n)
{
	int64_t now = lb_clock_boottime_ms();
	enum lb_err r;

	for (unsigned int i = 0; i < n; i++) {
		struct client *cl = c->waiting[i];

		r = LB_ERR_STATE;
		if (c->waits[i].revents != 0 || cl->out != NULL)
			r = serve(cl);
		if (r == LB_ERR_STATE && cl->job == NULL && cl->due_ms <= now)
			r = LB_ERR_TIMEOUT;
		if (r == LB_ERR_FORMAT)
			journal(LOG_WARNING, "a frame that is none");
		if (r != LB_ERR_STATE)
			client_free(cl);
	}
}

enum lb_err
courier_turn(struct courier *c, int wake_fd, int timeout_ms, bool *ret_woken)
{
	unsigned int n = gather(c, wake_fd);
	enum lb_err r;

	if ((r = fetch_turn(c->fetch, c->waits, n + 2, timeout_ms)) != LB_OK)
		return r;
	*ret_woken = c->waits[n].revents != 0;
	if (c->waits[n + 1].revents != 0)
		take_clients(c);
	serve_all(c, n);
	return LB_OK;
}
