/*
 * The outbox: what happened is written down with it, in one transaction, and
 * told afterwards. Nothing is told that did not happen, and nothing that
 * happened is forgotten.
 */
#ifndef BROKER_OUTBOX_H
#define BROKER_OUTBOX_H

#include "app.h"

#define OUTBOX_KEPT (30 * 24 * 60 * 60) /* seconds; then it is forgotten */

/* The notices of one change. All zero is empty. */
struct notices {
	size_t count, size;
	struct notice_row *row; /* owned */
};

/*
 * What the change's events mean: see notices.h. Reminders are notices of
 * later.
 */
enum lb_err outbox_notices(
    const struct change *c, int64_t now, struct notices *ret) LB_MUST_CHECK;
void outbox_notices_clear(struct notices *n);

/* Make the deliveries of all notices that are due at now. Errors are logged. */
void outbox_address(struct app *app, int64_t now);

/* The line of a webhook, and of a person. */
void outbox_line_hook(const char *id, char ret[static ROW_LINE_MAX + 1]);
void outbox_line_person(const char *tenant, const char *principal, bool staff,
    bool gathers, char ret[static ROW_LINE_MAX + 1]);

#endif
