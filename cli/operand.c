/* Names on the command line. */
#include "operand.h"

#include "lockbox/text.h"
#include "output.h"

int
operand_tenant(const struct cli *cli, const char *name)
{
	if (lb_name_valid(name))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE, "'%s' is no tenant's name", name);
}

int
operand_principal(const struct cli *cli, const char *name)
{
	if (lb_principal_valid(name))
		return ENDING_DONE;
	return out_fail(cli, ENDING_USAGE,
	    "'%s' is no principal such as anna@acme.example", name);
}
