/* Taking trust, denies and revokes out of a bundle. */
#include "news.h"

#include "lockbox/clock.h"

#include "journal.h"

enum lb_err
news_take(struct agent *a, const struct lb_bundle *bundle)
{
	size_t added = 0;
	enum lb_err r;

	if (anchor_follow(a->anchor, bundle, lb_clock_now()) > 0)
		a->state_must = a->rejudge = true;
	r = lb_kills_collect(&a->state.kills, agent_trust(a), bundle,
	    lb_clock_now(), a->state.floor, &added);
	if (r != LB_OK)
		journal_r(r, "keep denies and revokes");
	if (added > 0) {
		journal(
		    LOG_NOTICE, "keeping %zu new denies and revokes", added);
		a->state_must = a->rejudge = true;
	}
	return r;
}
