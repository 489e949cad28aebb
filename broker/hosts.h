/*
 * Which host has which key: kept in memory, because every question asks for
 * it. The store knows them all; what is here is forgotten when a host changes.
 */
#ifndef BROKER_HOSTS_H
#define BROKER_HOSTS_H

#include "store.h"

struct hosts;

enum lb_err hosts_new(struct hosts **ret) LB_MUST_CHECK;
void hosts_free(struct hosts *h); /* accepts NULL */

/*
 * The enrolled host with that key, tenant and name only. LB_ERR_MISSING when
 * there is none; otherwise as store_host_by_key.
 */
enum lb_err hosts_find(struct hosts *h, struct store *st, const char *key_fp,
    char ret_tenant[static LB_NAME_MAX + 1],
    char ret_name[static LB_HOST_MAX + 1]) LB_MUST_CHECK;

/* Forget everything: a host was enrolled or removed. Call after the commit. */
void hosts_forget(struct hosts *h);

#endif
