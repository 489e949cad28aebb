/* Trust documents from flags: defaults, additions, removals, mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lockbox/sshkey.h"
#include "trust_edit.h"

#define NOW INT64_C(1772460000)
#define K1                                                                     \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPhoZTuffHlhJeYsguQ8H8"           \
	"MV8umKhCNMbsG+9j+IxYB6"
#define K2                                                                     \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFiFibX77HVfTT7TybT59y"           \
	"uE7EyvzcO3CEtA9/kM5TNr"

static struct lb_trust_paper paper;
static char what[TRUST_WHAT_MAX];

static const struct trust_kind *
kind(const char *name)
{
	const struct trust_kind *k = trust_kinds;

	while (strcmp(k->name, name) != 0)
		k++;
	return k;
}

static void
test_trust_pin_spellings(void **state)
{
	char line[LB_PINNED_MAX + 1];

	(void)state;
	assert_int_equal(
	    trust_pin("anna@acme.example=" K1, LB_NS_APPROVE, line, what),
	    LB_OK);
	assert_string_equal(
	    line, "anna@acme.example namespaces=\"lockbox-approve-v1\" " K1);
	assert_int_equal(trust_pin("anna@acme.example=" K1 ",ns=trust+approve,"
				   "valid-before=2026-06-01T00:00:00Z",
			     LB_NS_APPROVE, line, what),
	    LB_OK);
	assert_string_equal(line,
	    "anna@acme.example "
	    "namespaces=\"lockbox-approve-v1,lockbox-trust-v1\","
	    "valid-before=\"20260601000000Z\" " K1);
}

static void
test_trust_pin_mistakes(void **state)
{
	static const struct {
		const char *spec, *told;
	} row[] = {
		{ K1, "PRINCIPAL=KEYFILE" },
		{ "an na=" K1, "is no principal" },
		{ "anna=/nonexistent/key.pub", "read a public key" },
		{ "anna=" K1 ",ns=open", "is none of" },
		{ "anna=" K1 ",valid-before=soon", "is none of" },
		{ "anna=" K1 ",colour=red", "is none of" },
	};
	char line[LB_PINNED_MAX + 1] = "untouched";

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_not_equal(
		    trust_pin(row[i].spec, LB_NS_APPROVE, line, what), LB_OK);
		assert_non_null(strstr(what, row[i].told));
		assert_string_equal(line, "untouched");
	}
}

static void
fill(struct trust_flags *f)
{
	memset(f, 0, sizeof(*f));
	memset(&paper, 0, sizeof(paper));
	f->tenant = "acme";
	f->broker = (struct flag_list){ 1, { "support=" K1 } };
	f->approver = (struct flag_list){ 2, { "bert=" K1, "anna=" K2 } };
	assert_int_equal(trust_paper_new(f, NOW, &paper, what), LB_OK);
	memset(f, 0, sizeof(*f));
}

static void
test_trust_paper_new_defaults(void **state)
{
	struct trust_flags f;

	(void)state;
	fill(&f);
	assert_int_equal(paper.serial, 1);
	assert_int_equal(paper.threshold, 1);
	assert_int_equal(paper.longest, 4 * 3600);
	assert_int_equal(paper.lease, 1800);
	assert_int_equal(paper.good_until, NOW + TRUST_GOOD_SPAN);
	assert_string_equal(paper.require, "any");
	assert_string_equal(paper.offline, "deny");
	assert_int_equal(paper.approver.count, 2);
	/* sorted, as the document wants it */
	assert_memory_equal(paper.approver.item[0], "anna ", 5);
}

static void
test_trust_paper_edit_changes(void **state)
{
	char id[LB_SHA256_LEN + 1];
	struct lb_pinned p;
	struct trust_flags f;
	char one[128];

	(void)state;
	lb_doc_id("x", 1, id);
	fill(&f);
	f.threshold = 2;
	f.hook = (struct flag_list){ 1, { "hook=" K2 } };
	f.no_approver = (struct flag_list){ 1, { "anna" } };
	assert_int_equal(trust_paper_edit(&f, id, &paper, what), LB_OK);
	assert_int_equal(paper.serial, 2);
	assert_string_equal(paper.previous, id);
	assert_int_equal(paper.threshold, 2);
	assert_int_equal(paper.approver.count, 1);
	assert_memory_equal(paper.approver.item[0], "bert ", 5);
	assert_int_equal(paper.hook.count, 1);
	assert_int_equal(trust_lines(&paper, kind("hook")), 1);

	/* one key of a name, by its fingerprint; another is not touched */
	fill(&f);
	assert_int_equal(lb_pinned_parse(paper.approver.item[0], &p), LB_OK);
	(void)snprintf(one, sizeof(one), "anna=%s", p.key.fp);
	f.no_approver = (struct flag_list){ 1, { one } };
	assert_int_equal(trust_paper_edit(&f, id, &paper, what), LB_OK);
	assert_int_equal(paper.approver.count, 1);
}

/* Off: another delegation's place is taken. On: there is none any more. */
static void
test_trust_paper_edit_switches(void **state)
{
	char id[LB_SHA256_LEN + 1];
	struct trust_flags f;

	(void)state;
	lb_doc_id("x", 1, id);
	fill(&f);
	f.delegate = (struct flag_list){ 1, { "max=" K1 } };
	f.delegate_until = NOW + 3600;
	assert_int_equal(trust_paper_edit(&f, id, &paper, what), LB_OK);
	f = (struct trust_flags){ .no_delegation = true,
		.delegate = { 1, { "mia=" K2 } },
		.delegate_until = NOW + 7200 };
	assert_int_equal(trust_paper_edit(&f, id, &paper, what), LB_OK);
	assert_int_equal(paper.delegate.count, 1);
	assert_memory_equal(paper.delegate.item[0], "mia ", 4);
	assert_int_equal(paper.delegate_until, NOW + 7200);
	f = (struct trust_flags){ .no_delegation = true };
	assert_int_equal(trust_paper_edit(&f, id, &paper, what), LB_OK);
	assert_int_equal(paper.delegate.count, 0);
	assert_int_equal(paper.delegate_until, 0);
}

static void
test_trust_paper_edit_refuses(void **state)
{
	struct trust_flags f;

	(void)state;
	fill(&f);
	f.no_approver = (struct flag_list){ 1, { "ann" } };
	assert_int_equal(
	    trust_paper_edit(&f, "sha256:", &paper, what), LB_ERR_MISSING);
	assert_non_null(strstr(what, "there is no approver 'ann'"));
	fill(&f);
	f.tenant = "other";
	assert_int_equal(
	    trust_paper_edit(&f, "sha256:", &paper, what), LB_ERR_STATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust_pin_spellings),
		cmocka_unit_test(test_trust_pin_mistakes),
		cmocka_unit_test(test_trust_paper_new_defaults),
		cmocka_unit_test(test_trust_paper_edit_changes),
		cmocka_unit_test(test_trust_paper_edit_switches),
		cmocka_unit_test(test_trust_paper_edit_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
