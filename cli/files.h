/*
 * Files a person names on the command line: documents, signatures, public
 * keys. Not for files that decide or hold secrets: see lockbox/file.h.
 */
#ifndef LOCKBOX_CLI_FILES_H
#define LOCKBOX_CLI_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "cli.h"
#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/sshkey.h"

/*
 * Read a whole file, at most max bytes; "-" is standard input. LB_ERR_MISSING,
 * LB_ERR_IO (errno), LB_ERR_RANGE when it is larger.
 */
enum lb_err files_read(
    const char *path, size_t max, struct lb_buf *ret) LB_MUST_CHECK;

/*
 * Write a whole file; NULL or "-" is cli->out. An ordinary file is replaced as
 * a whole, mode 0644 or what it had.
 */
enum lb_err files_write(const struct cli *cli, const char *path,
    const void *bytes, size_t len) LB_MUST_CHECK;

/*
 * The public key in a file as ssh-keygen writes it ("TYPE BASE64 comment"), of
 * the private key path beside it, or given literally ("TYPE BASE64").
 * LB_ERR_UNSUPPORTED: a kind of key that may not sign.
 */
enum lb_err files_pubkey(const char *path, struct lb_sshkey *ret) LB_MUST_CHECK;

/* Why a file could not be read: text for people, errno included. */
const char *files_why(enum lb_err r);

#endif
