/* Who is told what, when, and for how long it is tried. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "notices.h"
#include "retry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          INT64_C(2000000000)
#define MAY_APPROVE  (LB_NS_APPROVE | LB_NS_DENY)

static void
test_notices_of_event(void **state)
{
	static const struct {
		const char *event;
		enum state state;
		bool approval;
		const char *want; /* words with a blank between */
	} row[] = {
		{ "request.created", STATE_PENDING_ENDORSEMENT, 0,
		    "request.created request.pending_endorsement" },
		{ "request.created", STATE_PENDING_APPROVAL, 0,
		    "request.created request.pending_approval" },
		{ "request.endorsed", STATE_PENDING_APPROVAL, 0,
		    "request.pending_approval" },
		{ "request.approved", STATE_PENDING_APPROVAL, 1, "" },
		{ "grant.scheduled", STATE_SCHEDULED, 1,
		    "request.approved request.settled" },
		{ "grant.active", STATE_ACTIVE, 1,
		    "request.approved request.settled grant.activated" },
		{ "grant.active", STATE_ACTIVE, 0, "grant.activated" },
		{ "request.denied", STATE_DENIED, 0,
		    "request.denied request.settled" },
		{ "request.cancelled", STATE_CANCELLED, 0,
		    "request.cancelled request.settled" },
		{ "request.lapsed", STATE_LAPSED, 0, "request.lapsed" },
		{ "grant.revoked", STATE_REVOKED, 0, "grant.revoked" },
		{ "grant.stopped", STATE_REVOKED, 0, "grant.revoked" },
		{ "grant.returned", STATE_RETURNED, 0, "grant.returned" },
		{ "grant.expired", STATE_EXPIRED, 0, "grant.expired" },
		{ "trust.changed", 0, 0, "trust.changed" },
		{ "trust.proposed", 0, 0, "trust.proposed" },
		{ "invitation.created", 0, 0, "invitation.created" },
		{ "webhook.tested", 0, 0, "webhook.test" },
		{ "person.changed", 0, 0, "" },
		{ "request.createdd", STATE_PENDING_APPROVAL, 0, "" },
		{ "", 0, 0, "" },
	};
	enum notice_kind kind[NOTICES_OF_EVENT];
	char said[256];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		size_t n = notices_of_event(
		    row[i].event, row[i].state, row[i].approval, kind);

		said[0] = '\0';
		for (size_t k = 0; k < n; k++)
			(void)snprintf(said + strlen(said),
			    sizeof(said) - strlen(said), "%s%s",
			    k > 0 ? " " : "", notice_word(kind[k]));
		assert_string_equal(said, row[i].want);
	}
}

static void
test_notice_words(void **state)
{
	(void)state;
	for (int k = 1; k < NOTICES; k++)
		assert_int_equal(
		    notice_find(notice_word((enum notice_kind)k)), k);
	assert_int_equal(notice_find("no.such"), 0);
	assert_int_equal(notice_find(""), 0);
}

static void
test_notices_reminders(void **state)
{
	int64_t at[NOTICES_REMINDERS];

	(void)state;
	notices_reminders(1000, 1000 + 12 * 3600, at);
	assert_int_equal(at[0], 1000 + 3 * 3600);
	assert_int_equal(at[1], 1000 + 6 * 3600);
	assert_int_equal(at[2], 1000 + 38880);
}

static void
line(struct lb_pinned_list *l, const char *principal, unsigned int ns,
    int64_t after, int64_t before)
{
	struct lb_pinned *p = &l->item[l->count++];

	(void)snprintf(p->principal, sizeof(p->principal), "%s", principal);
	p->namespaces = ns;
	p->valid_after = after;
	p->valid_before = before;
}

static struct lb_trust *
trust(void)
{
	struct lb_trust *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	line(&t->approver, "anna", MAY_APPROVE | LB_NS_TRUST, 0, 0);
	line(&t->approver, "anna", MAY_APPROVE, 0, 0); /* her second key */
	line(&t->approver, "bert", MAY_APPROVE, 0, 0);
	line(&t->approver, "dina", LB_NS_DENY, 0, 0);
	line(&t->approver, "olaf", LB_NS_TRUST, 0, 0);
	line(&t->approver, "past", MAY_APPROVE, 0, NOW);
	line(&t->approver, "soon", MAY_APPROVE, NOW + 1, 0);
	line(&t->approver, "avm", MAY_APPROVE, 0, 0);
	line(&t->hook, "ticket", MAY_APPROVE, 0, 0);
	line(&t->delegate, "mia", MAY_APPROVE, 0, 0);
	return t;
}

static void
test_notices_told(void **state)
{
	static const struct {
		enum notice_kind kind;
		const char *actor;
		int64_t delegate_until;
		const char *want; /* '*': of the provider */
	} row[] = {
		{ NOTICE_PENDING_APPROVAL, "avm", 0, "anna bert" },
		{ NOTICE_PENDING_APPROVAL, "avm", NOW, "anna bert" },
		{ NOTICE_PENDING_APPROVAL, "avm", NOW + 1, "anna bert mia*" },
		{ NOTICE_REMINDER, "", 0, "anna bert" },
		{ NOTICE_SETTLED, "anna", 0, "bert" },
		{ NOTICE_REQUEST_APPROVED, "anna", 0, "avm*" },
		{ NOTICE_REQUEST_DENIED, "anna", 0, "avm*" },
		{ NOTICE_REQUEST_LAPSED, "support", 0, "avm*" },
		{ NOTICE_GRANT_EXPIRED, "support", 0, "avm*" },
		{ NOTICE_GRANT_REVOKED, "avm", 0, "" },
		{ NOTICE_TRUST_CHANGED, "", 0, "anna bert olaf" },
		{ NOTICE_TRUST_PROPOSED, "anna", 0, "olaf" },
		{ NOTICE_PENDING_ENDORSEMENT, "avm", 0, "" },
		{ NOTICE_SESSION_OPENED, "", 0, "" },
	};
	struct told *told = calloc(NOTICES_TOLD_MAX, sizeof(*told));
	struct lb_trust *t = trust();
	char said[256];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		size_t n;

		t->delegate_until = row[i].delegate_until;
		n = notices_told(
		    row[i].kind, t, row[i].actor, "avm", NOW, told);
		said[0] = '\0';
		for (size_t k = 0; k < n; k++)
			(void)snprintf(said + strlen(said),
			    sizeof(said) - strlen(said), "%s%s%s",
			    k > 0 ? " " : "", told[k].principal,
			    told[k].staff ? "*" : "");
		assert_string_equal(said, row[i].want);
	}
	assert_true(notice_tells_managers(NOTICE_PENDING_ENDORSEMENT));
	assert_false(notice_tells_managers(NOTICE_PENDING_APPROVAL));
	assert_int_equal(
	    notices_told(NOTICE_PENDING_APPROVAL, NULL, "", "avm", NOW, told),
	    0);
	free(told);
	free(t);
}

static void
test_notice_in_types(void **state)
{
	static const struct {
		enum notice_kind kind;
		const char *types;
		bool want;
	} row[] = {
		{ NOTICE_REQUEST_CREATED, "", 1 },
		{ NOTICE_SETTLED, "", 0 },
		{ NOTICE_WEBHOOK_TEST, "", 0 },
		{ NOTICE_REQUEST_CREATED, "request.created", 1 },
		{ NOTICE_REQUEST_CREATED, "a.b,request.created", 1 },
		{ NOTICE_REQUEST_CREATED, "request.created,a.b", 1 },
		{ NOTICE_REQUEST_CREATED, "request.denied", 0 },
		{ NOTICE_REQUEST_CREATED, "request.createdx", 0 },
		{ NOTICE_REQUEST_CREATED, "xrequest.created", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_int_equal(
		    notice_in_types(row[i].kind, row[i].types), row[i].want);
}

static void
test_retry_after(void **state)
{
	static const struct {
		int64_t attempts, asked;
		uint32_t chance;
		int64_t want;
	} row[] = {
		{ 1, 0, 0, 5 },
		{ 1, 0, 999, 5 },
		{ 2, 0, 0, 30 },
		{ 2, 0, 999, 35 },
		{ 3, 0, 0, 120 },
		{ 4, 0, 0, 600 },
		{ 5, 0, 0, 1800 },
		{ 6, 0, 0, 3600 },
		{ 6, 0, 999, 4319 },
		{ 99, 0, 0, 3600 },
		{ 0, 0, 0, 5 },
		{ 1, 7, 0, 7 },
		{ 3, 7, 0, 120 },
		{ 1, 86401, 0, 86400 },
		{ 1, -5, 0, 5 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_int_equal(
		    retry_after(row[i].attempts, row[i].asked, row[i].chance),
		    row[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notices_of_event),
		cmocka_unit_test(test_notice_words),
		cmocka_unit_test(test_notices_reminders),
		cmocka_unit_test(test_notices_told),
		cmocka_unit_test(test_notice_in_types),
		cmocka_unit_test(test_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
