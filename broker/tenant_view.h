/* A tenant as its people and the provider see it: settings, trust, people. */
#ifndef BROKER_TENANT_VIEW_H
#define BROKER_TENANT_VIEW_H

#include <jansson.h>

#include "call.h"

/* Looks up who has a mail address. NULL: no memory. held may be NULL. */
json_t *tenant_view(struct app *app, const struct tenant_row *t,
    const struct held *held, int64_t now);

/* ["approver","owner"]: a set of enum part. */
json_t *tenant_kinds(unsigned int part);

/* Answer with the tenant as it is now, and its ETag. */
enum lb_err tenant_answer(struct app *app, const struct call *call,
    struct reply *reply, unsigned int status, const char *name) LB_MUST_CHECK;

#endif
