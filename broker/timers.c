/* What time does by itself. */
#include "timers.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "matter.h"
#include "outbox.h"

#define IDEM_TTL (24 * 60 * 60) /* seconds */
#define DUE_MAX  256            /* in one round */

/* Gather first, write afterwards: no read stays open meanwhile. */
struct due {
	size_t count;
	char id[DUE_MAX][LB_ID_LEN + 1];
};

static bool
due_take(void *arg, struct request_row *q)
{
	struct due *d = arg;

	memcpy(d->id[d->count++], q->doc.request, sizeof(d->id[0]));
	return d->count < DUE_MAX;
}

static void
due_run(struct app *app, const struct call *call, const struct due *d)
{
	struct request_row *q = calloc(1, sizeof(*q));
	enum lb_err r = LB_OK;

	for (size_t i = 0; q != NULL && i < d->count; i++) {
		r = store_request_get(app->store, d->id[i], q);
		if (r == LB_OK)
			r = matter_settle(app, call, q);
		if (r != LB_OK && r != LB_ERR_MISSING)
			LOG_ERR_R(r, "bring request '%s' up to date", d->id[i]);
	}
	free(q);
}

void
timers_run(struct app *app)
{
	struct call call = { .address = "", .now = app->clock() };
	struct due *d = calloc(1, sizeof(*d));
	enum lb_err r;

	if (d == NULL)
		return;
	r = store_request_due(app->store, call.now, due_take, d);
	if (r != LB_OK)
		LOG_ERR_R(r, "%s", "look for what is due");
	due_run(app, &call, d);
	free(d);
	if ((r = seen_flush(app->seen, app->store)) != LB_OK)
		LOG_ERR_R(r, "%s", "note when hosts were seen");
}

void
timers_purge(struct app *app)
{
	int64_t now = app->clock();
	enum lb_err r;

	/* A session's nonce stays known for as long as it could be used. */
	if ((r = store_purge(app->store, now - 600, now - IDEM_TTL)) != LB_OK)
		LOG_ERR_R(r, "%s", "forget old sessions");
	if ((r = store_outbox_purge(app->store, now - OUTBOX_KEPT)) != LB_OK)
		LOG_ERR_R(r, "%s", "forget old deliveries");
}
