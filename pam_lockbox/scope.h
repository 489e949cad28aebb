/*
 * Which logins are none of lockbox's business: the rules of pam.conf. Everyone
 * they do not name is managed. Source: design section 5, "Scope".
 */
#ifndef PAM_LOCKBOX_SCOPE_H
#define PAM_LOCKBOX_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/conf.h"
#include "lockbox/err.h"
#include "lockbox/text.h"

#define SCOPE_RULES_MAX  128
#define SCOPE_SYSTEM_MAX 1000 /* "@system": uids below */

struct scope_rule {
	char service[LB_SERVICE_MAX + 1];
	char login[LB_LOGIN_MAX + 1]; /* or "@system" */
};

struct scope {
	size_t count;
	struct scope_rule rule[SCOPE_RULES_MAX];
};

/*
 * Read text, "exempt = SERVICE LOGIN" lines. ret is written only on LB_OK.
 * LB_ERR_FORMAT, LB_ERR_RANGE with ret_error, as lb_conf_parse.
 */
enum lb_err scope_parse(const char *text, size_t text_len, struct scope *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;

/* The same from a file that only root can write; errors of lb_conf_load. */
enum lb_err scope_load(const char *path, struct scope *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;

/* Is there any rule for the service? If not, nobody need be looked up. */
bool scope_names(const struct scope *s, const char *service);

/*
 * Does a rule name exactly this service and login? uid is the login's, for
 * "@system"; a negative one is no system account's. An empty login matches
 * nothing.
 */
bool scope_exempts(
    const struct scope *s, const char *service, const char *login, int64_t uid);

#endif
