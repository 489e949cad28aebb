/* SSH public keys: the four kinds that may sign. */
#include "lockbox/sshkey.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "p256.h"
#include "sshkey_wire.h"
#include "sshwire.h"

#define ED25519_LEN    32
#define P256_CURVE     "nistp256"
#define PASSKEY_UNLESS "ssh:"

/* What the four kinds are made of; the index is enum lb_key_type. */
static const struct kind {
	const char *name;
	bool p256, sk;
} kinds[] = {
	[LB_KEY_ED25519] = { "ssh-ed25519", false, false },
	[LB_KEY_SK_ED25519] = { "sk-ssh-ed25519@openssh.com", false, true },
	[LB_KEY_P256] = { "ecdsa-sha2-nistp256", true, false },
	[LB_KEY_SK_P256] = { "sk-ecdsa-sha2-nistp256@openssh.com", true, true },
};
#define KINDS_END (sizeof(kinds) / sizeof(kinds[0]))

const char *
lb_key_type_name(enum lb_key_type type)
{
	assert(type >= LB_KEY_ED25519 && type < KINDS_END);
	return kinds[type].name;
}

bool
lb_sshkey_is_sk(const struct lb_sshkey *key)
{
	return kinds[key->type].sk;
}

bool
lb_sshkey_is_passkey(const struct lb_sshkey *key)
{
	return lb_sshkey_is_sk(key) &&
	    strncmp(key->application, PASSKEY_UNLESS, strlen(PASSKEY_UNLESS)) !=
	    0;
}

bool
lb_sshkey_is_p256(const struct lb_sshkey *key)
{
	return kinds[key->type].p256;
}

void
lb_sshkey_fp(const uint8_t *blob, size_t len, char ret[static LB_KEYFP_LEN + 1])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, blob, len); /* always 0 */
	memcpy(ret, "SHA256:", 7);
	sodium_bin2base64(ret + 7, LB_KEYFP_LEN + 1 - 7, hash, sizeof(hash),
	    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
}

static enum lb_err
point_read(struct lb_bytes *c, struct lb_sshkey *k)
{
	struct lb_bytes curve = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(c, &curve)) != LB_OK)
		return r;
	if (!lb_bytes_equal_str(curve, P256_CURVE))
		return LB_ERR_FORMAT;
	if ((r = lb_wire_fixed(c, k->pk, LB_P256_POINT_LEN)) != LB_OK)
		return r;
	k->pk_len = LB_P256_POINT_LEN;
	return lb_p256_check(k->pk);
}

static enum lb_err
type_find(struct lb_bytes name, enum lb_key_type *ret)
{
	for (size_t i = LB_KEY_ED25519; i < KINDS_END; i++)
		if (lb_bytes_equal_str(name, kinds[i].name)) {
			*ret = (enum lb_key_type)i;
			return LB_OK;
		}
	return LB_ERR_UNSUPPORTED;
}

enum lb_err
lb_sshkey_parse_blob(const uint8_t *blob, size_t len, struct lb_sshkey *ret)
{
	struct lb_bytes c = { blob, len }, name = { 0 };
	struct lb_sshkey k = { 0 };
	enum lb_err r;

	if ((r = lb_wire_string(&c, &name)) != LB_OK ||
	    (r = type_find(name, &k.type)) != LB_OK)
		return r;
	if (kinds[k.type].p256) {
		r = point_read(&c, &k);
	} else {
		r = lb_wire_fixed(&c, k.pk, ED25519_LEN);
		k.pk_len = ED25519_LEN;
	}
	if (r != LB_OK)
		return r;
	if (kinds[k.type].sk &&
	    (r = lb_wire_word(&c, k.application, sizeof(k.application))) !=
		LB_OK)
		return r;
	if (c.len != 0)
		return LB_ERR_FORMAT;
	lb_sshkey_fp(blob, len, k.fp);
	*ret = k;
	return LB_OK;
}

enum lb_err
lb_sshkey_parse(const char *text, struct lb_sshkey *ret)
{
	const char *space = strchr(text, ' ');
	uint8_t blob[LB_KEY_BLOB_MAX];
	struct lb_bytes word = { 0 };
	enum lb_key_type type = 0;
	struct lb_sshkey k = { 0 };
	size_t len = 0;
	enum lb_err r;

	if (space == NULL)
		return LB_ERR_FORMAT;
	word.p = (const uint8_t *)text;
	word.len = (size_t)(space - text);
	if ((r = type_find(word, &type)) != LB_OK ||
	    (r = lb_base64_decode(space + 1, strlen(space + 1), blob,
		 sizeof(blob), &len)) != LB_OK ||
	    (r = lb_sshkey_parse_blob(blob, len, &k)) != LB_OK)
		return r;
	if (k.type != type)
		return LB_ERR_FORMAT;
	*ret = k;
	return LB_OK;
}

void
lb_sshkey_put(struct lb_writer *w, const struct lb_sshkey *key)
{
	lb_put_cstring(w, lb_key_type_name(key->type));
	if (lb_sshkey_is_p256(key))
		lb_put_cstring(w, P256_CURVE);
	lb_put_string(w, key->pk, key->pk_len);
	if (lb_sshkey_is_sk(key))
		lb_put_cstring(w, key->application);
}

void
lb_sshkey_format(
    const struct lb_sshkey *key, char ret[static LB_KEY_TEXT_MAX + 1])
{
	uint8_t blob[LB_KEY_BLOB_MAX];
	struct lb_writer w = { blob, 0, sizeof(blob) };
	const char *name = lb_key_type_name(key->type);
	size_t n = strlen(name);

	lb_sshkey_put(&w, key);
	memcpy(ret, name, n);
	ret[n++] = ' ';
	sodium_bin2base64(ret + n, LB_KEY_TEXT_MAX + 1 - n, blob, w.len,
	    sodium_base64_VARIANT_ORIGINAL);
}

bool
lb_sshkey_equal(const struct lb_sshkey *a, const struct lb_sshkey *b)
{
	return a->type == b->type && a->pk_len == b->pk_len &&
	    memcmp(a->pk, b->pk, a->pk_len) == 0 &&
	    strcmp(a->application, b->application) == 0;
}
