/* Root's orders about live sessions. */
#include "orders.h"

#include <string.h>

#include "ending.h"

static void
say(struct lb_door_session *ret, const char *code)
{
	memcpy(ret->code, code, strlen(code));
}

/* Every array of the reply is at least as large as the record's. */
static void
tell(const struct state_session *s, struct lb_door_session *ret)
{
	ret->sid = s->sid;
	ret->opened_at = s->opened_at;
	ret->ends_at = s->deadline;
	ret->lease_end = s->lease_end;
	memcpy(ret->login, s->login, strlen(s->login));
	memcpy(ret->service, s->service, strlen(s->service));
	memcpy(ret->engineer, s->engineer, strlen(s->engineer));
	memcpy(ret->rhost, s->rhost, strlen(s->rhost));
	memcpy(ret->ref, s->ref, strlen(s->ref));
	if (s->rests.count > 0)
		memcpy(ret->grant, s->rests.item[0], LB_SHA256_LEN);
	memcpy(ret->ending, s->ending, strlen(s->ending));
	ret->offline = s->offline ? 1 : 0;
}

static const struct state_session *
first_above(const struct state *st, int64_t sid)
{
	for (size_t i = 0; i < st->session_count; i++)
		if (st->session[i].sid > sid)
			return &st->session[i];
	return NULL;
}

void
orders_take(struct agent *a, const struct lb_door_order *order,
    struct lb_door_session *ret)
{
	const struct state_session *s;

	memset(ret, 0, sizeof(*ret)); /* its padding, too */
	ret->version = LB_DOOR_VERSION;
	ret->phase = order->phase;
	if (order->phase == LB_DOOR_LIST) {
		s = first_above(&a->state, order->sid);
		say(ret, s != NULL ? "session" : "no_more");
	} else {
		ending_begin(a, (uint32_t)order->sid, "ended_by_root", "");
		s = state_session_find(&a->state, (uint32_t)order->sid);
		say(ret, s != NULL ? "ending" : "sid_unknown");
	}
	if (s != NULL)
		tell(s, ret);
}
