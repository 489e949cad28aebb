/* Taking a bundle from root. */
#include "accept.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/bundle.h"

#include "journal.h"
#include "lease.h"
#include "news.h"
#include "offline.h"
#include "report.h"

static uint32_t
ending_count(const struct agent *a)
{
	uint32_t n = 0;

	for (size_t i = 0; i < a->state.session_count; i++)
		if (a->state.session[i].ending[0] != '\0')
			n++;
	return n;
}

static const char *
take(struct agent *a, const struct lb_bundle *bundle,
    struct lb_door_accepted *ret)
{
	int64_t serial = agent_trust(a)->serial;
	size_t kills = a->state.kills.count;
	uint32_t ending = ending_count(a);

	if (news_take(a, bundle) != LB_OK)
		return "state_unwritable";
	ret->trusts = (uint32_t)(agent_trust(a)->serial - serial);
	if (a->state.kills.count > kills)
		ret->kills = (uint32_t)(a->state.kills.count - kills);
	offline_keep(a, bundle, ret); /* under the trust that is new */
	if (a->rejudge)
		lease_rejudge(a);
	if (ret->grants > 0)
		lease_extend_offline(a);
	ret->ended = ending_count(a) - ending;
	return ret->trusts > 0 || ret->kills > 0 || ret->grants > 0
	    ? "accepted"
	    : "nothing_new";
}

static void
record(struct agent *a, const struct lb_door_accepted *p)
{
	char trusts[24], kills[24], ended[24], grants[24];

	(void)snprintf(trusts, sizeof(trusts), "%" PRIu32, p->trusts);
	(void)snprintf(kills, sizeof(kills), "%" PRIu32, p->kills);
	(void)snprintf(ended, sizeof(ended), "%" PRIu32, p->ended);
	(void)snprintf(grants, sizeof(grants), "%" PRIu32, p->grants);
	journal_event(LOG_NOTICE, "bundle.handed", "code", p->code, "tenant",
	    agent_tenant(a), "host", a->conf.host, "trusts", trusts, "kills",
	    kills, "ended", ended, "grants", grants, "why", p->why, NULL);
	report_agent(a, "bundle.handed", p->code);
}

void
accept_take(
    struct agent *a, const char *text, size_t len, struct lb_door_accepted *ret)
{
	struct lb_bundle *bundle = NULL;
	const char *code = "trust_unusable";

	*ret = (struct lb_door_accepted){ .version = LB_DOOR_VERSION,
		.phase = LB_DOOR_ACCEPT };
	if (a->anchor != NULL)
		code = lb_bundle_split(text, len, &bundle) == LB_OK
		    ? take(a, bundle, ret)
		    : "bad_document";
	lb_bundle_free(bundle);
	memcpy(ret->code, code, strlen(code) + 1);
	record(a, ret);
}
