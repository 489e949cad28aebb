/*
 * Names, printable text and escaping. Needs only libc, so that the PAM module
 * may carry it. Names are exact ASCII, never patterns and never case-folded.
 * Source of the rules: doc/wire-format.md, section 2.
 */
#ifndef LOCKBOX_TEXT_H
#define LOCKBOX_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

/* Longest values in chars, without NUL. */
#define LB_NAME_MAX      64  /* tenant, broker */
#define LB_PRINCIPAL_MAX 128 /* person or customer's system */
#define LB_HOST_MAX      253
#define LB_LOGIN_MAX     32
#define LB_SERVICE_MAX   32
#define LB_TICKET_MAX    64  /* bytes */
#define LB_REASON_MAX    512 /* bytes */
#define LB_MESSAGE_MAX   256 /* bytes */
#define LB_RHOST_MAX     253
#define LB_SHA256_LEN    71 /* "sha256:" + 64 lower-case hex */
#define LB_KEYFP_LEN     50 /* "SHA256:" + 43 base64, as ssh-keygen -l */
#define LB_ID_LEN        26 /* Crockford base32, time-ordered */
#define LB_NONCE_LEN     32 /* 128 bits as lower-case hex */
#define LB_CODE_LEN      14 /* "XXXX-XXXX-XXXX" */

/*
 * Tenant and broker names: [a-z0-9] then [a-z0-9.-], at most LB_NAME_MAX.
 * Principals: [A-Za-z0-9] then [A-Za-z0-9._@+-], at most LB_PRINCIPAL_MAX.
 * Hosts: lower-case letter-digit-hyphen labels with dots between.
 * Logins: [A-Za-z_] then [A-Za-z0-9_.-]. Services: [a-z] then [a-z0-9_-].
 * rhost: 1..LB_RHOST_MAX of [A-Za-z0-9.:%_-]: an address or a host name.
 * Ids: Crockford base32 in upper case, 128 bits, so the first char is 0..7.
 * Key fingerprints: the unused bits of the last char are zero.
 */
bool lb_name_valid(const char *s);
bool lb_principal_valid(const char *s);
bool lb_host_valid(const char *s);
bool lb_login_valid(const char *s);
bool lb_service_valid(const char *s);
bool lb_rhost_valid(const char *s);
bool lb_sha256_valid(const char *s);
bool lb_keyfp_valid(const char *s);
bool lb_id_valid(const char *s);
bool lb_nonce_valid(const char *s);

/*
 * Escape any bytes for a log line: printable ASCII stays, except '"' and '\'
 * which become \" and \\ ; every other byte becomes \xHH. When ret_size is too
 * small the text is cut at a whole escape and ends in "...".
 *
 * ret  at least 8 bytes; always NUL-terminated
 */
void lb_text_escape(const void *bytes, size_t len, char *ret, size_t ret_size);

/*
 * Copy s with its NUL. LB_ERR_RANGE when it does not fit: never truncates.
 */
enum lb_err lb_text_copy(
    char *ret, size_t ret_size, const char *s) LB_MUST_CHECK;

/* Lower-case hex, ret holds 2 * len + 1. Decoding takes lower case only. */
void lb_hex_encode(const uint8_t *bytes, size_t len, char *ret);
enum lb_err lb_hex_decode(
    const char *s, uint8_t *ret, size_t len) LB_MUST_CHECK;

/*
 * A whole number in its one spelling: digits, no sign, no leading zero.
 * LB_ERR_FORMAT when it is spelled otherwise, LB_ERR_RANGE outside [lo, hi].
 */
enum lb_err lb_number_parse(
    const char *s, int64_t lo, int64_t hi, int64_t *ret) LB_MUST_CHECK;

/*
 * The code that engineer and approver both see: the first 60 bits of a
 * request's sha256 ("sha256:..."), in Crockford base32, XXXX-XXXX-XXXX.
 * Asserts that the id is valid.
 */
void lb_request_code(const char *sha256, char ret[static LB_CODE_LEN + 1]);

/* The same of a key, by its fingerprint ("SHA256:..."): for comparing. */
void lb_key_code(const char *fp, char ret[static LB_CODE_LEN + 1]);

#endif
