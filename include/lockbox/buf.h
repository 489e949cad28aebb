/* A growing byte buffer with a ceiling. Bytes are wiped before being freed. */
#ifndef LOCKBOX_BUF_H
#define LOCKBOX_BUF_H

#include <stddef.h>

#include "lockbox/err.h"

/*
 * All zero is an empty buffer without a ceiling; set max to have one. data is
 * NUL-terminated whenever it is not NULL; the NUL does not count in len.
 */
struct lb_buf {
	char *data;
	size_t len;
	size_t size; /* allocated, with the NUL */
	size_t max;  /* most bytes len may reach; 0 means no ceiling */
};

/*
 * LB_ERR_RANGE past max, LB_ERR_MEMORY; the buffer is unchanged on error.
 * After LB_OK data is not NULL, even when nothing was added. What is added
 * must not lie in the buffer itself.
 */
enum lb_err lb_buf_add(
    struct lb_buf *b, const void *bytes, size_t len) LB_MUST_CHECK;
enum lb_err lb_buf_adds(struct lb_buf *b, const char *s) LB_MUST_CHECK;
enum lb_err lb_buf_addf(struct lb_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) LB_MUST_CHECK;

/*
 * Give back what is allocated beyond len: for what is kept long. data moves.
 * LB_ERR_MEMORY: it stays as large as it was.
 */
enum lb_err lb_buf_fit(struct lb_buf *b) LB_MUST_CHECK;

/* Wipe and free; the buffer is empty again and keeps its ceiling. */
void lb_buf_clear(struct lb_buf *b);

#endif
