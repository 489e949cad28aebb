/* When something is tried again. Pure. */
#ifndef BROKER_RETRY_H
#define BROKER_RETRY_H

#include <stdint.h>

#define RETRY_STEP_MAX (60 * 60) /* seconds between two attempts, at most */

/*
 * How many seconds after an attempt the next one comes: 5 s, 30 s, 2 min, 10
 * min, 30 min, then an hour each, up to a fifth more by chance, so that not
 * all come at once; never sooner than the receiver asked for (up to a day).
 *
 * attempts  that were made, 1..
 * asked     Retry-After, seconds; 0: none
 * chance    any number
 */
int64_t retry_after(int64_t attempts, int64_t asked, uint32_t chance);

#endif
