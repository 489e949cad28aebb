/* What the broker says to reports: the answer, and the refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "post.h"

static void
test_post_answer_reads(void **state)
{
	static const struct {
		const char *text;
		int64_t want;
	} row[] = {
		{ "{\"sequence\":0}", 0 },
		{ "{\"sequence\": 12}", 12 },
		{ "{\"sequence\":9007199254740991}\n", 9007199254740991 },
		{ " {\t\"sequence\"\r\n: 7 } \n", 7 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int64_t got = -1;

		assert_int_equal(
		    post_answer(row[i].text, strlen(row[i].text), &got), LB_OK);
		assert_int_equal(got, row[i].want);
	}
}

static void
test_post_answer_refuses(void **state)
{
	static const char *const row[] = { "", "{", "{}", "[]", "12",
		"{\"sequence\"}", "{\"sequence\":}", "{\"sequence\":\"1\"}",
		"{\"sequence\":-1}", "{\"sequence\":1.0}", "{\"sequence\":1e3}",
		"{\"sequence\":01}", "{\"sequence\":9007199254740992}",
		"{\"sequence\":90071992547409910}", "{\"sequence\":1,}",
		"{\"sequence\":1,\"sequence\":2}", "{\"sequence\":1}x",
		"{\"Sequence\":1}", "{\"sequence\":1", "x{\"sequence\":1}",
		"{\"sequence\":null}" };
	static const char nul[] = "{\"sequence\":1}\0{}";

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		int64_t got = -1;

		assert_int_not_equal(
		    post_answer(row[i], strlen(row[i]), &got), LB_OK);
		assert_int_equal(got, -1);
		assert_int_equal(
		    post_answer(nul, sizeof(nul) - 1, &got), LB_ERR_FORMAT);
	}
}

static void
test_post_refused(void **state)
{
	static const struct {
		long status;
		const char *code;
		enum post_word want;
	} row[] = {
		{ 400, "bad_document", POST_BLAME },
		{ 400, "bad_signature", POST_BLAME },
		{ 404, "not_found", POST_BLAME },
		{ 413, "too_large", POST_BLAME },
		{ 422, "other_broker", POST_BLAME },
		/* not the reports' fault */
		{ 401, "host_unknown", POST_WAIT },
		{ 429, "rate_limited", POST_WAIT },
		{ 503, "store_failed", POST_WAIT },
		{ 500, "internal", POST_WAIT },
		/* not the broker's word */
		{ 404, "", POST_WAIT },
		{ 400, "", POST_WAIT },
		{ 502, "bad_document", POST_WAIT },
		{ 302, "bad_document", POST_WAIT },
		{ 403, "whatever", POST_WAIT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    post_refused(row[i].status, row[i].code), row[i].want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_post_answer_reads),
		cmocka_unit_test(test_post_answer_refuses),
		cmocka_unit_test(test_post_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
