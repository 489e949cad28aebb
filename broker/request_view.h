/*
 * A request as its readers get it: what the handlers of requests share.
 */
#ifndef BROKER_REQUEST_VIEW_H
#define BROKER_REQUEST_VIEW_H

#include "call.h"

/* The request of the path; LB_ERR_MISSING also if the caller may not see it. */
enum lb_err request_seen(struct app *app, const struct call *call,
    struct request_row *ret) LB_MUST_CHECK;

/* Answer with it, its ETag beside it. */
enum lb_err request_answer(struct app *app, const struct call *call,
    struct reply *reply, unsigned int status,
    const struct request_row *q) LB_MUST_CHECK;

/* Read it from the store again, then answer with it. */
enum lb_err request_again(struct app *app, const struct call *call,
    struct reply *reply, unsigned int status, const char *id) LB_MUST_CHECK;

#endif
