/*
 * The headers of replies, and what headers of calls say. Knows no connection:
 * server.c carries them.
 */
#ifndef BROKER_HEADERS_H
#define BROKER_HEADERS_H

#include <stdbool.h>

#include "call.h"

/* Takes one header; false: it could not. */
typedef bool header_taker(void *arg, const char *name, const char *value);

/* Every header of that reply, in turn; false once take could not. */
bool headers_each(const struct reply *reply, header_taker *take, void *arg);

/*
 * Note a header of a call if somebody reads it; value is borrowed.
 * LB_ERR_FORMAT: it came before, so nobody could say which one counts.
 */
enum lb_err headers_take(
    struct call *call, const char *name, const char *value) LB_MUST_CHECK;

/*
 * The value of that cookie in a Cookie header (may be NULL). LB_ERR_MISSING;
 * LB_ERR_FORMAT: it is there twice; LB_ERR_RANGE: longer than fits.
 */
enum lb_err cookie_read(
    const char *header, const char *name, char *ret, size_t size) LB_MUST_CHECK;

/* Does an If-None-Match (may be NULL) name that strong tag, or any? */
bool etag_listed(const char *if_none_match, const char *etag);

#endif
