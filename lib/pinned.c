/* Pinned keys: allowed_signers lines in their one spelling. */
#include "lockbox/sshkey.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/buf.h"
#include "lockbox/clock.h"

#define DATE_LEN 15 /* "YYYYMMDDHHMMSSZ" */
#define NS_ALL   ((unsigned int)LB_NS_TRUST * 2 - 1)
#define NS_MAX   40 /* chars of a namespace, without NUL */

/* Where the dates' digits stand in the documents' spelling of a time. */
static const char date_form[] = "dddd-dd-ddTdd:dd:ddZ";

/* Take the chars of s up to one of stops; LB_ERR_FORMAT when none is left. */
static enum lb_err
field_take(const char **s, const char *stops, char *ret, size_t ret_size)
{
	size_t n = strcspn(*s, stops);

	if (n == 0 || (*s)[n] == '\0')
		return LB_ERR_FORMAT;
	if (n >= ret_size)
		return LB_ERR_RANGE;
	memcpy(ret, *s, n);
	ret[n] = '\0';
	*s += n;
	return LB_OK;
}

static bool
text_take(const char **s, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*s, text, n) != 0)
		return false;
	*s += n;
	return true;
}

/* namespaces="a,b": known, ascending, so that no two are alike. */
static enum lb_err
namespaces_take(const char **s, unsigned int *ret)
{
	char name[NS_MAX + 1];
	unsigned int set = 0;
	enum lb_ns ns;
	enum lb_err r;

	if (!text_take(s, "namespaces=\""))
		return LB_ERR_FORMAT;
	do {
		if ((r = field_take(s, ",\"", name, sizeof(name))) != LB_OK)
			return r;
		/* The bits ascend as the names do. */
		if ((ns = lb_ns_find(name)) == 0 || (unsigned int)ns <= set)
			return LB_ERR_FORMAT;
		set |= (unsigned int)ns;
	} while (text_take(s, ","));
	if (!text_take(s, "\""))
		return LB_ERR_FORMAT;
	*ret = set;
	return LB_OK;
}

/* ,NAME="YYYYMMDDHHMMSSZ" if it stands there; 0 if it does not. */
static enum lb_err
date_take(const char **s, const char *name, int64_t *ret)
{
	char date[DATE_LEN + 1], text[LB_TIME_LEN + 1];
	const char *d = date;
	enum lb_err r;

	*ret = 0;
	if (!text_take(s, name))
		return LB_OK;
	if ((r = field_take(s, "\"", date, sizeof(date))) != LB_OK)
		return r;
	if (strlen(date) != DATE_LEN || date[DATE_LEN - 1] != 'Z' ||
	    !text_take(s, "\""))
		return LB_ERR_FORMAT;
	for (size_t i = 0; i < sizeof(date_form); i++)
		text[i] = date_form[i] == 'd' ? *d++ : date_form[i];
	return lb_time_parse(text, ret);
}

enum lb_err
lb_pinned_parse(const char *line, struct lb_pinned *ret)
{
	struct lb_pinned p = { 0 };
	enum lb_err r;

	if (strlen(line) > LB_PINNED_MAX)
		return LB_ERR_RANGE;
	if ((r = field_take(&line, " ", p.principal, sizeof(p.principal))) !=
	    LB_OK)
		return r;
	if (!lb_principal_valid(p.principal) || !text_take(&line, " "))
		return LB_ERR_FORMAT;
	if ((r = namespaces_take(&line, &p.namespaces)) != LB_OK ||
	    (r = date_take(&line, ",valid-after=\"", &p.valid_after)) !=
		LB_OK ||
	    (r = date_take(&line, ",valid-before=\"", &p.valid_before)) !=
		LB_OK)
		return r;
	if (!text_take(&line, " "))
		return LB_ERR_FORMAT;
	if ((r = lb_sshkey_parse(line, &p.key)) != LB_OK)
		return r;
	if (p.valid_before != 0 && p.valid_after >= p.valid_before)
		return LB_ERR_RANGE;
	*ret = p;
	return LB_OK;
}

static enum lb_err
date_add(struct lb_buf *b, const char *name, int64_t at)
{
	char text[LB_TIME_LEN + 1], date[DATE_LEN + 1];
	char *d = date;

	if (at == 0)
		return LB_OK;
	lb_time_format(at, text);
	for (size_t i = 0; i < sizeof(date_form); i++)
		if (strchr("dZ", date_form[i]) != NULL)
			*d++ = text[i]; /* the NUL as well */
	return lb_buf_addf(b, ",%s=\"%s\"", name, date);
}

static enum lb_err
namespaces_add(struct lb_buf *b, unsigned int set)
{
	const char *lead = "namespaces=\"";
	enum lb_err r;

	assert(set != 0 && (set & ~NS_ALL) == 0);
	for (unsigned int bit = 1; bit < NS_ALL; bit <<= 1) {
		if ((set & bit) == 0)
			continue;
		if ((r = lb_buf_adds(b, lead)) != LB_OK ||
		    (r = lb_buf_adds(b, lb_ns_name((enum lb_ns)bit))) != LB_OK)
			return r;
		lead = ",";
	}
	return lb_buf_adds(b, "\"");
}

enum lb_err
lb_pinned_format(
    const struct lb_pinned *pinned, char ret[static LB_PINNED_MAX + 1])
{
	struct lb_buf b = { .max = LB_PINNED_MAX };
	char key[LB_KEY_TEXT_MAX + 1];
	enum lb_err r;

	lb_sshkey_format(&pinned->key, key);
	if ((r = lb_buf_addf(&b, "%s ", pinned->principal)) != LB_OK ||
	    (r = namespaces_add(&b, pinned->namespaces)) != LB_OK ||
	    (r = date_add(&b, "valid-after", pinned->valid_after)) != LB_OK ||
	    (r = date_add(&b, "valid-before", pinned->valid_before)) != LB_OK ||
	    (r = lb_buf_addf(&b, " %s", key)) != LB_OK)
		goto out;
	memcpy(ret, b.data, b.len + 1);
out:
	lb_buf_clear(&b);
	return r;
}

bool
lb_pinned_in_dates(const struct lb_pinned *pinned, int64_t now)
{
	return now >= pinned->valid_after &&
	    (pinned->valid_before == 0 || now < pinned->valid_before);
}
