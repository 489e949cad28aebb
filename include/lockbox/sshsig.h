/*
 * SSH signatures (SSHSIG): reading, verifying, and making Ed25519 ones.
 * Stricter than OpenSSH: empty reserved field, canonical base64, nothing
 * trailing. Who signed and whether he may is trust.h's business.
 * Source: OpenSSH PROTOCOL.sshsig, PROTOCOL.u2f; doc/wire-format.md, section 4.
 */
#ifndef LOCKBOX_SSHSIG_H
#define LOCKBOX_SSHSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/ns.h"
#include "lockbox/sshkey.h"

#define LB_ARMOR_MAX    4096 /* bytes of an armored signature */
#define LB_ORIGIN_MAX   253
#define LB_CLIENT_MAX   1024 /* bytes of WebAuthn clientDataJSON */
#define LB_SIG_TOUCH    0x01 /* UP: somebody touched the device */
#define LB_SIG_VERIFIED 0x04 /* UV: PIN or fingerprint */

enum lb_sig_hash { LB_SIG_SHA256 = 1, LB_SIG_SHA512 };

/* A signature taken apart, not yet verified. Holds no pointers. */
struct lb_sshsig {
	struct lb_sshkey key;
	char ns[40]; /* as it stands there */
	enum lb_sig_hash hash;
	bool webauthn;
	uint8_t sig[64]; /* Ed25519 signature, or r || s */
	uint8_t flags;   /* sk only, else 0 */
	uint32_t counter;
	char origin[LB_ORIGIN_MAX + 1]; /* webauthn only */
	char client_data[LB_CLIENT_MAX + 1];
	size_t client_data_len;
};

/*
 * Take an armored signature apart: the whole text is one armor, BEGIN line to
 * END line with its newline.
 *
 * LB_ERR_FORMAT       not in its one spelling, or bytes trail somewhere
 * LB_ERR_RANGE        over LB_ARMOR_MAX, or a name in it too long
 * LB_ERR_UNSUPPORTED  another version, key, hash, or WebAuthn extensions; flags
 *                     0x40 (attested data) or 0x80 (extensions) set
 */
enum lb_err lb_sshsig_parse(
    const char *armor, size_t len, struct lb_sshsig *ret) LB_MUST_CHECK;

/*
 * Does sig prove that its key signed msg in namespace ns? For WebAuthn the
 * clientDataJSON must be a "webauthn.get" whose challenge is exactly the
 * to-be-signed bytes (base64url, no padding), whose origin is sig->origin and
 * which is not cross-origin; a passkey must sign as WebAuthn and no other key
 * may. Whether the origin is pinned, and whether touch or verification (flags)
 * is asked for, is judged by trust.h.
 *
 * LB_ERR_SIGNATURE    anything else
 * LB_ERR_UNSUPPORTED  P-256 in a build without libcrypto
 */
enum lb_err lb_sshsig_verify(const struct lb_sshsig *sig, enum lb_ns ns,
    const void *msg, size_t len) LB_MUST_CHECK;

/*
 * As lb_sshsig_verify with any namespace name, for "lockbox verify".
 */
enum lb_err lb_sshsig_verify_name(const struct lb_sshsig *sig, const char *ns,
    const void *msg, size_t len) LB_MUST_CHECK;

/*
 * The bytes that are signed ("SSHSIG", namespace, reserved, hash, H(msg)),
 * appended to ret: also a WebAuthn challenge.
 */
enum lb_err lb_sshsig_tbs(const char *ns, enum lb_sig_hash hash,
    const void *msg, size_t len, struct lb_buf *ret) LB_MUST_CHECK;

/* An Ed25519 key that signs: of a host or a broker. Secret memory inside. */
struct lb_signer;

/* A new random key, freed with lb_signer_free. */
enum lb_err lb_signer_new(struct lb_signer **ret) LB_MUST_CHECK;

/*
 * Load an unencrypted OpenSSH private key file (Ed25519), as ssh-keygen makes.
 * Opened by lb_file_read_secret with that owner. Signs and verifies a probe
 * before it returns. LB_ERR_UNSUPPORTED: encrypted, or another kind of key.
 */
enum lb_err lb_signer_load(
    const char *path, uid_t owner, struct lb_signer **ret) LB_MUST_CHECK;

/* Write it in OpenSSH's format, mode 0600, atomically; comment visible ASCII. */
enum lb_err lb_signer_save(const struct lb_signer *s, const char *path,
    const char *comment) LB_MUST_CHECK;

const struct lb_sshkey *lb_signer_key(const struct lb_signer *s);

/* Append the armored signature (sha512) over msg to ret. */
enum lb_err lb_signer_sign(const struct lb_signer *s, enum lb_ns ns,
    const void *msg, size_t len, struct lb_buf *ret) LB_MUST_CHECK;

void lb_signer_free(struct lb_signer *s); /* accepts NULL */

#endif
