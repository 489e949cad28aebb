/* broker.conf: one row per option. Manual: lockbox-broker.conf(5). */
#ifndef BROKER_CONFIG_H
#define BROKER_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "lockbox/conf.h"
#include "lockbox/sshsig.h"
#include "lockbox/text.h"

#define CONFIG_PATH_MAX   512
#define CONFIG_LISTEN_MAX 80
#define CONFIG_WORD_MAX   16

struct config {
	char name[LB_NAME_MAX + 1];
	char url[CONFIG_PATH_MAX];
	char origin[LB_ORIGIN_MAX + 1]; /* from url: of our own pages */
	char rp_id[LB_ORIGIN_MAX + 1];  /* from url: its host */
	char listen[CONFIG_LISTEN_MAX]; /* ADDRESS:PORT, [ADDRESS]:PORT */
	char tls_cert[CONFIG_PATH_MAX];
	char tls_key[CONFIG_PATH_MAX];
	char ca[CONFIG_PATH_MAX];
	char key[CONFIG_PATH_MAX];
	char secret[CONFIG_PATH_MAX];
	char database[CONFIG_PATH_MAX];
	int64_t session;     /* seconds */
	int64_t endorse_ttl; /* seconds; a new tenant's defaults */
	int64_t approve_ttl;
	int64_t grant_ttl;
	int64_t rate_signin;   /* per address or key, and hour */
	int64_t rate_request;  /* per engineer and hour */
	int64_t rate_enrol;    /* per address and hour */
	int64_t rate_decision; /* per address and hour */
	int64_t rate_read;     /* per person and hour */
	int64_t rate_report;   /* per host and hour */
	int64_t threads;
	int64_t connections;             /* at a time */
	int64_t connections_per_address; /* 0: no bound of its own */
	int64_t timeout;                 /* of a silent connection, seconds */
	int64_t watch;                   /* how long a watch waits, seconds */
	bool metrics;
	char smtp[CONFIG_PATH_MAX]; /* smtp[s]://HOST:PORT; empty: no mail */
	char smtp_from[CONFIG_PATH_MAX];
	char smtp_user[CONFIG_PATH_MAX];
	char smtp_password_file[CONFIG_PATH_MAX];
	char smtp_tls[CONFIG_WORD_MAX]; /* required, never */
	char smtp_ca[CONFIG_PATH_MAX];
	bool mail_links;
	char webhook_ca[CONFIG_PATH_MAX];
	bool webhook_private; /* may they reach addresses of our own */
};

extern const struct lb_conf_option config_options[];

/* The defaults. */
void config_init(struct config *c);

/*
 * Load a file owned by root or by this process's user, and check that its
 * values fit together. ret_error says where and why.
 */
enum lb_err config_load(const char *path, struct config *ret,
    struct lb_conf_error *ret_error) LB_MUST_CHECK;

#endif
