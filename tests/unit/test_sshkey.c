/* Public keys: the four kinds, their one spelling, their fingerprints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/sshkey.h"

#include "sshkey_wire.h"
#include "sshsig_samples.h"
#include "sshwire.h"

static const struct {
	const char *text;
	enum lb_key_type type;
	bool sk, passkey, p256;
} samples[] = {
	{ ed25519_key, LB_KEY_ED25519, false, false, false },
	{ sk_ed25519_key, LB_KEY_SK_ED25519, true, false, false },
	{ p256_key, LB_KEY_P256, false, false, true },
	{ sk_p256_key, LB_KEY_SK_P256, true, false, true },
	{ passkey_key, LB_KEY_SK_P256, true, true, true },
};
#define SAMPLES_END (sizeof(samples) / sizeof(samples[0]))

static void
test_parse_and_format_are_inverse(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES_END; i++) {
		char text[LB_KEY_TEXT_MAX + 1];
		struct lb_sshkey key = { 0 };
		enum lb_err r = lb_sshkey_parse(samples[i].text, &key);

		if (samples[i].p256 && !HAVE_P256) {
			assert_int_equal(r, LB_ERR_UNSUPPORTED);
			continue;
		}
		assert_int_equal(r, LB_OK);
		assert_int_equal(key.type, samples[i].type);
		assert_int_equal(lb_sshkey_is_sk(&key), samples[i].sk);
		assert_int_equal(
		    lb_sshkey_is_passkey(&key), samples[i].passkey);
		lb_sshkey_format(&key, text);
		assert_string_equal(text, samples[i].text);
	}
}

/* As ssh-keygen -l says. */
static void
test_fingerprint(void **state)
{
	struct lb_sshkey key = { 0 };

	(void)state;
	assert_int_equal(lb_sshkey_parse(ed25519_key, &key), LB_OK);
	assert_string_equal(key.fp, ED25519_FP);
	assert_int_equal(strlen(key.fp), LB_KEYFP_LEN);
	assert_int_equal(lb_sshkey_parse(sk_ed25519_key, &key), LB_OK);
	assert_string_equal(key.fp, SK_ED25519_FP);
}

static void
test_text_has_one_spelling(void **state)
{
	struct lb_sshkey key = { .pk_len = 77 };
	char text[1024];

	(void)state;
	assert_int_equal(lb_sshkey_parse("", &key), LB_ERR_FORMAT);
	assert_int_equal(lb_sshkey_parse("ssh-ed25519", &key), LB_ERR_FORMAT);
	assert_int_equal(lb_sshkey_parse("ssh-ed25519 ", &key), LB_ERR_FORMAT);
	assert_int_equal(
	    lb_sshkey_parse("ssh-rsa AAAA", &key), LB_ERR_UNSUPPORTED);
	snprintf(text, sizeof(text), "%s comment", ed25519_key);
	assert_int_equal(lb_sshkey_parse(text, &key), LB_ERR_FORMAT);
	snprintf(text, sizeof(text), " %s", ed25519_key);
	assert_int_equal(lb_sshkey_parse(text, &key), LB_ERR_UNSUPPORTED);
	snprintf(text, sizeof(text), "%s\n", ed25519_key);
	assert_int_equal(lb_sshkey_parse(text, &key), LB_ERR_FORMAT);
	snprintf(text, sizeof(text), "%s ", ed25519_key);
	assert_int_equal(lb_sshkey_parse(text, &key), LB_ERR_FORMAT);
	/* One type outside, another inside. */
	snprintf(text, sizeof(text), "sk-ssh-ed25519@openssh.com%s",
	    strchr(ed25519_key, ' '));
	assert_int_equal(lb_sshkey_parse(text, &key), LB_ERR_FORMAT);
	assert_int_equal(key.pk_len, 77);
	assert_int_equal(lb_sshkey_parse(ed25519_key, &key), LB_OK);
}

static void
put_key(struct lb_writer *w, const char *type, size_t pk_len,
    const char *application, const char *tail)
{
	uint8_t pk[65];

	memset(pk, 0x11, sizeof(pk));
	w->len = 0;
	lb_put_cstring(w, type);
	lb_put_string(w, pk, pk_len);
	if (application != NULL)
		lb_put_cstring(w, application);
	lb_put_raw(w, tail, strlen(tail));
}

static void
test_blob_fields(void **state)
{
	static char longest[LB_APPLICATION_MAX + 2];
	static const char plain[] = "ssh-ed25519";
	static const char sk[] = "sk-ssh-ed25519@openssh.com";
	static const struct {
		const char *type;
		size_t pk_len;
		const char *application, *tail;
		enum lb_err want;
	} row[] = {
		{ plain, 32, NULL, "", LB_OK },
		{ plain, 31, NULL, "", LB_ERR_FORMAT },
		{ plain, 33, NULL, "", LB_ERR_FORMAT },
		{ plain, 32, NULL, "x", LB_ERR_FORMAT },
		{ plain, 32, "ssh:", "", LB_ERR_FORMAT },
		{ sk, 32, "ssh:", "", LB_OK },
		{ sk, 32, "ssh:work", "", LB_OK },
		{ sk, 32, NULL, "", LB_ERR_FORMAT },
		{ sk, 32, "", "", LB_ERR_FORMAT },
		{ sk, 32, "ssh: a", "", LB_ERR_FORMAT },
		{ sk, 32, "ssh:\n", "", LB_ERR_FORMAT },
		{ sk, 32, "ssh:", "x", LB_ERR_FORMAT },
		{ sk, 32, longest, "", LB_ERR_RANGE },
		{ sk, 32, longest + 1, "", LB_OK },
		{ "ssh-ed25519-cert-v01@openssh.com", 32, NULL, "",
		    LB_ERR_UNSUPPORTED },
		{ "ssh-rsa", 32, NULL, "", LB_ERR_UNSUPPORTED },
		{ "", 32, NULL, "", LB_ERR_UNSUPPORTED },
	};
	uint8_t blob[512];
	struct lb_writer w = { blob, 0, sizeof(blob) };

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_sshkey key = { .pk_len = 77 };

		put_key(&w, row[i].type, row[i].pk_len, row[i].application,
		    row[i].tail);
		assert_int_equal(
		    lb_sshkey_parse_blob(blob, w.len, &key), row[i].want);
		assert_int_equal(key.pk_len, row[i].want == LB_OK ? 32 : 77);
	}
}

/* The longest key still has room in its text. */
static void
test_format_longest(void **state)
{
	char text[LB_KEY_TEXT_MAX + 1];
	struct lb_sshkey key = { .type = LB_KEY_SK_P256, .pk_len = 65 };

	(void)state;
	memset(key.application, 'a', LB_APPLICATION_MAX);
	lb_sshkey_format(&key, text);
	assert_true(strlen(text) <= LB_KEY_TEXT_MAX);
}

static void
test_equal(void **state)
{
	struct lb_sshkey a = { 0 }, b;

	(void)state;
	assert_int_equal(lb_sshkey_parse(sk_ed25519_key, &a), LB_OK);
	b = a;
	assert_true(lb_sshkey_equal(&a, &b));
	b.pk[31] ^= 1;
	assert_false(lb_sshkey_equal(&a, &b));
	b = a;
	strcpy(b.application, "ssh:other");
	assert_false(lb_sshkey_equal(&a, &b));
	b = a;
	b.type = LB_KEY_ED25519;
	assert_false(lb_sshkey_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_and_format_are_inverse),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_text_has_one_spelling),
		cmocka_unit_test(test_blob_fields),
		cmocka_unit_test(test_format_longest),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
