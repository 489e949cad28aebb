/*
 * A security key in software, as a middleware library for OpenSSH: for tests
 * alone, because the private key IS the key handle.
 *
 *     ssh-keygen -t ed25519-sk -w .../sk_soft.so -f KEY -N ''
 *     SSH_SK_PROVIDER=.../sk_soft.so ssh-keygen -Y sign -f KEY -n NAMESPACE
 *
 * Environment:
 *     SK_SOFT_FLAGS    flags that the next signatures carry, whatever the key
 *                      asks for: 0 nobody touched, 1 touched, 5 verified too
 *     SK_SOFT_COUNTER  their counter (default 7)
 *
 * Written from OpenSSH's PROTOCOL.u2f and its middleware API, version 10.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#define API_VERSION UINT32_C(0x000a0000)
#define ALG_ECDSA   0
#define ALG_ED25519 1
#define ERR_GENERAL (-1)
#define ERR_ALG     (-2)
#define POINT_LEN   65
#define SCALAR_LEN  32
#define SIGNED_LEN  (32 + 1 + 4 + 32)

#define SK_EXPORT __attribute__((visibility("default")))

struct sk_enroll_response {
	uint8_t flags;
	uint8_t *public_key;
	size_t public_key_len;
	uint8_t *key_handle;
	size_t key_handle_len;
	uint8_t *signature;
	size_t signature_len;
	uint8_t *attestation_cert;
	size_t attestation_cert_len;
	uint8_t *authdata;
	size_t authdata_len;
};

struct sk_sign_response {
	uint8_t flags;
	uint32_t counter;
	uint8_t *sig_r;
	size_t sig_r_len;
	uint8_t *sig_s;
	size_t sig_s_len;
};

struct sk_option;
struct sk_resident_key;

SK_EXPORT uint32_t sk_api_version(void);
SK_EXPORT int sk_enroll(uint32_t alg, const uint8_t *challenge,
    size_t challenge_len, const char *application, uint8_t flags,
    const char *pin, struct sk_option **options,
    struct sk_enroll_response **ret);
SK_EXPORT int sk_sign(uint32_t alg, const uint8_t *data, size_t data_len,
    const char *application, const uint8_t *key_handle, size_t key_handle_len,
    uint8_t flags, const char *pin, struct sk_option **options,
    struct sk_sign_response **ret);
SK_EXPORT int sk_load_resident_keys(const char *pin, struct sk_option **options,
    struct sk_resident_key ***ret, size_t *ret_count);

static uint8_t *
copy(const void *bytes, size_t len)
{
	uint8_t *p = malloc(len);

	if (p != NULL)
		memcpy(p, bytes, len);
	return p;
}

static unsigned long
setting(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value == NULL ? otherwise : strtoul(value, NULL, 0);
}

/* The handle is point || scalar. */
static int
p256_new(uint8_t ret[static POINT_LEN + SCALAR_LEN])
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	BIGNUM *d = NULL;
	size_t len = 0;
	int ok;

	ok = pkey != NULL &&
	    EVP_PKEY_get_octet_string_param(
		pkey, OSSL_PKEY_PARAM_PUB_KEY, ret, POINT_LEN, &len) == 1 &&
	    len == POINT_LEN &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
	    BN_bn2binpad(d, ret + POINT_LEN, SCALAR_LEN) == SCALAR_LEN;
	BN_clear_free(d);
	EVP_PKEY_free(pkey);
	return ok ? 0 : ERR_GENERAL;
}

static EVP_PKEY *
p256_load(const uint8_t handle[static POINT_LEN + SCALAR_LEN])
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *d = BN_bin2bn(handle + POINT_LEN, SCALAR_LEN, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (build == NULL || d == NULL || ctx == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(
		build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(
		build, OSSL_PKEY_PARAM_PUB_KEY, handle, POINT_LEN) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1 ||
	    (params = OSSL_PARAM_BLD_to_param(build)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(d);
	return pkey;
}

/* ret: r || s */
static int
p256_sign(const uint8_t *handle, const uint8_t *msg, size_t msg_len,
    uint8_t ret[static 2 * SCALAR_LEN])
{
	EVP_PKEY *pkey = p256_load(handle);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = NULL;
	uint8_t der[80];
	const uint8_t *p = der;
	size_t len = sizeof(der);
	int ok;

	ok = pkey != NULL && ctx != NULL &&
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
	    EVP_DigestSign(ctx, der, &len, msg, msg_len) == 1 &&
	    (sig = d2i_ECDSA_SIG(NULL, &p, (long)len)) != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, SCALAR_LEN) > 0 &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + SCALAR_LEN, SCALAR_LEN) >
		0;
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	return ok ? 0 : ERR_GENERAL;
}

/* What a device signs: see PROTOCOL.u2f, "SSH U2F signatures". */
static void
signed_bytes(const char *application, uint8_t flags, uint32_t counter,
    const uint8_t *data, size_t data_len, uint8_t ret[static SIGNED_LEN])
{
	(void)crypto_hash_sha256(
	    ret, (const uint8_t *)application, strlen(application));
	ret[32] = flags;
	ret[33] = (uint8_t)(counter >> 24);
	ret[34] = (uint8_t)(counter >> 16);
	ret[35] = (uint8_t)(counter >> 8);
	ret[36] = (uint8_t)counter;
	(void)crypto_hash_sha256(ret + 37, data, data_len);
}

uint32_t
sk_api_version(void)
{
	return API_VERSION;
}

int
sk_enroll(uint32_t alg, const uint8_t *challenge, size_t challenge_len,
    const char *application, uint8_t flags, const char *pin,
    struct sk_option **options, struct sk_enroll_response **ret)
{
	uint8_t pk[crypto_sign_PUBLICKEYBYTES], sk[crypto_sign_SECRETKEYBYTES];
	uint8_t handle[POINT_LEN + SCALAR_LEN];
	struct sk_enroll_response *e;
	int r = 0;

	(void)challenge;
	(void)challenge_len;
	(void)application;
	(void)pin;
	(void)options;
	if (sodium_init() < 0 || (e = calloc(1, sizeof(*e))) == NULL)
		return ERR_GENERAL;
	e->flags = flags;
	if (alg == ALG_ED25519) {
		(void)crypto_sign_keypair(pk, sk);
		e->public_key = copy(pk, e->public_key_len = sizeof(pk));
		e->key_handle = copy(sk, e->key_handle_len = sizeof(sk));
	} else if (alg == ALG_ECDSA && (r = p256_new(handle)) == 0) {
		e->public_key = copy(handle, e->public_key_len = POINT_LEN);
		e->key_handle =
		    copy(handle, e->key_handle_len = sizeof(handle));
	} else {
		free(e);
		return r == 0 ? ERR_ALG : r;
	}
	/* No attestation: a signature of one byte stands for it. */
	e->signature = copy("", e->signature_len = 1);
	*ret = e;
	return 0;
}

int
sk_sign(uint32_t alg, const uint8_t *data, size_t data_len,
    const char *application, const uint8_t *key_handle, size_t key_handle_len,
    uint8_t flags, const char *pin, struct sk_option **options,
    struct sk_sign_response **ret)
{
	uint8_t msg[SIGNED_LEN], sig[crypto_sign_BYTES];
	struct sk_sign_response *s;

	(void)pin;
	(void)options;
	if (sodium_init() < 0 || (s = calloc(1, sizeof(*s))) == NULL)
		return ERR_GENERAL;
	s->flags = (uint8_t)setting("SK_SOFT_FLAGS", flags & 0x05);
	s->counter = (uint32_t)setting("SK_SOFT_COUNTER", 7);
	signed_bytes(application, s->flags, s->counter, data, data_len, msg);
	if (alg == ALG_ED25519 &&
	    key_handle_len == crypto_sign_SECRETKEYBYTES) {
		(void)crypto_sign_detached(
		    sig, NULL, msg, sizeof(msg), key_handle);
		s->sig_r = copy(sig, s->sig_r_len = sizeof(sig));
	} else if (alg == ALG_ECDSA &&
	    key_handle_len == POINT_LEN + SCALAR_LEN &&
	    p256_sign(key_handle, msg, sizeof(msg), sig) == 0) {
		s->sig_r = copy(sig, s->sig_r_len = SCALAR_LEN);
		s->sig_s = copy(sig + SCALAR_LEN, s->sig_s_len = SCALAR_LEN);
	} else {
		free(s);
		return ERR_ALG;
	}
	*ret = s;
	return 0;
}

int
sk_load_resident_keys(const char *pin, struct sk_option **options,
    struct sk_resident_key ***ret, size_t *ret_count)
{
	(void)pin;
	(void)options;
	(void)ret;
	(void)ret_count;
	return ERR_ALG;
}
