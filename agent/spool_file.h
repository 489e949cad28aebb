/*
 * The spool's file on disk: added to at its end, or replaced as a whole. What
 * a failed write left half is taken off before the next one. Knows nothing of
 * what stands in it. Used by the saver's thread only.
 */
#ifndef LOCKBOX_AGENT_SPOOL_FILE_H
#define LOCKBOX_AGENT_SPOOL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "lockbox/err.h"

struct spool_file {
	char path[512];
	size_t len; /* bytes that are whole; what is behind them is cut off */
	bool torn;  /* there may be something behind them */
};

/* path is copied; len: of what stands there already. LB_ERR_RANGE. */
enum lb_err spool_file_init(
    struct spool_file *f, const char *path, size_t len) LB_MUST_CHECK;

/*
 * LB_ERR_MISSING  there is no file any more: replace it
 * LB_ERR_IO       errno says what, and nothing was added
 *
 * Not safe before sync; after a sync that failed nobody knows what is there:
 * replace it.
 */
enum lb_err spool_file_add(
    struct spool_file *f, const char *bytes, size_t len) LB_MUST_CHECK;
enum lb_err spool_file_sync(const struct spool_file *f) LB_MUST_CHECK;

/* As lb_file_write_atomic: safe at once. After an error only this may follow. */
enum lb_err spool_file_replace(
    struct spool_file *f, const char *bytes, size_t len) LB_MUST_CHECK;

#endif
