/* Ids: 48 bits of time, 80 random ones, in Crockford base32. */
#ifndef LOCKBOX_NEWID_H
#define LOCKBOX_NEWID_H

#include <stdint.h>

#include "lockbox/text.h"

/* now in UNIX seconds. Later ids sort behind earlier ones. */
void lb_newid(int64_t now, char ret[static LB_ID_LEN + 1]);

#endif
