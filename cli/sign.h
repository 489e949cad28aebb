/*
 * Signing by ssh-keygen: the person's own keys, however they are kept. Private
 * key files (encrypted ones: ssh-keygen asks on the terminal), a .pub whose
 * private half is in ssh-agent, FIDO keys. No temporary file is written.
 */
#ifndef LOCKBOX_CLI_SIGN_H
#define LOCKBOX_CLI_SIGN_H

#include <stddef.h>

#include "cli.h"
#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/ns.h"
#include "lockbox/sshsig.h"

/*
 * Run "ssh-keygen -Y sign" over text and check the signature that came back
 * against it: what does not verify is never sent.
 *
 * key      path of a private key or of a .pub
 * ret      the armor, appended
 * ret_sig  taken apart; may be NULL
 *
 * An enum ending, and says why when it is not ENDING_DONE.
 */
int sign_text(const struct cli *cli, const char *key, enum lb_ns ns,
    const char *text, size_t len, struct lb_buf *ret,
    struct lb_sshsig *ret_sig);

/*
 * The fingerprint of a key file, private or public, of any kind, or of a
 * literal "SHA256:...": what ssh-keygen -l prints. An enum ending.
 */
int sign_fingerprint(
    const struct cli *cli, const char *key, char ret[static LB_KEYFP_LEN + 1]);

#endif
