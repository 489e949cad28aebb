/* Grants as the broker answers them: fetched, checked, shown. */
#ifndef LOCKBOX_CLI_GRANT_H
#define LOCKBOX_CLI_GRANT_H

#include <jansson.h>

#include "api.h"
#include "lockbox/bundle.h"
#include "lockbox/papers.h"

/*
 * Fetch a grant by what a person typed: a grant's id, or the whole id of its
 * request. Its text must be the one that the id names.
 *
 * ret_paper  may be NULL
 */
int grant_fetch(struct api *api, const char *typed, json_t **ret,
    struct lb_grant *ret_paper);

/* A grant with its signatures and its signed request, as hosts get them. All
 * zero is none. */
struct grant_papers {
	struct lb_buf text;
	struct lb_bundle *bundle;   /* of text */
	const struct lb_part *part; /* the grant, in bundle */
};
int grant_papers_fetch(
    struct api *api, const char *id, struct grant_papers *ret);
void grant_papers_clear(struct grant_papers *p);

int grant_print(const struct cli *cli, const json_t *grant);
int grant_print_list(const struct cli *cli, json_t *items);

/* "ssh LOGIN@HOST" of its first login and host. */
void grant_hint(const struct cli *cli, const json_t *grant);

#endif
