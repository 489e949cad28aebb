/*
 * SSH signatures: refused, or taken apart so that putting them together again
 * gives the same bytes; and none verifies but those that were really made.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lockbox/sshsig.h"

#include "../unit/sshsig_samples.h"
#include "sshkey_wire.h"
#include "sshsig_wire.h"
#include "sshwire.h"

#define BLOB_SIZE     4096
#define WEBAUTHN_TYPE "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"

static const char *const samples[] = {
	ed25519_sha256,
	ed25519_sha512,
	p256_sha256,
	p256_sha512,
	sk_ed25519_sha256,
	sk_ed25519_sha512,
	sk_p256_sha256,
	sk_p256_sha512,
	passkey_sha256,
	passkey_sha512,
};

/* 32 bytes as an mpint. */
static void
put_mpint(struct lb_writer *w, const uint8_t *bytes)
{
	uint8_t padded[33] = { 0 };
	size_t skip = 1;

	memcpy(padded + 1, bytes, 32);
	while (skip < sizeof(padded) && padded[skip] == 0)
		skip++;
	if (skip < sizeof(padded) && (padded[skip] & 0x80) != 0)
		skip--;
	lb_put_string(w, padded + skip, sizeof(padded) - skip);
}

static void
put_signature(struct lb_writer *w, const struct lb_sshsig *s)
{
	uint8_t bytes[128];
	struct lb_writer rs = { bytes, 0, sizeof(bytes) };

	lb_put_cstring(
	    w, s->webauthn ? WEBAUTHN_TYPE : lb_key_type_name(s->key.type));
	if (lb_sshkey_is_p256(&s->key)) {
		put_mpint(&rs, s->sig);
		put_mpint(&rs, s->sig + 32);
		lb_put_string(w, bytes, rs.len);
	} else {
		lb_put_string(w, s->sig, sizeof(s->sig));
	}
	if (lb_sshkey_is_sk(&s->key)) {
		lb_put_u8(w, s->flags);
		lb_put_u32(w, s->counter);
	}
	if (s->webauthn) {
		lb_put_cstring(w, s->origin);
		lb_put_string(w, s->client_data, s->client_data_len);
		lb_put_string(w, NULL, 0);
	}
}

static void
put_blob(struct lb_writer *w, const struct lb_sshsig *s)
{
	uint8_t bytes[BLOB_SIZE];
	struct lb_writer part = { bytes, 0, sizeof(bytes) };

	lb_put_raw(w, LB_SSHSIG_MAGIC, LB_SSHSIG_MAGIC_LEN);
	lb_put_u32(w, LB_SSHSIG_VERSION);
	lb_sshkey_put(&part, &s->key);
	lb_put_string(w, bytes, part.len);
	lb_put_cstring(w, s->ns);
	lb_put_string(w, NULL, 0);
	lb_put_cstring(w, s->hash == LB_SIG_SHA512 ? "sha512" : "sha256");
	part.len = 0;
	put_signature(&part, s);
	lb_put_string(w, bytes, part.len);
}

static bool
is_sample(const uint8_t *blob, size_t len)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		uint8_t bytes[BLOB_SIZE];
		size_t n = 0;

		if (lb_armor_open(LB_SSHSIG_LABEL, samples[i],
			strlen(samples[i]), bytes, sizeof(bytes),
			&n) == LB_OK &&
		    n == len && memcmp(bytes, blob, len) == 0)
			return true;
	}
	return false;
}

static void
check_sig(const struct lb_sshsig *s, const uint8_t *blob, size_t len)
{
	uint8_t bytes[BLOB_SIZE];
	struct lb_writer w = { bytes, 0, sizeof(bytes) };
	enum lb_err r;

	put_blob(&w, s);
	assert(w.len == len && memcmp(bytes, blob, len) == 0);
	assert(strlen(s->ns) >= 1 && strlen(s->ns) < sizeof(s->ns));
	assert(s->webauthn == (s->origin[0] != '\0'));
	assert(s->client_data_len <= LB_CLIENT_MAX);
	assert((s->flags & 0xc0) == 0);
	r = lb_sshsig_verify(s, LB_NS_APPROVE, SAMPLE_MSG, strlen(SAMPLE_MSG));
	assert(r != LB_OK || is_sample(blob, len));
	assert(lb_sshsig_verify(
		   s, LB_NS_REVOKE, SAMPLE_MSG, strlen(SAMPLE_MSG)) != LB_OK);
}

static void
check_armor(const char *armor, size_t len)
{
	uint8_t blob[LB_SSHSIG_BLOB_MAX];
	struct lb_sshsig s = { 0 };
	size_t blob_len = 0;
	enum lb_err r;

	r = lb_sshsig_parse(armor, len, &s);
	assert(r == LB_OK || r == LB_ERR_FORMAT || r == LB_ERR_RANGE ||
	    r == LB_ERR_UNSUPPORTED);
	if (r != LB_OK)
		return;
	r = lb_armor_open(
	    LB_SSHSIG_LABEL, armor, len, blob, sizeof(blob), &blob_len);
	assert(r == LB_OK);
	check_sig(&s, blob, blob_len);
}

/* The input is an armor, and what stands in one. */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct lb_buf armor = { 0 };
	enum lb_err r;

	check_armor((const char *)bytes, len);
	if (len == 0 || len > LB_ARMOR_BLOB_MAX)
		return 0;
	r = lb_armor_close(LB_SSHSIG_LABEL, bytes, len, &armor);
	assert(r == LB_OK);
	check_armor(armor.data, armor.len);
	lb_buf_clear(&armor);
	return 0;
}
