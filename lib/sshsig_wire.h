/* What reading and making SSH signatures share. */
#ifndef LB_SSHSIG_WIRE_H
#define LB_SSHSIG_WIRE_H

#include <stddef.h>

#include "lockbox/sshsig.h"

#include "sshwire.h"

#define LB_SSHSIG_LABEL     "SSH SIGNATURE"
#define LB_SSHSIG_MAGIC     "SSHSIG"
#define LB_SSHSIG_MAGIC_LEN 6
#define LB_SSHSIG_VERSION   1
#define LB_SSHSIG_NS_MAX    39   /* chars, without NUL: struct lb_sshsig.ns */
#define LB_SSHSIG_BLOB_MAX  3072 /* bytes in an armor of LB_ARMOR_MAX */

/* Magic, namespace, reserved, hash name, hash of the message. */
#define LB_SSHSIG_TBS_MAX                                                      \
	(LB_SSHSIG_MAGIC_LEN + 4 + LB_SSHSIG_NS_MAX + 4 + 4 + 6 + 4 + 64)

/* The bytes that are signed; ns has at most LB_SSHSIG_NS_MAX chars. */
void lb_sshsig_put_tbs(struct lb_writer *w, const char *ns,
    enum lb_sig_hash hash, const void *msg, size_t len);

#endif
