/* clientDataJSON: its one form, and what must not pass for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "webauthn.h"

#define ORIGIN "https://door.example"
/* The challenge is fb ff fe: "-__-" in base64url, "+//+" in base64. */
#define HEAD                                                                   \
	"{\"type\":\"webauthn.get\",\"challenge\":\"-__-\","                   \
	"\"origin\":\"" ORIGIN "\""

static const uint8_t challenge[] = { 0xfb, 0xff, 0xfe };

static bool
ok(const char *data, const char *origin)
{
	return lb_webauthn_client_data_ok(
	    data, strlen(data), challenge, sizeof(challenge), origin);
}

static void
test_client_data_forms(void **state)
{
	static const struct {
		const char *data;
		bool want;
	} row[] = {
		{ HEAD "}", true },
		{ HEAD ",\"crossOrigin\":false}", true },
		{ HEAD ",\"crossOrigin\":false,\"other_keys_can_be_added_here\""
		       ":\"do not compare clientDataJSON\"}",
		    true },
		{ HEAD ",\"crossOrigin\":true}", false },
		{ HEAD ",\"crossOrigin\": true}", false },
		{ HEAD ",\"crossOrigin\":1}", false },
		{ HEAD ",\"crossOrigin\":false,\"crossOrigin\":true}", false },
		{ HEAD ",\"a\":{\"crossOrigin\":true}}", false },
		{ HEAD ",\"cross\\u004frigin\":true}", false },
		{ HEAD ",\"crossOrigin\"}", false },
		{ HEAD "", false },
		{ HEAD ",", false },
		{ HEAD ",\"a\":1", false },
		{ HEAD "}}", false },
		{ HEAD "}\n", false },
		{ HEAD ",\"a\":\n1}", false },
		{ HEAD " ,\"a\":1}", false },
		{ HEAD "\"}", false },
		{ " " HEAD "}", false },
		{ "", false },
		{ "{}", false },
		{ "{\"type\":\"webauthn.create\",\"challenge\":\"-__-\","
		  "\"origin\":\"" ORIGIN "\"}",
		    false },
		{ "{\"type\":\"webauthn.get\",\"challenge\":\"+//+\","
		  "\"origin\":\"" ORIGIN "\"}",
		    false },
		{ "{\"type\":\"webauthn.get\",\"challenge\":\"-__-=\","
		  "\"origin\":\"" ORIGIN "\"}",
		    false },
		{ "{\"type\":\"webauthn.get\",\"challenge\":\"-__-AAAA\","
		  "\"origin\":\"" ORIGIN "\"}",
		    false },
		{ "{\"type\":\"webauthn.get\",\"challenge\":\"-__A\","
		  "\"origin\":\"" ORIGIN "\"}",
		    false },
		{ "{\"challenge\":\"-__-\",\"origin\":\"" ORIGIN "\","
		  "\"type\":\"webauthn.get\"}",
		    false },
		{ "{\"type\":\"webauthn.get\",\"challenge\":\"-__-\","
		  "\"origin\":\"" ORIGIN ".evil\"}",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(ok(row[i].data, ORIGIN), row[i].want);
}

/* The bytes count, not a C string's end. */
static void
test_client_data_nul(void **state)
{
	static const char data[] = HEAD ",\"a\":\"\0\"}";

	(void)state;
	assert_true(ok(HEAD ",\"a\":\"\"}", ORIGIN));
	assert_false(lb_webauthn_client_data_ok(
	    data, sizeof(data) - 1, challenge, sizeof(challenge), ORIGIN));
}

static void
test_client_data_every_truncation_and_bit(void **state)
{
	char data[] = HEAD ",\"crossOrigin\":false}";
	size_t len = sizeof(data) - 1;

	(void)state;
	assert_true(ok(data, ORIGIN));
	for (size_t n = 0; n < len; n++)
		assert_false(lb_webauthn_client_data_ok(
		    data, n, challenge, sizeof(challenge), ORIGIN));
	/* Up to the origin's closing quote nothing may change. */
	for (size_t bit = 0; bit < 8 * (sizeof(HEAD) - 1); bit++) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		assert_false(ok(data, ORIGIN));
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	assert_true(ok(data, ORIGIN));
}

static void
test_origin_needs_no_escape(void **state)
{
	static const struct {
		const char *origin;
		bool want;
	} row[] = {
		{ "https://door.example", true },
		{ "https://door.example:8443", true },
		{ "http://localhost", true },
		{ "", false },
		{ "https://a\"b", false },
		{ "https://a\\b", false },
		{ "https://a b", false },
		{ "https://a\nb", false },
		{ "https://a\x7f", false },
		{ "https://d\xc3\xb6\xc3\xb6r.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    lb_webauthn_origin_valid(row[i].origin), row[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_data_forms),
		cmocka_unit_test(test_client_data_nul),
		cmocka_unit_test(test_client_data_every_truncation_and_bit),
		cmocka_unit_test(test_origin_needs_no_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
