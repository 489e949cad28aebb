/*
 * SSH public keys: the four kinds that may sign, pinned allowed_signers lines,
 * and fingerprints of whatever sshd accepted.
 * Source: doc/wire-format.md, section 4; OpenSSH PROTOCOL.u2f,
 * PROTOCOL.certkeys, ssh-keygen(1) ALLOWED SIGNERS.
 */
#ifndef LOCKBOX_SSHKEY_H
#define LOCKBOX_SSHKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"
#include "lockbox/ns.h"
#include "lockbox/papers.h"
#include "lockbox/text.h"

#define LB_APPLICATION_MAX 253
#define LB_KEY_TEXT_MAX    640 /* "TYPE BASE64", chars without NUL */

enum lb_key_type {
	LB_KEY_ED25519 = 1,
	LB_KEY_SK_ED25519,
	LB_KEY_P256,
	LB_KEY_SK_P256,
};

/* A public key that may sign. Holds no pointers. */
struct lb_sshkey {
	enum lb_key_type type;
	uint8_t pk[65]; /* Ed25519: 32 bytes; P-256: 04 || x || y */
	size_t pk_len;
	char application[LB_APPLICATION_MAX + 1]; /* sk only; "ssh:" or RP-ID */
	char fp[LB_KEYFP_LEN + 1];                /* "SHA256:..." */
};

/* Is the private half in a FIDO device (flags are signed)? */
bool lb_sshkey_is_sk(const struct lb_sshkey *key);

/*
 * An sk key whose application does not begin with "ssh:" belongs to a web
 * page: it is a passkey and may only sign as WebAuthn.
 */
bool lb_sshkey_is_passkey(const struct lb_sshkey *key);

/*
 * The wire form. A P-256 point is checked to be on the curve; an application
 * is 1..LB_APPLICATION_MAX printable ASCII without space.
 *
 * LB_ERR_UNSUPPORTED  another kind of key, or a P-256 one in a build without
 *                     libcrypto
 * LB_ERR_FORMAT, LB_ERR_RANGE
 */
enum lb_err lb_sshkey_parse_blob(
    const uint8_t *blob, size_t len, struct lb_sshkey *ret) LB_MUST_CHECK;

/* "TYPE BASE64" exactly: one space, canonical base64, no comment. */
enum lb_err lb_sshkey_parse(
    const char *text, struct lb_sshkey *ret) LB_MUST_CHECK;

/* The inverse of lb_sshkey_parse. */
void lb_sshkey_format(
    const struct lb_sshkey *key, char ret[static LB_KEY_TEXT_MAX + 1]);

bool lb_sshkey_equal(const struct lb_sshkey *a, const struct lb_sshkey *b);

/* An allowed_signers line in its one spelling. */
struct lb_pinned {
	char principal[LB_PRINCIPAL_MAX + 1];
	unsigned int namespaces; /* set of enum lb_ns, not empty */
	int64_t valid_after;     /* 0: no lower bound; usable when now >= it */
	int64_t valid_before;    /* 0: no upper bound; usable when now < it */
	struct lb_sshkey key;
};

/*
 * PRINCIPAL namespaces="a,b"[,valid-after="YYYYMMDDHHMMSSZ"]
 *     [,valid-before="YYYYMMDDHHMMSSZ"] TYPE BASE64
 *
 * One principal, no patterns; namespaces known, in ascending byte order, no
 * two alike; no cert-authority; no comment. LB_ERR_RANGE: too long, or
 * valid-after not before valid-before.
 */
enum lb_err lb_pinned_parse(
    const char *line, struct lb_pinned *ret) LB_MUST_CHECK;

/* LB_ERR_RANGE past LB_PINNED_MAX. */
enum lb_err lb_pinned_format(const struct lb_pinned *pinned,
    char ret[static LB_PINNED_MAX + 1]) LB_MUST_CHECK;

/* now within the line's dates, half open. */
bool lb_pinned_in_dates(const struct lb_pinned *pinned, int64_t now);

/*
 * What sshd says in SSH_AUTH_INFO_0: lines "METHOD ..." where publickey is
 * followed by "TYPE BASE64", and for security keys by " signature count = N".
 * Fingerprints every accepted key of any kind; a certificate counts by its
 * inner key.
 *
 * ret  the keys, sorted; count 0 when no publickey line stands there
 *
 * LB_ERR_FORMAT  a line that cannot be read, a certificate of unknown kind:
 *                the caller treats the key as unknown and refuses
 * LB_ERR_RANGE   more than LB_KEYS_MAX keys, or over 64 KiB of text
 */
enum lb_err lb_auth_info_parse(
    const char *text, struct lb_keyfps *ret) LB_MUST_CHECK;

#endif
