/*
 * One question to the broker: a fresh nonce, the host's signature.
 * Source: design section 5, step 2.
 */
#ifndef LOCKBOX_AGENT_QUESTION_H
#define LOCKBOX_AGENT_QUESTION_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/bundle.h"
#include "lockbox/err.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"

/* All zero is an empty question. */
struct question {
	struct lb_buf bundle; /* the document, then our signature */
	size_t text_len;      /* of the document at its beginning */
	char trust[LB_SHA256_LEN + 1];
	char ref[LB_CODE_LEN + 1];
};

struct question_facts {
	const char *host, *tenant, *broker, *trust; /* trust: sha256 in force */
	const char *login, *service;
	const char *rhost;            /* left out when it is no valid one */
	const struct lb_keyfps *keys; /* sorted; NULL or none: not known */
	int64_t now;
};

/*
 * ret  empty beforehand, freed with question_clear
 * LB_ERR_FORMAT, LB_ERR_RANGE: something a document cannot say
 */
enum lb_err question_make(const struct question_facts *f,
    const struct lb_signer *signer, struct question *ret) LB_MUST_CHECK;
void question_clear(struct question *q);

/*
 * The reference that the user is shown and syslog has: the first 60 bits of
 * the nonce, so that the broker can tell it from the question alone.
 */
void question_ref(const char *nonce, char ret[static LB_CODE_LEN + 1]);

/* A reference for what needed no question. */
void question_ref_random(char ret[static LB_CODE_LEN + 1]);

#endif
