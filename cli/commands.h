/* The tables of commands: one per noun, each in its cmd_ file. */
#ifndef LOCKBOX_CLI_COMMANDS_H
#define LOCKBOX_CLI_COMMANDS_H

#include "cli.h"

extern const struct command accept_commands[];
extern const struct command candidate_commands[];
extern const struct command check_commands[];
extern const struct command clock_commands[];
extern const struct command decide_commands[];
extern const struct command delivery_commands[];
extern const struct command doctor_commands[];
extern const struct command end_commands[];
extern const struct command enrol_commands[];
extern const struct command export_commands[];
extern const struct command extend_commands[];
extern const struct command grant_commands[];
extern const struct command host_commands[];
extern const struct command invitation_commands[];
extern const struct command person_commands[];
extern const struct command proposal_commands[];
extern const struct command request_commands[];
extern const struct command session_commands[];
extern const struct command signin_commands[];
extern const struct command ssh_commands[];
extern const struct command tenant_commands[];
extern const struct command tenant_people_commands[];
extern const struct command transfer_commands[];
extern const struct command trust_check_commands[];
extern const struct command trust_commands[];
extern const struct command trust_switch_commands[];
extern const struct command verify_commands[];
extern const struct command webhook_commands[];

#endif
