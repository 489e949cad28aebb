/*
 * The URL of a webhook: what is let in names a host in one spelling, and an
 * address only if it is public.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "fuzz.h"

static void
literal_check(const struct target *t)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET6, t->host, &in6.sin6_addr) == 1)
		assert(address_public((const struct sockaddr *)&in6));
	else
		assert(inet_pton(AF_INET, t->host, &in.sin_addr) == 1 &&
		    address_public((const struct sockaddr *)&in));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = malloc(size + 1);
	struct target t, p;
	struct in_addr any;

	if (url == NULL)
		return 0;
	memcpy(url, data, size);
	url[size] = '\0';
	if (address_url(url, false, &t) == LB_OK) {
		assert(t.tls && t.port != 0 && t.host[0] != '\0');
		assert(address_url(url, true, &p) == LB_OK);
		if (t.literal)
			literal_check(&t);
		else /* no other spelling of an address either */
			assert(lb_host_valid(t.host) &&
			    inet_aton(t.host, &any) == 0);
	}
	free(url);
	return 0;
}
