/*
 * lockbox trust off, on: the switch. Off is a delegation with an end, so one
 * of the provider's managers may approve instead; on ends it.
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lockbox/clock.h"
#include "output.h"
#include "trust_edit.h"
#include "trust_file.h"

struct switch_opt {
	struct flag_list delegate;
	int64_t until;
	const char *output;
};

#define O(member) offsetof(struct switch_opt, member)
#define OUTPUT_FLAG                                                            \
	{                                                                      \
		"output", 'o', FLAG_TEXT, O(output), "FILE",                   \
		    "write there instead of standard output"                   \
	}

static const struct flag off_flags[] = {
	{ "delegate", 0, FLAG_LIST, O(delegate),
	    "NAME=KEYFILE[,ns=A+B][,valid-before=TIME]",
	    "provider's manager who may approve instead" },
	{ "until", 0, FLAG_WHEN, O(until), "TIME|SPAN",
	    "when it ends by itself" },
	OUTPUT_FLAG,
	{ 0 },
};

static const struct flag on_flags[] = { OUTPUT_FLAG, { 0 } };
#undef O

/* Write the successor that f makes, and say what it changes. */
static int
successor_write(const struct cli *cli, const char *path,
    const struct trust_flags *f, struct trust_file *t)
{
	struct lb_trust_paper *was = malloc(sizeof(*was));
	char what[TRUST_WHAT_MAX] = "";
	int rv;

	if (was == NULL)
		return out_fail(cli, ENDING_FAILED, "out of memory");
	*was = *t->paper;
	if (trust_paper_edit(f, t->last->id, t->paper, what) != LB_OK)
		rv = out_fail(cli, ENDING_USAGE, "%s", what);
	else if ((rv = trust_file_write(cli, t->paper, f->output)) ==
	    ENDING_DONE) {
		out_note(cli, "what changes:");
		if (!cli->quiet)
			rv = trust_file_diff(cli, cli->err, was, t->paper);
	}
	if (rv == ENDING_DONE)
		trust_file_hint(cli, path, f->output);
	free(was);
	return rv;
}

static int
off_run(struct cli *cli, const void *opt, char **operand)
{
	const struct switch_opt *o = opt;
	struct trust_flags f = { .delegate = o->delegate,
		.delegate_until = o->until,
		.no_delegation = true, /* in place of another one */
		.output = o->output };
	struct trust_file t = { 0 };
	char until[OUT_TIME_MAX];
	int rv;

	if (o->delegate.count == 0 || o->until == 0)
		return out_fail(cli, ENDING_USAGE,
		    "--delegate and --until are needed: who may approve "
		    "instead, and until when");
	if (o->until <= lb_clock_now())
		return out_fail(cli, ENDING_USAGE, "--until lies in the past");
	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE)
		return rv;
	out_time(o->until, until);
	out_note(cli,
	    "lockbox off for %s: until %s any one of the delegates may approve "
	    "alone; what rests on that ends then",
	    t.paper->tenant, until);
	rv = successor_write(cli, operand[0], &f, &t);
	trust_file_clear(&t);
	return rv;
}

static int
on_run(struct cli *cli, const void *opt, char **operand)
{
	const struct switch_opt *o = opt;
	const struct trust_flags f = { .no_delegation = true,
		.output = o->output };
	struct trust_file t = { 0 };
	int rv;

	if ((rv = trust_file_load(cli, operand[0], &t)) != ENDING_DONE)
		return rv;
	if (t.paper->delegate.count == 0)
		rv = out_fail(cli, ENDING_FAILED,
		    "lockbox is on: '%s' names no delegate", operand[0]);
	else
		rv = successor_write(cli, operand[0], &f, &t);
	trust_file_clear(&t);
	return rv;
}

const struct command trust_switch_commands[] = {
	{ "trust", "off", "FILE", 1, 1,
	    "write the successor that lets the provider's managers approve "
	    "for a while",
	    off_flags, sizeof(struct switch_opt), off_run,
	    "lockbox trust off acme.trust --delegate "
	    "max@provider.example=max.pub --until 8h -o off.trust\n" },
	{ "trust", "on", "FILE", 1, 1,
	    "write the successor that ends that at once", on_flags,
	    sizeof(struct switch_opt), on_run,
	    "lockbox trust on off.trust -o on.trust\n" },
	{ 0 },
};
