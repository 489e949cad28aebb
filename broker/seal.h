/*
 * Signing what webhooks get, as Standard Webhooks 1.0 says. The keys are
 * derived from the broker's secret, the webhook's id and a count: none is
 * stored, and a new secret of the broker makes all of them new.
 */
#ifndef BROKER_SEAL_H
#define BROKER_SEAL_H

#include "app.h"

#define SEAL_SECRET_MAX 56  /* chars: "whsec_" or "whpk_" and base64 */
#define SEAL_MAX        256 /* chars of the header's value, of two keys */

/*
 * What the receiver needs: of v1 the shared secret "whsec_...", of v1a the
 * public key "whpk_...".
 */
void seal_key(const struct app *app, const struct webhook_row *h,
    char ret[static SEAL_SECRET_MAX + 1]);

/*
 * The value of webhook-signature for a body: by the key, and by the one before
 * it while now < old_until.
 *
 * id  of the message, without a dot
 */
enum lb_err seal_make(const struct app *app, const struct webhook_row *h,
    const char *id, int64_t now, const char *body, size_t len,
    char ret[static SEAL_MAX + 1]) LB_MUST_CHECK;

#endif
