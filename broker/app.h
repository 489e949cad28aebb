/* What every room of the broker shares while it runs. */
#ifndef BROKER_APP_H
#define BROKER_APP_H

#include <stdatomic.h>
#include <stdint.h>

#include "lockbox/sshsig.h"

#include "config.h"
#include "doors.h"
#include "hosts.h"
#include "limits.h"
#include "metrics.h"
#include "seen.h"
#include "store.h"
#include "trusts.h"
#include "wake.h"

#define APP_SECRET_LEN 32

struct sender;

struct app {
	struct config conf;
	struct store *store;
	struct lb_signer *signer;
	char key_line[LB_KEY_TEXT_MAX + 1]; /* the broker's public key */
	uint8_t *secret;  /* APP_SECRET_LEN bytes of sodium_malloc memory */
	struct lb_buf ca; /* PEM; empty: somebody else's CA */
	struct trusts *trusts;
	struct limits *limits;
	struct seen *seen;
	struct hosts *hosts;
	struct doors *doors;
	struct wake *wake;
	struct sender *sender; /* NULL: nothing is sent */
	struct metrics metrics;
	int64_t (*clock)(void); /* lb_clock_now, or a test's */
};

/*
 * Load everything that the configuration names: key, secret, database, trust.
 * conf is copied. Logs what failed.
 */
enum lb_err app_open(const struct config *conf, struct app **ret) LB_MUST_CHECK;
void app_close(struct app *app); /* accepts NULL */

/* A keyed hash of what, for this purpose only; len 16..64. */
void app_hash(const struct app *app, const char *purpose, const char *what,
    uint8_t *ret, size_t len);

#endif
