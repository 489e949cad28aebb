/*
 * Flags of a command line, read through a table. A flag may stand anywhere
 * before "--"; "--name value", "--name=value" and "-n value" mean the same.
 */
#ifndef LOCKBOX_CLI_FLAGS_H
#define LOCKBOX_CLI_FLAGS_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#define FLAG_LIST_MAX 64
#define FLAG_WHAT_MAX 256

enum flag_kind {
	FLAG_SWITCH = 1, /* bool */
	FLAG_TEXT,       /* const char *; not twice */
	FLAG_LIST,       /* struct flag_list; repeats */
	FLAG_SPAN,       /* int64_t seconds, "2h"; not twice */
	FLAG_NUMBER,     /* int64_t, 0..10^9; not twice */
	FLAG_WHEN,       /* int64_t UNIX seconds: a time, or a span from now */
};

/* Values borrowed from argv. */
struct flag_list {
	size_t count;
	const char *item[FLAG_LIST_MAX];
};

/* One flag. A table ends with a row of zeros. */
struct flag {
	const char *name;
	char letter; /* 0: none */
	enum flag_kind kind;
	size_t offset;     /* into the command's options */
	const char *value; /* how help names the value */
	const char *help;
};

/* A table and the struct that it fills, zero beforehand. */
struct flag_set {
	const struct flag *table;
	void *base;
};

/*
 * Read argv (argc words, without the program's name and the command's words).
 *
 * set          count tables; a name is looked for in each, in order
 * now          for FLAG_WHEN
 * ret_operand  argc + 1 places; filled with what is no flag, then NULL
 * ret_count    how many; ret_plain: how many of them before "--"
 * ret_what     FLAG_WHAT_MAX bytes: on error what is wrong, for people
 *
 * LB_ERR_FORMAT  an unknown flag, one twice, no value, a bad value
 * LB_ERR_RANGE   too many values
 */
enum lb_err flags_parse(const struct flag_set *set, size_t count, int argc,
    char **argv, int64_t now, char **ret_operand, size_t *ret_count,
    size_t *ret_plain, char *ret_what) LB_MUST_CHECK;

/* "2h" from now, or "2026-03-02T14:00:00Z". */
enum lb_err flags_when(
    const char *value, int64_t now, int64_t *ret) LB_MUST_CHECK;

#endif
