/* Trust documents: what they may say, their chain, and who may sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/trust.h"

#include "fixture.h"

#define CAROL "carol@acme.example"
#define DAVE  "dave@acme.example"
#define ERIN  "erin@acme.example"
#define ALICE "alice@provider.example"
#define BOSS  "manager@provider.example"

#define SET(array, s) assert_int_equal(lb_text_copy(array, sizeof(array), s), 0)

#define STRONG (LB_SIG_TOUCH | LB_SIG_VERIFIED)

/* What may stand there, and what may not once one thing has changed. */
struct row {
	const char *name;
	void (*given)(struct fx *f);
	void (*change)(struct fx *f);
	enum lb_err want;
	bool p256; /* needs libcrypto */
};

/* --- reading --------------------------------------------------------------- */

static void
test_parse_fields(void **state)
{
	struct fx *f = fx_new();
	const struct lb_trust *t;

	(void)state;
	f->trust.serial = 7;
	SET(f->trust.previous,
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000000");
	SET(f->trust.offline, "allow");
	SET(f->trust.require, "any");
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
	fx_page(f, FX_BROKER_RP " " FX_PAGE_BROKER " broker");
	f->trust.delegate_until = f->now + 5;
	fx_pin(f, FX_DELEGATES, FX_MANAGER, BOSS, FX_HOOK_NS);
	assert_int_equal(fx_seal_trust(f), LB_OK);
	t = f->t;
	assert_string_equal(t->id, f->paper[FX_TRUST].id);
	assert_string_equal(t->tenant, "acme");
	assert_string_equal(t->previous, f->trust.previous);
	assert_int_equal(t->serial, 7);
	assert_int_equal(t->good_until, f->trust.good_until);
	assert_int_equal(t->threshold, 2);
	assert_int_equal(t->require, LB_REQUIRE_ANY);
	assert_int_equal(t->longest, 4 * 3600);
	assert_int_equal(t->lease, 1800);
	assert_true(t->offline);
	assert_int_equal(t->page_count, 2);
	assert_string_equal(t->page[0].rp_id, FX_PASSKEY_RP);
	assert_string_equal(t->page[0].origin, FX_PAGE_OWN);
	assert_false(t->page[0].broker);
	assert_string_equal(t->page[1].rp_id, FX_BROKER_RP);
	assert_string_equal(t->page[1].origin, FX_PAGE_BROKER);
	assert_true(t->page[1].broker);
	assert_int_equal(t->broker.count, 1);
	assert_int_equal(t->approver.count, 3);
	assert_int_equal(t->hook.count, 2);
	assert_int_equal(t->engineer.count, 1);
	assert_int_equal(t->delegate.count, 1);
	assert_int_equal(t->delegate_until, f->now + 5);
	assert_string_equal(t->broker.item[0].principal, "lockbox.example");
	assert_string_equal(t->approver.item[2].principal, ERIN);
	assert_string_equal(t->hook.item[1].principal, "desk");
	assert_string_equal(t->engineer.item[0].principal, ALICE);
	assert_string_equal(t->delegate.item[0].principal, BOSS);
	fx_free(f);
}

static void
test_parse_words(void **state)
{
	static const struct {
		const char *require, *offline;
		enum lb_require want;
		bool offline_want;
	} row[] = {
		{ "any", "deny", LB_REQUIRE_ANY, false },
		{ "touch", "deny", LB_REQUIRE_TOUCH, false },
		{ "verified", "allow", LB_REQUIRE_VERIFIED, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();

		SET(f->trust.require, row[i].require);
		SET(f->trust.offline, row[i].offline);
		fx_rekey(f, CAROL, FX_CAROL, FX_SK1, 0, NULL);
		fx_rekey(f, DAVE, FX_DAVE, FX_SK2, 0, NULL);
		assert_int_equal(fx_seal_trust(f), LB_OK);
		assert_int_equal(f->t->require, row[i].want);
		assert_int_equal(f->t->offline, row[i].offline_want);
		fx_free(f);
	}
}

#define PINS(name, list, who, principal, ns)                                   \
	static void name(struct fx *f)                                         \
	{                                                                      \
		fx_pin(f, list, who, principal, ns);                           \
	}

PINS(broker_approves, FX_BROKERS, FX_OTHER, "other.example",
    LB_NS_ANSWER | LB_NS_APPROVE)
PINS(broker_only_approves, FX_BROKERS, FX_OTHER, "other.example", LB_NS_APPROVE)
PINS(broker_has_principal, FX_BROKERS, FX_OTHER, "broker@other.example",
    LB_NS_ANSWER)
PINS(broker_has_sk, FX_BROKERS, FX_SK1, "other.example", LB_NS_ANSWER)
PINS(approver_answers, FX_APPROVERS, FX_MALLORY, "mallory",
    LB_NS_APPROVE | LB_NS_ANSWER)
PINS(approver_requests, FX_APPROVERS, FX_MALLORY, "mallory",
    LB_NS_APPROVE | LB_NS_REQUEST)
PINS(approver_endorses, FX_APPROVERS, FX_MALLORY, "mallory",
    LB_NS_APPROVE | LB_NS_ENDORSE)
PINS(hook_owns, FX_HOOKS, FX_MALLORY, "mallory", LB_NS_APPROVE | LB_NS_TRUST)
PINS(hook_requests, FX_HOOKS, FX_MALLORY, "mallory", LB_NS_REQUEST)
PINS(engineer_approves, FX_ENGINEERS, FX_MALLORY, "mallory",
    LB_NS_REQUEST | LB_NS_APPROVE)
PINS(engineer_revokes, FX_ENGINEERS, FX_MALLORY, "mallory",
    LB_NS_REQUEST | LB_NS_REVOKE)
PINS(delegate_owns, FX_DELEGATES, FX_MALLORY, "mallory",
    LB_NS_APPROVE | LB_NS_TRUST)

static void
delegation(struct fx *f)
{
	f->trust.delegate_until = f->now + 5;
	fx_pin(f, FX_DELEGATES, FX_MANAGER, BOSS, FX_HOOK_NS);
}

static void
pattern(struct fx *f)
{
	char(*line)[LB_PINNED_MAX + 1] = f->trust.approver.item;

	/* "carol@..." becomes "*arol@...". */
	line[0][0] = '*';
}

static const struct row parse_rows[] = {
	{ "broker may approve", NULL, broker_approves, LB_ERR_FORMAT, 0 },
	{ "broker may not answer", NULL, broker_only_approves, LB_ERR_FORMAT,
	    0 },
	{ "broker is a person", NULL, broker_has_principal, LB_ERR_FORMAT, 0 },
	{ "broker touches", NULL, broker_has_sk, LB_ERR_FORMAT, 0 },
	{ "approver answers", NULL, approver_answers, LB_ERR_FORMAT, 0 },
	{ "approver requests", NULL, approver_requests, LB_ERR_FORMAT, 0 },
	{ "approver endorses", NULL, approver_endorses, LB_ERR_FORMAT, 0 },
	{ "hook owns", NULL, hook_owns, LB_ERR_FORMAT, 0 },
	{ "hook requests", NULL, hook_requests, LB_ERR_FORMAT, 0 },
	{ "engineer approves", NULL, engineer_approves, LB_ERR_FORMAT, 0 },
	{ "engineer revokes", NULL, engineer_revokes, LB_ERR_FORMAT, 0 },
	{ "delegate owns", delegation, delegate_owns, LB_ERR_FORMAT, 0 },
	{ "a pattern", NULL, pattern, LB_ERR_FORMAT, 0 },
};

static void
parse_check(const struct row *row)
{
	struct fx *f;

	if (row->p256 && !fx_has_p256())
		return;
	for (int changed = 0; changed < 2; changed++) {
		enum lb_err r;

		f = fx_new();
		if (row->given != NULL)
			row->given(f);
		if (changed)
			row->change(f);
		r = fx_seal_trust(f);
		if (r != (changed ? row->want : LB_OK))
			fail_msg("%s, changed %d: %s", row->name, changed,
			    lb_err_text(r));
		assert_int_equal(f->t != NULL, r == LB_OK);
		fx_free(f);
	}
}

#define PARSE_CHECK(rows)                                                      \
	do {                                                                   \
		for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]);     \
		     i_++)                                                     \
			parse_check(&(rows)[i_]);                              \
	} while (0)

static void
test_parse_refuses(void **state)
{
	(void)state;
	PARSE_CHECK(parse_rows);
}

static void
test_parse_pages(void **state)
{
	static const struct {
		const char *line;
		enum lb_err want;
	} row[] = {
		{ "acme.example https://acme.example", LB_OK },
		{ "acme.example https://a.b.acme.example", LB_OK },
		{ "acme.example https://acme.example:8443", LB_OK },
		{ "acme.example https://acme.example:65535", LB_OK },
		{ "acme.example https://acme.example broker", LB_OK },
		{ "localhost https://localhost:8443", LB_OK },
		{ "acme.example", LB_ERR_FORMAT },
		{ "https://acme.example", LB_ERR_FORMAT },
		{ "acme.example http://acme.example", LB_ERR_FORMAT },
		{ "acme.example HTTPS://acme.example", LB_ERR_FORMAT },
		{ "acme.example acme.example", LB_ERR_FORMAT },
		{ "acme.example https://", LB_ERR_FORMAT },
		{ "acme.example https://acme.example/", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:443", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:0", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:08443", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:65536", LB_ERR_FORMAT },
		{ "acme.example https://acme.example:8443/x", LB_ERR_FORMAT },
		{ "acme.example https://me@acme.example", LB_ERR_FORMAT },
		{ "acme.example https://Acme.example", LB_ERR_FORMAT },
		{ "acme.example https://acme.example.", LB_ERR_FORMAT },
		{ "acme.example https://acme.example.evil", LB_ERR_FORMAT },
		{ "acme.example https://evilacme.example", LB_ERR_FORMAT },
		{ "a.acme.example https://acme.example", LB_ERR_FORMAT },
		{ "acme.example https://b.example", LB_ERR_FORMAT },
		{ "Acme.example https://Acme.example", LB_ERR_FORMAT },
		{ ".example https://acme.example", LB_ERR_FORMAT },
		{ "*.example https://a.example", LB_ERR_FORMAT },
		{ "acme.example https://acme.example Broker", LB_ERR_FORMAT },
		{ "acme.example https://acme.example broker broker",
		    LB_ERR_FORMAT },
		{ "acme.example https://acme.example customer", LB_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct fx *f = fx_new();
		enum lb_err r;

		fx_page(f, row[i].line);
		r = fx_seal_trust(f);
		if (r != row[i].want)
			fail_msg("%s: %s", row[i].line, lb_err_text(r));
		fx_free(f);
	}
}

/* Names at their bounds, and one past them. */
static void
test_parse_page_lengths(void **state)
{
	char line[LB_PINNED_MAX + 1], label[64];

	(void)state;
	memset(label, 'a', 63);
	label[63] = '\0';
	for (int over = 0; over < 2; over++) {
		struct fx *f = fx_new();

		/* 253 chars of origin: 8 of scheme, 245 of host, whose
		 * last label is the RP-ID. */
		(void)snprintf(line, sizeof(line), "%.*s https://%s.%s.%s.%.*s",
		    over ? 54 : 53, label, label, label, label, over ? 54 : 53,
		    label);
		fx_page(f, line);
		assert_int_equal(fx_seal_trust(f), over ? LB_ERR_RANGE : LB_OK);
		fx_free(f);
	}
}

static void
page_own(struct fx *f)
{
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN);
}

static void
page_own_of_broker_too(struct fx *f)
{
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN " broker");
}

static void
page_own_of_broker_for_other_rp(struct fx *f)
{
	fx_page(f, "approve.acme.example " FX_PAGE_OWN " broker");
}

/* One line after another: carol's, dave's and erin's rights. */
static void
rights(struct fx *f, unsigned int carol, unsigned int dave, unsigned int erin)
{
	f->trust.approver.count = 0;
	if (carol != 0)
		fx_pin(f, FX_APPROVERS, FX_CAROL, CAROL, carol);
	if (dave != 0)
		fx_pin(f, FX_APPROVERS, FX_DAVE, DAVE, dave);
	if (erin != 0)
		fx_pin(f, FX_APPROVERS, FX_ERIN, ERIN, erin);
}

static void
two_and_two(struct fx *f)
{
	rights(f, LB_NS_APPROVE | LB_NS_TRUST, LB_NS_TRUST, LB_NS_APPROVE);
	f->trust.hook.count = 0;
}

static void
one_owner(struct fx *f)
{
	rights(f, LB_NS_APPROVE | LB_NS_TRUST, LB_NS_DENY, LB_NS_APPROVE);
}

static void
one_approver(struct fx *f)
{
	rights(f, LB_NS_APPROVE | LB_NS_TRUST, LB_NS_TRUST, LB_NS_DENY);
}

static void
one_approver_and_hooks(struct fx *f)
{
	one_approver(f);
}

static void
no_approver_and_hooks(struct fx *f)
{
	rights(f, LB_NS_TRUST, LB_NS_TRUST, LB_NS_DENY);
}

/* Both owners have one key. */
static void
owners_one_key(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin(f, FX_APPROVERS, FX_CAROL, DAVE, LB_NS_TRUST);
}

/* Both owners are one person. */
static void
owners_one_name(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin(f, FX_APPROVERS, FX_DAVE, CAROL, LB_NS_TRUST);
}

static void
threshold_three(struct fx *f)
{
	rights(f, FX_APPROVER_NS, FX_APPROVER_NS, FX_APPROVER_NS);
	f->trust.threshold = 3;
}

static void
threshold_four(struct fx *f)
{
	f->trust.threshold = 4;
}

static void
sk_pair(struct fx *f)
{
	fx_rekey(f, CAROL, FX_CAROL, FX_SK1, STRONG, NULL);
	fx_rekey(f, DAVE, FX_DAVE, FX_SK2, STRONG, NULL);
	SET(f->trust.require, "touch");
}

static void
one_sk_only(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin(f, FX_APPROVERS, FX_DAVE, DAVE, FX_APPROVER_NS);
}

static void
sk_pair_verified(struct fx *f)
{
	sk_pair(f);
	SET(f->trust.require, "verified");
}

static void
passkey_pair(struct fx *f)
{
	page_own(f);
	fx_rekey(f, CAROL, FX_CAROL, FX_PASS1, STRONG, FX_PAGE_OWN);
	fx_rekey(f, DAVE, FX_DAVE, FX_PASS2, STRONG, FX_PAGE_OWN);
	fx_unpin(f, FX_APPROVERS, ERIN);
}

static void
pages_gone(struct fx *f)
{
	f->trust.page.count = 0;
}

static void
page_of_other_rp(struct fx *f)
{
	f->trust.page.count = 0;
	fx_page(f, "approve.acme.example " FX_PAGE_OWN);
}

static void
page_is_broker(struct fx *f)
{
	f->trust.page.count = 0;
	fx_page(f, FX_PASSKEY_RP " " FX_PAGE_OWN " broker");
}

/* Delegates do not make up for approvers. */
static void
one_approver_and_delegate(struct fx *f)
{
	delegation(f);
	one_approver(f);
}

static const struct row reach_rows[] = {
	{ "an origin of the broker and not", page_own, page_own_of_broker_too,
	    LB_ERR_FORMAT, 0 },
	{ "an origin of the broker for another RP-ID", page_own,
	    page_own_of_broker_for_other_rp, LB_ERR_FORMAT, 0 },
	{ "one owner", two_and_two, one_owner, LB_ERR_STATE, 0 },
	{ "one approver", two_and_two, one_approver, LB_ERR_STATE, 0 },
	{ "two hooks, no approver", one_approver_and_hooks,
	    no_approver_and_hooks, LB_ERR_STATE, 0 },
	{ "owners of one key", two_and_two, owners_one_key, LB_ERR_STATE, 0 },
	{ "owners of one name", two_and_two, owners_one_name, LB_ERR_STATE, 0 },
	{ "four of three", threshold_three, threshold_four, LB_ERR_STATE, 0 },
	{ "touch with one device", sk_pair, one_sk_only, LB_ERR_STATE, 0 },
	{ "verified with one device", sk_pair_verified, one_sk_only,
	    LB_ERR_STATE, 0 },
	{ "passkeys without a page", passkey_pair, pages_gone, LB_ERR_STATE,
	    1 },
	{ "passkeys with another page", passkey_pair, page_of_other_rp,
	    LB_ERR_STATE, 1 },
	{ "owners on the broker's page", passkey_pair, page_is_broker,
	    LB_ERR_STATE, 1 },
	{ "a delegate for an approver", two_and_two, one_approver_and_delegate,
	    LB_ERR_STATE, 0 },
};

static void
test_parse_reach(void **state)
{
	(void)state;
	PARSE_CHECK(reach_rows);
}

/* Plain hooks count under "require"; approvers on the broker's page count. */
static void
test_parse_reach_of_the_lenient(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	sk_pair(f);
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin(f, FX_APPROVERS, FX_SK2, DAVE, LB_NS_TRUST);
	assert_int_equal(fx_seal_trust(f), LB_OK);
	f->trust.hook.count = 0;
	assert_int_equal(fx_seal_trust(f), LB_ERR_STATE);
	fx_free(f);
	if (!fx_has_p256())
		return;
	f = fx_new();
	f->trust.hook.count = 0;
	two_and_two(f);
	fx_unpin(f, FX_APPROVERS, ERIN);
	fx_pin(f, FX_APPROVERS, FX_PASS_BROKER, ERIN, LB_NS_APPROVE);
	fx_page(f, FX_BROKER_RP " " FX_PAGE_BROKER " broker");
	assert_int_equal(fx_seal_trust(f), LB_OK);
	fx_free(f);
}

/* Outputs are untouched on error; every truncation is one. */
static void
test_parse_truncated(void **state)
{
	struct fx *f = fx_new();
	struct lb_trust *mark = (struct lb_trust *)f, *t = mark;
	const struct lb_buf *text = &f->paper[FX_TRUST].text;

	(void)state;
	assert_int_equal(fx_seal_trust(f), LB_OK);
	for (size_t len = 0; len < text->len; len++) {
		/* What is optional may be missing at the end. */
		if (len > 0 && text->data[len - 1] == '\n')
			continue;
		assert_int_not_equal(
		    lb_trust_parse(text->data, len, &t), LB_OK);
		assert_ptr_equal(t, mark);
	}
	fx_free(f);
}

/* --- the chain ----------------------------------------------------------------- */

/*
 * A document that owners are still signing. Whatever makes it follow, or keeps
 * it from following, but missing owners, does the same here.
 */
static void
propose_beside(const struct fx *f, const struct lb_trust *current,
    const struct lb_part *part, enum lb_err followed)
{
	struct lb_trust_signers s = { .count = 99 };
	struct lb_trust *t = NULL;
	enum lb_err r;

	r = lb_trust_propose(current, part, f->now, &s, &t);
	if (followed == LB_ERR_SIGNATURE && r == LB_OK) {
		assert_int_equal(s.count, current->threshold - 1);
		assert_string_equal(s.who[0]->principal, CAROL);
	} else {
		assert_int_equal(r, followed);
		assert_int_equal(s.count, r == LB_OK ? 2 : 99);
	}
	if (r == LB_OK)
		assert_string_equal(t->id, part->id);
	else
		assert_null(t);
	lb_trust_free(t);
}

/*
 * The first document is the fixture's, with "given"; the second follows it,
 * with "change"; carol and dave sign it.
 */
static enum lb_err
follow(const struct row *row, bool changed, struct lb_trust **ret)
{
	struct lb_buf text = { 0 };
	struct lb_trust *current;
	struct lb_bundle *b;
	struct fx *f = fx_new();
	enum lb_err r;

	f->now += 10; /* away from the dates that the rows use */
	if (row->given != NULL)
		row->given(f);
	assert_int_equal(fx_seal_trust(f), LB_OK);
	current = f->t;
	f->t = NULL; /* kept over the next sealing */
	f->trust.serial++;
	SET(f->trust.previous, current->id);
	f->trust.longest = 3600;
	if (changed)
		row->change(f);
	(void)fx_seal_trust(f); /* follow says it */
	b = fx_trust_bundle(f, &text);
	r = lb_trust_follow(current, &b->part[0], f->now, ret);
	if (r == LB_OK)
		assert_string_equal((*ret)->id, f->paper[FX_TRUST].id);
	propose_beside(f, current, &b->part[0], r);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	lb_trust_free(current);
	fx_free(f);
	return r;
}

static void
other_tenant(struct fx *f)
{
	SET(f->trust.tenant, "globex");
}

static void
serial_skipped(struct fx *f)
{
	f->trust.serial++;
}

static void
starts_at_five(struct fx *f)
{
	f->trust.serial = 5;
	SET(f->trust.previous,
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000000");
}

static void
serial_the_same(struct fx *f)
{
	f->trust.serial--;
}

static void
serial_back(struct fx *f)
{
	f->trust.serial -= 2;
}

static void
previous_other(struct fx *f)
{
	SET(f->trust.previous,
	    "sha256:00000000000000000000000000000000"
	    "00000000000000000000000000000001");
}

static void
dave_silent(struct fx *f)
{
	fx_unorder(f, FX_TRUST, FX_DAVE);
}

static void
nobody_signs(struct fx *f)
{
	dave_silent(f);
	fx_unorder(f, FX_TRUST, FX_CAROL);
}

static void
dave_is(struct fx *f, enum fx_who who)
{
	fx_find(f, FX_TRUST, FX_DAVE)->who = who;
}

static void
dave_is_mallory(struct fx *f)
{
	dave_is(f, FX_MALLORY);
}

static void
dave_is_a_hook(struct fx *f)
{
	dave_is(f, FX_CI);
}

static void
dave_is_the_broker(struct fx *f)
{
	dave_is(f, FX_BROKER);
}

static void
dave_is_carol(struct fx *f)
{
	dave_is(f, FX_CAROL);
}

static void
dave_approves(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_DAVE)->ns = LB_NS_APPROVE;
}

static void
dave_broken(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_DAVE)->broken = true;
}

/* The next document pins mallory as an owner; he signs it. */
static void
new_owner_signs(struct fx *f)
{
	fx_pin(f, FX_APPROVERS, FX_MALLORY, "mallory", FX_APPROVER_NS);
	dave_is_mallory(f);
}

/* The next document asks for one owner only; one signs it. */
static void
threshold_lowered(struct fx *f)
{
	f->trust.threshold = 1;
	dave_silent(f);
}

static void
carol_two_keys(struct fx *f)
{
	fx_pin(f, FX_APPROVERS, FX_MALLORY, CAROL, FX_APPROVER_NS);
}

static void
carol_two_names(struct fx *f)
{
	fx_pin(f, FX_APPROVERS, FX_CAROL, "cecil@acme.example", FX_APPROVER_NS);
}

static void
dave_no_owner(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin(f, FX_APPROVERS, FX_DAVE, DAVE, FX_HOOK_NS);
	fx_order(f, FX_TRUST, FX_ERIN, LB_NS_TRUST);
}

static void
erin_silent(struct fx *f)
{
	fx_unorder(f, FX_TRUST, FX_ERIN);
}

static void
dave_dated(struct fx *f)
{
	fx_unpin(f, FX_APPROVERS, DAVE);
	fx_pin_dated(
	    f, FX_APPROVERS, FX_DAVE, DAVE, FX_APPROVER_NS, f->now, f->now + 1);
}

static void
second_later(struct fx *f)
{
	f->now++;
}

static void
second_sooner(struct fx *f)
{
	f->now--;
}

static void
dave_untouched(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_SK2)->flags = LB_SIG_VERIFIED;
}

static void
dave_unverified(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_SK2)->flags = LB_SIG_TOUCH;
}

/* What the next document requires is not what binds its signatures. */
static void
require_dropped_untouched(struct fx *f)
{
	SET(f->trust.require, "any");
	dave_untouched(f);
}

static void
dave_elsewhere(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_PASS2)->origin = "https://evil.acme.example";
}

static void
two_pages(struct fx *f)
{
	passkey_pair(f);
	fx_page(f, FX_PASSKEY_RP " https://portal.acme.example broker");
}

/* Pinned, but the broker serves it. */
static void
dave_on_brokers_page(struct fx *f)
{
	fx_find(f, FX_TRUST, FX_PASS2)->origin = "https://portal.acme.example";
}

static void
owners_unreachable(struct fx *f)
{
	f->trust.threshold = 9;
}

static void
unknown_line(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_TRUST)
		fx_replace(text, "lease: ", "shell: yes\nlease: ");
	(void)f;
}

static void
does_not_parse(struct fx *f)
{
	f->before = unknown_line;
}

static void
lease_shorter(struct fx *f, enum fx_doc doc, struct lb_buf *text)
{
	if (doc == FX_TRUST)
		fx_replace(text, "lease: 1800", "lease: 1801");
	(void)f;
}

static void
altered(struct fx *f)
{
	f->tamper = lease_shorter;
}

static void
delegate_signs(struct fx *f)
{
	dave_is(f, FX_MANAGER);
}

static const struct row follow_rows[] = {
	{ "another tenant", NULL, other_tenant, LB_ERR_STATE, 0 },
	{ "serial skipped", NULL, serial_skipped, LB_ERR_STATE, 0 },
	{ "the same serial", starts_at_five, serial_the_same, LB_ERR_STATE, 0 },
	{ "an older serial", starts_at_five, serial_back, LB_ERR_STATE, 0 },
	{ "another previous", NULL, previous_other, LB_ERR_STATE, 0 },
	{ "nobody signs", NULL, nobody_signs, LB_ERR_SIGNATURE, 0 },
	{ "one owner signs", NULL, dave_silent, LB_ERR_SIGNATURE, 0 },
	{ "a stranger", NULL, dave_is_mallory, LB_ERR_SIGNATURE, 0 },
	{ "a hook", NULL, dave_is_a_hook, LB_ERR_SIGNATURE, 0 },
	{ "the broker", NULL, dave_is_the_broker, LB_ERR_SIGNATURE, 0 },
	{ "a delegate", delegation, delegate_signs, LB_ERR_SIGNATURE, 0 },
	{ "carol twice", NULL, dave_is_carol, LB_ERR_SIGNATURE, 0 },
	{ "carol with two keys", carol_two_keys, dave_is_mallory,
	    LB_ERR_SIGNATURE, 0 },
	{ "carol with two names", carol_two_names, dave_silent,
	    LB_ERR_SIGNATURE, 0 },
	{ "as an approval", NULL, dave_approves, LB_ERR_SIGNATURE, 0 },
	{ "broken", NULL, dave_broken, LB_ERR_SIGNATURE, 0 },
	{ "altered", NULL, altered, LB_ERR_SIGNATURE, 0 },
	{ "owner only of the next", NULL, new_owner_signs, LB_ERR_SIGNATURE,
	    0 },
	{ "threshold of the next", NULL, threshold_lowered, LB_ERR_SIGNATURE,
	    0 },
	{ "approver, not owner", dave_no_owner, erin_silent, LB_ERR_SIGNATURE,
	    0 },
	{ "past the key's dates", dave_dated, second_later, LB_ERR_SIGNATURE,
	    0 },
	{ "before the key's dates", dave_dated, second_sooner, LB_ERR_SIGNATURE,
	    0 },
	{ "untouched", sk_pair, dave_untouched, LB_ERR_SIGNATURE, 0 },
	{ "unverified", sk_pair_verified, dave_unverified, LB_ERR_SIGNATURE,
	    0 },
	{ "untouched, by the next's rule", sk_pair, require_dropped_untouched,
	    LB_ERR_SIGNATURE, 0 },
	{ "passkey elsewhere", passkey_pair, dave_elsewhere, LB_ERR_SIGNATURE,
	    1 },
	{ "passkey on the broker's page", two_pages, dave_on_brokers_page,
	    LB_ERR_SIGNATURE, 1 },
	{ "next out of reach", NULL, owners_unreachable, LB_ERR_STATE, 0 },
	{ "next does not parse", NULL, does_not_parse, LB_ERR_FORMAT, 0 },
};

static void
test_follow(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(follow_rows) / sizeof(follow_rows[0]);
	     i++) {
		const struct row *row = &follow_rows[i];
		struct lb_trust *t = NULL;
		enum lb_err r;

		if (row->p256 && !fx_has_p256())
			continue;
		r = follow(row, false, &t);
		if (r != LB_OK)
			fail_msg("%s: control: %s", row->name, lb_err_text(r));
		lb_trust_free(t);
		t = NULL;
		r = follow(row, true, &t);
		if (r != row->want)
			fail_msg("%s: %s", row->name, lb_err_text(r));
		assert_null(t);
	}
}

/* Each signature by itself: whose it is, if it counts. */
static void
test_owner_signed(void **state)
{
	struct fx *f = fx_new();
	struct lb_buf text = { 0 };
	struct lb_bundle *b;
	const char *who[8] = { 0 };

	(void)state;
	sk_pair(f);
	fx_order(f, FX_TRUST, FX_MALLORY, LB_NS_TRUST);
	fx_find(f, FX_TRUST, FX_SK2)->flags = 0;
	assert_int_equal(fx_seal_trust(f), LB_OK);
	b = fx_trust_bundle(f, &text);
	assert_true(b->part[0].sig_count <= 8);
	for (size_t i = 0; i < b->part[0].sig_count; i++) {
		const struct lb_pinned *owner =
		    lb_trust_owner_signed(f->t, &b->part[0], i, f->now);
		struct lb_sshsig sig;

		assert_int_equal(lb_sshsig_parse(b->part[0].sigs[i].text,
				     b->part[0].sigs[i].len, &sig),
		    LB_OK);
		if (owner == NULL)
			continue;
		assert_string_equal(owner->key.fp, sig.key.fp);
		who[i] = owner->principal;
	}
	/* carol touched her device; dave did not, and mallory is a stranger */
	assert_string_equal(who[0], CAROL);
	for (size_t i = 1; i < 8; i++)
		assert_null(who[i]);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	fx_free(f);
}

/* One owner is enough to propose, none is not. */
static void
test_propose_needs_an_owner(void **state)
{
	struct fx *f = fx_new();
	struct lb_trust *current, *t = NULL;

	(void)state;
	assert_int_equal(fx_seal_trust(f), LB_OK);
	current = f->t;
	f->t = NULL; /* kept over the next sealing */
	f->trust.serial++;
	SET(f->trust.previous, current->id);
	for (int owners = 1; owners >= 0; owners--) {
		struct lb_trust_signers s = { .count = 99 };
		struct lb_buf text = { 0 };
		struct lb_bundle *b;

		if (owners == 1)
			dave_silent(f);
		else
			fx_unorder(f, FX_TRUST, FX_CAROL);
		assert_int_equal(fx_seal_trust(f), LB_OK);
		b = fx_trust_bundle(f, &text);
		assert_int_equal(
		    lb_trust_propose(current, &b->part[0], f->now, &s, &t),
		    owners == 1 ? LB_OK : LB_ERR_SIGNATURE);
		assert_int_equal(s.count, owners == 1 ? 1 : 99);
		lb_trust_free(t);
		t = NULL;
		lb_bundle_free(b);
		lb_buf_clear(&text);
	}
	lb_trust_free(current);
	fx_free(f);
}

static void
already_over(struct fx *f)
{
	f->trust.good_until = f->now - 1;
}

/* A document past its good-until still verifies its successor. */
static void
test_follow_after_good_until(void **state)
{
	static const struct row over = { "over", already_over, NULL, 0, 0 };
	struct lb_trust *t = NULL;

	(void)state;
	assert_int_equal(follow(&over, false, &t), LB_OK);
	lb_trust_free(t);
}

static void
test_follow_other_type(void **state)
{
	struct fx *f = fx_new();
	struct lb_trust *t = NULL;

	(void)state;
	fx_order(f, FX_GRANT, FX_CAROL, LB_NS_TRUST);
	fx_order(f, FX_GRANT, FX_DAVE, LB_NS_TRUST);
	fx_seal(f);
	assert_int_equal(
	    lb_trust_follow(f->t, fx_part(f, FX_GRANT), f->now, &t),
	    LB_ERR_FORMAT);
	assert_null(t);
	fx_free(f);
}

static void
test_selfsigned(void **state)
{
	struct fx *f = fx_new();
	struct lb_buf text = { 0 };
	struct lb_bundle *b;

	(void)state;
	fx_order(f, FX_GRANT, FX_CAROL, LB_NS_TRUST);
	fx_order(f, FX_GRANT, FX_DAVE, LB_NS_TRUST);
	fx_seal(f);
	b = fx_trust_bundle(f, &text);
	assert_int_equal(lb_trust_selfsigned(f->t, &b->part[0], f->now), LB_OK);
	assert_int_equal(
	    lb_trust_selfsigned(f->t, fx_part(f, FX_GRANT), f->now),
	    LB_ERR_STATE);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	dave_silent(f);
	assert_int_equal(fx_seal_trust(f), LB_OK);
	b = fx_trust_bundle(f, &text);
	assert_int_equal(
	    lb_trust_selfsigned(f->t, &b->part[0], f->now), LB_ERR_SIGNATURE);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	fx_free(f);
}

/* --- counting ------------------------------------------------------------------- */

static struct lb_quorum *
count(struct fx *f)
{
	struct lb_quorum *q = malloc(sizeof(*q));

	assert_non_null(q);
	fx_seal(f);
	memset(q, 0xa5, sizeof(*q));
	lb_trust_count_approvals(
	    f->t, fx_part(f, FX_GRANT), &f->grant[0], f->now, q);
	return q;
}

static bool
quorum_has(const struct lb_quorum *q, const char *principal, const char *fp)
{
	for (size_t i = 0; i < q->counted; i++) {
		if (strcmp(q->who[i].principal, principal) == 0 &&
		    strcmp(q->who[i].fp, fp) == 0)
			return true;
	}
	return false;
}

static void
test_count_who(void **state)
{
	struct fx *f = fx_new();
	struct lb_quorum *q;

	(void)state;
	fx_order(f, FX_GRANT, FX_MALLORY, LB_NS_APPROVE);
	fx_order(f, FX_GRANT, FX_CI, LB_NS_APPROVE);
	fx_order(f, FX_GRANT, FX_DESK, LB_NS_APPROVE);
	q = count(f);
	assert_true(q->reached);
	assert_false(q->by_delegate);
	assert_null(q->code);
	assert_int_equal(q->needed, 2);
	assert_int_equal(q->counted, 3); /* one hook */
	assert_true(quorum_has(q, CAROL, f->key[FX_CAROL].pub.fp));
	assert_true(quorum_has(q, DAVE, f->key[FX_DAVE].pub.fp));
	assert_int_not_equal(quorum_has(q, "ci", f->key[FX_CI].pub.fp),
	    quorum_has(q, "desk", f->key[FX_DESK].pub.fp));
	free(q);
	fx_free(f);
}

static void
test_count_missing(void **state)
{
	struct fx *f = fx_new();
	struct lb_quorum *q;

	(void)state;
	fx_unorder(f, FX_GRANT, FX_DAVE);
	q = count(f);
	assert_false(q->reached);
	assert_string_equal(q->code, "approvals_missing");
	assert_int_equal(q->counted, 1);
	assert_int_equal(q->needed, 2);
	assert_true(quorum_has(q, CAROL, f->key[FX_CAROL].pub.fp));
	free(q);
	fx_free(f);
}

/* A person with two keys and a person with one of them: two people. */
static void
test_count_moves_aside(void **state)
{
	struct fx *f = fx_new();
	struct lb_quorum *q;

	(void)state;
	fx_pin(f, FX_APPROVERS, FX_MALLORY, CAROL, FX_APPROVER_NS);
	fx_pin(f, FX_APPROVERS, FX_CAROL, "aaron@acme.example", FX_APPROVER_NS);
	fx_unorder(f, FX_GRANT, FX_DAVE);
	fx_order(f, FX_GRANT, FX_MALLORY, LB_NS_APPROVE);
	q = count(f);
	assert_true(q->reached);
	assert_int_equal(q->counted, 2);
	free(q);
	fx_free(f);
}

/* A hook of the same key or name as an approver makes no second. */
static void
test_count_hook_is_approver(void **state)
{
	for (int by_name = 0; by_name < 2; by_name++) {
		struct fx *f = fx_new();
		struct lb_quorum *q;

		if (by_name)
			fx_pin(f, FX_HOOKS, FX_MALLORY, CAROL, FX_HOOK_NS);
		else
			fx_pin(
			    f, FX_HOOKS, FX_CAROL, "carols-hook", FX_HOOK_NS);
		fx_unorder(f, FX_GRANT, FX_DAVE);
		fx_order(f, FX_GRANT, FX_CI, LB_NS_APPROVE);
		q = count(f);
		assert_true(q->reached); /* by another hook */
		free(q);
		fx_unorder(f, FX_GRANT, FX_CI);
		if (by_name)
			fx_order(f, FX_GRANT, FX_MALLORY, LB_NS_APPROVE);
		q = count(f);
		assert_false(q->reached);
		assert_int_equal(q->counted, 1);
		free(q);
		fx_free(f);
	}
	(void)state;
}

/* With a threshold of one a hook alone is enough. */
static void
test_count_hook_alone(void **state)
{
	struct fx *f = fx_new();
	struct lb_quorum *q;

	(void)state;
	f->trust.threshold = 1;
	fx_unorder(f, FX_GRANT, FX_DAVE);
	fx_find(f, FX_GRANT, FX_CAROL)->who = FX_CI;
	q = count(f);
	assert_true(q->reached);
	assert_int_equal(q->counted, 1);
	free(q);
	fx_free(f);
}

static void
test_count_delegate(void **state)
{
	struct fx *f = fx_new();
	struct lb_quorum *q;

	(void)state;
	delegation(f);
	fx_pin(
	    f, FX_DELEGATES, FX_MALLORY, "second@provider.example", FX_HOOK_NS);
	fx_unorder(f, FX_GRANT, FX_DAVE);
	fx_order(f, FX_GRANT, FX_MANAGER, LB_NS_APPROVE);
	fx_order(f, FX_GRANT, FX_MALLORY, LB_NS_APPROVE);
	q = count(f);
	assert_true(q->reached);
	assert_true(q->by_delegate);
	assert_int_equal(q->counted, 1);
	assert_int_equal(q->needed, 1);
	free(q);
	f->now = f->trust.delegate_until;
	q = count(f);
	assert_false(q->reached);
	assert_false(q->by_delegate);
	assert_string_equal(q->code, "delegation_over");
	assert_int_equal(q->needed, 2);
	assert_int_equal(q->counted, 1);
	free(q);
	fx_free(f);
}

/* --- closing, requests, answers --------------------------------------------------- */

static void
test_closed_by_names_who(void **state)
{
	char who[LB_PRINCIPAL_MAX + 1] = "untouched";
	struct fx *f = fx_new();

	(void)state;
	fx_seal(f);
	assert_false(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_REVOKE, f->now, who));
	assert_string_equal(who, "untouched");
	fx_order(f, FX_GRANT, FX_DESK, LB_NS_REVOKE);
	fx_seal(f);
	assert_true(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_REVOKE, f->now, who));
	assert_string_equal(who, "desk");
	assert_true(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_REVOKE, f->now, NULL));
	assert_false(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_DENY, f->now, who));
	fx_free(f);
}

/* Pages bind who closes, "require" does not. */
static void
test_closed_by_passkey(void **state)
{
	struct fx *f;

	(void)state;
	if (!fx_has_p256())
		return;
	f = fx_new();
	page_own(f);
	fx_pin(f, FX_APPROVERS, FX_PASS1, "frank@acme.example", LB_NS_REVOKE);
	sk_pair_verified(f);
	fx_order(f, FX_GRANT, FX_PASS1, LB_NS_REVOKE);
	fx_find(f, FX_GRANT, FX_PASS1)->origin = FX_PAGE_OWN;
	fx_seal(f);
	assert_true(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_REVOKE, f->now, NULL));
	fx_find(f, FX_GRANT, FX_PASS1)->origin = FX_PAGE_BROKER;
	fx_seal(f);
	assert_false(lb_trust_closed_by(
	    f->t, fx_part(f, FX_GRANT), LB_NS_REVOKE, f->now, NULL));
	fx_free(f);
}

static void
test_request_signed(void **state)
{
	struct fx *f = fx_new();

	(void)state;
	fx_pin(f, FX_ENGINEERS, FX_BOB_LOGIN, "bob@provider.example",
	    LB_NS_REQUEST);
	fx_seal(f);
	assert_true(lb_trust_request_signed(
	    f->t, fx_part(f, FX_REQUEST), &f->request, f->now));
	SET(f->request.engineer, "bob@provider.example");
	assert_false(lb_trust_request_signed(
	    f->t, fx_part(f, FX_REQUEST), &f->request, f->now));
	fx_free(f);
}

/* One name, two lines: the broker's old and its new key. */
static void
test_answer_signed_by_either_key(void **state)
{
	for (int which = 0; which < 2; which++) {
		struct fx *f = fx_new();
		const struct lb_part *part;

		fx_pin(f, FX_BROKERS, FX_BROKER_NEXT, "lockbox.example",
		    LB_NS_ANSWER);
		fx_pin(f, FX_BROKERS, FX_OTHER, "other.example", LB_NS_ANSWER);
		if (which == 1)
			fx_find(f, FX_ANSWER, FX_BROKER)->who = FX_BROKER_NEXT;
		fx_seal(f);
		part = fx_part(f, FX_ANSWER);
		assert_true(lb_trust_answer_signed(
		    f->t, part, "lockbox.example", f->now));
		assert_false(lb_trust_answer_signed(
		    f->t, part, "other.example", f->now));
		assert_false(lb_trust_answer_signed(
		    f->t, part, "lockbox.exampl", f->now));
		fx_free(f);
	}
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_fields),
		cmocka_unit_test(test_parse_words),
		cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_parse_pages),
		cmocka_unit_test(test_parse_page_lengths),
		cmocka_unit_test(test_parse_reach),
		cmocka_unit_test(test_parse_reach_of_the_lenient),
		cmocka_unit_test(test_parse_truncated),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_owner_signed),
		cmocka_unit_test(test_propose_needs_an_owner),
		cmocka_unit_test(test_follow_after_good_until),
		cmocka_unit_test(test_follow_other_type),
		cmocka_unit_test(test_selfsigned),
		cmocka_unit_test(test_count_who),
		cmocka_unit_test(test_count_missing),
		cmocka_unit_test(test_count_moves_aside),
		cmocka_unit_test(test_count_hook_is_approver),
		cmocka_unit_test(test_count_hook_alone),
		cmocka_unit_test(test_count_delegate),
		cmocka_unit_test(test_closed_by_names_who),
		cmocka_unit_test(test_closed_by_passkey),
		cmocka_unit_test(test_request_signed),
		cmocka_unit_test(test_answer_signed_by_either_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
