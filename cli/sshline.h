/* The command line of ssh, made of what a person said. Pure. */
#ifndef LOCKBOX_CLI_SSHLINE_H
#define LOCKBOX_CLI_SSHLINE_H

#include "flags.h"
#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

/* "LOGIN@HOST" or "HOST"; without a login it is "". */
struct sshline_target {
	char login[LB_LOGIN_MAX + 1];
	char host[LB_HOST_MAX + 1];
};

/* LB_ERR_FORMAT: no login's or no host's name. */
enum lb_err sshline_target(
    const char *word, struct sshline_target *ret) LB_MUST_CHECK;

/* Everything borrowed. */
struct sshline {
	const char *login;
	const char *to;                 /* what ssh connects to */
	const char *key;                /* file; NULL: ssh chooses */
	const struct flag_list *option; /* each a value of ssh's -o */
	char *const *command;           /* NULL-terminated; may be empty */
};

/*
 * argv for ssh, NULL-terminated. Options of the person come first, because
 * ssh takes the first value it is told. Nothing behind "--" is an option.
 * Words stay borrowed; free() the array. NULL: out of memory.
 */
const char **sshline_make(const struct sshline *l);

/* The same as a shell would read it, appended. */
enum lb_err sshline_quote(
    const char *const *argv, struct lb_buf *ret) LB_MUST_CHECK;

#endif
