/* Mail addresses of a tenant's people. */
#ifndef BROKER_CONTACTS_H
#define BROKER_CONTACTS_H

#include "call.h"

#define CONTACT_LANGUAGE "en" /* the one there is */

/* What is kept of him, or what holds as long as nothing is. */
enum lb_err contact_find(struct app *app, const char *tenant,
    const char *principal, struct contact_row *ret) LB_MUST_CHECK;

/* A JSON string that is an address, or null: none. "bad_value". */
enum lb_err contact_mail(struct reply *reply, const json_t *mail,
    struct contact_row *c) LB_MUST_CHECK;

/* Is there room for one more, if it is a new one? "too_many". */
enum lb_err contact_room(struct app *app, struct reply *reply,
    const struct contact_row *c) LB_MUST_CHECK;

#endif
