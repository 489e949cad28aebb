/* What stands behind the module's name in the PAM configuration. */
#include "options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/door.h"

static enum lb_err
agent_user_check(void *conf, const char *value)
{
	(void)conf;
	return lb_login_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static const struct lb_conf_option options_table[] = {
	{ "conf", LB_CONF_PATH, false, offsetof(struct options, conf),
	    OPTIONS_CONF_MAX + 1, 1, 0, NULL },
	{ "socket", LB_CONF_PATH, false, offsetof(struct options, socket),
	    OPTIONS_SOCKET_MAX + 1, 1, 0, NULL },
	{ "log", LB_CONF_PATH, false, offsetof(struct options, log),
	    OPTIONS_SOCKET_MAX + 1, 1, 0, NULL },
	{ "agent_user", LB_CONF_TEXT, false,
	    offsetof(struct options, agent_user), LB_LOGIN_MAX + 1, 1, 0,
	    agent_user_check },
	{ 0 },
};

void
options_default(struct options *ret)
{
	static const struct options standard = {
		OPTIONS_CONF,
		LB_DOOR_SOCKET,
		OPTIONS_LOG,
		OPTIONS_AGENT_USER,
	};

	*ret = standard;
}

/*
 * An argument becomes a line of its own, so it may hold no newline, and may not
 * look like the lines that a file may have besides options.
 */
static enum lb_err
argument_add(const char *arg, char *text, size_t *len)
{
	size_t n = strlen(arg);

	if (n == 0 || strchr(arg, '\n') != NULL || arg[0] == '#' ||
	    arg[0] == ' ' || arg[0] == '\t')
		return LB_ERR_FORMAT;
	if (n >= OPTIONS_TEXT_MAX - *len)
		return LB_ERR_RANGE;
	memcpy(text + *len, arg, n);
	text[*len + n] = '\n';
	*len += n + 1;
	return LB_OK;
}

enum lb_err
options_load(int argc, const char **argv, struct options *ret,
    struct lb_conf_error *ret_error)
{
	struct options opt;
	char text[OPTIONS_TEXT_MAX];
	size_t len = 0;
	enum lb_err r;

	options_default(&opt);
	for (int i = 0; i < argc; i++) {
		if ((r = argument_add(argv[i], text, &len)) != LB_OK) {
			ret_error->line = (size_t)i + 1;
			snprintf(ret_error->what, sizeof(ret_error->what),
			    "not an option");
			return r;
		}
	}
	r = lb_conf_parse(options_table, text, len, &opt, ret_error);
	if (r == LB_OK)
		*ret = opt;
	return r;
}
