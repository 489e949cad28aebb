/*
 * NIST P-256: the only thing lockbox takes from libcrypto. p256_none.c stands
 * in for it in a build without: then every P-256 key is LB_ERR_UNSUPPORTED.
 */
#ifndef LB_P256_H
#define LB_P256_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#define LB_P256_POINT_LEN 65 /* 04 || x || y */
#define LB_P256_SIG_LEN   64 /* r || s */

/* LB_ERR_FORMAT when it is not an uncompressed point on the curve. */
enum lb_err lb_p256_check(
    const uint8_t pk[static LB_P256_POINT_LEN]) LB_MUST_CHECK;

/*
 * ECDSA over SHA-256 of msg. LB_ERR_SIGNATURE when it does not verify,
 * LB_ERR_FORMAT when pk is not a point, LB_ERR_MEMORY when libcrypto fails.
 */
enum lb_err lb_p256_verify(const uint8_t pk[static LB_P256_POINT_LEN],
    const uint8_t sig[static LB_P256_SIG_LEN], const void *msg,
    size_t len) LB_MUST_CHECK;

#endif
