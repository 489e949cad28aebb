/* Configuration files: one table-driven reader for all of them. */
#include "lockbox/conf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/buf.h"
#include "lockbox/clock.h"
#include "lockbox/file.h"
#include "lockbox/text.h"

#define BLANKS    " \t"
#define SHOWN_MAX 64 /* bytes of a name or value that an error shows */

/* A reading in progress. */
struct reader {
	const struct lb_conf_option *table;
	void *conf;
	bool seen[LB_CONF_ROWS_MAX];
	size_t line; /* 1 is the first; 0 the whole file */
	struct lb_conf_error error;
};

/* Say where and why; name may be NULL. Returns r. */
static enum lb_err
complain(struct reader *rd, enum lb_err r, const char *what, const char *name)
{
	char shown[SHOWN_MAX];

	rd->error.line = rd->line;
	lb_text_escape(
	    name, name == NULL ? 0 : strlen(name), shown, sizeof(shown));
	(void)snprintf(rd->error.what, sizeof(rd->error.what),
	    name == NULL ? "%s%s" : "%s '%s'", what, shown);
	return r;
}

static enum lb_err
store_bool(const char *value, bool *ret)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return LB_ERR_FORMAT;
	*ret = strcmp(value, "yes") == 0;
	return LB_OK;
}

static enum lb_err
store_span(const struct lb_conf_option *opt, const char *value, int64_t *ret)
{
	int64_t seconds;
	enum lb_err r;

	if ((r = lb_span_parse(value, &seconds)) != LB_OK)
		return r;
	if (seconds < opt->least || seconds > opt->most)
		return LB_ERR_RANGE;
	*ret = seconds;
	return LB_OK;
}

static enum lb_err
store_text(const struct lb_conf_option *opt, const char *value, char *ret)
{
	if (opt->kind == LB_CONF_PATH && value[0] != '/')
		return LB_ERR_FORMAT;
	if ((int64_t)strlen(value) < opt->least)
		return LB_ERR_RANGE;
	return lb_text_copy(ret, opt->size, value);
}

static enum lb_err
store(const struct lb_conf_option *opt, const char *value, void *conf)
{
	void *field = (char *)conf + opt->offset;
	enum lb_err r;

	if (value[0] == '\0' && opt->kind != LB_CONF_TEXT)
		return LB_ERR_FORMAT;
	if (opt->call != NULL && (r = opt->call(conf, value)) != LB_OK)
		return r;
	switch (opt->kind) {
	case LB_CONF_TEXT:
	case LB_CONF_PATH:
		return store_text(opt, value, field);
	case LB_CONF_NUMBER:
		return lb_number_parse(value, opt->least, opt->most, field);
	case LB_CONF_SPAN:
		return store_span(opt, value, field);
	case LB_CONF_BOOL:
		return store_bool(value, field);
	case LB_CONF_CALL:
		return LB_OK;
	}
	return LB_ERR_UNSUPPORTED;
}

static enum lb_err
set(struct reader *rd, const char *name, const char *value)
{
	enum lb_err r;
	size_t i;

	for (i = 0; rd->table[i].name != NULL; i++) {
		if (strcmp(rd->table[i].name, name) == 0)
			break;
	}
	if (rd->table[i].name == NULL)
		return complain(rd, LB_ERR_FORMAT, "unknown option", name);
	if (rd->seen[i] && rd->table[i].kind != LB_CONF_CALL)
		return complain(rd, LB_ERR_FORMAT, "repeated option", name);
	rd->seen[i] = true;

	r = store(&rd->table[i], value, rd->conf);
	if (r == LB_ERR_FORMAT)
		return complain(rd, r, "bad value of option", name);
	if (r == LB_ERR_RANGE)
		return complain(rd, r, "value out of range of option", name);
	if (r != LB_OK)
		return complain(rd, r, "refused value of option", name);
	return LB_OK;
}

/* Blanks off both ends, in place. */
static char *
trim(char *s)
{
	size_t len;

	s += strspn(s, BLANKS);
	len = strlen(s);
	while (len > 0 && strchr(BLANKS, s[len - 1]) != NULL)
		len--;
	s[len] = '\0';
	return s;
}

/* No control byte but tab, no NUL. */
static bool
line_clean(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* One line of len bytes, without its newline. */
static enum lb_err
line_read(struct reader *rd, const char *s, size_t len)
{
	char line[LB_CONF_LINE_MAX + 1];
	char *name, *value, *equals;

	if (len > LB_CONF_LINE_MAX)
		return complain(rd, LB_ERR_RANGE, "line too long", NULL);
	if (!line_clean(s, len))
		return complain(rd, LB_ERR_FORMAT, "control byte", NULL);
	if (len > 0)
		memcpy(line, s, len);
	line[len] = '\0';
	name = trim(line);
	if (name[0] == '\0' || name[0] == '#')
		return LB_OK;
	if ((equals = strchr(name, '=')) == NULL)
		return complain(rd, LB_ERR_FORMAT, "no '=' after", name);
	*equals = '\0';
	name = trim(name);
	value = trim(equals + 1);
	if (strchr(value, '\t') != NULL)
		return complain(rd, LB_ERR_FORMAT, "tab in option", name);
	return set(rd, name, value);
}

static enum lb_err
read_lines(struct reader *rd, const char *text, size_t text_len)
{
	const char *end = text + text_len;
	enum lb_err r;

	if (text_len > LB_CONF_FILE_MAX)
		return complain(rd, LB_ERR_RANGE, "file too long", NULL);
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		if (eol == NULL)
			eol = end;
		rd->line++;
		if ((r = line_read(rd, text, (size_t)(eol - text))) != LB_OK)
			return r;
		text = eol < end ? eol + 1 : end;
	}
	rd->line = 0;
	for (size_t i = 0; rd->table[i].name != NULL; i++) {
		if (rd->table[i].required && !rd->seen[i])
			return complain(rd, LB_ERR_FORMAT, "missing option",
			    rd->table[i].name);
	}
	return LB_OK;
}

static size_t
table_rows(const struct lb_conf_option *table)
{
	size_t n = 0;

	for (; table[n].name != NULL; n++)
		assert(table[n].kind != LB_CONF_CALL || table[n].call != NULL);
	return n;
}

enum lb_err
lb_conf_parse(const struct lb_conf_option *table, const char *text,
    size_t text_len, void *conf, struct lb_conf_error *ret_error)
{
	struct reader rd = { .table = table, .conf = conf };
	enum lb_err r;

	assert(table_rows(table) <= LB_CONF_ROWS_MAX);
	if ((r = read_lines(&rd, text, text_len)) != LB_OK)
		*ret_error = rd.error;
	return r;
}

enum lb_err
lb_conf_load(const struct lb_conf_option *table, const char *path, uid_t owner,
    void *conf, struct lb_conf_error *ret_error)
{
	struct lb_buf text = { 0 };
	enum lb_err r;

	r = lb_file_read_trusted(path, owner, LB_CONF_FILE_MAX, &text);
	if (r != LB_OK) {
		ret_error->line = 0;
		(void)snprintf(ret_error->what, sizeof(ret_error->what), "%s",
		    lb_err_text(r));
		goto out;
	}
	r = lb_conf_parse(table, text.data, text.len, conf, ret_error);
out:
	lb_buf_clear(&text);
	return r;
}
