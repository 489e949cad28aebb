/* Letters as one mail. */
#include "mail.h"

#include <stdio.h>
#include <string.h>

#define LABEL_WIDTH 13

/* Where text goes, and how. */
struct page {
	struct lb_buf *b;
	bool html, links;
	enum lb_err r;
};

/* Ours: as it stands. */
static void
raw(struct page *p, const char *s)
{
	if (p->r == LB_OK)
		p->r = lb_buf_adds(p->b, s);
}

static const char *
entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Programs make links of these in plain text. */
static bool
link_begins(const char *s)
{
	return strncmp(s, "://", 3) == 0 || strncasecmp(s, "www.", 4) == 0 ||
	    strncasecmp(s, "mailto:", 7) == 0;
}

/* Somebody's words. */
static void
words(struct page *p, const char *s)
{
	for (; *s != '\0' && p->r == LB_OK; s++) {
		unsigned char c = (unsigned char)*s;
		const char *e = p->html ? entity(*s) : NULL;

		if (!p->links && link_begins(s))
			raw(p, "[link] ");
		if (e != NULL)
			raw(p, e);
		else if (c < ' ' || c == 0x7f)
			raw(p, "?");
		else if (p->r == LB_OK)
			p->r = lb_buf_add(p->b, s, 1);
	}
}

static void
link_text(struct page *p, const char *url)
{
	if (!p->html) {
		raw(p, url);
		return;
	}
	raw(p, "<a href=\"");
	words(p, url);
	raw(p, "\">");
	words(p, url);
	raw(p, "</a>");
}

static void
field_text(struct page *p, const char *label, const char *value)
{
	char lead[LABEL_WIDTH + 8];

	if (p->html) {
		raw(p, "<tr><th align=\"left\" valign=\"top\">");
		words(p, label);
		raw(p, "</th><td>");
	} else {
		(void)snprintf(
		    lead, sizeof(lead), "  %-*s", LABEL_WIDTH, label);
		raw(p, lead);
	}
	words(p, value);
	raw(p, p->html ? "</td></tr>\n" : "\n");
}

static void
sentence(struct page *p, const char *s)
{
	if (s[0] == '\0')
		return;
	raw(p, p->html ? "<p>" : "\n");
	words(p, s);
	raw(p, p->html ? "</p>\n" : "\n");
}

static void
where(struct page *p, const char *lead, const char *url)
{
	if (url[0] == '\0' || !p->links)
		return;
	raw(p, p->html ? "<p>" : "\n");
	raw(p, lead);
	raw(p, p->html ? "<br>" : "\n");
	link_text(p, url);
	raw(p, p->html ? "</p>\n" : "\n");
}

static void
letter_text(struct page *p, const struct letter *l)
{
	raw(p, p->html ? "<h2>" : "");
	words(p, l->title);
	raw(p, p->html ? "</h2>\n<table>\n" : "\n\n");
	for (size_t i = 0; i < l->count; i++)
		field_text(p, l->field[i].label, l->field[i].value.data);
	raw(p, p->html ? "</table>\n" : "");
	sentence(p, l->closing);
	where(p, l->page[0] != '\0' ? "Look at it at:" : "Look at it here:",
	    l->link);
	where(p, "Decide on your own page:", l->page);
}

static const char foot_links[] =
    "This mail only tells. Opening a link changes nothing; deciding needs "
    "your key.";
static const char foot_none[] =
    "This mail only tells, and holds no links. Open your page yourself; "
    "deciding needs your key.";

static enum lb_err
body_write(const struct letter *letter, size_t count, bool links, bool html,
    struct lb_buf *b)
{
	struct page p = { b, html, links, LB_OK };

	if (html)
		raw(&p,
		    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
		    "charset=\"utf-8\"><meta name=\"color-scheme\" "
		    "content=\"light dark\"><title>lockbox</title></head>"
		    "<body>\n");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			raw(&p, html ? "<hr>\n" : "\n-----\n\n");
		letter_text(&p, &letter[i]);
	}
	if (html) {
		raw(&p, "<hr>\n<p><small>");
		raw(&p, links ? foot_links : foot_none);
		raw(&p, "</small></p>\n</body></html>\n");
	} else {
		/* What mail programs take for the signature. */
		raw(&p, "\n-- \n");
		raw(&p, links ? foot_links : foot_none);
		raw(&p, "\n");
	}
	return p.r;
}

static void
subject_write(
    const struct letter *letter, size_t count, char ret[MAIL_SUBJECT_MAX + 1])
{
	size_t asks = 0;

	for (size_t i = 0; i < count; i++)
		asks += letter[i].asks;
	if (count == 1)
		(void)snprintf(ret, MAIL_SUBJECT_MAX + 1, "[lockbox] %.*s%s%s",
		    LETTER_TITLE_MAX, letter->title,
		    letter->code[0] != '\0' ? " " : "", letter->code);
	else if (asks == 0)
		(void)snprintf(ret, MAIL_SUBJECT_MAX + 1,
		    "[lockbox] %zu things happened", count);
	else
		(void)snprintf(ret, MAIL_SUBJECT_MAX + 1,
		    "[lockbox] %zu of %zu messages wait for your answer", asks,
		    count);
	for (char *p = ret; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

enum lb_err
mail_write(
    const struct letter *letter, size_t count, bool links, struct mail *ret)
{
	struct mail m = { 0 };
	enum lb_err r;

	subject_write(letter, count, m.subject);
	if ((r = body_write(letter, count, links, false, &m.text)) != LB_OK ||
	    (r = body_write(letter, count, links, true, &m.html)) != LB_OK) {
		mail_clear(&m);
		return r;
	}
	*ret = m;
	return LB_OK;
}

void
mail_clear(struct mail *m)
{
	lb_buf_clear(&m->text);
	lb_buf_clear(&m->html);
	m->subject[0] = '\0';
}
