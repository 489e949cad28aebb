/* Whom a webhook may reach: every way of writing an address that is not. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "address.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
test_address_url_good(void **state)
{
	static const struct {
		const char *url, *host;
		uint16_t port;
		bool literal;
	} row[] = {
		{ "https://hooks.example.com", "hooks.example.com", 443, 0 },
		{ "https://hooks.example.com/", "hooks.example.com", 443, 0 },
		{ "https://h.example/a/b?c=d&e", "h.example", 443, 0 },
		{ "https://h.example:8443/", "h.example", 8443, 0 },
		{ "https://h.example/@x", "h.example", 443, 0 },
		{ "https://93.184.216.34/", "93.184.216.34", 443, 1 },
		{ "https://[2606:2800:220:1::1]/", "2606:2800:220:1::1", 443,
		    1 },
		{ "https://[2606:2800:220:1::1]:99/x", "2606:2800:220:1::1", 99,
		    1 },
		/* A name is looked up later, and its addresses then judged. */
		{ "https://localhost/", "localhost", 443, 0 },
		{ "https://127.0.0.1.nip.io/", "127.0.0.1.nip.io", 443, 0 },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		assert_int_equal(address_url(row[i].url, false, &t), LB_OK);
		assert_string_equal(t.host, row[i].host);
		assert_int_equal(t.port, row[i].port);
		assert_int_equal(t.literal, row[i].literal);
		assert_true(t.tls);
	}
}

static void
test_address_url_refused(void **state)
{
	static const char *const row[] = {
		/* IPv4 in all its spellings */
		"https://127.0.0.1/",
		"https://127.1/",
		"https://127.0.1/",
		"https://2130706433/",
		"https://0x7f000001/",
		"https://0x7f.0.0.1/",
		"https://0X7F.0x0.0x0.0x1/",
		"https://0177.0.0.1/",
		"https://017700000001/",
		"https://127.0.0.01/",
		"https://127.000.000.001/",
		"https://127.0.0.1./",
		"https://127.0.0.0x1/",
		"https://0/",
		"https://0.0.0.0/",
		"https://1/",
		"https://255.255.255.255/",
		"https://10.0.0.1/",
		"https://10.1/",
		"https://167772161/",
		"https://172.16.0.1/",
		"https://172.31.255.255/",
		"https://192.168.1.1/",
		"https://192.168.257/",
		"https://169.254.169.254/",
		"https://0xA9FEA9FE/",
		"https://2852039166/",
		"https://100.64.0.1/",
		"https://192.0.0.1/",
		"https://192.0.2.1/",
		"https://192.88.99.1/",
		"https://198.18.0.1/",
		"https://198.51.100.1/",
		"https://203.0.113.1/",
		"https://224.0.0.1/",
		"https://240.0.0.1/",
		"https://256.1.1.1/",
		/* IPv6 */
		"https://[::1]/",
		"https://[::]/",
		"https://[0:0:0:0:0:0:0:1]/",
		"https://[::ffff:127.0.0.1]/",
		"https://[::ffff:7f00:1]/",
		"https://[::ffff:0:127.0.0.1]/",
		"https://[::127.0.0.1]/",
		"https://[::7f00:1]/",
		"https://[64:ff9b::127.0.0.1]/",
		"https://[64:ff9b::7f00:1]/",
		"https://[64:ff9b:1::1]/",
		"https://[2002:7f00:1::]/",
		"https://[2001::7f00:1]/",
		"https://[fe80::1]/",
		"https://[fe80::1%25lo]/",
		"https://[fe80::1%lo]/",
		"https://[fc00::1]/",
		"https://[fd00:ec2::254]/",
		"https://[fec0::1]/",
		"https://[ff02::1]/",
		"https://[100::1]/",
		"https://[2001:db8::1]/",
		"https://[3fff::1]/",
		"https://[5f00::1]/",
		"https://[2600:0::1]/", /* public, not in its one spelling */
		"https://[::1",
		"https://[]/",
		"https://[127.0.0.1]/",
		"https://[h.example]/",
		/* other ways to mean somebody else */
		"http://h.example/",
		"http://93.184.216.34/",
		"https:///",
		"https://",
		"https:h.example",
		"//h.example/",
		"h.example",
		"HTTPS://h.example/",
		"file:///etc/passwd",
		"gopher://h/_x",
		"dict://h.example:11211/",
		"https://user@h.example/",
		"https://user:word@h.example/",
		"https://h.example@127.0.0.1/",
		"https://h.example:80@127.0.0.1/",
		"https://h.example#@[::1]/",
		"https://127.0.0.1\\@h.example/",
		"https://h.example\\.evil/",
		"https://h.example:0/",
		"https://h.example:65536/",
		"https://h.example:/",
		"https://h.example:+80/",
		"https://h.example:080/",
		"https://h.example:80:80/",
		"https://H.example/",
		"https://h%2eexample/",
		"https://%31%32%37.0.0.1/",
		"https://h_x.example/",
		"https://-h.example/",
		"https://h..example/",
		"https://h.example./",
		"https://h.example/a b",
		"https://h.example/\r\nHost: x",
		"https://h.example/#x",
		"https://h.example?x",
		"https://\xe2\x91\xa0.example/",
		"https://127.0.0.1\xe3\x80\x82/",
		" https://h.example/",
		"https://h.example/\x7f",
		"https://h.example/\xc3\xa9",
	};
	struct target t = { .port = 77 };

	(void)state;
	assert_true(COUNT(row) >= 60);
	for (size_t i = 0; i < COUNT(row); i++) {
		if (address_url(row[i], false, &t) == LB_OK)
			fail_msg("let in: %s", row[i]);
		assert_int_equal(t.port, 77);
	}
}

/* Where the operator lets them in: then no more than that. */
static void
test_address_url_private(void **state)
{
	static const struct {
		const char *url;
		bool want;
	} row[] = {
		{ "https://127.0.0.1/", 1 },
		{ "https://10.0.0.1/", 1 },
		{ "https://[fd00::1]/", 1 },
		{ "http://127.0.0.1:8080/x", 1 },
		{ "http://[::1]:8080/x", 1 },
		{ "http://10.0.0.1/", 0 },
		{ "http://h.example/", 0 },
		{ "http://localhost/", 0 },
		{ "https://2130706433/", 0 },
		{ "https://user@127.0.0.1/", 0 },
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_int_equal(
		    address_url(row[i].url, true, &t) == LB_OK, row[i].want);
}

static void
sockaddr_of(const char *s, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ret;

	memset(ret, 0, sizeof(*ret));
	if (strchr(s, ':') != NULL) {
		ret->ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, s, &in6->sin6_addr), 1);
	} else {
		ret->ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, s, &in->sin_addr), 1);
	}
}

/* The edges of each block. */
static void
test_address_public(void **state)
{
	static const struct {
		const char *address;
		bool want;
	} row[] = {
		{ "0.255.255.255", 0 },
		{ "1.0.0.0", 1 },
		{ "9.255.255.255", 1 },
		{ "10.0.0.0", 0 },
		{ "10.255.255.255", 0 },
		{ "11.0.0.0", 1 },
		{ "100.63.255.255", 1 },
		{ "100.64.0.0", 0 },
		{ "100.127.255.255", 0 },
		{ "100.128.0.0", 1 },
		{ "126.255.255.255", 1 },
		{ "127.0.0.0", 0 },
		{ "127.255.255.255", 0 },
		{ "128.0.0.0", 1 },
		{ "169.253.255.255", 1 },
		{ "169.254.0.0", 0 },
		{ "169.254.255.255", 0 },
		{ "169.255.0.0", 1 },
		{ "172.15.255.255", 1 },
		{ "172.16.0.0", 0 },
		{ "172.31.255.255", 0 },
		{ "172.32.0.0", 1 },
		{ "191.255.255.255", 1 },
		{ "192.0.0.0", 0 },
		{ "192.0.1.0", 1 },
		{ "192.0.2.255", 0 },
		{ "192.0.3.0", 1 },
		{ "192.31.195.255", 1 },
		{ "192.31.196.0", 0 },
		{ "192.31.197.0", 1 },
		{ "192.52.192.255", 1 },
		{ "192.52.193.255", 0 },
		{ "192.52.194.0", 1 },
		{ "192.88.98.255", 1 },
		{ "192.88.99.0", 0 },
		{ "192.88.100.0", 1 },
		{ "192.167.255.255", 1 },
		{ "192.168.0.0", 0 },
		{ "192.168.255.255", 0 },
		{ "192.169.0.0", 1 },
		{ "192.175.47.255", 1 },
		{ "192.175.48.0", 0 },
		{ "192.175.49.0", 1 },
		{ "198.17.255.255", 1 },
		{ "198.18.0.0", 0 },
		{ "198.19.255.255", 0 },
		{ "198.20.0.0", 1 },
		{ "198.51.99.255", 1 },
		{ "198.51.100.0", 0 },
		{ "198.51.101.0", 1 },
		{ "203.0.112.255", 1 },
		{ "203.0.113.0", 0 },
		{ "203.0.114.0", 1 },
		{ "223.255.255.255", 1 },
		{ "224.0.0.0", 0 },
		{ "239.255.255.255", 0 },
		{ "240.0.0.0", 0 },
		{ "255.255.255.255", 0 },
		{ "::", 0 },
		{ "::1", 0 },
		{ "::ffff:8.8.8.8", 0 },
		{ "::8.8.8.8", 0 },
		{ "64:ff9b::8.8.8.8", 0 },
		{ "100::", 0 },
		{ "1fff:ffff::", 0 },
		{ "2000::", 1 },
		{ "2001::1", 0 },
		{ "2001:1ff:ffff::", 0 },
		{ "2001:200::", 1 },
		{ "2001:db7:ffff::", 1 },
		{ "2001:db8::", 0 },
		{ "2001:db8:ffff::", 0 },
		{ "2001:db9::", 1 },
		{ "2001:ffff::", 1 },
		{ "2002::1", 0 },
		{ "2003::", 1 },
		{ "2620:4f:8000::1", 0 },
		{ "3ffe::", 1 },
		{ "3fff::", 0 },
		{ "3fff:fff::", 0 },
		{ "3fff:1000::", 1 },
		{ "4000::", 0 },
		{ "fc00::", 0 },
		{ "fdff::", 0 },
		{ "fe80::1", 0 },
		{ "febf::", 0 },
		{ "ff02::1", 0 },
	};
	struct sockaddr_storage at;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		sockaddr_of(row[i].address, &at);
		if (address_public((struct sockaddr *)&at) != row[i].want)
			fail_msg("%s", row[i].address);
	}
	sockaddr_of("2000::", &at);
	at.ss_family = AF_UNIX;
	assert_false(address_public((struct sockaddr *)&at));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_url_good),
		cmocka_unit_test(test_address_url_refused),
		cmocka_unit_test(test_address_url_private),
		cmocka_unit_test(test_address_public),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
