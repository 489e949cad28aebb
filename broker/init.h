/* "lockbox-broker init": a new broker in a directory of its own. */
#ifndef BROKER_INIT_H
#define BROKER_INIT_H

#include "lockbox/err.h"

struct init_options {
	const char *dir;  /* absolute; made if missing, mode 0700 */
	const char *name; /* the broker's */
	const char *url;  /* https://HOST[:PORT] */
	const char *operator_name;
	const char *operator_key;       /* file: one public key line */
	const char *listen;             /* NULL: 127.0.0.1:8443 */
	const char *tls_cert, *tls_key; /* NULL, both: made */
};

/*
 * Refuses when the directory holds a broker already. Prints what it made, and
 * what went wrong. LB_ERR_FORMAT: an option's value is not right.
 */
enum lb_err init_run(const struct init_options *o) LB_MUST_CHECK;

#endif
