/* When hosts asked last: gathered in memory, written down now and then. */
#ifndef BROKER_SEEN_H
#define BROKER_SEEN_H

#include <stdint.h>

#include "rows.h"

struct store;
struct seen;

enum lb_err seen_new(struct seen **ret) LB_MUST_CHECK;
void seen_free(struct seen *s); /* accepts NULL */

/* Cheap. A host that does not fit in any more is left out this time. */
void seen_note(
    struct seen *s, const char *tenant, const char *name, int64_t at);

/* Write down what was gathered. */
enum lb_err seen_flush(struct seen *s, struct store *st) LB_MUST_CHECK;

#endif
