/* Rows as the JSON of the interface: doc/http-api.md. NULL: no memory. */
#ifndef BROKER_RENDER_H
#define BROKER_RENDER_H

#include <jansson.h>

#include "call.h"

/* "2026-03-02T14:00:00Z", or null for 0. */
json_t *render_time(int64_t at);
/* A string, or null for "". */
json_t *render_text(const char *s);
/* Strings of size bytes each. */
json_t *render_names(const char *item, size_t count, size_t size);
json_t *render_roles(unsigned int roles);
json_t *render_caller(const struct caller *c);

json_t *render_person(const struct person_row *p);
json_t *render_host(const struct host_row *h);
json_t *render_stay(const struct stay_row *s);
json_t *render_event(const struct event_row *e);
/* Principals of the lines that may approve at now, each once, without skip. */
json_t *render_approvers(
    const struct lb_trust *t, int64_t now, const char *skip);
/* Reads its approvals. */
json_t *render_request(
    struct app *app, const struct request_row *q, int64_t now);
json_t *render_grant(struct app *app, const struct grant_row *g, int64_t now);

/* Append value (taken over) to *array; NULL value: remember no memory there. */
void render_add(json_t **array, json_t *value);

/* What a request asks for, line by line, set in *o. */
void render_asked(json_t **o, const struct lb_request *d);

/* Set name to value (taken over); NULL value: remember no memory in *root. */
void render_set(json_t **root, const char *name, json_t *value);

#endif
