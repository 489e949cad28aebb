/* One broker over lib's HTTPS. */
#include "http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "lockbox/https.h"
#include "lockbox/text.h"
#include "version.h"

#define HEADERS         4     /* of a call, with the NULL */
#define RETRY_AFTER_MAX 86400 /* seconds */

struct http {
	struct lb_https *https;
	char *url;
};

enum lb_err
http_open(const char *url, const char *ca, const char *proxy, struct http **ret)
{
	struct lb_https_options opt = { .agent = "lockbox/" LOCKBOX_VERSION };
	struct http *h = calloc(1, sizeof(*h));
	struct lb_buf pem = { 0 };
	enum lb_err r = LB_ERR_MEMORY;

	if (h == NULL || (h->url = strdup(url)) == NULL)
		goto out;
	opt.proxy = proxy[0] != '\0' ? proxy : NULL;
	if (ca[0] == '\0')
		ca = LB_HTTPS_CA_SYSTEM;
	if ((r = files_read(ca, LB_HTTPS_CA_MAX, &pem)) != LB_OK)
		goto out;
	opt.ca_pem = pem.data;
	opt.ca_pem_len = pem.len;
	if ((r = lb_https_open(&opt, &h->https)) != LB_OK)
		goto out;
	*ret = h;
	h = NULL; /* handed over */
out:
	lb_buf_clear(&pem);
	http_close(h);
	return r;
}

void
http_close(struct http *h)
{
	if (h == NULL)
		return;
	lb_https_close(h->https);
	free(h->url);
	free(h);
}

/* One header line, if there is a value; *count moves on. */
static enum lb_err
header_add(struct lb_buf *line, const char **list, size_t *count,
    const char *name, const char *value)
{
	enum lb_err r;

	if (value == NULL)
		return LB_OK;
	if ((r = lb_buf_addf(line, "%s%s", name, value)) == LB_OK)
		list[(*count)++] = line->data;
	return r;
}

static void
head_read(const struct lb_https_answer *a, struct http_reply *reply)
{
	char value[64];

	if (lb_https_answer_header(
		a, "Content-Type", reply->type, sizeof(reply->type)) == LB_OK)
		reply->type[strcspn(reply->type, "; ")] = '\0';
	else
		reply->type[0] = '\0';
	if (lb_https_answer_header(a, "Retry-After", value, sizeof(value)) !=
		LB_OK ||
	    lb_number_parse(value, 0, RETRY_AFTER_MAX, &reply->retry_after) !=
		LB_OK)
		reply->retry_after = 0; /* absent, or a date: not needed */
}

enum lb_err
http_send(struct http *h, const struct http_call *call, struct http_reply *ret)
{
	struct lb_buf url = { 0 }, line[HEADERS] = { 0 };
	const char *headers[HEADERS] = { 0 };
	struct lb_https_request req = { .method = call->method,
		.headers = headers,
		.body = call->body,
		.body_len = call->body_len,
		.answer_max = HTTP_BODY_MAX,
		.timeout_ms = HTTP_TIMEOUT_MS };
	struct lb_https_answer answer = { 0 };
	struct http_reply reply = { 0 };
	size_t count = 0;
	enum lb_err r;

	if ((r = lb_buf_addf(&url, "%s%s", h->url, call->path)) != LB_OK ||
	    (r = header_add(&line[0], headers, &count, "Authorization: Bearer ",
		 call->token)) != LB_OK ||
	    (r = header_add(&line[1], headers, &count,
		 "Content-Type: ", call->type)) != LB_OK ||
	    (r = header_add(&line[2], headers, &count,
		 "Idempotency-Key: ", call->idempotency)) != LB_OK)
		goto out;
	req.url = url.data;
	if ((r = lb_https_send(h->https, &req, &answer)) != LB_OK)
		goto out;
	head_read(&answer, &reply);
	reply.status = answer.status;
	reply.body = answer.body;
	answer.body = (struct lb_buf){ 0 }; /* handed over */
	*ret = reply;
out:
	lb_https_answer_clear(&answer);
	for (size_t i = 0; i < HEADERS; i++)
		lb_buf_clear(&line[i]); /* wipes the token */
	lb_buf_clear(&url);
	return r;
}

void
http_reply_clear(struct http_reply *reply)
{
	lb_buf_clear(&reply->body);
	*reply = (struct http_reply){ 0 };
}

const char *
http_why(const struct http *h)
{
	const char *why = h != NULL ? lb_https_why(h->https) : "";

	return why[0] != '\0' ? why : "no reason known";
}
