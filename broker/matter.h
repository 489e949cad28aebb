/*
 * A request with all that is needed to decide about it, and bringing its
 * stored state up to what the time made of it.
 */
#ifndef BROKER_MATTER_H
#define BROKER_MATTER_H

#include "call.h"
#include "parts.h"

#define MATTER_TRIES 8 /* when somebody else is faster each time */

/* Large: heap. Cleared with matter_clear. */
struct matter {
	struct request_row q;
	enum state state; /* at the time of loading */
	struct tenant_row tenant;
	struct held *held;
	struct person_row engineer;
	bool engineer_known;
	bool grant_loaded;
	struct grant_row grant;
};

/*
 * Fill in what belongs to m->q, which the caller has read, at now; the grant
 * too if there is one.
 */
enum lb_err matter_load(
    struct app *app, int64_t now, struct matter *m) LB_MUST_CHECK;
void matter_clear(struct app *app, struct matter *m);

/*
 * Write down what the time did to q: lapsed, began, expired. LB_OK also when
 * there is nothing to write, or somebody else did.
 */
enum lb_err matter_settle(struct app *app, const struct call *call,
    const struct request_row *q) LB_MUST_CHECK;

/* How long a grant of this tenant may last. */
int64_t matter_longest(const struct matter *m);

/* Name request and grant in the change's last event. */
void matter_event(const struct matter *m, struct change *c);

#endif
