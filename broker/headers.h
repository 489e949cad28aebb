/*
 * The headers of replies, and what headers of calls say. Knows no connection:
 * server.c carries them.
 */
#ifndef BROKER_HEADERS_H
#define BROKER_HEADERS_H

#include <stdbool.h>

#include "reply.h"

/* Takes one header; false: it could not. */
typedef bool header_taker(void *arg, const char *name, const char *value);

/* Every header of that reply, in turn; false once take could not. */
bool headers_each(const struct reply *reply, header_taker *take, void *arg);

/* Does an If-None-Match (may be NULL) name that strong tag, or any? */
bool etag_listed(const char *if_none_match, const char *etag);

#endif
