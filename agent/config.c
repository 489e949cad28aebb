/* The option tables of agent.conf and courier.conf. */
#include "config.h"

#include <string.h>

#include "lockbox/door.h"

static enum lb_err
check_host(void *conf, const char *value)
{
	(void)conf;
	return lb_host_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
check_broker(void *conf, const char *value)
{
	(void)conf;
	return lb_name_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
check_user(void *conf, const char *value)
{
	(void)conf;
	return lb_login_valid(value) && strcmp(value, "root") != 0
	    ? LB_OK
	    : LB_ERR_FORMAT;
}

/* https://AUTHORITY[/PATH] without blanks, query, fragment, user. */
static enum lb_err
check_url(void *conf, const char *value)
{
	const char *rest = value + strlen("https://");

	(void)conf;
	if (strncmp(value, "https://", strlen("https://")) != 0 ||
	    *rest == '\0' || *rest == '/' || value[strlen(value) - 1] == '/' ||
	    strpbrk(rest, " ?#@\\\"<>") != NULL)
		return LB_ERR_FORMAT;
	return LB_OK;
}

/* http://HOST[:PORT]: what goes through it is TLS all the same. */
static enum lb_err
check_proxy(void *conf, const char *value)
{
	const char *rest = value + strlen("http://");

	(void)conf;
	if (strncmp(value, "http://", strlen("http://")) != 0 ||
	    *rest == '\0' || strpbrk(rest, "/ ?#@\\\"<>") != NULL)
		return LB_ERR_FORMAT;
	return LB_OK;
}

/* Spans, each shorter than the one before; or "never". */
static enum lb_err
read_warn(void *conf, const char *value)
{
	struct config_agent *c = conf;
	char word[CONFIG_WARN];
	int64_t at[CONFIG_WARNINGS];
	size_t n = 0, len;
	enum lb_err r;

	for (; strcmp(value, "never") != 0 && *value != '\0'; n++) {
		len = strcspn(value, " ");
		if (n == CONFIG_WARNINGS || len >= sizeof(word))
			return LB_ERR_RANGE;
		memcpy(word, value, len);
		word[len] = '\0';
		if ((r = lb_span_parse(word, &at[n])) != LB_OK)
			return r;
		if (n > 0 && at[n] >= at[n - 1])
			return LB_ERR_FORMAT;
		value += len + strspn(value + len, " ");
	}
	memcpy(c->warn_at, at, n * sizeof(at[0]));
	c->warn_count = n;
	return LB_OK;
}

#define TEXT(s, name, req, check)                                              \
	{                                                                      \
#name, LB_CONF_TEXT, req, offsetof(struct s, name),            \
		    sizeof(((struct s *)0)->name), 1, 0, check                 \
	}
#define PATH(s, name, req)                                                     \
	{                                                                      \
#name, LB_CONF_PATH, req, offsetof(struct s, name),            \
		    sizeof(((struct s *)0)->name), 1, 0, NULL                  \
	}
#define NUMBER(s, name, lo, hi)                                                \
	{                                                                      \
#name, LB_CONF_NUMBER, false, offsetof(struct s, name),        \
		    sizeof(int64_t), lo, hi, NULL                              \
	}

static const struct lb_conf_option agent_options[] = {
	TEXT(config_agent, host, true, check_host),
	TEXT(config_agent, broker, true, check_broker),
	PATH(config_agent, trust, false),
	PATH(config_agent, scope, false),
	PATH(config_agent, state, false),
	PATH(config_agent, key, false),
	PATH(config_agent, socket, false),
	PATH(config_agent, courier, false),
	TEXT(config_agent, user, false, check_user),
	NUMBER(config_agent, questions, 1, 1024),
	TEXT(config_agent, warn, false, read_warn),
	{ 0 },
};

static const struct lb_conf_option courier_options[] = {
	TEXT(config_courier, url, true, check_url),
	PATH(config_courier, ca, true),
	TEXT(config_courier, proxy, false, check_proxy),
	PATH(config_courier, socket, false),
	TEXT(config_courier, user, false, check_user),
	TEXT(config_courier, agent_user, false, check_user),
	NUMBER(config_courier, connections, 1, 16),
	{ 0 },
};

void
config_agent_default(struct config_agent *ret)
{
	*ret = (struct config_agent){
		.trust = "/etc/lockbox/trust",
		.scope = "/etc/lockbox/pam.conf",
		.state = "/var/lib/lockbox",
		.key = "/var/lib/lockbox/host-key",
		.socket = LB_DOOR_SOCKET,
		.courier = "/run/lockbox/courier.sock",
		.user = "lockbox",
		.questions = 512,
		.warn = "15m 5m 1m",
		.warn_at = { 900, 300, 60 },
		.warn_count = 3,
	};
}

void
config_courier_default(struct config_courier *ret)
{
	*ret = (struct config_courier){
		.socket = "/run/lockbox/courier.sock",
		.user = "lockbox-courier",
		.agent_user = "lockbox",
		.connections = 4,
	};
}

enum lb_err
config_agent_load(
    const char *path, struct config_agent *ret, struct lb_conf_error *ret_error)
{
	struct config_agent c;
	enum lb_err r;

	config_agent_default(&c);
	if ((r = lb_conf_load(agent_options, path, 0, &c, ret_error)) == LB_OK)
		*ret = c;
	return r;
}

enum lb_err
config_courier_load(const char *path, struct config_courier *ret,
    struct lb_conf_error *ret_error)
{
	struct config_courier c;
	enum lb_err r;

	config_courier_default(&c);
	r = lb_conf_load(courier_options, path, 0, &c, ret_error);
	if (r == LB_OK)
		*ret = c;
	return r;
}
