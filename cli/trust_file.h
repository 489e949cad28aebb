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

/* Why a document does not keep its own rules, for people. */
const char *trust_file_why(enum lb_err r);

/* What changes from a to b, in words to f, or as JSON to cli->out. */
int trust_file_diff(const struct cli *cli, FILE *f,
    const struct lb_trust_paper *a, const struct lb_trust_paper *b);

/* The owner line with that key, or NULL. t may be NULL. */
const struct lb_pinned *trust_file_owner(
    const struct lb_trust *t, const struct lb_sshkey *key);

#endif
