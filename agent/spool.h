/*
 * The spool: signed reports that the broker does not have yet, in order, and
 * the count of their numbers; and the text of the file that holds both. Pure:
 * spool_file.h and saver.h touch the disk. Source: design section 9,
 * doc/http-api.md ("A host's reports").
 *
 * The file is a head and then entries that are only added:
 *
 *   lockbox-spool-v1
 *   key: SHA256:...           whose reports these are
 *   last: N                   numbers given out when the head was written
 *   done: N                   the broker had all up to here
 *   doubt: N                  0, or see spool.doubt
 *   sum: sha256:...           of the lines before
 *   report: LENGTH sha256:... then so many bytes: the document, its signature
 *   done: N sha256:...        the broker has all up to here; sum of digits
 *
 * A report is sent only once it is safe on disk, so that no number is ever
 * told with two texts. What tells of a change of the state (a session opened,
 * ended) is written together with that change: it stands at the end of the
 * state file, its "tail", until it is safe in this one.
 */
#ifndef LOCKBOX_AGENT_SPOOL_H
#define LOCKBOX_AGENT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"

#define SPOOL_FILE_MAX  (64 * 1024 * 1024) /* bytes */
#define SPOOL_ENTRY_MAX (LB_DOC_TEXT_MAX + LB_ARMOR_MAX)
#define SPOOL_MAX       16384 /* reports that wait, of whatever kind */
#define SPOOL_ALLOW_MAX 12288 /* so many wait: nobody is let in any more */
#define SPOOL_MINOR_MAX 8192  /* so many wait: no room for SPOOL_MINOR */
#define SPOOL_JUMP_MAX  (INT64_C(1) << 32) /* that a lost count may be off */

enum spool_kind {
	SPOOL_MINOR, /* denials, warnings: whoever fills the spool with them
	              * shall not shut the door with it */
	SPOOL_MAJOR, /* who was let in, what became of it */
};

struct spool_report {
	int64_t sequence;
	bool tied; /* to a change of the state; of those above safe */
	size_t len;
	char *text; /* owned: the document, then its signature */
};

/* All zero is an empty spool of nobody. */
struct spool {
	char key[LB_KEYFP_LEN + 1];
	size_t count, size;
	struct spool_report *item; /* owned; ascending; not at the broker yet */
	int64_t last;              /* highest number given out; 0: none */
	int64_t old;               /* what that was when it was read */
	int64_t done;              /* the broker has all up to here */
	/* 0, or the first number that may have been used before by a text that
	 * was lost; see spool_answered. */
	int64_t doubt;
	int64_t written;  /* up to here they stand in the file */
	int64_t synced;   /* up to here they are safe in the file */
	int64_t safe;     /* up to here on disk, in the file or in the state */
	int64_t noted;    /* the last "done" that stands in the file */
	size_t file_len;  /* bytes of the file */
	bool rewrite;     /* the file must be written as a whole */
	uint64_t skipped; /* numbers that were given to nothing, for want of
	                   * room; the broker records them as a gap */
};

void spool_clear(struct spool *sp);

/* Is there room for one more of that kind? */
bool spool_takes(const struct spool *sp, enum spool_kind kind);

/* Take up a report under the next number, sp->last + 1. text is taken over
 * and left empty. LB_ERR_MEMORY, LB_ERR_RANGE: over SPOOL_ENTRY_MAX. */
enum lb_err spool_add(
    struct spool *sp, struct lb_buf *text, bool tied) LB_MUST_CHECK;
/* A number for what there is no room for. */
void spool_skip(struct spool *sp);

/* Does any report wait for the state to be written? And up to where do none. */
bool spool_tied(const struct spool *sp);
int64_t spool_free(const struct spool *sp);

/* --- the file ------------------------------------------------------------- */

/* The entries of the reports above after, up to upto, appended to ret. */
enum lb_err spool_entries(const struct spool *sp, int64_t after, int64_t upto,
    struct lb_buf *ret) LB_MUST_CHECK;

/* What is to be added to the file: "done" when that moved, then the entries
 * above written, up to upto. Empty: nothing. */
enum lb_err spool_news(
    const struct spool *sp, int64_t upto, struct lb_buf *ret) LB_MUST_CHECK;

/* The whole file, up to upto. */
enum lb_err spool_whole(
    const struct spool *sp, int64_t upto, struct lb_buf *ret) LB_MUST_CHECK;

/*
 * Read a file. What follows the last whole entry is left out: ret_good is the
 * length of what was taken. ret is written only on LB_OK; all of it counts as
 * safe.
 *
 * LB_ERR_FORMAT  no such head
 * LB_ERR_RANGE   over SPOOL_FILE_MAX, or more than SPOOL_MAX reports
 */
enum lb_err spool_parse(const char *text, size_t len, struct spool *ret,
    size_t *ret_good) LB_MUST_CHECK;

/*
 * Take up the state's tail: entries as above. Those that the file has too are
 * passed over; the others are to be added to it, and are safe. last is the
 * highest number given out when the state was written.
 */
enum lb_err spool_take_tail(
    struct spool *sp, const char *tail, size_t len, int64_t last) LB_MUST_CHECK;

/* --- at the broker --------------------------------------------------------- */

/* How many of the first reports may be sent now. One only while in doubt. */
size_t spool_ready(const struct spool *sp);

enum spool_word {
	SPOOL_TAKEN,    /* the broker has what was sent */
	SPOOL_RENUMBER, /* the count was lost: number what is left anew */
	SPOOL_GARBAGE,  /* no answer that a broker gives: nothing was changed */
};

/*
 * The broker answered kept to the reports up to sent. Those that it has are
 * forgotten. An answer above all that we ever gave out, or, while in doubt,
 * one from there on, means that the numbers were used before by a text that
 * we lost, or that the disk was set back: what came since the start was passed
 * over and must get numbers above kept; then sp->last is kept already.
 */
enum spool_word spool_answered(struct spool *sp, int64_t sent, int64_t kept);

/* Forget one: the broker will never take it, or it cannot be signed anew. */
void spool_forget(struct spool *sp, size_t i);

/* Put another text into its place, numbered sp->last + 1. text as above. */
enum lb_err spool_renumbered(
    struct spool *sp, size_t i, struct lb_buf *text) LB_MUST_CHECK;

#endif
