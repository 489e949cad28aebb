/*
 * What comes before every signature of a manager or a customer: the request
 * and its grant fetched and checked, shown exactly as they will be signed, and
 * the person asked. Shared by endorse, approve, deny, revoke and export.
 */
#ifndef LOCKBOX_CLI_DECIDE_H
#define LOCKBOX_CLI_DECIDE_H

#include <jansson.h>
#include <stdbool.h>

#include "api.h"
#include "flags.h"
#include "lockbox/buf.h"
#include "lockbox/trust.h"
#include "review.h"

/* Flags that narrow a grant; a part of the options of a command. */
struct decide_narrow {
	int64_t until, duration, start;
	struct flag_list host, login, service;
};

#define DECIDE_NARROW_FLAGS(at)                                                \
	{ "until", 0, FLAG_WHEN, (at) + offsetof(struct decide_narrow, until), \
		"TIME|SPAN", "end then, earlier than asked" },                 \
	    { "duration", 0, FLAG_SPAN,                                        \
		    (at) + offsetof(struct decide_narrow, duration), "SPAN",   \
		    "last that long, less than asked" },                       \
	    { "start", 0, FLAG_WHEN,                                           \
		    (at) + offsetof(struct decide_narrow, start), "TIME|SPAN", \
		    "begin then, later than asked" },                          \
	    { "host", 0, FLAG_LIST,                                            \
		    (at) + offsetof(struct decide_narrow, host), "HOST",       \
		    "only this host of those asked for" },                     \
	    { "login", 0, FLAG_LIST,                                           \
		    (at) + offsetof(struct decide_narrow, login), "LOGIN",     \
		    "only this account" },                                     \
	{                                                                      \
		"service", 0, FLAG_LIST,                                       \
		    (at) + offsetof(struct decide_narrow, service), "SERVICE", \
		    "only this service"                                        \
	}

/* A request under decision. All zero is none. */
struct decide {
	struct api api;
	json_t *request;
	struct lb_trust *trust;
	bool pinned;          /* trust comes from the person's own copy */
	struct review review; /* the request's part is filled by decide_open */
	struct lb_buf grant;  /* text of the draft, by decide_draft */
	bool fixed;           /* another approver signed that text already */
};

/* Fetch and check the request. An enum ending, as all below. */
int decide_open(struct cli *cli, const char *typed, struct decide *ret);
void decide_close(struct decide *d); /* accepts all zero */

/*
 * Get the grant's text and check it: the fixed one when another approver has
 * signed it and nothing is narrowed, else a new draft.
 */
int decide_draft(struct decide *d, const struct decide_narrow *narrow);

/* The request's, or the grant's text, with a summary, on stderr. */
void decide_show_request(const struct decide *d);
void decide_show_grant(const struct decide *d);

/* The text that will be signed, and the namespace that gives it meaning. */
void decide_show_text(
    const struct cli *cli, const char *text, size_t len, enum lb_ns ns);

/* --key or the configuration's. */
int decide_key(
    const struct api *api, const char *flag, char ret[static PATH_MAX]);

/* A --reason that is shown to others; NULL is fine. */
int decide_reason(const struct cli *cli, const char *reason);

#endif
