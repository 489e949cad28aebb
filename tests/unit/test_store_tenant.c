/* The store: what stands beside a tenant's trust document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>

#include "fixture.h"
#include "store.h"

#define NOW INT64_C(1772460000)

struct place {
	char dir[64], path[96];
	struct store *st;
};

static enum lb_err
commit(struct place *p, struct change *c)
{
	struct lb_event *e = &c->event[0];

	c->event_count = 1;
	memset(e, 0, sizeof(*e));
	ROW_TEXT(e->event, "something.happened");
	ROW_TEXT(e->tenant, "acme");
	ROW_TEXT(e->actor, "somebody");
	e->at = NOW;
	return store_commit(p->st, c);
}

/* The tenant's next trust document; what it says does not matter here. */
static enum lb_err
trust_add(struct place *p, const char *tenant, int64_t serial)
{
	struct trust_row t = { .serial = serial, .added_at = NOW };
	struct change c = { .trust = &t };
	enum lb_err r;

	ROW_TEXT(t.tenant, tenant);
	(void)snprintf(t.sha256, sizeof(t.sha256), "sha256:%s-%lld", tenant,
	    (long long)serial);
	assert_int_equal(lb_buf_adds(&t.bundle, "text"), LB_OK);
	r = commit(p, &c);
	trust_row_clear(&t);
	return r;
}

static void
tenant_add(struct place *p, const char *name)
{
	struct tenant_row t = { .created_at = NOW };
	struct change c = { .tenant = &t };

	ROW_TEXT(t.name, name);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(trust_add(p, name, 1), LB_OK);
}

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/lockbox-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/broker.db", p->dir);
	assert_int_equal(store_open(&store_sqlite, p->path, 2, &p->st), LB_OK);
	tenant_add(p, "acme");
	tenant_add(p, "zeta");
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct place *p = *state;
	char path[128];

	store_close(p->st);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s%s", p->path, ends[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

/* --- proposals --------------------------------------------------------------- */

static void
sign(struct proposal_row *q, const char *who)
{
	struct signing s = { .at = NOW + (int64_t)q->signing_count };

	ROW_TEXT(s.principal, who);
	(void)snprintf(s.key_fp, sizeof(s.key_fp), "SHA256:%s", who);
	(void)snprintf(s.signature, sizeof(s.signature), "armor of %s", who);
	assert_int_equal(proposal_row_sign(q, &s), LB_OK);
}

static void
proposal_fill(struct proposal_row *q, const char *text, int64_t serial)
{
	memset(q, 0, sizeof(*q));
	ROW_TEXT(q->tenant, "acme");
	ROW_TEXT(q->by, "anna");
	q->serial = serial;
	q->at = NOW;
	assert_int_equal(lb_buf_adds(&q->text, text), LB_OK);
	lb_doc_id(text, strlen(text), q->sha256);
	sign(q, "anna");
}

static enum lb_err
propose(struct place *p, const struct proposal_row *q,
    const struct proposal_row *gone)
{
	struct change c = { .proposal = q, .proposal_gone = gone };

	return commit(p, &c);
}

static enum lb_err
get(struct place *p, struct proposal_row *ret)
{
	proposal_row_clear(ret);
	return store_proposal_get(p->st, "acme", ret);
}

static void
test_proposal_round_trip(void **state)
{
	struct place *p = *state;
	struct proposal_row q, got = { 0 };

	proposal_fill(&q, "lockbox-trust-v1\n", 2);
	assert_int_equal(get(p, &got), LB_ERR_MISSING);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	assert_int_equal(get(p, &got), LB_OK);
	assert_int_equal(got.version, 1);
	assert_string_equal(got.sha256, q.sha256);
	assert_string_equal(got.by, "anna");
	assert_int_equal(got.serial, 2);
	assert_int_equal(got.at, NOW);
	assert_int_equal(got.text.len, q.text.len);
	assert_int_equal(got.signing_count, 1);
	sign(&got, "bert");
	assert_int_equal(propose(p, &got, NULL), LB_OK);
	assert_int_equal(get(p, &got), LB_OK);
	assert_int_equal(got.version, 2);
	assert_int_equal(got.signing_count, 2);
	assert_string_equal(got.signing[0].principal, "anna");
	assert_string_equal(got.signing[1].principal, "bert");
	assert_string_equal(got.signing[1].key_fp, "SHA256:bert");
	assert_string_equal(got.signing[1].signature, "armor of bert");
	assert_int_equal(got.signing[1].at, NOW + 1);
	assert_int_equal(
	    store_proposal_get(p->st, "zeta", &got), LB_ERR_MISSING);
	proposal_row_clear(&got);
	proposal_row_clear(&q);
}

/* Two owners sign at once: the slower one reads again. */
static void
test_proposal_version_decides(void **state)
{
	struct place *p = *state;
	struct proposal_row q, one = { 0 }, two = { 0 };

	proposal_fill(&q, "lockbox-trust-v1\n", 2);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	assert_int_equal(propose(p, &q, NULL), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &one), LB_OK);
	assert_int_equal(get(p, &two), LB_OK);
	sign(&one, "bert");
	sign(&two, "cleo");
	assert_int_equal(propose(p, &one, NULL), LB_OK);
	assert_int_equal(propose(p, &two, NULL), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &two), LB_OK);
	assert_int_equal(two.signing_count, 2);
	sign(&two, "bert"); /* one signature of each key */
	assert_int_equal(propose(p, &two, NULL), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &two), LB_OK);
	sign(&two, "cleo");
	assert_int_equal(propose(p, &two, NULL), LB_OK);
	proposal_row_clear(&one);
	proposal_row_clear(&two);
	proposal_row_clear(&q);
}

static void
test_proposal_is_the_next_serial(void **state)
{
	struct place *p = *state;
	struct proposal_row q;

	proposal_fill(&q, "lockbox-trust-v1\n", 3);
	assert_int_equal(propose(p, &q, NULL), LB_ERR_CONFLICT);
	q.serial = 1;
	assert_int_equal(propose(p, &q, NULL), LB_ERR_CONFLICT);
	assert_int_equal(trust_add(p, "acme", 2), LB_OK);
	q.serial = 2; /* as it was when its owner looked */
	assert_int_equal(propose(p, &q, NULL), LB_ERR_CONFLICT);
	q.serial = 3;
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	proposal_row_clear(&q);
}

/* It goes with the trust document of its tenant, in one transaction. */
static void
test_proposal_goes_with_trust(void **state)
{
	struct place *p = *state;
	struct proposal_row q, got = { 0 };

	proposal_fill(&q, "lockbox-trust-v1\n", 2);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	assert_int_equal(trust_add(p, "zeta", 2), LB_OK);
	assert_int_equal(get(p, &got), LB_OK);
	assert_int_equal(trust_add(p, "acme", 1), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &got), LB_OK);
	assert_int_equal(trust_add(p, "acme", 2), LB_OK);
	assert_int_equal(get(p, &got), LB_ERR_MISSING);
	/* the signatures went too: the same owner may sign the next one */
	proposal_row_clear(&q);
	proposal_fill(&q, "lockbox-trust-v1\nnext\n", 3);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	proposal_row_clear(&q);
	proposal_row_clear(&got);
}

static void
test_proposal_replaced_or_withdrawn(void **state)
{
	struct place *p = *state;
	struct proposal_row q, other, got = { 0 };
	struct change c = { .proposal_gone = &got };

	proposal_fill(&q, "lockbox-trust-v1\n", 2);
	proposal_fill(&other, "lockbox-trust-v1\nother\n", 2);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	assert_int_equal(propose(p, &other, NULL), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &got), LB_OK);
	assert_int_equal(propose(p, &other, &got), LB_OK);
	/* the version is the same, the text is not */
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(propose(p, &got, NULL), LB_ERR_CONFLICT);
	assert_int_equal(get(p, &got), LB_OK);
	assert_string_equal(got.sha256, other.sha256);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(get(p, &got), LB_ERR_MISSING);
	proposal_row_clear(&q);
	proposal_row_clear(&other);
}

static void
sql(struct place *p, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
test_proposal_is_its_text(void **state)
{
	struct place *p = *state;
	struct proposal_row q, got = { 0 };

	proposal_fill(&q, "lockbox-trust-v1\n", 2);
	assert_int_equal(propose(p, &q, NULL), LB_OK);
	assert_int_equal(get(p, &got), LB_OK);
	sql(p, "UPDATE proposal SET text = text || 'more'");
	assert_int_equal(get(p, &got), LB_ERR_STORE);
	proposal_row_clear(&q);
}

/* --- contacts ---------------------------------------------------------------- */

static bool
contact_see(void *arg, const struct contact_row *row)
{
	char *seen = arg;

	(void)strcat(strcat(seen, row->principal), " ");
	return true;
}

static void
test_contact_round_trip(void **state)
{
	struct place *p = *state;
	struct contact_row row = { .links = true, .language = "en" }, got;
	struct change c = { .contact = &row };
	char seen[64] = "";

	ROW_TEXT(row.tenant, "acme");
	ROW_TEXT(row.principal, "bert");
	ROW_TEXT(row.mail, "bert@acme.example");
	assert_int_equal(
	    store_contact_get(p->st, "acme", "bert", &got), LB_ERR_MISSING);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(store_contact_get(p->st, "acme", "bert", &got), LB_OK);
	assert_string_equal(got.mail, row.mail);
	assert_string_equal(got.language, "en");
	assert_true(got.links);
	row = got;
	row.links = false;
	row.mail[0] = '\0';
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT); /* an old version */
	assert_int_equal(store_contact_get(p->st, "acme", "bert", &got), LB_OK);
	assert_string_equal(got.mail, "");
	assert_false(got.links);
	row.version = 0;
	ROW_TEXT(row.principal, "anna");
	assert_int_equal(commit(p, &c), LB_OK);
	ROW_TEXT(row.tenant, "zeta");
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(
	    store_contact_each(p->st, "acme", contact_see, seen), LB_OK);
	assert_string_equal(seen, "anna bert ");
}

/* --- invitations and candidates ---------------------------------------------- */

static void
invitation_fill(struct invitation_row *i, const char *tenant, const char *id)
{
	memset(i, 0, sizeof(*i));
	ROW_TEXT(i->tenant, tenant);
	ROW_TEXT(i->principal, "dora");
	ROW_TEXT(i->id, id);
	ROW_TEXT(i->invited_by, "anna");
	ROW_TEXT(i->salt, "0123456789abcdef0123456789abcdef");
	i->owner = true;
	i->invited_at = NOW;
	i->expires_at = NOW + 60;
}

static bool
invitation_count(void *arg, const struct invitation_row *row)
{
	size_t *n = arg;

	assert_string_equal(row->tenant, "acme");
	++*n;
	return true;
}

static void
test_invitation_round_trip(void **state)
{
	struct place *p = *state;
	struct invitation_row row, got;
	struct change c = { .invitation = &row };
	size_t n = 0;

	invitation_fill(&row, "acme", "01JNBWQ7000000000000000001");
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(
	    store_invitation_get(p->st, "acme", "dora", &got), LB_OK);
	assert_string_equal(got.id, row.id);
	assert_string_equal(got.salt, row.salt);
	assert_string_equal(got.invited_by, "anna");
	assert_true(got.owner);
	assert_int_equal(got.invited_at, NOW);
	assert_int_equal(got.expires_at, NOW + 60);
	assert_int_equal(
	    store_invitation_get(p->st, "zeta", "dora", &got), LB_ERR_MISSING);
	/* the same id again is nobody's */
	invitation_fill(&row, "zeta", "01JNBWQ7000000000000000001");
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	ROW_TEXT(row.id, "01JNBWQ7000000000000000002");
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(
	    store_invitation_each(p->st, "acme", invitation_count, &n), LB_OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_invitation_by_id(p->st, row.id, &row), LB_OK);
	row.wrong_codes = 1;
	assert_int_equal(commit(p, &c), LB_OK);
	c.invitation_remove = true; /* with an old version */
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(store_invitation_by_id(p->st, row.id, &row), LB_OK);
	assert_int_equal(row.wrong_codes, 1);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(
	    store_invitation_by_id(p->st, row.id, &got), LB_ERR_MISSING);
}

static void
candidate_fill(struct candidate_row *c, const char *tenant, const char *id,
    const struct lb_sshkey *key)
{
	memset(c, 0, sizeof(*c));
	ROW_TEXT(c->tenant, tenant);
	ROW_TEXT(c->id, id);
	ROW_TEXT(c->principal, "dora");
	ROW_TEXT(c->key_fp, key->fp);
	ROW_TEXT(c->label, "a key");
	ROW_TEXT(c->origin, "https://acme.example");
	ROW_TEXT(c->invited_by, "anna");
	lb_sshkey_format(key, c->key);
	c->at = NOW;
}

static bool
candidate_see(void *arg, const struct candidate_row *row)
{
	char *seen = arg;

	(void)strcat(strcat(seen, row->id + LB_ID_LEN - 1), " ");
	return true;
}

static const char *
candidates(struct place *p, const char *tenant)
{
	static char seen[64];

	seen[0] = '\0';
	assert_int_equal(
	    store_candidate_each(p->st, tenant, candidate_see, seen), LB_OK);
	return seen;
}

/* What a trust document pins is no candidate any more, in its tenant. */
static void
test_candidate_goes_with_trust(void **state)
{
	static const char *const id[] = { "01JNBWQ7000000000000000001",
		"01JNBWQ7000000000000000002", "01JNBWQ7000000000000000003" };
	struct place *p = *state;
	struct fx *f = fx_new();
	struct trust_row t = { .serial = 2, .added_at = NOW };
	struct candidate_row row;
	struct change c = { .candidate = &row }, trust = { .trust = &t };
	struct lb_sshkey stranger;

	fx_seal(f);
	stranger = f->t->approver.item[0].key;
	stranger.pk[0] ^= 1;
	{
		char text[LB_KEY_TEXT_MAX + 1];

		lb_sshkey_format(&stranger, text);
		assert_int_equal(lb_sshkey_parse(text, &stranger), LB_OK);
	}
	candidate_fill(&row, "acme", id[0], &f->t->approver.item[0].key);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	candidate_fill(&row, "acme", id[1], &stranger);
	assert_int_equal(commit(p, &c), LB_OK);
	candidate_fill(&row, "zeta", id[2], &f->t->approver.item[0].key);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_string_equal(candidates(p, "acme"), "1 2 ");
	ROW_TEXT(t.tenant, "acme");
	ROW_TEXT(t.sha256, f->t->id);
	t.doc = f->t;
	assert_int_equal(lb_buf_adds(&t.bundle, "text"), LB_OK);
	assert_int_equal(commit(p, &trust), LB_OK);
	assert_string_equal(candidates(p, "acme"), "2 ");
	assert_string_equal(candidates(p, "zeta"), "3 ");
	assert_int_equal(store_candidate_by_id(p->st, id[1], &row), LB_OK);
	assert_string_equal(row.origin, "https://acme.example");
	c.candidate_remove = true;
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(
	    store_candidate_by_id(p->st, id[1], &row), LB_ERR_MISSING);
	trust_row_clear(&t);
	fx_free(f);
}

/* The key is what its fingerprint says, or it is none. */
static void
test_candidate_is_its_key(void **state)
{
	const char *id = "01JNBWQ7000000000000000001";
	struct place *p = *state;
	struct fx *f = fx_new();
	struct candidate_row row;
	struct change c = { .candidate = &row };
	char seen[64] = "";

	fx_seal(f);
	candidate_fill(&row, "acme", id, &f->t->approver.item[0].key);
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(store_candidate_by_id(p->st, id, &row), LB_OK);
	lb_sshkey_format(&f->t->approver.item[1].key, row.key);
	{
		char text[LB_KEY_TEXT_MAX + 64];

		(void)snprintf(text, sizeof(text),
		    "UPDATE candidate SET key = '%s'", row.key);
		sql(p, text);
	}
	assert_int_equal(store_candidate_by_id(p->st, id, &row), LB_ERR_STORE);
	assert_int_equal(
	    store_candidate_each(p->st, "acme", candidate_see, seen),
	    LB_ERR_STORE);
	assert_string_equal(seen, "");
	fx_free(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_proposal_round_trip),
		TEST(test_proposal_version_decides),
		TEST(test_proposal_is_the_next_serial),
		TEST(test_proposal_goes_with_trust),
		TEST(test_proposal_replaced_or_withdrawn),
		TEST(test_proposal_is_its_text),
		TEST(test_contact_round_trip),
		TEST(test_invitation_round_trip),
		TEST(test_candidate_goes_with_trust),
		TEST(test_candidate_is_its_key),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
