/* The papers of the benchmark's hosts: whom they trust, what they ask. */
#ifndef BENCH_PAPER_H
#define BENCH_PAPER_H

#include <stddef.h>

#include "lockbox/buf.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

/* The trust in a bundle's file; freed with lb_trust_free. Ends the program
 * when there is none. */
struct lb_trust *paper_trust(const char *file);

/*
 * Write a question about that login on that host, asked now, with its
 * signature, in place of what text holds.
 *
 * ret_len  of the question alone
 */
void paper_question(const struct lb_trust *trust, const struct lb_signer *host,
    const char *host_name, const char *login, struct lb_buf *text,
    size_t *ret_len);

#endif
