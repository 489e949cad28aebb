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

/*
 * Write the sign-in that answers a nonce, and sign it with the person's key.
 *
 * nonce  {"broker", "nonce"}, as the broker gave them; the broker must be the
 *        one that the settings know, or is learnt
 * ret    the text and the armor, appended
 *
 * An enum ending.
 */
int signin_sign(struct api *api, const json_t *nonce, struct lb_buf *ret_text,
    struct lb_buf *ret_armor);

/*
 * Sign in again when the session is over or nearly. An enum ending; the
 * person may be asked for a passphrase or a touch.
 */
int signin_renew(struct api *api);

/*
 * As api_open, with a session that is live: renewed where the configuration
 * says who signs, and with which key.
 */
int signin_open(struct cli *cli, struct api *ret);

#endif
