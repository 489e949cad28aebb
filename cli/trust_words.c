/* Says in words what a trust document holds and what changes between two. */
#include "trust_words.h"

#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/sshkey.h"
#include "trust_edit.h"

#define LINE_WORDS_MAX 1024
#define NS_PREFIX      "lockbox-"

/* "approve, deny": the namespaces without their frame. */
static void
namespaces_words(unsigned int set, char *ret, size_t size)
{
	size_t at = 0;

	ret[0] = '\0';
	for (unsigned int bit = 1; bit != 0 && bit <= set; bit <<= 1) {
		const char *name;
		int n;

		if ((set & bit) == 0)
			continue;
		name = lb_ns_name((enum lb_ns)bit) + strlen(NS_PREFIX);
		n = snprintf(ret + at, size - at, "%s%.*s", at > 0 ? ", " : "",
		    (int)(strlen(name) - strlen("-v1")), name);
		if (n < 0 || (size_t)n >= size - at)
			return;
		at += (size_t)n;
	}
}

static void
dates_words(const struct lb_pinned *p, char *ret, size_t size)
{
	char after[LB_TIME_LEN + 1] = "", before[LB_TIME_LEN + 1] = "";

	if (p->valid_after != 0)
		lb_time_format(p->valid_after, after);
	if (p->valid_before != 0)
		lb_time_format(p->valid_before, before);
	(void)snprintf(ret, size, "%s%s%s%s", after[0] != '\0' ? ", from " : "",
	    after, before[0] != '\0' ? ", until " : "", before);
}

/* "anna@acme.example, key SHA256:..., may approve, deny"; a page as it is. */
static void
line_words(const char *line, char ret[static LINE_WORDS_MAX])
{
	char may[128], dates[64];
	struct lb_pinned p;

	if (lb_pinned_parse(line, &p) != LB_OK) {
		(void)snprintf(ret, LINE_WORDS_MAX, "%s", line);
		return;
	}
	namespaces_words(p.namespaces, may, sizeof(may));
	dates_words(&p, dates, sizeof(dates));
	(void)snprintf(ret, LINE_WORDS_MAX, "%s, %s %s, may %s%s", p.principal,
	    lb_sshkey_is_sk(&p.key) ? "FIDO key" : "key", p.key.fp, may, dates);
}

void
trust_words_show(const struct lb_trust_paper *p, const char *id, int64_t now,
    struct out_table *t)
{
	char at[OUT_TIME_MAX], when[OUT_TIME_MAX], words[LINE_WORDS_MAX];
	char longest[32], lease[32];

	out_field(t, "tenant", "%s", p->tenant);
	out_field(t, "serial", "%lld", (long long)p->serial);
	out_field(t, "sha256", "%s", id);
	if (p->previous[0] != '\0')
		out_field(t, "previous", "%s", p->previous);
	out_time(p->good_until, at);
	out_when(p->good_until, now, when);
	out_field(t, "good until", "%s (%s)", at, when);
	out_field(t, "approvals needed", "%lld", (long long)p->threshold);
	out_field(t, "keys must show", "%s", p->require);
	lb_span_format(p->longest, longest, sizeof(longest));
	lb_span_format(p->lease, lease, sizeof(lease));
	out_field(t, "longest grant", "%s", longest);
	out_field(t, "lease", "%s", lease);
	out_field(t, "offline grants", "%s", p->offline);
	for (const struct trust_kind *k = trust_kinds; k->name != NULL; k++) {
		for (size_t i = 0; i < trust_lines(p, k); i++) {
			line_words(trust_line(p, k, i), words);
			out_field(t, k->name, "%s", words);
		}
	}
	if (p->delegate_until != 0) {
		out_time(p->delegate_until, at);
		out_when(p->delegate_until, now, when);
		out_field(t, "delegated until", "%s (%s)", at, when);
	}
}

static json_t *
line_json(const char *line)
{
	json_t *set = json_array();
	char key[LB_KEY_TEXT_MAX + 1];
	struct lb_pinned p;

	if (lb_pinned_parse(line, &p) != LB_OK) {
		json_decref(set);
		return json_string(line);
	}
	for (unsigned int bit = 1; bit != 0 && bit <= p.namespaces; bit <<= 1)
		if ((p.namespaces & bit) != 0)
			(void)json_array_append_new(
			    set, json_string(lb_ns_name((enum lb_ns)bit)));
	lb_sshkey_format(&p.key, key);
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o}", "principal",
	    p.principal, "namespaces", set, "key", key, "fingerprint", p.key.fp,
	    "valid_after", out_json_time(p.valid_after), "valid_before",
	    out_json_time(p.valid_before));
}

json_t *
trust_words_json(const struct lb_trust_paper *p, const char *id)
{
	json_t *root;

	root = json_pack(
	    "{s:s, s:I, s:s, s:s?, s:o, s:I, s:s, s:I, s:I, s:s, s:o}",
	    "tenant", p->tenant, "serial", (json_int_t)p->serial, "sha256", id,
	    "previous", p->previous[0] != '\0' ? p->previous : NULL,
	    "good_until", out_json_time(p->good_until), "threshold",
	    (json_int_t)p->threshold, "require", p->require, "longest",
	    (json_int_t)p->longest, "lease", (json_int_t)p->lease, "offline",
	    p->offline, "delegate_until", out_json_time(p->delegate_until));
	if (root == NULL)
		return NULL;
	for (const struct trust_kind *k = trust_kinds; k->name != NULL; k++) {
		json_t *list = json_array();

		for (size_t i = 0; i < trust_lines(p, k); i++)
			(void)json_array_append_new(
			    list, line_json(trust_line(p, k, i)));
		if (json_object_set_new(root, k->name, list) != 0) {
			json_decref(root);
			return NULL;
		}
	}
	return root;
}

static enum lb_err
diff_text(const char *what, const char *a, const char *b, struct lb_buf *ret)
{
	if (strcmp(a, b) == 0)
		return LB_OK;
	return lb_buf_addf(ret, "%s: %s becomes %s\n", what, a, b);
}

static enum lb_err
diff_number(const char *what, int64_t a, int64_t b, struct lb_buf *ret)
{
	if (a == b)
		return LB_OK;
	return lb_buf_addf(
	    ret, "%s: %lld becomes %lld\n", what, (long long)a, (long long)b);
}

static enum lb_err
diff_span(const char *what, int64_t a, int64_t b, struct lb_buf *ret)
{
	char from[32], to[32];

	lb_span_format(a, from, sizeof(from));
	lb_span_format(b, to, sizeof(to));
	return diff_text(what, from, to, ret);
}

static enum lb_err
diff_time(const char *what, int64_t a, int64_t b, struct lb_buf *ret)
{
	char from[LB_TIME_LEN + 1], to[LB_TIME_LEN + 1];

	lb_time_format(a, from);
	lb_time_format(b, to);
	return diff_text(what, from, to, ret);
}

static enum lb_err
diff_delegation(const struct lb_trust_paper *a, const struct lb_trust_paper *b,
    struct lb_buf *ret)
{
	char until[LB_TIME_LEN + 1];

	if (a->delegate_until == b->delegate_until)
		return LB_OK;
	if (b->delegate_until == 0)
		return lb_buf_adds(
		    ret, "delegation ends: only approvers decide\n");
	if (a->delegate_until != 0)
		return diff_time("delegated until", a->delegate_until,
		    b->delegate_until, ret);
	lb_time_format(b->delegate_until, until);
	return lb_buf_addf(ret,
	    "delegation begins: until %s one delegate may approve alone\n",
	    until);
}

static bool
has_line(const struct lb_trust_paper *p, const struct trust_kind *k,
    const char *line)
{
	for (size_t i = 0; i < trust_lines(p, k); i++)
		if (strcmp(trust_line(p, k, i), line) == 0)
			return true;
	return false;
}

/* Lines of p that other has not. */
static enum lb_err
diff_lines(const struct lb_trust_paper *p, const struct lb_trust_paper *other,
    const struct trust_kind *k, const char *verb, struct lb_buf *ret)
{
	char words[LINE_WORDS_MAX];
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < trust_lines(p, k); i++) {
		if (has_line(other, k, trust_line(p, k, i)))
			continue;
		line_words(trust_line(p, k, i), words);
		r = lb_buf_addf(ret, "%s %s: %s\n", k->name, verb, words);
	}
	return r;
}

enum lb_err
trust_words_diff(const struct lb_trust_paper *a, const struct lb_trust_paper *b,
    struct lb_buf *ret)
{
	enum lb_err r;

	if ((r = diff_text("tenant", a->tenant, b->tenant, ret)) != LB_OK ||
	    (r = diff_number("serial", a->serial, b->serial, ret)) != LB_OK ||
	    (r = diff_time("good until", a->good_until, b->good_until, ret)) !=
		LB_OK ||
	    (r = diff_number("approvals needed", a->threshold, b->threshold,
		 ret)) != LB_OK ||
	    (r = diff_text("keys must show", a->require, b->require, ret)) !=
		LB_OK ||
	    (r = diff_span("longest grant", a->longest, b->longest, ret)) !=
		LB_OK ||
	    (r = diff_span("lease", a->lease, b->lease, ret)) != LB_OK ||
	    (r = diff_text("offline grants", a->offline, b->offline, ret)) !=
		LB_OK)
		return r;
	for (const struct trust_kind *k = trust_kinds; k->name != NULL; k++)
		if ((r = diff_lines(a, b, k, "removed", ret)) != LB_OK ||
		    (r = diff_lines(b, a, k, "added", ret)) != LB_OK)
			return r;
	return diff_delegation(a, b, ret);
}
