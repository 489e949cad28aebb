/*
 * One long poll at the broker while sessions are open, so that what the
 * customer decides reaches them at once. The leases hold without it.
 * Source: design section 8; doc/http-api.md, "A host that waits for news".
 */
#ifndef LOCKBOX_AGENT_WATCH_H
#define LOCKBOX_AGENT_WATCH_H

#include <stdint.h>

#include "agent.h"

#define WATCH_POLL_MS    60000 /* the broker answers sooner */
#define WATCH_SPREAD_MS  300   /* between the other sessions' questions */
#define WATCH_BACKOFF_MS 30000 /* longest pause after failures */

struct watch;

enum lb_err watch_new(struct watch **ret) LB_MUST_CHECK;
void watch_free(struct watch *w); /* accepts NULL */

/* Begin to wait, or stop to, as there are live sessions; when to come again
 * in boottime ms, -1: never. */
int64_t watch_tend(struct agent *a, int64_t now_boot_ms);

/* Pause after so many failures in a row, 1 s .. WATCH_BACKOFF_MS, spread. */
int64_t watch_backoff_ms(unsigned int failures, uint32_t chance);

#endif
