/*
 * SSH's wire forms: length-prefixed strings read by a cursor and written into
 * fixed memory, canonical base64, and armor. Private to lib/.
 * Source: RFC 4251 section 5; OpenSSH PROTOCOL.sshsig, section 1.
 */
#ifndef LB_SSHWIRE_H
#define LB_SSHWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

/* Bytes borrowed from elsewhere; a reader's cursor is one too. */
struct lb_bytes {
	const uint8_t *p;
	size_t len;
};

/*
 * Each takes one field off the front of c. LB_ERR_FORMAT when there is too
 * little left; then neither c nor ret has changed.
 */
enum lb_err lb_wire_u8(struct lb_bytes *c, uint8_t *ret) LB_MUST_CHECK;
enum lb_err lb_wire_u32(struct lb_bytes *c, uint32_t *ret) LB_MUST_CHECK;
enum lb_err lb_wire_raw(
    struct lb_bytes *c, size_t len, struct lb_bytes *ret) LB_MUST_CHECK;
enum lb_err lb_wire_string(
    struct lb_bytes *c, struct lb_bytes *ret) LB_MUST_CHECK;

/*
 * A string that must be exactly len bytes, copied; LB_ERR_FORMAT otherwise.
 */
enum lb_err lb_wire_fixed(
    struct lb_bytes *c, uint8_t *ret, size_t len) LB_MUST_CHECK;

/*
 * A string of 1 or more bytes 0x21..0x7e, copied with a NUL. LB_ERR_RANGE when
 * it does not fit ret_size, which counts the NUL.
 */
enum lb_err lb_wire_word(
    struct lb_bytes *c, char *ret, size_t ret_size) LB_MUST_CHECK;

/*
 * A positive mpint of at most 256 bits in its one spelling (no needless
 * leading zero), as 32 bytes, most significant first.
 */
enum lb_err lb_wire_mpint256(
    struct lb_bytes *c, uint8_t ret[static 32]) LB_MUST_CHECK;

bool lb_bytes_equal_str(struct lb_bytes b, const char *s);

/*
 * A writer into the caller's memory. What does not fit is a programmer's
 * error (asserted): size it from the bounds of what is written.
 */
struct lb_writer {
	uint8_t *p;
	size_t len, size;
};

void lb_put_u8(struct lb_writer *w, uint8_t v);
void lb_put_u32(struct lb_writer *w, uint32_t v);
void lb_put_raw(struct lb_writer *w, const void *bytes, size_t len);
void lb_put_string(struct lb_writer *w, const void *bytes, size_t len);
void lb_put_cstring(struct lb_writer *w, const char *s);

/*
 * Standard alphabet with padding, in the one spelling an encoder would give:
 * no other character, full padding, unused bits zero.
 *
 * LB_ERR_FORMAT, or LB_ERR_RANGE when it holds over ret_size bytes. On error
 * ret's content is wiped.
 */
enum lb_err lb_base64_decode(const char *text, size_t len, uint8_t *ret,
    size_t ret_size, size_t *ret_len) LB_MUST_CHECK;

/* Bytes that lb_armor_open may be asked for. */
#define LB_ARMOR_BLOB_MAX 4096

/*
 * "-----BEGIN LABEL-----", base64 in lines all of one width of at most 76 but
 * the last, which may be shorter, "-----END LABEL-----", each with LF. No
 * intermediate copy of the content outlives the call.
 *
 * ret  the content, at most ret_size bytes (itself <= LB_ARMOR_BLOB_MAX);
 *      wiped on error
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE
 */
enum lb_err lb_armor_open(const char *label, const char *text, size_t len,
    uint8_t *ret, size_t ret_size, size_t *ret_len) LB_MUST_CHECK;

/* Append bytes in armor, in lines of 70 as OpenSSH writes. */
enum lb_err lb_armor_close(const char *label, const uint8_t *bytes, size_t len,
    struct lb_buf *ret) LB_MUST_CHECK;

#endif
