/* Log lines that never block: datagrams to /dev/log, else stderr. */
#include "journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lockbox/text.h"

#define EVENT_VALUE_MAX 128 /* chars of a value, escaped */

static struct {
	const char *ident;
	int fd;
	bool verbose;
} out = { "lockbox", -1, true };

static void
reconnect(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (out.fd >= 0)
		(void)close(out.fd); /* a dead socket */
	out.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out.fd < 0)
		return;
	(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "/dev/log");
	if (connect(out.fd, (struct sockaddr *)&sun, sizeof(sun)) != 0) {
		(void)close(out.fd); /* nobody listens */
		out.fd = -1;
	}
}

void
journal_open(const char *ident, bool verbose)
{
	tzset(); /* reads the zone file while that is still allowed */
	out.ident = ident;
	out.verbose = verbose;
	reconnect();
}

void
journal_close(void)
{
	if (out.fd >= 0)
		(void)close(out.fd); /* nothing is buffered */
	out.fd = -1;
}

static bool
send_line(const char *line, size_t len)
{
	if (out.fd < 0)
		reconnect();
	if (out.fd < 0)
		return false;
	if (send(out.fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno == EAGAIN)
		return false; /* full: a lost line, not a stuck agent */
	reconnect();
	return out.fd >= 0 &&
	    send(out.fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

static void
write_safe(int level, const char *safe)
{
	char line[JOURNAL_LINE_MAX + 128];
	char stamp[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int len;

	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(stamp, sizeof(stamp), "%b %e %H:%M:%S", &tm);
	len = snprintf(line, sizeof(line), "<%d>%s %s[%d]: %s",
	    LOG_AUTHPRIV | level, stamp, out.ident, (int)getpid(), safe);
	if (len < 0 || !send_line(line, (size_t)len) || out.verbose)
		(void)dprintf(STDERR_FILENO, "%s: %s\n", out.ident, safe);
}

static void
write_line(int level, const char *text)
{
	char safe[JOURNAL_LINE_MAX];

	if (level == LOG_DEBUG && !out.verbose)
		return;
	lb_text_escape(text, strlen(text), safe, sizeof(safe));
	write_safe(level, safe);
}

void
journal_event(int level, const char *event, ...)
{
	char line[JOURNAL_LINE_MAX], safe[EVENT_VALUE_MAX + 1];
	const char *name, *value;
	va_list ap;
	size_t len;
	int n;

	n = snprintf(line, sizeof(line), "event=\"%s\"", event);
	len = n < 0 ? 0 : (size_t)n;
	va_start(ap, event);
	while ((name = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		lb_text_escape(value, strlen(value), safe, sizeof(safe));
		if (len + strlen(name) + strlen(safe) + 4 >= sizeof(line))
			break; /* never half a pair */
		n = snprintf(
		    line + len, sizeof(line) - len, " %s=\"%s\"", name, safe);
		len += n < 0 ? 0 : (size_t)n;
	}
	va_end(ap);
	write_safe(level, line);
}

void
journal(int level, const char *fmt, ...)
{
	char text[JOURNAL_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	write_line(level, text);
}

void
journal_r(enum lb_err r, const char *fmt, ...)
{
	char text[JOURNAL_LINE_MAX], line[JOURNAL_LINE_MAX];
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)snprintf(line, sizeof(line), "%.700s: %s%s%s", text,
	    lb_err_text(r), r == LB_ERR_IO ? ": " : "",
	    r == LB_ERR_IO ? strerror(saved) : "");
	write_line(LOG_ERR, line);
}
