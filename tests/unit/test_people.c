/* Who stands in a trust document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "fixture.h"
#include "people.h"

static void
test_people_each_once(void **state)
{
	struct fx *f = fx_new();
	struct people p;

	(void)state;
	/* Carol is a delegate too, and erin approves without owning. */
	fx_pin(f, FX_DELEGATES, FX_MANAGER, "carol@acme.example", FX_HOOK_NS);
	fx_pin(f, FX_APPROVERS, FX_MALLORY, "zed", FX_HOOK_NS);
	f->trust.delegate_until = FX_NOW + 3600;
	fx_seal(f);
	people_of(f->t, &p);
	for (size_t i = 0; i < p.count; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
			    p.item[i].principal, p.item[k].principal);
	assert_int_equal(people_part(&p, "carol@acme.example"),
	    PART_APPROVER | PART_OWNER | PART_DELEGATE);
	assert_int_equal(people_part(&p, "zed"), PART_APPROVER);
	assert_int_equal(people_part(&p, "ci"), PART_HOOK);
	assert_int_equal(people_part(&p, "alice"), 0);
	assert_int_equal(people_part(&p, ""), 0);
	fx_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_people_each_once),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
