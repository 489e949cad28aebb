/*
 * Decisions by signature: what may be done with a request or grant whose
 * signature is already in hand. Used by the routes and by the web hook.
 */
#ifndef BROKER_DECISION_H
#define BROKER_DECISION_H

#include "matter.h"

/* What somebody sent. Borrowed. */
struct verdict_in {
	const char *text; /* of the grant; NULL for endorse and deny */
	size_t text_len;
	const char *armor;
	const char *reason;   /* visible text; "" none */
	struct lb_sshsig sig; /* read from armor, not verified yet */
};

/*
 * Each loads the request anew when somebody else was faster, so that a deny
 * or revoke wins every race, and leaves the result in m. Refusals are already
 * in reply. The same signature again is LB_OK and changes nothing.
 */
enum lb_err decide_endorse(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v,
    struct matter *m) LB_MUST_CHECK;
enum lb_err decide_approve(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v,
    struct matter *m) LB_MUST_CHECK;
enum lb_err decide_deny(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v,
    struct matter *m) LB_MUST_CHECK;
enum lb_err decide_revoke(struct app *app, const struct call *call,
    struct reply *reply, const struct verdict_in *v,
    struct matter *m) LB_MUST_CHECK;

/* Close a grant without a signature: returned by its engineer, or stopped. */
enum lb_err decide_close(struct app *app, const struct call *call,
    struct reply *reply, enum happening what, const char *reason,
    struct matter *m) LB_MUST_CHECK;

#endif
