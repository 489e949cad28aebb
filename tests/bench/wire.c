/* HTTP/1.1 over GnuTLS, as much of it as the broker's own answers need. */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BROKER_NAME "lockbox.provider.localhost" /* demo/world.py */

static void __attribute__((noreturn)) fail(const char *what, const char *why)
{
	fprintf(
	    stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

static int
dial(unsigned int port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	int fd, on = 1;

	sa.sin_port = htons((uint16_t)port);
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		fail("connect", "refused");
	return fd;
}

struct wire *
wire_open(gnutls_certificate_credentials_t trust, unsigned int port)
{
	struct wire *w = calloc(1, sizeof(*w));
	int rc;

	if (w == NULL)
		fail("connect", "no memory");
	w->fd = dial(port);
	if (gnutls_init(&w->tls, GNUTLS_CLIENT) != 0 ||
	    gnutls_set_default_priority(w->tls) != 0 ||
	    gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, trust) != 0)
		fail("connect", "TLS cannot be set up");
	gnutls_session_set_verify_cert(w->tls, BROKER_NAME, 0);
	gnutls_transport_set_int(w->tls, w->fd);
	do
		rc = gnutls_handshake(w->tls);
	while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
	if (rc < 0)
		fail("TLS handshake", gnutls_strerror(rc));
	return w;
}

void
wire_close(struct wire *w)
{
	if (w == NULL)
		return;
	(void)gnutls_bye(w->tls, GNUTLS_SHUT_WR); /* nothing is left to say */
	gnutls_deinit(w->tls);
	(void)close(w->fd);
	free(w);
}

void
wire_post(struct wire *w, const char *path, const char *body, size_t len)
{
	char text[8192];
	ssize_t rc;
	int n;

	w->in_len = 0;
	n = snprintf(text, sizeof(text),
	    "POST %s HTTP/1.1\r\nHost: " BROKER_NAME "\r\n"
	    "Content-Type: text/plain\r\nAccept: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n%.*s",
	    path, len, (int)len, body);
	if (n < 0 || (size_t)n >= sizeof(text))
		fail("post", "too long");
	rc = gnutls_record_send(w->tls, text, (size_t)n);
	if (rc != n)
		fail("post", gnutls_strerror((int)rc));
}

/* What is readable may be TLS's own: a ticket. */
bool
wire_heard(struct wire *w)
{
	ssize_t n;

	(void)fcntl(w->fd, F_SETFL, O_NONBLOCK);
	n = gnutls_record_recv(
	    w->tls, w->in + w->in_len, WIRE_MAX - 1 - w->in_len);
	(void)fcntl(w->fd, F_SETFL, 0);
	if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
		return false;
	if (n <= 0)
		fail("answer", n == 0 ? "cut off" : gnutls_strerror((int)n));
	w->in_len += (size_t)n;
	w->in[w->in_len] = '\0';
	return true;
}

/* Read until there are so many bytes. */
static void
fetch(struct wire *w, size_t want)
{
	ssize_t n;

	if (want >= WIRE_MAX)
		fail("answer", "too long");
	while (w->in_len < want) {
		n = gnutls_record_recv(
		    w->tls, w->in + w->in_len, WIRE_MAX - 1 - w->in_len);
		if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
			continue;
		if (n <= 0)
			fail("answer",
			    n == 0 ? "cut off" : gnutls_strerror((int)n));
		w->in_len += (size_t)n;
	}
	w->in[w->in_len] = '\0';
}

const char *
wire_take(struct wire *w, size_t *ret_len)
{
	static const char ok[] = "HTTP/1.1 200 ", length[] = "Content-Length: ";
	const char *end, *p;
	size_t head, body;

	while (w->in_len == 0 || (end = strstr(w->in, "\r\n\r\n")) == NULL)
		fetch(w, w->in_len + 1);
	head = (size_t)(end - w->in) + 4;
	p = strcasestr(w->in, length);
	if (strncmp(w->in, ok, sizeof(ok) - 1) != 0 || p == NULL || p > end)
		fail("answer", w->in);
	body = strtoul(p + sizeof(length) - 1, NULL, 10);
	fetch(w, head + body);
	if (w->in_len != head + body)
		fail("answer", "something trails");
	*ret_len = body;
	return w->in + head;
}
