/* The store: what people sign in with. */
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

#include "schema.h"
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

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/lockbox-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/broker.db", p->dir);
	assert_int_equal(store_open(&store_sqlite, p->path, 2, &p->st), LB_OK);
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

static void
key_fill(struct signin_key_row *k, const char *tenant, const char *principal)
{
	struct lb_signer *s;

	memset(k, 0, sizeof(*k));
	assert_int_equal(lb_signer_new(&s), LB_OK);
	k->key = *lb_signer_key(s);
	lb_signer_free(s);
	ROW_TEXT(k->tenant, tenant);
	ROW_TEXT(k->principal, principal);
	ROW_TEXT(k->label, "telephone");
	k->created_at = NOW;
}

static enum lb_err
key_add(struct place *p, const struct signin_key_row *k)
{
	struct change c = { .signin_key = k };

	return commit(p, &c);
}

static bool
key_count(void *arg, const struct signin_key_row *row)
{
	assert_int_equal(row->created_at, NOW);
	++*(size_t *)arg;
	return true;
}

static size_t
keys_of(struct place *p, const char *tenant, const char *principal)
{
	size_t n = 0;

	assert_int_equal(
	    store_signin_key_each(p->st, tenant, principal, key_count, &n),
	    LB_OK);
	return n;
}

static void
test_store_signin_keys(void **state)
{
	struct place *p = *state;
	struct signin_key_row a, b, got;
	struct change c = { 0 };

	key_fill(&a, "acme", "anna");
	key_fill(&b, "", "anna");
	assert_int_equal(
	    store_signin_key_get(p->st, a.key.fp, &got), LB_ERR_MISSING);
	assert_int_equal(key_add(p, &a), LB_OK);
	assert_int_equal(key_add(p, &b), LB_OK);
	assert_int_equal(store_signin_key_get(p->st, a.key.fp, &got), LB_OK);
	assert_string_equal(got.tenant, "acme");
	assert_string_equal(got.principal, "anna");
	assert_string_equal(got.label, "telephone");
	assert_true(lb_sshkey_equal(&got.key, &a.key));
	assert_int_equal(got.created_at, NOW);
	assert_int_equal(got.used_at, 0);
	/* a key is one person's, and one realm's */
	ROW_TEXT(a.principal, "bert");
	assert_int_equal(key_add(p, &a), LB_ERR_CONFLICT);
	ROW_TEXT(a.principal, "anna");
	assert_int_equal(keys_of(p, "acme", "anna"), 1);
	assert_int_equal(keys_of(p, "", "anna"), 1);
	assert_int_equal(keys_of(p, "zeta", "anna"), 0);
	assert_int_equal(keys_of(p, "acme", "bert"), 0);
	/* used by two at once: the later time stays */
	got.used_at = NOW + 7;
	c.signin_key = &got;
	assert_int_equal(commit(p, &c), LB_OK);
	got.used_at = NOW + 5;
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(store_signin_key_get(p->st, a.key.fp, &got), LB_OK);
	assert_int_equal(got.used_at, NOW + 7);
	c = (struct change){ .signin_key = &a, .signin_key_remove = true };
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(
	    store_signin_key_get(p->st, a.key.fp, &got), LB_ERR_MISSING);
	assert_int_equal(keys_of(p, "", "anna"), 1);
}

static void
browser_fill(struct browser_row *b, char mark)
{
	memset(b, 0, sizeof(*b));
	memset(b->code_hash, mark, ROW_TOKEN_HASH_LEN);
	memset(b->poll_hash, mark + 1, ROW_TOKEN_HASH_LEN);
	memset(b->nonce, mark, LB_NONCE_LEN);
	ROW_TEXT(b->address, "192.0.2.7");
	ROW_TEXT(b->agent, "Mozilla/5.0");
	b->created_at = NOW;
	b->expires_at = NOW + 600;
}

static void
test_store_browser_signin(void **state)
{
	struct place *p = *state;
	struct browser_row b, other, got;
	struct change c = { .browser = &got };

	browser_fill(&b, 'a');
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_ERR_MISSING);
	assert_int_equal(store_browser_add(p->st, &b), LB_OK);
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_OK);
	assert_int_equal(
	    store_browser_by_code(p->st, b.poll_hash, &got), LB_ERR_MISSING);
	assert_int_equal(
	    store_browser_by_poll(p->st, b.poll_hash, &got), LB_OK);
	assert_int_equal(
	    store_browser_by_poll(p->st, b.code_hash, &got), LB_ERR_MISSING);
	assert_string_equal(got.nonce, b.nonce);
	assert_string_equal(got.address, "192.0.2.7");
	assert_string_equal(got.agent, "Mozilla/5.0");
	assert_int_equal(got.created_at, NOW);
	assert_int_equal(got.expires_at, NOW + 600);
	assert_string_equal(got.principal, "");
	assert_false(got.over);
	/* code, secret and nonce are each one page's */
	browser_fill(&other, 'c');
	ROW_TEXT(other.code_hash, b.code_hash);
	assert_int_equal(store_browser_add(p->st, &other), LB_ERR_CONFLICT);
	browser_fill(&other, 'c');
	ROW_TEXT(other.poll_hash, b.poll_hash);
	assert_int_equal(store_browser_add(p->st, &other), LB_ERR_CONFLICT);
	browser_fill(&other, 'c');
	ROW_TEXT(other.nonce, b.nonce);
	assert_int_equal(store_browser_add(p->st, &other), LB_ERR_CONFLICT);
	/* of two who confirm, one was faster */
	ROW_TEXT(got.principal, "anna");
	ROW_TEXT(got.key_fp, "SHA256:x");
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_OK);
	assert_string_equal(got.principal, "anna");
	got.over = true;
	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_OK);
	assert_true(got.over);
	assert_int_equal(store_purge(p->st, NOW + 600, 0), LB_OK);
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_OK);
	assert_int_equal(store_purge(p->st, NOW + 601, 0), LB_OK);
	assert_int_equal(
	    store_browser_by_code(p->st, b.code_hash, &got), LB_ERR_MISSING);
}

static void
test_store_nonce_is_spent_once(void **state)
{
	const char *nonce = "00112233445566778899aabbccddeeff";
	struct place *p = *state;
	struct change c = { .nonce = { nonce }, .nonce_at = NOW };

	assert_int_equal(commit(p, &c), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(store_purge(p->st, NOW, 0), LB_OK);
	assert_int_equal(commit(p, &c), LB_ERR_CONFLICT);
	assert_int_equal(store_purge(p->st, NOW + 1, 0), LB_OK);
	assert_int_equal(commit(p, &c), LB_OK);
}

/* Two at once: one that was spent before keeps the other from being so. */
static void
test_store_nonces_are_spent_together(void **state)
{
	const char *one = "00112233445566778899aabbccddeeff";
	const char *two = "ffeeddccbbaa99887766554433221100";
	const char *three = "0123456789abcdef0123456789abcdef";
	struct place *p = *state;
	struct change both = { .nonce = { one, two }, .nonce_at = NOW };
	struct change old = { .nonce = { three, two }, .nonce_at = NOW };
	struct change late = { .nonce = { NULL, three }, .nonce_at = NOW };

	assert_int_equal(commit(p, &both), LB_OK);
	assert_int_equal(commit(p, &both), LB_ERR_CONFLICT);
	assert_int_equal(commit(p, &old), LB_ERR_CONFLICT);
	assert_int_equal(commit(p, &late), LB_OK);
	assert_int_equal(commit(p, &late), LB_ERR_CONFLICT);
}

/* A session from before the third schema was opened with an ssh key. */
static void
test_store_brings_the_second_schema_up_to_date(void **state)
{
	struct place *p = *state;
	struct session_row s = { 0 };
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof(path), "%s/old.db", p->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
		    sqlite3_exec(db, schema_sql[i], NULL, NULL, NULL),
		    SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db,
		"PRAGMA user_version = 2; PRAGMA application_id = 1282097784;"
		"INSERT INTO session VALUES ('h', 'anna', 'fp', 'n', 1, 2, 0)",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	store_close(p->st);
	p->st = NULL;
	assert_int_equal(store_open(&store_sqlite, path, 2, &p->st), LB_OK);
	assert_int_equal(store_session_get(p->st, "h", &s), LB_OK);
	assert_string_equal(s.principal, "anna");
	assert_int_equal(s.sign_in, SIGN_IN_SSH);
	store_close(p->st);
	p->st = NULL;
	assert_int_equal(unlink(path), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_store_signin_keys),
		TEST(test_store_browser_signin),
		TEST(test_store_nonce_is_spent_once),
		TEST(test_store_nonces_are_spent_together),
		TEST(test_store_brings_the_second_schema_up_to_date),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
