/* What comes in: capped head and body, and what the headers say. */
#include "https.h"

#include <string.h>
#include <strings.h>

void
lb_https_answer_clear(struct lb_https_answer *a)
{
	lb_buf_clear(&a->head);
	lb_buf_clear(&a->body);
	a->status = 0;
}

static size_t
on_head(char *bytes, size_t one, size_t len, void *arg)
{
	struct inflow *in = arg;

	(void)one; /* always 1 */
	in->head_total += len;
	if (in->head_total > LB_HTTPS_HEAD_MAX) {
		in->r = LB_ERR_RANGE;
		return 0;
	}
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0) {
		/* The answer begins; what was before was an interim one. */
		lb_buf_clear(&in->answer.head);
		in->head_done = false;
		return len;
	}
	if (len <= 2 && (bytes[0] == '\r' || bytes[0] == '\n'))
		in->head_done = true;
	if (in->head_done)
		return len; /* the empty line, and trailers */
	in->r = lb_buf_add(&in->answer.head, bytes, len);
	return in->r == LB_OK ? len : 0;
}

static size_t
on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct inflow *in = arg;

	(void)one;
	in->r = lb_buf_add(&in->answer.body, bytes, len);
	return in->r == LB_OK ? len : 0;
}

/*
 * The next line of the head that has that name; NULL when there is none.
 *
 * ret_len  of the value, without blanks around it
 */
static const char *
head_find(const char **pos, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);

	while (**pos != '\0') {
		const char *line = *pos;
		size_t len = strcspn(line, "\n");

		*pos = line + len + (line[len] == '\n' ? 1 : 0);
		if (len <= n || strncasecmp(line, name, n) != 0 ||
		    line[n] != ':')
			continue;
		line += n + 1;
		len -= n + 1;
		while (len > 0 && strchr(" \t\r", line[len - 1]) != NULL)
			len--;
		while (len > 0 && (*line == ' ' || *line == '\t')) {
			line++;
			len--;
		}
		*ret_len = len;
		return line;
	}
	return NULL;
}

enum lb_err
lb_https_answer_header(const struct lb_https_answer *a, const char *name,
    char *ret, size_t ret_size)
{
	const char *pos = a->head.data == NULL ? "" : a->head.data;
	const char *value;
	size_t len, unused;

	if ((value = head_find(&pos, name, &len)) == NULL)
		return LB_ERR_MISSING;
	if (head_find(&pos, name, &unused) != NULL)
		return LB_ERR_PEER;
	for (size_t i = 0; i < len; i++) {
		if (value[i] < ' ' || value[i] > '~')
			return LB_ERR_PEER;
	}
	if (len >= ret_size)
		return LB_ERR_RANGE;
	memcpy(ret, value, len);
	ret[len] = '\0';
	return LB_OK;
}

/* Does the head say where the body ends, so that a cut one shows? */
static bool
body_ends(const struct lb_https_answer *a)
{
	static const char *const names[] = { "Content-Length",
		"Transfer-Encoding" };
	size_t len;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *pos = a->head.data == NULL ? "" : a->head.data;

		if (head_find(&pos, names[i], &len) != NULL)
			return true;
	}
	return a->status == 204 || a->status == 304;
}

enum lb_err
https_inflow_check(CURL *easy, struct inflow *in, const char **ret_why)
{
	struct lb_https_answer *a = &in->answer;
	long status = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) !=
	    CURLE_OK)
		return LB_ERR_MEMORY;
	a->status = (int)status;
	if (status < 200 || status > 599)
		*ret_why = "no such HTTP status";
	else if (status / 100 == 3 && status != 304)
		*ret_why = "the server sends us elsewhere";
	else if (a->head.data != NULL && strlen(a->head.data) != a->head.len)
		*ret_why = "NUL in the headers";
	else if (!body_ends(a))
		*ret_why = "the answer has no length";
	else
		return lb_buf_add(&a->body, "", 0);
	return LB_ERR_PEER;
}

CURLcode
https_inflow_set(CURL *easy, struct inflow *in)
{
	curl_off_t max = (curl_off_t)in->answer.body.max;
	CURLcode rc;

	if ((rc = curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, max)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(easy, CURLOPT_HEADERDATA, in)) != CURLE_OK ||
	    (rc = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body)) !=
		CURLE_OK ||
	    (rc = curl_easy_setopt(easy, CURLOPT_WRITEDATA, in)) != CURLE_OK)
		return rc;
	return CURLE_OK;
}
