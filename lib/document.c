/* The one parser and the one writer of signed documents. */
#include "lockbox/document.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "values.h"

/* What is left to read. */
struct cursor {
	const char *at;
	size_t left;
};

/* Where the i-th value of a line stands in the struct. */
static size_t
slot(const struct lb_doc_line *line, size_t i)
{
	if (line->most == 1)
		return line->offset;
	return line->offset + sizeof(size_t) + i * line->size;
}

static void
slot_fill(
    const struct lb_doc_line *line, void *doc, size_t i, const char *value)
{
	char *base = doc;
	size_t count = i + 1;
	int64_t n = 0;
	enum lb_err r;

	if (value_is_number(line)) {
		r = value_number(line, value, &n);
		assert(r == LB_OK); /* the first pass checked it */
		memcpy(base + line->offset, &n, sizeof(n));
		return;
	}
	memcpy(base + slot(line, i), value, strlen(value) + 1);
	if (line->most > 1)
		memcpy(base + line->offset, &count, sizeof(count));
}

/*
 * Take the value of the next line if that line has the name. False when it is
 * another line, or no line at all.
 */
static bool
cursor_take(
    struct cursor *c, const char *name, const char **ret_value, size_t *ret_len)
{
	size_t name_len = strlen(name);
	const char *end;

	if (c->left < name_len + 2 || memcmp(c->at, name, name_len) != 0 ||
	    memcmp(c->at + name_len, ": ", 2) != 0)
		return false;
	end = memchr(c->at, '\n', c->left);
	if (end == NULL)
		return false;

	*ret_value = c->at + name_len + 2;
	*ret_len = (size_t)(end - *ret_value);
	c->left -= (size_t)(end + 1 - c->at);
	c->at = end + 1;
	return true;
}

/* A value and the one before it. Large, so there is one for all lines. */
struct values {
	char value[LB_VALUE_MAX + 1], last[LB_VALUE_MAX + 1];
};

/* Every line of one name. doc is NULL or gets the values. */
static enum lb_err
parse_lines(const struct lb_doc_line *line, struct cursor *c, struct values *v,
    void *doc)
{
	char *value = v->value, *last = v->last;
	const char *bytes;
	size_t len, n;
	enum lb_err r;

	for (n = 0; cursor_take(c, line->name, &bytes, &len); n++) {
		if (n == line->most)
			return n == 1 ? LB_ERR_FORMAT : LB_ERR_RANGE;
		if (len > LB_VALUE_MAX)
			return LB_ERR_RANGE;
		memcpy(value, bytes, len);
		value[len] = '\0';
		if ((r = value_check(line, value)) != LB_OK)
			return r;
		if (n > 0 && strcmp(last, value) >= 0)
			return LB_ERR_FORMAT;
		memcpy(last, value, len + 1);
		if (doc != NULL)
			slot_fill(line, doc, n, value);
	}
	return n < line->least ? LB_ERR_FORMAT : LB_OK;
}

/* One pass over the whole text. doc is NULL or gets the values. */
static enum lb_err
parse_pass(
    const struct lb_doc_type *type, const char *text, size_t len, void *doc)
{
	struct cursor c = { text, len };
	size_t magic_len = strlen(type->magic);
	struct values v;
	enum lb_err r;

	if (len < magic_len + 1 || memcmp(text, type->magic, magic_len) != 0 ||
	    text[magic_len] != '\n')
		return LB_ERR_FORMAT;
	c.at += magic_len + 1;
	c.left -= magic_len + 1;
	for (const struct lb_doc_line *l = type->lines; l->name != NULL; l++)
		if ((r = parse_lines(l, &c, &v, doc)) != LB_OK)
			return r;
	return c.left == 0 ? LB_OK : LB_ERR_FORMAT;
}

enum lb_err
lb_doc_parse(const struct lb_doc_type *type, const char *text, size_t text_len,
    void *ret)
{
	void *doc = NULL;
	enum lb_err r;

	if (text_len > type->text_max)
		return LB_ERR_RANGE;
	if (text_len == 0 || memchr(text, '\0', text_len) != NULL)
		return LB_ERR_FORMAT;
	/* Nothing is allocated or written for bytes that are refused. */
	if ((r = parse_pass(type, text, text_len, NULL)) != LB_OK)
		return r;

	doc = calloc(1, type->struct_size);
	if (doc == NULL)
		return LB_ERR_MEMORY;
	r = parse_pass(type, text, text_len, doc);
	assert(r == LB_OK);
	if (type->check != NULL && (r = type->check(doc)) != LB_OK)
		goto out;
	memcpy(ret, doc, type->struct_size);
out:
	free(doc);
	return r;
}

/* How many values of that line the struct holds. */
static size_t
line_count(const struct lb_doc_line *line, const void *doc)
{
	const char *field = (const char *)doc + line->offset;
	int64_t n;
	size_t count;

	if (line->most > 1) {
		memcpy(&count, field, sizeof(count));
		return count;
	}
	if (value_is_number(line)) {
		memcpy(&n, field, sizeof(n));
		return line->least == 1 || n != 0;
	}
	return line->least == 1 || field[0] != '\0';
}

/* The i-th value as it stands in the text. ret holds LB_VALUE_MAX + 1. */
static enum lb_err
line_value(const struct lb_doc_line *line, const void *doc, size_t i,
    char ret[static LB_VALUE_MAX + 1])
{
	const char *s = (const char *)doc + slot(line, i);
	int64_t n;
	size_t len;

	if (value_is_number(line)) {
		memcpy(&n, s, sizeof(n));
		return value_spell(line, n, ret);
	}
	len = strnlen(s, line->size);
	if (len == line->size || len > LB_VALUE_MAX)
		return LB_ERR_RANGE;
	memcpy(ret, s, len + 1);
	return value_check(line, ret);
}

static enum lb_err
write_lines(const struct lb_doc_line *line, const void *doc, struct values *v,
    struct lb_buf *text)
{
	char *value = v->value, *last = v->last;
	size_t count = line_count(line, doc);
	enum lb_err r;

	if (count < line->least)
		return LB_ERR_FORMAT;
	if (count > line->most)
		return LB_ERR_RANGE;
	for (size_t i = 0; i < count; i++) {
		if ((r = line_value(line, doc, i, value)) != LB_OK)
			return r;
		if (i > 0 && strcmp(last, value) >= 0)
			return LB_ERR_FORMAT;
		memcpy(last, value, strlen(value) + 1);
		if ((r = lb_buf_adds(text, line->name)) != LB_OK ||
		    (r = lb_buf_adds(text, ": ")) != LB_OK ||
		    (r = lb_buf_adds(text, value)) != LB_OK ||
		    (r = lb_buf_adds(text, "\n")) != LB_OK)
			return r;
	}
	return LB_OK;
}

enum lb_err
lb_doc_write(
    const struct lb_doc_type *type, const void *doc, struct lb_buf *ret)
{
	struct lb_buf text = { .max = type->text_max };
	struct values v;
	enum lb_err r;

	if ((type->check != NULL && (r = type->check(doc)) != LB_OK) ||
	    (r = lb_buf_adds(&text, type->magic)) != LB_OK ||
	    (r = lb_buf_adds(&text, "\n")) != LB_OK)
		goto out;
	for (const struct lb_doc_line *l = type->lines; l->name != NULL; l++)
		if ((r = write_lines(l, doc, &v, &text)) != LB_OK)
			goto out;
	r = lb_buf_add(ret, text.data, text.len);
out:
	lb_buf_clear(&text);
	return r;
}

static int
item_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
list_sort(const struct lb_doc_line *line, void *doc)
{
	size_t count = line_count(line, doc), kept = 1, size = line->size;
	char *item = (char *)doc + slot(line, 0);

	assert(count <= line->most);
	if (count < 2)
		return;
	qsort(item, count, size, item_compare);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(item + (kept - 1) * size, item + i * size) == 0)
			continue;
		if (kept != i)
			memcpy(item + kept * size, item + i * size, size);
		kept++;
	}
	memset(item + kept * size, 0, (count - kept) * size);
	memcpy((char *)doc + line->offset, &kept, sizeof(kept));
}

void
lb_doc_sort(const struct lb_doc_type *type, void *doc)
{
	for (const struct lb_doc_line *l = type->lines; l->name != NULL; l++)
		if (l->most > 1)
			list_sort(l, doc);
}
