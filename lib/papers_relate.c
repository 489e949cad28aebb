/* What documents say about each other: ids, repeats, membership, narrowing. */
#include "lockbox/papers.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

void
lb_doc_id(const char *text, size_t len, char ret[static LB_SHA256_LEN + 1])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	(void)crypto_hash_sha256(hash, (const uint8_t *)text, len);
	memcpy(ret, "sha256:", 7);
	lb_hex_encode(hash, sizeof(hash), ret + 7);
}

/* The bytes after the magic line, or NULL when it is another one. */
static const char *
body(const char *text, size_t len, const struct lb_doc_type *type,
    size_t *ret_len)
{
	size_t n = strlen(type->magic);

	if (len < n + 1 || memcmp(text, type->magic, n) != 0 || text[n] != '\n')
		return NULL;
	*ret_len = len - n - 1;
	return text + n + 1;
}

bool
lb_answer_repeats(const char *answer_text, size_t answer_len,
    const char *question_text, size_t question_len)
{
	static const char next[] = "verdict: ";
	size_t a_len = 0, q_len = 0;
	const char *a, *q;

	a = body(answer_text, answer_len, &lb_answer_type, &a_len);
	q = body(question_text, question_len, &lb_question_type, &q_len);
	if (a == NULL || q == NULL || q_len == 0 || q[q_len - 1] != '\n')
		return false;
	if (a_len < q_len + strlen(next))
		return false;
	return memcmp(a, q, q_len) == 0 &&
	    memcmp(a + q_len, next, strlen(next)) == 0;
}

/* The items of a list that LB_LIST_OF made. */
struct list {
	size_t count, size;
	const char *item;
};

#define LIST(l) ((struct list){ (l)->count, sizeof((l)->item[0]), *(l)->item })

static bool
list_has(struct list l, const char *s)
{
	for (size_t i = 0; i < l.count; i++)
		if (strcmp(l.item + i * l.size, s) == 0)
			return true;
	return false;
}

/* Not empty, and nothing in it that all does not have. */
static bool
list_within(struct list some, struct list all)
{
	for (size_t i = 0; i < some.count; i++)
		if (!list_has(all, some.item + i * some.size))
			return false;
	return some.count > 0;
}

bool
lb_hosts_has(const struct lb_hosts *l, const char *s)
{
	return list_has(LIST(l), s);
}

bool
lb_logins_has(const struct lb_logins *l, const char *s)
{
	return list_has(LIST(l), s);
}

bool
lb_services_has(const struct lb_services *l, const char *s)
{
	return list_has(LIST(l), s);
}

bool
lb_keyfps_has(const struct lb_keyfps *l, const char *s)
{
	return list_has(LIST(l), s);
}

bool
lb_grant_ids_has(const struct lb_grant_ids *l, const char *s)
{
	return list_has(LIST(l), s);
}

/* The lines that a grant takes over word for word. */
static bool
same_words(const struct lb_grant *g, const struct lb_request *r)
{
	return strcmp(g->tenant, r->tenant) == 0 &&
	    strcmp(g->broker, r->broker) == 0 &&
	    strcmp(g->engineer, r->engineer) == 0 &&
	    strcmp(g->ticket, r->ticket) == 0 &&
	    strcmp(g->reason_type, r->reason_type) == 0 &&
	    strcmp(g->reason, r->reason) == 0;
}

static bool
time_within(const struct lb_grant *g, const struct lb_request *r)
{
	if (g->not_after - g->not_before > r->duration + LB_BACKDATE_MAX)
		return false;
	return r->start == 0 || g->not_before >= r->start - LB_BACKDATE_MAX;
}

bool
lb_grant_within(const struct lb_grant *grant, const struct lb_request *request,
    const char *request_id)
{
	return strcmp(grant->request, request_id) == 0 &&
	    same_words(grant, request) && time_within(grant, request) &&
	    list_within(
		LIST(&grant->engineer_key), LIST(&request->engineer_key)) &&
	    list_within(LIST(&grant->host), LIST(&request->host)) &&
	    list_within(LIST(&grant->login), LIST(&request->login)) &&
	    list_within(LIST(&grant->service), LIST(&request->service));
}

bool
lb_grant_lists_all(const struct lb_grant *later, const struct lb_grant *earlier)
{
	return list_within(LIST(&earlier->service), LIST(&later->service)) &&
	    list_within(LIST(&earlier->login), LIST(&later->login));
}
