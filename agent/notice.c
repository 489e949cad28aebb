/* Telling the people in a session. */
#include "notice.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lockbox/clock.h"

#define PTS_FIRST 136 /* majors of Unix98 pseudo-terminals */
#define PTS_LAST  143
#define CONSOLES  4 /* major; minors 1..63 */

static const char *
words_for(const char *cause)
{
	static const struct {
		const char *cause, *words;
	} row[] = {
		{ "expired", "its approved time is over" },
		{ "revoked", "the customer ended the approval" },
		{ "returned", "the grant was handed back" },
		{ "withdrawn", "the grant was handed back or stopped" },
		{ "lease_over", "the broker has not confirmed it lately" },
		{ "trust_changed", "the customer changed whom to trust" },
		{ "ended_by_root", "this host's administrator ends it" },
		{ "state_lost", "this host lost its records of sessions" },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		if (strcmp(cause, row[i].cause) == 0)
			return row[i].words;
	return "it is not approved any more";
}

void
notice_end(const struct notice_facts *f, char ret[static NOTICE_MAX + 1])
{
	(void)snprintf(ret, NOTICE_MAX + 1,
	    "\r\n[lockbox] This session on %s%s%s ends now: %s (%s).\r\n",
	    f->host, f->tenant[0] != '\0' ? " of " : "", f->tenant,
	    words_for(f->cause), f->cause);
}

/* Whole minutes as such: the warning comes a moment late. */
static void
say_left(int64_t left_ms, char *ret, size_t size)
{
	int64_t s = (left_ms + 999) / 1000;

	if (s >= 55)
		s = (s + 30) / 60 * 60;
	lb_span_format(s, ret, size);
}

void
notice_warning(const struct notice_facts *f, char ret[static NOTICE_MAX + 1])
{
	char at[LB_TIME_LEN + 1], left[32];

	lb_time_format(f->ends_at, at);
	say_left(f->left_ms, left, sizeof(left));
	if (f->cause[0] != '\0') {
		(void)snprintf(ret, NOTICE_MAX + 1,
		    "\r\n[lockbox] The broker does not answer. Unless it does, "
		    "this session on %s\r\n[lockbox] ends at %s, in %s.\r\n",
		    f->host, at, left);
		return;
	}
	(void)snprintf(ret, NOTICE_MAX + 1,
	    "\r\n[lockbox] This session on %s%s%s ends at %s, in %s. For "
	    "more time:\r\n[lockbox] %s%.23s\r\n",
	    f->host, f->tenant[0] != '\0' ? " of " : "", f->tenant, at, left,
	    f->offline ? "have a longer grant handed to this host"
		       : "lockbox grant extend ",
	    f->offline ? "" : f->grant);
}

enum lb_err
notice_tty_path(unsigned int tty, char *ret, size_t ret_size)
{
	unsigned int high = tty >> 8 & 0xfff;
	unsigned int low = (tty & 0xff) | (tty >> 12 & 0xfff00);
	int n;

	if (high >= PTS_FIRST && high <= PTS_LAST)
		n = snprintf(ret, ret_size, "/dev/pts/%u",
		    (high - PTS_FIRST) * 256 + low);
	else if (high == CONSOLES && low >= 1 && low <= 63)
		n = snprintf(ret, ret_size, "/dev/tty%u", low);
	else
		return LB_ERR_MISSING;
	return n > 0 && (size_t)n < ret_size ? LB_OK : LB_ERR_RANGE;
}

static bool
write_to(unsigned int tty, const char *text)
{
	size_t len = strlen(text);
	bool told = false;
	struct stat st;
	char path[40];
	int fd;

	if (notice_tty_path(tty, path, sizeof(path)) != LB_OK)
		return false;
	fd = open(
	    path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	/* Another file system's number is not meant. */
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
	    major(st.st_rdev) == (tty >> 8 & 0xfff))
		told = write(fd, text, len) == (ssize_t)len;
	(void)close(fd); /* said or not */
	return told;
}

struct told {
	size_t count;
	unsigned int tty[NOTICE_TTYS];
};

/* Each terminal once; false: it was told already, or there are too many. */
static bool
told_add(struct told *t, unsigned int tty)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->tty[i] == tty)
			return false;
	if (t->count == NOTICE_TTYS)
		return false;
	t->tty[t->count++] = tty;
	return true;
}

void
notice_send(const struct procs_all *all, uint32_t sid, const char *text,
    size_t *ret_told, size_t *ret_untold)
{
	struct told seen = { 0 };

	*ret_told = *ret_untold = 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct procs_one *p = &all->item[i];

		if (p->sid != sid || p->tty == 0 || p->gone ||
		    !told_add(&seen, p->tty))
			continue;
		if (write_to(p->tty, text))
			++*ret_told;
		else
			++*ret_untold;
	}
}
