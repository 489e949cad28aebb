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
#include "loop.h"
#include "state.h"

struct visit;

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
	bool state_must;      /* write before the next allow is told */
	int64_t state_due_ms; /* write by then; 0: nothing to write */
	int64_t sweep_due_ms;
	struct visit *visits;
	size_t visit_count, question_count;
};

/*
 * Load key, trust and state as the configuration says, and run the self-test.
 * What fails is logged; unable then says which code every login is refused
 * with. The state counts as empty when it cannot be read, and the unreadable
 * file is set aside.
 */
void agent_load(struct agent *a);

/* As agent_load, but without the state: only says whether it could work. */
void agent_check(struct agent *a);
void agent_clear(struct agent *a);

/* The trust in force, and its tenant: "" while there is none. */
const struct lb_trust *agent_trust(const struct agent *a);
const char *agent_tenant(const struct agent *a);

/* Another floor, deny or revoke: write the state within a second. */
void agent_state_soon(struct agent *a, int64_t now_boot_ms);

/* Write the state if it must be, or is due. LB_OK when nothing was to do. */
enum lb_err agent_state_flush(
    struct agent *a, int64_t now_boot_ms) LB_MUST_CHECK;

/* Forget the sessions that have no process left; do so within a second. */
void agent_sweep(struct agent *a);
void agent_sweep_soon(struct agent *a, int64_t now_boot_ms);

#endif
