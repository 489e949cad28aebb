/*
 * A person's configuration and where it lies: XDG_CONFIG_HOME/lockbox/config
 * (man lockbox-config), and the state directory for the session.
 */
#ifndef LOCKBOX_CLI_SETTINGS_H
#define LOCKBOX_CLI_SETTINGS_H

#include <limits.h>

#include "cli.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

#define SETTINGS_URL_MAX 512 /* chars, without NUL */

/* Empty strings: not set. */
struct settings {
	char url[SETTINGS_URL_MAX +
	    1];            /* https://host[:port], no slash at end */
	char ca[PATH_MAX]; /* PEM; empty: the system's */
	char proxy[SETTINGS_URL_MAX + 1]; /* http://host:port; empty: none */
	char broker[LB_NAME_MAX + 1];     /* its name, kept at first sign-in */
	char principal[LB_PRINCIPAL_MAX + 1];
	char key[PATH_MAX];   /* private key, or .pub of one in ssh-agent */
	char trust[PATH_MAX]; /* the customer's own copy: the pin */
	char tenant[LB_NAME_MAX + 1];
	char login[LB_LOGIN_MAX + 1];
};

/*
 * Read the configuration; a missing file is an empty one unless --config named
 * it. LOCKBOX_ADDR takes the place of url. An enum ending.
 */
int settings_load(const struct cli *cli, struct settings *ret);

/* The same without LOCKBOX_ADDR: what may be written back. */
int settings_load_file(const struct cli *cli, struct settings *ret);

/* Write it, 0600, with its directory 0700. An enum ending. */
int settings_save(const struct cli *cli, const struct settings *s);

/* Where settings_load reads. An enum ending. */
int settings_path(const struct cli *cli, char ret[static PATH_MAX]);

/*
 * XDG_STATE_HOME/lockbox/NAME (or ~/.local/state); the directory is made,
 * 0700. An enum ending.
 */
int settings_state_path(
    const struct cli *cli, const char *name, char ret[static PATH_MAX]);

/* "https://host[:port]" without path, user or query; "/" at the end is cut. */
enum lb_err settings_url(
    const char *value, char ret[static SETTINGS_URL_MAX + 1]) LB_MUST_CHECK;

/* path made absolute against the working directory. */
enum lb_err settings_absolute(
    const char *path, char ret[static PATH_MAX]) LB_MUST_CHECK;

#endif
