/*
 * What mail and webhooks look like: inert whatever people say, without links
 * where there shall be none, and signed as Standard Webhooks has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "mail.h"
#include "notice_data.h"
#include "seal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW          INT64_C(2000000000)

static struct request_row *
request(const char *reason)
{
	struct request_row *q = calloc(1, sizeof(*q));
	struct lb_request *d;

	assert_non_null(q);
	d = &q->doc;
	ROW_TEXT(d->request, "01JABCDEFGHJKMNPQRSTVWXYZ0");
	ROW_TEXT(d->tenant, "acme");
	ROW_TEXT(d->broker, "support");
	ROW_TEXT(d->engineer, "avm@provider.example");
	ROW_TEXT(d->host.item[0], "db1");
	ROW_TEXT(d->login.item[0], "deploy");
	ROW_TEXT(d->service.item[0], "sshd");
	d->host.count = d->login.count = d->service.count = 1;
	d->duration = 7200;
	ROW_TEXT(d->reason_type, "customer_initiated_support");
	ROW_TEXT(d->reason, reason);
	d->requested = NOW;
	lb_doc_id("x", 1, q->sha256);
	q->state = STATE_PENDING_APPROVAL;
	q->lapses_at = NOW + 3600;
	return q;
}

static void
mail_of(const char *reason, bool links, struct mail *ret)
{
	struct request_row *q = request(reason);
	struct letter_facts f = { .kind = NOTICE_PENDING_APPROVAL,
		.tenant = "acme",
		.actor = "avm@provider.example",
		.request = q,
		.reason = "",
		.url = "https://lockbox.example",
		.now = NOW };
	struct letter l;

	assert_int_equal(letter_write(&f, &l), LB_OK);
	assert_int_equal(mail_write(&l, 1, links, ret), LB_OK);
	letter_clear(&l);
	free(q);
}

static void
test_mail_is_inert(void **state)
{
	static const struct {
		const char *reason, *html;
	} row[] = {
		{ "<script>x</script>", "&lt;script&gt;x&lt;/script&gt;" },
		{ "a & b", "a &amp; b" },
		{ "\" onload='x'", "&quot; onload=&#39;x&#39;" },
		/* A request cannot hold these; the mail does not rely on it. */
		{ "a\r\nb\x1b[0m\x7f", "a??b?[0m?" },
	};
	struct mail m;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		mail_of(row[i].reason, true, &m);
		assert_non_null(strstr(m.html.data, row[i].html));
		assert_null(strstr(m.html.data, "<script"));
		assert_null(strpbrk(m.text.data, "\r\x1b\x7f"));
		assert_null(strstr(m.subject, "script"));
		assert_non_null(strstr(m.text.data,
		    "https://lockbox.example/#/requests/"
		    "01JABCDEFGHJKMNPQRSTVWXYZ0"));
		mail_clear(&m);
	}
}

static void
test_mail_without_links(void **state)
{
	static const char *const row[] = { "https://evil.example",
		"see WWW.evil.example", "mailto:a@b.example" };
	static const char *const no[] = { "s://", " WWW.", " mailto:", "href",
		"lockbox.example" };
	struct mail m;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		mail_of(row[i], false, &m);
		for (size_t k = 0; k < COUNT(no); k++) {
			const char *s = strstr(m.text.data, no[k]);

			/* Ours stands before what would be taken for one. */
			if (s != NULL)
				assert_memory_equal(s - 6, "[link]", 6);
		}
		assert_null(strstr(m.html.data, "href"));
		assert_non_null(strstr(m.text.data, "[link] "));
		mail_clear(&m);
	}
}

/* However much is asked for: below the 20 kB of the standard. */
static void
test_notice_data_is_bounded(void **state)
{
	struct request_row *q = request("x");
	struct grant_row *g = calloc(1, sizeof(*g));
	struct change c = { .request = q, .grant = g };
	struct lb_event e = { .tenant = "acme", .actor = "anna" };
	struct lb_buf data = { 0 };

	(void)state;
	assert_non_null(g);
	q->doc.host.count = LB_HOSTS_MAX;
	for (size_t i = 0; i < LB_HOSTS_MAX; i++) {
		memset(q->doc.host.item[i], 'a', LB_HOST_MAX);
		q->doc.host.item[i][LB_HOST_MAX] = '\0';
	}
	memset(q->doc.reason, '"', LB_REASON_MAX);
	q->doc.reason[LB_REASON_MAX] = '\0';
	ROW_TEXT(e.detail, q->doc.reason);
	ROW_TEXT(g->sha256, q->sha256);
	g->state = STATE_ACTIVE;
	g->doc.host = q->doc.host;
	g->doc.not_before = NOW;
	g->doc.not_after = NOW + 60;
	assert_int_equal(notice_data_write(&c, &e, NULL, &data), LB_OK);
	assert_true(data.len < NOTICE_DATA_MAX);
	lb_buf_clear(&data);
	free(g);
	free(q);
}

static void
test_seal(void **state)
{
	uint8_t secret[APP_SECRET_LEN] = { 1, 2, 3 };
	struct app *app = calloc(1, sizeof(*app));
	struct webhook_row h = {
		.scheme = SCHEME_V1, .generation = 1, .old_until = NOW
	};
	char key[SEAL_SECRET_MAX + 1], again[SEAL_SECRET_MAX + 1];
	char one[SEAL_MAX + 1], two[SEAL_MAX + 1];

	(void)state;
	assert_non_null(app);
	app->secret = secret;
	ROW_TEXT(h.id, "01JABCDEFGHJKMNPQRSTVWXYZ0");
	seal_key(app, &h, key);
	seal_key(app, &h, again);
	assert_string_equal(key, again);
	assert_memory_equal(key, "whsec_", 6);
	assert_int_equal(
	    seal_make(app, &h, "id", NOW - 1, "{}", 2, one), LB_OK);
	assert_memory_equal(one, "v1,", 3);
	assert_null(strchr(one, ' ')); /* there is no key before the first */
	h.generation = 2;
	assert_int_equal(
	    seal_make(app, &h, "id", NOW - 1, "{}", 2, two), LB_OK);
	assert_string_equal(strchr(two, ' ') + 1, one);
	/* The old one ends, half open. */
	assert_int_equal(seal_make(app, &h, "id", NOW, "{}", 2, two), LB_OK);
	assert_null(strchr(two, ' '));
	seal_key(app, &h, again);
	assert_string_not_equal(key, again);
	h.scheme = SCHEME_V1A;
	seal_key(app, &h, again);
	assert_memory_equal(again, "whpk_", 5);
	secret[0] = 9;
	seal_key(app, &h, key);
	assert_string_not_equal(key, again);
	free(app);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_is_inert),
		cmocka_unit_test(test_mail_without_links),
		cmocka_unit_test(test_notice_data_is_bounded),
		cmocka_unit_test(test_seal),
	};

	return sodium_init() < 0 ? 1
				 : cmocka_run_group_tests(tests, NULL, NULL);
}
