/* Trust documents in words: what one says, and what changes between two. */
#ifndef LOCKBOX_CLI_TRUST_WORDS_H
#define LOCKBOX_CLI_TRUST_WORDS_H

#include <jansson.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"
#include "lockbox/papers.h"
#include "output.h"

/* Everything the paper says, a row per line. id is its sha256. */
void trust_words_show(const struct lb_trust_paper *p, const char *id,
    int64_t now, struct out_table *t);

/* The same as a JSON object; NULL when memory is gone. */
json_t *trust_words_json(const struct lb_trust_paper *p, const char *id);

/*
 * What becomes different from a to b, one sentence per line, appended; nothing
 * when they say the same.
 */
enum lb_err trust_words_diff(const struct lb_trust_paper *a,
    const struct lb_trust_paper *b, struct lb_buf *ret) LB_MUST_CHECK;

#endif
