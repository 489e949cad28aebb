/*
 * Where a browser's call comes from, and what it may do from there. Pure.
 * Source: doc/http-api.md, "Browsers".
 */
#ifndef BROKER_ORIGIN_H
#define BROKER_ORIGIN_H

#include <stdbool.h>

#include "lockbox/sshsig.h"

enum origin_from {
	ORIGIN_NONE,    /* no browser, or it does not say */
	ORIGIN_OWN,     /* the broker's own pages */
	ORIGIN_PAGE,    /* a page that a tenant pins and serves itself */
	ORIGIN_FOREIGN, /* anywhere else, also "null" */
};

/* What a call says of its own way here. */
struct visit {
	bool get;         /* it changes nothing */
	bool bearer;      /* it carries a token itself */
	bool cookie;      /* the browser added the session's cookie */
	const char *site; /* Sec-Fetch-Site, or NULL */
	enum origin_from from;
};

/*
 * May it go on? NULL, or the code to refuse it with: a cookie proves nothing
 * about who caused the call, so its origin must be the broker's own; and no
 * call from elsewhere changes anything, whatever it carries.
 */
const char *origin_refuses(const struct visit *v);

/*
 * What a browser will say is the origin of "https://HOST[:PORT][/...]", and
 * that host: the RP-ID of the passkeys of its pages.
 *
 * LB_ERR_FORMAT, LB_ERR_RANGE
 */
enum lb_err origin_of_url(const char *url, char ret[static LB_ORIGIN_MAX + 1],
    char ret_host[static LB_ORIGIN_MAX + 1]) LB_MUST_CHECK;

#endif
