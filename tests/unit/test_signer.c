/* Signers: OpenSSH's key files, and what they sign. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "lockbox/sshsig.h"

#include "sshwire.h"

#define LABEL "OPENSSH PRIVATE KEY"

/* Made by ssh-keygen: a plain Ed25519 key, an encrypted one, a P-256 one. */
static const char plain_pub[] =
    "ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAILE7KDeF2/Rb4sgznAo4SguoduRJL/o4WfyWSAXaOtc7";

static const char plain[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"
    "QyNTUxOQAAACCxOyg3hdv0W+LIM5wKOEoLqHbkSS/6OFn8lkgF2jrXOwAAAJDL5H2fy+R9\n"
    "nwAAAAtzc2gtZWQyNTUxOQAAACCxOyg3hdv0W+LIM5wKOEoLqHbkSS/6OFn8lkgF2jrXOw\n"
    "AAAEB9BfdI0F6XRidC627ENwD9fi9Mc4DlCXkaoMN/0ZH63LE7KDeF2/Rb4sgznAo4Sguo\n"
    "duRJL/o4WfyWSAXaOtc7AAAACGhvc3Qga2V5AQIDBAU=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char encrypted[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDBjXVHpB\n"
    "XKRTe/rGMCeAvPAAAAAQAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIC/mSjGRmhla61gV\n"
    "PmwAEVvBdjgFT02pbauTTXxhPXltAAAAkIiVs9MNlAKgZQXOXD2xwSK2iLN1UmRV/IdWLh\n"
    "r1lZ9fZ/Y9SRofBAIZtfDSxlB0aojFRvScAJd0VtqZW/HBhDvNN6PmAbA1se7jYRkRLcaN\n"
    "/mNDqChPVTP5my2B9w3PqAZ/M/pcklORZf/16t+Bzi3xgFyhMieK9wbfMIdEkGhMuTbJn1\n"
    "aaEmLFXKe5wgKlGw==\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static const char ecdsa[] =
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS\n"
    "1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQSNRDLrUKEqrLjX6qwZsayZL+TAUTgD\n"
    "Sni68TX92bKYvUj0d6ODyz+l3T7guuyte6M1OThep/q5DXW+zNIdr6UeAAAAoLqk5566pO\n"
    "eeAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBI1EMutQoSqsuNfq\n"
    "rBmxrJkv5MBROANKeLrxNf3Zspi9SPR3o4PLP6XdPuC67K17ozU5OF6n+rkNdb7M0h2vpR\n"
    "4AAAAhALH5J1PuymZEeyTK1QsZbXg7L3GoU/DULzNqcLDlbB+HAAAAAmVjAQIDBAU=\n"
    "-----END OPENSSH PRIVATE KEY-----\n";

static char dir[] = "/tmp/test_signer.XXXXXX";
static char path[64];

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path); /* a test may have left none */
	return rmdir(dir);
}

static void
file_write(const void *bytes, size_t len, mode_t mode)
{
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(close(fd), 0);
}

static enum lb_err
load(struct lb_signer **ret)
{
	return lb_signer_load(path, geteuid(), ret);
}

static enum lb_err
load_text(const char *text)
{
	struct lb_signer *s = NULL;
	enum lb_err r;

	file_write(text, strlen(text), 0600);
	r = load(&s);
	assert_int_equal(r == LB_OK, s != NULL);
	lb_signer_free(s);
	return r;
}

static void
test_load_what_ssh_keygen_makes(void **state)
{
	char text[LB_KEY_TEXT_MAX + 1];
	struct lb_signer *s = NULL;

	(void)state;
	file_write(plain, strlen(plain), 0600);
	assert_int_equal(load(&s), LB_OK);
	lb_sshkey_format(lb_signer_key(s), text);
	assert_string_equal(text, plain_pub);
	lb_signer_free(s);
	assert_int_equal(load_text(encrypted), LB_ERR_UNSUPPORTED);
	assert_int_equal(load_text(ecdsa), LB_ERR_UNSUPPORTED);
}

static void
test_load_needs_a_secret_file(void **state)
{
	struct lb_signer *s = NULL;

	(void)state;
	file_write(plain, strlen(plain), 0600);
	assert_int_equal(load(&s), LB_OK);
	lb_signer_free(s);
	s = NULL;
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(&s), LB_ERR_UNTRUSTED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(load(&s), LB_ERR_MISSING);
	assert_null(s);
	lb_signer_free(NULL);
}

static void
test_load_text_is_all_armor(void **state)
{
	char text[4096];

	(void)state;
	assert_int_equal(load_text(plain), LB_OK);
	snprintf(text, sizeof(text), "%s\n", plain);
	assert_int_equal(load_text(text), LB_ERR_FORMAT);
	snprintf(text, sizeof(text), "\n%s", plain);
	assert_int_equal(load_text(text), LB_ERR_FORMAT);
	snprintf(text, sizeof(text), "%.*s", (int)strlen(plain) - 1, plain);
	assert_int_equal(load_text(text), LB_ERR_FORMAT);
	assert_int_equal(load_text(""), LB_ERR_FORMAT);
}

struct blob {
	uint8_t bytes[1024];
	size_t len;
};

static enum lb_err
load_blob(const struct blob *blob, struct lb_signer **ret)
{
	struct lb_buf text = { 0 };

	assert_int_equal(
	    lb_armor_close(LABEL, blob->bytes, blob->len, &text), LB_OK);
	file_write(text.data, text.len, 0600);
	lb_buf_clear(&text);
	return load(ret);
}

/* A changed bit is refused, or stands in the comment: the key is the same. */
static void
test_load_every_bit_and_every_truncation(void **state)
{
	struct lb_signer *s = NULL, *t = NULL;
	struct blob blob;
	size_t let_in = 0;

	(void)state;
	assert_int_equal(lb_armor_open(LABEL, plain, strlen(plain), blob.bytes,
			     sizeof(blob.bytes), &blob.len),
	    LB_OK);
	assert_int_equal(load_blob(&blob, &s), LB_OK);
	for (size_t bit = 0; bit < 8 * blob.len; bit++) {
		blob.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		t = NULL;
		if (load_blob(&blob, &t) == LB_OK) {
			assert_true(lb_sshkey_equal(
			    lb_signer_key(s), lb_signer_key(t)));
			let_in++;
		}
		lb_signer_free(t);
		blob.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(let_in, 8 * strlen("host key"));
	t = NULL;
	for (blob.len--; blob.len > 0; blob.len--)
		assert_int_not_equal(load_blob(&blob, &t), LB_OK);
	assert_null(t);
	lb_signer_free(s);
}

/* Everything in the file is of one key, but the seed is of another. */
static void
test_load_proves_the_pair(void **state)
{
	struct lb_signer *s = NULL;
	struct blob blob;
	uint8_t *seed;

	(void)state;
	assert_int_equal(lb_armor_open(LABEL, plain, strlen(plain), blob.bytes,
			     sizeof(blob.bytes), &blob.len),
	    LB_OK);
	assert_int_equal(load_blob(&blob, &s), LB_OK);
	seed = memmem(blob.bytes, blob.len, "\0\0\0\100", 4);
	assert_non_null(seed);
	seed[4 + 31] ^= 1;
	lb_signer_free(s);
	s = NULL;
	assert_int_equal(load_blob(&blob, &s), LB_ERR_FORMAT);
	assert_null(s);
}

static void
test_save_then_load(void **state)
{
	static const char *const comments[] = { "", "a", "host db1 (lockbox)" };

	(void)state;
	for (size_t i = 0; i < sizeof(comments) / sizeof(comments[0]); i++) {
		struct lb_signer *s = NULL, *t = NULL;
		struct stat st;

		assert_int_equal(lb_signer_new(&s), LB_OK);
		assert_int_equal(lb_signer_save(s, path, comments[i]), LB_OK);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_int_equal(load(&t), LB_OK);
		assert_true(
		    lb_sshkey_equal(lb_signer_key(s), lb_signer_key(t)));
		lb_signer_free(s);
		lb_signer_free(t);
	}
}

static void
test_save_comment_is_visible_ascii(void **state)
{
	struct lb_signer *s = NULL;
	char longest[130];

	(void)state;
	(void)unlink(path);
	memset(longest, 'c', sizeof(longest));
	longest[129] = '\0';
	assert_int_equal(lb_signer_new(&s), LB_OK);
	assert_int_equal(lb_signer_save(s, path, "a\nb"), LB_ERR_FORMAT);
	assert_int_equal(lb_signer_save(s, path, "\xc3\xa9"), LB_ERR_FORMAT);
	assert_int_equal(lb_signer_save(s, path, longest), LB_ERR_FORMAT);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(lb_signer_save(s, path, longest + 1), LB_OK);
	lb_signer_free(s);
}

static void
test_sign_verifies_in_its_namespace_alone(void **state)
{
	struct lb_buf armor = { 0 };
	struct lb_sshsig sig = { 0 };
	struct lb_signer *s = NULL;

	(void)state;
	assert_int_equal(lb_signer_new(&s), LB_OK);
	assert_int_equal(
	    lb_signer_sign(s, LB_NS_QUESTION, "text\n", 5, &armor), LB_OK);
	assert_int_equal(lb_sshsig_parse(armor.data, armor.len, &sig), LB_OK);
	assert_true(lb_sshkey_equal(&sig.key, lb_signer_key(s)));
	assert_int_equal(sig.hash, LB_SIG_SHA512);
	assert_int_equal(
	    lb_sshsig_verify(&sig, LB_NS_QUESTION, "text\n", 5), LB_OK);
	assert_int_equal(lb_sshsig_verify(&sig, LB_NS_ANSWER, "text\n", 5),
	    LB_ERR_SIGNATURE);
	lb_buf_clear(&armor);
	lb_signer_free(s);
}

/* Appended after what is there; nothing at all when it does not fit. */
static void
test_sign_appends(void **state)
{
	struct lb_buf b = { .max = 64 };
	struct lb_signer *s = NULL;

	(void)state;
	assert_int_equal(lb_signer_new(&s), LB_OK);
	assert_int_equal(lb_buf_adds(&b, "text\n"), LB_OK);
	assert_int_equal(
	    lb_signer_sign(s, LB_NS_ANSWER, "text\n", 5, &b), LB_ERR_RANGE);
	assert_string_equal(b.data, "text\n");
	b.max = 0;
	assert_int_equal(
	    lb_signer_sign(s, LB_NS_ANSWER, "text\n", 5, &b), LB_OK);
	assert_memory_equal(b.data, "text\n-----BEGIN SSH", 18);
	lb_buf_clear(&b);
	lb_signer_free(s);
}

static void
test_new_keys_differ(void **state)
{
	struct lb_signer *a = NULL, *b = NULL;

	(void)state;
	assert_int_equal(lb_signer_new(&a), LB_OK);
	assert_int_equal(lb_signer_new(&b), LB_OK);
	assert_false(lb_sshkey_equal(lb_signer_key(a), lb_signer_key(b)));
	lb_signer_free(a);
	lb_signer_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_what_ssh_keygen_makes),
		cmocka_unit_test(test_load_needs_a_secret_file),
		cmocka_unit_test(test_load_text_is_all_armor),
		cmocka_unit_test(test_load_every_bit_and_every_truncation),
		cmocka_unit_test(test_load_proves_the_pair),
		cmocka_unit_test(test_save_then_load),
		cmocka_unit_test(test_save_comment_is_visible_ascii),
		cmocka_unit_test(test_sign_verifies_in_its_namespace_alone),
		cmocka_unit_test(test_sign_appends),
		cmocka_unit_test(test_new_keys_differ),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
