/* What lib's other sources need to know of a public key's wire form. */
#ifndef LB_SSHKEY_WIRE_H
#define LB_SSHKEY_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/sshkey.h"

#include "sshwire.h"

/* Type, curve, point and application, each with its length. */
#define LB_KEY_BLOB_MAX (4 + 40 + 4 + 8 + 4 + 65 + 4 + LB_APPLICATION_MAX)

/* "ssh-ed25519", ...: also the name of the key's plain signatures. */
const char *lb_key_type_name(enum lb_key_type type);

bool lb_sshkey_is_p256(const struct lb_sshkey *key);

/* The wire form, without a length before it; at most LB_KEY_BLOB_MAX. */
void lb_sshkey_put(struct lb_writer *w, const struct lb_sshkey *key);

/* "SHA256:..." of a wire form, as ssh-keygen -l prints it. */
void lb_sshkey_fp(
    const uint8_t *blob, size_t len, char ret[static LB_KEYFP_LEN + 1]);

#endif
