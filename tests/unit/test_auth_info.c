/* What sshd says of the key: every kind, certificates, and nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "lockbox/sshkey.h"

#include "sshkey_wire.h"
#include "sshsig_samples.h"
#include "sshwire.h"

#define TEXT_SIZE 4096

static void
put_strings(struct lb_writer *w, int count)
{
	for (int i = 0; i < count; i++)
		lb_put_cstring(w, i % 2 == 0 ? "first" : "second, longer");
}

/* "publickey TYPE BASE64" of a blob. */
static void
info_text(
    const char *type, const struct lb_writer *w, char ret[static TEXT_SIZE])
{
	int n = snprintf(ret, TEXT_SIZE, "publickey %s ", type);

	sodium_bin2base64(ret + n, TEXT_SIZE - (size_t)n, w->p, w->len,
	    sodium_base64_VARIANT_ORIGINAL);
}

/* What follows the key in a certificate; less: strings left out, or over. */
static void
put_cert_rest(struct lb_writer *w, int less)
{
	static const uint8_t numbers[16] = { 0 };

	lb_put_raw(w, numbers, 8);
	lb_put_u32(w, 1);
	put_strings(w, 2);
	lb_put_raw(w, numbers, 16);
	put_strings(w, 5 - less);
}

static const struct {
	const char *cert, *inner;
	int strings;
} certs[] = {
	{ "ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", 1 },
	{ "sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com",
	    2 },
	{ "ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256",
	    2 },
	{ "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp384",
	    2 },
	{ "ecdsa-sha2-nistp521-cert-v01@openssh.com", "ecdsa-sha2-nistp521",
	    2 },
	{ "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	    "sk-ecdsa-sha2-nistp256@openssh.com", 3 },
	{ "ssh-rsa-cert-v01@openssh.com", "ssh-rsa", 2 },
	{ "ssh-dss-cert-v01@openssh.com", "ssh-dss", 4 },
};

/* A certificate and the key inside it are one key. */
static void
test_certificate_counts_by_inner_key(void **state)
{
	uint8_t bytes[1024];
	char text[TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
		struct lb_keyfps plain = { 0 }, cert = { 0 };
		struct lb_writer w = { bytes, 0, sizeof(bytes) };

		lb_put_cstring(&w, certs[i].inner);
		put_strings(&w, certs[i].strings);
		info_text(certs[i].inner, &w, text);
		assert_int_equal(lb_auth_info_parse(text, &plain), LB_OK);
		w.len = 0;
		lb_put_cstring(&w, certs[i].cert);
		lb_put_cstring(&w, "nonce");
		put_strings(&w, certs[i].strings);
		put_cert_rest(&w, 0);
		info_text(certs[i].cert, &w, text);
		assert_int_equal(lb_auth_info_parse(text, &cert), LB_OK);
		assert_int_equal(cert.count, 1);
		assert_string_equal(cert.item[0], plain.item[0]);
	}
}

static void
test_certificate_incomplete(void **state)
{
	uint8_t bytes[1024];
	char text[TEXT_SIZE];

	(void)state;
	for (int less = -1; less <= 5; less++) {
		struct lb_writer w = { bytes, 0, sizeof(bytes) };
		struct lb_keyfps l = { .count = 77 };

		lb_put_cstring(&w, certs[0].cert);
		lb_put_cstring(&w, "nonce");
		put_strings(&w, certs[0].strings);
		put_cert_rest(&w, less);
		info_text(certs[0].cert, &w, text);
		assert_int_equal(lb_auth_info_parse(text, &l),
		    less == 0 ? LB_OK : LB_ERR_FORMAT);
		assert_int_equal(l.count, less == 0 ? 1 : 77);
	}
}

static void
test_certificate_of_unknown_kind(void **state)
{
	static const struct {
		const char *type;
		enum lb_err want;
	} row[] = {
		{ "ssh-new-key", LB_OK }, /* a plain key of any kind */
		{ "ssh-new-key-cert-v01@openssh.com", LB_ERR_FORMAT },
		{ "ssh-ed25519-cert-v02@openssh.com", LB_ERR_FORMAT },
	};
	uint8_t bytes[1024];
	char text[TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_writer w = { bytes, 0, sizeof(bytes) };
		struct lb_keyfps l = { 0 };

		lb_put_cstring(&w, row[i].type);
		put_strings(&w, 3);
		info_text(row[i].type, &w, text);
		assert_int_equal(lb_auth_info_parse(text, &l), row[i].want);
	}
}

#define NOT_KEY "publickey ssh-ed25519 AAAA"

static void
test_lines(void **state)
{
	static const struct {
		const char *before, *after;
		size_t count;
		enum lb_err want;
	} row[] = {
		{ "publickey ", "", 1, LB_OK },
		{ "publickey ", "\n", 1, LB_OK },
		{ "publickey ", "\nkeyboard-interactive/pam\n", 1, LB_OK },
		{ "password\npublickey ", "\n", 1, LB_OK },
		{ "publickey ", " signature count = 7\n", 1, LB_OK },
		{ "hostbased ", " client user \"x\", client host \"y\"\n", 0,
		    LB_OK },
		{ "gssapi-with-mic x@", "\n", 0, LB_OK },
		{ "publickey ", "\n\n", 0, LB_ERR_FORMAT },
		{ "\npublickey ", "\n", 0, LB_ERR_FORMAT },
		{ " publickey ", "\n", 0, LB_ERR_FORMAT },
		{ "publickey  ", "\n", 0, LB_ERR_FORMAT },
		{ "publickey\t", "\n", 0, LB_ERR_FORMAT },
		{ "publickey", "\n", 0, LB_ERR_FORMAT },
		{ "publickey\n", "\n", 0, LB_ERR_FORMAT },
		{ "publickey/x ", "\n", 0, LB_ERR_FORMAT },
		{ "publickey ", " \n", 0, LB_ERR_FORMAT },
		{ "publickey ", " signature count = \n", 0, LB_ERR_FORMAT },
		{ "publickey ", " signature count = x\n", 0, LB_ERR_FORMAT },
		{ "publickey ", " signature count = 12345678901\n", 0,
		    LB_ERR_FORMAT },
		{ "publickey ", " something else\n", 0, LB_ERR_FORMAT },
		{ "publickey ", "=\n", 0, LB_ERR_FORMAT },
		{ "publickey ", "\n" NOT_KEY "\n", 0, LB_ERR_FORMAT },
		{ "publickey ", "\npublickey ssh-ed25519\n", 0, LB_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_keyfps l = { .count = 77 };
		char text[TEXT_SIZE];

		snprintf(text, sizeof(text), "%s%s%s", row[i].before,
		    ed25519_key, row[i].after);
		assert_int_equal(lb_auth_info_parse(text, &l), row[i].want);
		assert_int_equal(
		    l.count, row[i].want == LB_OK ? row[i].count : 77);
		if (l.count == 1)
			assert_string_equal(l.item[0], ED25519_FP);
	}
}

static void
test_no_line(void **state)
{
	struct lb_keyfps l = { .count = 77 };

	(void)state;
	assert_int_equal(lb_auth_info_parse("", &l), LB_OK);
	assert_int_equal(l.count, 0);
}

/* The word before the blob must be the blob's own type. */
static void
test_word_and_blob_differ(void **state)
{
	struct lb_keyfps l = { .count = 77 };
	char text[TEXT_SIZE];

	(void)state;
	snprintf(text, sizeof(text), "publickey ssh-ed25518%s",
	    strchr(ed25519_key, ' '));
	assert_int_equal(lb_auth_info_parse(text, &l), LB_ERR_FORMAT);
	assert_int_equal(l.count, 77);
	snprintf(text, sizeof(text), "publickey ssh-ed25519%s",
	    strchr(ed25519_key, ' '));
	assert_int_equal(lb_auth_info_parse(text, &l), LB_OK);
}

/* n different keys, each twice, in the order that i * 3 % n gives. */
static enum lb_err
many(size_t n, struct lb_keyfps *ret)
{
	static char text[TEXT_SIZE * 16];
	char line[TEXT_SIZE];
	uint8_t bytes[64];

	text[0] = '\0';
	for (size_t i = 0; i < 2 * n; i++) {
		struct lb_writer w = { bytes, 0, sizeof(bytes) };

		lb_put_cstring(&w, "ssh-ed25519");
		lb_put_u8(&w, (uint8_t)(i * 3 % n));
		info_text("ssh-ed25519", &w, line);
		strcat(text, line);
		strcat(text, "\n");
	}
	return lb_auth_info_parse(text, ret);
}

static void
test_keys_sorted_and_counted_once(void **state)
{
	struct lb_keyfps l = { 0 };

	(void)state;
	assert_int_equal(many(LB_KEYS_MAX, &l), LB_OK);
	assert_int_equal(l.count, LB_KEYS_MAX);
	for (size_t i = 1; i < l.count; i++)
		assert_true(strcmp(l.item[i - 1], l.item[i]) < 0);
	assert_int_equal(many(LB_KEYS_MAX + 1, &l), LB_ERR_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificate_counts_by_inner_key),
		cmocka_unit_test(test_certificate_incomplete),
		cmocka_unit_test(test_certificate_of_unknown_kind),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_no_line),
		cmocka_unit_test(test_word_and_blob_differ),
		cmocka_unit_test(test_keys_sorted_and_counted_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
