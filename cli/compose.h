/* Composes a request's text from what an engineer says on the command line. */
#ifndef LOCKBOX_CLI_COMPOSE_H
#define LOCKBOX_CLI_COMPOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "flags.h"

#define COMPOSE_DURATION (2 * 60 * 60) /* seconds, unless told otherwise */

/* Flags of "request create"; zero: not given. */
struct compose_flags {
	const char *tenant, *reason_type, *reason, *ticket, *extends, *key;
	struct flag_list host, login, service, ssh_key;
	int64_t duration, start, timeout;
	bool sudo, no_wait;
};

/*
 * Write the request: tenant, hosts and so on from flags or configuration, who
 * asks from the session, the fingerprints of keys by ssh-keygen.
 *
 * key  the key that will sign it
 * ret  its text, appended
 *
 * An enum ending, with what is wrong said.
 */
int compose_request(struct api *api, const struct compose_flags *o,
    const char *key, struct lb_buf *ret);

/* The account without --login: the configuration's, or one's own name here. */
int compose_login(const struct api *api, char ret[static LB_LOGIN_MAX + 1]);

#endif
