/* A call as handlers see it: never a connection. */
#ifndef BROKER_CALL_H
#define BROKER_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app.h"
#include "origin.h"
#include "reply.h"
#include "rules.h"

#define CALL_ARG_MAX   LB_HOST_MAX
#define CALL_LIMIT_MAX 200

/* What stands behind '?', read and checked. Empty or 0: not given. */
struct query {
	int64_t limit;     /* 1..CALL_LIMIT_MAX */
	int64_t before_at; /* cursor */
	char before_id[LB_HOST_MAX + 1];
	enum state state;
	enum { STAY_LIVE = 1, STAY_ENDED } stay; /* the states of sessions */
	char tenant[LB_NAME_MAX + 1];
	char host[LB_HOST_MAX + 1];
	char prefix[LB_SHA256_LEN + 1];
	int64_t after; /* a serial */
	enum delivery_state delivery;
	char request[LB_ID_LEN + 1];
};

struct call {
	char arg[CALL_ARG_MAX + 1]; /* the path's {...}; may be empty */
	const char *body;           /* body_len bytes, NUL behind them */
	size_t body_len;
	/* Headers, or NULL: headers.c. */
	const char *authorization, *if_match, *idempotency_key, *if_none_match;
	const char *cookie, *origin, *site, *agent;
	const char *address; /* numeric, of the peer */
	struct query query;
	struct caller caller;  /* filled in before the handler runs */
	enum origin_from from; /* as well */
	int64_t now;
	struct waiter *waiter; /* to wait with (reply.h); NULL: nobody can */
	bool late;             /* it waited, and was woken */
};

typedef enum lb_err call_handler(
    struct app *app, const struct call *call, struct reply *reply);

/*
 * Take one token of that kind for name; "rate_limited" with Retry-After when
 * there is none.
 */
enum lb_err call_limit(struct app *app, struct reply *reply,
    enum limit_kind kind, const char *name) LB_MUST_CHECK;

/* As call_limit, by the caller's address. */
enum lb_err call_limit_address(struct app *app, const struct call *call,
    struct reply *reply, enum limit_kind kind) LB_MUST_CHECK;

/*
 * Count what came to r only if it failed: whoever can sign must not be kept
 * out by others at the same address, least of all from saying no. Returns r,
 * or "rate_limited" instead of one failure too many.
 */
enum lb_err call_limit_failed(struct app *app, const struct call *call,
    struct reply *reply, enum limit_kind kind, enum lb_err r) LB_MUST_CHECK;

/* Parse call->body; a refusal is already in reply. */
enum lb_err call_json(
    const struct call *call, struct reply *reply, json_t **ret) LB_MUST_CHECK;

/* The body must be {}. */
enum lb_err call_nothing(
    const struct call *call, struct reply *reply) LB_MUST_CHECK;

/*
 * If the caller gave an If-Match it must name this version: else "stale".
 */
enum lb_err call_match(const struct call *call, struct reply *reply,
    int64_t version) LB_MUST_CHECK;
void call_etag(struct reply *reply, int64_t version);

/*
 * Idempotency. LB_OK with ret_arg empty: go on, and hand ret to the store with
 * the change if it has a key. With ret_arg set: it was made before; answer as
 * then. "idempotency_mismatch" when the body was another.
 */
enum lb_err call_idem(struct app *app, const struct call *call,
    const char *route, struct reply *reply, struct idem_row *ret) LB_MUST_CHECK;

/* An event of this call, with its tenant ("": the provider's own). */
void call_event(struct app *app, const struct call *call, struct change *c,
    const char *event, const char *actor, const char *tenant);
struct lb_event *change_event(struct change *c); /* the last one */

/*
 * Commit, then bring what is kept in memory up to date and wake who waits for
 * it. The one way in which anything changes. Counts and logs failures.
 */
enum lb_err call_commit(struct app *app, const struct change *c) LB_MUST_CHECK;

#endif
