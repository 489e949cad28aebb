/* Invitations and their codes. */
#include "invitation.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "crockford.h"

#define DIGITS 16 /* of a code: 80 bits */

void
invitation_renew(struct invitation_row *row, int64_t now)
{
	uint8_t id[16], salt[ROW_SALT_LEN / 2];

	randombytes_buf(id, sizeof(id));
	id[0] &= 0x3f; /* an id's first two bits are 0 */
	crockford_encode(id, sizeof(id), LB_ID_LEN, row->id);
	randombytes_buf(salt, sizeof(salt));
	lb_hex_encode(salt, sizeof(salt), row->salt);
	row->wrong_codes = 0;
	row->invited_at = now;
	row->expires_at = now + INVITATION_TTL;
}

bool
invitation_open(const struct invitation_row *row, int64_t now)
{
	return row->salt[0] != '\0' && now < row->expires_at;
}

const char *
invitation_state(const struct invitation_row *row, int64_t now)
{
	if (row->salt[0] == '\0')
		return "burnt";
	return invitation_open(row, now) ? "open" : "expired";
}

static void
digits_make(const struct app *app, const struct invitation_row *row,
    char ret[static DIGITS + 1])
{
	char
	    what[LB_NAME_MAX + LB_PRINCIPAL_MAX + LB_ID_LEN + ROW_SALT_LEN + 4];
	uint8_t bytes[16];

	(void)snprintf(what, sizeof(what), "%s\n%s\n%s\n%s", row->tenant,
	    row->principal, row->id, row->salt);
	app_hash(app, "invitation", what, bytes, sizeof(bytes));
	crockford_encode(bytes, sizeof(bytes), DIGITS, ret);
	sodium_memzero(bytes, sizeof(bytes));
}

void
invitation_code(const struct app *app, const struct invitation_row *row,
    char ret[static INVITATION_CODE_LEN + 1])
{
	char d[DIGITS + 1];

	digits_make(app, row, d);
	(void)snprintf(ret, INVITATION_CODE_LEN + 1, "%.4s-%.4s-%.4s-%.4s", d,
	    d + 4, d + 8, d + 12);
	sodium_memzero(d, sizeof(d));
}

bool
invitation_fits(
    const struct app *app, const struct invitation_row *row, const char *typed)
{
	char d[DIGITS + 1], t[DIGITS + 1];
	bool fits;

	if (crockford_read(typed, DIGITS, t) != LB_OK)
		return false;
	digits_make(app, row, d);
	fits = sodium_memcmp(d, t, DIGITS) == 0;
	sodium_memzero(d, sizeof(d));
	sodium_memzero(t, sizeof(t));
	return fits;
}
