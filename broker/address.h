/*
 * Whom a webhook may reach: the rules for its URL and for the addresses that
 * its name stands for. Pure. Source: RFC 6890 and its registries.
 */
#ifndef BROKER_ADDRESS_H
#define BROKER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lockbox/err.h"
#include "lockbox/text.h"

struct target {
	char host[LB_HOST_MAX + 1]; /* a name, or an address without [] */
	uint16_t port;
	bool literal; /* host is an address */
	bool tls;
};

/*
 * Take a URL apart: https://NAME[:PORT][/PATH...]. NAME is a lower-case host
 * name whose last label is no number, or an address in its one spelling; no
 * user, no fragment, nothing escaped or odd in NAME.
 *
 * private  the operator lets webhooks reach private addresses: then http:// to
 *          a loopback address is good too
 *
 * LB_ERR_FORMAT     not such a URL
 * LB_ERR_FORBIDDEN  one, but to an address that is not public
 */
enum lb_err address_url(
    const char *url, bool private, struct target *ret) LB_MUST_CHECK;

/* Can everybody reach this address: IPv4 or IPv6, global unicast. */
bool address_public(const struct sockaddr *sa);
bool address_loopback(const struct sockaddr *sa);

#endif
