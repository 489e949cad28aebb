/* Holds grants and requests against what somebody wants to do. */
#include "cover.h"

#include <string.h>

static bool
services_all(const struct lb_services *given, const struct lb_services *need)
{
	for (size_t i = 0; i < need->count; i++)
		if (!lb_services_has(given, need->item[i]))
			return false;
	return true;
}

enum cover
cover_grant(
    const struct lb_grant *g, const struct cover_need *need, int64_t now)
{
	if (strcmp(g->tenant, need->tenant) != 0)
		return COVER_TENANT;
	if (strcmp(g->engineer, need->engineer) != 0)
		return COVER_ENGINEER;
	if (!lb_keyfps_has(&g->engineer_key, need->key))
		return COVER_KEY;
	if (!lb_hosts_has(&g->host, need->host))
		return COVER_HOST;
	if (!lb_logins_has(&g->login, need->login))
		return COVER_LOGIN;
	if (!services_all(&g->service, &need->service))
		return COVER_SERVICE;
	if (now < g->not_before)
		return COVER_NOT_YET;
	return now < g->not_after ? COVER_ALL : COVER_OVER;
}

bool
cover_request(
    const struct lb_request *q, const struct cover_need *need, int64_t now)
{
	return strcmp(q->tenant, need->tenant) == 0 &&
	    strcmp(q->engineer, need->engineer) == 0 &&
	    lb_keyfps_has(&q->engineer_key, need->key) &&
	    lb_hosts_has(&q->host, need->host) &&
	    lb_logins_has(&q->login, need->login) &&
	    services_all(&q->service, &need->service) && q->start <= now;
}

const char *
cover_text(enum cover c)
{
	switch (c) {
	case COVER_ALL:
		return "all of it";
	case COVER_TENANT:
		return "another customer";
	case COVER_ENGINEER:
		return "another engineer";
	case COVER_KEY:
		return "another ssh key";
	case COVER_HOST:
		return "another host";
	case COVER_LOGIN:
		return "another login";
	case COVER_SERVICE:
		return "not every service";
	case COVER_NOT_YET:
		return "not yet";
	case COVER_OVER:
		break;
	}
	return "over";
}
