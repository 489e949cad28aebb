/* Passkeys: page, RP-ID, and what their person did. */
#include "passkey.h"

#include <string.h>

const char *
passkey_wrong(const struct lb_sshsig *sig, const char *rp_id,
    const char *origin, uint8_t flags)
{
	if (!sig->webauthn || !lb_sshkey_is_passkey(&sig->key))
		return "not signed by a passkey";
	if (strcmp(sig->key.application, rp_id) != 0)
		return "the passkey belongs to another site";
	if (strcmp(sig->origin, origin) != 0)
		return "signed on another page";
	if ((sig->flags & flags) != flags)
		return "its owner was not verified";
	return NULL;
}
