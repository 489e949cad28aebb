/* lib/bundle.c: what splits, what is refused, and that no byte is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/bundle.h"
#include "lockbox/papers.h"

#define H64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SIGNIN                                                                 \
	"lockbox-signin-v1\n"                                                  \
	"broker: broker.example\n"                                             \
	"principal: ada@example.com\n"                                         \
	"nonce: 00112233445566778899aabbccddeeff\n"                            \
	"time: 2026-03-02T14:00:00Z\n"
#define EVENT                                                                  \
	"lockbox-event-v1\n"                                                   \
	"tenant: acme\n"                                                       \
	"sequence: 7\n"                                                        \
	"event: grant.revoked\n"                                               \
	"actor: mia@acme.example\n"                                            \
	"grant: sha256:" H64 "\n"                                              \
	"at: 2026-03-02T14:00:00Z\n"
#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END   "-----END SSH SIGNATURE-----\n"
#define SIG1  BEGIN "U1NIU0lHAAAAAQ==\n" END
#define SIG2  BEGIN "AAAAAA+/\nBBBB\n" END

static enum lb_err
split(const char *text, struct lb_bundle **ret)
{
	return lb_bundle_split(text, strlen(text), ret);
}

static void
test_bundle_split(void **state)
{
	static const char text[] = SIGNIN SIG1 SIG2 EVENT SIG2;
	struct lb_bundle *b = NULL;
	char id[LB_SHA256_LEN + 1];

	(void)state;
	assert_int_equal(split(text, &b), LB_OK);
	assert_int_equal(b->count, 2);
	assert_ptr_equal(b->part[0].type, &lb_signin_type);
	assert_ptr_equal(b->part[0].doc.text, text);
	assert_int_equal(b->part[0].doc.len, strlen(SIGNIN));
	assert_int_equal(b->part[0].sig_count, 2);
	assert_int_equal(b->part[0].sigs[0].len, strlen(SIG1));
	assert_memory_equal(b->part[0].sigs[1].text, SIG2, strlen(SIG2));
	assert_ptr_equal(b->part[1].type, &lb_event_type);
	assert_int_equal(b->part[1].doc.len, strlen(EVENT));
	assert_int_equal(b->part[1].sig_count, 1);
	assert_memory_equal(b->part[1].sigs[0].text, SIG2, strlen(SIG2));
	assert_int_equal(b->sig_count, 3);

	lb_doc_id(EVENT, strlen(EVENT), id);
	assert_string_equal(b->part[1].id, id);
	assert_ptr_equal(lb_bundle_find(b, id), &b->part[1]);
	assert_null(lb_bundle_find(b, "sha256:" H64));
	assert_string_equal(b->part[0].id, ""); /* nothing names a sign-in */
	assert_null(lb_bundle_find(b, ""));
	assert_int_equal(lb_bundle_sigs(text, strlen(text)), 3);
	assert_ptr_equal(lb_bundle_first(b, &lb_event_type), &b->part[1]);
	assert_null(lb_bundle_first(b, &lb_grant_type));
	lb_bundle_free(b);
}

static void
test_bundle_split_empty(void **state)
{
	struct lb_bundle *b = NULL;

	(void)state;
	assert_int_equal(lb_bundle_split("", 0, &b), LB_OK);
	assert_int_equal(b->count, 0);
	assert_null(lb_bundle_first(b, &lb_event_type));
	lb_bundle_free(b);
	assert_int_equal(lb_bundle_split(NULL, 0, &b), LB_OK);
	lb_bundle_free(b);
	lb_bundle_free(NULL);
}

static void
test_bundle_split_refuses(void **state)
{
	static const struct {
		const char *text;
		enum lb_err want;
	} row[] = {
		{ SIGNIN, LB_OK },
		{ SIGNIN EVENT, LB_OK },
		{ SIGNIN SIG1 EVENT, LB_OK },
		{ "lockbox-signin-v1\n", LB_OK }, /* no document reader here */
		{ "\n", LB_ERR_FORMAT },
		{ "\n" SIGNIN, LB_ERR_FORMAT },
		{ " " SIGNIN, LB_ERR_FORMAT },
		{ "hello\n" SIGNIN, LB_ERR_FORMAT },
		{ "lockbox-signin-v2\n", LB_ERR_FORMAT },
		{ "lockbox-signin-v1", LB_ERR_FORMAT },
		{ "lockbox-signin-v1 \n", LB_ERR_FORMAT },
		{ "lockbox-signin-v1\r\n", LB_ERR_FORMAT },
		{ SIG1, LB_ERR_FORMAT },
		{ SIG1 SIGNIN, LB_ERR_FORMAT },
		{ SIGNIN SIGNIN, LB_ERR_FORMAT },
		{ SIGNIN SIG1 EVENT SIGNIN SIG2, LB_ERR_FORMAT },
		{ SIGNIN SIG1 "\n", LB_ERR_FORMAT },
		{ SIGNIN SIG1 "\n" EVENT, LB_ERR_FORMAT },
		{ SIGNIN SIG1 "x\n" EVENT, LB_ERR_FORMAT },
		{ SIGNIN SIG1 "time: 2026-03-02T14:00:00Z\n", LB_ERR_FORMAT },
		{ SIGNIN SIG1 END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n", LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n" EVENT, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n" SIG1, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n\n" END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AA AA\n" END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AA-_\n" END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\r\n" END, LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n-----END SSH SIGNATURE----\n",
		    LB_ERR_FORMAT },
		{ SIGNIN BEGIN "AAAA\n-----END SSH SIGNATURE-----",
		    LB_ERR_FORMAT },
		{ SIGNIN SIG1 "-----BEGIN SSH SIGNATURE----- \nAAAA\n" END,
		    LB_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_bundle *b = NULL;
		enum lb_err r = split(row[i].text, &b);

		if (r != row[i].want)
			print_error("row %zu: %s\n", i, row[i].text);
		assert_int_equal(r, row[i].want);
		assert_int_equal(b != NULL, r == LB_OK);
		lb_bundle_free(b);
	}
}

static void
test_bundle_split_refuses_nul(void **state)
{
	char text[] = SIGNIN SIG1 EVENT SIG2;
	struct lb_bundle *b = NULL;

	(void)state;
	assert_int_equal(lb_bundle_split(text, strlen(text), &b), LB_OK);
	lb_bundle_free(b);
	b = NULL;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char kept = text[i];

		text[i] = '\0';
		assert_int_equal(
		    lb_bundle_split(text, sizeof(text) - 1, &b), LB_ERR_FORMAT);
		text[i] = kept;
	}
	assert_null(b);
}

static void
test_bundle_split_long_base64_line(void **state)
{
	struct lb_bundle *b = NULL;
	char text[1024];

	(void)state;
	for (size_t n = 76; n <= 77; n++) {
		char line[80];

		memset(line, 'A', n);
		line[n] = '\0';
		snprintf(text, sizeof(text), SIGNIN BEGIN "%s\n" END, line);
		assert_int_equal(
		    split(text, &b), n == 76 ? LB_OK : LB_ERR_FORMAT);
	}
	lb_bundle_free(b);
}

/* n sign-ins with different times, each with sigs signatures. */
static void
many(struct lb_buf *buf, size_t n, size_t sigs)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
		    lb_buf_addf(buf, "lockbox-signin-v1\ntime: %zu\n", i),
		    LB_OK);
		for (size_t j = 0; j < sigs; j++)
			assert_int_equal(lb_buf_adds(buf, SIG1), LB_OK);
	}
}

static void
test_bundle_split_bounds(void **state)
{
	static const struct {
		size_t parts, sigs;
		enum lb_err want;
	} row[] = {
		{ LB_BUNDLE_PARTS_MAX, 4, LB_OK },
		{ LB_BUNDLE_PARTS_MAX + 1, 0, LB_ERR_RANGE },
		{ 1, LB_BUNDLE_SIGS_MAX, LB_OK },
		{ 1, LB_BUNDLE_SIGS_MAX + 1, LB_ERR_RANGE },
		{ LB_BUNDLE_PARTS_MAX, 5, LB_ERR_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_bundle *b = NULL;
		struct lb_buf buf = { 0 };

		many(&buf, row[i].parts, row[i].sigs);
		assert_int_equal(
		    lb_bundle_split(buf.data, buf.len, &b), row[i].want);
		lb_bundle_free(b);
		lb_buf_clear(&buf);
	}
}

/* A text of len bytes: one trust-sized or smaller document after another. */
static void
test_bundle_split_sizes(void **state)
{
	static const struct {
		const char *magic;
		size_t len;
		enum lb_err want;
	} row[] = {
		{ "lockbox-grant-v1\n", LB_DOC_TEXT_MAX, LB_OK },
		{ "lockbox-grant-v1\n", LB_DOC_TEXT_MAX + 1, LB_ERR_RANGE },
		{ "lockbox-trust-v1\n", LB_TRUST_TEXT_MAX, LB_OK },
		{ "lockbox-trust-v1\n", LB_TRUST_TEXT_MAX + 1, LB_ERR_RANGE },
		{ "lockbox-trust-v1\n", LB_BUNDLE_MAX + 1, LB_ERR_RANGE },
	};
	char *text = malloc(LB_BUNDLE_MAX + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct lb_bundle *b = NULL;

		memset(text, 'a', row[i].len);
		memcpy(text, row[i].magic, strlen(row[i].magic));
		text[row[i].len - 1] = '\n';
		assert_int_equal(
		    lb_bundle_split(text, row[i].len, &b), row[i].want);
		lb_bundle_free(b);
	}
	free(text);
}

static void
part_write(const struct lb_part *p, struct lb_buf *out)
{
	assert_int_equal(lb_buf_add(out, p->doc.text, p->doc.len), LB_OK);
	for (size_t i = 0; i < p->sig_count; i++)
		assert_int_equal(
		    lb_buf_add(out, p->sigs[i].text, p->sigs[i].len), LB_OK);
}

/* Write a part again from what its document says; false if it says nothing. */
static bool
part_rewrite(const struct lb_part *p, struct lb_buf *out)
{
	void *doc = calloc(1, p->type->struct_size);
	enum lb_err r;

	assert_non_null(doc);
	r = lb_doc_parse(p->type, p->doc.text, p->doc.len, doc);
	if (r == LB_OK) {
		assert_int_equal(lb_doc_write(p->type, doc, out), LB_OK);
		for (size_t i = 0; i < p->sig_count; i++)
			assert_int_equal(
			    lb_buf_add(out, p->sigs[i].text, p->sigs[i].len),
			    LB_OK);
	}
	free(doc);
	return r == LB_OK;
}

/*
 * Refused, or nothing is lost: the parts put together are the input, and if
 * every document parses then so are the parts written anew.
 */
static bool
same_or_refused(const char *text, size_t len)
{
	struct lb_buf whole = { 0 }, again = { 0 };
	struct lb_bundle *b = NULL;
	bool reads = true;

	if (lb_bundle_split(text, len, &b) != LB_OK)
		return false;
	for (size_t i = 0; i < b->count; i++) {
		part_write(&b->part[i], &whole);
		reads = reads && part_rewrite(&b->part[i], &again);
	}
	assert_int_equal(whole.len, len);
	if (len > 0)
		assert_memory_equal(whole.data, text, len);
	if (reads && len > 0) {
		assert_int_equal(again.len, len);
		assert_memory_equal(again.data, text, len);
	}
	lb_buf_clear(&whole);
	lb_buf_clear(&again);
	lb_bundle_free(b);
	return reads;
}

static void
test_bundle_truncated_fails_or_reads_back(void **state)
{
	static const char text[] = SIGNIN SIG1 SIG2 EVENT SIG2;
	size_t good = 0;

	(void)state;
	assert_true(same_or_refused(text, strlen(text)));
	for (size_t i = 0; i < strlen(text); i++)
		good += same_or_refused(text, i);
	/* Nothing at all; before each signature and before the event. */
	assert_int_equal(good, 5);
}

static void
test_bundle_changed_fails_or_reads_back(void **state)
{
	char text[] = SIGNIN SIG1 SIG2 EVENT SIG2;
	size_t len = strlen(text), good = 0;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];

		for (int c = 0; c < 256; c++) {
			text[i] = (char)c;
			good += same_or_refused(text, len);
		}
		text[i] = kept;
	}
	assert_true(good > len);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bundle_split),
		cmocka_unit_test(test_bundle_split_empty),
		cmocka_unit_test(test_bundle_split_refuses),
		cmocka_unit_test(test_bundle_split_refuses_nul),
		cmocka_unit_test(test_bundle_split_long_base64_line),
		cmocka_unit_test(test_bundle_split_bounds),
		cmocka_unit_test(test_bundle_split_sizes),
		cmocka_unit_test(test_bundle_truncated_fails_or_reads_back),
		cmocka_unit_test(test_bundle_changed_fails_or_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
