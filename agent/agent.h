/* What every room of the agent stands on: one struct, one thread. */
#ifndef LOCKBOX_AGENT_AGENT_H
#define LOCKBOX_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/sshsig.h"

#include "anchor.h"
#include "askers.h"
#include "config.h"
#include "ledger.h"
#include "loop.h"
#include "saver.h"
#include "state.h"

struct ending;
struct post;
struct visit;
struct warden_note;
struct watch;

struct agent {
	struct config_agent conf;
	uid_t uid;          /* that we run as */
	const char *unable; /* NULL, or the code of why nobody is let in */
	struct lb_signer *signer; /* NULL if unable */
	struct anchor *anchor;    /* NULL if unable */
	struct loop *loop;
	struct askers *askers;
	struct state state;
	char state_path[CONFIG_PATH + 16];
	struct ledger ledger; /* reports that wait */
	struct post *post;    /* takes them to the broker */
	struct saver *saver;
	struct loop_watch saver_watch;
	uint64_t round;       /* of saving: what changes now is in this one */
	uint64_t saved;       /* rounds before this one are on disk */
	bool state_must;      /* write as soon as may be */
	int64_t state_due_ms; /* write by then; 0: nothing to write */
	int64_t sweep_due_ms;
	struct visit *visits;
	size_t visit_count, question_count;
	struct ending *endings;    /* sessions that are being ended */
	struct warden_note *notes; /* of live sessions */
	size_t note_count;
	int64_t warden_due_ms;
	int64_t news_ms;     /* when the broker's last came; 0: none yet */
	size_t lease_asks;   /* of them at the broker */
	bool rejudge;        /* trust, denies or revokes are new */
	struct watch *watch; /* for the broker's news */
};

/*
 * Load key, trust and state as the configuration says, run the self-test, and
 * start what saves the state.
 * What fails is logged; unable then says which code every login is refused
 * with. The state counts as empty when it cannot be read, and the unreadable
 * file is set aside.
 */
enum lb_err agent_load(struct agent *a) LB_MUST_CHECK;

/* As agent_load, but without the state: only says whether it could work. */
void agent_check(struct agent *a);
void agent_clear(struct agent *a);

/* The trust in force, and its tenant: "" while there is none. */
const struct lb_trust *agent_trust(const struct agent *a);
const char *agent_tenant(const struct agent *a);

/* Another floor, deny or revoke: write the state within a second, or by then. */
void agent_state_soon(struct agent *a, int64_t now_boot_ms);
void agent_state_by(struct agent *a, int64_t boot_ms);

/*
 * Begin to write the state if it must be or is due, and what is due of the
 * spool, unless a write is under way. What the state holds now is safe when
 * agent_state_saved says so of the round that a->round was before the call.
 */
void agent_state_begin(struct agent *a, int64_t now_boot_ms);

/* When something of both is due, in boottime ms; -1: nothing. */
int64_t agent_state_next(const struct agent *a);

/*
 * A write is over: with which error, and which round is now safe if none.
 * LB_ERR_LIMIT: not over yet, or it was not of the state.
 */
enum lb_err agent_state_saved(
    struct agent *a, uint64_t *ret_round) LB_MUST_CHECK;

/* Write it now and wait: on leaving. */
enum lb_err agent_state_last(struct agent *a) LB_MUST_CHECK;

/* Forget the sessions that have no process left; do so within a second. */
void agent_sweep(struct agent *a);
void agent_sweep_soon(struct agent *a, int64_t now_boot_ms);

#endif
