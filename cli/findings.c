/* Gathers and prints what lockbox doctor found. */
#include "findings.h"

#include <stdarg.h>
#include <stdlib.h>

#include "output.h"

void
findings_add(struct findings *f, const char *check, enum finding_result result,
    const char *todo, const char *fmt, ...)
{
	struct finding *item = &f->item[f->count];
	va_list ap;

	if (f->count == FINDINGS_MAX) {
		f->full = true;
		return;
	}
	*item = (struct finding){ .check = check,
		.result = result,
		.todo = result == FINDING_OK ? NULL : todo };
	va_start(ap, fmt);
	(void)vsnprintf(item->what, sizeof(item->what), fmt, ap);
	va_end(ap);
	f->count++;
}

bool
findings_failed(const struct findings *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->item[i].result != FINDING_OK &&
		    f->item[i].result != FINDING_WARN)
			return true;
	return f->full || f->count == 0;
}

static const char *
result_word(enum finding_result result)
{
	switch (result) {
	case FINDING_OK:
		return "ok";
	case FINDING_WARN:
		return "warn";
	case FINDING_FAIL:
		break;
	}
	return "fail";
}

/* Colours only for people who want them. */
static const char *
result_colour(enum finding_result result)
{
	if (!out_coloured(stdout))
		return "";
	return result == FINDING_OK  ? "\033[32m"
	    : result == FINDING_WARN ? "\033[33m"
				     : "\033[31m";
}

static void
text_print(const struct cli *cli, const struct findings *f)
{
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *item = &f->item[i];
		const char *colour = result_colour(item->result);

		(void)fprintf(cli->out, "%s%-4s%s  ", colour,
		    result_word(item->result),
		    colour[0] != '\0' ? "\033[0m" : "");
		out_line(cli->out, "%-12s  %s", item->check, item->what);
		if (item->todo != NULL)
			out_line(cli->out, "%20s%s", "do: ", item->todo);
	}
}

static int
json_print(const struct cli *cli, const struct findings *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s?}", "check",
			f->item[i].check, "result",
			result_word(f->item[i].result), "what", f->item[i].what,
			"do", f->item[i].todo));
	return out_json(cli,
	    json_pack("{s:b, s:o}", "ok", !findings_failed(f), "checks", list));
}

int
findings_print(const struct cli *cli, const struct findings *f)
{
	int rv = ENDING_DONE;

	if (cli->json)
		rv = json_print(cli, f);
	else
		text_print(cli, f);
	if (f->full)
		rv = out_fail(cli, ENDING_FAILED, "more was found than fits");
	return rv != ENDING_DONE || findings_failed(f) ? ENDING_FAILED
						       : ENDING_DONE;
}
