/*
 * HTTPS over libmicrohttpd: epoll, a small pool of threads, TLS by GnuTLS, a
 * small memory limit per connection. Bodies are gathered up to their route's
 * cap; nothing is parsed here.
 */
#include "server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <microhttpd.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"

#include "headers.h"
#include "links.h"
#include "log.h"
#include "route.h"

#define PEM_MAX        65536
#define HELD_BACK_MAX  8192 /* bytes of a body: always room in a socket */
#define CONNECTION_MEM 4096 /* bytes: also what headers may take */
#define PATH_MAX_CHARS 1024
#define LISTEN_BACKLOG 512
#define STOP_WAIT_MS   5000
#define STOP_STEP_MS   20
#define TLS_PRIORITIES                                                         \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:"              \
	"+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM:%SERVER_PRECEDENCE"

struct server {
	struct app *app;
	struct MHD_Daemon *daemon;
	struct links *links;
	struct lb_buf cert, key;
	int fd;
	unsigned int port;
	atomic_size_t busy; /* exchanges there are */
	atomic_bool ending;
};

/* One request on its way. */
struct exchange {
	const struct route *route;
	struct call call;
	struct reply reply;
	struct lb_buf body;
	char address[INET6_ADDRSTRLEN + 1];
	bool bad_query, bad_body, bad_header;
	struct waiter waiter;
};

static void
peer_address(struct MHD_Connection *c, char ret[INET6_ADDRSTRLEN + 1])
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info != NULL ? info->client_addr : NULL;

	(void)snprintf(ret, INET6_ADDRSTRLEN + 1, "unknown");
	if (sa == NULL)
		return;
	if (sa->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr,
		    ret, INET6_ADDRSTRLEN + 1);
	else
		(void)inet_ntop(AF_INET,
		    &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		    ret, INET6_ADDRSTRLEN + 1);
}

static bool
header_add(void *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value) == MHD_YES;
}

static const char *
header(struct MHD_Connection *c, const char *name)
{
	return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static gnutls_session_t
tls_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
}

/*
 * libmicrohttpd sends head and body each in a TLS record and a system call of
 * its own. Held back they go out as one, in completed(). Only for hosts, who
 * ask most and keep their connection: one that libmicrohttpd closes after the
 * reply is closed before completed().
 */
static void
hold_back(struct MHD_Connection *c, const struct exchange *x)
{
	gnutls_session_t tls = tls_of(c);

	if (tls != NULL && x->route->who == ROUTE_HOST &&
	    header(c, "Connection") == NULL &&
	    x->reply.body.len <= HELD_BACK_MAX)
		gnutls_record_cork(tls);
}

/*
 * A peer that has not taken earlier replies leaves no room for this one, which
 * nobody would send later: such a connection ends.
 */
static bool
let_go(struct MHD_Connection *c)
{
	gnutls_session_t tls = tls_of(c);
	const union MHD_ConnectionInfo *info;

	if (tls == NULL || gnutls_record_uncork(tls, 0) >= 0)
		return true;
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL)
		(void)shutdown(info->connect_fd, SHUT_RDWR);
	return false;
}

/* Its body belongs to the response from then on. */
static struct MHD_Response *
response_make(struct reply *reply)
{
	struct MHD_Response *r;

	if (reply->still != NULL)
		/* Only read: libmicrohttpd takes it non-const. */
		return MHD_create_response_from_buffer(reply->still_len,
		    (void *)(uintptr_t)reply->still, MHD_RESPMEM_PERSISTENT);
	r = MHD_create_response_from_buffer(
	    reply->body.len, reply->body.data, MHD_RESPMEM_MUST_FREE);
	if (r != NULL)
		memset(&reply->body, 0, sizeof(reply->body)); /* handed over */
	return r;
}

/* Hand the reply over. */
static enum MHD_Result
queue(
    struct server *s, struct MHD_Connection *c, struct reply *reply, bool last)
{
	struct MHD_Response *r;
	enum MHD_Result rv = MHD_NO;

	metrics_count(&s->app->metrics.http[reply->status / 100 % 6]);
	r = response_make(reply);
	if (r == NULL)
		return MHD_NO;
	if (headers_each(reply, header_add, r) &&
	    (!last || header_add(r, "Connection", "close")))
		rv = MHD_queue_response(c, reply->status, r);
	MHD_destroy_response(r);
	return rv;
}

/* Refuse before or instead of the handler. */
static enum MHD_Result
refuse(struct server *s, struct MHD_Connection *c, struct exchange *x,
    const char *code, const char *detail, bool last)
{
	enum lb_err r = reply_refuse(&x->reply, code, "%s", detail);

	reply_problem(&x->reply, r);
	return queue(s, c, &x->reply, last);
}

static enum MHD_Result
query_take(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *x = arg;

	(void)kind;
	if (name == NULL || route_query(&x->call.query, name, value) != LB_OK)
		x->bad_query = true;
	return x->bad_query ? MHD_NO : MHD_YES;
}

static enum MHD_Result
header_take(
    void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct exchange *x = arg;

	(void)kind;
	x->bad_header = headers_take(&x->call, name, value) != LB_OK;
	return x->bad_header ? MHD_NO : MHD_YES;
}

/* Does a browser ask whether a page of another origin may call? */
static bool
preflight(struct server *s, struct MHD_Connection *c, const char *method,
    const char *url, struct reply *reply)
{
	const char *wanted = header(c, "Access-Control-Request-Method");
	const char *origin = header(c, "Origin");

	return strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0 && wanted != NULL &&
	    origin != NULL &&
	    route_preflight(s->app, wanted, url, origin, reply);
}

/* What the head alone says is wrong; NULL: nothing. */
static const char *
head_wrong(struct MHD_Connection *c, struct exchange *x, const char *method,
    const char *url)
{
	const char *length = header(c, "Content-Length");
	int64_t n;

	if (strlen(url) > PATH_MAX_CHARS)
		return "uri_too_long";
	x->route = route_find(method, url, x->call.arg, x->reply.allow);
	if (x->route == NULL)
		return x->reply.allow[0] != '\0' ? "wrong_method" : "not_found";
	if (length != NULL && header(c, "Transfer-Encoding") != NULL)
		return "bad_request";
	if (length != NULL &&
	    (lb_number_parse(length, 0, INT64_MAX, &n) != LB_OK ||
		(uint64_t)n > route_body_max(x->route)))
		return "too_large";
	if (!route_takes(x->route, header(c, "Content-Type")))
		return "wrong_type";
	return NULL;
}

static enum MHD_Result
exchange_begin(struct server *s, struct MHD_Connection *c, const char *method,
    const char *url, const char *version, struct exchange **ret)
{
	struct exchange *x = calloc(1, sizeof(*x));
	const char *wrong;

	if (x == NULL)
		return MHD_NO;
	*ret = x; /* freed in completed() */
	(void)atomic_fetch_add(&s->busy, 1);
	peer_address(c, x->address);
	x->call.query.limit = 50;
	if (preflight(s, c, method, url, &x->reply))
		return queue(s, c, &x->reply, false);
	wrong = strcmp(version, MHD_HTTP_VERSION_1_1) != 0
	    ? "bad_request"
	    : head_wrong(c, x, method, url);
	if (wrong != NULL)
		return refuse(s, c, x, wrong, "", true);
	x->body.max = route_body_max(x->route);
	(void)MHD_get_connection_values(
	    c, MHD_GET_ARGUMENT_KIND, query_take, x);
	if (x->bad_query)
		return refuse(s, c, x, "bad_query", "", true);
	return MHD_YES;
}

static void
suspend(struct waiter *x)
{
	MHD_suspend_connection(x->arg);
}

/* access_one is called again then, in the connection's own thread. */
static void
resume(struct waiter *x)
{
	MHD_resume_connection(x->arg);
}

static void
waiter_init(struct waiter *x, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

	x->fd = info != NULL ? info->connect_fd : -1;
	x->suspend = suspend;
	x->resume = resume;
	x->arg = c;
}

/* What it waits with is kept as long: no more of it than there is. */
static void
wait_small(struct exchange *x)
{
	if (lb_buf_fit(&x->body) == LB_OK && x->body.data != NULL)
		x->call.body = x->body.data;
}

/* Run the handler; if it wants to wait, park, unless it was woken already. */
static enum MHD_Result
exchange_run(struct server *s, struct MHD_Connection *c, struct exchange *x)
{
	bool last;

	route_run(s->app, x->route, &x->call, &x->reply);
	if (x->reply.waits) {
		x->reply.waits = false;
		x->call.late = true;
		wait_small(x);
		if (wake_park(s->app->wake, &x->waiter))
			return MHD_YES;
		route_run(s->app, x->route, &x->call, &x->reply);
	}
	last = atomic_load(&s->ending);
	if (!last)
		hold_back(c, x);
	return queue(s, c, &x->reply, last);
}

static enum MHD_Result
exchange_end(struct server *s, struct MHD_Connection *c, struct exchange *x)
{
	if (x->bad_body)
		return refuse(s, c, x, "too_large", "", true);
	x->call.body = x->body.data != NULL ? x->body.data : "";
	x->call.body_len = x->body.len;
	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, header_take, x);
	if (x->bad_header)
		return refuse(s, c, x, "bad_request", "a header twice", true);
	x->call.address = x->address;
	x->call.waiter = &x->waiter;
	waiter_init(&x->waiter, c);
	return exchange_run(s, c, x);
}

/* The connection's entry among the links; may be NULL. */
static struct link *
link_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* A connection comes or goes. */
static void
connected(void *cls, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct server *s = cls;
	const union MHD_ConnectionInfo *info;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		links_close(s->links, *context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL)
		*context = links_open(
		    s->links, info->connect_fd, lb_clock_boottime_ms());
}

static enum MHD_Result
access_one(void *cls, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *data, size_t *len,
    void **state)
{
	struct server *s = cls;
	struct exchange *x = *state;

	if (x == NULL) {
		links_wait(s->links, link_of(c), lb_clock_boottime_ms());
		return exchange_begin(
		    s, c, method, url, version, (struct exchange **)state);
	}
	if (*len > 0) {
		/* Too much without a Content-Length: read on, keep nothing. A
		 * ceiling of 0 would be none at all. */
		if (!x->bad_body &&
		    (x->body.max == 0 ||
			lb_buf_add(&x->body, data, *len) != LB_OK)) {
			x->bad_body = true;
			lb_buf_clear(&x->body);
		}
		*len = 0;
		return MHD_YES;
	}
	links_wait(s->links, link_of(c), 0);
	if (!x->call.late)
		return exchange_end(s, c, x);
	/* Resumed. */
	if (x->waiter.cause == WAKE_GONE)
		return MHD_NO;
	return exchange_run(s, c, x);
}

static void
completed(void *cls, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct server *s = cls;
	struct exchange *x = *state;
	bool sent;

	if (x == NULL)
		return;
	sent = let_go(c) && why == MHD_REQUEST_TERMINATED_COMPLETED_OK;
	wake_leave(s->app->wake, &x->waiter);
	if (!sent && x->reply.status != 0)
		wake_untold(s->app->wake, &x->waiter);
	(void)atomic_fetch_sub(&s->busy, 1);
	reply_clear(&x->reply);
	lb_buf_clear(&x->body);
	free(x);
	*state = NULL;
}

static void __attribute__((format(printf, 2, 0)))
mhd_log(void *cls, const char *fmt, va_list ap)
{
	char text[300];

	(void)cls;
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	LOG_DBG("http: %s", text);
}

/* "ADDRESS:PORT" or "[ADDRESS]:PORT", numeric. */
static enum lb_err
listen_open(const char *listen_on, int *ret_fd, unsigned int *ret_port)
{
	char text[CONFIG_LISTEN_MAX], *host = text, *colon;
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
		    AI_PASSIVE,
		.ai_socktype = SOCK_STREAM },
			*ai = NULL;
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd = -1, on = 1;
	enum lb_err r = LB_ERR_FORMAT;

	(void)snprintf(text, sizeof(text), "%s", listen_on);
	colon = strrchr(text, ':');
	if (colon == NULL)
		return r;
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		host++;
		colon[-1] = '\0';
	}
	if (getaddrinfo(host, colon + 1, &hints, &ai) != 0)
		return r;
	r = LB_ERR_IO;
	fd = socket(
	    ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 ||
	    listen(fd, LISTEN_BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		goto out;
	*ret_port = ntohs(ss.ss_family == AF_INET6
		? ((struct sockaddr_in6 *)&ss)->sin6_port
		: ((struct sockaddr_in *)&ss)->sin_port);
	*ret_fd = fd;
	fd = -1; /* handed over */
	r = LB_OK;
out:
	if (fd >= 0)
		(void)close(fd);
	freeaddrinfo(ai);
	return r;
}

static struct MHD_Daemon *
daemon_start(struct server *s)
{
	const struct config *c = &s->app->conf;

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS |
		MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, access_one, s, MHD_OPTION_EXTERNAL_LOGGER, mhd_log,
	    NULL, MHD_OPTION_LISTEN_SOCKET, s->fd, MHD_OPTION_THREAD_POOL_SIZE,
	    (unsigned int)c->threads, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_MEM, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned int)c->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
	    (unsigned int)c->connections_per_address,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)c->timeout,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED,
	    completed, s, MHD_OPTION_NOTIFY_CONNECTION, connected, s,
	    MHD_OPTION_HTTPS_MEM_KEY, s->key.data, MHD_OPTION_HTTPS_MEM_CERT,
	    s->cert.data, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES,
	    MHD_OPTION_END);
}

enum lb_err
server_start(struct app *app, struct server **ret)
{
	const struct config *c = &app->conf;
	struct server *s = calloc(1, sizeof(*s));
	enum lb_err r;

	if (s == NULL)
		return LB_ERR_MEMORY;
	s->app = app;
	s->fd = -1;
	if ((r = links_new(&s->links)) != LB_OK)
		goto out;
	if ((r = lb_file_read_secret(
		 c->tls_key, geteuid(), PEM_MAX, &s->key)) != LB_OK) {
		LOG_ERR_R(r, "read TLS key '%s'", c->tls_key);
		goto out;
	}
	if ((r = lb_file_read_trusted(
		 c->tls_cert, geteuid(), PEM_MAX, &s->cert)) != LB_OK) {
		LOG_ERR_R(r, "read TLS certificate '%s'", c->tls_cert);
		goto out;
	}
	if ((r = listen_open(c->listen, &s->fd, &s->port)) != LB_OK) {
		LOG_ERR_R(r, "listen on '%s'", c->listen);
		goto out;
	}
	s->daemon = daemon_start(s);
	if (s->daemon == NULL) {
		LOG_ERROR("start the HTTPS server: key and certificate '%s'?",
		    c->tls_cert);
		r = LB_ERR_IO;
		goto out;
	}
	*ret = s;
	s = NULL; /* handed over */
out:
	server_stop(s);
	return r;
}

unsigned int
server_port(const struct server *s)
{
	return s->port;
}

void
server_sweep(struct server *s)
{
	size_t n = links_sweep(s->links, lb_clock_boottime_ms());

	if (n > 0)
		LOG_DBG("http: shut %zu slow connections", n);
}

/* Requests in flight are answered, those that wait at once; connections
 * without one are just closed. */
static void
drain(struct server *s)
{
	atomic_store(&s->ending, true);
	wake_end(s->app->wake);
	for (int waited = 0; waited < STOP_WAIT_MS; waited += STOP_STEP_MS) {
		if (atomic_load(&s->busy) == 0)
			return;
		(void)usleep(STOP_STEP_MS * 1000);
	}
}

void
server_stop(struct server *s)
{
	MHD_socket fd = MHD_INVALID_SOCKET;

	if (s == NULL)
		return;
	if (s->daemon != NULL) {
		fd = MHD_quiesce_daemon(s->daemon);
		drain(s);
		MHD_stop_daemon(s->daemon);
	}
	if (fd != MHD_INVALID_SOCKET)
		(void)close(fd);
	else if (s->fd >= 0 && s->daemon == NULL)
		(void)close(s->fd);
	links_free(s->links);
	lb_buf_clear(&s->key);
	lb_buf_clear(&s->cert);
	free(s);
}
