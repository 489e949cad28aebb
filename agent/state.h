/*
 * What survives a crash of the agent: the kept floor, denies and revokes,
 * session records, the grants that those rest on, and the reports that the
 * spool's file may not have yet. One file, replaced as a whole; a checksum
 * over it makes anything cut or altered unreadable.
 * Source: design sections 5 (step 4) and 8.
 *
 * Enrolment writes the first, empty one. A missing or unreadable file is the
 * caller's to report: it runs on with an empty state and ends nothing.
 */
#ifndef LOCKBOX_AGENT_STATE_H
#define LOCKBOX_AGENT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"

#include "procs.h"

#define STATE_FILE_MAX     (64 * 1024 * 1024) /* bytes */
#define STATE_SESSIONS_MAX 4096
#define STATE_KEPT_MAX     8192 /* grants, over all sessions */

/*
 * The text of an empty state: what enrolment writes, as lockbox, mode 0600, to
 * STATE_DIR/state when none is there.
 */
#define STATE_EMPTY                                                            \
	"lockbox-state-v1\nboot: \nfloor: 0\ntrust: \nserial: 0\n"             \
	"sum: sha256:f489ff485fd3401a9614f866028da44c"                         \
	"272d1ccb491f1298c3b93859087426dd\n"

#define STATE_HANDED_MAX 64 /* of these, that root handed over */

/* A grant that came with an answer, or was handed over, as a bundle of its
 * own: the grant with its approvals, then the request with its signatures
 * where it was there. */
struct state_kept {
	char id[LB_SHA256_LEN + 1];
	char *bundle; /* owned, NUL-terminated */
	size_t bundle_len;
	bool handed;       /* by root, for when the broker is away: a use */
	unsigned int refs; /* sessions that name it, and that use */
};

/* One session on this host, of the service that got a new audit session. */
struct state_session {
	uint32_t sid;
	pid_t pid; /* who registered it */
	char login[LB_LOGIN_MAX + 1];
	char service[LB_SERVICE_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	char rhost[LB_RHOST_MAX + 1]; /* may be empty */
	char ref[LB_CODE_LEN + 1];
	struct lb_keyfps keys;
	struct lb_grant_ids rests; /* ends when the first of these ends */
	struct lb_grant_ids keeps; /* may allow a sudo or su; holds rests */
	int64_t opened_at;
	int64_t deadline;         /* wall clock, of the first of rests */
	int64_t deadline_boot_ms; /* the same by CLOCK_BOOTTIME */
	int64_t lease_end;
	int64_t lease_end_boot_ms; /* the same by CLOCK_BOOTTIME */
	bool final;     /* the module said that the login really goes on */
	bool offline;   /* let in without an answer: no broker's word ends it */
	uint64_t round; /* of saving that its last grant is in; not kept */
	/* Why it is being ended, doc/codes.md section 2; empty: it is not. */
	char ending[LB_WORD_MAX + 1];
};

/* All zero is an empty state. */
struct state {
	char boot_id[PROCS_BOOT_ID_LEN + 1]; /* sessions are of this boot */
	int64_t floor;                       /* 0: none */
	char trust[LB_SHA256_LEN + 1];       /* last in force; may be empty */
	int64_t trust_serial;                /* 0: none */
	int64_t reports;    /* numbers given out by then; 0: none */
	struct lb_buf tail; /* owned; see spool.h: only while in a file */
	struct lb_kills kills;
	size_t session_count, session_size;
	struct state_session *session; /* owned; by sid, ascending */
	size_t kept_count, kept_size;
	struct state_kept *kept; /* owned; by id, ascending */
};

void state_clear(struct state *st);

/*
 * Take up a grant's bundle under id, or only count one more use if it is
 * there; the newer text replaces the older, but never one that root handed
 * over. state_kept_drop gives one use back and forgets the grant with the
 * last.
 *
 * LB_ERR_LIMIT at STATE_KEPT_MAX, LB_ERR_RANGE over LB_BUNDLE_MAX
 */
enum lb_err state_kept_add(struct state *st, const char *id, const char *bundle,
    size_t len) LB_MUST_CHECK;
void state_kept_drop(struct state *st, const char *id);
const struct state_kept *state_kept_find(
    const struct state *st, const char *id);

/*
 * The same for a grant that root hands over; its text stands from now on.
 * LB_ERR_CONFLICT when it was handed over before, LB_ERR_LIMIT at
 * STATE_HANDED_MAX. Dropping accepts what is not there.
 */
enum lb_err state_handed_add(struct state *st, const char *id,
    const char *bundle, size_t len) LB_MUST_CHECK;
void state_handed_drop(struct state *st, const char *id);

/*
 * A copy of s, in its place; its kept grants must be in the state already, one
 * use each. LB_ERR_CONFLICT when the sid is there, LB_ERR_LIMIT.
 */
enum lb_err state_session_add(
    struct state *st, const struct state_session *s) LB_MUST_CHECK;
/* Forget it and give its grants back. */
void state_session_drop(struct state *st, uint32_t sid);
/* Borrowed until the next add or drop; NULL when there is none. */
struct state_session *state_session_find(const struct state *st, uint32_t sid);

/* The file's text, appended to ret; and back. ret is written only on LB_OK.
 * LB_ERR_FORMAT: a byte is not as state_write wrote it. */
enum lb_err state_write(
    const struct state *st, struct lb_buf *ret) LB_MUST_CHECK;
enum lb_err state_parse(
    const char *text, size_t len, struct state *ret) LB_MUST_CHECK;

/* The file. owner as for lb_file_read_trusted; saving is atomic, with fsync. */
enum lb_err state_load(
    const char *path, uid_t owner, struct state *ret) LB_MUST_CHECK;
enum lb_err state_save(const char *path, const struct state *st) LB_MUST_CHECK;

#endif
