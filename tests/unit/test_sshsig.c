/* SSH signatures: what verifies, and what must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/sshsig.h"

#include "sshkey_wire.h"
#include "sshsig_samples.h"
#include "sshsig_wire.h"
#include "sshwire.h"

#define MSG SAMPLE_MSG
#define NS  "lockbox-approve-v1"

static const struct sample {
	const char *armor, *key;
	enum lb_key_type type;
	enum lb_sig_hash hash;
	uint8_t flags;
	const char *origin;
} samples[] = {
	{ ed25519_sha256, ed25519_key, LB_KEY_ED25519, LB_SIG_SHA256, 0, "" },
	{ ed25519_sha512, ed25519_key, LB_KEY_ED25519, LB_SIG_SHA512, 0, "" },
	{ p256_sha256, p256_key, LB_KEY_P256, LB_SIG_SHA256, 0, "" },
	{ p256_sha512, p256_key, LB_KEY_P256, LB_SIG_SHA512, 0, "" },
	{ sk_ed25519_sha256, sk_ed25519_key, LB_KEY_SK_ED25519, LB_SIG_SHA256,
	    5, "" },
	{ sk_ed25519_sha512, sk_ed25519_key, LB_KEY_SK_ED25519, LB_SIG_SHA512,
	    5, "" },
	{ sk_p256_sha256, sk_p256_key, LB_KEY_SK_P256, LB_SIG_SHA256, 5, "" },
	{ sk_p256_sha512, sk_p256_key, LB_KEY_SK_P256, LB_SIG_SHA512, 5, "" },
	{ passkey_sha256, passkey_key, LB_KEY_SK_P256, LB_SIG_SHA256, 5,
	    "https://door.example" },
	{ passkey_sha512, passkey_key, LB_KEY_SK_P256, LB_SIG_SHA512, 5,
	    "https://door.example" },
};
#define SAMPLES_END (sizeof(samples) / sizeof(samples[0]))

static bool
supported(enum lb_key_type type)
{
	return HAVE_P256 || (type != LB_KEY_P256 && type != LB_KEY_SK_P256);
}

/* A sample taken apart; skips it where P-256 is not built in. */
static bool
sample_parse(const struct sample *s, struct lb_sshsig *ret)
{
	enum lb_err r = lb_sshsig_parse(s->armor, strlen(s->armor), ret);

	if (supported(s->type)) {
		assert_int_equal(r, LB_OK);
		return true;
	}
	assert_int_equal(r, LB_ERR_UNSUPPORTED);
	return false;
}

static enum lb_err
verify(const struct lb_sshsig *sig)
{
	return lb_sshsig_verify(sig, LB_NS_APPROVE, MSG, strlen(MSG));
}

static void
test_parse_says_what_stands_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES_END; i++) {
		char text[LB_KEY_TEXT_MAX + 1];
		struct lb_sshsig sig = { 0 };

		if (!sample_parse(&samples[i], &sig))
			continue;
		assert_int_equal(sig.key.type, samples[i].type);
		assert_int_equal(sig.hash, samples[i].hash);
		assert_int_equal(sig.flags, samples[i].flags);
		assert_int_equal(sig.counter, samples[i].flags != 0 ? 7 : 0);
		assert_string_equal(sig.origin, samples[i].origin);
		assert_int_equal(sig.webauthn, samples[i].origin[0] != '\0');
		assert_string_equal(sig.ns, NS);
		lb_sshkey_format(&sig.key, text);
		assert_string_equal(text, samples[i].key);
	}
}

static void
test_verify_message_and_namespace(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES_END; i++) {
		struct lb_sshsig sig = { 0 };

		if (!sample_parse(&samples[i], &sig))
			continue;
		assert_int_equal(verify(&sig), LB_OK);
		assert_int_equal(
		    lb_sshsig_verify_name(&sig, NS, MSG, strlen(MSG)), LB_OK);
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_REVOKE, MSG, strlen(MSG)),
		    LB_ERR_SIGNATURE);
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_APPROVE, MSG, strlen(MSG) - 1),
		    LB_ERR_SIGNATURE);
		assert_int_equal(lb_sshsig_verify(&sig, LB_NS_APPROVE, MSG "\n",
				     strlen(MSG) + 1),
		    LB_ERR_SIGNATURE);
	}
}

/* Each field that is signed, or says how, changed by itself. */
static void
test_verify_every_field_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES_END; i++) {
		struct lb_sshsig sig = { 0 }, bad;
		bool sk;

		if (!sample_parse(&samples[i], &sig))
			continue;
		assert_int_equal(verify(&sig), LB_OK);
		sk = lb_sshkey_is_sk(&sig.key);
		for (size_t bit = 0; bit < 8 * sizeof(sig.sig); bit++) {
			bad = sig;
			bad.sig[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(verify(&bad), LB_ERR_SIGNATURE);
		}
		bad = sig;
		bad.hash = LB_SIG_SHA256 + LB_SIG_SHA512 - sig.hash;
		assert_int_equal(verify(&bad), LB_ERR_SIGNATURE);
		bad = sig;
		bad.webauthn = !sig.webauthn;
		assert_int_equal(verify(&bad), LB_ERR_SIGNATURE);
		bad = sig;
		bad.flags ^= LB_SIG_TOUCH;
		assert_int_equal(verify(&bad), sk ? LB_ERR_SIGNATURE : LB_OK);
		bad = sig;
		bad.counter++;
		assert_int_equal(verify(&bad), sk ? LB_ERR_SIGNATURE : LB_OK);
		bad = sig;
		bad.key.application[4] ^= 1;
		assert_int_equal(verify(&bad), sk ? LB_ERR_SIGNATURE : LB_OK);
		bad = sig;
		bad.origin[9] ^= 1;
		bad.client_data[0] ^= 1;
		assert_int_equal(
		    verify(&bad), sig.webauthn ? LB_ERR_SIGNATURE : LB_OK);
	}
}

struct blob {
	uint8_t bytes[LB_SSHSIG_BLOB_MAX + 8];
	size_t len;
};

static void
blob_open(const char *armor, struct blob *ret)
{
	assert_int_equal(lb_armor_open(LB_SSHSIG_LABEL, armor, strlen(armor),
			     ret->bytes, LB_SSHSIG_BLOB_MAX, &ret->len),
	    LB_OK);
}

/* Both steps, as every caller takes them: from a blob to a verdict. */
static enum lb_err
blob_verdict(const struct blob *blob)
{
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig = { 0 };
	enum lb_err r;

	assert_int_equal(
	    lb_armor_close(LB_SSHSIG_LABEL, blob->bytes, blob->len, &armor),
	    LB_OK);
	if ((r = lb_sshsig_parse(armor.data, armor.len, &sig)) == LB_OK)
		r = verify(&sig);
	lb_buf_clear(&armor);
	return r;
}

static void
test_every_bit_and_every_truncation(void **state)
{
	struct blob blob;

	(void)state;
	for (size_t i = 0; i < SAMPLES_END; i++) {
		if (!supported(samples[i].type))
			continue;
		blob_open(samples[i].armor, &blob);
		assert_int_equal(blob_verdict(&blob), LB_OK);
		for (size_t bit = 0; bit < 8 * blob.len; bit++) {
			blob.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_not_equal(blob_verdict(&blob), LB_OK);
			blob.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		blob.bytes[blob.len++] = 0; /* trailing */
		assert_int_equal(blob_verdict(&blob), LB_ERR_FORMAT);
		for (blob.len -= 2; blob.len > 0; blob.len--)
			assert_int_not_equal(blob_verdict(&blob), LB_OK);
	}
}

/* The fields of an Ed25519 sample, to be put together otherwise. */
struct parts {
	const char *magic;
	uint32_t version;
	const char *ns, *reserved, *hash, *type;
	size_t sig_len;
	const char *after_sig, *after_all;
	enum lb_err want;
};

static void
parts_put(const struct parts *p, const struct lb_sshsig *sig, struct blob *ret)
{
	struct lb_writer w = { ret->bytes, 0, sizeof(ret->bytes) };
	uint8_t inner[512];
	struct lb_writer in = { inner, 0, sizeof(inner) };

	lb_put_raw(&w, p->magic, strlen(p->magic));
	lb_put_u32(&w, p->version);
	lb_sshkey_put(&in, &sig->key);
	lb_put_string(&w, inner, in.len);
	lb_put_cstring(&w, p->ns);
	lb_put_cstring(&w, p->reserved);
	lb_put_cstring(&w, p->hash);
	in.len = 0;
	lb_put_cstring(&in, p->type);
	lb_put_string(&in, sig->sig, p->sig_len);
	lb_put_raw(&in, p->after_sig, strlen(p->after_sig));
	lb_put_string(&w, inner, in.len);
	lb_put_raw(&w, p->after_all, strlen(p->after_all));
	ret->len = w.len;
}

static void
test_blob_fields(void **state)
{
	static const char long_ns[] =
	    "0123456789012345678901234567890123456789";
	static const char type[] = "ssh-ed25519", h[] = "sha512";
	static const struct parts row[] = {
		{ "SSHSIG", 1, NS, "", h, type, 64, "", "", LB_OK },
		{ "SSHSIC", 1, NS, "", h, type, 64, "", "", LB_ERR_FORMAT },
		{ "SSHSIG", 0, NS, "", h, type, 64, "", "",
		    LB_ERR_UNSUPPORTED },
		{ "SSHSIG", 2, NS, "", h, type, 64, "", "",
		    LB_ERR_UNSUPPORTED },
		{ "SSHSIG", 1, "", "", h, type, 64, "", "", LB_ERR_FORMAT },
		{ "SSHSIG", 1, "lockbox-revoke-v1", "", h, type, 64, "", "",
		    LB_ERR_SIGNATURE },
		{ "SSHSIG", 1, NS " ", "", h, type, 64, "", "", LB_ERR_FORMAT },
		{ "SSHSIG", 1, long_ns, "", h, type, 64, "", "", LB_ERR_RANGE },
		{ "SSHSIG", 1, NS, "x", h, type, 64, "", "", LB_ERR_FORMAT },
		{ "SSHSIG", 1, NS, "", "sha256", type, 64, "", "",
		    LB_ERR_SIGNATURE },
		{ "SSHSIG", 1, NS, "", "sha1", type, 64, "", "",
		    LB_ERR_UNSUPPORTED },
		{ "SSHSIG", 1, NS, "", h, "ssh-ed25518", 64, "", "",
		    LB_ERR_FORMAT },
		{ "SSHSIG", 1, NS, "", h, type, 63, "", "", LB_ERR_FORMAT },
		{ "SSHSIG", 1, NS, "", h, type, 64, "x", "", LB_ERR_FORMAT },
		{ "SSHSIG", 1, NS, "", h, type, 64, "", "x", LB_ERR_FORMAT },
	};
	struct lb_sshsig sig = { 0 };
	struct blob blob;

	(void)state;
	assert_int_equal(
	    lb_sshsig_parse(ed25519_sha512, strlen(ed25519_sha512), &sig),
	    LB_OK);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		parts_put(&row[i], &sig, &blob);
		assert_int_equal(blob_verdict(&blob), row[i].want);
	}
}

static void
test_parse_leaves_output_alone(void **state)
{
	struct lb_sshsig sig, before;
	char text[LB_ARMOR_MAX + 2];

	(void)state;
	memset(&sig, 0x5a, sizeof(sig));
	memset(&before, 0x5a, sizeof(before));
	memset(text, 'A', sizeof(text));
	assert_int_equal(
	    lb_sshsig_parse(text, sizeof(text), &sig), LB_ERR_RANGE);
	assert_int_equal(
	    lb_sshsig_parse(ed25519_sha512, strlen(ed25519_sha512) - 1, &sig),
	    LB_ERR_FORMAT);
	assert_memory_equal(&sig, &before, sizeof(sig));
	assert_int_equal(
	    lb_sshsig_parse(ed25519_sha512, strlen(ed25519_sha512), &sig),
	    LB_OK);
}

static void
test_tbs_is_what_openssh_signs(void **state)
{
	static const char head[] = "SSHSIG\0\0\0\4file\0\0\0\0\0\0\0\6sha256"
				   "\0\0\0\40";
	struct lb_buf b = { 0 };

	(void)state;
	assert_int_equal(
	    lb_sshsig_tbs("file", LB_SIG_SHA256, "abc", 3, &b), LB_OK);
	assert_int_equal(b.len, sizeof(head) - 1 + 32);
	assert_memory_equal(b.data, head, sizeof(head) - 1);
	assert_memory_equal(b.data + b.len - 4, "\xf2\x00\x15\xad", 4);
	assert_int_equal(
	    lb_sshsig_tbs("0123456789012345678901234567890123456789",
		LB_SIG_SHA256, "abc", 3, &b),
	    LB_ERR_RANGE);
	lb_buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_says_what_stands_there),
		cmocka_unit_test(test_verify_message_and_namespace),
		cmocka_unit_test(test_verify_every_field_counts),
		cmocka_unit_test(test_every_bit_and_every_truncation),
		cmocka_unit_test(test_blob_fields),
		cmocka_unit_test(test_parse_leaves_output_alone),
		cmocka_unit_test(test_tbs_is_what_openssh_signs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
