/*
 * The suite every back end passes: what is committed is there, what is not is
 * not, and nobody overwrites what somebody else was faster with.
 */
#include <pthread.h>
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

#include "doors.h"
#include "fixture.h"
#include "hosts.h"
#include "rules.h"
#include "schema.h"
#include "store.h"

struct place {
	char dir[64], path[96];
	struct store *st;
	struct fx *f;
};

static struct store *
open_at(const struct place *p)
{
	struct store *st;

	assert_int_equal(store_open(&store_sqlite, p->path, 4, &st), LB_OK);
	return st;
}

static int
setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->dir, "/tmp/lockbox-store-XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/broker.db", p->dir);
	p->st = open_at(p);
	p->f = fx_new();
	fx_seal(p->f);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;
	char path[128];

	store_close(p->st);
	fx_free(p->f);
	for (const char *const *s =
		 (const char *const[]){ "", "-wal", "-shm", NULL };
	     *s != NULL; s++) {
		(void)snprintf(path, sizeof(path), "%s%s", p->path, *s);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(p->dir), 0);
	free(p);
	return 0;
}

static void
event(struct change *c, const char *word, const char *tenant)
{
	struct lb_event *e = &c->event[c->event_count++];

	memset(e, 0, sizeof(*e));
	ROW_TEXT(e->event, word);
	ROW_TEXT(e->tenant, tenant);
	ROW_TEXT(e->actor, "somebody");
	e->at = FX_NOW;
}

static enum lb_err
commit(struct store *st, struct change *c, const char *word)
{
	event(c, word, "acme");
	return store_commit(st, c);
}

static void
add_tenant(struct place *p, const char *name)
{
	struct tenant_row t = { .endorse_ttl = 7200,
		.approve_ttl = 43200,
		.grant_ttl = 14400,
		.endorsement = true,
		.created_at = FX_NOW };
	struct change c = { .tenant = &t };

	ROW_TEXT(t.name, name);
	assert_int_equal(commit(p->st, &c, "tenant.created"), LB_OK);
}

/* The fixture's request as a row. */
static struct request_row *
request_make(struct place *p)
{
	struct request_row *q = calloc(1, sizeof(*q));
	const struct fx_paper *paper = &p->f->paper[FX_REQUEST];

	memcpy(q->text, paper->text.data, paper->text.len);
	q->text_len = paper->text.len;
	ROW_TEXT(q->sha256, paper->id);
	assert_int_equal(
	    lb_request_parse(q->text, q->text_len, &q->doc), LB_OK);
	ROW_TEXT(q->signature, paper->sigs.data);
	q->state = STATE_PENDING_ENDORSEMENT;
	q->created_at = FX_NOW;
	q->lapses_at = FX_NOW + 7200;
	assert_int_equal(rules_scope(&q->doc, q->scope), LB_OK);
	return q;
}

static void
grant_fill(struct place *p, struct grant_row *g, const char *request_id)
{
	const struct fx_paper *paper = &p->f->paper[FX_GRANT];

	memset(g, 0, sizeof(*g));
	assert_int_equal(
	    lb_buf_add(&g->bundle, paper->text.data, paper->text.len), LB_OK);
	assert_int_equal(
	    lb_buf_add(&g->bundle, paper->sigs.data, paper->sigs.len), LB_OK);
	g->text_len = paper->text.len;
	assert_int_equal(
	    lb_grant_parse(g->bundle.data, g->text_len, &g->doc), LB_OK);
	ROW_TEXT(g->sha256, paper->id);
	ROW_TEXT(g->request_id, request_id);
	g->state = STATE_ACTIVE;
	g->created_at = FX_NOW;
}

static void
test_store_person_round_trip(void **state)
{
	struct place *p = *state;
	struct person_row a = {
		.roles = ROLE_ENGINEER, .active = true, .key_count = 2
	};
	struct person_row b = { .roles = ROLE_MANAGER, .key_count = 1 }, got;
	struct change c = { .person = &a };

	ROW_TEXT(a.principal, "alice");
	ROW_TEXT(a.mail, "alice@provider.example");
	a.key[0] = p->f->key[FX_ALICE].pub;
	a.key[1] = p->f->key[FX_ALICE_LOGIN].pub;
	assert_int_equal(
	    store_person_get(p->st, "alice", &got), LB_ERR_MISSING);
	assert_int_equal(commit(p->st, &c, "person.created"), LB_OK);
	assert_int_equal(store_person_get(p->st, "alice", &got), LB_OK);
	assert_int_equal(got.version, 1);
	assert_string_equal(got.mail, a.mail);
	assert_int_equal(got.key_count, 2);
	assert_true(lb_sshkey_equal(&got.key[1], &a.key[1]));
	assert_int_equal(store_person_by_key(p->st, a.key[1].fp, &got), LB_OK);
	assert_string_equal(got.principal, "alice");
	/* the same name again, and somebody else with her key */
	c = (struct change){ .person = &a };
	assert_int_equal(commit(p->st, &c, "person.created"), LB_ERR_CONFLICT);
	ROW_TEXT(b.principal, "bob");
	b.key[0] = a.key[0];
	c = (struct change){ .person = &b };
	assert_int_equal(commit(p->st, &c, "person.created"), LB_ERR_CONFLICT);
	assert_int_equal(store_person_get(p->st, "bob", &got), LB_ERR_MISSING);
	/* a key taken away is free again */
	a.version = 1;
	a.key[0] = a.key[1];
	a.key_count = 1;
	c = (struct change){ .person = &a };
	assert_int_equal(commit(p->st, &c, "person.changed"), LB_OK);
	c = (struct change){ .person = &b };
	assert_int_equal(commit(p->st, &c, "person.created"), LB_OK);
}

static void
test_store_version_decides(void **state)
{
	struct place *p = *state;
	struct tenant_row t, u;
	struct change c = { .tenant = &t };

	add_tenant(p, "acme");
	assert_int_equal(store_tenant_get(p->st, "acme", &t), LB_OK);
	u = t;
	t.approve_ttl = 100;
	assert_int_equal(commit(p->st, &c, "tenant.changed"), LB_OK);
	u.approve_ttl = 200;
	c = (struct change){ .tenant = &u };
	assert_int_equal(commit(p->st, &c, "tenant.changed"), LB_ERR_CONFLICT);
	assert_int_equal(store_tenant_get(p->st, "acme", &u), LB_OK);
	assert_int_equal(u.approve_ttl, 100);
	assert_int_equal(u.version, 2);
}

struct counted {
	size_t n;
	int64_t last;
};

static bool
event_count(void *arg, struct event_row *e)
{
	struct counted *k = arg;

	assert_string_equal(e->doc.tenant, "acme");
	assert_true(k->n == 0 || e->doc.sequence == k->last - 1);
	k->last = e->doc.sequence;
	k->n++;
	return true;
}

static size_t
events(struct place *p)
{
	struct list_query q = { .tenant_count = 1 };
	struct counted k = { 0 };

	ROW_TEXT(q.tenant[0], "acme");
	assert_int_equal(store_event_each(p->st, &q, event_count, &k), LB_OK);
	return k.n;
}

/* A change that fails half way leaves neither rows nor its record. */
static void
test_store_commit_all_or_nothing(void **state)
{
	struct place *p = *state;
	struct request_row *q = request_make(p), got;
	struct approval_row a = { .at = FX_NOW };
	struct change c = { .request = q };
	size_t before;

	add_tenant(p, "acme");
	before = events(p);
	ROW_TEXT(a.tenant, "nosuch"); /* no such tenant: foreign key */
	ROW_TEXT(a.grant, q->sha256);
	c.approval = &a;
	assert_int_equal(commit(p->st, &c, "request.created"), LB_ERR_CONFLICT);
	assert_int_equal(
	    store_request_get(p->st, q->doc.request, &got), LB_ERR_MISSING);
	assert_int_equal(events(p), before);
	c = (struct change){ .request = q };
	assert_int_equal(commit(p->st, &c, "request.created"), LB_OK);
	assert_int_equal(store_request_get(p->st, q->doc.request, &got), LB_OK);
	assert_int_equal(events(p), before + 1);
	free(q);
}

static void
test_store_request_round_trip(void **state)
{
	struct place *p = *state;
	struct request_row *q = request_make(p), got;
	struct change c = { .request = q };

	add_tenant(p, "acme");
	assert_int_equal(commit(p->st, &c, "request.created"), LB_OK);
	assert_int_equal(store_request_by_sha(p->st, q->sha256, &got), LB_OK);
	assert_int_equal(got.version, 1);
	assert_string_equal(got.text, q->text);
	assert_string_equal(got.doc.reason, q->doc.reason);
	assert_int_equal(got.state, STATE_PENDING_ENDORSEMENT);
	assert_int_equal(
	    store_request_open(p->st, got.doc.engineer, got.scope, &got),
	    LB_OK);
	got.state = STATE_DENIED;
	ROW_TEXT(got.denial.principal, "carol");
	ROW_TEXT(got.denial.reason, "no");
	got.denial.at = FX_NOW + 5;
	c = (struct change){ .request = &got };
	assert_int_equal(commit(p->st, &c, "request.denied"), LB_OK);
	assert_int_equal(
	    store_request_open(p->st, got.doc.engineer, got.scope, &got),
	    LB_ERR_MISSING);
	assert_int_equal(store_request_get(p->st, q->doc.request, &got), LB_OK);
	assert_int_equal(got.state, STATE_DENIED);
	assert_string_equal(got.denial.principal, "carol");
	assert_int_equal(got.denial.at, FX_NOW + 5);
	free(q);
}

static bool
request_see(void *arg, struct request_row *q)
{
	(void)q;
	++*(size_t *)arg;
	return true;
}

static void
test_store_request_at_door_and_due(void **state)
{
	struct place *p = *state;
	struct request_row *q = request_make(p);
	struct change c = { .request = q };
	size_t n = 0;

	add_tenant(p, "acme");
	assert_int_equal(commit(p->st, &c, "request.created"), LB_OK);
	assert_int_equal(store_request_at_door(p->st, "acme",
			     "db1.acme.example", "deploy", request_see, &n),
	    LB_OK);
	assert_int_equal(n, 1);
	assert_int_equal(store_request_at_door(p->st, "acme",
			     "db1.acme.example", "root", request_see, &n),
	    LB_OK);
	assert_int_equal(store_request_at_door(p->st, "zeta",
			     "db1.acme.example", "deploy", request_see, &n),
	    LB_OK);
	assert_int_equal(n, 1);
	n = 0;
	assert_int_equal(
	    store_request_due(p->st, q->lapses_at - 1, request_see, &n), LB_OK);
	assert_int_equal(n, 0);
	assert_int_equal(
	    store_request_due(p->st, q->lapses_at, request_see, &n), LB_OK);
	assert_int_equal(n, 1);
	free(q);
}

static bool
grant_see(void *arg, struct grant_row *g)
{
	assert_string_equal(g->doc.tenant, "acme");
	++*(size_t *)arg;
	return true;
}

static size_t
grants_at(struct place *p, const char *tenant, const char *host,
    const char *login, int64_t now)
{
	size_t n = 0;

	assert_int_equal(
	    store_grant_at_door(p->st, tenant, host, login, now, grant_see, &n),
	    LB_OK);
	return n;
}

static void
test_store_grant_at_door(void **state)
{
	struct place *p = *state;
	struct request_row *q = request_make(p);
	struct grant_row g, got = { 0 };
	struct change c = { .request = q, .grant = &g };
	int64_t end;

	add_tenant(p, "acme");
	grant_fill(p, &g, q->doc.request);
	end = g.doc.not_after;
	assert_int_equal(commit(p->st, &c, "grant.active"), LB_OK);
	assert_int_equal(
	    grants_at(p, "acme", "db1.acme.example", "deploy", end - 1), 1);
	assert_int_equal(
	    grants_at(p, "acme", "db1.acme.example", "deploy", end), 0);
	assert_int_equal(
	    grants_at(p, "acme", "db1.acme.example", "root", end - 1), 0);
	assert_int_equal(
	    grants_at(p, "acme", "db9.acme.example", "deploy", end - 1), 0);
	assert_int_equal(
	    grants_at(p, "zeta", "db1.acme.example", "deploy", end - 1), 0);
	assert_int_equal(store_grant_get(p->st, g.sha256, &got), LB_OK);
	assert_int_equal(got.bundle.len, g.bundle.len);
	got.state = STATE_REVOKED;
	got.closing.at = FX_NOW;
	ROW_TEXT(got.closing.principal, "carol");
	assert_int_equal(lb_buf_adds(&got.killing, "kill"), LB_OK);
	c = (struct change){ .grant = &got };
	assert_int_equal(commit(p->st, &c, "grant.revoked"), LB_OK);
	assert_int_equal(commit(p->st, &c, "grant.revoked"), LB_ERR_CONFLICT);
	grant_row_clear(&got);
	assert_int_equal(store_grant_get(p->st, g.sha256, &got), LB_OK);
	assert_int_equal(got.state, STATE_REVOKED);
	assert_string_equal(got.killing.data, "kill");
	grant_row_clear(&got);
	grant_row_clear(&g);
	free(q);
}

static void
sql(struct place *p, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Columns only find a row; what it says is its signed text. */
static void
test_store_front_refuses_what_does_not_fit(void **state)
{
	static const char *const edits[] = {
		"UPDATE request SET engineer = 'mallory'",
		"UPDATE request SET text = replace(text, 'db1.', 'db0.')",
		"UPDATE request SET id = '01JNBWQ7000000000000000009'",
		"UPDATE request SET state = 'asleep'",
		"UPDATE grant_ SET bundle = replace(bundle, 'db1.', 'db0.')",
		"UPDATE grant_ SET text_len = text_len - 1",
		"UPDATE grant_ SET text_len = 1000000",
		"UPDATE grant_ SET engineer = 'mallory'",
	};
	struct place *p = *state;
	struct request_row *q = request_make(p), *got = malloc(sizeof(*got));
	struct grant_row g, other = { 0 };
	struct change c = { .request = q, .grant = &g };

	add_tenant(p, "acme");
	grant_fill(p, &g, q->doc.request);
	assert_int_equal(commit(p->st, &c, "grant.active"), LB_OK);
	assert_int_equal(store_request_by_sha(p->st, q->sha256, got), LB_OK);
	assert_int_equal(store_grant_get(p->st, g.sha256, &other), LB_OK);
	grant_row_clear(&other);
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		char undo[256];

		sql(p,
		    "CREATE TABLE keep_r AS SELECT * FROM request;"
		    "CREATE TABLE keep_g AS SELECT * FROM grant_;");
		sql(p, edits[i]);
		if (strstr(edits[i], "grant_") == NULL)
			assert_int_equal(
			    store_request_by_sha(p->st, q->sha256, got),
			    LB_ERR_STORE);
		else
			assert_int_equal(
			    store_grant_get(p->st, g.sha256, &other),
			    LB_ERR_STORE);
		(void)snprintf(undo, sizeof(undo), "%s",
		    "DELETE FROM request; DELETE FROM grant_;"
		    "INSERT INTO request SELECT * FROM keep_r;"
		    "INSERT INTO grant_ SELECT * FROM keep_g;"
		    "DROP TABLE keep_r; DROP TABLE keep_g;");
		sql(p, undo);
	}
	sql(p,
	    "INSERT INTO grant_door SELECT tenant, host, 'root', "
	    "not_after, sha256 FROM grant_door WHERE login = 'deploy'");
	{
		size_t n = 0;

		assert_int_equal(
		    store_grant_at_door(p->st, "acme", "db1.acme.example",
			"root", FX_NOW, grant_see, &n),
		    LB_ERR_STORE);
		assert_int_equal(n, 0);
	}
	assert_int_equal(store_grant_get(p->st, g.sha256, &other), LB_OK);
	grant_row_clear(&other);
	grant_row_clear(&g);
	free(got);
	free(q);
}

static void
test_store_records_stay(void **state)
{
	struct place *p = *state;
	sqlite3 *db;

	add_tenant(p, "acme");
	assert_int_equal(events(p), 1);
	assert_int_equal(sqlite3_open(p->path, &db), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(db, "DELETE FROM event", NULL, NULL, NULL),
	    SQLITE_CONSTRAINT);
	assert_int_equal(
	    sqlite3_exec(db, "UPDATE event SET text = ''", NULL, NULL, NULL),
	    SQLITE_CONSTRAINT);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(events(p), 1);
}

static void
test_store_session_and_nonce(void **state)
{
	struct place *p = *state;
	struct session_row s = { .sign_in = SIGN_IN_PINNED,
		.created_at = FX_NOW,
		.expires_at = FX_NOW + 3600 },
			   got;
	struct change c = { .session = &s };

	memset(s.hash, 'a', ROW_TOKEN_HASH_LEN);
	memset(s.nonce, '1', LB_NONCE_LEN);
	ROW_TEXT(s.principal, "alice");
	assert_int_equal(
	    store_session_get(p->st, s.hash, &got), LB_ERR_MISSING);
	assert_int_equal(commit(p->st, &c, "person.signed_in"), LB_OK);
	assert_int_equal(store_session_get(p->st, s.hash, &got), LB_OK);
	assert_false(got.ended);
	assert_int_equal(got.sign_in, SIGN_IN_PINNED);
	/* a nonce opens one session only */
	s.hash[0] = 'b';
	c = (struct change){ .session = &s };
	assert_int_equal(
	    commit(p->st, &c, "person.signed_in"), LB_ERR_CONFLICT);
	s.hash[0] = 'a';
	s.ended = true;
	c = (struct change){ .session = &s };
	assert_int_equal(commit(p->st, &c, "person.signed_out"), LB_OK);
	assert_int_equal(store_session_get(p->st, s.hash, &got), LB_OK);
	assert_true(got.ended);
	assert_int_equal(store_purge(p->st, FX_NOW + 3600, 0), LB_OK);
	assert_int_equal(store_session_get(p->st, s.hash, &got), LB_OK);
	assert_int_equal(store_purge(p->st, FX_NOW + 3601, 0), LB_OK);
	assert_int_equal(
	    store_session_get(p->st, s.hash, &got), LB_ERR_MISSING);
}

static void
test_store_open_again(void **state)
{
	struct place *p = *state;
	struct tenant_row t;

	add_tenant(p, "acme");
	store_close(p->st);
	p->st = open_at(p);
	assert_int_equal(store_tenant_get(p->st, "acme", &t), LB_OK);
	assert_int_equal(store_check(p->st), LB_OK);
	assert_int_equal(store_ping(p->st), LB_OK);
}

static void
test_store_open_refuses_others(void **state)
{
	char newer[64], now[64];
	const char *const bad[] = { newer, "PRAGMA user_version = -1",
		"PRAGMA application_id = 1" };
	const char *const good[] = { now, now,
		"PRAGMA application_id = 1282097784" };
	struct place *p = *state;
	struct store *st = NULL;
	FILE *f;

	(void)snprintf(
	    newer, sizeof(newer), "PRAGMA user_version = %zu", SCHEMAS + 1);
	(void)snprintf(now, sizeof(now), "PRAGMA user_version = %zu", SCHEMAS);
	store_close(p->st);
	p->st = NULL;
	for (size_t i = 0; i < 3; i++) {
		sql(p, bad[i]);
		assert_int_equal(
		    store_open(&store_sqlite, p->path, 1, &st), LB_ERR_STATE);
		assert_null(st);
		sql(p, good[i]);
		p->st = open_at(p);
		store_close(p->st);
		p->st = NULL;
	}
	f = fopen(p->path, "we");
	assert_non_null(f);
	for (int i = 0; i < 4096; i++)
		assert_true(fputs("not a database", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_not_equal(store_open(&store_sqlite, p->path, 1, &st), LB_OK);
	assert_null(st);
}

#define RACERS 8
#define LAPS   50

struct racer {
	struct store *st;
	size_t won;
};

static void *
race(void *arg)
{
	struct racer *me = arg;
	struct tenant_row t;

	for (int i = 0; i < LAPS; i++) {
		struct change c = { .tenant = &t };
		enum lb_err r;

		assert_int_equal(store_tenant_get(me->st, "acme", &t), LB_OK);
		t.approve_ttl++;
		r = commit(me->st, &c, "tenant.changed");
		assert_true(r == LB_OK || r == LB_ERR_CONFLICT);
		me->won += r == LB_OK;
	}
	return NULL;
}

/* Many threads at once: each change counts once, each has its record. */
static void
test_store_threads_lose_nothing(void **state)
{
	struct place *p = *state;
	struct racer racer[RACERS];
	pthread_t thread[RACERS];
	struct tenant_row t;
	size_t won = 0;

	add_tenant(p, "acme");
	for (size_t i = 0; i < RACERS; i++) {
		racer[i] = (struct racer){ p->st, 0 };
		assert_int_equal(
		    pthread_create(&thread[i], NULL, race, &racer[i]), 0);
	}
	for (size_t i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		won += racer[i].won;
	}
	assert_true(won > 0);
	assert_int_equal(store_tenant_get(p->st, "acme", &t), LB_OK);
	assert_int_equal(t.approve_ttl, 43200 + won);
	assert_int_equal(t.version, 1 + won);
	assert_int_equal(events(p), 1 + won);
}

struct door_seen {
	size_t n;
	enum state state;
};

static bool
door_see(void *arg, const struct door_grant *g)
{
	struct door_seen *d = arg;

	d->n++;
	d->state = g->state;
	assert_true(g->bundle.len > 0);
	return true;
}

static struct door_seen
door_look(struct place *p, struct doors *d, const char *login, int64_t now)
{
	struct door_seen seen = { 0 };

	assert_int_equal(doors_each(d, p->st, "acme", "db1.acme.example", login,
			     now, door_see, &seen),
	    LB_OK);
	return seen;
}

/* What is kept of a door is good until somebody says that it changed, and
 * never longer than the grant. */
static void
test_doors_keep_until_forgotten(void **state)
{
	struct place *p = *state;
	struct request_row *q = request_make(p);
	struct grant_row g, got = { 0 };
	struct change c = { .request = q, .grant = &g };
	struct lb_grant other;
	struct doors *d;
	int64_t end;

	add_tenant(p, "acme");
	grant_fill(p, &g, q->doc.request);
	end = g.doc.not_after;
	assert_int_equal(doors_new(&d), LB_OK);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).n, 0);
	assert_int_equal(commit(p->st, &c, "grant.active"), LB_OK);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).n, 0); /* kept */
	other = g.doc;
	memcpy(other.host.item[0], "db9", sizeof("db9"));
	doors_forget(d, &other);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).n, 0); /* not this */
	doors_forget(d, &g.doc);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).n, 1);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).n, 1);
	assert_int_equal(door_look(p, d, "deploy", end - 1).n, 1);
	assert_int_equal(door_look(p, d, "deploy", end).n, 0);
	assert_int_equal(door_look(p, d, "root", FX_NOW).n, 0);
	assert_int_equal(store_grant_get(p->st, g.sha256, &got), LB_OK);
	got.state = STATE_REVOKED;
	c = (struct change){ .grant = &got };
	assert_int_equal(commit(p->st, &c, "grant.revoked"), LB_OK);
	assert_int_equal(door_look(p, d, "deploy", FX_NOW).state, STATE_ACTIVE);
	doors_forget_all(d);
	assert_int_equal(
	    door_look(p, d, "deploy", FX_NOW).state, STATE_REVOKED);
	doors_free(d);
	grant_row_clear(&got);
	grant_row_clear(&g);
	free(q);
}

static void
test_hosts_keep_until_forgotten(void **state)
{
	struct place *p = *state;
	struct host_row h = { .enrolled = true, .enrolled_at = FX_NOW };
	struct change c = { .host = &h };
	char tenant[LB_NAME_MAX + 1], name[LB_HOST_MAX + 1];
	const struct lb_sshkey *key = &p->f->key[FX_HOST].pub;
	struct hosts *k;

	add_tenant(p, "acme");
	ROW_TEXT(h.tenant, "acme");
	ROW_TEXT(h.name, "db1");
	lb_sshkey_format(key, h.key);
	ROW_TEXT(h.key_fp, key->fp);
	assert_int_equal(hosts_new(&k), LB_OK);
	assert_int_equal(
	    hosts_find(k, p->st, key->fp, tenant, name), LB_ERR_MISSING);
	assert_int_equal(commit(p->st, &c, "host.enrolled"), LB_OK);
	assert_int_equal(hosts_find(k, p->st, key->fp, tenant, name), LB_OK);
	assert_string_equal(tenant, "acme");
	assert_string_equal(name, "db1");
	h.version = 1;
	c = (struct change){ .host = &h, .host_remove = true };
	assert_int_equal(commit(p->st, &c, "host.removed"), LB_OK);
	assert_int_equal(hosts_find(k, p->st, key->fp, tenant, name), LB_OK);
	hosts_forget(k);
	assert_int_equal(
	    hosts_find(k, p->st, key->fp, tenant, name), LB_ERR_MISSING);
	hosts_free(k);
}

static void
stay_fill(struct stay_row *s, const char *tenant, char mark, int64_t session)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->id, "sha256:", 7);
	memset(s->id + 7, mark, LB_SHA256_LEN - 7);
	ROW_TEXT(s->tenant, tenant);
	ROW_TEXT(s->host, "db1");
	s->session = session;
	ROW_TEXT(s->login, "deploy");
	ROW_TEXT(s->service, "sshd");
	ROW_TEXT(s->engineer, "avm");
	s->opened_at = FX_NOW + session;
	s->ends_at = FX_NOW + 3600;
	s->ended_at = FX_NOW + 100;
	ROW_TEXT(s->cause, "closed");
}

/* One step, taken after kept, under that key. */
static enum lb_err
take_in(struct place *p, const char *key, int64_t kept, enum step_kind kind,
    const struct stay_row *stay)
{
	struct step step = { .kind = kind, .stay = *stay };
	struct change events = { 0 };
	struct intake_row in = { .kept = kept,
		.sequence = kept + 1,
		.at = FX_NOW + 200,
		.step = &step,
		.step_count = 1,
		.event = events.event,
		.event_count = 1 };
	struct change c = { .intake = &in };

	event(&events, "session.opened", stay->tenant);
	ROW_TEXT(in.tenant, stay->tenant);
	ROW_TEXT(in.host, stay->host);
	ROW_TEXT(in.key_fp, key);
	return store_commit(p->st, &c);
}

static bool
stay_count(void *arg, const struct stay_row *row)
{
	(void)row;
	++*(size_t *)arg;
	return true;
}

static size_t
stays(struct place *p, const struct list_query *q)
{
	size_t n = 0;

	assert_int_equal(store_stay_each(p->st, q, stay_count, &n), LB_OK);
	return n;
}

static void
test_store_intake_once_and_in_order(void **state)
{
	struct place *p = *state;
	struct stay_row s;
	int64_t kept = 77;

	add_tenant(p, "acme");
	stay_fill(&s, "acme", 'a', 1);
	assert_int_equal(store_intake_get(p->st, "acme", "db1", "k1", &kept),
	    LB_ERR_MISSING);
	assert_int_equal(kept, 77);
	assert_int_equal(take_in(p, "k1", 0, STEP_OPENED, &s), LB_OK);
	assert_int_equal(take_in(p, "k1", 1, STEP_MOVED, &s), LB_OK);
	assert_int_equal(events(p), 3);
	/* from the same place again: somebody was faster, nothing happens */
	assert_int_equal(take_in(p, "k1", 1, STEP_ENDED, &s), LB_ERR_CONFLICT);
	assert_int_equal(take_in(p, "k1", 0, STEP_OPENED, &s), LB_ERR_CONFLICT);
	assert_int_equal(events(p), 3);
	assert_int_equal(
	    store_intake_get(p->st, "acme", "db1", "k1", &kept), LB_OK);
	assert_int_equal(kept, 2);
	assert_int_equal(store_intake_get(p->st, "acme", "db2", "k1", &kept),
	    LB_ERR_MISSING);
}

static void
test_store_stays(void **state)
{
	struct place *p = *state;
	struct list_query all = { 0 }, live = { .live = true };
	struct list_query zeta = { .tenant_count = 1, .tenant = { "zeta" } };
	struct list_query both = { .tenant_count = 2,
		.tenant = { "zeta", "acme" } };
	struct list_query avm = { .engineer = "avm" };
	struct list_query eve = { .engineer = "eve", .live = true };
	struct list_query older = { 0 };
	struct stay_row a, b, z, got;

	add_tenant(p, "acme");
	add_tenant(p, "zeta");
	stay_fill(&a, "acme", 'a', 1);
	stay_fill(&b, "acme", 'b', 2);
	stay_fill(&z, "zeta", 'c', 1);
	assert_int_equal(take_in(p, "k1", 0, STEP_OPENED, &a), LB_OK);
	assert_int_equal(take_in(p, "k1", 1, STEP_OPENED, &b), LB_OK);
	assert_int_equal(take_in(p, "k2", 0, STEP_OPENED, &z), LB_OK);
	assert_int_equal(stays(p, &all), 3);
	assert_int_equal(stays(p, &live), 3);
	assert_int_equal(stays(p, &zeta), 1);
	assert_int_equal(stays(p, &both), 3);
	assert_int_equal(stays(p, &avm), 3);
	assert_int_equal(stays(p, &eve), 0);
	older.before_at = b.opened_at;
	ROW_TEXT(older.before_id, b.id);
	assert_int_equal(stays(p, &older), 2);

	assert_int_equal(store_stay_get(p->st, a.id, &got), LB_OK);
	assert_int_equal(got.ended_at, 0);
	assert_string_equal(got.cause, "");
	assert_string_equal(got.login, "deploy");
	assert_int_equal(got.ends_at, a.ends_at);
	a.ends_at += 3600;
	ROW_TEXT(a.grant, "sha256:1");
	assert_int_equal(take_in(p, "k1", 2, STEP_MOVED, &a), LB_OK);
	assert_int_equal(take_in(p, "k1", 3, STEP_ENDED, &a), LB_OK);
	assert_int_equal(store_stay_get(p->st, a.id, &got), LB_OK);
	assert_int_equal(got.ended_at, a.ended_at);
	assert_int_equal(got.ends_at, a.ends_at);
	assert_string_equal(got.grant, "sha256:1");
	assert_string_equal(got.cause, "closed");
	assert_int_equal(stays(p, &live), 2);
	/* zeta's session 1 is another one */
	assert_int_equal(store_stay_get(p->st, z.id, &got), LB_OK);
	assert_int_equal(got.ended_at, 0);
	memset(a.id + 7, 'd', 1);
	assert_int_equal(store_stay_get(p->st, a.id, &got), LB_ERR_MISSING);
}

/* The number is used again: the end of the first was never reported. */
static void
test_store_stays_that_were_lost(void **state)
{
	struct place *p = *state;
	struct list_query live = { .live = true };
	struct stay_row a, b, c, got;

	add_tenant(p, "acme");
	stay_fill(&a, "acme", 'a', 1);
	stay_fill(&b, "acme", 'b', 1);
	stay_fill(&c, "acme", 'c', 2);
	assert_int_equal(take_in(p, "k1", 0, STEP_OPENED, &a), LB_OK);
	assert_int_equal(take_in(p, "k1", 1, STEP_OPENED, &b), LB_OK);
	assert_int_equal(stays(p, &live), 1);
	assert_int_equal(store_stay_get(p->st, a.id, &got), LB_OK);
	assert_string_equal(got.cause, "unreported");
	/* enrolled anew: what lived before is not known any more */
	assert_int_equal(take_in(p, "k2", 0, STEP_OPENED, &c), LB_OK);
	assert_int_equal(stays(p, &live), 1);
	assert_int_equal(store_stay_get(p->st, b.id, &got), LB_OK);
	assert_string_equal(got.cause, "unreported");
	/* an end without a beginning */
	c.session = 9;
	assert_int_equal(take_in(p, "k2", 1, STEP_ENDED, &c), LB_OK);
	assert_int_equal(stays(p, &live), 1);
}

/* A database of the first schema is brought up to date, with what it has. */
static void
test_store_upgrade(void **state)
{
	struct place *p = *state;
	struct tenant_row t;
	struct stay_row s;

	store_close(p->st);
	p->st = NULL;
	assert_int_equal(unlink(p->path), 0);
	sql(p, schema_sql[0]);
	sql(p,
	    "PRAGMA user_version = 1; PRAGMA application_id = 1282097784;"
	    "INSERT INTO tenant VALUES ('acme', 3, 7200, 43200, 14400, 1, 5);");
	p->st = open_at(p);
	assert_int_equal(store_tenant_get(p->st, "acme", &t), LB_OK);
	assert_int_equal(t.version, 3);
	stay_fill(&s, "acme", 'a', 1);
	assert_int_equal(take_in(p, "k1", 0, STEP_OPENED, &s), LB_OK);
	store_close(p->st);
	p->st = open_at(p);
	assert_int_equal(store_stay_get(p->st, s.id, &s), LB_OK);
	assert_int_equal(store_check(p->st), LB_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_store_person_round_trip),
		TEST(test_store_version_decides),
		TEST(test_store_commit_all_or_nothing),
		TEST(test_store_request_round_trip),
		TEST(test_store_request_at_door_and_due),
		TEST(test_store_grant_at_door),
		TEST(test_store_front_refuses_what_does_not_fit),
		TEST(test_store_records_stay),
		TEST(test_store_session_and_nonce),
		TEST(test_store_open_again),
		TEST(test_store_open_refuses_others),
		TEST(test_store_threads_lose_nothing),
		TEST(test_store_intake_once_and_in_order),
		TEST(test_store_stays),
		TEST(test_store_stays_that_were_lost),
		TEST(test_store_upgrade),
		TEST(test_doors_keep_until_forgotten),
		TEST(test_hosts_keep_until_forgotten),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
