/*
 * What any bundle may bring besides its answer: trust documents, denies and
 * revokes. They count wherever they arrive.
 */
#ifndef LOCKBOX_AGENT_NEWS_H
#define LOCKBOX_AGENT_NEWS_H

#include "lockbox/bundle.h"

#include "agent.h"

/*
 * Follow its trust documents, keep its denies and revokes. When something
 * came of it, live sessions are judged again in this turn of the loop
 * (a->rejudge).
 *
 * Any error: one could not be kept, so nobody is let in by what brought it.
 */
enum lb_err news_take(
    struct agent *a, const struct lb_bundle *bundle) LB_MUST_CHECK;

#endif
