/* One exchange with the courier over its unix socket. */
#include "carrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct carrier {
	int fd;
	uint8_t *out; /* the whole ask */
	size_t out_len, sent;
	uint8_t head[FRAME_SAY_HEAD];
	size_t head_got;
	char *body; /* made when the head has told its length */
	size_t body_len, body_got;
	enum frame_outcome outcome;
};

static enum lb_err
connect_to(const char *path, int *ret_fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path))
		return LB_ERR_RANGE;
	memcpy(sun.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return LB_ERR_IO;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		(void)close(fd); /* never was connected */
		return LB_ERR_UNREACHABLE;
	}
	*ret_fd = fd;
	return LB_OK;
}

enum lb_err
carrier_new(const char *path, enum frame_op op, uint32_t timeout_ms,
    const char *body, size_t body_len, struct carrier **ret)
{
	const struct frame_ask ask = { op, timeout_ms };
	struct carrier *c = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (body_len > FRAME_BODY_MAX || timeout_ms == 0 ||
	    timeout_ms > FRAME_TIMEOUT_MS)
		return LB_ERR_RANGE;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return LB_ERR_MEMORY;
	c->fd = -1;
	c->out_len = FRAME_ASK_HEAD + body_len;
	c->out = malloc(c->out_len);
	if (c->out == NULL)
		goto out;
	frame_ask_put(&ask, body_len, c->out);
	memcpy(c->out + FRAME_ASK_HEAD, body, body_len);
	if ((r = connect_to(path, &c->fd)) != LB_OK)
		goto out;
	*ret = c;
	c = NULL; /* handed over */
out:
	carrier_free(c);
	return r;
}

void
carrier_free(struct carrier *c)
{
	if (c == NULL)
		return;
	if (c->fd >= 0)
		(void)close(c->fd); /* nothing left to say */
	free(c->out);
	free(c->body);
	free(c);
}

int
carrier_fd(const struct carrier *c)
{
	return c->fd;
}

uint32_t
carrier_events(const struct carrier *c)
{
	return c->sent < c->out_len ? EPOLLOUT : EPOLLIN;
}

static enum lb_err
send_more(struct carrier *c)
{
	ssize_t n;

	while (c->sent < c->out_len) {
		n = send(c->fd, c->out + c->sent, c->out_len - c->sent,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? LB_ERR_STATE : LB_ERR_PEER;
		c->sent += (size_t)n;
	}
	return LB_OK;
}

static enum lb_err
receive(struct carrier *c, void *to, size_t want, size_t *got)
{
	ssize_t n;

	while (*got < want) {
		n = recv(c->fd, (char *)to + *got, want - *got, MSG_DONTWAIT);
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
receive_head(struct carrier *c)
{
	enum lb_err r;

	if ((r = receive(c, c->head, sizeof(c->head), &c->head_got)) != LB_OK)
		return r;
	if (frame_say_get(c->head, &c->outcome, &c->body_len) != LB_OK)
		return LB_ERR_PEER;
	c->body = calloc(1, c->body_len + 1);
	return c->body == NULL ? LB_ERR_MEMORY : LB_OK;
}

enum lb_err
carrier_step(struct carrier *c)
{
	enum lb_err r;

	if ((r = send_more(c)) != LB_OK)
		return r;
	if (c->body == NULL && (r = receive_head(c)) != LB_OK)
		return r;
	return receive(c, c->body, c->body_len, &c->body_got);
}

enum frame_outcome
carrier_outcome(const struct carrier *c)
{
	return c->outcome;
}

const char *
carrier_text(const struct carrier *c, size_t *ret_len)
{
	*ret_len = c->body_len;
	return c->body;
}
