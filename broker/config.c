/* broker.conf as a table. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/papers.h"

#include "origin.h"

#define DAY (24 * 60 * 60)

#define TEXT(word, must)                                                       \
	{                                                                      \
		.name = #word, .kind = LB_CONF_TEXT, .required = must,         \
		.offset = offsetof(struct config, word), .least = must,        \
		.size = sizeof(((struct config *)0)->word)                     \
	}
#define PATH(word, must)                                                       \
	{                                                                      \
		.name = #word, .kind = LB_CONF_PATH, .required = must,         \
		.offset = offsetof(struct config, word),                       \
		.size = sizeof(((struct config *)0)->word)                     \
	}
#define COUNT(word, from, to)                                                  \
	{                                                                      \
		.name = #word, .kind = LB_CONF_NUMBER,                         \
		.offset = offsetof(struct config, word), .least = from,        \
		.most = to                                                     \
	}
#define SPAN(word, from, to)                                                   \
	{                                                                      \
		.name = #word, .kind = LB_CONF_SPAN,                           \
		.offset = offsetof(struct config, word), .least = from,        \
		.most = to                                                     \
	}

const struct lb_conf_option config_options[] = {
	TEXT(name, 1),
	TEXT(url, 1),
	TEXT(listen, 0),
	PATH(tls_cert, 1),
	PATH(tls_key, 1),
	PATH(ca, 0),
	PATH(key, 1),
	PATH(secret, 1),
	PATH(database, 1),
	SPAN(session, 600, DAY),
	SPAN(endorse_ttl, 60, 7 * DAY),
	SPAN(approve_ttl, 60, 7 * DAY),
	SPAN(grant_ttl, LB_DURATION_MIN, LB_GRANT_SPAN_MAX),
	COUNT(rate_signin, 1, 1000000),
	COUNT(rate_request, 1, 1000000),
	COUNT(rate_enrol, 1, 1000000),
	COUNT(rate_decision, 1, 1000000),
	COUNT(rate_read, 1, 10000000),
	COUNT(rate_report, 1, 10000000),
	COUNT(threads, 2, 32),
	COUNT(connections, 16, 100000),
	COUNT(connections_per_address, 0, 100000),
	SPAN(timeout, 5, 3600),
	SPAN(watch, 1, 55),
	{ .name = "metrics",
	    .kind = LB_CONF_BOOL,
	    .offset = offsetof(struct config, metrics) },
	{ 0 },
};

void
config_init(struct config *c)
{
	*c = (struct config){
		.listen = "127.0.0.1:8443",
		.session = 60 * 60,
		.endorse_ttl = 2 * 60 * 60,
		.approve_ttl = 12 * 60 * 60,
		.grant_ttl = 4 * 60 * 60,
		.rate_signin = 240,
		.rate_request = 20,
		.rate_enrol = 60,
		.rate_decision = 1200,
		.rate_read = 36000,
		.rate_report = 3600,
		.threads = 4,
		.connections = 4096,
		.connections_per_address = 0,
		.timeout = 120,
		.watch = 50,
		.metrics = true,
	};
}

static enum lb_err
wrong(struct lb_conf_error *e, const char *what)
{
	e->line = 0;
	(void)snprintf(e->what, sizeof(e->what), "%s", what);
	return LB_ERR_FORMAT;
}

enum lb_err
config_load(
    const char *path, struct config *ret, struct lb_conf_error *ret_error)
{
	struct config c;
	enum lb_err r;

	config_init(&c);
	memset(ret_error, 0, sizeof(*ret_error));
	if ((r = lb_conf_load(
		 config_options, path, geteuid(), &c, ret_error)) != LB_OK)
		return r;
	if (!lb_name_valid(c.name))
		return wrong(ret_error, "name: not a broker's name");
	if (origin_of_url(c.url, c.origin, c.rp_id) != LB_OK)
		return wrong(ret_error, "url: not https://HOST[:PORT]");
	*ret = c;
	return LB_OK;
}
