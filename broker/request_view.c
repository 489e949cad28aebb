/* Which request a caller sees, and how. */
#include "request_view.h"

#include <stdlib.h>

#include "render.h"

/* The request of the path, if the caller may see it. */
enum lb_err
request_seen(struct app *app, const struct call *call, struct request_row *q)
{
	enum lb_err r;

	if (!lb_id_valid(call->arg))
		return LB_ERR_MISSING;
	if ((r = store_request_get(app->store, call->arg, q)) != LB_OK)
		return r;
	if (!rules_may_see(&call->caller, q->doc.tenant, q->doc.engineer))
		return LB_ERR_MISSING;
	return LB_OK;
}

enum lb_err
request_answer(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const struct request_row *q)
{
	call_etag(reply, q->version);
	return reply_json(reply, status, render_request(app, q, call->now));
}

/* Read it again and answer. */
enum lb_err
request_again(struct app *app, const struct call *call, struct reply *reply,
    unsigned int status, const char *id)
{
	struct request_row *q = calloc(1, sizeof(*q));
	enum lb_err r = LB_ERR_MEMORY;

	if (q != NULL && (r = store_request_get(app->store, id, q)) == LB_OK)
		r = request_answer(app, call, reply, status, q);
	free(q);
	return r;
}
