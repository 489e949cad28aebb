/* Is the host's agent running: then its state is in its memory. */
#ifndef LOCKBOX_CLI_AGENT_UP_H
#define LOCKBOX_CLI_AGENT_UP_H

#include <stdbool.h>

/* Does somebody listen at that socket? True also when it cannot be told. */
bool agent_up(const char *path);

#endif
