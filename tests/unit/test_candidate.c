/* Which keys may be brought for signing into trust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "candidate.h"
#include "fixture.h"

/* The code for a passkey; "" when it may. */
static const char *
passkey(const struct fx *f, const char *rp_id, const char *origin)
{
	struct lb_sshsig sig = { .key = { .type = LB_KEY_SK_P256 },
		.webauthn = true };
	const char *code;

	strcpy(sig.key.application, rp_id);
	strcpy(sig.origin, origin);
	code = candidate_refuses(f->t, &sig);
	return code != NULL ? code : "";
}

static void
test_passkeys_of_pinned_pages(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
	fx_page(f, FX_BROKER_RP " " FX_PAGE_BROKER " broker");
	fx_seal(f);
	assert_string_equal(passkey(f, FX_PASSKEY_RP, FX_PAGE_OWN), "");
	assert_string_equal(passkey(f, FX_BROKER_RP, FX_PAGE_BROKER), "");
	assert_string_equal(
	    passkey(f, FX_PASSKEY_RP, FX_PAGE_BROKER), "candidate_refused");
	assert_string_equal(
	    passkey(f, FX_BROKER_RP, FX_PAGE_OWN), "candidate_refused");
	assert_string_equal(
	    passkey(f, "evil.example", FX_PAGE_OWN), "candidate_refused");
	assert_string_equal(passkey(f, FX_PASSKEY_RP, ""), "candidate_refused");
	fx_free(f);
}

/* A line of any kind has its key already. */
static void
test_pinned_keys_are_taken(void **state)
{
	struct fx *f = fx_new();
	const struct lb_pinned_list *lists[5];
	struct lb_sshsig sig = { 0 };

	(void)state;
	fx_pin(
	    f, FX_ENGINEERS, FX_ALICE, "alice@lockbox.example", LB_NS_REQUEST);
	fx_pin(f, FX_DELEGATES, FX_MANAGER, "mia", FX_HOOK_NS);
	f->trust.delegate_until = FX_NOW + 3600;
	fx_seal(f);
	lists[0] = &f->t->broker;
	lists[1] = &f->t->approver;
	lists[2] = &f->t->hook;
	lists[3] = &f->t->engineer;
	lists[4] = &f->t->delegate;
	for (size_t i = 0; i < 5; i++) {
		assert_true(lists[i]->count > 0);
		sig.key = lists[i]->item[0].key;
		assert_string_equal(candidate_refuses(f->t, &sig), "key_taken");
		sig.key.pk[0] ^= 1; /* another key */
		assert_null(candidate_refuses(f->t, &sig));
	}
	fx_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passkeys_of_pinned_pages),
		cmocka_unit_test(test_pinned_keys_are_taken),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
