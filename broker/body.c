/* Strict JSON bodies. */
#include "body.h"

#include <stdbool.h>
#include <string.h>

#include "lockbox/text.h"

/* The deepest nesting of brackets outside strings. Looks at nothing else: the
 * parser says whether it is JSON. */
static size_t
depth_of(const char *text, size_t len)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string) {
			if (text[i] == '\\')
				i++;
			else if (text[i] == '"')
				in_string = false;
		} else if (text[i] == '"') {
			in_string = true;
		} else if (text[i] == '{' || text[i] == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return deepest;
}

/* Real numbers lose precision silently: none is ever asked for. */
static bool
has_real(const json_t *v)
{
	const char *name;
	json_t *item;
	size_t i;

	if (json_is_object(v)) {
		/* The iterator takes it non-const but changes nothing. */
		void *it = json_object_iter((json_t *)(uintptr_t)v);

		for (; it != NULL;
		     it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
			name = json_object_iter_key(it);
			item = json_object_iter_value(it);
			if (name == NULL || has_real(item))
				return true;
		}
		return false;
	}
	json_array_foreach(v, i, item) if (has_real(item)) return true;
	return json_is_real(v);
}

enum lb_err
body_parse(const char *text, size_t len, json_t **ret)
{
	json_error_t jerr;
	json_t *root;

	if (len == 0)
		return LB_ERR_FORMAT;
	if (len > BODY_JSON_MAX || depth_of(text, len) > BODY_DEPTH_MAX)
		return LB_ERR_RANGE;
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &jerr);
	if (root == NULL)
		return LB_ERR_FORMAT;
	if (!json_is_object(root) || has_real(root)) {
		json_decref(root);
		return LB_ERR_FORMAT;
	}
	*ret = root;
	return LB_OK;
}

enum lb_err
body_list(const json_t *array, size_t max, size_t size, char *ret,
    size_t *ret_count, bool (*valid)(const char *))
{
	const char *s;
	json_t *item;
	size_t i;

	if (!json_is_array(array))
		return LB_ERR_FORMAT;
	if (json_array_size(array) > max)
		return LB_ERR_RANGE;
	json_array_foreach(array, i, item)
	{
		s = json_string_value(item);
		if (s == NULL || !valid(s) ||
		    lb_text_copy(ret + i * size, size, s) != LB_OK)
			return LB_ERR_FORMAT;
	}
	*ret_count = json_array_size(array);
	return LB_OK;
}
