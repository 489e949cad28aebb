/*
 * Files of trust documents as a person names them: read, split, and what the
 * commands about them share.
 */
#ifndef LOCKBOX_CLI_TRUST_FILE_H
#define LOCKBOX_CLI_TRUST_FILE_H

#include <stdio.h>

#include "cli.h"
#include "lockbox/bundle.h"
#include "lockbox/trust.h"

/* A file of trust documents, split; the last one is what it is about. */
struct trust_file {
	struct lb_buf text;
	struct lb_bundle *bundle;
	const struct lb_part *last;
	struct lb_trust_paper *paper; /* of last */
};

/*
 * An enum ending, with what is wrong said. ret is empty unless it worked, and
 * is emptied with trust_file_clear.
 */
int trust_file_load(
    const struct cli *cli, const char *path, struct trust_file *ret);
void trust_file_clear(struct trust_file *t);

/*
 * Write a paper as a document that keeps its own rules; NULL as path is
 * standard output. An enum ending.
 */
int trust_file_write(const struct cli *cli, const struct lb_trust_paper *paper,
    const char *path);

/* What to do with a successor of the document in from, written to output. */
void trust_file_hint(
    const struct cli *cli, const char *from, const char *output);

/* Why a document does not keep its own rules, for people. */
const char *trust_file_why(enum lb_err r);

/* What changes from a to b, in words to f, or as JSON to cli->out. */
int trust_file_diff(const struct cli *cli, FILE *f,
    const struct lb_trust_paper *a, const struct lb_trust_paper *b);

/* The owner line with that key, or NULL. t may be NULL. */
const struct lb_pinned *trust_file_owner(
    const struct lb_trust *t, const struct lb_sshkey *key);

#endif
