/* The module's rooms one by one: options, scope, login, record, tell. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lockbox/clock.h"
#include "lockbox/verdict.h"

#include "ask.h"
#include "deadline.h"
#include "login.h"
#include "options.h"
#include "record.h"
#include "scope.h"
#include "tell.h"
#include "visit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* --- options --- */

static void
test_options_load_takes_all_four(void **state)
{
	const char *argv[] = { "conf=/a/pam.conf", "socket=/a/agent",
		"log=/a/log", "agent_user=nobody" };
	struct lb_conf_error ce = { 0 };
	struct options opt;

	(void)state;
	assert_int_equal(options_load(0, NULL, &opt, &ce), LB_OK);
	assert_string_equal(opt.conf, "/etc/lockbox/pam.conf");
	assert_string_equal(opt.socket, "/run/lockbox/agent.sock");
	assert_string_equal(opt.log, "/dev/log");
	assert_string_equal(opt.agent_user, "lockbox");
	assert_int_equal(options_load(4, argv, &opt, &ce), LB_OK);
	assert_string_equal(opt.conf, "/a/pam.conf");
	assert_string_equal(opt.socket, "/a/agent");
	assert_string_equal(opt.log, "/a/log");
	assert_string_equal(opt.agent_user, "nobody");
}

static void
test_options_load_refuses(void **state)
{
	static const char *const row[] = { "debug", "conf", "conf=", "conf=a",
		"Conf=/a", "conf=/a\nlog=/b", "", " ", "#", "#conf=/a",
		" conf=/a", "timeout=5", "agent_user=", "agent_user=a b",
		"agent_user=../x", "log=relative", "failmode=safe",
		"conf=/a\tb", "=", "=/a", "conf=/a\x7f" };
	char longest[200] = "socket=/";
	const char *good = "conf=/a", *twice[] = { good, good };
	struct lb_conf_error ce = { 0 };
	struct options opt, before;

	(void)state;
	assert_int_equal(options_load(1, &good, &opt, &ce), LB_OK);
	before = opt;
	for (size_t i = 0; i < COUNT(row); i++) {
		const char *argv[] = { "log=/a", row[i] };

		memset(&ce, 0, sizeof(ce));
		if (options_load(2, argv, &opt, &ce) == LB_OK)
			fail_msg("taken: '%s'", row[i]);
		assert_int_equal(ce.line, 2);
		assert_string_not_equal(ce.what, "");
		assert_memory_equal(&opt, &before, sizeof(opt));
	}
	assert_int_not_equal(options_load(2, twice, &opt, &ce), LB_OK);
	memset(longest + 8, 'x', OPTIONS_SOCKET_MAX - 1);
	good = longest;
	assert_int_equal(strlen(longest), 7 + OPTIONS_SOCKET_MAX);
	assert_int_equal(options_load(1, &good, &opt, &ce), LB_OK);
	longest[strlen(longest)] = 'x';
	assert_int_not_equal(options_load(1, &good, &opt, &ce), LB_OK);
}

static void
test_options_load_bounds_the_whole(void **state)
{
	char much[OPTIONS_TEXT_MAX + 100];
	const char *argv[] = { "conf=/a", much };
	struct lb_conf_error ce = { 0 };
	struct options opt;

	(void)state;
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	assert_int_equal(options_load(1, argv, &opt, &ce), LB_OK);
	assert_int_equal(options_load(2, argv, &opt, &ce), LB_ERR_RANGE);
	assert_int_equal(ce.line, 2);
}

/* --- scope --- */

static void
scope_of(const char *text, struct scope *ret)
{
	struct lb_conf_error ce = { 0 };

	assert_int_equal(scope_parse(text, strlen(text), ret, &ce), LB_OK);
}

static void
test_scope_exempts_exact_pairs(void **state)
{
	static const struct {
		const char *service, *login;
		int64_t uid;
		bool want;
	} row[] = {
		{ "login", "root", 0, true },
		{ "login", "Root", 0, false },
		{ "login", "roo", 0, false },
		{ "login", "roott", 0, false },
		{ "logi", "root", 0, false },
		{ "sshd", "root", 0, false },
		{ "login", "", 0, false },
		{ "cron", "daemon", 1, true },
		{ "cron", "x", 0, true },
		{ "cron", "x", 999, true },
		{ "cron", "x", 1000, false },
		{ "cron", "x", -1, false },
		{ "cron", "", 1, false },
		{ "cron", "@system", 5000, false },
		{ "login", "@system", 0, false },
	};
	struct scope s;

	(void)state;
	scope_of("# the console\nexempt = login root\n\n"
		 "exempt =   cron     @system  \n",
	    &s);
	assert_int_equal(s.count, 2);
	for (size_t i = 0; i < COUNT(row); i++)
		if (scope_exempts(&s, row[i].service, row[i].login,
			row[i].uid) != row[i].want)
			fail_msg("%s %s %jd", row[i].service, row[i].login,
			    (intmax_t)row[i].uid);
	assert_true(scope_names(&s, "cron"));
	assert_false(scope_names(&s, "sshd"));
}

static void
test_scope_empty_manages_everyone(void **state)
{
	struct scope s;

	(void)state;
	scope_of("", &s);
	assert_int_equal(s.count, 0);
	assert_false(scope_exempts(&s, "login", "root", 0));
	scope_of("# nothing\n", &s);
	assert_false(scope_names(&s, "login"));
}

static void
test_scope_parse_refuses(void **state)
{
	static const char *const row[] = { "exempt\n", "exempt =\n",
		"exempt = login\n", "exempt = login \n",
		"exempt = root@login\n", "exempt = login *\n",
		"exempt = * root\n", "exempt = login ro*\n",
		"exempt = login root x\n", "exempt = login @admin\n",
		"exempt = @system root\n", "exempt = login @System\n",
		"exempt = Login root\n", "exempt = login -root\n",
		"exempt = login ALL\x01\n", "socket = /run/x\n",
		"Exempt = login root\n", "exempt: login root\n",
		"exempt = login root\nexempt = login root\n",
		"exempt = login root\r\n", "exempt = login,sshd root\n",
		"exempt = login root # a comment\n",
		"exempt = login "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"exempt = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "
		"root\n",
		"failmode = safe\n" };
	struct lb_conf_error ce;
	struct scope s, before;

	(void)state;
	scope_of("exempt = login root\n", &s);
	before = s;
	for (size_t i = 0; i < COUNT(row); i++) {
		memset(&ce, 0, sizeof(ce));
		if (scope_parse(row[i], strlen(row[i]), &s, &ce) == LB_OK)
			fail_msg("taken: %s", row[i]);
		assert_true(ce.line > 0);
		assert_string_not_equal(ce.what, "");
		assert_memory_equal(&s, &before, sizeof(s));
	}
}

static void
test_scope_parse_bounds_rules(void **state)
{
	static char text[SCOPE_RULES_MAX * 40 + 80];
	struct lb_conf_error ce = { 0 };
	struct scope s;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < SCOPE_RULES_MAX; i++)
		at += (size_t)sprintf(text + at, "exempt = login u%d\n", i);
	assert_int_equal(scope_parse(text, at, &s, &ce), LB_OK);
	assert_int_equal(s.count, SCOPE_RULES_MAX);
	at += (size_t)sprintf(text + at, "exempt = login more\n");
	assert_int_equal(scope_parse(text, at, &s, &ce), LB_ERR_RANGE);
	assert_int_equal(ce.line, SCOPE_RULES_MAX + 1);
}

/* --- login --- */

static void
test_login_valid_wants_both(void **state)
{
	struct login l = { .service = "sshd", .user = "deploy" };

	(void)state;
	assert_true(login_valid(&l));
	l.user = "";
	assert_false(login_valid(&l));
	l.user = "a b";
	assert_false(login_valid(&l));
	l.user = "deploy";
	l.service = "";
	assert_false(login_valid(&l));
	l.service = "SSHD";
	assert_false(login_valid(&l));
}

#define BLOB "AAAAC3NzaC1lZDI1NTE5AAAAIB+/x=="

static void
test_login_key_proven_only_by_a_whole_line(void **state)
{
	static const struct {
		const char *info;
		bool want;
	} row[] = {
		{ "publickey ssh-ed25519 " BLOB, true },
		{ "publickey ssh-ed25519 " BLOB "\n", true },
		{ "password\npublickey ssh-ed25519 " BLOB "\n", true },
		{ "publickey sk-ssh-ed25519@openssh.com " BLOB "\n", true },
		{ "", false },
		{ "\n", false },
		{ "password", false },
		{ "publickey", false },
		{ "publickey ", false },
		{ "publickey ssh-ed25519", false },
		{ "publickey ssh-ed25519 ", false },
		{ "publickey  " BLOB, false },
		{ "publickey ssh-ed25519 " BLOB " x", false },
		{ " publickey ssh-ed25519 " BLOB, false },
		{ "xpublickey ssh-ed25519 " BLOB, false },
		{ "Publickey ssh-ed25519 " BLOB, false },
		{ "publickey ssh-ed25519\n" BLOB, false },
		{ "publickey\nssh-ed25519 " BLOB, false },
		{ "hostbased ssh-ed25519 " BLOB, false },
		{ "keyboard-interactive/pam", false },
		{ "keyboard-interactive publickey ssh-ed25519 " BLOB, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct login l = { .auth_info = row[i].info, .by_sshd = true };

		if (login_key_proven(&l) != row[i].want)
			fail_msg("%s", row[i].info);
		l.by_sshd = false;
		assert_false(login_key_proven(&l));
	}
}

static void
test_login_subject_names_the_caller(void **state)
{
	struct login l = { .service = "su",
		.user = "daemon",
		.ruser = "",
		.by_caller = true,
		.loginuid = 0 };
	struct subject s;

	(void)state;
	login_subject(&l, &s);
	assert_string_equal(s.name, "root");
	assert_int_equal(s.uid, 0);
	l.loginuid = LOGIN_ID_UNKNOWN;
	login_subject(&l, &s);
	assert_string_equal(s.name, "");
	assert_int_equal(s.uid, LOGIN_ID_UNKNOWN);
	l.loginuid = 4000000000; /* nobody's */
	login_subject(&l, &s);
	assert_string_equal(s.name, "");
	l.by_caller = false;
	login_subject(&l, &s);
	assert_string_equal(s.name, "daemon");
	assert_int_equal(s.uid, 1);
	l.user = "no-such-login";
	login_subject(&l, &s);
	assert_string_equal(s.name, "no-such-login");
	assert_int_equal(s.uid, LOGIN_ID_UNKNOWN);
}

/* --- record --- */

static const struct login sample_login = { .service = "sshd",
	.user = "deploy",
	.ruser = "",
	.rhost = "198.51.100.7",
	.tty = "ssh",
	.auth_info = "" };

static struct record
sample_record(const struct login *l, const struct lb_door_reply *reply)
{
	struct record rec = { .ident = "sshd",
		.pid = 4711,
		.type = "account",
		.event = "login.decision",
		.decision = "deny",
		.code = "no_grant",
		.ref = "7K2M-9QXT-04VB",
		.caller = "",
		.why = "",
		.login = l,
		.reply = reply };

	return rec;
}

static void
test_record_line_is_exact(void **state)
{
	struct lb_door_reply reply = { .tenant = "acme",
		.host = "db1",
		.engineer = "avm@provider.example",
		.key = "SHA256:k",
		.request = "sha256:r",
		.grant = "sha256:g",
		.sid = 42,
		.not_after = 1772467200,
		.lease_end = 1772461800 };
	struct record rec = sample_record(&sample_login, &reply);
	char line[RECORD_MAX];
	size_t len;

	(void)state;
	len = record_line(&rec, line);
	assert_int_equal(len, strlen(line));
	assert_string_equal(line,
	    "<85>sshd[4711]: pam_lockbox(sshd:account): "
	    "event=\"login.decision\" decision=\"deny\" code=\"no_grant\" "
	    "ref=\"7K2M-9QXT-04VB\" tenant=\"acme\" host=\"db1\" "
	    "login=\"deploy\" service=\"sshd\" "
	    "engineer=\"avm@provider.example\" key=\"SHA256:k\" "
	    "rhost=\"198.51.100.7\" req=\"sha256:r\" grant=\"sha256:g\" "
	    "sid=\"42\" not_after=\"2026-03-02T16:00:00Z\" "
	    "lease=\"2026-03-02T14:30:00Z\" caller=\"\" why=\"\"");
}

static void
test_record_line_keeps_every_key(void **state)
{
	struct lb_door_reply reply = {
		.sid = -1, .not_after = -5, .lease_end = INT64_MAX
	};
	struct login l = { .service = "", .user = "", .rhost = "" };
	struct record rec = sample_record(&l, &reply);
	char line[RECORD_MAX];

	(void)state;
	rec.ref = "";
	record_line(&rec, line);
	assert_string_equal(strstr(line, " event="),
	    " event=\"login.decision\" decision=\"deny\" code=\"no_grant\" "
	    "ref=\"\" tenant=\"\" host=\"\" login=\"\" service=\"\" "
	    "engineer=\"\" key=\"\" rhost=\"\" req=\"\" grant=\"\" sid=\"\" "
	    "not_after=\"\" lease=\"\" caller=\"\" why=\"\"");
}

static void
test_record_line_severities(void **state)
{
	static const struct {
		const char *decision, *code;
		int severity;
	} row[] = {
		{ "allow", "granted", LOG_INFO },
		{ "exempt", "exempt", LOG_INFO },
		{ "deny", "no_grant", LOG_NOTICE },
		{ "deny", "a_code_of_tomorrow", LOG_NOTICE },
		{ "deny", "login_invalid", LOG_NOTICE },
		{ "deny", "agent_unreachable", LOG_WARNING },
		{ "deny", "agent_timeout", LOG_WARNING },
		{ "deny", "broker_unreachable", LOG_WARNING },
		{ "exempt", "agent_unreachable", LOG_WARNING },
		{ "deny", "agent_garbage", LOG_ALERT },
		{ "deny", "config_error", LOG_ALERT },
		{ "deny", "answer_signature", LOG_ALERT },
		{ "deny", "clock_skew", LOG_ALERT },
	};
	struct lb_door_reply reply = { .sid = -1 };
	struct record rec = sample_record(&sample_login, &reply);
	char line[RECORD_MAX], want[16];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		rec.decision = row[i].decision;
		rec.code = row[i].code;
		record_line(&rec, line);
		snprintf(
		    want, sizeof(want), "<%d>", LOG_AUTHPRIV | row[i].severity);
		if (strncmp(line, want, strlen(want)) != 0)
			fail_msg("%s: %.6s", row[i].code, line);
	}
}

/* Every code that doc/codes.md marks with a star is an alert. */
static void
test_record_line_alerts_as_documented(void **state)
{
	struct lb_door_reply reply = { .sid = -1 };
	struct record rec = sample_record(&sample_login, &reply);
	char text[4096], code[64], star[8], line[RECORD_MAX];
	int stars = 0, plain = 0;
	FILE *f = fopen(CODES_DOC, "r");

	(void)state;
	assert_non_null(f);
	while (fgets(text, sizeof(text), f) != NULL &&
	    strncmp(text, "## 2", 4) != 0) {
		bool alert;

		star[0] = '\0';
		if (sscanf(text, "| `%63[a-z_]` %7s", code, star) < 1)
			continue;
		rec.code = code;
		record_line(&rec, line);
		alert = strncmp(line, "<81>", 4) == 0;
		if (alert != (strcmp(star, "*") == 0))
			fail_msg("%s is %s: %.6s", code,
			    alert ? "no alert" : "an alert", line);
		stars += alert;
		plain += !alert;
	}
	fclose(f);
	assert_true(stars > 20 && plain > 30);
}

static void
fill(char *s, size_t size)
{
	memset(s, '\x01', size - 1); /* four chars each once escaped */
	s[size - 1] = '\0';
}

static void
test_record_line_longest_stays_under_a_kibibyte(void **state)
{
	char much[5000], *member[6];
	struct lb_door_reply reply = { .sid = 4294967294,
		.not_after = LB_TIME_MAX,
		.lease_end = LB_TIME_MAX };
	struct login l = { .service = much, .user = much, .rhost = much };
	struct record rec = sample_record(&l, &reply);
	size_t size[6] = { sizeof(reply.tenant), sizeof(reply.host),
		sizeof(reply.engineer), sizeof(reply.key),
		sizeof(reply.request), sizeof(reply.grant) };
	char line[RECORD_MAX];

	(void)state;
	member[0] = reply.tenant;
	member[1] = reply.host;
	member[2] = reply.engineer;
	member[3] = reply.key;
	member[4] = reply.request;
	member[5] = reply.grant;
	fill(much, sizeof(much));
	for (size_t i = 0; i < 6; i++)
		memset(member[i], 'x', size[i] - 1);
	rec.ident = "a-program-of-a-name-that-never-ends-and-so-on";
	rec.pid = 4194304;
	rec.code = "a_code_as_long_as_a_code_may_ever_be_aaaaaaaaaa";
	rec.caller = "abcdefghijklmnopqrstuvwxyzabcdef";
	assert_true(record_line(&rec, line) < RECORD_MAX - 1);
	/* Nothing but the reason is lost whole. */
	assert_non_null(strstr(line, " caller=\"abcdefghijklmnopqrstuvwxyz"));
	assert_non_null(strstr(line, "...\" service="));
	assert_non_null(strstr(line, " why=\"\""));
	rec.why = much;
	assert_true(record_line(&rec, line) <= RECORD_MAX - 1);
	assert_non_null(strstr(line, " why=\"\\x01"));
	assert_int_equal(line[strlen(line) - 1], '"');
}

/* B39: all 256 byte values in every field from outside. */
static void
test_record_line_is_printable_whatever_comes(void **state)
{
	struct lb_door_reply reply = { .sid = -1 };
	char line[RECORD_MAX];

	(void)state;
	for (int c = 1; c < 256; c++) {
		char evil[] = "a?b\" decision=\"allow";
		struct login l = {
			.service = evil, .user = evil, .rhost = evil
		};
		struct record rec = sample_record(&l, &reply);
		char *first;

		evil[1] = (char)c;
		rec.why = evil;
		rec.ident = evil;
		record_line(&rec, line);
		for (const char *p = line; *p != '\0'; p++)
			assert_true(*p >= ' ' && *p <= '~');
		first = strstr(line, " decision=\"");
		assert_non_null(first);
		assert_memory_equal(first, " decision=\"deny\"", 16);
		assert_null(strstr(first + 1, " decision=\"allow"));
	}
}

static void
test_record_send_reaches_or_gives_up(void **state)
{
	char dir[] = "/tmp/lockbox-rooms.XXXXXX", path[64], got[64];
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct deadline d;
	struct timespec a, b;
	int fd, full = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	assert_int_equal(deadline_start(300, &d), LB_OK);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(record_send(path, "x", 1, &d), LB_ERR_TIMEOUT);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range(
	    (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000,
	    250, 900);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(record_send(path, "hello", 5, &d), LB_OK);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 5);
	assert_memory_equal(got, "hello", 5);
	/* A daemon that does not read: the queue fills, nothing blocks. */
	d = (struct deadline){ 0 };
	while (full < 5000 && record_send(path, "x", 1, &d) == LB_OK)
		full++;
	assert_in_range(full, 1, 4999);
	close(fd);
	unlink(path);
	rmdir(dir);
}

static void
test_record_ref_differs_and_fits(void **state)
{
	char a[LB_CODE_LEN + 1], b[LB_CODE_LEN + 1];

	(void)state;
	record_ref(a);
	record_ref(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), LB_CODE_LEN);
	assert_int_equal(
	    strspn(a, "0123456789ABCDEFGHJKMNPQRSTVWXYZ-"), LB_CODE_LEN);
	assert_int_equal(a[4], '-');
	assert_int_equal(a[9], '-');
}

/* --- tell --- */

static void
test_tell_words_are_three_printable_lines(void **state)
{
	static const char *const code[] = { "agent_unreachable",
		"agent_timeout", "agent_garbage", "agent_untrusted",
		"config_error", "login_invalid", "system_error", "no_record",
		"anything_else" };
	char lines[LB_TELL_LINES][LB_TELL_MAX + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(code); i++) {
		tell_words(code[i], "7K2M-9QXT-04VB", lines);
		for (size_t j = 0; j < LB_TELL_LINES; j++) {
			assert_in_range(strlen(lines[j]), 10, LB_TELL_MAX - 1);
			for (const char *p = lines[j]; *p != '\0'; p++)
				assert_true(*p >= ' ' && *p <= '~');
		}
		assert_non_null(strstr(lines[2], "7K2M-9QXT-04VB"));
		tell_words(code[i], "", lines);
		assert_string_equal(lines[2], "");
	}
}

/* --- verdicts --- */

static void
test_verdicts_are_far_apart(void **state)
{
	uint32_t a = LB_VERDICT_ALLOW, d = LB_VERDICT_DENY, e = VISIT_EXEMPT;

	(void)state;
	assert_true(__builtin_popcount(a ^ d) >= 14);
	assert_true(__builtin_popcount(a ^ e) >= 14);
	assert_true(__builtin_popcount(d ^ e) >= 14);
	assert_true(__builtin_popcount(a) >= 10);
	assert_true(__builtin_popcount(e) >= 10);
}

/* --- ask --- */

static void
test_ask_fill_takes_only_what_the_agent_takes(void **state)
{
	struct login l = sample_login;
	static struct lb_door_ask a;
	char much[LB_AUTH_INFO_MAX + 2];

	(void)state;
	assert_int_equal(ask_fill(&l, LB_PHASE_ACCOUNT, false, &a), LB_OK);
	assert_string_equal(a.login, "deploy");
	assert_int_equal(a.auth_info_known, 0);
	l.rhost = l.tty = "";
	assert_int_equal(ask_fill(&l, LB_PHASE_SESSION, true, &a), LB_OK);
	assert_int_equal(a.exempt_rule, 1);
	l.rhost = "a b";
	assert_int_not_equal(ask_fill(&l, LB_PHASE_ACCOUNT, 0, &a), LB_OK);
	l.rhost = "";
	l.tty = "\x1b[2J";
	assert_int_not_equal(ask_fill(&l, LB_PHASE_ACCOUNT, 0, &a), LB_OK);
	l.tty = "";
	l.ruser = "a;b";
	assert_int_not_equal(ask_fill(&l, LB_PHASE_ACCOUNT, 0, &a), LB_OK);
	l.ruser = "";
	memset(much, 'a', sizeof(much) - 1);
	much[LB_AUTH_INFO_MAX] = '\0';
	l.auth_info = much;
	assert_int_equal(ask_fill(&l, LB_PHASE_ACCOUNT, 0, &a), LB_OK);
	assert_int_equal(a.auth_info_known, 1);
	much[LB_AUTH_INFO_MAX] = 'a';
	much[LB_AUTH_INFO_MAX + 1] = '\0';
	assert_int_not_equal(ask_fill(&l, LB_PHASE_ACCOUNT, 0, &a), LB_OK);
}

/* --- deadline --- */

static void
test_deadline_ends(void **state)
{
	struct deadline d, in;
	int p[2];

	(void)state;
	assert_int_equal(deadline_start(60, &d), LB_OK);
	assert_in_range(deadline_left_ms(&d), 1, 60);
	in = deadline_within(&d, 100000);
	assert_int_equal(in.end_ms, d.end_ms);
	in = deadline_within(&d, 1);
	assert_true(in.end_ms < d.end_ms);
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(deadline_wait(&d, p[0], POLLIN), LB_ERR_TIMEOUT);
	assert_int_equal(deadline_left_ms(&d), 0);
	assert_int_equal(deadline_start(60, &d), LB_OK);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(deadline_wait(&d, p[0], POLLIN), LB_OK);
	d = (struct deadline){ 0 };
	assert_int_equal(deadline_left_ms(&d), 0);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_load_takes_all_four),
		cmocka_unit_test(test_options_load_refuses),
		cmocka_unit_test(test_options_load_bounds_the_whole),
		cmocka_unit_test(test_scope_exempts_exact_pairs),
		cmocka_unit_test(test_scope_empty_manages_everyone),
		cmocka_unit_test(test_scope_parse_refuses),
		cmocka_unit_test(test_scope_parse_bounds_rules),
		cmocka_unit_test(test_login_valid_wants_both),
		cmocka_unit_test(test_login_key_proven_only_by_a_whole_line),
		cmocka_unit_test(test_login_subject_names_the_caller),
		cmocka_unit_test(test_record_line_is_exact),
		cmocka_unit_test(test_record_line_keeps_every_key),
		cmocka_unit_test(test_record_line_severities),
		cmocka_unit_test(test_record_line_alerts_as_documented),
		cmocka_unit_test(
		    test_record_line_longest_stays_under_a_kibibyte),
		cmocka_unit_test(test_record_line_is_printable_whatever_comes),
		cmocka_unit_test(test_record_send_reaches_or_gives_up),
		cmocka_unit_test(test_record_ref_differs_and_fits),
		cmocka_unit_test(test_tell_words_are_three_printable_lines),
		cmocka_unit_test(test_verdicts_are_far_apart),
		cmocka_unit_test(test_ask_fill_takes_only_what_the_agent_takes),
		cmocka_unit_test(test_deadline_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
