/* broker.conf as a table. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/https.h"
#include "lockbox/papers.h"

#include "origin.h"
#include "address.h"
#include "rows.h"

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
#define SWITCH(word)                                                           \
	{                                                                      \
		.name = #word, .kind = LB_CONF_BOOL,                           \
		.offset = offsetof(struct config, word)                        \
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
	SWITCH(metrics),
	TEXT(smtp, 0),
	TEXT(smtp_from, 0),
	TEXT(smtp_user, 0),
	PATH(smtp_password_file, 0),
	TEXT(smtp_tls, 0),
	PATH(smtp_ca, 0),
	SWITCH(mail_links),
	PATH(webhook_ca, 0),
	SWITCH(webhook_private),
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
		.smtp_tls = "required",
		.smtp_ca = LB_HTTPS_CA_SYSTEM,
		.mail_links = true,
		.webhook_ca = LB_HTTPS_CA_SYSTEM,
	};
}

static enum lb_err
wrong(struct lb_conf_error *e, const char *what)
{
	e->line = 0;
	(void)snprintf(e->what, sizeof(e->what), "%s", what);
	return LB_ERR_FORMAT;
}

/* "HOST:PORT": a name, or an address in its one spelling. */
static bool
place_valid(const char *s)
{
	char url[CONFIG_PATH_MAX + 16] = "https://";
	struct target t;

	if (strpbrk(s, "/?") != NULL || strrchr(s, ':') == NULL ||
	    lb_text_copy(url + 8, sizeof(url) - 8, s) != LB_OK)
		return false;
	return address_url(url, true, &t) == LB_OK;
}

static bool
is_loopback(const char *place)
{
	return strncmp(place, "127.0.0.1:", 10) == 0 ||
	    strncmp(place, "[::1]:", 6) == 0;
}

/* Nothing about mail may be half right; NULL: it is. */
static const char *
mail_wrong(const struct config *c)
{
	bool never = strcmp(c->smtp_tls, "never") == 0;
	bool implicit = strncmp(c->smtp, "smtps://", 8) == 0;
	const char *place = c->smtp + (implicit ? 8 : 7);

	if (!never && strcmp(c->smtp_tls, "required") != 0)
		return "smtp_tls: required or never";
	if (c->smtp[0] == '\0')
		return c->smtp_from[0] != '\0' || c->smtp_user[0] != '\0'
		    ? "smtp: missing"
		    : NULL;
	if (!implicit && strncmp(c->smtp, "smtp://", 7) != 0)
		return "smtp: must begin with smtp:// or smtps://";
	if (!place_valid(place))
		return "smtp: not HOST:PORT";
	if (never && (implicit || !is_loopback(place)))
		return "smtp_tls: never is for a loopback address alone";
	if (!row_mail_valid(c->smtp_from))
		return "smtp_from: not a mail address";
	if ((c->smtp_user[0] == '\0') != (c->smtp_password_file[0] == '\0'))
		return "smtp_user and smtp_password_file belong together";
	if (never && c->smtp_user[0] != '\0')
		return "smtp_user: not without TLS";
	return NULL;
}

enum lb_err
config_load(
    const char *path, struct config *ret, struct lb_conf_error *ret_error)
{
	struct config c;
	const char *what;
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
	if (strncmp(c.url, "https://", 8) != 0)
		return wrong(ret_error, "url: must begin with https://");
	if ((what = mail_wrong(&c)) != NULL)
		return wrong(ret_error, what);
	*ret = c;
	return LB_OK;
}
