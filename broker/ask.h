/* A host's question and the answer to it, without what brought them here. */
#ifndef BROKER_ASK_H
#define BROKER_ASK_H

#include "call.h"

struct ask;

/*
 * Read the bundle of the call: one question, signed by an enrolled host that
 * speaks for itself. app and call must outlive it. A refusal is in reply.
 */
enum lb_err ask_read(struct app *app, const struct call *call,
    struct reply *reply, struct ask **ret) LB_MUST_CHECK;
void ask_free(struct ask *a); /* accepts NULL */

/* Whose question it is. Borrowed. */
const char *ask_tenant(const struct ask *a);
const char *ask_host(const struct ask *a);

/* Was it asked about now, by our clock? One that waited was, then. */
bool ask_is_fresh(const struct ask *a);

/*
 * Answer it as things are now. news: false when all the host was told before
 * still holds; an allow then says "no_news" instead of "granted".
 */
enum lb_err ask_answer(
    struct ask *a, bool news, struct reply *reply) LB_MUST_CHECK;

#endif
