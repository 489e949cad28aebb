/*
 * Writes the state file and the spool in a thread of its own: an fsync may
 * take as long as the disk likes, and nobody at the door shall wait for
 * another's record. The only thread besides the loop's; it touches nothing but
 * its own bytes.
 */
#ifndef LOCKBOX_AGENT_SAVER_H
#define LOCKBOX_AGENT_SAVER_H

#include <stdbool.h>
#include <stddef.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

struct saver;

/* What is to be written, in this order; the buffers are owned. */
struct saver_job {
	struct lb_buf state; /* replaces the state file; empty: leave it */
	struct lb_buf spool; /* is added to the spool; not if that failed */
	bool whole;          /* or replaces it; then it is safe */
	bool sync;           /* make all of the spool safe */
};

/* How it went; LB_OK for what was not to be done. */
struct saver_result {
	enum lb_err state;
	enum lb_err spool; /* adding to it, or replacing it */
	enum lb_err sync;
	bool had_state;
};

/*
 * Start the thread: after becoming somebody, before the system call filter.
 *
 * state, spool  paths of the files, copied
 * spool_len     see spool_file_init
 */
enum lb_err saver_new(const char *state, const char *spool, size_t spool_len,
    struct saver **ret) LB_MUST_CHECK;

/* Wait for what is under way, end the thread. Accepts NULL. */
void saver_free(struct saver *s);

/* Readable when a save is over: then call saver_finish. */
int saver_fd(const struct saver *s);
bool saver_busy(struct saver *s);

/* Begin; the job is taken over and left empty. Only while not busy. */
void saver_begin(struct saver *s, struct saver_job *job);

/* How it ended; errno is of the first step that failed. LB_ERR_LIMIT: not
 * over yet, and ret is not written. */
enum lb_err saver_finish(
    struct saver *s, struct saver_result *ret) LB_MUST_CHECK;

#endif
