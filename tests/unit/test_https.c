/* What of the HTTPS client needs no server: options, requests, headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lockbox/https.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))
#define PEM     "-----BEGIN CERTIFICATE-----\n"

static enum lb_err
try_open(const char *pem, const char *proxy, const char *agent)
{
	struct lb_https_options opt = { .ca_pem = pem,
		.ca_pem_len = pem == NULL ? 0 : strlen(pem),
		.proxy = proxy,
		.agent = agent };
	struct lb_https *h = NULL;
	enum lb_err r = lb_https_open(&opt, &h);

	assert_int_equal(r == LB_OK, h != NULL);
	lb_https_close(h);
	return r;
}

static void
test_https_open_options(void **state)
{
	(void)state;
	assert_int_equal(try_open(PEM, NULL, "a/1"), LB_OK);
	assert_int_equal(try_open(PEM, "http://proxy:3128", "a/1"), LB_OK);
	assert_int_equal(try_open(NULL, NULL, "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open("", NULL, "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open("-----BEGIN", NULL, "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, "", "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, "http://", "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, "https://p:1", "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, "http://p\r\n", "a/1"), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, NULL, NULL), LB_ERR_FORMAT);
	assert_int_equal(try_open(PEM, NULL, "a\nb"), LB_ERR_FORMAT);
	lb_https_close(NULL);
}

static void
test_https_open_clears_environment(void **state)
{
	static const char *const names[] = { "https_proxy", "ALL_PROXY",
		"no_proxy", "SSLKEYLOGFILE", "SSL_CERT_DIR", "OPENSSL_CONF",
		"RES_OPTIONS" };

	(void)state;
	for (size_t i = 0; i < ROWS(names); i++)
		assert_int_equal(setenv(names[i], "x", 1), 0);
	assert_int_equal(setenv("LOCKBOX_TEST_KEPT", "x", 1), 0);
	assert_int_equal(try_open(PEM, NULL, "a/1"), LB_OK);
	for (size_t i = 0; i < ROWS(names); i++)
		assert_null(getenv(names[i]));
	assert_non_null(getenv("LOCKBOX_TEST_KEPT"));
}

/* An answer is untouched, and something says why, when nothing is sent. */
static void
test_https_send_refuses_requests(void **state)
{
	static const char *const bad_header[] = { "X: 1\r\nY: 2", NULL };
	static const char *const good_header[] = { "X: 1", NULL };
	static const struct {
		const char *method, *url;
		const char *const *headers;
		size_t body_len;
		enum lb_err want;
	} row[] = {
		/* Port 1 of loopback: what is let through gets there. */
		{ "GET", "https://127.0.0.1:1/", good_header, 0,
		    LB_ERR_UNREACHABLE },
		{ "POST", "https://127.0.0.1:1/", NULL, 4, LB_ERR_UNREACHABLE },
		{ "GET", "http://127.0.0.1:1/", NULL, 0, LB_ERR_FORMAT },
		{ "GET", "https://127.0.0.1:1/ x", NULL, 0, LB_ERR_FORMAT },
		{ "GET", "https://127.0.0.1:1/#x", NULL, 0, LB_ERR_FORMAT },
		{ "GET", "https://a@127.0.0.1:1/", NULL, 0, LB_ERR_FORMAT },
		{ "GET", "https://127.0.0.1:1/", bad_header, 0, LB_ERR_FORMAT },
		{ "GET", "https://127.0.0.1:1/", NULL, 4, LB_ERR_FORMAT },
		{ "TRACE", "https://127.0.0.1:1/", NULL, 0, LB_ERR_FORMAT },
	};
	struct lb_https_options opt = { PEM, strlen(PEM), NULL, "a/1" };
	struct lb_https *h = NULL;

	(void)state;
	assert_int_equal(lb_https_open(&opt, &h), LB_OK);
	assert_string_equal(lb_https_why(h), "");
	for (size_t i = 0; i < ROWS(row); i++) {
		struct lb_https_request req = { .method = row[i].method,
			.url = row[i].url,
			.headers = row[i].headers,
			.body = "body",
			.body_len = row[i].body_len,
			.answer_max = 100,
			.timeout_ms = 2000 };
		struct lb_https_answer answer = { .status = -4711 };
		enum lb_err r = lb_https_send(h, &req, &answer);

		if (r != row[i].want)
			fail_msg("row %zu: %d, %s", i, (int)r, lb_https_why(h));
		assert_int_equal(answer.status, -4711);
		assert_null(answer.body.data);
		assert_string_not_equal(lb_https_why(h), "");
	}
	lb_https_close(h);
}

static void
test_https_answer_header(void **state)
{
	static char head[] = "Content-Type: text/plain\r\n"
			     "ETag:\t \"v1\" \t\r\n"
			     "X-Empty:\r\n"
			     "Twice: a\r\n"
			     "twice: a\r\n"
			     "X-Odd: a\x01"
			     "b\r\n"
			     "Not-ETag: no\r\n"
			     "no colon\r\n"
			     "X-Folded: a\r\n"
			     " b\r\n"
			     "Last: z";
	static const struct {
		const char *name;
		enum lb_err r;
		const char *value;
	} row[] = {
		{ "Content-Type", LB_OK, "text/plain" },
		{ "content-type", LB_OK, "text/plain" },
		{ "ETag", LB_OK, "\"v1\"" },
		{ "X-Empty", LB_OK, "" },
		{ "Twice", LB_ERR_PEER, "" },
		{ "X-Odd", LB_ERR_PEER, "" },
		{ "X-Folded", LB_OK, "a" },
		{ "Last", LB_OK, "z" },
		{ "Type", LB_ERR_MISSING, "" },
		{ "no colon", LB_ERR_MISSING, "" },
		{ "Content-Typ", LB_ERR_MISSING, "" },
		{ "", LB_ERR_MISSING, "" },
	};
	struct lb_https_answer a = { .head.data = head,
		.head.len = strlen(head) };
	char got[16];

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		(void)strcpy(got, "kept");
		assert_int_equal(
		    lb_https_answer_header(&a, row[i].name, got, sizeof(got)),
		    row[i].r);
		assert_string_equal(
		    got, row[i].r == LB_OK ? row[i].value : "kept");
	}
	(void)strcpy(got, "kept");
	assert_int_equal(
	    lb_https_answer_header(&a, "Content-Type", got, 10), LB_ERR_RANGE);
	assert_string_equal(got, "kept");
	assert_int_equal(
	    lb_https_answer_header(&a, "Content-Type", got, 11), LB_OK);

	memset(&a, 0, sizeof(a));
	assert_int_equal(
	    lb_https_answer_header(&a, "ETag", got, 11), LB_ERR_MISSING);
	lb_https_answer_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_https_open_options),
		cmocka_unit_test(test_https_open_clears_environment),
		cmocka_unit_test(test_https_send_refuses_requests),
		cmocka_unit_test(test_https_answer_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
