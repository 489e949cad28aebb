/* A small CA and a server certificate of it, for "lockbox-broker init". */
#ifndef BROKER_TLS_MAKE_H
#define BROKER_TLS_MAKE_H

#include "lockbox/buf.h"
#include "lockbox/err.h"

/*
 * host is a DNS name or a numeric address; a loopback one also gets
 * localhost, 127.0.0.1 and ::1. The CA's key is thrown away: it signs this one
 * certificate, and never another. All PEM; appended.
 */
enum lb_err tls_make(const char *name, const char *host, struct lb_buf *ret_ca,
    struct lb_buf *ret_cert, struct lb_buf *ret_key) LB_MUST_CHECK;

#endif
