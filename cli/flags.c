/* Reads a command line's flags through tables. */
#include "flags.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/text.h"

#define FLAG_NUMBER_MAX 1000000000

/* One flag as it was met: its row, where it goes, its value if attached. */
struct met {
	const struct flag *flag;
	char *place;
	const char *value;
};

static bool
name_is(const char *name, const char *word, size_t len)
{
	return name != NULL && strlen(name) == len &&
	    strncmp(name, word, len) == 0;
}

static bool
flag_find(const struct flag_set *set, size_t count, const char *word,
    size_t len, char letter, struct met *ret)
{
	for (size_t i = 0; i < count; i++) {
		for (const struct flag *f = set[i].table;
		     f != NULL && f->kind != 0; f++) {
			if (letter != 0 ? f->letter != letter
					: !name_is(f->name, word, len))
				continue;
			ret->flag = f;
			ret->place = (char *)set[i].base + f->offset;
			return true;
		}
	}
	return false;
}

/* Split "--name=value", "--name", "-nvalue" or "-n". */
static bool
word_read(
    const struct flag_set *set, size_t count, const char *word, struct met *ret)
{
	const char *eq;
	size_t len;

	if (word[1] != '-') {
		ret->value = word[2] != '\0' ? word + 2 : NULL;
		return flag_find(set, count, NULL, 0, word[1], ret);
	}
	word += 2;
	eq = strchr(word, '=');
	len = eq != NULL ? (size_t)(eq - word) : strlen(word);
	ret->value = eq != NULL ? eq + 1 : NULL;
	return flag_find(set, count, word, len, 0, ret);
}

enum lb_err
flags_when(const char *value, int64_t now, int64_t *ret)
{
	int64_t span;

	if (lb_time_parse(value, ret) == LB_OK)
		return LB_OK;
	if (lb_span_parse(value, &span) != LB_OK)
		return LB_ERR_FORMAT;
	*ret = now + span;
	return LB_OK;
}

static enum lb_err
store_number(const struct met *m, int64_t now)
{
	int64_t n = 0;
	enum lb_err r;

	if (m->flag->kind == FLAG_SPAN)
		r = lb_span_parse(m->value, &n);
	else if (m->flag->kind == FLAG_WHEN)
		r = flags_when(m->value, now, &n);
	else
		r = lb_number_parse(m->value, 0, FLAG_NUMBER_MAX, &n);
	if (r == LB_OK)
		memcpy(m->place, &n, sizeof(n));
	return r;
}

static enum lb_err
store_list(const struct met *m)
{
	struct flag_list *l = (struct flag_list *)(void *)m->place;

	if (l->count == FLAG_LIST_MAX)
		return LB_ERR_RANGE;
	l->item[l->count++] = m->value;
	return LB_OK;
}

static enum lb_err
store(const struct met *m, int64_t now)
{
	bool yes = true;

	switch (m->flag->kind) {
	case FLAG_SWITCH:
		memcpy(m->place, &yes, sizeof(yes));
		return LB_OK;
	case FLAG_TEXT:
		memcpy(m->place, &m->value, sizeof(m->value));
		return LB_OK;
	case FLAG_LIST:
		return store_list(m);
	default:
		return store_number(m, now);
	}
}

/* Was the flag given before: all single values are zero until then. */
static bool
given(const struct met *m)
{
	static const char zero[sizeof(int64_t)] = { 0 };

	if (m->flag->kind == FLAG_SWITCH || m->flag->kind == FLAG_LIST)
		return false;
	return memcmp(m->place, zero,
		   m->flag->kind == FLAG_TEXT ? sizeof(char *)
					      : sizeof(int64_t)) != 0;
}

static const char *
value_kind(enum flag_kind kind)
{
	switch (kind) {
	case FLAG_SPAN:
		return "a span such as 30m or 2h";
	case FLAG_NUMBER:
		return "a whole number";
	case FLAG_WHEN:
		return "a time such as 2026-03-02T14:00:00Z, or a span from now";
	default:
		return "fewer values";
	}
}

/* One flag; *at moves on when the value is the next word. */
static enum lb_err
flag_take(const struct flag_set *set, size_t count, int argc, char **argv,
    int *at, int64_t now, char *ret_what)
{
	const char *word = argv[*at];
	struct met m = { 0 };
	enum lb_err r;

	if (!word_read(set, count, word, &m)) {
		(void)snprintf(
		    ret_what, FLAG_WHAT_MAX, "unknown flag '%.64s'", word);
		return LB_ERR_FORMAT;
	}
	if (m.flag->kind == FLAG_SWITCH && m.value != NULL) {
		(void)snprintf(
		    ret_what, FLAG_WHAT_MAX, "'%.64s' takes no value", word);
		return LB_ERR_FORMAT;
	}
	if (m.flag->kind != FLAG_SWITCH && m.value == NULL) {
		if (*at + 1 >= argc) {
			(void)snprintf(ret_what, FLAG_WHAT_MAX,
			    "'%.64s' needs a value", word);
			return LB_ERR_FORMAT;
		}
		m.value = argv[++*at];
	}
	if (given(&m)) {
		(void)snprintf(
		    ret_what, FLAG_WHAT_MAX, "'%.64s' is given twice", word);
		return LB_ERR_FORMAT;
	}
	if ((r = store(&m, now)) != LB_OK)
		(void)snprintf(ret_what, FLAG_WHAT_MAX,
		    "'%.64s' wants %s, not '%.64s'", word,
		    value_kind(m.flag->kind), m.value);
	return r;
}

enum lb_err
flags_parse(const struct flag_set *set, size_t count, int argc, char **argv,
    int64_t now, char **ret_operand, size_t *ret_count, size_t *ret_plain,
    char *ret_what)
{
	bool ended = false;
	size_t n = 0, plain = 0;
	enum lb_err r;

	for (int i = 0; i < argc; i++) {
		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		/* A lone "-" is an operand: standard input or output. */
		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			ret_operand[n++] = argv[i];
			plain += ended ? 0 : 1;
			continue;
		}
		if ((r = flag_take(
			 set, count, argc, argv, &i, now, ret_what)) != LB_OK)
			return r;
	}
	ret_operand[n] = NULL;
	*ret_count = n;
	*ret_plain = plain;
	return LB_OK;
}
