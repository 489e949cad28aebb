/* Ed25519 keys that sign, and their OpenSSH private key files. */
#include "lockbox/sshsig.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "lockbox/file.h"

#include "sshkey_wire.h"
#include "sshsig_wire.h"
#include "sshwire.h"

#define FILE_MAX    4096 /* bytes */
#define BLOB_MAX    3072 /* bytes in a file of FILE_MAX */
#define FILE_LABEL  "OPENSSH PRIVATE KEY"
#define FILE_MAGIC  "openssh-key-v1" /* with its NUL */
#define COMMENT_MAX 128              /* chars, without NUL */
#define NO_CIPHER   "none"
#define BLOCK_LEN   8 /* that the private part is padded to without cipher */

struct lb_signer {
	struct lb_sshkey key;
	uint8_t *sk; /* crypto_sign_SECRETKEYBYTES, from sodium_malloc */
};

void
lb_signer_free(struct lb_signer *s)
{
	if (s == NULL)
		return;
	sodium_free(s->sk); /* wipes; accepts NULL */
	free(s);
}

/* Signs what it would sign, and sees it verify. */
static enum lb_err
selftest(const struct lb_signer *s)
{
	static const uint8_t probe[] = "lockbox signer self-test";
	uint8_t sig[crypto_sign_BYTES];

	if (crypto_sign_detached(sig, NULL, probe, sizeof(probe), s->sk) != 0 ||
	    crypto_sign_verify_detached(sig, probe, sizeof(probe), s->key.pk) !=
		0)
		return LB_ERR_SIGNATURE;
	return LB_OK;
}

/* seed  crypto_sign_SEEDBYTES bytes */
static enum lb_err
signer_from_seed(const uint8_t *seed, struct lb_signer **ret)
{
	uint8_t blob[LB_KEY_BLOB_MAX], pk[crypto_sign_PUBLICKEYBYTES];
	struct lb_writer w = { blob, 0, sizeof(blob) };
	struct lb_signer *s = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->sk = sodium_malloc(crypto_sign_SECRETKEYBYTES)) == NULL ||
	    crypto_sign_seed_keypair(pk, s->sk, seed) != 0)
		goto out;
	lb_put_cstring(&w, lb_key_type_name(LB_KEY_ED25519));
	lb_put_string(&w, pk, sizeof(pk));
	if ((r = lb_sshkey_parse_blob(blob, w.len, &s->key)) != LB_OK ||
	    (r = selftest(s)) != LB_OK)
		goto out;
	(void)sodium_mprotect_readonly(s->sk); /* a second line of defence */
	*ret = s;
	s = NULL; /* handed over */
out:
	lb_signer_free(s);
	return r;
}

enum lb_err
lb_signer_new(struct lb_signer **ret)
{
	uint8_t *seed = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (sodium_init() < 0 ||
	    (seed = sodium_malloc(crypto_sign_SEEDBYTES)) == NULL)
		goto out;
	randombytes_buf(seed, crypto_sign_SEEDBYTES);
	r = signer_from_seed(seed, ret);
out:
	sodium_free(seed);
	return r;
}

/* The padding is 1, 2, 3 and so on, and less than a block. */
static bool
padding_ok(struct lb_bytes c)
{
	if (c.len >= BLOCK_LEN)
		return false;
	for (size_t i = 0; i < c.len; i++)
		if (c.p[i] != i + 1)
			return false;
	return true;
}

/*
 * The private part: two equal check numbers, type, public half, seed and
 * public half again, comment, padding. ret_seed points into it.
 */
static enum lb_err
private_read(struct lb_bytes c, const uint8_t *pk, const uint8_t **ret_seed)
{
	struct lb_bytes type = { 0 }, pub = { 0 }, sk = { 0 }, comment = { 0 };
	uint32_t check1 = 0, check2 = 0;
	enum lb_err r;

	if (c.len % BLOCK_LEN != 0)
		return LB_ERR_FORMAT;
	if ((r = lb_wire_u32(&c, &check1)) != LB_OK ||
	    (r = lb_wire_u32(&c, &check2)) != LB_OK ||
	    (r = lb_wire_string(&c, &type)) != LB_OK ||
	    (r = lb_wire_string(&c, &pub)) != LB_OK ||
	    (r = lb_wire_string(&c, &sk)) != LB_OK ||
	    (r = lb_wire_string(&c, &comment)) != LB_OK)
		return r;
	if (check1 != check2 || !padding_ok(c) ||
	    !lb_bytes_equal_str(type, lb_key_type_name(LB_KEY_ED25519)) ||
	    pub.len != crypto_sign_PUBLICKEYBYTES ||
	    sk.len != crypto_sign_SECRETKEYBYTES ||
	    memcmp(pub.p, pk, pub.len) != 0 ||
	    memcmp(sk.p + crypto_sign_SEEDBYTES, pk, pub.len) != 0)
		return LB_ERR_FORMAT;
	*ret_seed = sk.p;
	return LB_OK;
}

/* The public part; LB_ERR_UNSUPPORTED when it is encrypted or no Ed25519. */
static enum lb_err
public_read(struct lb_bytes *c, struct lb_sshkey *ret_key)
{
	struct lb_bytes magic = { 0 }, cipher = { 0 }, kdf = { 0 };
	struct lb_bytes options = { 0 }, pub = { 0 };
	struct lb_sshkey key = { 0 };
	uint32_t count = 0;
	enum lb_err r;

	if ((r = lb_wire_raw(c, sizeof(FILE_MAGIC), &magic)) != LB_OK ||
	    (r = lb_wire_string(c, &cipher)) != LB_OK ||
	    (r = lb_wire_string(c, &kdf)) != LB_OK ||
	    (r = lb_wire_string(c, &options)) != LB_OK ||
	    (r = lb_wire_u32(c, &count)) != LB_OK ||
	    (r = lb_wire_string(c, &pub)) != LB_OK)
		return r;
	if (memcmp(magic.p, FILE_MAGIC, sizeof(FILE_MAGIC)) != 0)
		return LB_ERR_FORMAT;
	if (!lb_bytes_equal_str(cipher, NO_CIPHER) ||
	    !lb_bytes_equal_str(kdf, NO_CIPHER) || count != 1)
		return LB_ERR_UNSUPPORTED;
	if (options.len != 0)
		return LB_ERR_FORMAT;
	if ((r = lb_sshkey_parse_blob(pub.p, pub.len, &key)) != LB_OK)
		return r;
	if (key.type != LB_KEY_ED25519)
		return LB_ERR_UNSUPPORTED;
	*ret_key = key;
	return LB_OK;
}

static enum lb_err
signer_read(struct lb_bytes c, struct lb_signer **ret)
{
	struct lb_bytes priv = { 0 };
	struct lb_sshkey key = { 0 };
	struct lb_signer *s = NULL;
	const uint8_t *seed = NULL;
	enum lb_err r;

	if ((r = public_read(&c, &key)) != LB_OK ||
	    (r = lb_wire_string(&c, &priv)) != LB_OK)
		goto out;
	r = LB_ERR_FORMAT;
	if (c.len != 0 || (r = private_read(priv, key.pk, &seed)) != LB_OK ||
	    (r = signer_from_seed(seed, &s)) != LB_OK)
		goto out;
	/* The seed's public half, not only the file's word for it. */
	if (!lb_sshkey_equal(&key, &s->key)) {
		r = LB_ERR_FORMAT;
		goto out;
	}
	*ret = s;
	s = NULL; /* handed over */
out:
	lb_signer_free(s);
	return r;
}

enum lb_err
lb_signer_load(const char *path, uid_t owner, struct lb_signer **ret)
{
	struct lb_buf text = { .max = FILE_MAX };
	struct lb_bytes c = { 0 };
	uint8_t *blob = NULL;
	enum lb_err r = LB_ERR_MEMORY;

	if (sodium_init() < 0 || (blob = sodium_malloc(BLOB_MAX)) == NULL)
		goto out;
	c.p = blob;
	if ((r = lb_file_read_secret(path, owner, FILE_MAX, &text)) != LB_OK ||
	    (r = lb_armor_open(FILE_LABEL, text.data, text.len, blob, BLOB_MAX,
		 &c.len)) != LB_OK)
		goto out;
	r = signer_read(c, ret);
out:
	sodium_free(blob);
	lb_buf_clear(&text);
	return r;
}

static void
put_private(struct lb_writer *w, const struct lb_signer *s, const char *comment)
{
	size_t from = w->len;
	uint32_t check = randombytes_random();

	lb_put_u32(w, check);
	lb_put_u32(w, check);
	lb_put_cstring(w, lb_key_type_name(LB_KEY_ED25519));
	lb_put_string(w, s->key.pk, s->key.pk_len);
	lb_put_string(w, s->sk, crypto_sign_SECRETKEYBYTES);
	lb_put_cstring(w, comment);
	for (uint8_t i = 1; (w->len - from) % BLOCK_LEN != 0; i++)
		lb_put_u8(w, i);
}

static void
put_file(struct lb_writer *w, const struct lb_signer *s, const char *comment)
{
	uint8_t pub[LB_KEY_BLOB_MAX];
	struct lb_writer p = { pub, 0, sizeof(pub) };
	struct lb_writer priv;

	lb_sshkey_put(&p, &s->key);
	lb_put_raw(w, FILE_MAGIC, sizeof(FILE_MAGIC));
	lb_put_cstring(w, NO_CIPHER);
	lb_put_cstring(w, NO_CIPHER);
	lb_put_string(w, NULL, 0);
	lb_put_u32(w, 1);
	lb_put_string(w, pub, p.len);
	/* The private part in place, then the length before it. */
	priv = (struct lb_writer){ w->p + w->len + 4, 0, w->size - w->len - 4 };
	put_private(&priv, s, comment);
	lb_put_u32(w, (uint32_t)priv.len);
	w->len += priv.len;
}

static bool
comment_valid(const char *comment)
{
	for (const char *p = comment; *p != '\0'; p++)
		if (*p < 0x20 || *p > 0x7e)
			return false;
	return strlen(comment) <= COMMENT_MAX;
}

enum lb_err
lb_signer_save(const struct lb_signer *s, const char *path, const char *comment)
{
	struct lb_buf text = { .max = FILE_MAX };
	struct lb_writer w = { NULL, 0, BLOB_MAX };
	enum lb_err r = LB_ERR_MEMORY;

	if (!comment_valid(comment))
		return LB_ERR_FORMAT;
	if ((w.p = sodium_malloc(BLOB_MAX)) == NULL)
		goto out;
	put_file(&w, s, comment);
	if ((r = lb_armor_close(FILE_LABEL, w.p, w.len, &text)) != LB_OK)
		goto out;
	r = lb_file_write_atomic(path, 0600, text.data, text.len);
out:
	sodium_free(w.p);
	lb_buf_clear(&text);
	return r;
}

const struct lb_sshkey *
lb_signer_key(const struct lb_signer *s)
{
	return &s->key;
}

/* What follows the magic: version, key, namespace, reserved, hash. */
static void
put_sshsig(struct lb_writer *w, const struct lb_signer *s, const char *ns,
    const uint8_t sig[static crypto_sign_BYTES])
{
	uint8_t bytes[LB_KEY_BLOB_MAX];
	struct lb_writer b = { bytes, 0, sizeof(bytes) };

	lb_put_raw(w, LB_SSHSIG_MAGIC, LB_SSHSIG_MAGIC_LEN);
	lb_put_u32(w, LB_SSHSIG_VERSION);
	lb_sshkey_put(&b, &s->key);
	lb_put_string(w, bytes, b.len);
	lb_put_cstring(w, ns);
	lb_put_string(w, NULL, 0);
	lb_put_cstring(w, "sha512");
	b.len = 0;
	lb_put_cstring(&b, lb_key_type_name(LB_KEY_ED25519));
	lb_put_string(&b, sig, crypto_sign_BYTES);
	lb_put_string(w, bytes, b.len);
}

enum lb_err
lb_signer_sign(const struct lb_signer *s, enum lb_ns ns, const void *msg,
    size_t len, struct lb_buf *ret)
{
	uint8_t tbs[LB_SSHSIG_TBS_MAX], blob[LB_SSHSIG_BLOB_MAX];
	struct lb_writer t = { tbs, 0, sizeof(tbs) };
	struct lb_writer w = { blob, 0, sizeof(blob) };
	uint8_t sig[crypto_sign_BYTES];

	lb_sshsig_put_tbs(&t, lb_ns_name(ns), LB_SIG_SHA512, msg, len);
	if (crypto_sign_detached(sig, NULL, tbs, t.len, s->sk) != 0)
		return LB_ERR_SIGNATURE;
	put_sshsig(&w, s, lb_ns_name(ns), sig);
	return lb_armor_close(LB_SSHSIG_LABEL, blob, w.len, ret);
}
