/*
 * doc/wire-format.md, section 9: every byte of the worked example is made
 * again, from the test keys, by the library, and compared with the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "lockbox/buf.h"
#include "lockbox/bundle.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

#include "sshwire.h"

#define SEED_LEN 32

enum who { MIA, NOAH, ADA, BROKER, HOST, PEOPLE };

static const char *const principal[PEOPLE] = {
	[MIA] = "mia@acme.example",
	[NOAH] = "noah@acme.example",
	[ADA] = "ada@provider.example",
	[BROKER] = "support",
	[HOST] = "db1.acme.example",
};

static struct {
	struct lb_buf doc; /* doc/wire-format.md */
	char dir[64];
	struct lb_signer *signer[PEOPLE];
} world;

/* The fenced block of that name in the doc. */
static struct lb_slice
block(const char *name)
{
	char fence[64];
	const char *start, *end;

	(void)snprintf(fence, sizeof(fence), "\n```text %s\n", name);
	start = strstr(world.doc.data, fence);
	if (start == NULL)
		fail_msg("no block '%s'", name);
	start += strlen(fence);
	end = strstr(start, "\n```\n");
	assert_non_null(end);
	return (struct lb_slice){ start, (size_t)(end + 1 - start) };
}

static void
assert_block(const char *name, const char *text, size_t len)
{
	struct lb_slice b = block(name);

	if (b.len != len || memcmp(b.text, text, len) != 0)
		fail_msg("block '%s' should be:\n%.*s", name, (int)len, text);
}

static void
assert_told(const char *text)
{
	if (strstr(world.doc.data, text) == NULL)
		fail_msg("the doc does not say: %s", text);
}

/* An OpenSSH private key file of the seed first, first + 1, ... */
static void
key_file_write(const char *path, uint8_t first)
{
	static const char magic[] = "openssh-key-v1"; /* with its NUL */
	uint8_t seed[SEED_LEN], pk[32], sk[64], pub[64], priv[256], all[512];
	struct lb_writer u = { pub, 0, sizeof(pub) };
	struct lb_writer v = { priv, 0, sizeof(priv) };
	struct lb_writer w = { all, 0, sizeof(all) };
	struct lb_buf text = { 0 };

	for (size_t i = 0; i < SEED_LEN; i++)
		seed[i] = (uint8_t)(first + i);
	assert_int_equal(crypto_sign_seed_keypair(pk, sk, seed), 0);
	lb_put_cstring(&u, "ssh-ed25519");
	lb_put_string(&u, pk, sizeof(pk));
	lb_put_u32(&v, 7);
	lb_put_u32(&v, 7);
	lb_put_cstring(&v, "ssh-ed25519");
	lb_put_string(&v, pk, sizeof(pk));
	lb_put_string(&v, sk, sizeof(sk));
	lb_put_cstring(&v, "test key");
	for (uint8_t pad = 1; v.len % 8 != 0; pad++)
		lb_put_u8(&v, pad);
	lb_put_raw(&w, magic, sizeof(magic));
	lb_put_cstring(&w, "none");
	lb_put_cstring(&w, "none");
	lb_put_string(&w, NULL, 0);
	lb_put_u32(&w, 1);
	lb_put_string(&w, pub, u.len);
	lb_put_string(&w, priv, v.len);
	assert_int_equal(
	    lb_armor_close("OPENSSH PRIVATE KEY", all, w.len, &text), LB_OK);
	assert_int_equal(
	    lb_file_write_atomic(path, 0600, text.data, text.len), LB_OK);
	lb_buf_clear(&text);
}

static char *
in_dir(const char *name, char ret[static 128])
{
	(void)snprintf(ret, 128, "%s/%s", world.dir, name);
	return ret;
}

static int
world_build(void **state)
{
	char path[128];

	(void)state;
	assert_true(sodium_init() >= 0);
	strcpy(world.dir, "/tmp/lockbox-example-XXXXXX");
	assert_non_null(mkdtemp(world.dir));
	in_dir("key", path);
	for (size_t i = 0; i < PEOPLE; i++) {
		key_file_write(path, (uint8_t)(i * SEED_LEN));
		assert_int_equal(
		    lb_signer_load(path, geteuid(), &world.signer[i]), LB_OK);
	}
	(void)unlink(path);
	return 0;
}

static int
world_end(void **state)
{
	static const char *const name[] = { "lines", "sig", "msg" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < PEOPLE; i++)
		lb_signer_free(world.signer[i]);
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		(void)unlink(in_dir(name[i], path));
	(void)rmdir(world.dir);
	lb_buf_clear(&world.doc);
	return 0;
}

static const char *
fp(enum who who)
{
	return lb_signer_key(world.signer[who])->fp;
}

static int64_t
at(const char *time)
{
	int64_t t = 0;

	assert_int_equal(lb_time_parse(time, &t), LB_OK);
	return t;
}

static void
set(char *ret, size_t ret_size, const char *s)
{
	assert_int_equal(lb_text_copy(ret, ret_size, s), LB_OK);
}

#define SET(field, s) set(field, sizeof(field), s)
#define ADD(list, s)  SET((list).item[(list).count++], s)

/* The document as the library writes it is the block of that name. */
static void
assert_writes(const char *name, const struct lb_doc_type *type, const void *doc,
    char ret_id[static LB_SHA256_LEN + 1])
{
	struct lb_buf text = { 0 };

	assert_int_equal(lb_doc_write(type, doc, &text), LB_OK);
	assert_block(name, text.data, text.len);
	lb_doc_id(text.data, text.len, ret_id);
	lb_buf_clear(&text);
}

static void
pin(char ret[static LB_PINNED_MAX + 1], enum who who, unsigned int namespaces,
    int64_t valid_after, int64_t valid_before)
{
	struct lb_pinned line = {
		.namespaces = namespaces,
		.valid_after = valid_after,
		.valid_before = valid_before,
		.key = *lb_signer_key(world.signer[who]),
	};

	SET(line.principal, principal[who]);
	assert_int_equal(lb_pinned_format(&line, ret), LB_OK);
}

/* The second document pins a passkey of Mia's beside her other key. */
static const char passkey[] =
    "mia@acme.example namespaces=\"lockbox-approve-v1,lockbox-deny-v1,"
    "lockbox-revoke-v1\" sk-ecdsa-sha2-nistp256@openssh.com "
    "AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABB"
    "BA0JGKBBmEdGBWFbbfkP3LNHkfs+y4IvSybrbk/EURudGbkMG4PAw1z7uzHq0yu1KuM2IvV+"
    "PMFjgJfOl/QwuroAAAAMYWNtZS5leGFtcGxl";

static void
trust_write(const char *name, const char *previous,
    char ret_id[static LB_SHA256_LEN + 1])
{
	unsigned int owner =
	    LB_NS_APPROVE | LB_NS_DENY | LB_NS_REVOKE | LB_NS_TRUST;
	struct lb_trust_paper *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	SET(t->tenant, "acme");
	t->serial = previous == NULL ? 1 : 2;
	if (previous != NULL) {
		SET(t->previous, previous);
		ADD(t->page, "acme.example https://lockbox.acme.example");
		ADD(t->approver, passkey);
	}
	t->good_until = at("2027-03-01T00:00:00Z");
	t->threshold = 2;
	SET(t->require, "any");
	t->longest = 28800;
	t->lease = 1800;
	SET(t->offline, "deny");
	pin(t->broker.item[t->broker.count++], BROKER, LB_NS_ANSWER, 0, 0);
	pin(t->approver.item[t->approver.count++], NOAH, owner, 0, 0);
	pin(t->approver.item[t->approver.count++], MIA, owner, 0, 0);
	pin(t->engineer.item[t->engineer.count++], ADA, LB_NS_REQUEST,
	    at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
	lb_doc_sort(&lb_trust_type, t);
	assert_writes(name, &lb_trust_type, t, ret_id);
	free(t);
}

#define REASON                                                                 \
	"Nightly backup fails; look at disk and logs \xe2\x80\x93 as agreed "  \
	"with Zo\xc3\xab"

static void
request_write(char ret_id[static LB_SHA256_LEN + 1])
{
	struct lb_request r = { 0 };

	SET(r.request, "01KJQDJGR0M2GT58X4MPKAFA59");
	SET(r.tenant, "acme");
	SET(r.broker, "support");
	SET(r.engineer, principal[ADA]);
	ADD(r.engineer_key, fp(ADA));
	ADD(r.host, "db2.acme.example");
	ADD(r.host, "db1.acme.example");
	ADD(r.login, "deploy");
	ADD(r.service, "sudo");
	ADD(r.service, "sshd");
	r.duration = 7200;
	SET(r.ticket, "ACME-4711");
	SET(r.reason_type, "customer_initiated_support");
	SET(r.reason, REASON);
	r.requested = at("2026-03-02T14:00:00Z");
	lb_doc_sort(&lb_request_type, &r);
	assert_writes("request", &lb_request_type, &r, ret_id);
}

static void
grant_write(char ret_id[static LB_SHA256_LEN + 1])
{
	struct lb_grant g = { 0 };

	request_write(g.request);
	SET(g.tenant, "acme");
	SET(g.broker, "support");
	SET(g.engineer, principal[ADA]);
	ADD(g.engineer_key, fp(ADA));
	ADD(g.host, "db1.acme.example");
	ADD(g.login, "deploy");
	ADD(g.service, "sshd");
	ADD(g.service, "sudo");
	g.not_before = at("2026-03-02T14:09:00Z");
	g.not_after = at("2026-03-02T16:10:00Z");
	SET(g.ticket, "ACME-4711");
	SET(g.reason_type, "customer_initiated_support");
	SET(g.reason, REASON);
	g.issued = at("2026-03-02T14:10:00Z");
	assert_writes("grant", &lb_grant_type, &g, ret_id);
}

static void
question_fill(struct lb_question *q)
{
	SET(q->host, principal[HOST]);
	SET(q->tenant, "acme");
	SET(q->broker, "support");
	trust_write("trust", NULL, q->trust);
	SET(q->nonce, "00112233445566778899aabbccddeeff");
	SET(q->login, "deploy");
	SET(q->service, "sshd");
	ADD(q->engineer_key, fp(ADA));
	SET(q->rhost, "198.51.100.7");
	q->asked = at("2026-03-02T14:30:00Z");
}

static void
test_example_keys(void **state)
{
	char key[LB_KEY_TEXT_MAX + 1], cell[LB_KEY_TEXT_MAX + 512];

	(void)state;
	for (size_t i = 0; i < PEOPLE; i++) {
		lb_sshkey_format(lb_signer_key(world.signer[i]), key);
		(void)snprintf(cell, sizeof(cell),
		    "`%s` | `%02zx` … `%02zx` | `%s` | `%s` |", principal[i],
		    i * SEED_LEN, i * SEED_LEN + SEED_LEN - 1, key,
		    fp((enum who)i));
		assert_told(cell);
	}
}

static void
test_example_documents(void **state)
{
	char id[LB_SHA256_LEN + 1], next[LB_SHA256_LEN + 1];
	char code[LB_CODE_LEN + 1], text[320];
	struct lb_question q = { 0 };
	struct lb_answer a = { 0 };

	(void)state;
	trust_write("trust", NULL, id);
	(void)snprintf(text, sizeof(text), "Its id is `%s`. Both", id);
	assert_told(text);
	trust_write("trust-2", id, next);
	(void)snprintf(text, sizeof(text), "Its id is `%s`. The", next);
	assert_told(text);
	request_write(id);
	lb_request_code(id, code);
	(void)snprintf(
	    text, sizeof(text), "Its id is `%s`, its code `%s`.", id, code);
	assert_told(text);
	grant_write(id);
	(void)snprintf(text, sizeof(text), "Its id is `%s`. Mia and", id);
	assert_told(text);
	(void)snprintf(text, sizeof(text), "under the grant `%s`", id);
	assert_told(text);

	question_fill(&q);
	assert_writes("question", &lb_question_type, &q, id);
	question_fill(&a.question);
	SET(a.verdict, "allow");
	SET(a.code, "granted");
	grant_write(a.grant.item[a.grant.count++]);
	a.answered = at("2026-03-02T14:30:00Z");
	a.good_until = at("2026-03-02T15:00:00Z");
	assert_writes("answer", &lb_answer_type, &a, id);
}

/* Every signature of the example: its block, over which block, by whom. */
static const struct {
	const char *name, *over;
	enum who who;
	enum lb_ns ns;
} signature[] = {
	{ "trust.mia.sig", "trust", MIA, LB_NS_TRUST },
	{ "trust.noah.sig", "trust", NOAH, LB_NS_TRUST },
	{ "request.ada.sig", "request", ADA, LB_NS_REQUEST },
	{ "grant.mia.sig", "grant", MIA, LB_NS_APPROVE },
	{ "grant.noah.sig", "grant", NOAH, LB_NS_APPROVE },
	{ "question.host.sig", "question", HOST, LB_NS_QUESTION },
	{ "answer.broker.sig", "answer", BROKER, LB_NS_ANSWER },
	{ "revoke.mia.sig", "grant", MIA, LB_NS_REVOKE },
	{ "deny.noah.sig", "request", NOAH, LB_NS_DENY },
	{ "trust-2.mia.sig", "trust-2", MIA, LB_NS_TRUST },
	{ "trust-2.noah.sig", "trust-2", NOAH, LB_NS_TRUST },
};

#define SIGNATURES (sizeof(signature) / sizeof(signature[0]))

static void
test_example_signatures(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIGNATURES; i++) {
		struct lb_slice over = block(signature[i].over);
		struct lb_slice armor = block(signature[i].name);
		struct lb_buf made = { 0 };
		struct lb_sshsig sig;

		assert_int_equal(
		    lb_signer_sign(world.signer[signature[i].who],
			signature[i].ns, over.text, over.len, &made),
		    LB_OK);
		assert_block(signature[i].name, made.data, made.len);
		assert_int_equal(
		    lb_sshsig_parse(armor.text, armor.len, &sig), LB_OK);
		assert_int_equal(lb_sshsig_verify(&sig, signature[i].ns,
				     over.text, over.len),
		    LB_OK);
		assert_int_equal(lb_sshsig_verify(&sig, signature[i].ns,
				     over.text, over.len - 1),
		    LB_ERR_SIGNATURE);
		lb_buf_clear(&made);
	}
}

static void
add_blocks(struct lb_buf *b, const char *const *name)
{
	for (; *name != NULL; name++) {
		struct lb_slice s = block(*name);

		assert_int_equal(lb_buf_add(b, s.text, s.len), LB_OK);
	}
}

static void
test_example_bundle(void **state)
{
	static const char *const name[] = { "answer", "answer.broker.sig",
		"grant", "grant.mia.sig", "grant.noah.sig", "request",
		"request.ada.sig", NULL };
	struct lb_buf text = { 0 };
	struct lb_bundle *b = NULL;

	(void)state;
	add_blocks(&text, name);
	assert_block("bundle", text.data, text.len);
	assert_int_equal(lb_bundle_split(text.data, text.len, &b), LB_OK);
	assert_int_equal(b->count, 3);
	assert_ptr_equal(b->part[0].type, &lb_answer_type);
	assert_int_equal(b->part[0].sig_count, 1);
	assert_ptr_equal(b->part[1].type, &lb_grant_type);
	assert_int_equal(b->part[1].sig_count, 2);
	assert_ptr_equal(b->part[2].type, &lb_request_type);
	assert_int_equal(b->part[2].sig_count, 1);
	lb_bundle_free(b);
	lb_buf_clear(&text);
}

/* The trust document, signed by its own owners. */
static struct lb_trust *
trust_read(void)
{
	static const char *const name[] = { "trust", "trust.mia.sig",
		"trust.noah.sig", NULL };
	struct lb_slice doc = block("trust");
	struct lb_buf text = { 0 };
	struct lb_bundle *b = NULL;
	struct lb_trust *t = NULL;
	int64_t now = at("2026-03-02T14:30:00Z");

	add_blocks(&text, name);
	assert_int_equal(lb_bundle_split(text.data, text.len, &b), LB_OK);
	assert_int_equal(lb_trust_parse(doc.text, doc.len, &t), LB_OK);
	assert_int_equal(lb_trust_selfsigned(t, &b->part[0], now), LB_OK);
	b->part[0].sig_count = 1;
	assert_int_equal(
	    lb_trust_selfsigned(t, &b->part[0], now), LB_ERR_SIGNATURE);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	return t;
}

static void
judge(const char *const *name, const char *now, struct lb_ruling *ret)
{
	struct lb_slice question = block("question");
	struct lb_trust *trust = trust_read();
	struct lb_buf text = { 0 };
	struct lb_bundle *b = NULL;
	struct lb_case c = { .trust = trust,
		.question = question.text,
		.question_len = question.len,
		.now = at(now) };

	add_blocks(&text, name);
	assert_int_equal(lb_bundle_split(text.data, text.len, &b), LB_OK);
	c.bundle = b;
	lb_judge(&c, ret);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	lb_trust_free(trust);
}

static void
test_example_allows(void **state)
{
	static const char *const whole[] = { "bundle", NULL };
	char id[LB_SHA256_LEN + 1];
	struct lb_ruling ruling;

	(void)state;
	judge(whole, "2026-03-02T14:30:00Z", &ruling);
	assert_string_equal(ruling.code, "granted");
	assert_int_equal(ruling.verdict, LB_VERDICT_ALLOW);
	assert_false(ruling.provisional);
	grant_write(id);
	assert_string_equal(ruling.grant, id);
	assert_string_equal(ruling.engineer, principal[ADA]);
	assert_int_equal(ruling.not_after, at("2026-03-02T16:10:00Z"));
	assert_int_equal(ruling.lease_end, at("2026-03-02T15:00:00Z"));
	assert_int_equal(ruling.floor, at("2026-03-02T14:30:00Z"));
}

/* Each way of shutting it again, beside the same bundle let in above. */
static void
test_example_denies(void **state)
{
	static const char *const whole[] = { "bundle", NULL };
	static const char *const one_approval[] = { "answer",
		"answer.broker.sig", "grant", "grant.mia.sig", "request",
		"request.ada.sig", NULL };
	static const char *const no_request[] = { "answer", "answer.broker.sig",
		"grant", "grant.mia.sig", "grant.noah.sig", NULL };
	static const char *const revoked[] = { "answer", "answer.broker.sig",
		"grant", "grant.mia.sig", "grant.noah.sig", "revoke.mia.sig",
		"request", "request.ada.sig", NULL };
	static const char *const denied[] = { "bundle", "deny.noah.sig", NULL };
	static const struct {
		const char *const *name;
		const char *now, *code;
	} row[] = {
		{ whole, "2026-03-02T14:31:01Z", "clock_skew" },
		{ whole, "2026-03-02T14:28:59Z", "clock_skew" },
		{ one_approval, "2026-03-02T14:30:00Z", "approvals_missing" },
		{ no_request, "2026-03-02T14:30:00Z", "request_missing" },
		{ revoked, "2026-03-02T14:30:00Z", "grant_revoked" },
		{ denied, "2026-03-02T14:30:00Z", "request_denied" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_ruling ruling;

		judge(row[i].name, row[i].now, &ruling);
		assert_string_equal(ruling.code, row[i].code);
		assert_int_equal(ruling.verdict, LB_VERDICT_DENY);
	}
}

/* No truncation of the bundle and no changed bit opens the door. */
static void
test_example_changed_denies(void **state)
{
	struct lb_slice question = block("question"), whole = block("bundle");
	struct lb_trust *trust = trust_read();
	struct lb_case c = { .trust = trust,
		.question = question.text,
		.question_len = question.len,
		.now = at("2026-03-02T14:30:00Z") };
	char *text = malloc(whole.len);
	size_t allowed = 0;

	(void)state;
	assert_non_null(text);
	memcpy(text, whole.text, whole.len);
	for (size_t i = 0; i <= 2 * whole.len; i++) {
		size_t len = i <= whole.len ? i : whole.len;
		char *byte = text + (i - 1) % whole.len;
		char bit = (char)(1 << i % 8);
		struct lb_bundle *b = NULL;
		struct lb_ruling ruling;

		if (i > whole.len)
			*byte ^= bit;
		if (lb_bundle_split(text, len, &b) == LB_OK) {
			c.bundle = b;
			lb_judge(&c, &ruling);
			allowed += ruling.verdict == LB_VERDICT_ALLOW;
			lb_bundle_free(b);
		}
		if (i > whole.len)
			*byte ^= bit;
	}
	assert_int_equal(allowed, 1); /* the whole one */
	free(text);
	lb_trust_free(trust);
}

#if HAVE_P256

/* The first document's successor, as a host comes to it. */
static struct lb_trust *
trust_follow(void)
{
	static const char *const name[] = { "trust-2", "trust-2.mia.sig",
		"trust-2.noah.sig", NULL };
	struct lb_trust *first = trust_read(), *t = NULL;
	struct lb_buf text = { 0 };
	struct lb_bundle *b = NULL;
	int64_t now = at("2026-03-02T14:30:00Z");

	add_blocks(&text, name);
	assert_int_equal(lb_bundle_split(text.data, text.len, &b), LB_OK);
	assert_int_equal(lb_trust_follow(first, &b->part[0], now, &t), LB_OK);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	lb_trust_free(first);
	return t;
}

/* How many approvals count under trust, which is given up. */
static size_t
approvals(struct lb_trust *trust)
{
	static const char *const name[] = { "grant", "grant.passkey.sig",
		"grant.noah.sig", NULL };
	struct lb_quorum *q = calloc(1, sizeof(*q));
	struct lb_buf text = { 0 };
	struct lb_bundle *b = NULL;
	struct lb_grant g;
	size_t n;

	assert_non_null(q);
	add_blocks(&text, name);
	assert_int_equal(lb_bundle_split(text.data, text.len, &b), LB_OK);
	assert_int_equal(
	    lb_grant_parse(b->part[0].doc.text, b->part[0].doc.len, &g), LB_OK);
	lb_trust_count_approvals(
	    trust, &b->part[0], &g, at("2026-03-02T14:30:00Z"), q);
	n = q->counted;
	assert_int_equal(q->reached, n == 2);
	lb_bundle_free(b);
	lb_buf_clear(&text);
	lb_trust_free(trust);
	free(q);
	return n;
}

static void
test_example_passkey(void **state)
{
	struct lb_slice grant = block("grant");
	struct lb_slice armor = block("grant.passkey.sig");
	struct lb_slice hex = block("passkey.tbs.hex");
	struct lb_slice json = block("passkey.client.json");
	struct lb_buf tbs = { 0 };
	struct lb_sshsig sig;
	char byte[3];

	(void)state;
	assert_int_equal(lb_sshsig_tbs("lockbox-approve-v1", LB_SIG_SHA512,
			     grant.text, grant.len, &tbs),
	    LB_OK);
	for (size_t i = 0; i < tbs.len; i++) {
		/* 32 bytes in a line */
		(void)snprintf(
		    byte, sizeof(byte), "%02x", (uint8_t)tbs.data[i]);
		assert_memory_equal(hex.text + 2 * i + i / 32, byte, 2);
	}
	assert_int_equal(hex.len, 2 * tbs.len + (tbs.len + 31) / 32);
	lb_buf_clear(&tbs);

	assert_int_equal(lb_sshsig_parse(armor.text, armor.len, &sig), LB_OK);
	assert_true(sig.webauthn);
	assert_int_equal(sig.flags, LB_SIG_TOUCH | LB_SIG_VERIFIED);
	assert_int_equal(sig.counter, 7);
	assert_int_equal(sig.client_data_len, json.len - 1);
	assert_memory_equal(sig.client_data, json.text, json.len - 1);
	assert_int_equal(
	    lb_sshsig_verify(&sig, LB_NS_APPROVE, grant.text, grant.len),
	    LB_OK);
	assert_int_equal(approvals(trust_follow()), 2);
	assert_int_equal(approvals(trust_read()), 1);
}

#endif

/* Run ssh-keygen -Y verify; 0 when it is content. */
static int
keygen_verify(const char *who, const char *ns)
{
	char lines[128], sig[128], msg[128];
	int status = -1;
	pid_t pid;

	in_dir("lines", lines);
	in_dir("sig", sig);
	in_dir("msg", msg);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen(msg, "r", stdin) == NULL ||
		    freopen("/dev/null", "w", stdout) == NULL ||
		    freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execlp("ssh-keygen", "ssh-keygen", "-Y", "verify", "-f", lines,
		    "-I", who, "-n", ns, "-s", sig,
		    "-Overify-time=20260302143000Z", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
put(const char *name, const char *text, size_t len)
{
	char path[128];

	assert_int_equal(
	    lb_file_write_atomic(in_dir(name, path), 0600, text, len), LB_OK);
}

/* The trust document's lines without their names, and one for the host. */
static void
lines_put(void)
{
	static const char *const name[] = {
		"broker: ", "approver: ", "engineer: "
	};
	struct lb_slice trust = block("trust");
	struct lb_buf lines = { 0 };
	char host[LB_PINNED_MAX + 1];

	pin(host, HOST, LB_NS_QUESTION, 0, 0);
	assert_int_equal(lb_buf_addf(&lines, "%s\n%s\n", host, passkey), LB_OK);
	for (const char *l = trust.text; l < trust.text + trust.len;
	     l = strchr(l, '\n') + 1)
		for (size_t i = 0; i < 3; i++) {
			size_t n = strlen(name[i]);

			if (strncmp(l, name[i], n) == 0)
				assert_int_equal(lb_buf_add(&lines, l + n,
						     strcspn(l, "\n") + 1 - n),
				    LB_OK);
		}
	put("lines", lines.data, lines.len);
	lb_buf_clear(&lines);
}

/* Good over the text, and not over a shorter one. */
static void
assert_keygen(
    const char *name, const char *over_name, const char *who, enum lb_ns ns)
{
	struct lb_slice over = block(over_name), armor = block(name);

	put("msg", over.text, over.len);
	put("sig", armor.text, armor.len);
	assert_int_equal(keygen_verify(who, lb_ns_name(ns)), 0);
	put("msg", over.text, over.len - 1);
	assert_int_not_equal(keygen_verify(who, lb_ns_name(ns)), 0);
}

/* Stock OpenSSH finds every signature of the example good. */
static void
test_example_ssh_keygen(void **state)
{
	(void)state;
	if (system("ssh-keygen -Y find-principals </dev/null "
		   ">/dev/null 2>&1") == 127 << 8)
		skip();
	lines_put();
	for (size_t i = 0; i < SIGNATURES; i++)
		assert_keygen(signature[i].name, signature[i].over,
		    principal[signature[i].who], signature[i].ns);
	assert_keygen(
	    "grant.passkey.sig", "grant", principal[MIA], LB_NS_APPROVE);
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_keys),
		cmocka_unit_test(test_example_documents),
		cmocka_unit_test(test_example_signatures),
		cmocka_unit_test(test_example_bundle),
		cmocka_unit_test(test_example_allows),
		cmocka_unit_test(test_example_denies),
		cmocka_unit_test(test_example_changed_denies),
#if HAVE_P256
		cmocka_unit_test(test_example_passkey),
#endif
		cmocka_unit_test(test_example_ssh_keygen),
	};
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	char part[4096];
	size_t n;

	if (f == NULL) {
		fprintf(stderr, "usage: %s doc/wire-format.md\n", argv[0]);
		return 2;
	}
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		if (lb_buf_add(&world.doc, part, n) != LB_OK)
			return 2;
	(void)fclose(f);
	return cmocka_run_group_tests(tests, world_build, world_end);
}
