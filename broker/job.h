/* One sending: a webhook's body, or one mail, as a transfer of libcurl. */
#ifndef BROKER_JOB_H
#define BROKER_JOB_H

#include <sys/queue.h>

#include <curl/curl.h>

#include "address.h"
#include "app.h"
#include "lookup.h"
#include "mail.h"
#include "outbox_rows.h"

/* How it came out. */
struct outcome {
	enum {
		OUTCOME_SENT = 1,
		OUTCOME_AGAIN, /* later */
		OUTCOME_WORSE, /* later, but hardly ever */
		OUTCOME_GONE,  /* the receiver wants no more */
	} what;
	const char *code; /* stable: doc/codes.md; "" when sent */
	int64_t status;   /* of HTTP or SMTP; 0: none */
	int64_t asked;    /* seconds it asked us to wait; 0: none */
};

/* Large: heap; all zero, then job_hook_init or job_mail_init. */
struct job {
	enum channel channel;
	char tenant[LB_NAME_MAX + 1];
	char line[ROW_LINE_MAX + 1];
	size_t count; /* deliveries that this sends */
	struct delivery_row row[MAIL_LETTERS_MAX];
	CURL *easy; /* NULL: not begun */
	struct lookup *lookup;
	int64_t begun_ms;
	char error[CURL_ERROR_SIZE];
	bool refused;    /* an address that may not be reached */
	bool private;    /* any address may */
	size_t answered; /* bytes of the receiver's answer */

	/* A webhook's. */
	struct webhook_row hook;
	struct target target;
	struct lb_buf body;
	struct curl_slist *headers, *resolve;

	/* A mail's. */
	struct mail mail;
	char to[ROW_MAIL_MAX + 3], from[ROW_MAIL_MAX + 3];
	struct curl_slist *recipients;
	curl_mime *mime;
	TAILQ_ENTRY(job) next;
};

void job_clear(struct job *j); /* accepts all zero */

/* What is the same for both: times, no proxy, no signals, certificates. */
CURLcode job_common_set(struct job *j, const char *ca, long timeout_s);

/* What libcurl says about it, in our words; "" for nothing wrong. */
const char *job_code(const struct job *j, CURLcode rc);

/*
 * A webhook, for the one delivery in j->row[0].
 *
 * LB_ERR_MISSING    there is no such webhook, or it is not active
 * LB_ERR_FORBIDDEN  its URL is to an address that may not be reached
 */
enum lb_err job_hook_init(struct app *app, struct job *j) LB_MUST_CHECK;
/* Once the name is looked up. LB_ERR_FORBIDDEN, LB_ERR_UNREACHABLE. */
enum lb_err job_hook_begin(struct app *app, struct job *j) LB_MUST_CHECK;
void job_hook_outcome(const struct job *j, CURLcode rc, struct outcome *ret);

/*
 * A mail: the deliveries that go together with the one in j->row[0] are read,
 * and those that are void are settled at once.
 *
 * LB_ERR_STATE    nothing is left to send
 * LB_ERR_TIMEOUT  not yet: the line was told to wait
 */
enum lb_err job_mail_init(struct app *app, struct job *j) LB_MUST_CHECK;
/* password may be NULL. */
enum lb_err job_mail_begin(
    struct app *app, struct job *j, const char *password) LB_MUST_CHECK;
void job_mail_outcome(const struct job *j, CURLcode rc, struct outcome *ret);

#endif
