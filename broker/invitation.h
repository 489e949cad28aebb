/* Invitations: their codes, and how long they are good. */
#ifndef BROKER_INVITATION_H
#define BROKER_INVITATION_H

#include "app.h"

#define INVITATION_TTL       (7 * 24 * 60 * 60) /* seconds */
#define INVITATION_TRIES_MAX 5                  /* wrong codes that burn it */
#define INVITATION_CODE_LEN  19                 /* "XXXX-XXXX-XXXX-XXXX" */

/* A new one, in place of whatever stands in row: id, salt, times. */
void invitation_renew(struct invitation_row *row, int64_t now);

/* "open", "expired" or "burnt". */
const char *invitation_state(const struct invitation_row *row, int64_t now);
bool invitation_open(const struct invitation_row *row, int64_t now);

/* Its code: not stored, made again from its salt. Wiped by the caller. */
void invitation_code(const struct app *app, const struct invitation_row *row,
    char ret[static INVITATION_CODE_LEN + 1]);

/* Is that what a person would type for it? Open or not. */
bool invitation_fits(
    const struct app *app, const struct invitation_row *row, const char *typed);

#endif
