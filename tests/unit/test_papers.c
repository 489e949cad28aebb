/* lib/papers.c and lib/papers_relate.c: every type, and how they relate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/clock.h"
#include "lockbox/papers.h"

#define ID_A  "sha256:" H64_A
#define ID_B  "sha256:" H64_B
#define H64_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define H64_B "f0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define KEY_B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
#define NONCE "00112233445566778899aabbccddeeff"

#define REQUEST                                                                \
	"lockbox-request-v1\n"                                                 \
	"request: 01JNAXQ3ZK8H2V5D7W9R4T6Y0B\n"                                \
	"tenant: acme\n"                                                       \
	"broker: broker.example\n"                                             \
	"engineer: ada@provider.example\n"                                     \
	"engineer-key: " KEY_A "\n"                                            \
	"engineer-key: " KEY_B "\n"                                            \
	"host: db1.acme.example\n"                                             \
	"host: db2.acme.example\n"                                             \
	"login: deploy\n"                                                      \
	"login: root\n"                                                        \
	"service: sshd\n"                                                      \
	"service: sudo\n"                                                      \
	"duration: 7200\n"                                                     \
	"start: 2026-03-02T15:00:00Z\n"                                        \
	"extends: " ID_B "\n"                                                  \
	"ticket: ACME-7\n"                                                     \
	"reason-type: customer_initiated_support\n"                            \
	"reason: disk full\n"                                                  \
	"requested: 2026-03-02T14:00:00Z\n"
#define GRANT                                                                  \
	"lockbox-grant-v1\n"                                                   \
	"request: " ID_A "\n"                                                  \
	"tenant: acme\n"                                                       \
	"broker: broker.example\n"                                             \
	"engineer: ada@provider.example\n"                                     \
	"engineer-key: " KEY_A "\n"                                            \
	"host: db1.acme.example\n"                                             \
	"login: deploy\n"                                                      \
	"service: sshd\n"                                                      \
	"not-before: 2026-03-02T15:00:00Z\n"                                   \
	"not-after: 2026-03-02T17:00:00Z\n"                                    \
	"ticket: ACME-7\n"                                                     \
	"reason-type: customer_initiated_support\n"                            \
	"reason: disk full\n"                                                  \
	"issued: 2026-03-02T14:10:00Z\n"
#define ASKED                                                                  \
	"host: db1.acme.example\n"                                             \
	"tenant: acme\n"                                                       \
	"broker: broker.example\n"                                             \
	"trust: " ID_B "\n"                                                    \
	"nonce: " NONCE "\n"                                                   \
	"login: deploy\n"                                                      \
	"service: sshd\n"                                                      \
	"engineer-key: " KEY_A "\n"                                            \
	"rhost: 2001:db8::7\n"                                                 \
	"asked: 2026-03-02T15:30:00Z\n"
#define QUESTION "lockbox-question-v1\n" ASKED
#define ANSWER                                                                 \
	"lockbox-answer-v1\n" ASKED "verdict: allow\n"                         \
	"code: granted\n"                                                      \
	"message: until 17:00\n"                                               \
	"grant: " ID_A "\n"                                                    \
	"grant: " ID_B "\n"                                                    \
	"answered: 2026-03-02T15:30:01Z\n"                                     \
	"good-until: 2026-03-02T16:00:01Z\n"
#define TRUST                                                                  \
	"lockbox-trust-v1\n"                                                   \
	"tenant: acme\n"                                                       \
	"serial: 2\n"                                                          \
	"previous: " ID_A "\n"                                                 \
	"good-until: 2027-03-02T00:00:00Z\n"                                   \
	"threshold: 1\n"                                                       \
	"require: any\n"                                                       \
	"longest: 14400\n"                                                     \
	"lease: 1800\n"                                                        \
	"offline: deny\n"                                                      \
	"page: acme.example https://lockbox.acme.example\n"                    \
	"broker: broker.example x\n"                                           \
	"approver: mia@acme.example x\n"                                       \
	"hook: desk x\n"                                                       \
	"engineer: ada@provider.example x\n"                                   \
	"delegate: max@provider.example x\n"                                   \
	"delegate-until: 2026-06-01T00:00:00Z\n"
#define SIGNIN                                                                 \
	"lockbox-signin-v1\n"                                                  \
	"broker: broker.example\n"                                             \
	"principal: ada@provider.example\n"                                    \
	"nonce: " NONCE "\n"                                                   \
	"time: 2026-03-02T14:00:00Z\n"
#define REPORT                                                                 \
	"lockbox-report-v1\n"                                                  \
	"host: db1.acme.example\n"                                             \
	"tenant: acme\n"                                                       \
	"broker: broker.example\n"                                             \
	"trust: " ID_B "\n"                                                    \
	"sequence: 9007199254740991\n"                                         \
	"event: login.decision\n"                                              \
	"cause: granted\n"                                                     \
	"login: deploy\n"                                                      \
	"service: sshd\n"                                                      \
	"engineer-key: " KEY_A "\n"                                            \
	"rhost: 198.51.100.7\n"                                                \
	"engineer: ada@provider.example\n"                                     \
	"grant: " ID_A "\n"                                                    \
	"session: 4294967294\n"                                                \
	"seconds: 3600\n"                                                      \
	"killed: 12\n"                                                         \
	"at: 2026-03-02T15:30:02Z\n"
#define EVENT                                                                  \
	"lockbox-event-v1\n"                                                   \
	"tenant: acme\n"                                                       \
	"sequence: 1\n"                                                        \
	"event: request.created\n"                                             \
	"actor: ada@provider.example\n"                                        \
	"request: " ID_A "\n"                                                  \
	"grant: " ID_B "\n"                                                    \
	"host: db1.acme.example\n"                                             \
	"detail: disk full\n"                                                  \
	"at: 2026-03-02T14:00:00Z\n"

static const struct {
	const struct lb_doc_type *type;
	const char *text;
	const char *optional; /* line names that may be missing */
} paper[] = {
	{ &lb_request_type, REQUEST, " start extends ticket " },
	{ &lb_grant_type, GRANT, " ticket " },
	{ &lb_question_type, QUESTION, " engineer-key rhost " },
	{ &lb_answer_type, ANSWER, " engineer-key rhost message " },
	{ &lb_trust_type, TRUST, " page hook engineer " },
	{ &lb_signin_type, SIGNIN, " " },
	{ &lb_report_type, REPORT,
	    " cause login service engineer-key rhost engineer grant session "
	    "seconds killed " },
	{ &lb_event_type, EVENT, " request grant host detail " },
};

#define PAPERS (sizeof(paper) / sizeof(paper[0]))

/* Parse, and if that goes well demand the same bytes back. */
static enum lb_err
read_back(const struct lb_doc_type *type, const char *text, size_t len)
{
	struct lb_buf out = { 0 };
	void *doc = malloc(type->struct_size);
	enum lb_err r;

	assert_non_null(doc);
	memset(doc, 0xa5, type->struct_size);
	r = lb_doc_parse(type, text, len, doc);
	if (r == LB_OK) {
		assert_int_equal(lb_doc_write(type, doc, &out), LB_OK);
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, text, len);
	} else {
		for (size_t i = 0; i < type->struct_size; i++)
			assert_int_equal(((unsigned char *)doc)[i], 0xa5);
	}
	lb_buf_clear(&out);
	free(doc);
	return r;
}

static void
test_papers_every_type_reads_back(void **state)
{
	size_t n = 0;

	(void)state;
	while (lb_doc_types[n] != NULL)
		n++;
	assert_int_equal(n, PAPERS);
	for (size_t i = 0; i < PAPERS; i++) {
		assert_ptr_equal(lb_doc_types[i], paper[i].type);
		assert_int_equal(read_back(paper[i].type, paper[i].text,
				     strlen(paper[i].text)),
		    LB_OK);
	}
}

/* No type is read as another. */
static void
test_papers_other_magic(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAPERS; i++)
		for (size_t j = 0; j < PAPERS; j++) {
			enum lb_err r = read_back(paper[i].type, paper[j].text,
			    strlen(paper[j].text));

			assert_int_equal(r, i == j ? LB_OK : LB_ERR_FORMAT);
		}
}

/* The text without its n-th line (0 is the magic), and that line's name. */
static bool
without_line(const char *text, size_t n, char *ret, char *ret_name)
{
	const char *start = text, *end;

	for (; n > 0; n--) {
		start = strchr(start, '\n');
		if (start == NULL || *++start == '\0')
			return false;
	}
	end = strchr(start, '\n') + 1;
	sprintf(ret, "%.*s%s", (int)(start - text), text, end);
	sprintf(ret_name, "%.*s", (int)strcspn(start, ":"), start);
	return true;
}

/* A line may be missing if it is optional, or if another of its name stays. */
static bool
may_miss(const char *optional, const char *name, const char *rest)
{
	char word[80], line[80];

	snprintf(word, sizeof(word), " %s ", name);
	snprintf(line, sizeof(line), "\n%s: ", name);
	return strstr(optional, word) != NULL || strstr(rest, line) != NULL;
}

static void
test_papers_missing_line(void **state)
{
	char text[4096], name[64];

	(void)state;
	for (size_t i = 0; i < PAPERS; i++)
		for (size_t n = 1; without_line(paper[i].text, n, text, name);
		     n++) {
			enum lb_err r =
			    read_back(paper[i].type, text, strlen(text));

			assert_int_equal(r == LB_OK,
			    may_miss(paper[i].optional, name, text));
		}
}

static void
test_papers_truncated_or_changed_fails_or_reads_back(void **state)
{
	char text[4096];

	(void)state;
	for (size_t i = 0; i < PAPERS; i++) {
		size_t len = strlen(paper[i].text), good = 0;
		/* Trust ends in optional lines: hook, engineer, delegates. */
		size_t want = paper[i].type == &lb_trust_type ? 3 : 0;

		memcpy(text, paper[i].text, len);
		for (size_t n = 0; n < len; n++)
			good += read_back(paper[i].type, text, n) == LB_OK;
		assert_int_equal(good, want);
		for (size_t n = 0; n < len; n++) {
			char kept = text[n];

			for (unsigned int bit = 0; bit < 8; bit++) {
				text[n] = (char)(kept ^ (1 << bit));
				good += read_back(paper[i].type, text, len) ==
				    LB_OK;
			}
			text[n] = kept;
		}
		assert_true(good > want);
	}
}

/* In each row: in text, replace what by with, expect want. */
static void
test_papers_lines_together(void **state)
{
	static const struct {
		const struct lb_doc_type *type;
		const char *text, *what, *with;
		enum lb_err want;
	} row[] = {
		{ &lb_request_type, REQUEST, "7200", "60", LB_OK },
		{ &lb_request_type, REQUEST, "7200", "59", LB_ERR_RANGE },
		{ &lb_request_type, REQUEST, "7200", "86400", LB_OK },
		{ &lb_request_type, REQUEST, "7200", "86401", LB_ERR_RANGE },
		{ &lb_request_type, REQUEST, "customer_initiated_support",
		    "because", LB_ERR_FORMAT },
		/* the span: positive, at most 24 h */
		{ &lb_grant_type, GRANT, "02T17:00:00Z", "03T15:00:00Z",
		    LB_OK },
		{ &lb_grant_type, GRANT, "02T17:00:00Z", "03T15:00:01Z",
		    LB_ERR_RANGE },
		{ &lb_grant_type, GRANT, "02T17:00:00Z", "02T15:00:01Z",
		    LB_OK },
		{ &lb_grant_type, GRANT, "02T17:00:00Z", "02T15:00:00Z",
		    LB_ERR_RANGE },
		{ &lb_grant_type, GRANT, "02T17:00:00Z", "02T14:59:59Z",
		    LB_ERR_RANGE },
		/* its age: issued before not-after, at most 31 days */
		{ &lb_grant_type, GRANT, "2026-03-02T14:10:00Z",
		    "2026-01-30T17:00:00Z", LB_OK },
		{ &lb_grant_type, GRANT, "2026-03-02T14:10:00Z",
		    "2026-01-30T16:59:59Z", LB_ERR_RANGE },
		{ &lb_grant_type, GRANT, "2026-03-02T14:10:00Z",
		    "2026-03-02T16:59:59Z", LB_OK },
		{ &lb_grant_type, GRANT, "2026-03-02T14:10:00Z",
		    "2026-03-02T17:00:00Z", LB_ERR_RANGE },
		/* an answer allows exactly when it names a grant */
		{ &lb_answer_type, ANSWER, "verdict: allow", "verdict: deny",
		    LB_ERR_RANGE },
		{ &lb_answer_type, ANSWER, "verdict: allow", "verdict: pending",
		    LB_ERR_RANGE },
		{ &lb_answer_type, ANSWER, "verdict: allow", "verdict: maybe",
		    LB_ERR_FORMAT },
		{ &lb_answer_type, ANSWER, "grant: " ID_A "\ngrant: " ID_B "\n",
		    "", LB_ERR_RANGE },
		{ &lb_answer_type, ANSWER, "16:00:01Z", "15:30:02Z", LB_OK },
		{ &lb_answer_type, ANSWER, "16:00:01Z", "15:30:01Z",
		    LB_ERR_RANGE },
		/* the first trust document has no previous, the others do */
		{ &lb_trust_type, TRUST, "serial: 2\nprevious: " ID_A,
		    "serial: 1", LB_OK },
		{ &lb_trust_type, TRUST, "serial: 2", "serial: 1",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "previous: " ID_A "\n", "",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "serial: 2", "serial: 0",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "serial: 2", "serial: 999999999",
		    LB_OK },
		{ &lb_trust_type, TRUST, "serial: 2", "serial: 1000000000",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "threshold: 1", "threshold: 0",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "threshold: 1", "threshold: 17",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "lease: 1800", "lease: 599",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "longest: 14400", "longest: 86401",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST, "require: any", "require: none",
		    LB_ERR_FORMAT },
		{ &lb_trust_type, TRUST, "offline: deny", "offline: yes",
		    LB_ERR_FORMAT },
		{ &lb_trust_type, TRUST, "hook: desk x", "hook: d\xc3\xa9sk x",
		    LB_ERR_FORMAT },
		{ &lb_trust_type, TRUST, "delegate: max@provider.example x\n",
		    "", LB_ERR_RANGE },
		{ &lb_trust_type, TRUST,
		    "delegate-until: 2026-06-01T00:00:00Z\n", "",
		    LB_ERR_RANGE },
		{ &lb_trust_type, TRUST,
		    "delegate: max@provider.example x\n"
		    "delegate-until: 2026-06-01T00:00:00Z\n",
		    "", LB_OK },
		{ &lb_report_type, REPORT, "4294967294", "4294967295",
		    LB_ERR_RANGE },
		{ &lb_report_type, REPORT, "session: 4294967294", "session: 0",
		    LB_ERR_RANGE },
		{ &lb_report_type, REPORT, "seconds: 3600", "seconds: 0",
		    LB_ERR_RANGE },
		{ &lb_report_type, REPORT, "killed: 12", "killed: 4294967296",
		    LB_ERR_RANGE },
		{ &lb_report_type, REPORT, "9007199254740991",
		    "9007199254740992", LB_ERR_RANGE },
		{ &lb_event_type, EVENT, "sequence: 1", "sequence: 0",
		    LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const char *at = strstr(row[i].text, row[i].what);
		char text[4096];
		enum lb_err r;

		assert_non_null(at);
		snprintf(text, sizeof(text), "%.*s%s%s",
		    (int)(at - row[i].text), row[i].text, row[i].with,
		    at + strlen(row[i].what));
		r = read_back(row[i].type, text, strlen(text));
		if (r != row[i].want)
			print_error("row %zu: '%s'\n", i, row[i].with);
		assert_int_equal(r, row[i].want);
	}
}

static void
test_doc_id(void **state)
{
	char id[LB_SHA256_LEN + 1];

	(void)state;
	lb_doc_id("abc", 3, id);
	assert_string_equal(id,
	    "sha256:ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
}

static void
test_answer_repeats(void **state)
{
	static const struct {
		const char *answer, *question;
		bool want;
	} row[] = {
		{ ANSWER, QUESTION, true },
		{ ANSWER, ANSWER, false },
		{ QUESTION, QUESTION, false },
		{ ANSWER, "lockbox-question-v1\n", false },
		{ ANSWER, "", false },
		{ "", QUESTION, false },
		{ "lockbox-answer-v1\n", QUESTION, false },
		{ "lockbox-answer-v1\n" ASKED, QUESTION, false },
		{ "lockbox-answer-v1\n" ASKED "verdict:", QUESTION, false },
		{ "lockbox-answer-v1\n" ASKED "verdict: ", QUESTION, true },
		/* fewer or more lines than were asked */
		{ ANSWER, "lockbox-question-v1\nhost: db1.acme.example\n",
		    false },
		{ ANSWER, QUESTION "verdict: allow\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_int_equal(
		    lb_answer_repeats(row[i].answer, strlen(row[i].answer),
			row[i].question, strlen(row[i].question)),
		    row[i].want);
}

static void
test_answer_repeats_every_byte(void **state)
{
	char question[] = QUESTION;
	size_t len = strlen(question);

	(void)state;
	assert_true(lb_answer_repeats(ANSWER, strlen(ANSWER), question, len));
	for (size_t i = 0; i < len; i++) {
		question[i] ^= 1;
		assert_false(
		    lb_answer_repeats(ANSWER, strlen(ANSWER), question, len));
		question[i] ^= 1;
		assert_false(
		    lb_answer_repeats(ANSWER, strlen(ANSWER), question, i));
	}
}

static void
test_lists_have(void **state)
{
	struct lb_grant g;

	(void)state;
	assert_int_equal(lb_grant_parse(GRANT, strlen(GRANT), &g), LB_OK);
	assert_true(lb_hosts_has(&g.host, "db1.acme.example"));
	assert_false(lb_hosts_has(&g.host, "db1.acme.exampl"));
	assert_false(lb_hosts_has(&g.host, "db1.acme.example."));
	assert_false(lb_hosts_has(&g.host, ""));
	assert_true(lb_logins_has(&g.login, "deploy"));
	assert_false(lb_logins_has(&g.login, "root"));
	assert_true(lb_services_has(&g.service, "sshd"));
	assert_false(lb_services_has(&g.service, "sudo"));
	assert_true(lb_keyfps_has(&g.engineer_key, KEY_A));
	assert_false(lb_keyfps_has(&g.engineer_key, KEY_B));
}

static void
within_ready(struct lb_request *r, struct lb_grant *g)
{
	assert_int_equal(lb_request_parse(REQUEST, strlen(REQUEST), r), LB_OK);
	assert_int_equal(lb_grant_parse(GRANT, strlen(GRANT), g), LB_OK);
}

static void
test_grant_within(void **state)
{
	struct lb_request r;
	struct lb_grant g, whole;

	(void)state;
	within_ready(&r, &g);
	assert_true(lb_grant_within(&g, &r, ID_A));
	assert_false(lb_grant_within(&g, &r, ID_B));

	whole = g;
	whole.engineer_key = r.engineer_key;
	whole.host = r.host;
	whole.login = r.login;
	whole.service = r.service;
	assert_true(lb_grant_within(&whole, &r, ID_A));
}

/* One grant in another's place: with all its services and logins. */
static void
test_grant_lists_all(void **state)
{
	struct lb_grant later, earlier;
	struct lb_request r;

	(void)state;
	within_ready(&r, &earlier);
	later = earlier;
	assert_true(lb_grant_lists_all(&later, &earlier));
	later.login = r.login;
	later.service = r.service;
	assert_true(lb_grant_lists_all(&later, &earlier));
	strcpy(earlier.login.item[0], "zoe");
	assert_false(lb_grant_lists_all(&later, &earlier));
	earlier.login = later.login;
	assert_true(lb_grant_lists_all(&later, &earlier));
	later.service.count--;
	earlier.service = r.service;
	assert_false(lb_grant_lists_all(&later, &earlier));
	assert_true(lb_grant_lists_all(&earlier, &later));
}

static void
test_grant_within_words(void **state)
{
	struct lb_request r;
	struct lb_grant g, good;
	char *word[] = { g.tenant, g.broker, g.engineer, g.ticket,
		g.reason_type, g.reason };

	(void)state;
	within_ready(&r, &good);
	g = good;
	assert_true(lb_grant_within(&g, &r, ID_A));
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		g = good;
		word[i][0] ^= 1;
		assert_false(lb_grant_within(&g, &r, ID_A));
		g = good;
		word[i][0] = '\0';
		assert_false(lb_grant_within(&g, &r, ID_A));
	}
}

static void
test_grant_within_lists(void **state)
{
	struct lb_request r;
	struct lb_grant g, good;

	(void)state;
	within_ready(&r, &good);
	g = good;
	assert_true(lb_grant_within(&g, &r, ID_A));
	strcpy(g.host.item[0], "db3.acme.example");
	assert_false(lb_grant_within(&g, &r, ID_A));
	g = good;
	strcpy(g.login.item[1], "zoe");
	g.login.count = 2;
	assert_false(lb_grant_within(&g, &r, ID_A));
	g = good;
	strcpy(g.service.item[0], "su");
	assert_false(lb_grant_within(&g, &r, ID_A));
	g = good;
	g.engineer_key.item[0][10] = 'x';
	assert_false(lb_grant_within(&g, &r, ID_A));
	g = good;
	g.engineer_key.count = 0;
	assert_false(lb_grant_within(&g, &r, ID_A));
}

static void
test_grant_within_times(void **state)
{
	static const struct {
		int64_t before, after; /* added to the grant's times */
		bool want;
	} row[] = {
		{ 0, 0, true },
		{ 0, 60, true },
		{ 0, 61, false },
		{ -60, 0, true },
		{ -60, 1, false },
		{ -61, -1, false }, /* before start */
		{ 3600, 3600, true },
		{ 3600, 3661, false },
		{ 0, -3600, true },
	};
	struct lb_request r;
	struct lb_grant good;

	(void)state;
	within_ready(&r, &good);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_grant g = good;

		g.not_before += row[i].before;
		g.not_after += row[i].after;
		assert_int_equal(lb_grant_within(&g, &r, ID_A), row[i].want);
	}
	r.start = 0; /* at approval: only the length binds */
	good.not_before -= 86400;
	good.not_after -= 86400;
	assert_true(lb_grant_within(&good, &r, ID_A));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_papers_every_type_reads_back),
		cmocka_unit_test(test_papers_other_magic),
		cmocka_unit_test(test_papers_missing_line),
		cmocka_unit_test(
		    test_papers_truncated_or_changed_fails_or_reads_back),
		cmocka_unit_test(test_papers_lines_together),
		cmocka_unit_test(test_doc_id),
		cmocka_unit_test(test_answer_repeats),
		cmocka_unit_test(test_answer_repeats_every_byte),
		cmocka_unit_test(test_lists_have),
		cmocka_unit_test(test_grant_within),
		cmocka_unit_test(test_grant_lists_all),
		cmocka_unit_test(test_grant_within_words),
		cmocka_unit_test(test_grant_within_lists),
		cmocka_unit_test(test_grant_within_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
