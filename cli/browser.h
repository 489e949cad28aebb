/* Signing a browser's page in with an ssh key: the code on the page. */
#ifndef LOCKBOX_CLI_BROWSER_H
#define LOCKBOX_CLI_BROWSER_H

#include "api.h"

/*
 * Show where the page with that code was opened, ask, and sign it in as the
 * person of api->settings. Whoever confirms a code that somebody sent him
 * hands his session over: the question says so. No session of our own is
 * opened. An enum ending.
 */
int browser_confirm(struct api *api, const char *code);

#endif
