/* Where a passkey's signature must come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "passkey.h"

#define RP_ID  "broker.example"
#define ORIGIN "https://broker.example:8443"

static struct lb_sshsig
sample(void)
{
	struct lb_sshsig s = { .webauthn = true,
		.flags = LB_SIG_TOUCH | LB_SIG_VERIFIED };

	s.key.type = LB_KEY_SK_P256;
	strcpy(s.key.application, RP_ID);
	strcpy(s.origin, ORIGIN);
	return s;
}

static void
wrong(const struct lb_sshsig *s, uint8_t flags, const char *want)
{
	const char *got = passkey_wrong(s, RP_ID, ORIGIN, flags);

	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got != NULL ? got : "nothing", want);
}

static void
test_passkey_of_the_page_is_taken(void **state)
{
	struct lb_sshsig s = sample();

	(void)state;
	wrong(&s, PASSKEY_VERIFIED, NULL);
	wrong(&s, LB_SIG_TOUCH, NULL);
}

static void
test_passkey_flags(void **state)
{
	static const struct {
		uint8_t flags;
		bool touch, verified;
	} row[] = {
		{ LB_SIG_TOUCH | LB_SIG_VERIFIED, true, true },
		{ LB_SIG_TOUCH, true, false },
		{ LB_SIG_VERIFIED, false, false },
		{ 0, false, false },
		{ 0x18 | LB_SIG_TOUCH | LB_SIG_VERIFIED, true, true },
		{ 0x18, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_sshsig s = sample();

		s.flags = row[i].flags;
		wrong(&s, LB_SIG_TOUCH,
		    row[i].touch ? NULL : "its owner was not verified");
		wrong(&s, PASSKEY_VERIFIED,
		    row[i].verified ? NULL : "its owner was not verified");
	}
}

static void
test_passkey_of_another_place_is_refused(void **state)
{
	static const char *const sites[] = { "example", "a.broker.example",
		"broker.example.", "Broker.example", "" };
	static const char *const pages[] = { "https://broker.example",
		"https://broker.example:8443/", "https://broker.example:8444",
		"http://broker.example:8443", "https://a.broker.example:8443",
		"null", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		struct lb_sshsig s = sample();

		strcpy(s.key.application, sites[i]);
		wrong(&s, 0, "the passkey belongs to another site");
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct lb_sshsig s = sample();

		strcpy(s.origin, pages[i]);
		wrong(&s, 0, "signed on another page");
	}
}

static void
test_passkey_only(void **state)
{
	struct lb_sshsig s = sample();

	(void)state;
	s.webauthn = false;
	wrong(&s, 0, "not signed by a passkey");
	s = sample();
	s.key.type = LB_KEY_P256;
	wrong(&s, 0, "not signed by a passkey");
	s = sample();
	strcpy(s.key.application, "ssh:");
	wrong(&s, 0, "not signed by a passkey");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passkey_of_the_page_is_taken),
		cmocka_unit_test(test_passkey_flags),
		cmocka_unit_test(test_passkey_of_another_place_is_refused),
		cmocka_unit_test(test_passkey_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
