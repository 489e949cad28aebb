/* Signing in: a nonce, a signature by ssh-keygen, a session in its file. */
#ifndef LOCKBOX_CLI_SIGNIN_H
#define LOCKBOX_CLI_SIGNIN_H

#include <jansson.h>

#include "api.h"

/*
 * Sign in with the settings in api, which then holds the new session; its file
 * is written. The broker's name is learnt into api->settings when it is not
 * known yet, and must be that name when it is.
 *
 * ret  the broker's answer, without use for anybody but people; may be NULL
 *
 * An enum ending.
 */
int signin_do(struct api *api, json_t **ret);

#endif
