/* SSH signatures: taken apart, and verified. */
#include "lockbox/sshsig.h"

#include <string.h>

#include <sodium.h>

#include "p256.h"
#include "sshkey_wire.h"
#include "sshsig_wire.h"
#include "sshwire.h"
#include "webauthn.h"

#define WEBAUTHN_TYPE   "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
#define FLAG_ATTESTED   0x40 /* AT: a key is enclosed; never in an assertion */
#define FLAG_EXTENSIONS 0x80 /* ED: extension data follows; not taken here */

/* SHA256(application), flags, counter, SHA256(what the device was asked) */
#define SK_SIGNED_LEN (32 + 1 + 4 + 32)

static const char *const hash_names[] = {
	[LB_SIG_SHA256] = "sha256",
	[LB_SIG_SHA512] = "sha512",
};

static enum lb_err
hash_read(struct lb_bytes *c, enum lb_sig_hash *ret)
{
	struct lb_bytes name = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(c, &name)) != LB_OK)
		return r;
	if (lb_bytes_equal_str(name, hash_names[LB_SIG_SHA256]))
		*ret = LB_SIG_SHA256;
	else if (lb_bytes_equal_str(name, hash_names[LB_SIG_SHA512]))
		*ret = LB_SIG_SHA512;
	else
		return LB_ERR_UNSUPPORTED;
	return LB_OK;
}

/* r || s out of two mpints; whether they are below n libcrypto says. */
static enum lb_err
ecdsa_read(struct lb_bytes *c, uint8_t ret[static LB_P256_SIG_LEN])
{
	struct lb_bytes rs = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(c, &rs)) != LB_OK ||
	    (r = lb_wire_mpint256(&rs, ret)) != LB_OK ||
	    (r = lb_wire_mpint256(&rs, ret + 32)) != LB_OK)
		return r;
	return rs.len == 0 ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
sk_read(struct lb_bytes *c, struct lb_sshsig *s)
{
	enum lb_err r;

	if ((r = lb_wire_u8(c, &s->flags)) != LB_OK ||
	    (r = lb_wire_u32(c, &s->counter)) != LB_OK)
		return r;
	if ((s->flags & (FLAG_ATTESTED | FLAG_EXTENSIONS)) != 0)
		return LB_ERR_UNSUPPORTED;
	return LB_OK;
}

static enum lb_err
webauthn_read(struct lb_bytes *c, struct lb_sshsig *s)
{
	struct lb_bytes data = { 0 }, extensions = { 0 };
	enum lb_err r;

	if ((r = lb_wire_word(c, s->origin, sizeof(s->origin))) != LB_OK ||
	    (r = lb_wire_string(c, &data)) != LB_OK ||
	    (r = lb_wire_string(c, &extensions)) != LB_OK)
		return r;
	if (!lb_webauthn_origin_valid(s->origin) || data.len == 0)
		return LB_ERR_FORMAT;
	if (data.len > LB_CLIENT_MAX)
		return LB_ERR_RANGE;
	if (extensions.len != 0)
		return LB_ERR_UNSUPPORTED;
	memcpy(s->client_data, data.p, data.len);
	s->client_data_len = data.len;
	return LB_OK;
}

/* The innermost blob: its type must be one that the key makes. */
static enum lb_err
signature_read(struct lb_bytes c, struct lb_sshsig *s)
{
	struct lb_bytes type = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(&c, &type)) != LB_OK)
		return r;
	s->webauthn = s->key.type == LB_KEY_SK_P256 &&
	    lb_bytes_equal_str(type, WEBAUTHN_TYPE);
	if (!s->webauthn &&
	    !lb_bytes_equal_str(type, lb_key_type_name(s->key.type)))
		return LB_ERR_FORMAT;
	if (lb_sshkey_is_p256(&s->key))
		r = ecdsa_read(&c, s->sig);
	else
		r = lb_wire_fixed(&c, s->sig, crypto_sign_BYTES);
	if (r != LB_OK ||
	    (lb_sshkey_is_sk(&s->key) && (r = sk_read(&c, s)) != LB_OK) ||
	    (s->webauthn && (r = webauthn_read(&c, s)) != LB_OK))
		return r;
	return c.len == 0 ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
blob_read(struct lb_bytes c, struct lb_sshsig *s)
{
	struct lb_bytes magic = { 0 }, key = { 0 }, reserved = { 0 };
	struct lb_bytes signature = { 0 };
	uint32_t version = 0;
	enum lb_err r;

	if ((r = lb_wire_raw(&c, LB_SSHSIG_MAGIC_LEN, &magic)) != LB_OK ||
	    (r = lb_wire_u32(&c, &version)) != LB_OK)
		return r;
	if (!lb_bytes_equal_str(magic, LB_SSHSIG_MAGIC))
		return LB_ERR_FORMAT;
	if (version != LB_SSHSIG_VERSION)
		return LB_ERR_UNSUPPORTED;
	if ((r = lb_wire_string(&c, &key)) != LB_OK ||
	    (r = lb_sshkey_parse_blob(key.p, key.len, &s->key)) != LB_OK ||
	    (r = lb_wire_word(&c, s->ns, sizeof(s->ns))) != LB_OK ||
	    (r = lb_wire_string(&c, &reserved)) != LB_OK ||
	    (r = hash_read(&c, &s->hash)) != LB_OK ||
	    (r = lb_wire_string(&c, &signature)) != LB_OK)
		return r;
	if (reserved.len != 0 || c.len != 0)
		return LB_ERR_FORMAT;
	return signature_read(signature, s);
}

enum lb_err
lb_sshsig_parse(const char *armor, size_t len, struct lb_sshsig *ret)
{
	uint8_t blob[LB_SSHSIG_BLOB_MAX];
	struct lb_bytes c = { blob, 0 };
	struct lb_sshsig s = { 0 };
	enum lb_err r;

	if (len > LB_ARMOR_MAX)
		return LB_ERR_RANGE;
	if ((r = lb_armor_open(LB_SSHSIG_LABEL, armor, len, blob, sizeof(blob),
		 &c.len)) != LB_OK ||
	    (r = blob_read(c, &s)) != LB_OK)
		return r;
	*ret = s;
	return LB_OK;
}

void
lb_sshsig_put_tbs(struct lb_writer *w, const char *ns, enum lb_sig_hash hash,
    const void *msg, size_t len)
{
	uint8_t digest[crypto_hash_sha512_BYTES];
	size_t digest_len = crypto_hash_sha512_BYTES;

	/* Both always return 0. */
	if (hash == LB_SIG_SHA512) {
		(void)crypto_hash_sha512(digest, msg, len);
	} else {
		(void)crypto_hash_sha256(digest, msg, len);
		digest_len = crypto_hash_sha256_BYTES;
	}
	lb_put_raw(w, LB_SSHSIG_MAGIC, LB_SSHSIG_MAGIC_LEN);
	lb_put_cstring(w, ns);
	lb_put_string(w, NULL, 0); /* reserved */
	lb_put_cstring(w, hash_names[hash]);
	lb_put_string(w, digest, digest_len);
}

enum lb_err
lb_sshsig_tbs(const char *ns, enum lb_sig_hash hash, const void *msg,
    size_t len, struct lb_buf *ret)
{
	uint8_t tbs[LB_SSHSIG_TBS_MAX];
	struct lb_writer w = { tbs, 0, sizeof(tbs) };

	if (strlen(ns) > LB_SSHSIG_NS_MAX)
		return LB_ERR_RANGE;
	lb_sshsig_put_tbs(&w, ns, hash, msg, len);
	return lb_buf_add(ret, tbs, w.len);
}

/* What the key itself signed, when a device stands between. */
static void
sk_signed(const struct lb_sshsig *sig, const void *asked, size_t len,
    uint8_t ret[static SK_SIGNED_LEN])
{
	struct lb_writer w = { ret, 0, SK_SIGNED_LEN };
	uint8_t digest[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(digest, (const uint8_t *)sig->key.application,
	    strlen(sig->key.application));
	lb_put_raw(&w, digest, sizeof(digest));
	lb_put_u8(&w, sig->flags);
	lb_put_u32(&w, sig->counter);
	(void)crypto_hash_sha256(digest, asked, len);
	lb_put_raw(&w, digest, sizeof(digest));
}

static enum lb_err
key_verify(const struct lb_sshsig *sig, const uint8_t *msg, size_t len)
{
	if (lb_sshkey_is_p256(&sig->key))
		return lb_p256_verify(sig->key.pk, sig->sig, msg, len);
	if (crypto_sign_verify_detached(sig->sig, msg, len, sig->key.pk) != 0)
		return LB_ERR_SIGNATURE;
	return LB_OK;
}

enum lb_err
lb_sshsig_verify_name(
    const struct lb_sshsig *sig, const char *ns, const void *msg, size_t len)
{
	uint8_t tbs[LB_SSHSIG_TBS_MAX], asked[SK_SIGNED_LEN];
	struct lb_writer w = { tbs, 0, sizeof(tbs) };

	if (strcmp(sig->ns, ns) != 0 ||
	    sig->webauthn != lb_sshkey_is_passkey(&sig->key))
		return LB_ERR_SIGNATURE;
	lb_sshsig_put_tbs(&w, ns, sig->hash, msg, len);
	if (!lb_sshkey_is_sk(&sig->key))
		return key_verify(sig, tbs, w.len);
	if (!sig->webauthn) {
		sk_signed(sig, tbs, w.len, asked);
		return key_verify(sig, asked, sizeof(asked));
	}
	if (!lb_webauthn_client_data_ok(sig->client_data, sig->client_data_len,
		tbs, w.len, sig->origin))
		return LB_ERR_SIGNATURE;
	sk_signed(sig, sig->client_data, sig->client_data_len, asked);
	return key_verify(sig, asked, sizeof(asked));
}

enum lb_err
lb_sshsig_verify(
    const struct lb_sshsig *sig, enum lb_ns ns, const void *msg, size_t len)
{
	return lb_sshsig_verify_name(sig, lb_ns_name(ns), msg, len);
}
