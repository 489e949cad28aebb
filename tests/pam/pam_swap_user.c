/* A module for tests: sets PAM_USER to what its argument user= says. */
#include <string.h>

#include <security/pam_modules.h>

#include "lockbox/err.h"

LB_EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)flags;
	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], "user=", 5) == 0)
			return pam_set_item(pamh, PAM_USER, argv[i] + 5);
	return PAM_SERVICE_ERR;
}
