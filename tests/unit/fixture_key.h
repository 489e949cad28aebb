/*
 * Keys for tests, of every kind that may sign, with what a real device or
 * browser would put around the signature. Private halves are made here and
 * forgotten.
 */
#ifndef FIXTURE_KEY_H
#define FIXTURE_KEY_H

#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/sshkey.h"
#include "lockbox/sshsig.h"

enum fx_kind {
	FX_PLAIN,   /* ssh-ed25519 */
	FX_SK,      /* sk-ssh-ed25519, application "ssh:" */
	FX_P256,    /* ecdsa-sha2-nistp256 */
	FX_SK_P256, /* sk-ecdsa-sha2-nistp256, application "ssh:" */
	FX_PASSKEY, /* the same of a web page, signs as WebAuthn */
};

struct fx_key {
	enum fx_kind kind;
	struct lb_signer *signer; /* FX_PLAIN */
	uint8_t ed_secret[64];    /* FX_SK */
	void *ec;                 /* EVP_PKEY of the other kinds */
	struct lb_sshkey pub;
};

/* False in a build without libcrypto: then only FX_PLAIN and FX_SK exist. */
bool fx_has_p256(void);

/* application: RP-ID for FX_PASSKEY, else "ssh:" or NULL. */
void fx_key_make(struct fx_key *k, enum fx_kind kind, const char *application);
void fx_key_clear(struct fx_key *k);

/*
 * Append an armored signature over msg.
 *
 * flags   sk kinds: what the device says (LB_SIG_TOUCH, LB_SIG_VERIFIED)
 * origin  FX_PASSKEY: where the browser was
 */
void fx_key_sign(const struct fx_key *k, const char *ns, const void *msg,
    size_t len, uint8_t flags, const char *origin, struct lb_buf *ret);

#endif
