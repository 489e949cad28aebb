/* Questions: what stands in them, who signed, the reference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/bundle.h"

#include "question.h"

static const char trust[] = "sha256:0000000000000000000000000000000000000000"
			    "000000000000000000000001";

static const struct question_facts sample = {
	.host = "web1",
	.tenant = "acme",
	.broker = "support",
	.trust = trust,
	.login = "deploy",
	.service = "sshd",
	.rhost = "198.51.100.7",
	.now = 1772460000,
};

static struct lb_bundle *
split(const struct question *q, struct lb_question *ret)
{
	struct lb_bundle *b = NULL;

	assert_int_equal(
	    lb_bundle_split(q->bundle.data, q->bundle.len, &b), LB_OK);
	assert_int_equal(b->count, 1);
	assert_int_equal(b->part[0].sig_count, 1);
	assert_int_equal(b->part[0].doc.len, q->text_len);
	assert_int_equal(
	    lb_question_parse(q->bundle.data, q->text_len, ret), LB_OK);
	return b;
}

static void
test_question_make(void **state)
{
	struct lb_signer *signer = NULL;
	struct lb_question got;
	struct question q = { 0 };
	struct lb_sshsig sig;
	struct lb_bundle *b;

	(void)state;
	assert_int_equal(lb_signer_new(&signer), LB_OK);
	assert_int_equal(question_make(&sample, signer, &q), LB_OK);
	b = split(&q, &got);
	assert_string_equal(got.host, "web1");
	assert_string_equal(got.tenant, "acme");
	assert_string_equal(got.broker, "support");
	assert_string_equal(got.trust, trust);
	assert_string_equal(got.login, "deploy");
	assert_string_equal(got.service, "sshd");
	assert_string_equal(got.rhost, "198.51.100.7");
	assert_int_equal(got.engineer_key.count, 0);
	assert_int_equal(got.asked, 1772460000);
	assert_int_equal(lb_sshsig_parse(b->part[0].sigs[0].text,
			     b->part[0].sigs[0].len, &sig),
	    LB_OK);
	assert_true(lb_sshkey_equal(&sig.key, lb_signer_key(signer)));
	assert_int_equal(
	    lb_sshsig_verify(&sig, LB_NS_QUESTION, q.bundle.data, q.text_len),
	    LB_OK);
	lb_bundle_free(b);
	question_clear(&q);
	lb_signer_free(signer);
}

static void
test_question_keys_and_rhost(void **state)
{
	struct lb_keyfps keys = { .count = 1 };
	struct question_facts f = sample;
	struct lb_signer *signer = NULL;
	struct lb_question got;
	struct question q = { 0 };

	(void)state;
	assert_int_equal(lb_signer_new(&signer), LB_OK);
	memcpy(keys.item[0], lb_signer_key(signer)->fp, LB_KEYFP_LEN + 1);
	f.keys = &keys;
	f.rhost = "no host; at all";
	assert_int_equal(question_make(&f, signer, &q), LB_OK);
	lb_bundle_free(split(&q, &got));
	assert_int_equal(got.engineer_key.count, 1);
	assert_string_equal(got.engineer_key.item[0], keys.item[0]);
	assert_string_equal(got.rhost, "");
	question_clear(&q);
	f.login = "no login";
	assert_int_equal(question_make(&f, signer, &q), LB_ERR_FORMAT);
	assert_null(q.bundle.data);
	lb_signer_free(signer);
}

static void
test_question_is_fresh(void **state)
{
	struct lb_signer *signer = NULL;
	struct lb_question a, b;
	struct question one = { 0 }, two = { 0 };
	char ref[LB_CODE_LEN + 1];

	(void)state;
	assert_int_equal(lb_signer_new(&signer), LB_OK);
	assert_int_equal(question_make(&sample, signer, &one), LB_OK);
	assert_int_equal(question_make(&sample, signer, &two), LB_OK);
	lb_bundle_free(split(&one, &a));
	lb_bundle_free(split(&two, &b));
	assert_string_not_equal(a.nonce, b.nonce);
	assert_string_not_equal(one.ref, two.ref);
	question_ref(a.nonce, ref);
	assert_string_equal(ref, one.ref);
	question_ref("ffffffffffffffff0000000000000000", ref);
	assert_string_equal(ref, "ZZZZ-ZZZZ-ZZZZ");
	question_ref("00000000000000000000000000000000", ref);
	assert_string_equal(ref, "0000-0000-0000");
	question_ref_random(ref);
	assert_string_not_equal(ref, "0000-0000-0000");
	question_clear(&one);
	question_clear(&two);
	lb_signer_free(signer);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_question_make),
		cmocka_unit_test(test_question_keys_and_rhost),
		cmocka_unit_test(test_question_is_fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
