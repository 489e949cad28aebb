/* The bundle splitter: magic lines and armor lines, nothing else. */
#include "lockbox/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "lockbox/papers.h"

#define BEGIN_LINE "-----BEGIN SSH SIGNATURE-----"
#define END_LINE   "-----END SSH SIGNATURE-----"

#define ARMOR_LINE_MAX 76 /* base64 chars; ssh-keygen writes 70 */

/* A line without its newline. */
struct line {
	const char *at;
	size_t len;
};

struct splitter {
	struct lb_bundle *b;
	const char *at;  /* the next line */
	const char *end; /* one past the last newline */
};

static bool
line_is(struct line l, const char *s)
{
	return l.len == strlen(s) && memcmp(l.at, s, l.len) == 0;
}

/* The type whose magic line this is, or NULL. */
static const struct lb_doc_type *
line_type(struct line l)
{
	static const char start[] = "lockbox-"; /* of every magic line */

	if (l.len < sizeof(start) ||
	    memcmp(l.at, start, sizeof(start) - 1) != 0)
		return NULL;
	for (size_t i = 0; lb_doc_types[i] != NULL; i++)
		if (line_is(l, lb_doc_types[i]->magic))
			return lb_doc_types[i];
	return NULL;
}

static bool
line_is_base64(struct line l)
{
	for (size_t i = 0; i < l.len; i++) {
		char c = l.at[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '+' && c != '/' && c != '=')
			return false;
	}
	return l.len > 0 && l.len <= ARMOR_LINE_MAX;
}

/* Look at the next line without taking it. The text ends in a newline. */
static bool
peek(const struct splitter *s, struct line *ret)
{
	const char *nl;

	if (s->at == s->end)
		return false;
	nl = memchr(s->at, '\n', (size_t)(s->end - s->at));
	if (nl == NULL)
		return false; /* cannot be: see text_check */
	*ret = (struct line){ s->at, (size_t)(nl - s->at) };
	return true;
}

static void
take(struct splitter *s, struct line l)
{
	s->at = l.at + l.len + 1;
}

static bool
stands_already(const struct lb_bundle *b, struct lb_slice doc)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->part[i].doc.len == doc.len &&
		    memcmp(b->part[i].doc.text, doc.text, doc.len) == 0)
			return true;
	return false;
}

/* From the magic line to the line before the next BEGIN or magic line. */
static enum lb_err
split_doc(struct splitter *s, struct lb_part *ret)
{
	const char *start = s->at;
	struct line l;

	if (!peek(s, &l) || (ret->type = line_type(l)) == NULL)
		return LB_ERR_FORMAT;
	do
		take(s, l);
	while (peek(s, &l) && !line_is(l, BEGIN_LINE) && line_type(l) == NULL);

	ret->doc = (struct lb_slice){ start, (size_t)(s->at - start) };
	if (ret->doc.len > ret->type->text_max)
		return LB_ERR_RANGE;
	if (stands_already(s->b, ret->doc))
		return LB_ERR_FORMAT;
	if (!ret->type->unnamed)
		lb_doc_id(ret->doc.text, ret->doc.len, ret->id);
	return LB_OK;
}

/* From a BEGIN line to its END line, with base64 lines between. */
static enum lb_err
split_sig(struct splitter *s, struct lb_slice *ret)
{
	const char *start = s->at;
	struct line l;
	size_t n = 0;

	if (!peek(s, &l) || !line_is(l, BEGIN_LINE))
		return LB_ERR_FORMAT;
	take(s, l);
	for (; peek(s, &l) && line_is_base64(l); n++)
		take(s, l);
	if (n == 0 || !peek(s, &l) || !line_is(l, END_LINE))
		return LB_ERR_FORMAT;
	take(s, l);

	*ret = (struct lb_slice){ start, (size_t)(s->at - start) };
	return LB_OK;
}

/* One document and every signature that follows it. */
static enum lb_err
split_part(struct splitter *s)
{
	struct lb_bundle *b = s->b;
	struct lb_part part = { 0 };
	struct line l;
	enum lb_err r;

	if (b->count == LB_BUNDLE_PARTS_MAX)
		return LB_ERR_RANGE;
	if ((r = split_doc(s, &part)) != LB_OK)
		return r;
	part.sigs = b->sig + b->sig_count;
	while (peek(s, &l) && line_type(l) == NULL) {
		if (b->sig_count == LB_BUNDLE_SIGS_MAX)
			return LB_ERR_RANGE;
		if ((r = split_sig(s, &b->sig[b->sig_count])) != LB_OK)
			return r;
		b->sig_count++;
		part.sig_count++;
	}
	b->part[b->count++] = part;
	return LB_OK;
}

static enum lb_err
text_check(const char *text, size_t len)
{
	if (len > LB_BUNDLE_MAX)
		return LB_ERR_RANGE;
	if (len > 0 &&
	    (text[len - 1] != '\n' || memchr(text, '\0', len) != NULL ||
		memchr(text, '\r', len) != NULL))
		return LB_ERR_FORMAT;
	return LB_OK;
}

enum lb_err
lb_bundle_split(const char *text, size_t len, struct lb_bundle **ret)
{
	struct splitter s = { 0 };
	enum lb_err r;

	if ((r = text_check(text, len)) != LB_OK)
		return r;
	s.b = calloc(1, sizeof(*s.b));
	if (s.b == NULL)
		return LB_ERR_MEMORY;
	s.at = text;
	s.end = text + len;
	while (s.at != s.end)
		if ((r = split_part(&s)) != LB_OK)
			goto out;

	*ret = s.b;
	s.b = NULL; /* handed over */
out:
	lb_bundle_free(s.b);
	return r;
}

void
lb_bundle_free(struct lb_bundle *b)
{
	free(b);
}

const struct lb_part *
lb_bundle_first(const struct lb_bundle *b, const struct lb_doc_type *type)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->part[i].type == type)
			return &b->part[i];
	return NULL;
}

size_t
lb_bundle_sigs(const char *text, size_t len)
{
	static const char begin[] = BEGIN_LINE "\n";
	size_t n = 0;
	const char *p;

	while (len > 0 &&
	    (p = memmem(text, len, begin, sizeof(begin) - 1)) != NULL) {
		len -= (size_t)(p - text) + sizeof(begin) - 1;
		text = p + sizeof(begin) - 1;
		n++;
	}
	return n;
}

const struct lb_part *
lb_bundle_find(const struct lb_bundle *b, const char *id)
{
	for (size_t i = 0; i < b->count; i++)
		if (!b->part[i].type->unnamed && strcmp(b->part[i].id, id) == 0)
			return &b->part[i];
	return NULL;
}
