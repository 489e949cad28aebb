/*
 * Asking: a request is composed, signed and sent, and what came back is held
 * against what was signed.
 */
#ifndef LOCKBOX_CLI_ASKING_H
#define LOCKBOX_CLI_ASKING_H

#include <jansson.h>

#include "api.h"
#include "compose.h"
#include "lockbox/text.h"

/* What came of it. */
struct asked {
	json_t *reply; /* the request; or the grant that covers it already */
	char id[LB_ID_LEN + 1]; /* the request's; "": a grant covers it */
	char sha256[LB_SHA256_LEN + 1]; /* of what was signed, */
	char code[LB_CODE_LEN + 1];     /* and its code */
};

/* Compose, sign, send. An enum ending. */
int asking_send(
    struct api *api, const struct compose_flags *o, struct asked *ret);
void asking_clear(struct asked *a); /* accepts an empty one */

/* The same, told on stdout, and wait for the decision unless o says not to. */
int asking_run(struct api *api, const struct compose_flags *o);

#endif
