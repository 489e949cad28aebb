/* The file that holds a person's session with a broker. */
#include "api.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "lockbox/clock.h"
#include "lockbox/conf.h"
#include "lockbox/file.h"
#include "output.h"

#define SESSION_FILE_MAX 4096 /* bytes */

/* The session file: whose, where, until when, and the token. */
struct session {
	char url[SETTINGS_URL_MAX + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char token[API_TOKEN_MAX + 1];
	char expires_at[LB_TIME_LEN + 1];
};

#define S(member)                                                              \
	offsetof(struct session, member), sizeof(((struct session *)0)->member)
static const struct lb_conf_option session_options[] = {
	{ "url", LB_CONF_TEXT, true, S(url), 1, 0, NULL },
	{ "principal", LB_CONF_TEXT, true, S(principal), 1, 0, NULL },
	{ "token", LB_CONF_TEXT, true, S(token), 1, 0, NULL },
	{ "expires_at", LB_CONF_TEXT, true, S(expires_at), 1, 0, NULL },
	{ 0 },
};
#undef S

/* A missing, unreadable or foreign session is none. */
void
api_session_read(struct api *api, const char *path)
{
	struct lb_buf text = { 0 };
	struct session s = { 0 };
	struct lb_conf_error error;
	char *real = realpath(path, NULL);

	if (real != NULL &&
	    lb_file_read_secret(real, getuid(), SESSION_FILE_MAX, &text) ==
		LB_OK &&
	    lb_conf_parse(session_options, text.data, text.len, &s, &error) ==
		LB_OK &&
	    lb_time_parse(s.expires_at, &api->expires_at) == LB_OK &&
	    strcmp(s.url, api->settings.url) == 0) {
		memcpy(api->token, s.token, sizeof(s.token));
		memcpy(api->principal, s.principal, sizeof(s.principal));
	}
	free(real);
	sodium_memzero(&s, sizeof(s));
	lb_buf_clear(&text);
}

int
api_session_save(const struct api *api)
{
	char path[PATH_MAX], until[LB_TIME_LEN + 1];
	struct lb_buf b = { 0 };
	enum lb_err r;
	int rv;

	if ((rv = settings_state_path(api->cli, "session", path)) !=
	    ENDING_DONE)
		return rv;
	lb_time_format(api->expires_at, until);
	r = lb_buf_addf(&b,
	    "url = %s\nprincipal = %s\ntoken = %s\nexpires_at = %s\n",
	    api->settings.url, api->principal, api->token, until);
	if (r == LB_OK)
		r = lb_file_write_atomic(path, 0600, b.data, b.len);
	lb_buf_clear(&b);
	if (r != LB_OK)
		return out_fail(api->cli, ENDING_CONFIG, "write '%s': %s", path,
		    files_why(r));
	return ENDING_DONE;
}

int
api_session_forget(const struct cli *cli)
{
	char path[PATH_MAX];
	int rv;

	if ((rv = settings_state_path(cli, "session", path)) != ENDING_DONE)
		return rv;
	if (unlink(path) != 0 && errno != ENOENT)
		return out_fail(cli, ENDING_CONFIG, "remove '%s': %s", path,
		    strerror(errno));
	return ENDING_DONE;
}
