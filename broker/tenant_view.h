/* A tenant as its people and the provider see it: settings and trust. */
#ifndef BROKER_TENANT_VIEW_H
#define BROKER_TENANT_VIEW_H

#include <jansson.h>

#include "call.h"

/* NULL: no memory. held may be NULL. */
json_t *tenant_view(
    const struct tenant_row *t, const struct held *held, int64_t now);

/* Answer with the tenant as it is now, and its ETag. */
enum lb_err tenant_answer(struct app *app, const struct call *call,
    struct reply *reply, unsigned int status, const char *name) LB_MUST_CHECK;

#endif
