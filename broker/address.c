/* Whom a webhook may reach. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* A block of addresses that are not for everybody, or lead to such. */
struct block {
	uint8_t net[16];
	unsigned int bits;
};

static const struct block not_public4[] = {
	{ { 0 }, 8 },             /* this network */
	{ { 10 }, 8 },            /* private */
	{ { 100, 64 }, 10 },      /* carriers' NAT */
	{ { 127 }, 8 },           /* loopback */
	{ { 169, 254 }, 16 },     /* link-local, clouds' metadata */
	{ { 172, 16 }, 12 },      /* private */
	{ { 192, 0, 0 }, 24 },    /* protocol assignments */
	{ { 192, 0, 2 }, 24 },    /* documentation */
	{ { 192, 31, 196 }, 24 }, /* AS112 */
	{ { 192, 52, 193 }, 24 }, /* AMT */
	{ { 192, 88, 99 }, 24 },  /* 6to4 relays */
	{ { 192, 168 }, 16 },     /* private */
	{ { 192, 175, 48 }, 24 }, /* AS112 */
	{ { 198, 18 }, 15 },      /* benchmarks */
	{ { 198, 51, 100 }, 24 }, /* documentation */
	{ { 203, 0, 113 }, 24 },  /* documentation */
	{ { 224 }, 4 },           /* multicast */
	{ { 240 }, 4 },           /* reserved, broadcast */
};

/* Only 2000::/3 is global unicast at all; of it, these are not. */
static const struct block not_public6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },             /* Teredo, ORCHID, ... */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },       /* documentation */
	{ { 0x20, 0x02 }, 16 },                   /* 6to4: an IPv4 inside */
	{ { 0x26, 0x20, 0x00, 0x4f, 0x80 }, 48 }, /* AS112 */
	{ { 0x3f, 0xff }, 20 },                   /* documentation */
};

static bool
within(const uint8_t *address, const struct block *b)
{
	unsigned int whole = b->bits / 8, rest = b->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address, b->net, whole) == 0 &&
	    (rest == 0 || ((address[whole] ^ b->net[whole]) & mask) == 0);
}

static bool
public4(const uint8_t address[static 4])
{
	for (size_t i = 0; i < sizeof(not_public4) / sizeof(not_public4[0]);
	     i++)
		if (within(address, &not_public4[i]))
			return false;
	return true;
}

/* Mapped and translated IPv4 addresses lie outside 2000::/3 as well. */
static bool
public6(const uint8_t address[static 16])
{
	if ((address[0] & 0xe0) != 0x20)
		return false;
	for (size_t i = 0; i < sizeof(not_public6) / sizeof(not_public6[0]);
	     i++)
		if (within(address, &not_public6[i]))
			return false;
	return true;
}

static const uint8_t *
bytes4(const struct sockaddr *sa)
{
	return (const uint8_t *)&((const struct sockaddr_in *)(const void *)sa)
	    ->sin_addr;
}

static const struct in6_addr *
bytes6(const struct sockaddr *sa)
{
	return &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
}

bool
address_public(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return public4(bytes4(sa));
	if (sa->sa_family == AF_INET6)
		return public6(bytes6(sa)->s6_addr);
	return false;
}

bool
address_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return bytes4(sa)[0] == 127;
	return sa->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(bytes6(sa));
}

/* An address in its one spelling; no zone. */
static bool
literal_read(const char *s, bool brackets, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret;
	char again[INET6_ADDRSTRLEN];
	const void *at = brackets ? (void *)&in6->sin6_addr : &in->sin_addr;
	int family = brackets ? AF_INET6 : AF_INET;

	memset(ret, 0, sizeof(*ret));
	ret->ss_family = (sa_family_t)family;
	return inet_pton(family, s,
		   brackets ? (void *)&in6->sin6_addr : &in->sin_addr) == 1 &&
	    inet_ntop(family, at, again, sizeof(again)) != NULL &&
	    strcmp(s, again) == 0;
}

/* Decimal, octal, hex and short IPv4 addresses end in a number. */
static bool
ends_in_number(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *last = dot != NULL ? dot + 1 : host;

	return *last >= '0' && *last <= '9' &&
	    (strspn(last, "0123456789") == strlen(last) ||
		(last[0] == '0' && last[1] == 'x'));
}

static enum lb_err
port_read(const char *s, size_t len, bool tls, uint16_t *ret)
{
	char text[8];
	int64_t n;

	if (len == 0) {
		*ret = tls ? 443 : 80;
		return LB_OK;
	}
	if (len < 2 || len > 6 || *s != ':')
		return LB_ERR_FORMAT;
	memcpy(text, s + 1, len - 1);
	text[len - 1] = '\0';
	if (lb_number_parse(text, 1, 65535, &n) != LB_OK)
		return LB_ERR_FORMAT;
	*ret = (uint16_t)n;
	return LB_OK;
}

static bool
path_good(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s > '~' || strchr("\"<>\\^`{|}#", *s) != NULL)
			return false;
	return true;
}

/* NAME, or [ADDRESS]; how long it is with its brackets. */
static enum lb_err
host_read(const char *s, size_t len, bool *ret_brackets, size_t *ret_len,
    char ret[static LB_HOST_MAX + 1])
{
	const char *close = memchr(s, ']', len), *colon = memchr(s, ':', len);
	size_t host;

	*ret_brackets = len > 0 && s[0] == '[';
	if (*ret_brackets) {
		if (close == NULL)
			return LB_ERR_FORMAT;
		*ret_len = (size_t)(close - s) + 1;
		host = *ret_len - 2;
		s++;
	} else {
		*ret_len = host = colon != NULL ? (size_t)(colon - s) : len;
	}
	if (host == 0 || host > LB_HOST_MAX)
		return LB_ERR_FORMAT;
	memcpy(ret, s, host);
	ret[host] = '\0';
	return LB_OK;
}

static enum lb_err
literal_allowed(
    const struct sockaddr_storage *at, bool private, const struct target *t)
{
	const struct sockaddr *sa = (const struct sockaddr *)(const void *)at;

	if (!t->tls && !(private && address_loopback(sa)))
		return LB_ERR_FORMAT;
	return private || address_public(sa) ? LB_OK : LB_ERR_FORBIDDEN;
}

enum lb_err
address_url(const char *url, bool private, struct target *ret)
{
	struct target t = { .tls = strncmp(url, "https://", 8) == 0 };
	struct sockaddr_storage at;
	const char *s = url + (t.tls ? 8 : 7);
	size_t len, host;
	bool brackets;
	enum lb_err r;

	if (!t.tls && strncmp(url, "http://", 7) != 0)
		return LB_ERR_FORMAT;
	len = strcspn(s, "/?");
	if ((s[len] != '\0' && s[len] != '/') || !path_good(s + len) ||
	    host_read(s, len, &brackets, &host, t.host) != LB_OK ||
	    (r = port_read(s + host, len - host, t.tls, &t.port)) != LB_OK)
		return LB_ERR_FORMAT;
	t.literal = literal_read(t.host, brackets, &at);
	if (t.literal) {
		if ((r = literal_allowed(&at, private, &t)) != LB_OK)
			return r;
	} else if (!t.tls || brackets || ends_in_number(t.host) ||
	    !lb_host_valid(t.host)) {
		return LB_ERR_FORMAT;
	}
	*ret = t;
	return LB_OK;
}
