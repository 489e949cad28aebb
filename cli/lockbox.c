/* The table of commands: finds one, reads its flags, runs it, helps. */
#include "cli.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lockbox/clock.h"
#include "output.h"
#include "version.h"

#define USAGE_MAX 160 /* bytes, with NUL */

const struct flag cli_flags[] = {
	{ "format", 0, FLAG_TEXT, offsetof(struct cli, format), "text|json",
	    "how results are printed; JSON is a stable interface" },
	{ "quiet", 'q', FLAG_SWITCH, offsetof(struct cli, quiet), NULL,
	    "no hints and remarks" },
	{ "verbose", 'v', FLAG_SWITCH, offsetof(struct cli, verbose), NULL,
	    "say what is being done" },
	{ "yes", 'y', FLAG_SWITCH, offsetof(struct cli, yes), NULL,
	    "do not ask before signing or changing (for scripts)" },
	{ "config", 0, FLAG_TEXT, offsetof(struct cli, config), "FILE",
	    "instead of $XDG_CONFIG_HOME/lockbox/config" },
	{ "help", 'h', FLAG_SWITCH, offsetof(struct cli, help), NULL,
	    "show this help" },
	{ 0 },
};

static int version_run(struct cli *cli, const void *opt, char **operand);
static int help_run(struct cli *cli, const void *opt, char **operand);

static const struct command own_commands[] = {
	{ "version", NULL, NULL, 0, 0, "print the version", NULL, 0,
	    version_run, "lockbox version\n" },
	{ "help", NULL, "[NOUN [VERB]]", 0, 2, "explain a command", NULL, 0,
	    help_run, "lockbox help request create\n" },
	{ 0 },
};

const struct command *const cli_commands[] = {
	signin_commands,
	ssh_commands,
	request_commands,
	decide_commands,
	transfer_commands,
	grant_commands,
	extend_commands,
	export_commands,
	check_commands,
	session_commands,
	end_commands,
	webhook_commands,
	delivery_commands,
	tenant_commands,
	tenant_people_commands,
	candidate_commands,
	invitation_commands,
	host_commands,
	enrol_commands,
	accept_commands,
	clock_commands,
	person_commands,
	trust_commands,
	trust_switch_commands,
	trust_check_commands,
	proposal_commands,
	verify_commands,
	doctor_commands,
	own_commands,
	NULL,
};

static int
version_run(struct cli *cli, const void *opt, char **operand)
{
	(void)opt;
	(void)operand;
	if (cli->json)
		return out_json(
		    cli, json_pack("{s:s}", "version", LOCKBOX_VERSION));
	out_line(cli->out, "lockbox %s", LOCKBOX_VERSION);
	return ENDING_DONE;
}

static bool
word_is(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

const struct command *
cli_find(const char *noun, const char *verb)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct command *c = cli_commands[i]; c->noun != NULL;
		     c++)
			if (word_is(c->noun, noun) && word_is(c->verb, verb))
				return c;
	return NULL;
}

/* The first command of that noun, or NULL. */
static const struct command *
noun_find(const char *noun)
{
	for (size_t i = 0; cli_commands[i] != NULL; i++)
		for (const struct command *c = cli_commands[i]; c->noun != NULL;
		     c++)
			if (strcmp(c->noun, noun) == 0)
				return c;
	return NULL;
}

static void
flags_help(FILE *f, const struct flag *table)
{
	struct out_table t = { .columns = 2 };
	char name[96];

	for (; table != NULL && table->kind != 0; table++) {
		bool small = table->letter != 0;

		(void)snprintf(name, sizeof(name), "  %s%c%s%s%s%s%s",
		    small ? "-" : "  ", small ? table->letter : ' ',
		    table->name == NULL ? ""
			: small         ? ", --"
					: "  --",
		    table->name != NULL ? table->name : "",
		    table->value != NULL ? " " : "",
		    table->value != NULL ? table->value : "",
		    table->kind == FLAG_LIST ? " ..." : "");
		out_row(&t, name, table->help);
	}
	if (out_table_print(f, &t) != LB_OK)
		(void)fputs("  (out of memory)\n", f);
}

/*
 * "request show ID [flags]"; operands that say themselves where flags stand
 * keep their word.
 */
static void
usage_line(const struct command *c, char *ret, size_t size)
{
	const char *verb = c->verb != NULL ? c->verb : "";
	const char *operands = c->operands != NULL ? c->operands : "";
	bool placed = strstr(operands, "[flags]") != NULL;

	(void)snprintf(ret, size, "%s%s%s%s%s%s", c->noun,
	    verb[0] != '\0' ? " " : "", verb, operands[0] != '\0' ? " " : "",
	    operands, placed ? "" : " [flags]");
}

void
cli_help(FILE *f, const struct command *c)
{
	char usage[USAGE_MAX];

	usage_line(c, usage, sizeof(usage));
	(void)fprintf(f, "usage: lockbox %s\n\n  %s\n", usage, c->summary);
	if (c->flags != NULL) {
		(void)fputs("\nflags:\n", f);
		flags_help(f, c->flags);
	}
	(void)fputs("\nfor every command:\n", f);
	flags_help(f, cli_flags);
	if (c->examples != NULL) {
		(void)fputs("\nexamples:\n", f);
		out_document(f, "  ", c->examples, strlen(c->examples));
	}
}

/* All commands, or those of one noun. */
static void
list_help(FILE *f, const char *noun)
{
	struct out_table t = { .columns = 2 };
	char name[64];

	(void)fprintf(f, "usage: lockbox %s [flags]\n\n",
	    noun != NULL ? noun : "NOUN VERB");
	for (size_t i = 0; cli_commands[i] != NULL; i++) {
		for (const struct command *c = cli_commands[i]; c->noun != NULL;
		     c++) {
			if (noun != NULL && strcmp(c->noun, noun) != 0)
				continue;
			(void)snprintf(name, sizeof(name), "  %s%s%s", c->noun,
			    c->verb != NULL ? " " : "",
			    c->verb != NULL ? c->verb : "");
			out_row(&t, name, c->summary);
		}
	}
	if (out_table_print(f, &t) != LB_OK)
		(void)fputs("(out of memory)\n", f);
	(void)fputs("\nlockbox help NOUN VERB explains one of them, with "
		    "examples; lockbox(1) tells it all.\n",
	    f);
}

static int
help_run(struct cli *cli, const void *opt, char **operand)
{
	const struct command *c;

	(void)opt;
	if (operand[0] == NULL) {
		list_help(cli->out, NULL);
		return ENDING_DONE;
	}
	if ((c = cli_find(operand[0], operand[1])) != NULL) {
		cli_help(cli->out, c);
		return ENDING_DONE;
	}
	if (noun_find(operand[0]) == NULL || operand[1] != NULL)
		return out_fail(
		    cli, ENDING_USAGE, "no such command: see 'lockbox help'");
	list_help(cli->out, operand[0]);
	return ENDING_DONE;
}

/* --format, the one flag of all commands that has a rule. */
static int
format_set(struct cli *cli)
{
	if (cli->format == NULL || strcmp(cli->format, "text") == 0)
		return ENDING_DONE;
	if (strcmp(cli->format, "json") != 0)
		return out_fail(cli, ENDING_USAGE,
		    "--format is text or json, not '%s'", cli->format);
	cli->json = true;
	return ENDING_DONE;
}

static int
command_usage(const struct cli *cli, const struct command *c, const char *what)
{
	char usage[USAGE_MAX];

	usage_line(c, usage, sizeof(usage));
	out_fail(cli, ENDING_USAGE, "%s", what);
	out_note(cli, "usage: lockbox %s; see 'lockbox help %s%s%s'", usage,
	    c->noun, c->verb != NULL ? " " : "",
	    c->verb != NULL ? c->verb : "");
	return ENDING_USAGE;
}

static int
command_run(struct cli *cli, const struct command *c, int argc, char **argv,
    char **operand)
{
	void *opt = calloc(1, c->size != 0 ? c->size : 1);
	struct flag_set set[] = { { c->flags, opt }, { cli_flags, cli } };
	char what[FLAG_WHAT_MAX] = "";
	size_t count = 0, plain = 0;
	int rv;

	if (opt == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	if (flags_parse(set, 2, argc, argv, lb_clock_now(), operand, &count,
		&plain, what) != LB_OK)
		rv = command_usage(cli, c, what);
	else if (cli->help) {
		cli_help(cli->out, c);
		rv = ENDING_DONE;
	} else if (count < c->least)
		rv = command_usage(cli, c, "something is missing");
	else if (count > c->most)
		rv = command_usage(cli, c, "too many words");
	else if (c->operands != NULL && strstr(c->operands, "-- ") != NULL &&
	    plain > c->least)
		rv = command_usage(cli, c, "'--' stands before a command");
	else if ((rv = format_set(cli)) == ENDING_DONE)
		rv = c->run(cli, opt, operand);
	free(opt);
	return rv;
}

/*
 * Where the noun stands: after flags that every command takes, which a person
 * may write first.
 */
static int
noun_at(int argc, char **argv)
{
	int at = 0;

	while (at < argc && argv[at][0] == '-') {
		bool valued = strcmp(argv[at], "--format") == 0 ||
		    strcmp(argv[at], "--config") == 0;

		at += valued ? 2 : 1;
	}
	return at;
}

/* Take the command's words out of argv, in place; returns what is left. */
static int
words_drop(int argc, char **argv, int at, int words)
{
	memmove(argv + at, argv + at + words,
	    (size_t)(argc - at - words) * sizeof(*argv));
	return argc - words;
}

static int
command_pick(struct cli *cli, int argc, char **argv, char **operand)
{
	const struct command *c = NULL;
	int at = noun_at(argc, argv), words = 1;

	if (at >= argc) {
		if (argc > 0 && (strcmp(argv[0], "--version") == 0))
			return version_run(cli, NULL, NULL);
		list_help(argc > 0 ? cli->out : cli->err, NULL);
		return argc > 0 ? ENDING_DONE : ENDING_USAGE;
	}
	if (at + 1 < argc && (c = cli_find(argv[at], argv[at + 1])) != NULL)
		words = 2;
	else
		c = cli_find(argv[at], NULL);
	if (c == NULL) {
		out_fail(cli, ENDING_USAGE, "no such command: '%s%s%s'",
		    argv[at], at + 1 < argc ? " " : "",
		    at + 1 < argc ? argv[at + 1] : "");
		list_help(
		    cli->err, noun_find(argv[at]) != NULL ? argv[at] : NULL);
		return ENDING_USAGE;
	}
	argc = words_drop(argc, argv, at, words);
	return command_run(cli, c, argc, argv, operand);
}

int
cli_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct cli cli = { .out = out, .err = err };
	char **word = calloc((size_t)argc + 1, sizeof(*word));
	char **operand = calloc((size_t)argc + 1, sizeof(*operand));
	int rv = ENDING_FAILED;

	if (word != NULL && operand != NULL && sodium_init() >= 0) {
		memcpy(word, argv, (size_t)argc * sizeof(*word));
		rv = command_pick(&cli, argc - 1, word + 1, operand);
		/* A full disk must not look like success. */
		if (fflush(out) != 0 && rv == ENDING_DONE)
			rv = out_fail(&cli, ENDING_FAILED, "write: failed");
	}
	free(operand);
	free(word);
	return rv;
}
