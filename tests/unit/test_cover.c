/* Covering: the one need that fits, and each single way of not fitting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cover.h"

#define NOW INT64_C(1772460000) /* 2026-03-02T14:00:00Z */
#define FP  "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define FP2 "SHA256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct cover_need sample_need = { .tenant = "acme",
	.engineer = "avm@provider.example",
	.key = FP,
	.host = "db1",
	.login = "deploy",
	.service = { .count = 1, .item = { "sshd" } } };

static const struct lb_grant sample_grant = { .tenant = "acme",
	.engineer = "avm@provider.example",
	.engineer_key = { .count = 2, .item = { FP, FP2 } },
	.host = { .count = 2, .item = { "db1", "db2" } },
	.login = { .count = 1, .item = { "deploy" } },
	.service = { .count = 2, .item = { "sshd", "sudo" } },
	.not_before = NOW,
	.not_after = NOW + 600 };

static void
test_cover_grant_one_difference(void **state)
{
	struct cover_need n[8];
	static const enum cover want[8] = { COVER_ALL, COVER_TENANT,
		COVER_ENGINEER, COVER_KEY, COVER_HOST, COVER_LOGIN,
		COVER_SERVICE, COVER_ALL };

	(void)state;
	for (size_t i = 0; i < 8; i++)
		n[i] = sample_need;
	strcpy(n[1].tenant, "bank");
	strcpy(n[2].engineer, "eve@provider.example");
	n[3].key[8] = 'C';
	strcpy(n[4].host, "db");
	strcpy(n[5].login, "Deploy");
	n[6].service =
	    (struct lb_services){ .count = 2, .item = { "sshd", "su" } };
	n[7].service =
	    (struct lb_services){ .count = 2, .item = { "sudo", "sshd" } };
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(
		    cover_grant(&sample_grant, &n[i], NOW), want[i]);
}

static void
test_cover_grant_half_open_interval(void **state)
{
	static const struct {
		int64_t now;
		enum cover want;
	} row[] = { { NOW - 1, COVER_NOT_YET }, { NOW, COVER_ALL },
		{ NOW + 599, COVER_ALL }, { NOW + 600, COVER_OVER } };

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    cover_grant(&sample_grant, &sample_need, row[i].now),
		    row[i].want);
}

static void
test_cover_request_one_difference(void **state)
{
	static const struct lb_request sample = { .tenant = "acme",
		.engineer = "avm@provider.example",
		.engineer_key = { .count = 1, .item = { FP } },
		.host = { .count = 1, .item = { "db1" } },
		.login = { .count = 1, .item = { "deploy" } },
		.service = { .count = 1, .item = { "sshd" } } };
	struct lb_request q[9];

	(void)state;
	for (size_t i = 0; i < 9; i++)
		q[i] = sample;
	q[1].start = NOW; /* as good as none */
	strcpy(q[2].tenant, "bank");
	strcpy(q[3].engineer, "eve@provider.example");
	strcpy(q[4].engineer_key.item[0], FP2);
	strcpy(q[5].host.item[0], "db2");
	strcpy(q[6].login.item[0], "root");
	strcpy(q[7].service.item[0], "sudo");
	q[8].start = NOW + 1;
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(
		    cover_request(&q[i], &sample_need, NOW), i < 2);
}

static void
test_cover_text_says_each(void **state)
{
	(void)state;
	for (int c = COVER_ALL; c <= COVER_OVER; c++)
		for (int d = COVER_ALL; d < c; d++)
			assert_string_not_equal(cover_text((enum cover)c),
			    cover_text((enum cover)d));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cover_grant_one_difference),
		cmocka_unit_test(test_cover_grant_half_open_interval),
		cmocka_unit_test(test_cover_request_one_difference),
		cmocka_unit_test(test_cover_text_says_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
