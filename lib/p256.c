/* NIST P-256 with libcrypto: is it a point, and did it sign this? */
#include "p256.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#define DER_SIG_MAX 72

enum lb_err
lb_p256_check(const uint8_t pk[static LB_P256_POINT_LEN])
{
	EC_GROUP *group = NULL;
	EC_POINT *point = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (pk[0] != 0x04)
		return LB_ERR_FORMAT;
	if ((group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)) ==
		NULL ||
	    (point = EC_POINT_new(group)) == NULL)
		goto out;
	/* Refuses coordinates past the prime and points off the curve. */
	if (EC_POINT_oct2point(group, point, pk, LB_P256_POINT_LEN, NULL) == 1)
		r = LB_OK;
	else
		r = LB_ERR_FORMAT;
out:
	EC_POINT_free(point);
	EC_GROUP_free(group);
	ERR_clear_error();
	return r;
}

static EVP_PKEY *
pkey_new(const uint8_t pk[static LB_P256_POINT_LEN])
{
	char group[] = "prime256v1";
	uint8_t point[LB_P256_POINT_LEN];
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;

	for (size_t i = 0; i < sizeof(point); i++)
		point[i] = pk[i];
	params[0] = OSSL_PARAM_construct_utf8_string(
	    OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point));
	params[2] = OSSL_PARAM_construct_end();
	if ((ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

/* r || s as the DER that libcrypto wants. */
static enum lb_err
sig_to_der(const uint8_t sig[static LB_P256_SIG_LEN],
    uint8_t ret[static DER_SIG_MAX], size_t *ret_len)
{
	ECDSA_SIG *esig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, 32, NULL);
	BIGNUM *s = BN_bin2bn(sig + 32, 32, NULL);
	enum lb_err e = LB_ERR_MEMORY;
	int n;

	if (esig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(esig, r, s) != 1)
		goto out;
	r = s = NULL; /* handed over */
	n = i2d_ECDSA_SIG(esig, NULL);
	if (n <= 0 || n > DER_SIG_MAX)
		goto out;
	*ret_len = (size_t)i2d_ECDSA_SIG(esig, &ret);
	e = LB_OK;
out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(esig);
	return e;
}

enum lb_err
lb_p256_verify(const uint8_t pk[static LB_P256_POINT_LEN],
    const uint8_t sig[static LB_P256_SIG_LEN], const void *msg, size_t len)
{
	uint8_t der[DER_SIG_MAX];
	size_t der_len = 0;
	EVP_MD_CTX *ctx = NULL;
	EVP_PKEY *pkey = NULL;
	enum lb_err r;

	if (pk[0] != 0x04)
		return LB_ERR_FORMAT;
	if ((pkey = pkey_new(pk)) == NULL) {
		r = LB_ERR_FORMAT;
		goto out;
	}
	if ((r = sig_to_der(sig, der, &der_len)) != LB_OK)
		goto out;
	r = LB_ERR_MEMORY;
	if ((ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1)
		goto out;
	if (EVP_DigestVerify(ctx, der, der_len, msg, len) == 1)
		r = LB_OK;
	else
		r = LB_ERR_SIGNATURE;
out:
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return r;
}
