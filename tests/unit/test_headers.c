/* The headers of replies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "headers.h"

struct got {
	char text[2048];
	size_t most; /* headers that are taken */
};

static bool
take(void *arg, const char *name, const char *value)
{
	struct got *g = arg;
	size_t n = strlen(g->text);

	if (g->most-- == 0)
		return false;
	(void)snprintf(
	    g->text + n, sizeof(g->text) - n, "%s: %s\n", name, value);
	return true;
}

/* All headers of a reply; valid until the next call. */
static const char *
headers_of(const struct reply *reply)
{
	static struct got g;

	g = (struct got){ .most = 100 };
	assert_true(headers_each(reply, take, &g));
	return g.text;
}

#define SAYS(text, part)     assert_non_null(strstr(text, part))
#define SAYS_NOT(text, part) assert_null(strstr(text, part))

static void
test_headers_of_an_answer(void **state)
{
	struct reply reply = { .status = 200, .type = "application/json" };
	const char *text = headers_of(&reply);

	(void)state;
	SAYS(text, "Content-Type: application/json\n");
	SAYS(text, "Cache-Control: no-store\n");
	SAYS(text,
	    "Content-Security-Policy: default-src 'none'; "
	    "frame-ancestors 'none'\n");
	SAYS(text, "X-Content-Type-Options: nosniff\n");
	SAYS(text, "Strict-Transport-Security: ");
	SAYS(text, "Referrer-Policy: no-referrer\n");
	SAYS(text, "Cross-Origin-Resource-Policy: same-origin\n");
	SAYS_NOT(text, "ETag");
	SAYS_NOT(text, "Allow: ");
	SAYS_NOT(text, "WWW-Authenticate");
	SAYS_NOT(text, "Retry-After");
	SAYS_NOT(text, "Content-Disposition");
}

/* Hosts ask at every login: nothing that only a browser would heed. */
static void
test_headers_to_a_host(void **state)
{
	struct reply reply = { .status = 200, .type = "text/plain" };

	(void)state;
	SAYS(headers_of(&reply), "Strict-Transport-Security: ");
	reply.to_host = true;
	assert_string_equal(headers_of(&reply),
	    "X-Content-Type-Options: nosniff\nCache-Control: no-store\n"
	    "Content-Type: text/plain\n");
}

static void
test_headers_only_some_have(void **state)
{
	struct reply reply = { .status = 401, .retry_after = 17 };
	const char *text;

	(void)state;
	strcpy(reply.etag, "\"v3\"");
	strcpy(reply.allow, "GET");
	text = headers_of(&reply);
	SAYS(text, "WWW-Authenticate: Bearer\n");
	SAYS(text, "ETag: \"v3\"\n");
	SAYS(text, "Allow: GET\n");
	SAYS(text, "Retry-After: 17\n");
	SAYS_NOT(text, "\nContent-Type: ");
}

static void
test_headers_of_a_page(void **state)
{
	struct reply reply = { .status = 200, .page = true };
	const char *text = headers_of(&reply);

	(void)state;
	SAYS(text, "Cache-Control: no-cache\n");
	SAYS_NOT(text, "no-store");
	SAYS(text, "script-src 'self'; ");
	SAYS(text, "form-action 'none'; ");
	SAYS(text, "frame-ancestors 'none'; ");
	SAYS(text, "base-uri 'none'; ");
	SAYS(text, "require-trusted-types-for 'script'; ");
	SAYS(text, "trusted-types 'none'\n");
	SAYS_NOT(text, "unsafe");
	SAYS(text, "X-Frame-Options: DENY\n");
	SAYS(text, "Cross-Origin-Opener-Policy: same-origin\n");
	SAYS(text, "Permissions-Policy: publickey-credentials-get=(self), ");
	SAYS_NOT(text, "Content-Disposition");
	reply.download = "approve.html";
	SAYS(headers_of(&reply),
	    "Content-Disposition: attachment; filename=\"approve.html\"\n");
}

static void
test_headers_each_stops_when_one_is_not_taken(void **state)
{
	struct reply reply = { .status = 401, .page = true };

	(void)state;
	for (size_t most = 0;; most++) {
		struct got g = { .most = most };

		if (headers_each(&reply, take, &g)) {
			assert_true(most > 8);
			return;
		}
		assert_true(most < 30);
	}
}

static void
test_etag_listed(void **state)
{
	static const struct {
		const char *list;
		bool want;
	} row[] = {
		{ "\"abc\"", true },
		{ "W/\"abc\"", true },
		{ "\"x\", \"abc\"", true },
		{ "\"x\",W/\"abc\" , \"y\"", true },
		{ "*", true },
		{ NULL, false },
		{ "", false },
		{ " , ", false },
		{ "abc", false },
		{ "\"ab\"", false },
		{ "\"abcd\"", false },
		{ "\"abc", false },
		{ "W/", false },
		{ "w/\"abc\"", false },
		{ "**", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    etag_listed(row[i].list, "\"abc\""), row[i].want);
}

static void
test_headers_for_another_origins_page(void **state)
{
	struct reply reply = { .status = 200 };
	const char *text = headers_of(&reply);

	(void)state;
	SAYS_NOT(text, "Access-Control");
	SAYS_NOT(text, "Vary");
	SAYS_NOT(text, "Set-Cookie");
	strcpy(reply.allow_origin, "https://door.acme.example");
	text = headers_of(&reply);
	SAYS(text, "Access-Control-Allow-Origin: https://door.acme.example\n");
	SAYS(text, "Vary: Origin\n");
	SAYS(text, "Access-Control-Expose-Headers: etag, retry-after\n");
	SAYS_NOT(text, "Access-Control-Allow-Methods");
	SAYS_NOT(text, "Access-Control-Allow-Credentials");
	reply.preflight = "POST";
	text = headers_of(&reply);
	SAYS(text, "Access-Control-Allow-Methods: POST\n");
	SAYS(text,
	    "Access-Control-Allow-Headers: authorization, content-type, "
	    "if-match, idempotency-key\n");
	SAYS(text, "Access-Control-Max-Age: 600\n");
	SAYS_NOT(text, "Access-Control-Allow-Credentials");
}

static void
test_headers_take(void **state)
{
	struct call call = { 0 };

	(void)state;
	assert_int_equal(headers_take(&call, "Host", "a"), LB_OK);
	assert_int_equal(headers_take(&call, "Host", "b"), LB_OK);
	assert_int_equal(headers_take(&call, "ORIGIN", "https://a"), LB_OK);
	assert_int_equal(headers_take(&call, "Cookie", NULL), LB_OK);
	assert_int_equal(headers_take(&call, "User-Agent", "x"), LB_OK);
	assert_string_equal(call.origin, "https://a");
	assert_string_equal(call.cookie, "");
	assert_null(call.authorization);
	assert_int_equal(
	    headers_take(&call, "origin", "https://a"), LB_ERR_FORMAT);
	assert_int_equal(headers_take(&call, "cookie", "a=b"), LB_ERR_FORMAT);
}

static void
test_cookie_read(void **state)
{
	static const struct {
		const char *header;
		enum lb_err want;
		const char *value;
	} row[] = {
		{ "k=abc", LB_OK, "abc" },
		{ "a=b; k=abc; c=d", LB_OK, "abc" },
		{ "k=abc;c=d", LB_OK, "abc" },
		{ " ;\tk=abc ;", LB_OK, "abc" },
		{ "k=", LB_OK, "" },
		{ "k=a=b", LB_OK, "a=b" },
		{ "k=12345678", LB_ERR_RANGE, "kept" },
		{ "k=abc; k=abc", LB_ERR_FORMAT, "kept" },
		{ "k=abc; K=abc", LB_OK, "abc" },
		{ "kk=abc", LB_ERR_MISSING, "kept" },
		{ "xk=abc", LB_ERR_MISSING, "kept" },
		{ "k", LB_ERR_MISSING, "kept" },
		{ "k =abc", LB_ERR_MISSING, "kept" },
		{ "", LB_ERR_MISSING, "kept" },
		{ NULL, LB_ERR_MISSING, "kept" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char value[8] = "kept";

		assert_int_equal(
		    cookie_read(row[i].header, "k", value, sizeof(value)),
		    row[i].want);
		assert_string_equal(value, row[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers_of_an_answer),
		cmocka_unit_test(test_headers_to_a_host),
		cmocka_unit_test(test_headers_only_some_have),
		cmocka_unit_test(test_headers_of_a_page),
		cmocka_unit_test(test_headers_each_stops_when_one_is_not_taken),
		cmocka_unit_test(test_etag_listed),
		cmocka_unit_test(test_headers_for_another_origins_page),
		cmocka_unit_test(test_headers_take),
		cmocka_unit_test(test_cookie_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
