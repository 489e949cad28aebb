/* What stands behind the module's name in the PAM configuration. */
#ifndef PAM_LOCKBOX_OPTIONS_H
#define PAM_LOCKBOX_OPTIONS_H

#include "lockbox/conf.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

#define OPTIONS_CONF       "/etc/lockbox/pam.conf"
#define OPTIONS_LOG        "/dev/log"
#define OPTIONS_AGENT_USER "lockbox"
#define OPTIONS_CONF_MAX   255  /* chars, without NUL */
#define OPTIONS_SOCKET_MAX 107  /* chars, without NUL: sun_path */
#define OPTIONS_TEXT_MAX   2048 /* bytes, all arguments with their ends */

struct options {
	char conf[OPTIONS_CONF_MAX + 1];     /* conf=PATH */
	char socket[OPTIONS_SOCKET_MAX + 1]; /* socket=PATH */
	char log[OPTIONS_SOCKET_MAX + 1];    /* log=PATH */
	char agent_user[LB_LOGIN_MAX + 1];   /* agent_user=LOGIN */
};

/* What holds without any argument. */
void options_default(struct options *ret);

/*
 * Read the module's arguments. An unknown, repeated or malformed one is an
 * error: a gate with a mistyped option must stay shut.
 *
 * ret        written only on LB_OK
 * ret_error  on error: line is the argument's number, from 1; what says why
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE
 */
enum lb_err options_load(int argc, const char **argv, struct options *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;

#endif
