/*
 * Sends requests through lib's HTTPS client, for tests/system/test_https.py.
 *
 *   https_ask -a CA [-m METHOD] [-b BODY] [-H HEADER] [-t MS] [-c CAP]
 *             [-p PROXY] [-w MS] [-g] URL...
 *
 * One connection for all URLs, -w apart; with -g all but the first by GET. One line each: error (0 or negative),
 * status, length of the body, milliseconds it took, ETag, start of the body,
 * why; separated by tabs. Then "closed" and the milliseconds that took.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/https.h"
#include "lockbox/text.h"

#define HEADERS_MAX (LB_HTTPS_HEADERS_MAX + 2) /* also too many */
#define SHOWN_MAX   256

struct setup {
	const char *ca;
	const char *proxy;
	const char *headers[HEADERS_MAX];
	size_t header_count;
	int64_t wait_ms;
	bool then_get;
	struct lb_https_request req;
};

static int64_t
number(const char *s)
{
	int64_t n;

	if (lb_number_parse(s, 0, INT32_MAX, &n) != LB_OK)
		exit(2);
	return n;
}

static void
setup_read(int argc, char **argv, struct setup *s)
{
	int c;

	while ((c = getopt(argc, argv, "a:m:b:H:t:c:p:w:g")) != -1) {
		if (c == 'a')
			s->ca = optarg;
		else if (c == 'm')
			s->req.method = optarg;
		else if (c == 'b')
			s->req.body = optarg;
		else if (c == 'H' && s->header_count + 1 < HEADERS_MAX)
			s->headers[s->header_count++] = optarg;
		else if (c == 't')
			s->req.timeout_ms = number(optarg);
		else if (c == 'c')
			s->req.answer_max = (size_t)number(optarg);
		else if (c == 'p')
			s->proxy = optarg;
		else if (c == 'w')
			s->wait_ms = number(optarg);
		else if (c == 'g')
			s->then_get = true;
		else
			exit(2);
	}
	if (s->req.body != NULL)
		s->req.body_len = strlen(s->req.body);
	s->req.headers = s->headers;
}

static void
ask(struct lb_https *h, const struct lb_https_request *req)
{
	char etag[64] = "-", body[SHOWN_MAX] = "-";
	struct lb_https_answer answer = { 0 };
	int64_t before = lb_clock_boottime_ms();
	enum lb_err r;

	r = lb_https_send(h, req, &answer);
	before = lb_clock_boottime_ms() - before;
	if (r == LB_OK) {
		if (lb_https_answer_header(
			&answer, "etag", etag, sizeof(etag)) != LB_OK)
			(void)strcpy(etag, "-");
		lb_text_escape(
		    answer.body.data, answer.body.len, body, sizeof(body));
	}
	(void)printf("%d\t%d\t%zu\t%lld\t%s\t%s\t%s\n", (int)r, answer.status,
	    answer.body.len, (long long)before, etag, body, lb_https_why(h));
	(void)fflush(stdout);
	lb_https_answer_clear(&answer);
}

static struct lb_https *
open_with(const struct setup *s)
{
	struct lb_buf ca = { 0 };
	struct lb_https_options opt = { .proxy = s->proxy, .agent = "test" };
	struct lb_https *h = NULL;
	enum lb_err r;

	r = lb_file_read_trusted(s->ca, geteuid(), LB_HTTPS_CA_MAX, &ca);
	if (r == LB_OK) {
		opt.ca_pem = ca.data;
		opt.ca_pem_len = ca.len;
		r = lb_https_open(&opt, &h);
	}
	lb_buf_clear(&ca);
	if (r != LB_OK)
		(void)printf("open\t%d\n", (int)r);
	return h;
}

int
main(int argc, char **argv)
{
	struct setup s = { .req = { .method = "GET",
			       .answer_max = 4096,
			       .timeout_ms = 5000 } };
	struct lb_https *h;
	int64_t before;

	setup_read(argc, argv, &s);
	if (s.ca == NULL || (h = open_with(&s)) == NULL)
		return 1;
	for (int i = optind; i < argc; i++) {
		struct timespec nap = { s.wait_ms / 1000,
			s.wait_ms % 1000 * 1000000 };

		if (i > optind)
			(void)nanosleep(&nap, NULL);
		if (i > optind && s.then_get) {
			s.req.method = "GET";
			s.req.headers = NULL;
			s.req.body_len = 0;
		}
		s.req.url = argv[i];
		ask(h, &s.req);
	}
	before = lb_clock_boottime_ms();
	lb_https_close(h);
	(void)printf(
	    "closed\t%lld\n", (long long)(lb_clock_boottime_ms() - before));
	return 0;
}
