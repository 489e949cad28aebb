/*
 * Bodies, paths and parameters from anybody: JSON objects come out whole and
 * within their bounds, or not at all; a path finds at most one route.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "fuzz.h"
#include "route.h"

/* No deeper than allowed, and nothing but what was asked for. */
static void
check_value(json_t *v, size_t depth)
{
	const char *name;
	json_t *item;
	size_t i;

	assert(!json_is_real(v));
	if (json_is_array(v) || json_is_object(v))
		assert(depth <= BODY_DEPTH_MAX);
	json_array_foreach(v, i, item) check_value(item, depth + 1);
	json_object_foreach(v, name, item) check_value(item, depth + 1);
}

/* What was taken is taken again, and says the same. */
static void
check_again(const json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);
	json_t *again = NULL;

	assert(text != NULL);
	if (strlen(text) <= BODY_JSON_MAX) {
		assert(body_parse(text, strlen(text), &again) == LB_OK);
		json_decref(again);
	}
	free(text);
}

static void
check_body(const char *text, size_t len)
{
	char item[4][LB_HOST_MAX + 1];
	json_t *root = NULL;
	size_t count = 99;

	if (body_parse(text, len, &root) != LB_OK) {
		assert(root == NULL);
		return;
	}
	assert(json_is_object(root));
	check_value(root, 1);
	check_again(root);
	if (body_list(json_object_get(root, "hosts"), 4, sizeof(item[0]),
		item[0], &count, lb_host_valid) == LB_OK) {
		assert(count <= 4);
		for (size_t i = 0; i < count; i++)
			assert(lb_host_valid(item[i]));
	}
	json_decref(root);
}

/* "METHOD PATH", or "NAME=VALUE". */
static void
check_line(char *text)
{
	char arg[CALL_ARG_MAX + 1], allow[64], *cut;
	struct query q = { 0 };
	const struct route *r;

	if ((cut = strchr(text, ' ')) != NULL) {
		*cut = '\0';
		r = route_find(text, cut + 1, arg, allow);
		assert(r == NULL || strcmp(r->method, text) == 0);
		assert(r == NULL || strlen(arg) <= CALL_ARG_MAX);
		*cut = ' ';
	}
	if ((cut = strchr(text, '=')) != NULL) {
		*cut = '\0';
		if (route_query(&q, text, cut + 1) == LB_OK)
			assert(q.limit >= 0 && q.limit <= CALL_LIMIT_MAX &&
			    q.before_at >= 0 && q.after >= 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1);

	assert(text != NULL);
	memcpy(text, bytes, len);
	text[len] = '\0';
	check_body(text, len);
	check_line(text);
	free(text);
	return 0;
}
