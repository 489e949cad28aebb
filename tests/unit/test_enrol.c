/* Enrolment codes and MACs, and the ids of requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "enrol.h"
#include "lockbox/newid.h"

#define KEYID  "D7J8A7Z0S6ABVK2Q"
#define SECRET "000G40R40M30E209185GR38E1W" /* bytes 0, 1, ... 15 */
#define CODE   "support-" KEYID "-" SECRET
#define MAC_ASK                                                                \
	"02c3df685b23a95275229f5056b4a7c4"                                     \
	"b2307d0746ec34e1e11f946fb9a923a6"
#define MAC_ANSWER                                                             \
	"8c4052312b3ed0e9563c14bd8d10dda5"                                     \
	"d602e9dd12ba2c0c31afdcfcb8dd9860"

static void
test_code_parses(void **state)
{
	struct enrol_code c;

	(void)state;
	assert_int_equal(enrol_code_parse(CODE, &c), LB_OK);
	assert_string_equal(c.broker, "support");
	assert_string_equal(c.keyid, KEYID);
	for (size_t i = 0; i < ENROL_SECRET_LEN; i++)
		assert_int_equal(c.secret[i], i);
	/* hyphens in the name; lower case; O and l as people read them */
	assert_int_equal(
	    enrol_code_parse("my-own.broker-d7j8a7zOs6abvk2q-" SECRET, &c),
	    LB_OK);
	assert_string_equal(c.broker, "my-own.broker");
	assert_string_equal(c.keyid, KEYID);
	assert_int_equal(
	    enrol_code_parse("a-" KEYID "-000g40r40m30e209l85gr38e1w", &c),
	    LB_OK);
	assert_int_equal(c.secret[15], 15);
}

static void
test_code_refuses(void **state)
{
	static const char *const row[] = {
		"",
		"support",
		"-" KEYID "-" SECRET,
		"support-" KEYID "-" SECRET "0",
		"support-" KEYID "-00G40R40M30E209185GR38E1W",
		"support-" KEYID "0" SECRET "0",
		"Support-" KEYID "-" SECRET,
		"sup port-" KEYID "-" SECRET,
		"support-D7J8A7Z0S6ABVK2U-" SECRET,
		"support-" KEYID "-000G40R40M30E209185GR38E1X",
		"support-" KEYID "-000G40R40M30E209185GR38E1\n",
	};
	struct enrol_code c = { .broker = "untouched" };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_not_equal(enrol_code_parse(row[i], &c), LB_OK);
		assert_string_equal(c.broker, "untouched");
	}
}

/* The fingerprint is a sha256 in base64: its first 80 bits in base32. */
static void
test_keyid_is_the_fingerprints_head(void **state)
{
	struct lb_sshkey key = { .fp = "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMU"
				       "FRYXGBkaGxwdHh8" };
	char keyid[ENROL_KEYID_LEN + 1];

	(void)state;
	enrol_keyid(&key, keyid);
	assert_string_equal(keyid, "000G40R40M30E209");
	key.fp[10] = '!';
	enrol_keyid(&key, keyid);
	assert_string_equal(keyid, "");
}

/* Made with another implementation: Python's hmac. */
static void
test_macs(void **state)
{
	static const struct enrol_case about = { .host = "db1",
		.tenant = "acme",
		.machine_id = "0123456789abcdef0123456789abcdef",
		.nonce = "fedcba9876543210fedcba9876543210",
		.host_key = "ssh-ed25519 HOST",
		.broker_key = "ssh-ed25519 BROKER" };
	char mac[ENROL_MAC_LEN + 1], other[ENROL_MAC_LEN + 1];
	struct enrol_code c;

	(void)state;
	assert_int_equal(enrol_code_parse(CODE, &c), LB_OK);
	assert_int_equal(enrol_mac_ask(&c, &about, mac), LB_OK);
	assert_string_equal(mac, MAC_ASK);
	assert_int_equal(enrol_mac_answer(&c, &about, other), LB_OK);
	assert_string_equal(other, MAC_ANSWER);
	c.secret[0] ^= 1;
	assert_int_equal(enrol_mac_ask(&c, &about, other), LB_OK);
	assert_string_not_equal(mac, other);
}

static void
test_newid(void **state)
{
	char a[LB_ID_LEN + 1], b[LB_ID_LEN + 1], later[LB_ID_LEN + 1];

	(void)state;
	lb_newid(1772460000, a);
	lb_newid(1772460000, b);
	lb_newid(1772460001, later);
	assert_true(lb_id_valid(a));
	assert_true(lb_id_valid(later));
	assert_string_not_equal(a, b);
	assert_true(strcmp(a, later) < 0);
	assert_true(strcmp(b, later) < 0);
	lb_newid(4102444799, a);
	assert_true(lb_id_valid(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code_parses),
		cmocka_unit_test(test_code_refuses),
		cmocka_unit_test(test_keyid_is_the_fingerprints_head),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_newid),
	};

	return sodium_init() < 0 ? 1
				 : cmocka_run_group_tests(tests, NULL, NULL);
}
