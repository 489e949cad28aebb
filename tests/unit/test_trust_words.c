/* Trust documents in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "trust_words.h"

#define ANNA                                                                   \
	"anna namespaces=\"lockbox-approve-v1,lockbox-trust-v1\" "             \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPhoZTuffHlhJeYsguQ8H8"           \
	"MV8umKhCNMbsG+9j+IxYB6"
#define ANNA_WORDS                                                             \
	"anna, key SHA256:3LiFVZU+R23GnwNLg2gI3PwOval3ykOmE4RboI8NmyI, "       \
	"may approve, trust"

static struct lb_trust_paper a, b;

static void
papers_fill(void)
{
	a = (struct lb_trust_paper){ .tenant = "acme",
		.serial = 1,
		.good_until = 1772460000,
		.threshold = 1,
		.require = "any",
		.longest = 14400,
		.lease = 1800,
		.offline = "deny" };
	a.approver.count = 1;
	memcpy(a.approver.item[0], ANNA, sizeof(ANNA));
	b = a;
}

static void
diff_is(const char *want)
{
	struct lb_buf words = { 0 };

	assert_int_equal(trust_words_diff(&a, &b, &words), LB_OK);
	assert_string_equal(words.data != NULL ? words.data : "", want);
	lb_buf_clear(&words);
}

static void
test_diff_nothing(void **state)
{
	(void)state;
	papers_fill();
	diff_is("");
}

static void
test_diff_each_change(void **state)
{
	(void)state;
	papers_fill();
	b.serial = 2;
	b.threshold = 2;
	b.longest = 28800;
	b.good_until += 60;
	memcpy(b.require, "touch", sizeof("touch"));
	memcpy(b.offline, "allow", sizeof("allow"));
	diff_is("serial: 1 becomes 2\n"
		"good until: 2026-03-02T14:00:00Z becomes "
		"2026-03-02T14:01:00Z\n"
		"approvals needed: 1 becomes 2\n"
		"keys must show: any becomes touch\n"
		"longest grant: 4h becomes 8h\n"
		"offline grants: deny becomes allow\n");
}

static void
test_diff_people_and_delegation(void **state)
{
	(void)state;
	papers_fill();
	b.approver.count = 0;
	diff_is("approver removed: " ANNA_WORDS "\n");
	papers_fill();
	a.approver.count = 0;
	diff_is("approver added: " ANNA_WORDS "\n");
	papers_fill();
	b.delegate_until = 1772460000;
	diff_is("delegation begins: until 2026-03-02T14:00:00Z one delegate "
		"may approve alone\n");
	a.delegate_until = 1772460060;
	diff_is("delegated until: 2026-03-02T14:01:00Z becomes "
		"2026-03-02T14:00:00Z\n");
	b.delegate_until = 0;
	diff_is("delegation ends: only approvers decide\n");
}

static void
test_json_names_lines_as_the_document(void **state)
{
	json_t *root, *line;

	(void)state;
	papers_fill();
	root = trust_words_json(&a, "sha256:x");
	assert_non_null(root);
	assert_int_equal(
	    json_integer_value(json_object_get(root, "threshold")), 1);
	assert_string_equal(
	    json_string_value(json_object_get(root, "good_until")),
	    "2026-03-02T14:00:00Z");
	assert_true(json_is_null(json_object_get(root, "previous")));
	line = json_array_get(json_object_get(root, "approver"), 0);
	assert_string_equal(
	    json_string_value(json_object_get(line, "principal")), "anna");
	json_decref(root);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diff_nothing),
		cmocka_unit_test(test_diff_each_change),
		cmocka_unit_test(test_diff_people_and_delegation),
		cmocka_unit_test(test_json_names_lines_as_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
