/* Configuration of the agent and of the courier. See their manual pages. */
#ifndef LOCKBOX_AGENT_CONFIG_H
#define LOCKBOX_AGENT_CONFIG_H

#include <stdint.h>

#include "lockbox/clock.h"
#include "lockbox/conf.h"
#include "lockbox/text.h"

#define CONFIG_AGENT    "/etc/lockbox/agent.conf"
#define CONFIG_COURIER  "/etc/lockbox/courier.conf"
#define CONFIG_PATH     256 /* bytes, with NUL */
#define CONFIG_SOCKET   100 /* bytes, with NUL: fits a sockaddr_un */
#define CONFIG_URL      512 /* bytes, with NUL */
#define CONFIG_WARN     100 /* bytes, with NUL */
#define CONFIG_WARNINGS 8   /* before a session's end */

/* agent.conf */
struct config_agent {
	char host[LB_HOST_MAX + 1];
	char broker[LB_NAME_MAX + 1];
	char trust[CONFIG_PATH]; /* root's pin */
	char scope[CONFIG_PATH]; /* the module's pam.conf */
	char state[CONFIG_PATH]; /* directory */
	char key[CONFIG_PATH];
	char socket[CONFIG_SOCKET];
	char courier[CONFIG_SOCKET]; /* its socket */
	char user[LB_LOGIN_MAX + 1];
	int64_t questions; /* at the broker at once */
	char warn[CONFIG_WARN];
	int64_t warn_at[CONFIG_WARNINGS]; /* seconds before, descending */
	size_t warn_count;
};

/* courier.conf */
struct config_courier {
	char url[CONFIG_URL];   /* https://..., no final slash */
	char ca[CONFIG_PATH];   /* PEM */
	char proxy[CONFIG_URL]; /* empty: none */
	char socket[CONFIG_SOCKET];
	char user[LB_LOGIN_MAX + 1];
	char agent_user[LB_LOGIN_MAX + 1]; /* may connect, besides root */
	int64_t connections;               /* to the broker at once */
};

/* Everything that has a default; call before loading. */
void config_agent_default(struct config_agent *ret);
void config_courier_default(struct config_courier *ret);

/* Root's file, over the defaults. Errors as lb_conf_load; ret is written only
 * on LB_OK. */
enum lb_err config_agent_load(const char *path, struct config_agent *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;
enum lb_err config_courier_load(const char *path, struct config_courier *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;

#endif
