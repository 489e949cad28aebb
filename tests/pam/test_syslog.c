/*
 * The line as a real rsyslogd takes it from its socket: facility, severity,
 * program, pid and text arrive as they were meant, with the daemon's own time.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "record.h"

#define RSYSLOGD "/usr/sbin/rsyslogd"

static char dir[] = "/tmp/lockbox-syslog.XXXXXX";
static char log_path[64], file_path[64];
static pid_t daemon_pid;

static int
daemon_start(void **state)
{
	char conf[64], pid_file[64];
	struct stat st;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(log_path, sizeof(log_path), "%s/log", dir);
	snprintf(file_path, sizeof(file_path), "%s/lines", dir);
	snprintf(conf, sizeof(conf), "%s/rsyslog.conf", dir);
	snprintf(pid_file, sizeof(pid_file), "%s/pid", dir);
	f = fopen(conf, "w");
	assert_non_null(f);
	fprintf(f,
	    "module(load=\"imuxsock\" SysSock.Use=\"off\")\n"
	    "input(type=\"imuxsock\" Socket=\"%s\" CreatePath=\"on\" "
	    "RateLimit.Interval=\"0\" Ruleset=\"t\")\n"
	    "template(name=\"t\" type=\"string\" "
	    "string=\"%%syslogfacility-text%%.%%syslogseverity-text%% "
	    "%%timereported:::date-unixtimestamp%% %%programname%% "
	    "%%procid%% |%%msg%%\\n\")\n"
	    "ruleset(name=\"t\") { action(type=\"omfile\" file=\"%s\" "
	    "template=\"t\") }\n",
	    log_path, file_path);
	assert_int_equal(fclose(f), 0);
	daemon_pid = fork();
	if (daemon_pid == 0) {
		execl(RSYSLOGD, RSYSLOGD, "-n", "-f", conf, "-i", pid_file,
		    (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && stat(log_path, &st) != 0; i++)
		poll(NULL, 0, 10);
	return stat(log_path, &st);
}

static int
daemon_stop(void **state)
{
	char command[64];

	(void)state;
	kill(daemon_pid, SIGTERM);
	waitpid(daemon_pid, NULL, 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void
send_line(const char *user, const char *decision, const char *code)
{
	struct lb_door_reply reply = { .tenant = "acme", .sid = 42 };
	struct login l = { .service = "sshd", .user = user, .rhost = "::1" };
	struct record rec = { .ident = "sshd",
		.pid = 4711,
		.type = "account",
		.event = "login.decision",
		.decision = decision,
		.code = code,
		.ref = "",
		.caller = "",
		.why = "",
		.login = &l,
		.reply = &reply };
	char line[RECORD_MAX];
	struct deadline d;
	size_t len = record_line(&rec, line);

	assert_int_equal(deadline_start(2000, &d), LB_OK);
	assert_int_equal(record_send(log_path, line, len, &d), LB_OK);
}

/* Wait for as many lines; their number, and the last of them. */
static int
lines_read(int want, char *ret, size_t size)
{
	int n = 0;

	for (int i = 0; i < 500 && n < want; i++) {
		FILE *f = fopen(file_path, "r");

		n = 0;
		while (f != NULL && fgets(ret, (int)size, f) != NULL)
			n++;
		if (f != NULL)
			fclose(f);
		if (n < want)
			poll(NULL, 0, 10);
	}
	return n;
}

static void
test_rsyslogd_reads_the_line(void **state)
{
	static const struct {
		const char *decision, *code, *head;
	} row[] = {
		{ "allow", "granted", "authpriv.info " },
		{ "deny", "no_grant", "authpriv.notice " },
		{ "deny", "agent_unreachable", "authpriv.warning " },
		{ "deny", "config_error", "authpriv.alert " },
		{ "exempt", "exempt", "authpriv.info " },
	};
	char line[4096], tag[64];
	long at;

	(void)state;
	for (int i = 0; i < 5; i++) {
		send_line("deploy", row[i].decision, row[i].code);
		assert_int_equal(lines_read(i + 1, line, sizeof(line)), i + 1);
		assert_memory_equal(line, row[i].head, strlen(row[i].head));
		assert_int_equal(sscanf(line, "%*s %ld %63[^|]", &at, tag), 2);
		assert_in_range(at, time(NULL) - 60, time(NULL) + 60);
		assert_string_equal(tag, "sshd 4711 ");
		assert_non_null(strstr(line,
		    "| pam_lockbox(sshd:account): event=\"login.decision\" "));
		assert_non_null(strstr(line, " sid=\"42\" "));
		assert_non_null(strstr(line, " why=\"\"\n"));
	}
}

/* B39 on the wire: one line per event, whatever the name holds. */
static void
test_rsyslogd_gets_one_line_per_event(void **state)
{
	char line[4096], user[8], want[32];
	int before;

	(void)state;
	send_line("deploy", "deny", "no_grant");
	before = lines_read(6, line, sizeof(line));
	for (int c = 1; c < 256; c++) {
		snprintf(user, sizeof(user), "a%cb", c);
		send_line(user, "deny", "login_invalid");
		assert_int_equal(
		    lines_read(before + c, line, sizeof(line)), before + c);
		if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
			snprintf(want, sizeof(want), " login=\"a%cb\" ", c);
		else if (c == '"' || c == '\\')
			snprintf(want, sizeof(want), " login=\"a\\%cb\" ", c);
		else
			snprintf(
			    want, sizeof(want), " login=\"a\\x%02xb\" ", c);
		if (strstr(line, want) == NULL)
			fail_msg("byte %d: %s", c, line);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rsyslogd_reads_the_line),
		cmocka_unit_test(test_rsyslogd_gets_one_line_per_event),
	};

	if (access(RSYSLOGD, X_OK) != 0) {
		fprintf(stderr, "skipped: %s is not installed\n", RSYSLOGD);
		return 77;
	}
	return cmocka_run_group_tests(tests, daemon_start, daemon_stop);
}
