/* Strict JSON bodies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/text.h"

#include "body.h"

static enum lb_err
parse(const char *text)
{
	json_t *root = NULL;
	enum lb_err r = body_parse(text, strlen(text), &root);

	assert_true((r == LB_OK) == (root != NULL));
	json_decref(root);
	return r;
}

static void
test_body_parse_takes_objects(void **state)
{
	static const char *const good[] = { "{}", " { } \n", "{\"a\":1}",
		"{\"a\":{\"b\":[1,2,{\"c\":null}]}}", "{\"a\":\"}]{[\"}",
		"{\"a\":\"\\\"[[[[[[[[[[\"}", "{\"a\":[[[[[[[1]]]]]]]}",
		"{\"\xc3\xa4\":true}" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(parse(good[i]), LB_OK);
}

static void
test_body_parse_refuses(void **state)
{
	static const struct {
		const char *text;
		enum lb_err want;
	} row[] = {
		{ "", LB_ERR_FORMAT },
		{ "[]", LB_ERR_FORMAT },
		{ "null", LB_ERR_FORMAT },
		{ "\"a\"", LB_ERR_FORMAT },
		{ "{", LB_ERR_FORMAT },
		{ "{}{}", LB_ERR_FORMAT },
		{ "{} x", LB_ERR_FORMAT },
		{ "{\"a\":1,\"a\":1}", LB_ERR_FORMAT },
		{ "{\"a\":1,\"\\u0061\":2}", LB_ERR_FORMAT },
		{ "{\"a\":{\"b\":1,\"b\":2}}", LB_ERR_FORMAT },
		{ "{\"a\":1.0}", LB_ERR_FORMAT },
		{ "{\"a\":[1e3]}", LB_ERR_FORMAT },
		{ "{\"a\":NaN}", LB_ERR_FORMAT },
		{ "{\"a\":9223372036854775808}", LB_ERR_FORMAT },
		{ "{\"a\":\"\\u0000\"}", LB_ERR_FORMAT },
		{ "{\"a\":\"\\ud800\"}", LB_ERR_FORMAT },
		{ "{\"a\":\"\xff\"}", LB_ERR_FORMAT },
		{ "\xef\xbb\xbf{}", LB_ERR_FORMAT },
		{ "{'a':1}", LB_ERR_FORMAT },
		{ "{\"a\":01}", LB_ERR_FORMAT },
		{ "{\"a\":[[[[[[[[1]]]]]]]]}", LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(parse(row[i].text), row[i].want);
}

static void
test_body_parse_size_cap(void **state)
{
	char *text = malloc(BODY_JSON_MAX + 2);
	json_t *root = NULL;

	(void)state;
	memset(text, ' ', BODY_JSON_MAX + 1);
	memcpy(text, "{}", 2);
	assert_int_equal(body_parse(text, BODY_JSON_MAX, &root), LB_OK);
	json_decref(root);
	root = NULL;
	assert_int_equal(
	    body_parse(text, BODY_JSON_MAX + 1, &root), LB_ERR_RANGE);
	assert_null(root);
	/* a NUL inside is no end */
	memcpy(text, "{}\0", 3);
	assert_int_equal(body_parse(text, 3, &root), LB_ERR_FORMAT);
	free(text);
}

static void
test_body_parse_deep_bomb_is_quick(void **state)
{
	char *text = malloc(BODY_JSON_MAX);
	json_t *root = NULL;

	(void)state;
	memset(text, '[', BODY_JSON_MAX);
	assert_int_equal(body_parse(text, BODY_JSON_MAX, &root), LB_ERR_RANGE);
	free(text);
}

static enum lb_err
list(const char *text, size_t max, size_t *ret_count)
{
	char item[4][LB_LOGIN_MAX + 1];
	json_t *a = json_loads(text, 0, NULL);
	enum lb_err r;

	assert_non_null(a);
	r = body_list(
	    a, max, sizeof(item[0]), item[0], ret_count, lb_login_valid);
	json_decref(a);
	return r;
}

static void
test_body_list(void **state)
{
	size_t n = 99;

	(void)state;
	assert_int_equal(list("[\"a\",\"b\"]", 4, &n), LB_OK);
	assert_int_equal(n, 2);
	assert_int_equal(list("[]", 4, &n), LB_OK);
	assert_int_equal(n, 0);
	n = 99;
	assert_int_equal(list("[\"a\",\"b\"]", 1, &n), LB_ERR_RANGE);
	assert_int_equal(list("[\"a b\"]", 4, &n), LB_ERR_FORMAT);
	assert_int_equal(list("[1]", 4, &n), LB_ERR_FORMAT);
	assert_int_equal(list("{}", 4, &n), LB_ERR_FORMAT);
	assert_int_equal(n, 99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_parse_takes_objects),
		cmocka_unit_test(test_body_parse_refuses),
		cmocka_unit_test(test_body_parse_size_cap),
		cmocka_unit_test(test_body_parse_deep_bomb_is_quick),
		cmocka_unit_test(test_body_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
