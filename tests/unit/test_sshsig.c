/* SSH signatures: what verifies, and what must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/sshsig.h"

#define MSG "hello\n"

/* Made by ssh-keygen -Y sign over MSG as lockbox-approve-v1. */

static const char ed25519_key[] =
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIF6jjpOb8SSt9k7ETS9o7ndr2yk33DjeIkHw"
    "i899ZdlG";

static const char ed25519_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgXqOOk5vxJK32TsRNL2jud2vbKT\n"
    "fcON4iQfCLz31l2UYAAAASbG9ja2JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGEyNTYAAABT\n"
    "AAAAC3NzaC1lZDI1NTE5AAAAQEMMbFkLhBPTo9N9CkvMH8dgxUyYkuIFlH1tMTkatKaNq8\n"
    "ooaZZHLqeRnQMynvtXmQQn66fYrh4InkyaoQS3nA4=\n"
    "-----END SSH SIGNATURE-----\n";

static const char ed25519_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgXqOOk5vxJK32TsRNL2jud2vbKT\n"
    "fcON4iQfCLz31l2UYAAAASbG9ja2JveC1hcHByb3ZlLXYxAAAAAAAAAAZzaGE1MTIAAABT\n"
    "AAAAC3NzaC1lZDI1NTE5AAAAQOtv6oG8Zc+Y4/0nabugJFyWfu+SzU6azQwbKTuSxWQSs0\n"
    "gItoFY2GMT8waARjJxZK35dc0FZyodoYmwO0gvyAw=\n"
    "-----END SSH SIGNATURE-----\n";

static const char p256_key[] =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBP9T3iQr"
    "3/qSP3pISYF1D8uJgsVjBZWE3lSF2PYFO8ftEvPYI2BElbCBKR79VBeexlWi"
    "AoZihq1B7/6VGH3u/Zc=";

static const char p256_sha256[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"
    "EE/1PeJCvf+pI/ekhJgXUPy4mCxWMFlYTeVIXY9gU7x+0S89gjYESVsIEpHv1UF57GVaIC\n"
    "hmKGrUHv/pUYfe79lwAAABJsb2NrYm94LWFwcHJvdmUtdjEAAAAAAAAABnNoYTI1NgAAAG\n"
    "MAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEgAAAAgHqqu3jWoxYZKoVtQG2ybk2ZOQoe0\n"
    "3g5zOnB7Mppo3l8AAAAgd2MOGxeoMXYI+OAjDnoG2NIfoc15w9c7q3Tn6YD/8lY=\n"
    "-----END SSH SIGNATURE-----\n";

static const char p256_sha512[] =
    "-----BEGIN SSH SIGNATURE-----\n"
    "U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE\n"
    "EE/1PeJCvf+pI/ekhJgXUPy4mCxWMFlYTeVIXY9gU7x+0S89gjYESVsIEpHv1UF57GVaIC\n"
    "hmKGrUHv/pUYfe79lwAAABJsb2NrYm94LWFwcHJvdmUtdjEAAAAAAAAABnNoYTUxMgAAAG\n"
    "UAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAEoAAAAhANDpsRjwCpGqF5Jw7tzi5DBNqpBX\n"
    "p3eUdjwIRzY/kK/fAAAAIQD5pZSq4Axm9PEqzRoFiYdwj/zOw6wufwvOizalPprpSQ==\n"
    "-----END SSH SIGNATURE-----\n";

static const struct {
	const char *armor, *key;
	enum lb_key_type type;
	enum lb_sig_hash hash;
} samples[] = {
	{ ed25519_sha256, ed25519_key, LB_KEY_ED25519, LB_SIG_SHA256 },
	{ ed25519_sha512, ed25519_key, LB_KEY_ED25519, LB_SIG_SHA512 },
	{ p256_sha256, p256_key, LB_KEY_P256, LB_SIG_SHA256 },
	{ p256_sha512, p256_key, LB_KEY_P256, LB_SIG_SHA512 },
};

static bool
supported(enum lb_key_type type)
{
	return HAVE_P256 || (type != LB_KEY_P256 && type != LB_KEY_SK_P256);
}

static void
test_verify_message_and_namespace(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const char *armor = samples[i].armor;
		char text[LB_KEY_TEXT_MAX + 1];
		struct lb_sshsig sig = { 0 };

		if (!supported(samples[i].type)) {
			assert_int_equal(
			    lb_sshsig_parse(armor, strlen(armor), &sig),
			    LB_ERR_UNSUPPORTED);
			continue;
		}
		assert_int_equal(
		    lb_sshsig_parse(armor, strlen(armor), &sig), LB_OK);
		assert_int_equal(sig.key.type, samples[i].type);
		assert_int_equal(sig.hash, samples[i].hash);
		assert_string_equal(sig.ns, "lockbox-approve-v1");
		lb_sshkey_format(&sig.key, text);
		assert_string_equal(text, samples[i].key);
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_APPROVE, MSG, strlen(MSG)),
		    LB_OK);
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_REVOKE, MSG, strlen(MSG)),
		    LB_ERR_SIGNATURE);
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_APPROVE, MSG, strlen(MSG) - 1),
		    LB_ERR_SIGNATURE);
		sig.sig[40] ^= 1;
		assert_int_equal(
		    lb_sshsig_verify(&sig, LB_NS_APPROVE, MSG, strlen(MSG)),
		    LB_ERR_SIGNATURE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verify_message_and_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
