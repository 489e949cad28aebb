/* The checks of lockbox doctor, grouped by what they look at. */
#ifndef LOCKBOX_CLI_DOCTOR_H
#define LOCKBOX_CLI_DOCTOR_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "findings.h"
#include "lockbox/trust.h"

/* The agent's and the courier's own tables. */
#include "config.h"

/* What the checks share. Files are looked for below root ("" normally). */
struct doctor {
	struct cli *cli;
	const char *root;
	const char *sshd_dump; /* what "sshd -T" printed; NULL: run it */
	int64_t now;
	struct config_agent agent;
	struct config_courier courier;
	bool agent_known, courier_known; /* their files could be read */
	uid_t agent_uid, courier_uid;
	struct lb_trust *trust; /* in force; NULL: none */
	struct findings *findings;
};

/* path below the root. */
void doctor_path(
    const struct doctor *d, const char *path, char ret[static PATH_MAX]);

/* sshd and PAM: "sshd", "account", "session", "exempt", "session_ids". */
void doctor_sshd(struct doctor *d);
void doctor_account(struct doctor *d);
void doctor_session(struct doctor *d);
void doctor_exempt(struct doctor *d);
void doctor_session_ids(struct doctor *d);

/* Our own parts: "config", "agent", "courier", "broker", "clock", "trust",
 * "files". Configuration and trust first: others use what they read. */
void doctor_config(struct doctor *d);
void doctor_trust(struct doctor *d);
void doctor_agent(struct doctor *d);
void doctor_courier(struct doctor *d);
void doctor_broker(struct doctor *d);
void doctor_files(struct doctor *d);

/*
 * The value of a keyword in what "sshd -T" prints, first word of a line, lower
 * case; of several lines the first. NULL when there is none; else ret holds it,
 * cut if need be. Pure.
 */
const char *doctor_sshd_value(
    const char *dump, const char *keyword, char *ret, size_t ret_size);

#endif
