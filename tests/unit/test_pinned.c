/* Pinned lines: their one spelling, and their dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/sshkey.h"

#include "sshsig_samples.h"

#define NS_ONE "namespaces=\"lockbox-approve-v1\""
#define AFTER  "valid-after=\"20260302140000Z\""
#define BEFORE "valid-before=\"20260302150000Z\""
#define AT     INT64_C(1772460000) /* 2026-03-02T14:00:00Z */

/* key  what follows the options; NULL: " " and the Ed25519 sample */
static enum lb_err
parse(const char *head, const char *key, struct lb_pinned *ret)
{
	char line[2048];

	if (key == NULL)
		snprintf(line, sizeof(line), "%s %s", head, ed25519_key);
	else
		snprintf(line, sizeof(line), "%s%s", head, key);
	return lb_pinned_parse(line, ret);
}

static void
test_parse_options(void **state)
{
	static const struct {
		const char *head;
		enum lb_err want;
	} row[] = {
		{ "ann@example.org " NS_ONE, LB_OK },
		{ "ann@example.org " NS_ONE "," AFTER, LB_OK },
		{ "ann@example.org " NS_ONE "," BEFORE, LB_OK },
		{ "ann@example.org " NS_ONE "," AFTER "," BEFORE, LB_OK },
		{ "ann@example.org namespaces=\"lockbox-approve-v1,"
		  "lockbox-revoke-v1\"",
		    LB_OK },
		{ "ann@example.org", LB_ERR_FORMAT },
		{ "ann@example.org " AFTER, LB_ERR_FORMAT },
		{ "ann@example.org  " NS_ONE, LB_ERR_FORMAT },
		{ " ann@example.org " NS_ONE, LB_ERR_FORMAT },
		{ "ann@example.org,bob " NS_ONE, LB_ERR_FORMAT },
		{ "*@example.org " NS_ONE, LB_ERR_FORMAT },
		{ "!ann " NS_ONE, LB_ERR_FORMAT },
		{ "\"ann\" " NS_ONE, LB_ERR_FORMAT },
		{ "ann@example.org cert-authority," NS_ONE, LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",cert-authority", LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",", LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE "," NS_ONE, LB_ERR_FORMAT },
		{ "ann@example.org " BEFORE "," NS_ONE, LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE "," BEFORE "," AFTER,
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE "," AFTER "," AFTER,
		    LB_ERR_FORMAT },
		{ "ann@example.org NAMESPACES=\"lockbox-approve-v1\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org namespaces=lockbox-approve-v1",
		    LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"\"", LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"lockbox-*\"", LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"file\"", LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"lockbox-approve-v1,\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"lockbox-approve-v1, "
		  "lockbox-revoke-v1\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"lockbox-revoke-v1,"
		  "lockbox-approve-v1\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org namespaces=\"lockbox-approve-v1,"
		  "lockbox-approve-v1\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",valid-after=\"20260302140000\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",valid-after=\"20260302Z\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",valid-after=\"20260230140000Z\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",valid-after=\"2026030214000xZ\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE ",valid-after=\"\"",
		    LB_ERR_FORMAT },
		{ "ann@example.org " NS_ONE
		  ",valid-after=\"20260302150000Z\"," BEFORE,
		    LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_pinned p = { .valid_after = 77 };

		assert_int_equal(parse(row[i].head, NULL, &p), row[i].want);
		if (row[i].want == LB_OK)
			assert_string_equal(p.principal, "ann@example.org");
		else
			assert_int_equal(p.valid_after, 77);
	}
}

static void
test_parse_key(void **state)
{
	static const char head[] = "ann " NS_ONE;
	struct lb_pinned p = { 0 };
	char key[1024];

	(void)state;
	assert_int_equal(parse(head, NULL, &p), LB_OK);
	assert_string_equal(p.key.fp, ED25519_FP);
	assert_int_equal(p.namespaces, LB_NS_APPROVE);
	assert_int_equal(parse(head, "", &p), LB_ERR_FORMAT);
	assert_int_equal(parse(head, " ", &p), LB_ERR_FORMAT);
	snprintf(key, sizeof(key), " %s comment", ed25519_key);
	assert_int_equal(parse(head, key, &p), LB_ERR_FORMAT);
	snprintf(key, sizeof(key), "  %s", ed25519_key);
	assert_int_not_equal(parse(head, key, &p), LB_OK);
	snprintf(key, sizeof(key), "\t%s", ed25519_key);
	assert_int_equal(parse(head, key, &p), LB_ERR_FORMAT);
	snprintf(key, sizeof(key), " %0800d", 0);
	assert_int_equal(parse(head, key, &p), LB_ERR_RANGE);
}

static void
test_parse_and_format_are_inverse(void **state)
{
	static const char *const heads[] = {
		"ann@example.org " NS_ONE,
		"ann@example.org " NS_ONE "," AFTER,
		"ann@example.org " NS_ONE "," BEFORE,
		"ann@example.org " NS_ONE "," AFTER "," BEFORE,
		"ann namespaces=\"lockbox-answer-v1,lockbox-approve-v1,"
		"lockbox-deny-v1,lockbox-endorse-v1,lockbox-question-v1,"
		"lockbox-report-v1,lockbox-request-v1,lockbox-revoke-v1,"
		"lockbox-signin-v1,lockbox-trust-v1\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		char line[1024], text[LB_PINNED_MAX + 1];
		struct lb_pinned p = { 0 };

		snprintf(line, sizeof(line), "%s %s", heads[i], ed25519_key);
		assert_int_equal(lb_pinned_parse(line, &p), LB_OK);
		assert_int_equal(lb_pinned_format(&p, text), LB_OK);
		assert_string_equal(text, line);
	}
}

static void
test_format_too_long(void **state)
{
	struct lb_pinned p = { 0 };
	char text[LB_PINNED_MAX + 1] = "old";

	(void)state;
	assert_int_equal(parse("ann " NS_ONE, NULL, &p), LB_OK);
	memset(p.principal, 'a', LB_PRINCIPAL_MAX);
	p.namespaces = LB_NS_TRUST * 2 - 1;
	p.key.type = LB_KEY_SK_ED25519;
	memset(p.key.application, 'a', LB_APPLICATION_MAX);
	assert_int_equal(lb_pinned_format(&p, text), LB_ERR_RANGE);
	assert_string_equal(text, "old");
}

static void
test_dates_half_open(void **state)
{
	static const struct {
		const char *head;
		int64_t now;
		bool want;
	} row[] = {
		{ "ann " NS_ONE, 0, true },
		{ "ann " NS_ONE, INT64_MAX, true },
		{ "ann " NS_ONE "," AFTER, AT - 1, false },
		{ "ann " NS_ONE "," AFTER, AT, true },
		{ "ann " NS_ONE "," AFTER, INT64_MAX, true },
		{ "ann " NS_ONE "," BEFORE, AT + 3599, true },
		{ "ann " NS_ONE "," BEFORE, AT + 3600, false },
		{ "ann " NS_ONE "," AFTER "," BEFORE, AT - 1, false },
		{ "ann " NS_ONE "," AFTER "," BEFORE, AT, true },
		{ "ann " NS_ONE "," AFTER "," BEFORE, AT + 3599, true },
		{ "ann " NS_ONE "," AFTER "," BEFORE, AT + 3600, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_pinned p = { 0 };

		assert_int_equal(parse(row[i].head, NULL, &p), LB_OK);
		assert_int_equal(
		    lb_pinned_in_dates(&p, row[i].now), row[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_options),
		cmocka_unit_test(test_parse_key),
		cmocka_unit_test(test_parse_and_format_are_inverse),
		cmocka_unit_test(test_format_too_long),
		cmocka_unit_test(test_dates_half_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
