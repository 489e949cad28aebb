/*
 * Who is told what. Pure: what happened, and who is who, come in as arguments.
 * The words are an interface: doc/http-api.md, "Webhooks".
 */
#ifndef BROKER_NOTICES_H
#define BROKER_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/trust.h"

#include "rows.h"

#define NOTICES_OF_EVENT  4 /* kinds that one event may be */
#define NOTICES_REMINDERS 3
#define NOTICES_TOLD_MAX  (LB_APPROVERS_MAX + LB_DELEGATES_MAX + 1)
#define NOTICES_TTL       (24 * 60 * 60) /* seconds; what waits ends sooner */

enum notice_kind {
	NOTICE_REQUEST_CREATED = 1,
	NOTICE_PENDING_ENDORSEMENT,
	NOTICE_PENDING_APPROVAL,
	NOTICE_REMINDER,
	NOTICE_REQUEST_APPROVED,
	NOTICE_REQUEST_DENIED,
	NOTICE_REQUEST_CANCELLED,
	NOTICE_REQUEST_LAPSED,
	NOTICE_SETTLED,
	NOTICE_GRANT_ACTIVATED,
	NOTICE_GRANT_REVOKED,
	NOTICE_GRANT_RETURNED,
	NOTICE_GRANT_EXPIRED,
	NOTICE_SESSION_OPENED,
	NOTICE_SESSION_ENDED,
	NOTICE_TRUST_CHANGED,
	NOTICE_TRUST_PROPOSED,
	NOTICE_INVITATION_CREATED,
	NOTICE_WEBHOOK_TEST,
};
#define NOTICES (NOTICE_WEBHOOK_TEST + 1)

/* "request.created"; 0: no such word. */
const char *notice_word(enum notice_kind k);
enum notice_kind notice_find(const char *word);

/* May webhooks ask for it; is it one that mail alone tells. */
bool notice_is_for_hooks(enum notice_kind k);
bool notice_is_for_mail(enum notice_kind k);

/* Does it ask for something, so that it is void once nobody waits any more? */
bool notice_asks(enum notice_kind k);

/* The state that the request must be in for a notice that asks; 0: any. */
enum state notice_wants(enum notice_kind k);

/*
 * What an event of the records means.
 *
 * state     of the request after it; 0 without one
 * approval  the same change holds somebody's approval *
 * ret  NOTICES_OF_EVENT of them at most; returns how many
 */
size_t notices_of_event(const char *event, enum state state, bool approval,
    enum notice_kind ret[static NOTICES_OF_EVENT]);

/*
 * When approvers are reminded of what waits in [from, until): at 25, 50 and
 * 90 per cent, ascending.
 */
void notices_reminders(
    int64_t from, int64_t until, int64_t ret[static NOTICES_REMINDERS]);

/* Somebody to tell. */
struct told {
	char principal[LB_PRINCIPAL_MAX + 1];
	bool staff;   /* of the provider, not of the tenant */
	bool gathers; /* several may come in one mail */
};

/*
 * Whom mail tells of it, each once: approvers in their dates who may approve,
 * without the engineer and without the one who did it; owners; delegates while
 * theirs is the word; the engineer. Managers are not in a trust document: see
 * notice_tells_managers.
 *
 * trust     in force; NULL: nobody of it
 * actor, engineer  "" for none
 */
size_t notices_told(enum notice_kind k, const struct lb_trust *trust,
    const char *actor, const char *engineer, int64_t now,
    struct told ret[static NOTICES_TOLD_MAX]);
bool notice_tells_managers(enum notice_kind k);

/* Is kind in a webhook's list, "a.b,c.d"; an empty list has all. */
bool notice_in_types(enum notice_kind k, const char *types);

#endif
