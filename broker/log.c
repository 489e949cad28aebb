/* The broker's log: one write per line. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockbox/text.h"

#define LOG_LINE_MAX 1024

static int journal, debug_on;

void
log_init(int debug)
{
	journal = getenv("JOURNAL_STREAM") != NULL;
	debug_on = debug;
}

void
log_line(int level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX / 2], line[LOG_LINE_MAX], prefix[32];
	va_list ap;
	int n;

	if (level == LOG_DEBUG && !debug_on)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Nothing in here may look like a second line. */
	for (char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	if (journal)
		(void)snprintf(prefix, sizeof(prefix), "<%d>", level);
	else
		(void)snprintf(prefix, sizeof(prefix), "lockbox-broker: ");
	n = snprintf(line, sizeof(line), "%s%s\n", prefix, text);
	if (n > 0 && (size_t)n < sizeof(line))
		(void)!write(STDERR_FILENO, line, (size_t)n);
}
