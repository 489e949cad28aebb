/*
 * The trust in force: root's pin, and the later documents that it leads to,
 * each signed by the owners of the one before. Those are kept as files named
 * by their serial. Source: design sections 4 and 6.
 */
#ifndef LOCKBOX_AGENT_ANCHOR_H
#define LOCKBOX_AGENT_ANCHOR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lockbox/bundle.h"
#include "lockbox/err.h"
#include "lockbox/trust.h"

struct anchor;

/*
 * Read the pin (a bundle of exactly one trust document; it is root's, so its
 * signatures are not needed), then follow what is kept, each by the dates of
 * the day on which it was taken: the file's time. A kept document that does
 * not follow is left out, as is all behind it; that is logged.
 *
 * pin    root's file
 * dir    of the kept ones, written by us; need not exist yet
 * owner  our uid
 * ret    new, freed with anchor_free
 *
 * LB_ERR_MISSING, LB_ERR_UNTRUSTED, LB_ERR_FORMAT, LB_ERR_STATE and the other
 * errors of lb_file_read_trusted, lb_bundle_split, lb_trust_parse: of the pin
 */
enum lb_err anchor_load(const char *pin, const char *dir, uid_t owner,
    struct anchor **ret) LB_MUST_CHECK;
void anchor_free(struct anchor *a); /* accepts NULL */

/* In force; borrowed until the next anchor_follow or anchor_free. */
const struct lb_trust *anchor_trust(const struct anchor *a);

/*
 * Log a warning, once a day, while the trust in force opens nothing after
 * less than 30 days from now: somebody must have its successor signed.
 */
void anchor_warn(struct anchor *a, int64_t now);

/*
 * Apply the bundle's trust documents in order, as far as each follows the one
 * in force; keep each on disk. What was applied stays, also when the rest
 * fails. Returns how many were; failures are logged.
 */
size_t anchor_follow(
    struct anchor *a, const struct lb_bundle *bundle, int64_t now);

#endif
