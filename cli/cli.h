/*
 * What every command of lockbox shares: the flags that all take, where output
 * goes, and how it ends.
 */
#ifndef LOCKBOX_CLI_H
#define LOCKBOX_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "flags.h"

/* Exit codes; documented in lockbox(1), never reused. */
enum ending {
	ENDING_DONE = 0,
	ENDING_FAILED = 1,
	ENDING_USAGE = 2,
	ENDING_UNAVAILABLE = 69,  /* no broker, or it is broken */
	ENDING_LATER = 75,        /* pending, or the broker is busy */
	ENDING_DENIED = 77,       /* denied, revoked, not signed in, may not */
	ENDING_CONFIG = 78,       /* our own configuration is wrong */
	ENDING_TIMEOUT = 124,     /* waited as long as --timeout said */
	ENDING_INTERRUPTED = 130, /* Ctrl-C while waiting */
};

/* Flags that every command takes, and the streams. */
struct cli {
	bool json, quiet, verbose, yes, help;
	const char *format;
	const char *config; /* NULL: the usual place */
	FILE *out, *err;
};

/*
 * One command. A table ends with a row of zeros.
 *
 * run gets the options struct that flags filled (size bytes, zero where not
 * given) and the operands, NULL-terminated, between least and most of them. It
 * returns an enum ending and has said why when it is not ENDING_DONE.
 */
struct command {
	const char *noun; /* "request"; the name of a one-word command */
	const char *verb; /* NULL for one word */
	/*
	 * As the usage line shows them; NULL: none. Where they speak of "--",
	 * what is more than the least must stand behind one.
	 */
	const char *operands;
	size_t least, most;
	const char *summary; /* lower case, no full stop */
	const struct flag *flags;
	size_t size;
	int (*run)(struct cli *cli, const void *opt, char **operand);
	const char *examples; /* lines, each ends in a newline; may be NULL */
};

extern const struct flag cli_flags[];

/* Every table of commands, NULL-terminated. */
extern const struct command *const cli_commands[];

/* NULL when there is none. verb may be NULL. */
const struct command *cli_find(const char *noun, const char *verb);

/* Print usage, flags and examples of one command. */
void cli_help(FILE *f, const struct command *c);

/* The whole program but for process set-up: finds and runs the command. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);

#endif
