/* Rate limits: token buckets per kind and name, in bounded memory. */
#ifndef BROKER_LIMITS_H
#define BROKER_LIMITS_H

#include <netinet/in.h>
#include <stdint.h>

#include "lockbox/err.h"

enum limit_kind {
	LIMIT_SIGNIN = 1, /* what fails by address, what holds by key */
	LIMIT_REQUEST,    /* by engineer */
	LIMIT_ENROL,      /* by address */
	LIMIT_DECISION,   /* by address */
	LIMIT_READ,       /* by key of a person */
	LIMIT_REPORT,     /* by host */
	LIMIT_TEST,       /* by webhook */
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
 * The name that an address is counted under: of IPv6 its first 64 bits, all of
 * which one customer of a provider has. Not numeric: as it is.
 */
void limits_address(const char *address, char ret[static INET6_ADDRSTRLEN]);

/*
 * Take one. Returns 0, or the seconds after which to come again. When more
 * names are busy than fit, the one that was quiet longest is forgotten.
 */
int64_t limits_take(
    struct limits *l, enum limit_kind kind, const char *name, int64_t now_ms);

#endif
