/* Rate limits: token buckets per kind and name, in bounded memory. */
#ifndef BROKER_LIMITS_H
#define BROKER_LIMITS_H

#include <stdint.h>

#include "lockbox/err.h"

enum limit_kind {
	LIMIT_SIGNIN = 1, /* by address */
	LIMIT_REQUEST,    /* by engineer */
	LIMIT_ENROL,      /* by address */
	LIMIT_DECISION,   /* by address */
	LIMIT_READ,       /* by person */
	LIMIT_REPORT,     /* by host */
	LIMIT_KINDS,
};

struct limits;

/*
 * per_hour[kind] tokens come back each hour; a quarter of them, at least 5,
 * may be spent at once.
 */
enum lb_err limits_new(const int64_t per_hour[static LIMIT_KINDS],
    struct limits **ret) LB_MUST_CHECK;
void limits_free(struct limits *l); /* accepts NULL */

/*
 * Take one. Returns 0, or the seconds after which to come again. When more
 * names are busy than fit, the one that was quiet longest is forgotten.
 */
int64_t limits_take(
    struct limits *l, enum limit_kind kind, const char *name, int64_t now_ms);

#endif
