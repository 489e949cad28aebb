/*
 * A small world for the module: rules, a PAM stack, a syslog socket and an
 * agent that answers as told, all in one directory. Needs root, because the
 * module believes only files that root alone can write.
 */
#ifndef TESTS_PAM_WORLD_H
#define TESTS_PAM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/door.h"

#define WORLD_SKIP  77 /* meson's exit code for "skipped" */
#define WORLD_LINES 16
#define WORLD_TEXT  512

/* What the agent of this world does. */
enum mock {
	MOCK_REPLY,     /* read the ask, send the reply's bytes */
	MOCK_SILENT,    /* read the ask, keep the connection, say nothing */
	MOCK_CLOSE,     /* read the ask, close */
	MOCK_DEAF,      /* never accept; the backlog is full */
	MOCK_NO_LISTEN, /* a socket file nobody listens on */
	MOCK_ABSENT,    /* no socket file */
};

/* Shared with the agent's process. */
struct mock_shared {
	enum mock mock;
	uint8_t reply[70000];
	size_t reply_len;
	unsigned delay_ms; /* before the reply */
	/* What it saw. */
	volatile unsigned asks, closed;
	struct lb_door_ask ask;
	bool ask_ok;     /* lb_door_ask_check */
	pid_t pidfd_pid; /* whose pidfd came along; 0: none */
	volatile unsigned finals;
	struct lb_door_final final;
	bool final_ok;
};

struct world {
	char dir[64];
	char conf[96], socket[96], log[96], pamd[96];
	const char *module; /* path of pam_lockbox.so */
	int log_fd;         /* bound; -1 when there is no syslog socket */
	pid_t agent;
	struct mock_shared *shared;
};

enum entry {
	ENTRY_AUTH,
	ENTRY_SETCRED,
	ENTRY_ACCOUNT,
	ENTRY_OPEN,
	ENTRY_CLOSE,
	ENTRY_CHAUTHTOK,
};

/* One call of one hook, in a process of its own. */
struct trial {
	enum entry entry;
	const char *service;
	const char *user; /* NULL: the item is not set */
	const char *rhost, *ruser, *tty;
	const char *auth_info; /* PAM environment's SSH_AUTH_INFO_0 */
	int flags;
	bool no_conv;
	bool loginuid_set; /* then loginuid, with a new session id */
	uid_t loginuid;
	uid_t real_uid;         /* with effective uid 0, as in su */
	const char *args;       /* more arguments of the module, by blanks */
	bool bare;              /* no conf=, socket=, log= */
	bool through_stack;     /* by pam_acct_mgmt ... and the service's file;
				* else the hook itself */
	void (*before)(void *); /* called in that process */
	void (*after)(void *);
	void *context;
	const struct world *world; /* filled in by trial_run */
};

struct outcome {
	int rv;
	bool killed; /* by SIGKILL, its own */
	int elapsed_ms;
	unsigned told; /* messages */
	char tell[WORLD_LINES][WORLD_TEXT];
	int style[WORLD_LINES];
	unsigned logged; /* lines in the syslog socket */
	char log[WORLD_LINES][2048];
	char note[WORLD_TEXT]; /* for before and after to leave word */
};

/* Exit with WORLD_SKIP when not root. */
void world_need_root(void);

/* conf is the text of pam.conf; module the path of the built module. */
void world_open(struct world *w, const char *module, const char *conf);
void world_close(struct world *w);

void world_conf(struct world *w, const char *text);
/* Write pam.d/SERVICE. In text, MODULE stands for the path of the module and
 * ARGS for its conf=, socket= and log=. */
void world_stack(struct world *w, const char *service, const char *text);

/* Start the agent. uid: whom it listens as. */
void world_agent(struct world *w, enum mock mock, uid_t uid);
void world_agent_stop(struct world *w);
void world_log_open(struct world *w);
void world_log_close(struct world *w);
/* Lines that wait in the log socket. */
unsigned world_log_drain(struct world *w, char lines[][2048], unsigned max);

/* A well-formed reply for the mock. */
struct lb_door_reply world_reply(enum lb_phase phase, uint32_t verdict);
void world_reply_set(struct world *w, const struct lb_door_reply *reply);

/* Can this process set a loginuid? Else such tests are skipped. */
bool world_audit_works(void);

void trial_run(struct world *w, const struct trial *t, struct outcome *ret);

/* Wait until the agent has seen the end of that many connections. */
void world_agent_settle(struct world *w, unsigned closed);

/* The value of a key="..." in a line, unescaped not; "" when absent. */
const char *line_value(const char *line, const char *key);

#endif
