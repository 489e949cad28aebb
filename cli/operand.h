/* Words of a command line that are names: checked, with what is wrong said. */
#ifndef LOCKBOX_CLI_OPERAND_H
#define LOCKBOX_CLI_OPERAND_H

#include "cli.h"

/* An enum ending, as all below. */
int operand_tenant(const struct cli *cli, const char *name);
int operand_principal(const struct cli *cli, const char *name);

#endif
