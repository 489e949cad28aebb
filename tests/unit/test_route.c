/* The route table, and that every code it can say is documented. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/file.h"

#include "route.h"

static const char *codes_path;

static void
test_route_find_by_method_and_path(void **state)
{
	static const struct {
		const char *method, *path, *want, *arg, *allow;
	} row[] = {
		{ "GET", "/healthz", "/healthz", "", "" },
		{ "POST", "/healthz", NULL, "", "GET" },
		{ "GET", "/v1/requests", "/v1/requests", "", "" },
		{ "DELETE", "/v1/requests", NULL, "", "POST, GET" },
		{ "GET", "/v1/requests/abc", "/v1/requests/{id}", "abc", "" },
		{ "GET", "/v1/requests/abc/draft", NULL, "", "POST" },
		{ "POST", "/v1/requests/abc/draft", "/v1/requests/{id}/draft",
		    "abc", "" },
		{ "GET", "/v1/people/a+b@c.example", "/v1/people/{principal}",
		    "a+b@c.example", "" },
		{ "GET", "/v1/grants/sha256:00/bundle",
		    "/v1/grants/{id}/bundle", "sha256:00", "" },
		{ "GET", "/v1/requests/", NULL, "", "" },
		{ "GET", "/v1/requests//draft", NULL, "", "" },
		{ "GET", "/v1/requests/a/b/c", NULL, "", "" },
		{ "GET", "/v1/requests/a b", NULL, "", "" },
		{ "GET", "/v1/requests/a%2f", NULL, "", "" },
		{ "GET", "/V1/requests", NULL, "", "" },
		{ "GET", "/", "/", "", "" },
		{ "GET", "//", NULL, "", "" },
		{ "GET", "/portal/app.js", "/portal/{file}", "app.js", "" },
		{ "GET", "/portal/", NULL, "", "" },
		{ "GET", "/portal/../app.js", NULL, "", "" },
		{ "GET", "", NULL, "", "" },
		{ "get", "/healthz", NULL, "", "GET" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char arg[CALL_ARG_MAX + 1], allow[64];
		const struct route *r;

		r = route_find(row[i].method, row[i].path, arg, allow);
		if (row[i].want == NULL) {
			assert_null(r);
			assert_string_equal(allow, row[i].allow);
		} else {
			assert_non_null(r);
			assert_string_equal(r->path, row[i].want);
			assert_string_equal(arg, row[i].arg);
		}
	}
}

static void
test_route_find_long_arg_is_refused(void **state)
{
	char path[CALL_ARG_MAX + 32] = "/v1/hosts/", arg[CALL_ARG_MAX + 1];
	char allow[64];
	size_t n = strlen(path);

	(void)state;
	memset(path + n, 'a', CALL_ARG_MAX);
	path[n + CALL_ARG_MAX] = '\0';
	assert_non_null(route_find("GET", path, arg, allow));
	assert_int_equal(strlen(arg), CALL_ARG_MAX);
	path[n + CALL_ARG_MAX] = 'a';
	path[n + CALL_ARG_MAX + 1] = '\0';
	assert_null(route_find("GET", path, arg, allow));
}

/* Files and what hosts do are no customer's page's business. */
static void
test_route_table_for_pages(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct route *r = routes; r->method != NULL; r++) {
		char who[64];

		route_who(r, who, sizeof(who));
		assert_true(who[0] != '\0');
		if ((r->who & ROUTE_PAGES) == 0)
			continue;
		count++;
		assert_int_equal(strncmp(r->path, "/v1/", 4), 0);
		assert_int_equal(r->who & ROUTE_HOST, 0);
		assert_int_not_equal(r->body, BODY_BUNDLE);
	}
	assert_true(count >= 17);
}

/* A decision is never a GET, and a GET has no body. */
static void
test_route_table_is_sane(void **state)
{
	(void)state;
	for (const struct route *r = routes; r->method != NULL; r++) {
		bool get = strcmp(r->method, "GET") == 0;

		assert_true(get || strcmp(r->method, "POST") == 0);
		assert_int_equal(get, r->body == BODY_NONE);
		assert_non_null(r->handler);
		if (get)
			assert_true((r->who & ~ROUTE_PAGES) == ROUTE_NONE ||
			    (r->who & ROUTE_ANY) != 0);
	}
}

static void
test_route_takes_content_types(void **state)
{
	const struct route json = { .body = BODY_JSON };
	const struct route bundle = { .body = BODY_BUNDLE };
	const struct route none = { .body = BODY_NONE };

	(void)state;
	assert_true(route_takes(&json, "application/json"));
	assert_true(route_takes(&json, "Application/JSON; charset=utf-8"));
	assert_false(route_takes(&json, "application/jsonx"));
	assert_false(route_takes(&json, "text/plain"));
	assert_false(route_takes(&json, NULL));
	assert_true(route_takes(&bundle, "text/plain; charset=utf-8"));
	assert_false(route_takes(&bundle, "application/json"));
	assert_true(route_takes(&none, NULL));
}

static void
test_route_query_values(void **state)
{
	static const struct {
		const char *name, *value;
		bool good;
	} row[] = {
		{ "limit", "1", true },
		{ "limit", "200", true },
		{ "limit", "0", false },
		{ "limit", "201", false },
		{ "limit", "01", false },
		{ "limit", "", false },
		{ "limit", NULL, false },
		{ "state", "active", true },
		{ "state", "Active", false },
		{ "tenant", "acme", true },
		{ "tenant", "ACME", false },
		{ "host", "db1.acme", true },
		{ "host", "db1/..", false },
		{ "prefix", "01JN", true },
		{ "prefix", "01J", false },
		{ "prefix", "01JN%", false },
		{ "cursor", "17:abc", true },
		{ "cursor", "abc", false },
		{ "cursor", "-1:a", false },
		{ "after", "0", true },
		{ "after", "-1", false },
		{ "nosuch", "1", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct query q = { 0 };

		assert_int_equal(
		    route_query(&q, row[i].name, row[i].value) == LB_OK,
		    row[i].good);
	}
}

/* Each code of a refusal has its line, with its status, in doc/codes.md. */
static void
test_reply_codes_are_documented(void **state)
{
	struct lb_buf doc = { 0 };
	const char *code, *title;
	unsigned int status;
	char line[96];
	FILE *f = fopen(codes_path, "re");
	char part[4096];
	size_t n;

	(void)state;
	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		assert_int_equal(lb_buf_add(&doc, part, n), LB_OK);
	(void)fclose(f);
	for (size_t i = 0; (code = reply_code(i, &status, &title)) != NULL;
	     i++) {
		(void)snprintf(
		    line, sizeof(line), "\n| `%s` | %u |", code, status);
		if (strstr(doc.data, line) == NULL)
			fail_msg("not in codes.md: %s", line + 1);
		assert_true(title[0] != '\0');
	}
	lb_buf_clear(&doc);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_route_find_by_method_and_path),
		cmocka_unit_test(test_route_find_long_arg_is_refused),
		cmocka_unit_test(test_route_table_is_sane),
		cmocka_unit_test(test_route_table_for_pages),
		cmocka_unit_test(test_route_takes_content_types),
		cmocka_unit_test(test_route_query_values),
		cmocka_unit_test(test_reply_codes_are_documented),
	};

	if (argc != 2)
		return 2;
	codes_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
