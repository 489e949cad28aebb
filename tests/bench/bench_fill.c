/*
 * Fills a broker's database, while that broker is stopped, with well-formed
 * grants: some live, most of them long over.
 *
 *   bench_fill -d DATABASE -k DIR -g GRANTS -t TENANT -b BROKER
 *              -A KEY -E KEY -e PRINCIPAL [-w HOSTS]
 *
 * -k  directory for the keys of the hosts that will ask (doors.h); those that
 *     are there are kept
 * -g  how many grants there shall be in all; doors.h says how many live
 * -w  how many more hosts there shall be that only watch
 * -A  the approver's key file; -E -e the engineer's and his name
 *
 * Live grants are signed as they must be, so that a host lets in by them. Past
 * ones carry a signature of the right shape over other bytes: no one looks at
 * it again. Not safe against a crash, and not meant to be.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

#include "lockbox/clock.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"

#include "doors.h"

#define PAST_HOSTS  2000 /* that were entered in the past */
#define PAST_LOGINS 50
#define HOUR        INT64_C(3600)
#define YEAR        (INT64_C(365) * 24 * HOUR)

struct fill {
	sqlite3 *db;
	sqlite3_stmt *add_grant, *add_door, *add_host;
	const char *database, *keys, *tenant, *broker;
	const char *approver_file, *engineer_file, *engineer;
	size_t grants, watchers;
	struct lb_signer *approver_key, *engineer_key;
	int64_t now;
	struct lb_buf request_sig, approval; /* of the first, for the past */
};

/* One grant with its request. Large: static. */
struct pair {
	struct lb_request q;
	struct lb_grant g;
};

#define CHECK(truth, what)                                                     \
	do {                                                                   \
		if (!(truth)) {                                                \
			fprintf(stderr, "bench_fill: %s\n", what);             \
			exit(1);                                               \
		}                                                              \
	} while (0)

static void
run(struct fill *f, const char *sql)
{
	if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return;
	fprintf(stderr, "bench_fill: %s: %s\n", sql, sqlite3_errmsg(f->db));
	exit(1);
}

static sqlite3_stmt *
prepared(struct fill *f, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(f->db, sql, -1, &s, NULL) == SQLITE_OK)
		return s;
	fprintf(stderr, "bench_fill: %s: %s\n", sql, sqlite3_errmsg(f->db));
	exit(1);
}

static void
text(sqlite3_stmt *s, int at, const char *value)
{
	CHECK(sqlite3_bind_text(s, at, value, -1, SQLITE_STATIC) == SQLITE_OK,
	    "bind");
}

static void
number(sqlite3_stmt *s, int at, int64_t value)
{
	CHECK(sqlite3_bind_int64(s, at, value) == SQLITE_OK, "bind");
}

static void
step(struct fill *f, sqlite3_stmt *s)
{
	CHECK(sqlite3_step(s) == SQLITE_DONE, sqlite3_errmsg(f->db));
	CHECK(sqlite3_reset(s) == SQLITE_OK, sqlite3_errmsg(f->db));
}

/* --- hosts ------------------------------------------------------------------ */

static void
host_add(struct fill *f, const char *name, const struct lb_signer *s)
{
	char key[LB_KEY_TEXT_MAX + 1];

	lb_sshkey_format(lb_signer_key(s), key);
	text(f->add_host, 1, f->tenant);
	text(f->add_host, 2, name);
	text(f->add_host, 3, key);
	text(f->add_host, 4, lb_signer_key(s)->fp);
	number(f->add_host, 5, f->now);
	step(f, f->add_host);
}

static void
host_make(struct fill *f, const char *name)
{
	struct lb_signer *s;
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->keys, name);
	if (access(path, F_OK) == 0)
		return;
	CHECK(lb_signer_new(&s) == LB_OK &&
		lb_signer_save(s, path, name) == LB_OK,
	    "make a host's key");
	host_add(f, name, s);
	lb_signer_free(s);
}

static void
hosts_add(struct fill *f)
{
	char host[LB_HOST_MAX + 1], login[LB_LOGIN_MAX + 1];

	for (size_t i = 0; i < BENCH_HOSTS; i++) {
		door_name(i, host, login);
		host_make(f, host);
	}
	for (size_t i = 0; i < f->watchers; i++) {
		watcher_name(i, host);
		host_make(f, host);
	}
}

/* --- grants ----------------------------------------------------------------- */

static void
request_fill(const struct fill *f, size_t n, const char *host,
    const char *login, int64_t at, struct lb_request *q)
{
	memset(q, 0, sizeof(*q));
	(void)snprintf(q->request, sizeof(q->request), "%026zu", n);
	(void)snprintf(q->tenant, sizeof(q->tenant), "%s", f->tenant);
	(void)snprintf(q->broker, sizeof(q->broker), "%s", f->broker);
	(void)snprintf(q->engineer, sizeof(q->engineer), "%s", f->engineer);
	q->engineer_key.count = q->host.count = q->login.count = 1;
	q->service.count = 2;
	memcpy(q->engineer_key.item[0], lb_signer_key(f->engineer_key)->fp,
	    LB_KEYFP_LEN + 1);
	(void)snprintf(q->host.item[0], LB_HOST_MAX + 1, "%s", host);
	(void)snprintf(q->login.item[0], LB_LOGIN_MAX + 1, "%s", login);
	(void)snprintf(q->service.item[0], LB_SERVICE_MAX + 1, "sshd");
	(void)snprintf(q->service.item[1], LB_SERVICE_MAX + 1, "sudo");
	q->duration = 6 * HOUR;
	(void)snprintf(q->ticket, sizeof(q->ticket), "INC-%zu", n);
	(void)snprintf(
	    q->reason_type, sizeof(q->reason_type), "%s", lb_reason_types[0]);
	(void)snprintf(q->reason, sizeof(q->reason),
	    "Replica lag: look at the slow queries");
	q->requested = at;
}

static void
grant_fill(const struct lb_request *q, const char *id, int64_t not_before,
    struct lb_grant *g)
{
	memset(g, 0, sizeof(*g));
	memcpy(g->request, id, sizeof(g->request));
	memcpy(g->tenant, q->tenant, sizeof(g->tenant));
	memcpy(g->broker, q->broker, sizeof(g->broker));
	memcpy(g->engineer, q->engineer, sizeof(g->engineer));
	g->engineer_key = q->engineer_key;
	g->host = q->host;
	g->login = q->login;
	g->service = q->service;
	g->not_before = not_before;
	g->not_after = not_before + q->duration;
	memcpy(g->ticket, q->ticket, sizeof(g->ticket));
	memcpy(g->reason_type, q->reason_type, sizeof(g->reason_type));
	memcpy(g->reason, q->reason, sizeof(g->reason));
	g->issued = not_before + LB_BACKDATE_MAX;
}

static void
grant_store(struct fill *f, const struct pair *p, const char *id,
    const struct lb_buf *bundle, size_t text_len, bool live)
{
	sqlite3_stmt *s = f->add_grant;

	text(s, 1, f->tenant);
	text(s, 2, id);
	text(s, 3, p->q.request);
	text(s, 4, f->engineer);
	CHECK(sqlite3_bind_text(s, 5, bundle->data, (int)bundle->len,
		  SQLITE_STATIC) == SQLITE_OK,
	    "bind");
	number(s, 6, (int64_t)text_len);
	text(s, 7, live ? "active" : "expired");
	number(s, 8, p->g.issued);
	step(f, s);

	text(f->add_door, 1, f->tenant);
	text(f->add_door, 2, p->g.host.item[0]);
	text(f->add_door, 3, p->g.login.item[0]);
	number(f->add_door, 4, p->g.not_after);
	text(f->add_door, 5, id);
	step(f, f->add_door);
}

/* The n-th grant of all: request, grant, signatures, row. */
static void
grant_add(struct fill *f, size_t n, const char *host, const char *login,
    int64_t not_before, bool live)
{
	static struct pair p;
	struct lb_buf q = { 0 }, b = { 0 };
	char id[LB_SHA256_LEN + 1];
	size_t text_len;
	enum lb_err r;

	request_fill(f, n, host, login, not_before, &p.q);
	CHECK(lb_doc_write(&lb_request_type, &p.q, &q) == LB_OK, "request");
	lb_doc_id(q.data, q.len, id);
	grant_fill(&p.q, id, not_before, &p.g);
	CHECK(lb_doc_write(&lb_grant_type, &p.g, &b) == LB_OK, "grant");
	lb_doc_id(b.data, b.len, id);
	text_len = b.len;
	if (live || f->approval.len == 0) {
		lb_buf_clear(&f->approval);
		lb_buf_clear(&f->request_sig);
		if ((r = lb_signer_sign(f->approver_key, LB_NS_APPROVE, b.data,
			 b.len, &f->approval)) != LB_OK ||
		    (r = lb_signer_sign(f->engineer_key, LB_NS_REQUEST, q.data,
			 q.len, &f->request_sig)) != LB_OK)
			CHECK(false, "sign");
	}
	CHECK(lb_buf_add(&b, f->approval.data, f->approval.len) == LB_OK &&
		lb_buf_add(&b, q.data, q.len) == LB_OK &&
		lb_buf_add(&b, f->request_sig.data, f->request_sig.len) ==
		    LB_OK,
	    "bundle");
	grant_store(f, &p, id, &b, text_len, live);
	lb_buf_clear(&q);
	lb_buf_clear(&b);
}

static void
grants_add(struct fill *f, size_t from, size_t live_from)
{
	char host[LB_HOST_MAX + 1], login[LB_LOGIN_MAX + 1];
	size_t live = doors_live(f->grants), n = from;

	for (size_t d = live_from; d < live; d++, n++) {
		door_name(d, host, login);
		grant_add(
		    f, n, host, login, f->now - 2 * LB_BACKDATE_MAX, true);
	}
	for (; n < f->grants; n++) {
		int64_t ago = 24 * HOUR + (int64_t)randombytes_uniform(YEAR);

		(void)snprintf(host, sizeof(host), "host%04u",
		    randombytes_uniform(PAST_HOSTS));
		(void)snprintf(login, sizeof(login), "u%04u",
		    randombytes_uniform(PAST_LOGINS));
		grant_add(f, n, host, login, f->now - ago, false);
	}
}

static size_t
count(struct fill *f, const char *sql)
{
	sqlite3_stmt *s = prepared(f, sql);
	size_t n;

	CHECK(sqlite3_step(s) == SQLITE_ROW, sqlite3_errmsg(f->db));
	n = (size_t)sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return n;
}

static void
database_open(struct fill *f)
{
	CHECK(sqlite3_open_v2(f->database, &f->db, SQLITE_OPEN_READWRITE,
		  NULL) == SQLITE_OK,
	    "open the database");
	run(f, "PRAGMA journal_mode = DELETE");
	run(f, "PRAGMA journal_mode = OFF");
	run(f, "PRAGMA synchronous = OFF");
	run(f, "PRAGMA locking_mode = EXCLUSIVE");
	run(f, "PRAGMA cache_size = -1000000");
	f->add_host = prepared(f,
	    "INSERT INTO host (tenant, name, version, enrolled, salt, "
	    "invited_until, wrong_macs, key, key_fp, machine_id, enrolled_at, "
	    "last_seen_at) VALUES (?1, ?2, 1, 1, '', 0, 0, ?3, ?4, '', ?5, "
	    "?5)");
	f->add_grant = prepared(f,
	    "INSERT INTO grant_ (tenant, sha256, request_id, engineer, bundle, "
	    "text_len, state, created_at, version, closed_by, closing, "
	    "closing_reason, closed_at, killing) VALUES (?1, ?2, ?3, ?4, ?5, "
	    "?6, ?7, ?8, 1, '', '', '', 0, '')");
	f->add_door = prepared(f,
	    "INSERT INTO grant_door (tenant, host, login, not_after, sha256) "
	    "VALUES (?1, ?2, ?3, ?4, ?5)");
}

static void
fill(struct fill *f)
{
	size_t from, live;

	database_open(f);
	run(f, "BEGIN");
	hosts_add(f);
	from = count(f, "SELECT count(*) FROM grant_");
	live = count(f,
	    "SELECT count(*) FROM grant_ WHERE state = 'active' "
	    "AND request_id LIKE '000000%'");
	grants_add(f, from, live);
	run(f, "COMMIT");
	(void)sqlite3_finalize(f->add_host);
	(void)sqlite3_finalize(f->add_grant);
	(void)sqlite3_finalize(f->add_door);
	CHECK(sqlite3_close(f->db) == SQLITE_OK, "close the database");
}

int
main(int argc, char **argv)
{
	struct fill f = { .now = lb_clock_now() };
	int c;

	while ((c = getopt(argc, argv, "d:k:g:w:t:b:A:E:e:")) != -1) {
		switch (c) {
		case 'd':
			f.database = optarg;
			break;
		case 'k':
			f.keys = optarg;
			break;
		case 'g':
			f.grants = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			f.watchers = strtoul(optarg, NULL, 10);
			break;
		case 't':
			f.tenant = optarg;
			break;
		case 'b':
			f.broker = optarg;
			break;
		case 'A':
			f.approver_file = optarg;
			break;
		case 'E':
			f.engineer_file = optarg;
			break;
		case 'e':
			f.engineer = optarg;
			break;
		default:
			return 2;
		}
	}
	CHECK(sodium_init() >= 0, "libsodium");
	CHECK(f.database != NULL && f.keys != NULL && f.tenant != NULL &&
		f.broker != NULL && f.approver_file != NULL &&
		f.engineer_file != NULL && f.engineer != NULL,
	    "an option is missing");
	CHECK(lb_signer_load(f.approver_file, geteuid(), &f.approver_key) ==
		    LB_OK &&
		lb_signer_load(f.engineer_file, geteuid(), &f.engineer_key) ==
		    LB_OK,
	    "load the keys");
	fill(&f);
	lb_buf_clear(&f.approval);
	lb_buf_clear(&f.request_sig);
	lb_signer_free(f.approver_key);
	lb_signer_free(f.engineer_key);
	return 0;
}
