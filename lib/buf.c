/* A growing byte buffer with a ceiling, wiped before it is freed. */
#include "lockbox/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_SIZE_MIN 1024 /* most documents fit without a second malloc */

/* Never realloc: it would leave the old bytes behind unwiped. */
static enum lb_err
buf_resize(struct lb_buf *b, size_t size)
{
	char *data = malloc(size);

	if (data == NULL)
		return LB_ERR_MEMORY;
	if (b->data != NULL) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->size);
		free(b->data);
	}
	data[b->len] = '\0';
	b->data = data;
	b->size = size;
	return LB_OK;
}

/* Make room for len more bytes and a NUL. */
static enum lb_err
buf_reserve(struct lb_buf *b, size_t len)
{
	size_t size = b->size < BUF_SIZE_MIN ? BUF_SIZE_MIN : b->size;
	size_t need;

	if (b->max != 0 && (b->len > b->max || len > b->max - b->len))
		return LB_ERR_RANGE;
	if (len > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return LB_ERR_MEMORY;
	need = b->len + len + 1;
	if (b->data != NULL && need <= b->size)
		return LB_OK;

	while (size < need)
		size *= 2;
	return buf_resize(b, size);
}

enum lb_err
lb_buf_add(struct lb_buf *b, const void *bytes, size_t len)
{
	enum lb_err r;

	if ((r = buf_reserve(b, len)) != LB_OK)
		return r;
	if (len > 0)
		memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
	return LB_OK;
}

enum lb_err
lb_buf_adds(struct lb_buf *b, const char *s)
{
	return lb_buf_add(b, s, strlen(s));
}

enum lb_err
lb_buf_addf(struct lb_buf *b, const char *fmt, ...)
{
	va_list ap;
	enum lb_err r;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return LB_ERR_FORMAT;
	if ((r = buf_reserve(b, (size_t)n)) != LB_OK)
		return r;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
	return LB_OK;
}

enum lb_err
lb_buf_fit(struct lb_buf *b)
{
	if (b->data == NULL || b->size == b->len + 1)
		return LB_OK;
	return buf_resize(b, b->len + 1);
}

void
lb_buf_clear(struct lb_buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->size);
	free(b->data);
	b->data = NULL;
	b->len = 0;
	b->size = 0;
}
