/* Asks a person on the terminal. */
#include "prompt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/text.h"
#include "output.h"

bool
prompt_possible(const struct cli *cli)
{
	return isatty(STDIN_FILENO) && isatty(fileno(cli->err));
}

/* One line without its newline and edge blanks; NULL at the end of input. */
static char *
line_read(void)
{
	char *line = NULL, *from;
	size_t size = 0, len;

	if (getline(&line, &size, stdin) < 0) {
		free(line);
		return NULL;
	}
	from = line + strspn(line, " \t");
	len = strlen(from);
	while (len > 0 && strchr(" \t\r\n", from[len - 1]) != NULL)
		len--;
	memmove(line, from, len);
	line[len] = '\0';
	return line;
}

/* One try: true when ret was written. */
static bool
answer_take(const char *line, const char *fallback, bool (*fits)(const char *),
    char *ret, size_t size)
{
	if (line[0] == '\0' && fallback != NULL)
		return lb_text_copy(ret, size, fallback) == LB_OK;
	return line[0] != '\0' && strlen(line) < size && fits(line) &&
	    lb_text_copy(ret, size, line) == LB_OK;
}

int
prompt_ask(const struct cli *cli, const char *question, const char *fallback,
    bool (*fits)(const char *), const char *wants, char *ret, size_t size)
{
	bool taken = false;
	char *line;

	for (int i = 0; i < PROMPT_TRIES && !taken; i++) {
		(void)fprintf(cli->err, "%s: ", question);
		(void)fflush(cli->err);
		if ((line = line_read()) == NULL) {
			(void)fputc('\n', cli->err);
			return out_fail(
			    cli, ENDING_FAILED, "nothing was asked for");
		}
		taken = answer_take(line, fallback, fits, ret, size);
		free(line);
		if (!taken)
			out_line(cli->err, "wanted: %s", wants);
	}
	return taken ? ENDING_DONE
		     : out_fail(cli, ENDING_USAGE, "nothing was asked for");
}
