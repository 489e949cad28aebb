/*
 * The one-time code of an enrolment and the two messages under its secret.
 * Pure. Source: doc/http-api.md, "Enrolment".
 */
#ifndef LOCKBOX_CLI_ENROL_H
#define LOCKBOX_CLI_ENROL_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"
#include "lockbox/sshkey.h"
#include "lockbox/text.h"

#define ENROL_KEYID_LEN  16 /* chars: 80 bits */
#define ENROL_SECRET_LEN 16 /* bytes */
#define ENROL_MAC_LEN    64 /* hex of HMAC-SHA256 */

/* The parts of a code. Wipe it: the secret is inside. */
struct enrol_code {
	char broker[LB_NAME_MAX + 1];
	char keyid[ENROL_KEYID_LEN + 1]; /* upper case */
	uint8_t secret[ENROL_SECRET_LEN];
};

/* What both messages are about. */
struct enrol_case {
	char host[LB_HOST_MAX + 1];
	char tenant[LB_NAME_MAX + 1];
	char machine_id[LB_NONCE_LEN + 1];
	char nonce[LB_NONCE_LEN + 1];
	char host_key[LB_KEY_TEXT_MAX + 1];
	char broker_key[LB_KEY_TEXT_MAX + 1]; /* as in the trust document */
};

/*
 * BROKER-KEYID-SECRET. Letters of either case; the letters that Crockford
 * reads as digits (I, L, O) are read so, because people carry codes by hand.
 */
enum lb_err enrol_code_parse(
    const char *text, struct enrol_code *ret) LB_MUST_CHECK;

/* The first 80 bits of the sha256 of the key's blob, as codes have it. */
void enrol_keyid(
    const struct lb_sshkey *key, char ret[static ENROL_KEYID_LEN + 1]);

/* The MAC that the host sends, and the one that it must get back. */
enum lb_err enrol_mac_ask(const struct enrol_code *code,
    const struct enrol_case *c,
    char ret[static ENROL_MAC_LEN + 1]) LB_MUST_CHECK;
enum lb_err enrol_mac_answer(const struct enrol_code *code,
    const struct enrol_case *c,
    char ret[static ENROL_MAC_LEN + 1]) LB_MUST_CHECK;

#endif
