/*
 * One kept TLS connection to a broker, as a host's courier has it: post a
 * question, take the answer. Blocking; a connection belongs to one thread.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

#include <gnutls/gnutls.h>

#define WIRE_MAX (128 * 1024) /* bytes of an answer with its head */

struct wire {
	int fd;
	gnutls_session_t tls;
	char in[WIRE_MAX];
	size_t in_len;
};

/* All end the program, saying why, when something is not as it should be. */
struct wire *wire_open(
    gnutls_certificate_credentials_t trust, unsigned int port);
void wire_close(struct wire *w); /* accepts NULL */

/* Send one POST to path; its answer is taken before the next. */
void wire_post(struct wire *w, const char *path, const char *body, size_t len);

/* Has an answer begun to arrive? Does not wait for it. */
bool wire_heard(struct wire *w);

/* The answer's body, which must be of status 200; borrowed until the next. */
const char *wire_take(struct wire *w, size_t *ret_len);

#endif
