/* Lines, tables and JSON for people and scripts, through one filter. */
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utf8proc.h>

#include "lockbox/clock.h"
#include "lockbox/visible.h"

#define GAP "  "

/*
 * Bytes of the visible UTF-8 character at s, or 0. Marks that sit on another
 * character are counted in *marks and not let pass for ever.
 */
static size_t
visible_char(const char *s, size_t len, size_t *marks)
{
	char probe[8] = { 'a' };
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	n = utf8proc_iterate(
	    (const utf8proc_uint8_t *)s, (utf8proc_ssize_t)len, &c);
	if (n < 2)
		return 0;
	/* Behind a letter, because a mark alone is not visible text. */
	memcpy(probe + 1, s, (size_t)n);
	if (!lb_text_visible(probe, (size_t)n + 1))
		return 0;
	*marks = utf8proc_charwidth(c) == 0 ? *marks + 1 : 0;
	return *marks <= OUT_MARKS_MAX ? (size_t)n : 0;
}

enum lb_err
out_escape(const void *bytes, size_t len, struct lb_buf *ret)
{
	const char *s = bytes;
	size_t n, marks = 0;
	enum lb_err r = LB_OK;

	for (size_t i = 0; i < len && r == LB_OK; i += n) {
		unsigned char c = (unsigned char)s[i];

		n = 1;
		if (c >= 0x20 && c < 0x7f) {
			r = lb_buf_add(ret, s + i, 1);
		} else if (c >= 0x80 &&
		    (n = visible_char(s + i, len - i, &marks)) > 0) {
			r = lb_buf_add(ret, s + i, n);
			continue;
		} else {
			n = 1;
			r = lb_buf_addf(ret, "\\x%02x", c);
		}
		marks = 0;
	}
	return r;
}

size_t
out_width(const char *escaped)
{
	const utf8proc_uint8_t *s = (const utf8proc_uint8_t *)escaped;
	utf8proc_int32_t c;
	utf8proc_ssize_t n;
	size_t width = 0;

	while (*s != '\0' && (n = utf8proc_iterate(s, -1, &c)) > 0) {
		width += (size_t)utf8proc_charwidth(c);
		s += n;
	}
	return width;
}

void
out_cut(char *escaped, size_t columns)
{
	const size_t dots = 3;
	size_t at = 0, keep = 0, width = 0;
	utf8proc_int32_t c;
	utf8proc_ssize_t n;

	if (columns == 0 || out_width(escaped) <= columns)
		return;
	while ((n = utf8proc_iterate(
		    (const utf8proc_uint8_t *)escaped + at, -1, &c)) > 0) {
		width += (size_t)utf8proc_charwidth(c);
		if (width + dots > columns)
			break;
		at += (size_t)n;
		keep = at;
	}
	/* What was cut took at least as many bytes as the dots do. */
	(void)snprintf(escaped + keep, strlen(escaped + keep) + 1, "%.*s",
	    columns < dots ? (int)columns : (int)dots, "...");
}

bool
out_moving(FILE *f)
{
	const char *term = getenv("TERM");

	return isatty(fileno(f)) && (term == NULL || strcmp(term, "dumb") != 0);
}

bool
out_coloured(FILE *f)
{
	const char *no = getenv("NO_COLOR");

	return out_moving(f) && (no == NULL || no[0] == '\0');
}

/* A line's text is short; when memory is gone the line is lost, not us. */
static void __attribute__((format(printf, 3, 0)))
line_put(FILE *f, const char *before, const char *fmt, va_list ap)
{
	struct lb_buf b = { 0 };
	char *text = NULL;
	int n;

	n = vasprintf(&text, fmt, ap);
	if (n < 0)
		return;
	if (out_escape(text, (size_t)n, &b) == LB_OK)
		(void)fprintf(
		    f, "%s%s\n", before, b.data != NULL ? b.data : "");
	lb_buf_clear(&b);
	free(text);
}

void
out_line(FILE *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_put(f, "", fmt, ap);
	va_end(ap);
}

void
out_document(FILE *f, const char *prefix, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : len;
		struct lb_buf b = { 0 };

		if (out_escape(text, n, &b) == LB_OK)
			(void)fprintf(
			    f, "%s%s\n", prefix, b.data != NULL ? b.data : "");
		lb_buf_clear(&b);
		n += end != NULL;
		text += n;
		len -= n;
	}
}

int
out_fail(const struct cli *cli, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_put(cli->err, "lockbox: ", fmt, ap);
	va_end(ap);
	return code;
}

void
out_hint(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	line_put(cli->err, "next: ", fmt, ap);
	va_end(ap);
}

void
out_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	line_put(cli->err, "", fmt, ap);
	va_end(ap);
}

void
out_debug(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (!cli->verbose)
		return;
	va_start(ap, fmt);
	line_put(cli->err, "debug: ", fmt, ap);
	va_end(ap);
}

int
out_json(const struct cli *cli, json_t *root)
{
	char *text;
	int rv = ENDING_FAILED;

	text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	json_decref(root);
	if (text == NULL)
		return out_fail(cli, rv, "out of memory");
	/* DEL is the one control byte that jansson leaves as it is. */
	for (const char *s = text; *s != '\0'; s++) {
		if (*s == 0x7f)
			(void)fputs("\\u007f", cli->out);
		else
			(void)fputc(*s, cli->out);
	}
	(void)fputc('\n', cli->out);
	free(text);
	return ENDING_DONE;
}

json_t *
out_json_time(int64_t at)
{
	char text[LB_TIME_LEN + 1];

	if (at == 0)
		return json_null();
	lb_time_format(at, text);
	return json_string(text);
}

json_t *
out_json_names(const char *item, size_t count, size_t size)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(item + i * size));
	return list;
}

static void
cell_add(struct out_table *t, const char *text)
{
	struct lb_buf b = { 0 };
	size_t size = t->size != 0 ? t->size * 2 : 16;
	char **cell = t->cell;

	if (t->count == t->size) {
		cell = reallocarray(t->cell, size, sizeof(*cell));
		if (cell == NULL) {
			t->failed = true;
			return;
		}
		t->cell = cell;
		t->size = size;
	}
	if (out_escape(text, strlen(text), &b) != LB_OK ||
	    (cell[t->count] = strdup(b.data != NULL ? b.data : "")) == NULL)
		t->failed = true;
	else
		t->count++;
	lb_buf_clear(&b);
}

void
out_row(struct out_table *t, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, t);
	for (size_t i = 0; i < t->columns; i++) {
		text = va_arg(ap, const char *);
		cell_add(t, text != NULL ? text : "");
	}
	va_end(ap);
}

void
out_field(struct out_table *t, const char *name, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->failed = true;
		return;
	}
	cell_add(t, name);
	cell_add(t, text);
	free(text);
}

static size_t
column_width(const struct out_table *t, size_t column)
{
	size_t most = 0, width;

	for (size_t i = column; i < t->count; i += t->columns) {
		width = out_width(t->cell[i]);
		if (width > most)
			most = width;
	}
	return most;
}

enum lb_err
out_table_print(FILE *f, struct out_table *t)
{
	enum lb_err r = t->failed ? LB_ERR_MEMORY : LB_OK;

	for (size_t i = 0; r == LB_OK && i < t->count; i++) {
		bool last = (i + 1) % t->columns == 0;
		size_t pad = last
		    ? 0
		    : column_width(t, i % t->columns) - out_width(t->cell[i]);

		(void)fprintf(
		    f, "%s%*s%s", t->cell[i], (int)pad, "", last ? "\n" : GAP);
	}
	out_table_clear(t);
	return r;
}

void
out_table_clear(struct out_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct out_table){ .columns = t->columns };
}

void
out_time(int64_t at, char ret[static OUT_TIME_MAX])
{
	time_t when = (time_t)at;
	struct tm tm;

	if (at == 0 || localtime_r(&when, &tm) == NULL ||
	    strftime(ret, OUT_TIME_MAX, "%Y-%m-%d %H:%M:%S %Z", &tm) == 0)
		(void)snprintf(ret, OUT_TIME_MAX, "-");
}

void
out_when(int64_t at, int64_t now, char ret[static OUT_TIME_MAX])
{
	char span[32];

	if (at == now) {
		(void)snprintf(ret, OUT_TIME_MAX, "now");
		return;
	}
	lb_span_format(at > now ? at - now : now - at, span, sizeof(span));
	(void)snprintf(ret, OUT_TIME_MAX, at > now ? "in %s" : "%s ago", span);
}

bool
out_confirm(const struct cli *cli, const char *question)
{
	char line[16] = "";

	if (cli->yes)
		return true;
	if (!isatty(STDIN_FILENO)) {
		out_note(cli,
		    "not asked: standard input is no terminal "
		    "(--yes is for scripts)");
		return false;
	}
	(void)fprintf(cli->err, "%s [y/N] ", question);
	(void)fflush(cli->err);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	return strcmp(line, "y\n") == 0 || strcmp(line, "yes\n") == 0;
}
