/*
 * What time does by itself: requests lapse, grants begin and end, old sessions
 * are forgotten. All of it is also judged whenever a row is read, so that a
 * late timer never matters.
 */
#ifndef BROKER_TIMERS_H
#define BROKER_TIMERS_H

#include "app.h"

#define TIMERS_EVERY_MS 2000

/* One round at app->clock(). Errors are logged. */
void timers_run(struct app *app);

/* Forget old sessions and idempotency keys; now and then. */
void timers_purge(struct app *app);

#endif
