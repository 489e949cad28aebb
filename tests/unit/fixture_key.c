/* Keys for tests: Ed25519 by libsodium, P-256 by libcrypto. */
#include "fixture_key.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#if HAVE_P256
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#endif

#include "sshwire.h"

#define WEBAUTHN    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
#define FX_BLOB_MAX 2048

#define OK(call)                                                               \
	do {                                                                   \
		enum lb_err ok_ = (call);                                      \
		assert(ok_ == LB_OK);                                          \
		(void)ok_;                                                     \
	} while (0)

static const char *const type_name[] = {
	[FX_PLAIN] = "ssh-ed25519",
	[FX_SK] = "sk-ssh-ed25519@openssh.com",
	[FX_P256] = "ecdsa-sha2-nistp256",
	[FX_SK_P256] = "sk-ecdsa-sha2-nistp256@openssh.com",
	[FX_PASSKEY] = "sk-ecdsa-sha2-nistp256@openssh.com",
};

static bool
is_ec(enum fx_kind kind)
{
	return kind == FX_P256 || kind == FX_SK_P256 || kind == FX_PASSKEY;
}

static bool
is_sk(enum fx_kind kind)
{
	return kind == FX_SK || kind == FX_SK_P256 || kind == FX_PASSKEY;
}

#if HAVE_P256

bool
fx_has_p256(void)
{
	return true;
}

static void
ec_make(struct fx_key *k, uint8_t pk[static 65])
{
	size_t len = 0;
	int n;

	k->ec = EVP_EC_gen("P-256");
	assert(k->ec != NULL);
	n = EVP_PKEY_get_octet_string_param(
	    k->ec, OSSL_PKEY_PARAM_PUB_KEY, pk, 65, &len);
	assert(n == 1 && len == 65 && pk[0] == 4);
	(void)n;
}

static void
ec_clear(struct fx_key *k)
{
	EVP_PKEY_free(k->ec);
}

static void
put_mpint(struct lb_writer *w, const BIGNUM *n)
{
	uint8_t b[33] = { 0 };
	size_t len = (size_t)BN_num_bytes(n);
	size_t pad;

	(void)BN_bn2bin(n, b + 1);
	pad = (b[1] & 0x80) != 0 ? 1 : 0;
	lb_put_string(w, b + 1 - pad, len + pad);
}

/* mpint r, mpint s */
static void
ec_sign(const struct fx_key *k, const uint8_t *msg, size_t len,
    struct lb_writer *ret)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[80];
	const uint8_t *p = der;
	size_t der_len = sizeof(der);
	ECDSA_SIG *sig;
	int n;

	n = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->ec);
	assert(n == 1);
	n = EVP_DigestSign(ctx, der, &der_len, msg, len);
	assert(n == 1);
	(void)n;
	sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	assert(sig != NULL);
	put_mpint(ret, ECDSA_SIG_get0_r(sig));
	put_mpint(ret, ECDSA_SIG_get0_s(sig));
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

#else

bool
fx_has_p256(void)
{
	return false;
}

static void
ec_make(struct fx_key *k, uint8_t pk[static 65])
{
	(void)k;
	(void)pk;
	abort(); /* no P-256 in this build: see fx_has_p256 */
}

static void
ec_clear(struct fx_key *k)
{
	(void)k;
}

static void
ec_sign(const struct fx_key *k, const uint8_t *msg, size_t len,
    struct lb_writer *ret)
{
	(void)k;
	(void)msg;
	(void)len;
	(void)ret;
	abort(); /* no P-256 in this build: see fx_has_p256 */
}

#endif

static void
blob_put(enum fx_kind kind, const uint8_t *pk, size_t pk_len,
    const char *application, struct lb_writer *w)
{
	lb_put_cstring(w, type_name[kind]);
	if (is_ec(kind))
		lb_put_cstring(w, "nistp256");
	lb_put_string(w, pk, pk_len);
	if (is_sk(kind))
		lb_put_cstring(w, application);
}

void
fx_key_make(struct fx_key *k, enum fx_kind kind, const char *application)
{
	uint8_t blob[FX_BLOB_MAX], pk[65];
	struct lb_writer w = { blob, 0, sizeof(blob) };

	memset(k, 0, sizeof(*k));
	k->kind = kind;
	if (kind == FX_PLAIN) {
		OK(lb_signer_new(&k->signer));
		k->pub = *lb_signer_key(k->signer);
		return;
	}
	if (kind == FX_SK)
		(void)crypto_sign_keypair(pk, k->ed_secret);
	else
		ec_make(k, pk);
	blob_put(kind, pk, kind == FX_SK ? 32 : 65,
	    application == NULL ? "ssh:" : application, &w);
	OK(lb_sshkey_parse_blob(blob, w.len, &k->pub));
}

void
fx_key_clear(struct fx_key *k)
{
	lb_signer_free(k->signer);
	ec_clear(k);
	memset(k, 0, sizeof(*k));
}

/* What a FIDO device signs. */
static size_t
device_text(const struct fx_key *k, const void *msg, size_t len, uint8_t flags,
    uint32_t counter, uint8_t *ret, size_t size)
{
	struct lb_writer w = { ret, 0, size };
	const char *app = k->pub.application;
	uint8_t hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, (const uint8_t *)app, strlen(app));
	lb_put_raw(&w, hash, sizeof(hash));
	lb_put_u8(&w, flags);
	lb_put_u32(&w, counter);
	(void)crypto_hash_sha256(hash, msg, len);
	lb_put_raw(&w, hash, sizeof(hash));
	return w.len;
}

/* What a browser says it was asked. */
static size_t
client_data(
    const struct lb_buf *tbs, const char *origin, char *ret, size_t size)
{
	char challenge[1024];
	int n;

	(void)sodium_bin2base64(challenge, sizeof(challenge),
	    (const uint8_t *)tbs->data, tbs->len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	n = snprintf(ret, size,
	    "{\"type\":\"webauthn.get\",\"challenge\":\"%s\","
	    "\"origin\":\"%s\",\"crossOrigin\":false}",
	    challenge, origin);
	assert(n > 0 && (size_t)n < size);
	return (size_t)n;
}

/* The inner signature: what stands after the hash name. */
static void
inner_put(const struct fx_key *k, const struct lb_buf *tbs, uint8_t flags,
    const char *origin, struct lb_writer *ret)
{
	const uint32_t counter = 7;
	uint8_t text[128], sig[256];
	char client[1024];
	struct lb_writer w = { sig, 0, sizeof(sig) };
	const void *msg = tbs->data;
	size_t len = tbs->len, text_len;

	if (k->kind == FX_PASSKEY) {
		len = client_data(tbs, origin, client, sizeof(client));
		msg = client;
	}
	text_len = device_text(k, msg, len, flags, counter, text, sizeof(text));
	lb_put_cstring(
	    ret, k->kind == FX_PASSKEY ? WEBAUTHN : type_name[k->kind]);
	if (k->kind == FX_P256) {
		ec_sign(k, msg, len, &w);
	} else if (k->kind == FX_SK) {
		(void)crypto_sign_detached(
		    sig, NULL, text, text_len, k->ed_secret);
		w.len = crypto_sign_BYTES;
	} else {
		ec_sign(k, text, text_len, &w);
	}
	lb_put_string(ret, sig, w.len);
	if (!is_sk(k->kind))
		return;
	lb_put_u8(ret, flags);
	lb_put_u32(ret, counter);
	if (k->kind != FX_PASSKEY)
		return;
	lb_put_cstring(ret, origin);
	lb_put_string(ret, client, len);
	lb_put_cstring(ret, ""); /* no extensions */
}

void
fx_key_sign(const struct fx_key *k, const char *ns, const void *msg, size_t len,
    uint8_t flags, const char *origin, struct lb_buf *ret)
{
	uint8_t blob[FX_BLOB_MAX], key[FX_BLOB_MAX], inner[FX_BLOB_MAX];
	struct lb_writer w = { blob, 0, sizeof(blob) };
	struct lb_writer wk = { key, 0, sizeof(key) };
	struct lb_writer wi = { inner, 0, sizeof(inner) };
	struct lb_buf tbs = { 0 };

	if (k->kind == FX_PLAIN) {
		OK(lb_signer_sign(k->signer, lb_ns_find(ns), msg, len, ret));
		return;
	}
	OK(lb_sshsig_tbs(ns, LB_SIG_SHA512, msg, len, &tbs));
	blob_put(k->kind, k->pub.pk, k->pub.pk_len, k->pub.application, &wk);
	inner_put(k, &tbs, flags, origin, &wi);
	lb_put_raw(&w, "SSHSIG", 6);
	lb_put_u32(&w, 1);
	lb_put_string(&w, key, wk.len);
	lb_put_cstring(&w, ns);
	lb_put_cstring(&w, "");
	lb_put_cstring(&w, "sha512");
	lb_put_string(&w, inner, wi.len);
	OK(lb_armor_close("SSH SIGNATURE", blob, w.len, ret));
	lb_buf_clear(&tbs);
}
