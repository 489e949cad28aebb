/*
 * Takes the spool's reports to the broker, in order, a bundle at a time,
 * through the courier. Source: doc/http-api.md, "A host's reports".
 *
 * One bundle is under way at most, over a connection that questions do not
 * need. While the broker cannot be reached the pauses grow, spread by chance;
 * when another exchange with it went well the next bundle goes at once.
 *
 * A bundle that the broker refuses for what is in it is sent in halves until
 * one report is found; that one is tried POST_TRIES times, said to be refused,
 * and left out, so that the others are not kept from their place. Any other
 * refusal is waited out.
 */
#ifndef LOCKBOX_AGENT_POST_H
#define LOCKBOX_AGENT_POST_H

#include <stdint.h>

#include "agent.h"

#define POST_TIMEOUT_MS 10000 /* that the broker may take */
#define POST_PAUSE_MS   100   /* between bundles that are not full */
#define POST_STEADY_MS  1000  /* the same, when that goes on and on */
#define POST_BURST      30    /* bundles before that */
#define POST_TRIES      4     /* of one that is refused for what it says */

enum lb_err post_new(struct post **ret) LB_MUST_CHECK;
void post_free(struct post *p); /* accepts NULL */

/* Do what is due; when to come again in boottime ms, -1: never. */
int64_t post_tend(struct agent *a, int64_t now_boot_ms);

/* The broker has answered something else. */
void post_heard(struct agent *a);

/* "{"sequence":N}" with blanks wherever JSON allows them, and nothing else:
 * that is all the JSON which the agent ever reads. */
enum lb_err post_answer(
    const char *text, size_t len, int64_t *ret_sequence) LB_MUST_CHECK;

/* What a refusal means for the bundle. Pure. */
enum post_word {
	POST_WAIT,  /* try again, later */
	POST_BLAME, /* something in it will never be taken */
};
enum post_word post_refused(long status, const char *code);

#endif
