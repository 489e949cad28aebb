/* NIST P-256 in a build without libcrypto: not supported. */
#include "p256.h"

enum lb_err
lb_p256_check(const uint8_t pk[static LB_P256_POINT_LEN])
{
	(void)pk;
	return LB_ERR_UNSUPPORTED;
}

enum lb_err
lb_p256_verify(const uint8_t pk[static LB_P256_POINT_LEN],
    const uint8_t sig[static LB_P256_SIG_LEN], const void *msg, size_t len)
{
	(void)pk;
	(void)sig;
	(void)msg;
	(void)len;
	return LB_ERR_UNSUPPORTED;
}
