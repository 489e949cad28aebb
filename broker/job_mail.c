/* Sending a mail: what goes together, what became void, headers, transfer. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mailto.h"
#include "job.h"
#include "log.h"
#include "outbox.h"

#define TIMEOUT_S  60L
#define GATHER_S   (5 * 60) /* at most one mail in so many seconds */
#define HEADER_MAX 512      /* bytes of one header line */

/* Gathering one mail. Heap. */
struct gathering {
	struct app *app;
	struct job *j;
	int64_t now;
	size_t letters;
	struct letter letter[MAIL_LETTERS_MAX];
	size_t set_count; /* deliveries to write down before anything is sent */
	struct delivery_row set[MAIL_LETTERS_MAX];
	struct mailto to;
};

static bool
row_take(void *arg, const struct delivery_row *row)
{
	struct job *j = arg;

	j->row[j->count++] = *row;
	return j->count < MAIL_LETTERS_MAX;
}

static bool
fresh_take(void *arg, const struct delivery_row *row)
{
	return row->batch[0] != '\0' || row_take(arg, row);
}

/* What was sent as one mail before stays one; else all that waits is one. */
static enum lb_err
rows_read(struct gathering *g)
{
	struct job *j = g->j;
	struct delivery_row head = j->row[0];
	int64_t last;
	enum lb_err r;

	j->count = 0;
	if (head.batch[0] != '\0')
		return store_delivery_batch(
		    g->app->store, head.batch, row_take, j);
	if (!head.gathers) {
		j->row[j->count++] = head;
		return LB_OK;
	}
	if ((r = store_delivery_last(g->app->store, head.line, &last)) != LB_OK)
		return r;
	if (g->now < last + GATHER_S) {
		struct outbox_change c = { .line = head.line,
			.quiet_until = last + GATHER_S };

		r = store_outbox_write(g->app->store, &c);
		return r == LB_OK ? LB_ERR_TIMEOUT : r;
	}
	return store_delivery_line(g->app->store, head.line, fresh_take, j);
}

/* Is he still one to be asked? Trust may have changed since. */
static bool
still_asked(struct gathering *g, const struct delivery_row *d,
    const struct lb_trust *trust, const char *engineer)
{
	struct told *told;
	struct person_row p;
	bool found = false;
	size_t count;

	if (notice_tells_managers(d->kind))
		return store_person_get(g->app->store, d->receiver, &p) ==
		    LB_OK &&
		    p.active && (p.roles & ROLE_MANAGER) != 0;
	if ((told = calloc(NOTICES_TOLD_MAX, sizeof(*told))) == NULL)
		return true;
	count = notices_told(d->kind, trust, "", engineer, g->now, told);
	for (size_t i = 0; i < count; i++)
		found |= strcmp(told[i].principal, d->receiver) == 0 &&
		    told[i].staff == d->staff;
	free(told);
	return found;
}

static const char *
reason_of(const struct letter_facts *f, const struct grant_row *g)
{
	if (f->kind == NOTICE_REQUEST_DENIED ||
	    (f->kind == NOTICE_SETTLED && f->request->state == STATE_DENIED))
		return f->request->denial.reason;
	return f->kind == NOTICE_GRANT_REVOKED ? g->closing.reason : "";
}

/* The letter of one delivery, or why it needs none. */
static enum lb_err
letter_make(struct gathering *g, const struct delivery_row *d,
    const struct notice_row *n, const struct lb_trust *trust,
    struct request_row *q, const char **ret_void)
{
	struct letter_facts f = { .kind = d->kind,
		.tenant = d->tenant,
		.actor = n->actor,
		.trust = trust,
		.reason = "",
		.url = g->app->conf.url,
		.now = g->now };
	struct grant_row grant = { 0 };
	enum state wants = notice_wants(d->kind);
	enum lb_err r = LB_OK;

	if (d->request[0] != '\0') {
		if ((r = store_request_get(g->app->store, d->request, q)) !=
		    LB_OK)
			return r;
		q->state = rules_state_at(q->state, q->lapses_at, q->not_before,
		    q->not_after, g->now);
		f.request = q;
	}
	if (wants != 0 && (f.request == NULL || q->state != wants))
		*ret_void = "settled";
	else if (wants != 0 && !still_asked(g, d, trust, q->doc.engineer))
		*ret_void = "not_asked";
	if (*ret_void != NULL)
		return LB_OK;
	if (f.request != NULL && q->grant[0] != '\0' &&
	    (r = store_grant_get(g->app->store, q->grant, &grant)) != LB_OK)
		return r;
	if (grant.text_len > 0)
		f.grant = &grant.doc;
	f.reason = reason_of(&f, &grant);
	r = letter_write(&f, &g->letter[g->letters]);
	grant_row_clear(&grant);
	if (r == LB_OK)
		g->letters++;
	return r;
}

static enum lb_err
letter_of(
    struct gathering *g, const struct delivery_row *d, const char **ret_void)
{
	struct request_row *q = calloc(1, sizeof(*q));
	struct held *held = trusts_take(g->app->trusts, d->tenant);
	struct notice_row n = { 0 };
	enum lb_err r = LB_ERR_MEMORY;

	if (q != NULL &&
	    (r = store_notice_get(g->app->store, d->notice, &n)) == LB_OK)
		r = letter_make(
		    g, d, &n, held != NULL ? held->trust : NULL, q, ret_void);
	lb_buf_clear(&n.data);
	trusts_give(g->app->trusts, held);
	free(q);
	return r;
}

static void
drop(struct gathering *g, const struct delivery_row *d, const char *code)
{
	struct delivery_row *set = &g->set[g->set_count++];

	*set = *d;
	set->state = DELIVERY_DROPPED;
	set->done_at = g->now;
	ROW_TEXT(set->code, code);
}

/* Asked for the same already, in this very mail: reminders that piled up. */
static bool
repeats(const struct job *j, size_t kept, const struct delivery_row *d)
{
	for (size_t i = 0; i < kept && notice_asks(d->kind); i++)
		if (notice_asks(j->row[i].kind) &&
		    strcmp(j->row[i].request, d->request) == 0)
			return true;
	return false;
}

/* Letters for what is to be told; the rest is dropped. */
static enum lb_err
rows_sort(struct gathering *g)
{
	struct job *j = g->j;
	size_t kept = 0;
	enum lb_err r;

	r = mailto_find(g->app, j->row[0].staff ? "" : j->row[0].tenant,
	    j->row[0].receiver, &g->to);
	if (r != LB_OK && r != LB_ERR_MISSING)
		return r;
	for (size_t i = 0; i < j->count; i++) {
		const char *why = r == LB_ERR_MISSING ? "no_address" : NULL;

		if (why == NULL && repeats(j, kept, &j->row[i]))
			why = "repeated";
		if (why == NULL) {
			enum lb_err k = letter_of(g, &j->row[i], &why);

			if (k != LB_OK)
				return k;
		}
		if (why != NULL)
			drop(g, &j->row[i], why);
		else
			j->row[kept++] = j->row[i];
	}
	j->count = kept;
	return LB_OK;
}

/* Which deliveries are this mail is written down before it is sent. */
static enum lb_err
batch_write(struct gathering *g)
{
	struct job *j = g->j;
	struct outbox_change c = { .set = g->set, .now = g->now };

	for (size_t i = 0; i < j->count; i++) {
		if (j->row[i].batch[0] != '\0')
			continue;
		ROW_TEXT(j->row[i].batch, j->row[0].id);
		g->set[g->set_count++] = j->row[i];
	}
	c.set_count = g->set_count;
	if (c.set_count == 0)
		return LB_OK;
	return store_outbox_write(g->app->store, &c);
}

enum lb_err
job_mail_init(struct app *app, struct job *j)
{
	struct gathering *g = calloc(1, sizeof(*g));
	enum lb_err r = LB_ERR_MEMORY;

	if (g == NULL)
		return r;
	g->app = app;
	g->j = j;
	g->now = app->clock();
	if ((r = rows_read(g)) != LB_OK)
		goto out;
	r = LB_ERR_STATE;
	if (j->count == 0 || (r = rows_sort(g)) != LB_OK ||
	    (r = batch_write(g)) != LB_OK)
		goto out;
	r = LB_ERR_STATE;
	if (g->letters == 0)
		goto out;
	r = mail_write(g->letter, g->letters,
	    app->conf.mail_links && g->to.links, &j->mail);
	(void)snprintf(j->to, sizeof(j->to), "<%s>", g->to.mail);
out:
	for (size_t i = 0; i < g->letters; i++)
		letter_clear(&g->letter[i]);
	free(g);
	return r;
}

static enum lb_err header_add(struct curl_slist **list, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A line that would end the header is a mistake of ours: refused. */
static enum lb_err
header_add(struct curl_slist **list, const char *fmt, ...)
{
	char line[HEADER_MAX];
	struct curl_slist *longer;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(line))
		return LB_ERR_RANGE;
	for (const char *p = line; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return LB_ERR_FORMAT;
	longer = curl_slist_append(*list, line);
	if (longer == NULL)
		return LB_ERR_MEMORY;
	*list = longer;
	return LB_OK;
}

static enum lb_err
headers_make(struct app *app, struct job *j)
{
	const char *from = app->conf.smtp_from;
	const char *domain = strrchr(from, '@') + 1;
	struct curl_slist **h = &j->headers;
	time_t now = (time_t)app->clock();
	char date[64];
	struct tm tm;
	enum lb_err r;

	(void)gmtime_r(&now, &tm);
	(void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	if ((r = header_add(h, "Date: %s", date)) != LB_OK ||
	    (r = header_add(h, "From: lockbox <%s>", from)) != LB_OK ||
	    (r = header_add(h, "To: %s", j->to)) != LB_OK ||
	    (r = header_add(h, "Subject: %s", j->mail.subject)) != LB_OK ||
	    (r = header_add(h, "Message-ID: <%s.lockbox@%s>", j->row[0].batch,
		 domain)) != LB_OK ||
	    (r = header_add(h, "Auto-Submitted: auto-generated")) != LB_OK)
		return r;
	/* All mails about one request are one thread. */
	if (j->count == 1 && j->row[0].request[0] != '\0')
		r = header_add(h, "References: <%s.request@%s>",
		    j->row[0].request, domain);
	return r;
}

/* Lines of mail end in CR LF; only then the encoder leaves them lines. */
static enum lb_err
lines_write(const struct lb_buf *b, struct lb_buf *ret)
{
	const char *s = b->data, *end;
	enum lb_err r = LB_OK;

	for (; r == LB_OK && (end = strchr(s, '\n')) != NULL; s = end + 1)
		if ((r = lb_buf_add(ret, s, (size_t)(end - s))) == LB_OK)
			r = lb_buf_adds(ret, "\r\n");
	return r != LB_OK ? r : lb_buf_adds(ret, s);
}

static CURLcode
part_add(curl_mime *m, const char *type, const struct lb_buf *b)
{
	curl_mimepart *p = curl_mime_addpart(m);
	struct lb_buf lines = { 0 };
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	if (p != NULL && lines_write(b, &lines) == LB_OK &&
	    (rc = curl_mime_data(p, lines.data, lines.len)) == CURLE_OK &&
	    (rc = curl_mime_type(p, type)) == CURLE_OK)
		rc = curl_mime_encoder(p, "quoted-printable");
	lb_buf_clear(&lines);
	return rc;
}

/* multipart/alternative, the plain one first. */
static CURLcode
mime_make(struct job *j)
{
	curl_mime *both = curl_mime_init(j->easy);
	curl_mimepart *part;
	CURLcode rc;

	if (both == NULL || (j->mime = curl_mime_init(j->easy)) == NULL ||
	    (part = curl_mime_addpart(j->mime)) == NULL) {
		curl_mime_free(both);
		return CURLE_OUT_OF_MEMORY;
	}
	if ((rc = part_add(both, "text/plain; charset=utf-8", &j->mail.text)) !=
		CURLE_OK ||
	    (rc = part_add(both, "text/html; charset=utf-8", &j->mail.html)) !=
		CURLE_OK ||
	    (rc = curl_mime_subparts(part, both)) != CURLE_OK) {
		curl_mime_free(both);
		return rc;
	}
	return curl_mime_type(part, "multipart/alternative");
}

static CURLcode
smtp_set(struct app *app, struct job *j, const char *password)
{
	const struct config *conf = &app->conf;
	bool never = strcmp(conf->smtp_tls, "never") == 0;
	CURL *c = j->easy;
	CURLcode rc;

	if ((rc = curl_easy_setopt(c, CURLOPT_URL, conf->smtp)) != CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps")) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_USE_SSL,
		 (long)(never ? CURLUSESSL_NONE : CURLUSESSL_ALL))) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_MAIL_FROM, j->from)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_MAIL_RCPT, j->recipients)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_HTTPHEADER, j->headers)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(c, CURLOPT_MIMEPOST, j->mime)) != CURLE_OK)
		return rc;
	if (password == NULL)
		return CURLE_OK;
	if ((rc = curl_easy_setopt(c, CURLOPT_USERNAME, conf->smtp_user)) !=
	    CURLE_OK)
		return rc;
	return curl_easy_setopt(c, CURLOPT_PASSWORD, password);
}

enum lb_err
job_mail_begin(struct app *app, struct job *j, const char *password)
{
	enum lb_err r;

	j->private = true; /* the operator says where his server is */
	(void)snprintf(j->from, sizeof(j->from), "<%.*s>", ROW_MAIL_MAX,
	    app->conf.smtp_from);
	if ((r = headers_make(app, j)) != LB_OK)
		return r;
	j->recipients = curl_slist_append(NULL, j->to);
	if (j->recipients == NULL || (j->easy = curl_easy_init()) == NULL ||
	    job_common_set(j, app->conf.smtp_ca, TIMEOUT_S) != CURLE_OK ||
	    mime_make(j) != CURLE_OK || smtp_set(app, j, password) != CURLE_OK)
		return LB_ERR_MEMORY;
	return LB_OK;
}

void
job_mail_outcome(const struct job *j, CURLcode rc, struct outcome *ret)
{
	long status = 0;

	*ret = (struct outcome){ .what = OUTCOME_AGAIN, .code = "" };
	(void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->status = status;
	if (rc == CURLE_OK) {
		ret->what = OUTCOME_SENT;
		return;
	}
	ret->code = job_code(j, rc);
	if (status >= 400 && strcmp(ret->code, "broken") == 0)
		ret->code = "smtp_status";
	if (status >= 500)
		ret->what = OUTCOME_WORSE;
}
