/*
 * A question about a live session on its way to the broker and back, whether
 * it is to be answered at once or when there is news.
 */
#ifndef LOCKBOX_AGENT_ASKING_H
#define LOCKBOX_AGENT_ASKING_H

#include <stdint.h>

#include "lockbox/bundle.h"

#include "agent.h"
#include "carrier.h"
#include "frame.h"
#include "question.h"

struct asking {
	struct agent *agent;
	uint32_t sid;
	struct question question;
	struct carrier *carrier;
	struct loop_watch watch;
	int64_t began_ms;
	int64_t due_ms; /* the courier should have said something by then */
	/* Called once. bundle is borrowed for the call, NULL when nothing came
	 * that can be read: then code says why. The asking is the callee's to
	 * free, in the call or later. */
	void (*done)(
	    struct asking *k, const char *code, const struct lb_bundle *bundle);
	void *arg;
};

/*
 * Ask about the session: with a fresh nonce, its key, its login, the service
 * it began with. ret is freed with asking_free; done and arg are to be set
 * right after.
 *
 * LB_ERR_UNREACHABLE: no courier; others as question_make, carrier_new.
 */
enum lb_err asking_new(struct agent *a, const struct state_session *s,
    enum frame_op op, uint32_t timeout_ms, struct asking **ret) LB_MUST_CHECK;
void asking_free(struct asking *k); /* accepts NULL; done is not called */

/* Has the courier missed its time? Calls done then, and says so. */
bool asking_overdue(struct asking *k, int64_t now_boot_ms);

#endif
