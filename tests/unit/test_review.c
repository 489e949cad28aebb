/* Review: what a person is given to sign, and what is kept from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/buf.h"
#include "review.h"

#define NOW INT64_C(1772460000) /* 2026-03-02T14:00:00Z */
#define ID  "01KJQYB2G0ABCDEFGHJKMNPQRS"
#define KEY "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

static struct lb_signer *alice, *carol;
static struct lb_request request;
static struct lb_buf text, armor;
static char sha256[LB_SHA256_LEN + 1], code[LB_CODE_LEN + 1];
static struct lb_trust *trust;
static struct review review;

static void
request_sign(struct lb_signer *who, enum lb_ns ns)
{
	lb_buf_clear(&armor);
	assert_int_equal(
	    lb_signer_sign(who, ns, text.data, text.len, &armor), LB_OK);
}

static void
request_write(void)
{
	lb_buf_clear(&text);
	assert_int_equal(
	    lb_doc_write(&lb_request_type, &request, &text), LB_OK);
	lb_doc_id(text.data, text.len, sha256);
	lb_request_code(sha256, code);
	request_sign(alice, LB_NS_REQUEST);
}

static struct review_claim
claim(void)
{
	return (struct review_claim){ .id = ID,
		.sha256 = sha256,
		.code = code,
		.tenant = "acme",
		.text = text.data,
		.signature = armor.data };
}

static struct lb_pinned
pin(const char *principal, const struct lb_signer *s, unsigned int namespaces)
{
	struct lb_pinned p = { .namespaces = namespaces,
		.key = *lb_signer_key(s) };

	assert_int_equal(
	    lb_text_copy(p.principal, sizeof(p.principal), principal), LB_OK);
	return p;
}

static int
setup(void **state)
{
	(void)state;
	request = (struct lb_request){ .request = ID,
		.tenant = "acme",
		.broker = "support",
		.engineer = "alice@provider.example",
		.engineer_key = { 1, { KEY } },
		.host = { 2, { "db1", "db2" } },
		.login = { 2, { "alice", "deploy" } },
		.service = { 2, { "sshd", "sudo" } },
		.duration = 7200,
		.ticket = "INC-1",
		.reason_type = "customer_initiated_support",
		.reason = "replica lag",
		.requested = NOW - 100 };
	request_write();
	memset(trust, 0, sizeof(*trust));
	memcpy(trust->tenant, "acme", sizeof("acme"));
	trust->longest = 14400;
	trust->require = LB_REQUIRE_ANY;
	trust->approver.count = 1;
	trust->approver.item[0] = pin("carol@acme.example", carol,
	    LB_NS_APPROVE | LB_NS_DENY | LB_NS_REVOKE);
	memset(&review, 0, sizeof(review));
	return 0;
}

static void
test_request_in_order(void **state)
{
	struct review_claim c = claim();

	(void)state;
	assert_int_equal(review_request(&c, NULL, NOW, &review), LB_OK);
	assert_string_equal(review.code, code);
	assert_string_equal(review.request_id, sha256);
	assert_string_equal(review.engineer.fp, lb_signer_key(alice)->fp);
	assert_int_equal(review_request(&c, trust, NOW, &review), LB_OK);
	assert_false(review.engineer_pinned);
}

/* Each refusal after the same endorsement by somebody else passed. */
static void
test_request_endorsement(void **state)
{
	struct review_claim c = claim();
	struct lb_buf by_carol = { 0 }, by_alice = { 0 }, approved = { 0 };

	(void)state;
	assert_int_equal(lb_signer_sign(carol, LB_NS_ENDORSE, text.data,
			     text.len, &by_carol),
	    LB_OK);
	assert_int_equal(lb_signer_sign(alice, LB_NS_ENDORSE, text.data,
			     text.len, &by_alice),
	    LB_OK);
	assert_int_equal(lb_signer_sign(carol, LB_NS_APPROVE, text.data,
			     text.len, &approved),
	    LB_OK);
	assert_int_equal(review_request(&c, trust, NOW, &review), LB_OK);
	assert_string_equal(review.endorser, "");
	c.endorser = "max@provider.example";
	c.endorsement = by_carol.data;
	assert_int_equal(review_request(&c, trust, NOW, &review), LB_OK);
	assert_string_equal(review.endorser, "max@provider.example");
	assert_string_equal(review.endorser_key.fp, lb_signer_key(carol)->fp);

	c.endorser = "alice@provider.example";
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORBIDDEN);
	c.endorser = "max@provider.example";
	c.endorsement = by_alice.data;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORBIDDEN);
	c.endorsement = approved.data;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_SIGNATURE);
	c.endorsement = armor.data;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_SIGNATURE);
	c.endorsement = NULL;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORMAT);
	c.endorsement = by_carol.data;
	c.endorser = "no \x1b[1m name";
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORMAT);
	c.endorser = NULL;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORMAT);
	lb_buf_clear(&by_carol);
	lb_buf_clear(&by_alice);
	lb_buf_clear(&approved);
}

static void
test_request_claims(void **state)
{
	struct review_claim row[8];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		row[i] = claim();
	row[n++].id = "01KJQYB2G0ABCDEFGHJKMNPQRT";
	row[n++].sha256 = NULL;
	row[n++].code = "0000-0000-0000";
	row[n++].tenant = "other";
	row[n++].text = NULL;
	row[n++].text = "lockbox-request-v1\n";
	row[n++].signature = "";
	row[n++].signature = NULL;
	review.grant.issued = 7; /* stays */
	for (size_t i = 0; i < n; i++) {
		assert_int_not_equal(
		    review_request(&row[i], NULL, NOW, &review), LB_OK);
		assert_int_equal(review.grant.issued, 7);
		assert_int_not_equal(strlen(review.what), 0);
	}
}

static void
test_request_signatures(void **state)
{
	struct review_claim c;

	(void)state;
	request_sign(alice, LB_NS_ENDORSE);
	c = claim();
	assert_int_equal(
	    review_request(&c, NULL, NOW, &review), LB_ERR_SIGNATURE);
	/* pinned engineers: the right name and key, in its dates */
	request_sign(alice, LB_NS_REQUEST);
	c = claim();
	trust->engineer.count = 1;
	trust->engineer.item[0] =
	    pin("alice@provider.example", alice, LB_NS_REQUEST);
	assert_int_equal(review_request(&c, trust, NOW, &review), LB_OK);
	assert_true(review.engineer_pinned);
	trust->engineer.item[0].valid_before = NOW;
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORBIDDEN);
	trust->engineer.item[0] =
	    pin("bob@provider.example", alice, LB_NS_REQUEST);
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORBIDDEN);
	trust->engineer.item[0] =
	    pin("alice@provider.example", carol, LB_NS_REQUEST);
	assert_int_equal(
	    review_request(&c, trust, NOW, &review), LB_ERR_FORBIDDEN);
	/* a trust document of another customer */
	trust->engineer.count = 0;
	memcpy(trust->tenant, "other", sizeof("other"));
	assert_int_not_equal(review_request(&c, trust, NOW, &review), LB_OK);
}

/* The draft that an honest broker would send. */
static struct lb_grant
draft(void)
{
	struct lb_grant g = { .tenant = "acme",
		.broker = "support",
		.engineer = "alice@provider.example",
		.engineer_key = request.engineer_key,
		.host = request.host,
		.login = request.login,
		.service = request.service,
		.not_before = NOW - 60,
		.not_after = NOW + 7200,
		.ticket = "INC-1",
		.reason_type = "customer_initiated_support",
		.reason = "replica lag",
		.issued = NOW };

	memcpy(g.request, sha256, sizeof(sha256));
	return g;
}

static enum lb_err
grant_review(
    const struct lb_grant *g, const struct review_narrow *n, bool fixed)
{
	struct review_claim c = claim();
	struct lb_buf b = { 0 };
	enum lb_err r;

	assert_int_equal(review_request(&c, trust, NOW, &review), LB_OK);
	assert_int_equal(lb_doc_write(&lb_grant_type, g, &b), LB_OK);
	r = review_grant(&review, b.data, b.len, n, fixed, 14400, NOW);
	lb_buf_clear(&b);
	return r;
}

static void
test_grant_in_order(void **state)
{
	struct review_narrow n = { 0 };
	struct lb_grant g = draft();

	(void)state;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
	assert_int_equal(review.grant.not_after, NOW + 7200);
	assert_int_equal(strlen(review.grant_id), LB_SHA256_LEN);
	/* narrowed as the person wanted */
	n.duration = 600;
	n.host = (struct lb_hosts){ 1, { "db2" } };
	g.host = n.host;
	g.not_after = NOW + 600;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
}

static void
test_grant_says_something_else(void **state)
{
	struct lb_grant row[14];
	const struct review_narrow n = { 0 };
	size_t i = 0;

	(void)state;
	for (size_t k = 0; k < 14; k++)
		row[k] = draft();
	row[i++].host = (struct lb_hosts){ 1, { "db1" } };
	row[i++].host = (struct lb_hosts){ 1, { "db3" } };
	row[i++].login = (struct lb_logins){ 1, { "root" } };
	row[i++].login = (struct lb_logins){ 1, { "deploy" } };
	row[i++].service = (struct lb_services){ 1, { "sshd" } };
	row[i++].not_after = NOW + 7261;
	row[i++].not_after = NOW + 3600;
	row[i].not_before = NOW + 600;
	row[i++].not_after = NOW + 7800;
	row[i].not_before = NOW - 7000;
	row[i++].not_after = NOW + 200;
	row[i++].issued = NOW + 61;
	row[i].issued = NOW - 700;
	i++;
	memcpy(row[i++].reason, "another", sizeof("another"));
	memcpy(row[i++].engineer, "bob", sizeof("bob"));
	row[i++].request[10] = 'f' == sha256[10] ? '0' : 'f';
	assert_int_equal(i, 14);
	for (size_t k = 0; k < i; k++) {
		struct lb_grant good = draft();

		assert_int_equal(grant_review(&good, &n, false), LB_OK);
		assert_int_not_equal(grant_review(&row[k], &n, false), LB_OK);
	}
}

/* Whoever comes second sees the first one's text, and no more than asked. */
static void
test_grant_fixed(void **state)
{
	const struct review_narrow n = { 0 };
	struct lb_grant g = draft();

	(void)state;
	g.host = (struct lb_hosts){ 1, { "db1" } };
	g.not_before = NOW - 700;
	g.not_after = NOW + 300;
	g.issued = NOW - 640;
	assert_int_not_equal(grant_review(&g, &n, false), LB_OK);
	assert_int_equal(grant_review(&g, &n, true), LB_OK);
	g.login = (struct lb_logins){ 1, { "root" } };
	assert_int_not_equal(grant_review(&g, &n, true), LB_OK);
	g = draft();
	g.not_after = NOW + 7261;
	assert_int_not_equal(grant_review(&g, &n, true), LB_OK);
	g = draft();
	g.not_before = NOW - 7000;
	g.not_after = NOW; /* over */
	g.issued = NOW - 6940;
	assert_int_not_equal(grant_review(&g, &n, true), LB_OK);
}

static void
test_grant_longer_than_the_customer_allows(void **state)
{
	const struct review_narrow n = { 0 };
	struct lb_grant g;

	(void)state;
	request.duration = 20000;
	request_write();
	g = draft();
	g.not_after = g.not_before + 14400;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
	g.not_after++;
	assert_int_not_equal(grant_review(&g, &n, false), LB_OK);
	assert_int_not_equal(grant_review(&g, &n, true), LB_OK);
}

static void
test_grant_that_begins_later(void **state)
{
	struct review_narrow n = { 0 };
	struct lb_grant g;

	(void)state;
	request.start = NOW + 3600;
	request_write();
	g = draft();
	g.not_before = request.start;
	g.not_after = request.start + 7200;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
	g.not_before = request.start + 600;
	g.not_after = request.start + 7800;
	assert_int_not_equal(grant_review(&g, &n, false), LB_OK);
	n.not_before = request.start + 600;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
}

static struct lb_sshsig
signature(struct lb_signer *who)
{
	return (struct lb_sshsig){ .key = *lb_signer_key(who) };
}

static void
test_signer(void **state)
{
	const struct review_narrow n = { 0 };
	struct lb_sshsig c = signature(carol), a = signature(alice);
	struct lb_grant g = draft();

	(void)state;
	assert_int_equal(grant_review(&g, &n, false), LB_OK);
#define MAY(sig, ns) review_signer(&review, trust, sig, ns, NOW)
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_OK);
	assert_int_equal(MAY(&c, LB_NS_DENY), LB_OK);
	assert_int_equal(MAY(&a, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	/* touch: not with a plain key, and deny needs none */
	trust->require = LB_REQUIRE_TOUCH;
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	assert_int_equal(MAY(&c, LB_NS_DENY), LB_OK);
	c.flags = LB_SIG_TOUCH;
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_OK);
	trust->require = LB_REQUIRE_VERIFIED;
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	trust->require = LB_REQUIRE_ANY;
	/* the engineer's own name */
	trust->approver.item[0] =
	    pin("alice@provider.example", carol, LB_NS_APPROVE);
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	/* out of dates, and without that namespace */
	trust->approver.item[0] = pin("carol", carol, LB_NS_APPROVE);
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_OK);
	assert_int_equal(MAY(&c, LB_NS_REVOKE), LB_ERR_FORBIDDEN);
	trust->approver.item[0].valid_before = NOW;
	assert_int_equal(MAY(&c, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	/* a delegate, while there is a delegation */
	trust->delegate.count = 1;
	trust->delegate.item[0] = pin("max", alice, LB_NS_APPROVE);
	assert_int_equal(MAY(&a, LB_NS_APPROVE), LB_ERR_FORBIDDEN);
	trust->delegate_until = NOW + 1;
	assert_int_equal(MAY(&a, LB_NS_APPROVE), LB_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_request_in_order, setup),
		cmocka_unit_test_setup(test_request_endorsement, setup),
		cmocka_unit_test_setup(test_request_claims, setup),
		cmocka_unit_test_setup(test_request_signatures, setup),
		cmocka_unit_test_setup(test_grant_in_order, setup),
		cmocka_unit_test_setup(test_grant_says_something_else, setup),
		cmocka_unit_test_setup(test_grant_fixed, setup),
		cmocka_unit_test_setup(
		    test_grant_longer_than_the_customer_allows, setup),
		cmocka_unit_test_setup(test_grant_that_begins_later, setup),
		cmocka_unit_test_setup(test_signer, setup),
	};
	int failed = 1;

	if (sodium_init() >= 0 && lb_signer_new(&alice) == LB_OK &&
	    lb_signer_new(&carol) == LB_OK &&
	    (trust = calloc(1, sizeof(*trust))) != NULL)
		failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(trust);
	lb_buf_clear(&text);
	lb_buf_clear(&armor);
	lb_signer_free(alice);
	lb_signer_free(carol);
	return failed;
}
