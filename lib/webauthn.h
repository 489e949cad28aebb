/*
 * The clientDataJSON that a browser's authenticator signs, checked without a
 * JSON parser: browsers write it in one fixed form.
 * Source: WebAuthn Level 2, section 5.8.1.2 (limited verification algorithm);
 * OpenSSH PROTOCOL.u2f, "webauthn signatures".
 */
#ifndef LB_WEBAUTHN_H
#define LB_WEBAUTHN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Can it stand in clientDataJSON as it is: printable ASCII without space,
 * quote or backslash?
 */
bool lb_webauthn_origin_valid(const char *origin);

/*
 * Does it begin exactly
 *     {"type":"webauthn.get","challenge":"B64URL","origin":"ORIGIN"
 * followed by "}" and its end, or by "," and more up to a final "}" in which
 * no control character or backslash stands and every "crossOrigin" is false?
 *
 * challenge  the bytes that B64URL (no padding) must spell
 */
bool lb_webauthn_client_data_ok(const char *data, size_t len,
    const uint8_t *challenge, size_t challenge_len, const char *origin);

#endif
