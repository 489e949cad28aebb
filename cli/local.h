/* Sessions on this host as its own agent knows them; no broker is asked. */
#ifndef LOCKBOX_CLI_LOCAL_H
#define LOCKBOX_CLI_LOCAL_H

#include "cli.h"

/* Print who is in; agent_conf NULL: the usual one. Enum endings, both. */
int local_list(const struct cli *cli, const char *agent_conf);

/*
 * Ask, then have the agent end the session with that audit session id, and
 * wait until nothing of it is left.
 */
int local_end(const struct cli *cli, const char *agent_conf, const char *typed);

#endif
