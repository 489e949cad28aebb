/* The one table of routes, and the one place that makes errors a status. */
#ifndef BROKER_ROUTE_H
#define BROKER_ROUTE_H

#include "call.h"

/* Who may come in at all; more is up to the handler. */
#define ROUTE_NONE      0x000u /* anyone */
#define ROUTE_SIGNATURE 0x100u /* the signature in the body decides */
#define ROUTE_HOST      0x200u /* a signed question */
#define ROUTE_PAGES     0x400u /* besides: also from customers' own pages */
#define ROUTE_ANY       (ROLES_PROVIDER | ROLE_APPROVER)

enum body_kind { BODY_NONE, BODY_JSON, BODY_BUNDLE };

struct route {
	const char *method; /* GET or POST */
	const char *path;   /* "/v1/requests/{id}/draft" */
	unsigned int who;   /* ROUTE_ word, or a set of roles: any of them */
	enum body_kind body;
	call_handler *handler;
};

/* Ends with a row of zeros. */
extern const struct route routes[];

/*
 * The route of a path, and what stands in its {...}.
 *
 * ret_allow  on NULL: methods the path has, "" when it has none
 */
const struct route *route_find(const char *method, const char *path,
    char ret_arg[CALL_ARG_MAX + 1], char ret_allow[64]);

/* Most bytes of a body on this route. */
size_t route_body_max(const struct route *route);

/* Is this a content type that the route takes? type may be NULL. */
bool route_takes(const struct route *route, const char *type);

/* Read one parameter from behind '?'. LB_ERR_FORMAT. */
enum lb_err route_query(
    struct query *q, const char *name, const char *value) LB_MUST_CHECK;

/*
 * Do the whole call: who is calling, may they, the handler, problem+json. The
 * reply is always complete afterwards. call->now and caller are set here.
 */
void route_run(struct app *app, const struct route *route, struct call *call,
    struct reply *reply);

/*
 * What a browser asks before a page of another origin may call: may that page
 * use method there? The reply is then complete; false leaves it as it was.
 */
bool route_preflight(struct app *app, const char *method, const char *path,
    const char *origin, struct reply *reply);

/* "provider role word" for the table's print: "engineer manager", "none". */
void route_who(const struct route *route, char *ret, size_t size);

#endif
