/* Makes and changes trust documents from flags. */
#include "trust_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "lockbox/clock.h"
#include "lockbox/sshkey.h"

#define NS_DECIDE (LB_NS_APPROVE | LB_NS_DENY | LB_NS_REVOKE)

#define P(member) offsetof(struct lb_trust_paper, member)
#define F(member) offsetof(struct trust_flags, member)
const struct trust_kind trust_kinds[] = {
	{ "page", P(page), LB_PAGES_MAX, 0, F(page), F(no_page) },
	{ "broker", P(broker), LB_BROKERS_MAX, LB_NS_ANSWER, F(broker),
	    F(no_broker) },
	{ "approver", P(approver), LB_APPROVERS_MAX, NS_DECIDE | LB_NS_TRUST,
	    F(approver), F(no_approver) },
	{ "hook", P(hook), LB_HOOKS_MAX, NS_DECIDE, F(hook), F(no_hook) },
	{ "engineer", P(engineer), LB_ENGINEERS_MAX, LB_NS_REQUEST, F(engineer),
	    F(no_engineer) },
	{ "delegate", P(delegate), LB_DELEGATES_MAX, NS_DECIDE, F(delegate),
	    F(no_delegate) },
	{ 0 },
};
#undef F
#undef P

/* What every list of the paper looks like, whatever its length. */
struct any_list LB_LIST_OF(1, LB_PINNED_MAX + 1);

static size_t *
list_count(struct lb_trust_paper *p, const struct trust_kind *k)
{
	return (size_t *)(void *)((char *)p + k->offset);
}

static char *
list_item(struct lb_trust_paper *p, const struct trust_kind *k, size_t i)
{
	return (char *)p + k->offset + offsetof(struct any_list, item) +
	    i * (LB_PINNED_MAX + 1);
}

size_t
trust_lines(const struct lb_trust_paper *p, const struct trust_kind *k)
{
	size_t n;

	memcpy(&n, (const char *)p + k->offset, sizeof(n));
	return n;
}

const char *
trust_line(const struct lb_trust_paper *p, const struct trust_kind *k, size_t i)
{
	return (const char *)p + k->offset + offsetof(struct any_list, item) +
	    i * (LB_PINNED_MAX + 1);
}

/* "approve+deny" into a set; 0 when a word is unknown. */
static unsigned int
namespaces_read(char *words)
{
	unsigned int set = 0;
	char name[64], *word;

	while ((word = strsep(&words, "+")) != NULL) {
		enum lb_ns ns;

		(void)snprintf(name, sizeof(name), "lockbox-%.40s-v1", word);
		if ((ns = lb_ns_find(name)) == 0)
			return 0;
		set |= ns;
	}
	return set;
}

/* One of the options behind KEYFILE. */
static enum lb_err
pin_option(char *option, struct lb_pinned *p)
{
	if (strncmp(option, "ns=", 3) == 0)
		return (p->namespaces = namespaces_read(option + 3)) != 0
		    ? LB_OK
		    : LB_ERR_FORMAT;
	if (strncmp(option, "valid-after=", 12) == 0)
		return lb_time_parse(option + 12, &p->valid_after);
	if (strncmp(option, "valid-before=", 13) == 0)
		return lb_time_parse(option + 13, &p->valid_before);
	return LB_ERR_FORMAT;
}

static enum lb_err
pin_options(char *options, struct lb_pinned *p, char *ret_what)
{
	char *option;

	while ((option = strsep(&options, ",")) != NULL) {
		if (pin_option(option, p) == LB_OK)
			continue;
		(void)snprintf(ret_what, TRUST_WHAT_MAX,
		    "'%.100s' is none of ns=WORD+WORD, valid-after=TIME, "
		    "valid-before=TIME",
		    option);
		return LB_ERR_FORMAT;
	}
	return LB_OK;
}

enum lb_err
trust_pin(const char *spec, unsigned int namespaces,
    char ret[static LB_PINNED_MAX + 1], char *ret_what)
{
	struct lb_pinned p = { .namespaces = namespaces };
	char *text = strdup(spec), *file, *options;
	enum lb_err r = LB_ERR_FORMAT;

	if (text == NULL)
		return LB_ERR_MEMORY;
	if ((file = strchr(text, '=')) == NULL) {
		(void)snprintf(ret_what, TRUST_WHAT_MAX,
		    "'%.200s' is not PRINCIPAL=KEYFILE", spec);
		goto out;
	}
	*file++ = '\0';
	if ((options = strchr(file, ',')) != NULL)
		*options++ = '\0';
	if (lb_text_copy(p.principal, sizeof(p.principal), text) != LB_OK ||
	    !lb_principal_valid(text)) {
		(void)snprintf(
		    ret_what, TRUST_WHAT_MAX, "'%.128s' is no principal", text);
		goto out;
	}
	if ((r = files_pubkey(file, &p.key)) != LB_OK) {
		(void)snprintf(ret_what, TRUST_WHAT_MAX,
		    "read a public key from '%.200s': %s", file, files_why(r));
		goto out;
	}
	if ((r = pin_options(options, &p, ret_what)) != LB_OK)
		goto out;
	if ((r = lb_pinned_format(&p, ret)) != LB_OK)
		(void)snprintf(ret_what, TRUST_WHAT_MAX, "'%.200s': %s", spec,
		    lb_err_text(r));
out:
	free(text);
	return r;
}

static enum lb_err
line_add(struct lb_trust_paper *p, const struct trust_kind *k,
    const char *value, char *ret_what)
{
	size_t *count = list_count(p, k);
	enum lb_err r;

	if (*count == k->max) {
		(void)snprintf(ret_what, TRUST_WHAT_MAX,
		    "more than %zu %s lines", k->max, k->name);
		return LB_ERR_RANGE;
	}
	if (k->namespaces == 0)
		r = lb_text_copy(
		    list_item(p, k, *count), LB_PINNED_MAX + 1, value);
	else
		r = trust_pin(
		    value, k->namespaces, list_item(p, k, *count), ret_what);
	if (r == LB_OK)
		(*count)++;
	return r;
}

/*
 * Does a line belong to what "--no-approver" names: its first word, and with
 * "PRINCIPAL=SHA256:..." that key alone.
 */
static bool
line_named(const char *line, const char *name)
{
	const char *fp = strstr(name, "=SHA256:");
	size_t len = fp != NULL ? (size_t)(fp - name) : strlen(name);
	struct lb_pinned p;

	if (strncmp(line, name, len) != 0 || line[len] != ' ')
		return false;
	return fp == NULL ||
	    (lb_pinned_parse(line, &p) == LB_OK &&
		strcmp(p.key.fp, fp + 1) == 0);
}

static enum lb_err
line_drop(struct lb_trust_paper *p, const struct trust_kind *k,
    const char *name, char *ret_what)
{
	size_t *count = list_count(p, k), kept = 0;

	for (size_t i = 0; i < *count; i++) {
		if (line_named(list_item(p, k, i), name))
			continue;
		memmove(list_item(p, k, kept++), list_item(p, k, i),
		    LB_PINNED_MAX + 1);
	}
	if (kept == *count) {
		(void)snprintf(ret_what, TRUST_WHAT_MAX,
		    "there is no %s '%.200s'", k->name, name);
		return LB_ERR_MISSING;
	}
	*count = kept;
	return LB_OK;
}

static const struct flag_list *
flag_list(const struct trust_flags *f, size_t offset)
{
	return (
	    const struct flag_list *)(const void *)((const char *)f + offset);
}

/* First what goes, then what comes: a key can be replaced in one edit. */
static enum lb_err
lines_apply(
    const struct trust_flags *f, struct lb_trust_paper *p, char *ret_what)
{
	enum lb_err r = LB_OK;

	for (const struct trust_kind *k = trust_kinds; k->name != NULL; k++) {
		const struct flag_list *drop = flag_list(f, k->drop);
		const struct flag_list *add = flag_list(f, k->add);

		for (size_t i = 0; r == LB_OK && i < drop->count; i++)
			r = line_drop(p, k, drop->item[i], ret_what);
		for (size_t i = 0; r == LB_OK && i < add->count; i++)
			r = line_add(p, k, add->item[i], ret_what);
	}
	return r;
}

static enum lb_err
word_set(
    char *ret, size_t size, const char *value, const char *name, char *ret_what)
{
	if (value == NULL || lb_text_copy(ret, size, value) == LB_OK)
		return LB_OK;
	(void)snprintf(ret_what, TRUST_WHAT_MAX, "--%s is too long", name);
	return LB_ERR_RANGE;
}

static void
number_set(int64_t *ret, int64_t value)
{
	if (value != 0)
		*ret = value;
}

static enum lb_err
paper_apply(
    const struct trust_flags *f, struct lb_trust_paper *p, char *ret_what)
{
	enum lb_err r;

	if ((r = word_set(p->tenant, sizeof(p->tenant), f->tenant, "tenant",
		 ret_what)) != LB_OK ||
	    (r = word_set(p->require, sizeof(p->require), f->require, "require",
		 ret_what)) != LB_OK ||
	    (r = word_set(p->offline, sizeof(p->offline), f->offline, "offline",
		 ret_what)) != LB_OK)
		return r;
	number_set(&p->threshold, f->threshold);
	number_set(&p->longest, f->longest);
	number_set(&p->lease, f->lease);
	number_set(&p->good_until, f->good_until);
	if (f->no_delegation) { /* first: another one may take its place */
		p->delegate.count = 0;
		p->delegate_until = 0;
	}
	number_set(&p->delegate_until, f->delegate_until);
	if ((r = lines_apply(f, p, ret_what)) != LB_OK)
		return r;
	lb_doc_sort(&lb_trust_type, p);
	return LB_OK;
}

enum lb_err
trust_paper_new(const struct trust_flags *f, int64_t now,
    struct lb_trust_paper *paper, char *ret_what)
{
	paper->serial = 1;
	paper->threshold = 1;
	paper->longest = TRUST_LONGEST;
	paper->lease = TRUST_LEASE;
	paper->good_until = now + TRUST_GOOD_SPAN;
	memcpy(paper->require, "any", sizeof("any"));
	memcpy(paper->offline, "deny", sizeof("deny"));
	return paper_apply(f, paper, ret_what);
}

enum lb_err
trust_paper_edit(const struct trust_flags *f, const char *previous,
    struct lb_trust_paper *paper, char *ret_what)
{
	if (f->tenant != NULL && strcmp(f->tenant, paper->tenant) != 0) {
		(void)snprintf(
		    ret_what, TRUST_WHAT_MAX, "a successor keeps its tenant");
		return LB_ERR_STATE;
	}
	paper->serial++;
	if (lb_text_copy(paper->previous, sizeof(paper->previous), previous) !=
	    LB_OK)
		return LB_ERR_RANGE;
	return paper_apply(f, paper, ret_what);
}
