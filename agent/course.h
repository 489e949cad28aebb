/*
 * A visit while it lasts: what its three rooms share. visit.c leads it and
 * talks to the module, inquiry.c asks the broker, reply.c tells the outcome.
 */
#ifndef LOCKBOX_AGENT_COURSE_H
#define LOCKBOX_AGENT_COURSE_H

#include <stdbool.h>
#include <stdint.h>

#include "lockbox/papers.h"

#include "agent.h"
#include "carrier.h"
#include "door.h"
#include "loop.h"
#include "question.h"

#define VISIT_FINAL_MS  6000 /* from our reply to the module's last word */
#define VISIT_QUESTIONS 3    /* per visit, when trust documents come first */

enum stage {
	STAGE_ASK,    /* waiting for the module's packet */
	STAGE_BROKER, /* waiting for the courier */
	STAGE_COMMIT, /* an allow, told once the state is on disk */
	STAGE_FINAL,  /* waiting for the module's last word */
};

struct visit {
	struct agent *agent;
	struct visit *next;
	enum stage stage;
	struct door_peer peer;
	struct loop_watch watch; /* the module's connection */
	struct loop_watch carrier_watch;
	struct carrier *carrier;
	int64_t due_ms; /* of the stage, CLOCK_BOOTTIME */
	uint32_t phase;
	char service[LB_SERVICE_MAX + 1];
	char login[LB_LOGIN_MAX + 1];  /* whose grant: the session's, inside */
	char target[LB_LOGIN_MAX + 1]; /* as PAM names it: su's target */
	char rhost[LB_RHOST_MAX + 1];
	uint32_t sid;
	uint64_t round;  /* STAGE_COMMIT: of saving that we wait for */
	bool registered; /* this visit made the session record of sid */
	bool reported;   /* what came of it */
	struct lb_keyfps keys;
	char grant[LB_SHA256_LEN + 1]; /* that the session began with */
	struct question question;
	int questions;
	bool hasty; /* due_ms is sooner, to leave time after no answer */
	struct lb_door_reply reply;
};

#endif
