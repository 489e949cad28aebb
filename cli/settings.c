/* Reads and writes a person's configuration in its XDG place. */
#include "settings.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "lockbox/buf.h"
#include "lockbox/conf.h"
#include "lockbox/file.h"
#include "output.h"

static enum lb_err
check_url(void *conf, const char *value)
{
	char url[SETTINGS_URL_MAX + 1];

	(void)conf;
	return settings_url(value, url);
}

static enum lb_err
check_name(void *conf, const char *value)
{
	(void)conf;
	return lb_name_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
check_principal(void *conf, const char *value)
{
	(void)conf;
	return lb_principal_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
check_login(void *conf, const char *value)
{
	(void)conf;
	return lb_login_valid(value) ? LB_OK : LB_ERR_FORMAT;
}

#define S(member)                                                              \
	offsetof(struct settings, member),                                     \
	    sizeof(((struct settings *)0)->member)
static const struct lb_conf_option options[] = {
	{ "url", LB_CONF_TEXT, false, S(url), 1, 0, check_url },
	{ "ca", LB_CONF_PATH, false, S(ca), 0, 0, NULL },
	{ "proxy", LB_CONF_TEXT, false, S(proxy), 1, 0, NULL },
	{ "broker", LB_CONF_TEXT, false, S(broker), 1, 0, check_name },
	{ "principal", LB_CONF_TEXT, false, S(principal), 1, 0,
	    check_principal },
	{ "key", LB_CONF_PATH, false, S(key), 0, 0, NULL },
	{ "trust", LB_CONF_PATH, false, S(trust), 0, 0, NULL },
	{ "tenant", LB_CONF_TEXT, false, S(tenant), 1, 0, check_name },
	{ "login", LB_CONF_TEXT, false, S(login), 1, 0, check_login },
	{ 0 },
};
#undef S

enum lb_err
settings_url(const char *value, char ret[static SETTINGS_URL_MAX + 1])
{
	static const char scheme[] = "https://";
	size_t len = strlen(value);

	if (strncmp(value, scheme, strlen(scheme)) != 0 ||
	    len > SETTINGS_URL_MAX)
		return LB_ERR_FORMAT;
	if (value[len - 1] == '/')
		len--;
	if (len <= strlen(scheme) ||
	    strspn(value + strlen(scheme),
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789.-:[]") != len - strlen(scheme))
		return LB_ERR_FORMAT;
	memcpy(ret, value, len);
	ret[len] = '\0';
	return LB_OK;
}

enum lb_err
settings_absolute(const char *path, char ret[static PATH_MAX])
{
	char cwd[PATH_MAX];

	if (path[0] == '/')
		return lb_text_copy(ret, PATH_MAX, path);
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return LB_ERR_IO;
	return snprintf(ret, PATH_MAX, "%s/%s", cwd, path) < PATH_MAX
	    ? LB_OK
	    : LB_ERR_RANGE;
}

/* The XDG directory: the variable if absolute, else the home's. */
static enum lb_err
xdg_base(
    const char *variable, const char *below_home, char ret[static PATH_MAX])
{
	const char *value = getenv(variable), *home = getenv("HOME");
	const struct passwd *pw;

	if (value != NULL && value[0] == '/')
		return lb_text_copy(ret, PATH_MAX, value);
	if (home == NULL || home[0] != '/') {
		if ((pw = getpwuid(getuid())) == NULL || pw->pw_dir[0] != '/')
			return LB_ERR_MISSING;
		home = pw->pw_dir;
	}
	return snprintf(ret, PATH_MAX, "%s/%s", home, below_home) < PATH_MAX
	    ? LB_OK
	    : LB_ERR_RANGE;
}

/* mkdir -p with 0700 for what is new. */
static enum lb_err
directory_make(const char *path)
{
	char at[PATH_MAX];

	if (lb_text_copy(at, sizeof(at), path) != LB_OK)
		return LB_ERR_RANGE;
	for (char *s = at + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		if (mkdir(at, 0700) != 0 && errno != EEXIST)
			return LB_ERR_IO;
		*s = '/';
	}
	return mkdir(at, 0700) != 0 && errno != EEXIST ? LB_ERR_IO : LB_OK;
}

static int
place(const struct cli *cli, const char *variable, const char *below_home,
    const char *name, bool make, char ret[static PATH_MAX])
{
	char base[PATH_MAX], dir[PATH_MAX];
	enum lb_err r;

	if (xdg_base(variable, below_home, base) != LB_OK ||
	    snprintf(dir, sizeof(dir), "%s/lockbox", base) >= PATH_MAX ||
	    snprintf(ret, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return out_fail(cli, ENDING_CONFIG,
		    "there is no home directory: set %s", variable);
	if (make && (r = directory_make(dir)) != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "make directory '%s': %s",
		    dir, files_why(r));
	return ENDING_DONE;
}

int
settings_path(const struct cli *cli, char ret[static PATH_MAX])
{
	if (cli->config == NULL)
		return place(
		    cli, "XDG_CONFIG_HOME", ".config", "config", false, ret);
	if (settings_absolute(cli->config, ret) != LB_OK)
		return out_fail(cli, ENDING_CONFIG, "--config is too long");
	return ENDING_DONE;
}

int
settings_state_path(
    const struct cli *cli, const char *name, char ret[static PATH_MAX])
{
	return place(cli, "XDG_STATE_HOME", ".local/state", name, true, ret);
}

static int
address_override(const struct cli *cli, struct settings *s)
{
	const char *address = getenv("LOCKBOX_ADDR");

	if (address == NULL || address[0] == '\0')
		return ENDING_DONE;
	if (settings_url(address, s->url) != LB_OK)
		return out_fail(cli, ENDING_CONFIG,
		    "LOCKBOX_ADDR is not https://HOST[:PORT]");
	return ENDING_DONE;
}

static int
file_load(const struct cli *cli, const char *path, struct settings *s)
{
	struct lb_conf_error error = { 0 };
	char *real = realpath(path, NULL);
	enum lb_err r;

	if (real == NULL && errno == ENOENT && cli->config == NULL)
		return ENDING_DONE;
	if (real == NULL)
		return out_fail(
		    cli, ENDING_CONFIG, "read '%s': %s", path, strerror(errno));
	r = lb_conf_load(options, real, getuid(), s, &error);
	free(real);
	if (r == LB_OK)
		return ENDING_DONE;
	if (error.line != 0)
		return out_fail(cli, ENDING_CONFIG, "%s:%zu: %s", path,
		    error.line, error.what);
	if (r == LB_ERR_UNTRUSTED)
		return out_fail(cli, ENDING_CONFIG,
		    "'%s' or a directory above it could be written by others: "
		    "chmod go-w",
		    path);
	return out_fail(cli, ENDING_CONFIG, "read '%s': %s", path,
	    error.what[0] != '\0' ? error.what : files_why(r));
}

int
settings_load_file(const struct cli *cli, struct settings *ret)
{
	struct settings s = { 0 };
	char path[PATH_MAX];
	int rv;

	if ((rv = settings_path(cli, path)) != ENDING_DONE ||
	    (rv = file_load(cli, path, &s)) != ENDING_DONE)
		return rv;
	*ret = s;
	return ENDING_DONE;
}

int
settings_load(const struct cli *cli, struct settings *ret)
{
	struct settings s;
	int rv;

	if ((rv = settings_load_file(cli, &s)) != ENDING_DONE ||
	    (rv = address_override(cli, &s)) != ENDING_DONE)
		return rv;
	*ret = s;
	return ENDING_DONE;
}

int
settings_save(const struct cli *cli, const struct settings *s)
{
	struct lb_buf b = { 0 };
	char path[PATH_MAX], spare[PATH_MAX];
	enum lb_err r = LB_OK;
	int rv;

	if ((rv = settings_path(cli, path)) != ENDING_DONE)
		return rv;
	if (cli->config == NULL &&
	    (rv = place(cli, "XDG_CONFIG_HOME", ".config", "config", true,
		 spare)) != ENDING_DONE)
		return rv;
	for (const struct lb_conf_option *o = options;
	     o->name != NULL && r == LB_OK; o++) {
		const char *value = (const char *)s + o->offset;

		if (value[0] != '\0')
			r = lb_buf_addf(&b, "%s = %s\n", o->name, value);
	}
	if (r == LB_OK)
		r = lb_file_write_atomic(path, 0600, b.data, b.len);
	lb_buf_clear(&b);
	if (r != LB_OK)
		return out_fail(
		    cli, ENDING_CONFIG, "write '%s': %s", path, files_why(r));
	return ENDING_DONE;
}
