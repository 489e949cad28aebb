/* Pages of lists: where one ends, and where the next one goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lists.h"

/* Walk over rows numbered from the newest; every step-th is wanted. */
static json_t *
walk(size_t rows, size_t step, int64_t limit, size_t *ret_items)
{
	struct call call = { .query.limit = limit };
	struct reply reply = { 0 };
	struct page p;
	json_t *root, *cursor;

	page_init(&p, &call);
	for (size_t i = 1; i <= rows && i <= STORE_SCAN_MAX; i++) {
		if (i % step != 0) {
			assert_true(page_skip(&p, (int64_t)(rows - i), "id"));
			continue;
		}
		if (page_full(&p))
			break;
		page_add(&p, json_object(), (int64_t)(rows - i), "id");
	}
	assert_int_equal(page_end(&p, LB_OK, &reply), LB_OK);
	root = json_loadb(reply.body.data, reply.body.len, 0, NULL);
	assert_non_null(root);
	*ret_items = json_array_size(json_object_get(root, "items"));
	cursor = json_incref(json_object_get(root, "next_cursor"));
	json_decref(root);
	reply_clear(&reply);
	return cursor;
}

static void
test_page_goes_on_behind_what_was_looked_at(void **state)
{
	static const struct {
		size_t rows, step;
		int64_t limit;
		size_t items;
		const char *cursor; /* NULL: it is the last page */
	} row[] = {
		{ 5, 1, 10, 5, NULL },
		{ 10, 1, 10, 10, NULL },
		{ 11, 1, 10, 10, "1:id" },
		{ 11, 2, 10, 5, NULL },
		{ STORE_SCAN_MAX - 1, STORE_SCAN_MAX, 10, 0, NULL },
		{ STORE_SCAN_MAX + 7, STORE_SCAN_MAX, 10, 1, "7:id" },
		{ STORE_SCAN_MAX + 7, 2 * STORE_SCAN_MAX, 10, 0, "7:id" },
	};
	struct query q;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t items;
		json_t *cursor =
		    walk(row[i].rows, row[i].step, row[i].limit, &items);

		assert_int_equal(items, row[i].items);
		if (row[i].cursor == NULL) {
			assert_true(json_is_null(cursor));
		} else {
			assert_string_equal(
			    json_string_value(cursor), row[i].cursor);
			assert_int_equal(
			    page_cursor_read(row[i].cursor, &q), LB_OK);
		}
		json_decref(cursor);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_goes_on_behind_what_was_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
