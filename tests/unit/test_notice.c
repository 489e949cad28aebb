/* What people read on their terminals, and on which. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "notice.h"

#define GRANT                                                                   \
	"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd" \
	"ef"

static void
assert_plain(const char *text)
{
	for (; *text != '\0'; text++)
		assert_true((*text >= ' ' && *text <= '~') || *text == '\r' ||
		    *text == '\n');
}

static void
test_notice_says_when_why_and_how_to_ask(void **state)
{
	struct notice_facts f = {
		.host = "web1",
		.tenant = "acme",
		.cause = "",
		.grant = GRANT,
		.ends_at = 1772461800,
		.left_ms = 299100,
	};
	char text[NOTICE_MAX + 1];

	(void)state;
	notice_warning(&f, text);
	assert_plain(text);
	assert_non_null(strstr(text, "2026-03-02T14:30:00Z"));
	assert_non_null(strstr(text, "in 5m"));
	assert_non_null(strstr(text,
	    "\n[lockbox] lockbox grant extend sha256:0123456789abcdef\r"));
	f.offline = true;
	notice_warning(&f, text);
	assert_plain(text);
	assert_null(strstr(text, "extend"));
	assert_non_null(strstr(text, "longer grant handed to this host\r"));
	f.offline = false;
	f.left_ms = 3100;
	notice_warning(&f, text);
	assert_non_null(strstr(text, "in 4s"));
	f.cause = "lease_over";
	notice_warning(&f, text);
	assert_plain(text);
	assert_non_null(strstr(text, "broker does not answer"));
	f.cause = "revoked";
	notice_end(&f, text);
	assert_plain(text);
	assert_non_null(strstr(text, "(revoked)"));
	f.tenant = "";
	f.cause = "something_new";
	notice_end(&f, text);
	assert_non_null(strstr(text, "not approved any more"));
}

static void
test_notice_tty_path(void **state)
{
	static const struct {
		unsigned int tty;
		const char *want; /* NULL: none */
	} row[] = {
		{ 136 << 8 | 0, "/dev/pts/0" },
		{ 136 << 8 | 255, "/dev/pts/255" },
		{ 136 << 8 | 1 << 20, "/dev/pts/256" },
		{ 137 << 8 | 1, "/dev/pts/257" },
		{ 4 << 8 | 1, "/dev/tty1" },
		{ 4 << 8 | 63, "/dev/tty63" },
		{ 4 << 8 | 64, NULL }, /* a serial line */
		{ 4 << 8, NULL },
		{ 5 << 8 | 1, NULL },
		{ 0, NULL },
	};
	char path[40];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (row[i].want == NULL) {
			assert_int_equal(
			    notice_tty_path(row[i].tty, path, sizeof(path)),
			    LB_ERR_MISSING);
			continue;
		}
		assert_int_equal(
		    notice_tty_path(row[i].tty, path, sizeof(path)), LB_OK);
		assert_string_equal(path, row[i].want);
	}
}

/* Each terminal of the session once, and nobody else's. */
static void
test_notice_send(void **state)
{
	struct procs_one p[4] = { 0 };
	struct procs_all all = { .count = 4, .item = p };
	size_t told = 9, untold = 9;
	char got[100] = "";
	struct stat st;
	int fd, other;

	(void)state;
	fd = posix_openpt(O_RDWR | O_NOCTTY);
	if (fd < 0)
		skip();
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	other = open(ptsname(fd), O_RDWR | O_NOCTTY);
	if (other < 0)
		skip();
	assert_int_equal(fstat(other, &st), 0);
	for (size_t i = 0; i < 4; i++) {
		p[i].pid = (pid_t)(100 + i);
		p[i].sid = 7;
		p[i].tty = major(st.st_rdev) << 8 | (minor(st.st_rdev) & 0xff) |
		    (minor(st.st_rdev) & 0xfff00) << 12;
	}
	p[2].tty = 4 << 8 | 64;
	p[3].sid = 8;
	notice_send(&all, 7, "hello\r\n", &told, &untold);
	assert_int_equal(told, 1);
	assert_int_equal(untold, 1);
	assert_int_equal(read(fd, got, sizeof(got) - 1), 8);
	assert_string_equal(got, "hello\r\r\n");
	notice_send(&all, 9, "hello", &told, &untold);
	assert_int_equal(told, 0);
	assert_int_equal(untold, 0);
	assert_int_equal(close(other), 0);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notice_says_when_why_and_how_to_ask),
		cmocka_unit_test(test_notice_tty_path),
		cmocka_unit_test(test_notice_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
