/*
 * The spool's part of what is saved: what of it is due to be written, in which
 * way, and what a save that is over means for it. See spool.h.
 *
 * A report is written to the file at once, without waiting for the disk. It is
 * made safe by the next save of the state, which holds it too, or soon after
 * by a sync of its own: a login waits for one save, never for two.
 */
#ifndef LOCKBOX_AGENT_LEDGER_H
#define LOCKBOX_AGENT_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "saver.h"
#include "spool.h"
#include "state.h"

#define LEDGER_SYNC_MS  100    /* a report is safe by then */
#define LEDGER_NOTE_MS  5000   /* how far the broker is may be known again */
#define LEDGER_RETRY_MS 1000   /* after a write that failed */
#define LEDGER_TAIL_MAX 65536  /* bytes that the state may have to hold, too */
#define LEDGER_LOOSE    262144 /* bytes of the file that are of no use */

struct ledger {
	bool open; /* there is a key, and so reports */
	struct spool spool;
	char path[CONFIG_PATH + 16];
	bool failing;     /* what is not safe could not be written */
	int64_t retry_ms; /* not before; 0: at once */
	int64_t sync_ms;  /* a sync is due then; 0: none */
	int64_t note_ms;  /* done is to be written by then; 0: need not */
	/* Of the save under way. */
	bool whole, adds, syncs;
	int64_t upto, done;
	size_t bytes;
};

/*
 * Read the spool of a host with that key, and take the state's tail. What
 * cannot be read is set aside or cut off, and said; then, and when it is
 * missing though reports were numbered, the count is in doubt.
 *
 * state_lost  there was none to read: then st is empty
 */
void ledger_load(struct ledger *l, const char *dir, uid_t uid, const char *key,
    struct state *st, bool state_lost);
void ledger_clear(struct ledger *l);

/* How much room the file would have if nobody waited for it: 0 when it is to
 * be written anew. For saver_new. */
size_t ledger_file_len(const struct ledger *l);

/* Is the file to be written as a whole now? Then that is all of the job. */
bool ledger_whole(struct ledger *l, int64_t now_boot_ms, struct saver_job *ret);

/* The state is saved in this job: its count and its tail. Clear the tail
 * after writing. */
enum lb_err ledger_tail(struct ledger *l, struct state *st) LB_MUST_CHECK;

/* Put into the job what is due; has_state: and it saves the state as well. */
void ledger_add(struct ledger *l, bool has_state, int64_t now_boot_ms,
    struct saver_job *ret);

/* A job is over. */
void ledger_saved(struct ledger *l, const struct saver_result *r);

/* The broker has more of them: that may be written down, some time. */
void ledger_note(struct ledger *l, int64_t now_boot_ms);

/* When something is due, in boottime ms; -1: nothing. */
int64_t ledger_next(const struct ledger *l);

/* Is there a report that would be lost with us? */
bool ledger_unsafe(const struct ledger *l);

#endif
