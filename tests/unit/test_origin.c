/* Which call may go on, by where it comes from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "origin.h"

static void
says(const struct visit *v, const char *want)
{
	const char *got = origin_refuses(v);

	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got != NULL ? got : "nothing", want);
}

static void
test_origin_refuses_two_proofs(void **state)
{
	struct visit v = { .bearer = true, .from = ORIGIN_OWN };

	(void)state;
	says(&v, NULL);
	v.cookie = true;
	says(&v, "bad_request");
	v.get = true;
	says(&v, "bad_request");
	v.bearer = false;
	says(&v, NULL);
}

/* Without a cookie: only changes from elsewhere are refused. */
static void
test_origin_refuses_changes_from_elsewhere(void **state)
{
	static const char *const want[] = { [ORIGIN_NONE] = NULL,
		[ORIGIN_OWN] = NULL,
		[ORIGIN_PAGE] = NULL,
		[ORIGIN_FOREIGN] = "foreign_origin" };

	(void)state;
	for (unsigned int from = 0; from < 4; from++) {
		for (int bearer = 0; bearer < 2; bearer++) {
			struct visit v = { .bearer = bearer,
				.from = (enum origin_from)from,
				.site = "cross-site" };

			says(&v, want[from]);
			v.get = true;
			says(&v, NULL);
		}
	}
}

/* With one: a change says that it is of our own page, and nothing says less. */
static void
test_origin_refuses_cookies_from_elsewhere(void **state)
{
	static const struct {
		enum origin_from from;
		const char *site;
		bool get, post;
	} row[] = {
		{ ORIGIN_OWN, "same-origin", true, true },
		{ ORIGIN_OWN, NULL, true, true },
		{ ORIGIN_NONE, NULL, true, false },
		{ ORIGIN_NONE, "same-origin", true, false },
		{ ORIGIN_NONE, "none", true, false },
		{ ORIGIN_OWN, "none", true, false },
		{ ORIGIN_OWN, "same-site", false, false },
		{ ORIGIN_OWN, "cross-site", false, false },
		{ ORIGIN_OWN, "", false, false },
		{ ORIGIN_OWN, "Same-Origin", false, false },
		{ ORIGIN_NONE, "same-site", false, false },
		{ ORIGIN_NONE, "cross-site", false, false },
		{ ORIGIN_PAGE, "same-origin", false, false },
		{ ORIGIN_PAGE, NULL, false, false },
		{ ORIGIN_FOREIGN, NULL, false, false },
		{ ORIGIN_FOREIGN, "same-origin", false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct visit v = {
			.cookie = true, .from = row[i].from, .site = row[i].site
		};

		says(&v, row[i].post ? NULL : "foreign_origin");
		v.get = true;
		says(&v, row[i].get ? NULL : "foreign_origin");
	}
}

static void
test_origin_of_url(void **state)
{
	static const struct {
		const char *url, *origin, *host;
	} row[] = {
		{ "https://a.example", "https://a.example", "a.example" },
		{ "https://a.example/", "https://a.example", "a.example" },
		{ "https://a.example/x?y", "https://a.example", "a.example" },
		{ "https://A.Example:8443", "https://a.example:8443",
		    "a.example" },
		{ "https://a.example:443/", "https://a.example", "a.example" },
		{ "https://127.0.0.1:1", "https://127.0.0.1:1", "127.0.0.1" },
		{ "https://[::1]:65535", "https://[::1]:65535", "[::1]" },
		{ "http://a.example", NULL, NULL },
		{ "https://", NULL, NULL },
		{ "https:///x", NULL, NULL },
		{ "https://a.example:", NULL, NULL },
		{ "https://a.example:0", NULL, NULL },
		{ "https://a.example:65536", NULL, NULL },
		{ "https://a.example:0443", NULL, NULL },
		{ "https://a.example:123456", NULL, NULL },
		{ "https://a.example:8443x", NULL, NULL },
		{ "https://me@a.example", NULL, NULL },
		{ "https://a.example?x", NULL, NULL },
		{ "https://a example", NULL, NULL },
		{ "https://[::1", NULL, NULL },
		{ "https://[]", NULL, NULL },
		{ "https://a.example\"", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char origin[LB_ORIGIN_MAX + 1] = "kept";
		char host[LB_ORIGIN_MAX + 1] = "kept";
		enum lb_err r = origin_of_url(row[i].url, origin, host);

		assert_int_equal(r == LB_OK, row[i].origin != NULL);
		assert_string_equal(
		    origin, r == LB_OK ? row[i].origin : "kept");
		assert_string_equal(host, r == LB_OK ? row[i].host : "kept");
	}
}

static void
test_origin_of_url_as_long_as_fits(void **state)
{
	char url[LB_ORIGIN_MAX + 32] = "https://", origin[LB_ORIGIN_MAX + 1];
	char host[LB_ORIGIN_MAX + 1];
	const size_t most = LB_ORIGIN_MAX - 6; /* room for ":65535" */

	(void)state;
	memset(url + 8, 'a', most - 8);
	assert_int_equal(origin_of_url(url, origin, host), LB_OK);
	assert_string_equal(origin, url);
	url[most] = 'a';
	assert_int_equal(origin_of_url(url, origin, host), LB_ERR_RANGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin_refuses_two_proofs),
		cmocka_unit_test(test_origin_refuses_changes_from_elsewhere),
		cmocka_unit_test(test_origin_refuses_cookies_from_elsewhere),
		cmocka_unit_test(test_origin_of_url),
		cmocka_unit_test(test_origin_of_url_as_long_as_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
