/*
 * Writes the state file in a thread of its own: an fsync may take as long as
 * the disk likes, and nobody at the door shall wait for another's record.
 * The only thread besides the loop's; it touches nothing but its own bytes.
 */
#ifndef LOCKBOX_AGENT_SAVER_H
#define LOCKBOX_AGENT_SAVER_H

#include <stdbool.h>
#include <stddef.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

struct saver;

/*
 * Start the thread: after becoming somebody, before the system call filter.
 *
 * path  of the file, copied
 */
enum lb_err saver_new(const char *path, struct saver **ret) LB_MUST_CHECK;

/* Wait for what is under way, end the thread. Accepts NULL. */
void saver_free(struct saver *s);

/* Readable when a save is over: then call saver_finish. */
int saver_fd(const struct saver *s);
bool saver_busy(struct saver *s);

/* Begin to replace the file by text, which is taken over and left empty. Only
 * while not busy. */
void saver_begin(struct saver *s, struct lb_buf *text);

/* How it ended; errno as lb_file_write_atomic left it. LB_ERR_LIMIT: not over
 * yet. */
enum lb_err saver_finish(struct saver *s) LB_MUST_CHECK;

#endif
