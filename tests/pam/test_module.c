/*
 * The module through its hooks and through libpam's stacks, with an agent that
 * is right, wrong, slow or gone. Every refusal stands beside the same call let
 * in. Rows B01 to B41 of the bar, as far as they are the module's.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <security/pam_appl.h>

#include "lockbox/verdict.h"

#include "world.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define DEADLINE_MS 5000
#define SLACK_MS    700 /* a busy machine */
#ifdef __SANITIZE_ADDRESS__
#define LEAK_KIB 100000 /* the sanitizer keeps books */
#else
#define LEAK_KIB 64
#endif
#define UID_STRANGER 12345u
#define RULES                                                                  \
	"exempt = login root\n"                                                \
	"exempt = sshd games\n"                                                \
	"exempt = su root\n"                                                   \
	"exempt = sudo daemon\n"                                               \
	"exempt = cron @system\n"
#define KEY_INFO                                                               \
	"publickey ssh-ed25519 "                                               \
	"AAAAC3NzaC1lZDI1NTE5AAAAIJk3rZ1zT5mXw6O8b7Yk0s6mB3qDqQnF2x5s9x0F4v3h"
#define SK_INFO "publickey sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5"

static const char *module_path, *swap_path;
static struct world w;
static struct outcome out;

static int
setup(void **state)
{
	(void)state;
	world_open(&w, module_path, RULES);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	world_close(&w);
	return 0;
}

static void
agent_says(enum lb_phase phase, uint32_t verdict)
{
	struct lb_door_reply r = world_reply(phase, verdict);

	world_reply_set(&w, &r);
	world_agent(&w, MOCK_REPLY, 0);
}

/* The rest of the array stays zero, as the packet's rules want. */
static void
code_set(struct lb_door_reply *r, const char *code)
{
	memset(r->code, 0, sizeof(r->code));
	strcpy(r->code, code);
}

static struct trial
account_of(const char *service, const char *user)
{
	struct trial t = { .entry = ENTRY_ACCOUNT,
		.service = service,
		.user = user,
		.rhost = "198.51.100.7",
		.tty = "ssh" };

	return t;
}

static void
run(const struct trial *t)
{
	trial_run(&w, t, &out);
}

static void
assert_one_line(const char *decision, const char *code)
{
	assert_int_equal(out.logged, 1);
	assert_true(strlen(out.log[0]) < 1024);
	assert_string_equal(line_value(out.log[0], "decision"), decision);
	assert_string_equal(line_value(out.log[0], "code"), code);
}

/* The same call with a sound agent that allows: the control. */
static void
assert_control_allows(const struct trial *t)
{
	enum lb_phase phase =
	    t->entry == ENTRY_OPEN ? LB_PHASE_SESSION : LB_PHASE_ACCOUNT;

	agent_says(phase, LB_VERDICT_ALLOW);
	run(t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	assert_int_equal(out.logged, 1);
	assert_string_equal(line_value(out.log[0], "decision"), "allow");
}

static void
assert_account_denied(const struct trial *t, const char *code)
{
	run(t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_one_line("deny", code);
	assert_in_range(out.elapsed_ms, 0, DEADLINE_MS + SLACK_MS);
	assert_in_range(out.told, 1, 3);
}

/* --- account --- */

static void
test_account_allow_is_recorded_and_confirmed(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	t.auth_info = KEY_INFO;
	assert_control_allows(&t);
	assert_one_line("allow", "granted");
	assert_memory_equal(out.log[0], "<86>", 4);
	assert_non_null(strstr(out.log[0],
	    "]: pam_lockbox(sshd:account): event=\"login.decision\" "));
	assert_string_equal(line_value(out.log[0], "login"), "deploy");
	assert_string_equal(line_value(out.log[0], "rhost"), "198.51.100.7");
	assert_string_equal(
	    line_value(out.log[0], "engineer"), "avm@provider.example");
	assert_string_equal(line_value(out.log[0], "sid"), "42");
	assert_string_equal(
	    line_value(out.log[0], "not_after"), "2026-03-02T16:00:00Z");
	world_agent_settle(&w, 1);
	assert_true(w.shared->ask_ok);
	assert_int_equal(w.shared->ask.phase, LB_PHASE_ACCOUNT);
	assert_string_equal(w.shared->ask.login, "deploy");
	assert_string_equal(w.shared->ask.service, "sshd");
	assert_string_equal(w.shared->ask.rhost, "198.51.100.7");
	assert_string_equal(w.shared->ask.tty, "ssh");
	assert_string_equal(w.shared->ask.auth_info, KEY_INFO);
	assert_int_equal(w.shared->ask.auth_info_known, 1);
	assert_int_equal(w.shared->ask.exempt_rule, 0);
	assert_int_equal(w.shared->finals, 1);
	assert_true(w.shared->final_ok);
	assert_int_equal(w.shared->final.verdict, LB_VERDICT_ALLOW);
	assert_int_equal(w.shared->final.logged, 1);
	assert_string_equal(w.shared->final.code, "");
}

static void
own_pid(void *note)
{
	sprintf(note, "%d", getpid());
}

static void
test_account_passes_its_own_pidfd(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	t.before = own_pid;
	assert_control_allows(&t);
	assert_int_equal(w.shared->pidfd_pid, atoi(out.note));
}

static void
test_account_deny_tells_what_the_agent_says(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_control_allows(&t);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	assert_account_denied(&t, "no_grant");
	assert_memory_equal(out.log[0], "<85>", 4);
	assert_int_equal(out.told, 3);
	assert_int_equal(out.style[0], PAM_ERROR_MSG);
	assert_string_equal(
	    out.tell[0], "acme has not approved access to this host.");
	assert_string_equal(out.tell[2], "Reference: 7K2M-9QXT-04VB");
	assert_string_equal(line_value(out.log[0], "ref"), "7K2M-9QXT-04VB");
	world_agent_settle(&w, 1);
	assert_int_equal(w.shared->finals, 1);
	assert_int_equal(w.shared->final.verdict, LB_VERDICT_DENY);
	assert_int_equal(w.shared->final.logged, 1);
}

static void
test_account_silent_tells_nothing(void **state)
{
	struct trial t = account_of("sudo", "deploy");

	(void)state;
	t.flags = PAM_SILENT;
	assert_control_allows(&t);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_int_equal(out.told, 0);
	assert_one_line("deny", "no_grant");
	world_agent_stop(&w);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_int_equal(out.told, 0);
}

static void
test_account_allow_may_inform(void **state)
{
	struct lb_door_reply r =
	    world_reply(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	strcpy(r.tell[0], "acme let you in until 16:00 UTC.");
	world_reply_set(&w, &r);
	world_agent(&w, MOCK_REPLY, 0);
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	assert_int_equal(out.told, 1);
	assert_int_equal(out.style[0], PAM_TEXT_INFO);
}

static void
test_account_agent_absent_denies_with_own_words(void **state)
{
	static const enum mock mock[] = { MOCK_ABSENT, MOCK_NO_LISTEN,
		MOCK_CLOSE };
	struct trial t = account_of("sshd", "deploy");
	char want[64];

	(void)state;
	assert_control_allows(&t);
	for (size_t i = 0; i < COUNT(mock); i++) {
		world_agent(&w, mock[i], 0);
		assert_account_denied(&t, "agent_unreachable");
		assert_in_range(out.elapsed_ms, 0, 1000);
		assert_memory_equal(out.log[0], "<84>", 4);
		assert_int_equal(out.told, 3);
		assert_non_null(strstr(out.tell[0], "lockbox-agent"));
		snprintf(want, sizeof(want), "Reference: %s",
		    line_value(out.log[0], "ref"));
		assert_string_equal(out.tell[2], want);
		assert_int_equal(strlen(out.tell[2]), 11 + LB_CODE_LEN);
	}
}

static void
test_account_agent_slow_denies_in_time(void **state)
{
	static const enum mock mock[] = { MOCK_SILENT, MOCK_DEAF };
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_control_allows(&t);
	for (size_t i = 0; i < COUNT(mock); i++) {
		world_agent(&w, mock[i], 0);
		assert_account_denied(&t, "agent_timeout");
		assert_in_range(out.elapsed_ms, LB_DOOR_ANSWER_MS - 100,
		    LB_DOOR_ANSWER_MS + SLACK_MS);
	}
	/* Late, but within its time. */
	w.shared->delay_ms = 1500;
	assert_control_allows(&t);
	assert_in_range(out.elapsed_ms, 1500, LB_DOOR_ANSWER_MS);
}

static void
test_account_agent_of_other_user_denies(void **state)
{
	struct passwd *games = getpwnam("games");
	struct lb_door_reply r =
	    world_reply(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_non_null(games);
	assert_control_allows(&t);
	world_reply_set(&w, &r);
	world_agent(&w, MOCK_REPLY, UID_STRANGER);
	assert_account_denied(&t, "agent_untrusted");
	assert_int_equal(w.shared->asks, 0); /* told nothing at all */
	world_agent(&w, MOCK_REPLY, games->pw_uid);
	assert_account_denied(&t, "agent_untrusted");
	t.args = "agent_user=games";
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	world_agent(&w, MOCK_REPLY, UID_STRANGER);
	assert_account_denied(&t, "agent_untrusted");
	t.args = "agent_user=no-such-login";
	assert_account_denied(&t, "agent_untrusted");
}

/* B05, B07: cut anywhere, too long, or nothing like a reply. */
static void
test_account_reply_of_any_other_length_denies(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	size_t whole = sizeof(struct lb_door_reply);

	(void)state;
	assert_control_allows(&t);
	for (size_t len = 1; len < whole + 40; len++) {
		if (len == whole || (len > 40 && len < whole - 40 && len % 7))
			continue;
		w.shared->reply_len = len;
		run(&t);
		if (out.rv != PAM_PERM_DENIED)
			fail_msg("length %zu: %d", len, out.rv);
		assert_one_line("deny", "agent_garbage");
	}
	w.shared->reply_len = 65536;
	assert_account_denied(&t, "agent_garbage");
	memset(w.shared->reply, 0, whole);
	w.shared->reply_len = whole;
	assert_account_denied(&t, "agent_garbage");
	memset(w.shared->reply, 0xff, whole);
	assert_account_denied(&t, "agent_garbage");
	assert_control_allows(&t);
}

/* B06, B45: a flipped bit either makes no reply, or changes words alone. */
static void
test_account_reply_with_a_bit_flipped(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	struct lb_door_reply good, flipped;
	uint8_t *bytes = w.shared->reply;
	unsigned denied = 0, allowed = 0;

	(void)state;
	assert_control_allows(&t);
	good = world_reply(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	for (size_t bit = 0; bit < sizeof(good) * 8; bit++) {
		bool head = bit < offsetof(struct lb_door_reply, code) * 8;
		bool sound;

		if (!head && bit % 13 != 0)
			continue;
		memcpy(bytes, &good, sizeof(good));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		sound = lb_door_reply_check(bytes, sizeof(good), &flipped) ==
			LB_OK &&
		    flipped.verdict == LB_VERDICT_ALLOW &&
		    flipped.phase == LB_PHASE_ACCOUNT && !flipped.exempt;
		run(&t);
		if (out.rv != (sound ? PAM_SUCCESS : PAM_PERM_DENIED))
			fail_msg("bit %zu: %d", bit, out.rv);
		assert_int_equal(out.logged, 1);
		allowed += sound;
		denied += !sound;
		/* Nothing but "provisional" may flip in the head. */
		if (head && sound)
			assert_int_equal(flipped.provisional, 1);
	}
	assert_true(denied > 100 && allowed > 10);
}

static void
test_account_reply_must_fit_the_ask(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	struct lb_door_reply r;

	(void)state;
	assert_control_allows(&t);
	agent_says(LB_PHASE_SESSION, LB_VERDICT_ALLOW);
	assert_account_denied(&t, "agent_garbage");
	/* Exempt without a rule. */
	r = world_reply(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	r.exempt = 1;
	code_set(&r, "exempt");
	world_reply_set(&w, &r);
	assert_account_denied(&t, "agent_garbage");
	/* Provisional: under sshd the session phase looks again. */
	r = world_reply(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	r.provisional = 1;
	world_reply_set(&w, &r);
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	t.service = "sudo";
	assert_account_denied(&t, "agent_garbage");
}

static void
test_account_takes_key_only_under_sshd(void **state)
{
	static const char *const service[] = { "login", "doas", "sshd-x",
		"lbxsshd" };
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	t.auth_info = KEY_INFO;
	assert_control_allows(&t);
	assert_int_equal(w.shared->ask.auth_info_known, 1);
	for (size_t i = 0; i < COUNT(service); i++) {
		t.service = service[i];
		run(&t);
		world_agent_settle(&w, 2 + (unsigned)i);
		assert_string_equal(w.shared->ask.service, service[i]);
		assert_int_equal(w.shared->ask.auth_info_known, 0);
		assert_string_equal(w.shared->ask.auth_info, "");
	}
}

/* B20 */
static void
test_account_reads_the_user_when_it_decides(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	char text[1024];

	(void)state;
	t.through_stack = true;
	world_stack(&w, "sshd",
	    "account requisite MODULE ARGS\naccount required pam_permit.so\n");
	assert_control_allows(&t);
	snprintf(text, sizeof(text),
	    "account requisite %s user=mallory\naccount requisite MODULE ARGS\n"
	    "account required pam_permit.so\n",
	    swap_path);
	world_stack(&w, "sshd", text);
	run(&t);
	world_agent_settle(&w, 2);
	assert_string_equal(w.shared->ask.login, "mallory");
	assert_string_equal(line_value(out.log[0], "login"), "mallory");
	snprintf(text, sizeof(text),
	    "account requisite %s user=games\naccount requisite MODULE ARGS\n"
	    "account required pam_permit.so\n",
	    swap_path);
	world_stack(&w, "sshd", text);
	run(&t); /* exempt as games, but said so aloud */
	assert_string_equal(line_value(out.log[0], "decision"), "exempt");
	assert_string_equal(line_value(out.log[0], "login"), "games");
}

/* B21 */
static void
test_account_missing_items(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_control_allows(&t);
	t.rhost = t.tty = NULL;
	assert_control_allows(&t);
	assert_string_equal(w.shared->ask.rhost, "");
	t.no_conv = true;
	assert_control_allows(&t);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_int_equal(out.told, 0);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	t.no_conv = false;
	t.user = NULL;
	assert_account_denied(&t, "login_invalid");
	t.user = "";
	assert_account_denied(&t, "login_invalid");
	t.user = "deploy";
	t.rhost = "a\nb";
	assert_account_denied(&t, "login_invalid");
	t.rhost = NULL;
	t.service = "we!rd";
	assert_account_denied(&t, "login_invalid");
	assert_int_equal(w.shared->asks, 0);
}

static int
hostile_name(int i, char *ret, size_t size)
{
	static const char *const fixed[] = { "../root", "-oProxyCommand=x",
		"root%2f", "a b", "a\"b", "a'b", "a;b", "a\nb", "a\rb",
		"\x1b[2J", "root\xe2\x80\x8b", "\xff\xfe", "\xc3\x28",
		"\xef\xbd\x92oot", "0", "1000", " games", "games ", "Games",
		"GAMES", "games\t", "games.", "games-", "games@host", "@system",
		"%n%n%s", "$(id)", "`id`", "games\\", "*", "gam?s", "ga/mes",
		".", "..", "~", "#", "games#", "games=1", "games\x7f",
		"games\" decision=\"allow" };
	char *at = ret;

	if (i < (int)COUNT(fixed))
		return snprintf(ret, size, "%s", fixed[i]);
	i -= (int)COUNT(fixed);
	if (i < 255) { /* every byte, inside a name that would be exempt */
		memcpy(ret, "gam?es", 7);
		at[3] = (char)(i + 1);
		return 6;
	}
	i -= 255;
	if (i == 0)
		return (int)strlen(memset(ret, 'a', 4096) ? ret : "");
	if (i == 1)
		return (int)strlen(memset(ret, 'g', 33) ? ret : "");
	return -1;
}

/* B19, B39 */
static void
test_account_hostile_names_never_pass_as_exempt(void **state)
{
	static char name[5000];
	struct trial t = account_of("sshd", "games");
	int i, asked = 0, refused = 0;

	(void)state;
	world_agent(&w, MOCK_ABSENT, 0);
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE); /* the control */
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	for (i = 0;; i++) {
		memset(name, 0, sizeof(name));
		if (hostile_name(i, name, sizeof(name)) < 0)
			break;
		t.user = name;
		run(&t);
		if (out.rv != PAM_PERM_DENIED)
			fail_msg("'%s': %d", name, out.rv);
		assert_int_equal(out.logged, 1);
		for (const char *p = out.log[0]; *p != '\0'; p++)
			assert_true(*p >= ' ' && *p <= '~');
		assert_string_equal(line_value(out.log[0], "decision"), "deny");
		if (strcmp(line_value(out.log[0], "code"), "no_grant") == 0)
			asked++;
		else
			refused++;
	}
	assert_true(i >= 200 && refused >= 180 && asked > 0);
	t.user = "games";
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
}

/* --- exempt --- */

static void
test_exempt_outside_sessions_needs_no_agent(void **state)
{
	static const struct {
		const char *service, *user;
		int want;
	} row[] = {
		{ "login", "root", PAM_IGNORE },
		{ "sshd", "games", PAM_IGNORE },
		{ "cron", "daemon", PAM_IGNORE },
		{ "cron", "root", PAM_IGNORE },
		{ "login", "daemon", PAM_PERM_DENIED },
		{ "sshd", "root", PAM_PERM_DENIED },
		{ "cron", "nobody", PAM_PERM_DENIED }, /* 65534 */
		{ "cron", "no-such-login", PAM_PERM_DENIED },
		{ "atd", "root", PAM_PERM_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = account_of(row[i].service, row[i].user);

		world_agent(&w, MOCK_ABSENT, 0);
		run(&t);
		if (out.rv != row[i].want)
			fail_msg(
			    "%s %s: %d", row[i].service, row[i].user, out.rv);
		assert_one_line(row[i].want == PAM_IGNORE ? "exempt" : "deny",
		    row[i].want == PAM_IGNORE ? "exempt" : "agent_unreachable");
		if (row[i].want == PAM_IGNORE) {
			assert_memory_equal(out.log[0], "<86>", 4);
			assert_int_equal(out.told, 0);
		}
	}
}

static void
test_exempt_passes_without_syslog(void **state)
{
	struct trial t = account_of("login", "root");

	(void)state;
	world_log_close(&w);
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	assert_in_range(out.elapsed_ms, 0, 1000 + SLACK_MS);
}

/* su's and sudo's logins are about the caller, whoever the target is. */
static void
test_exempt_caller_not_target(void **state)
{
	static const struct {
		const char *service, *user, *ruser;
		uid_t real_uid;
		int want;
		const char *caller;
	} row[] = {
		{ "su", "deploy", "root", 0, PAM_IGNORE, "root" },
		{ "su", "deploy", NULL, 0, PAM_IGNORE, "root" },
		{ "su", "root", "daemon", 1, PAM_PERM_DENIED, "daemon" },
		{ "su", "root", "root", 1, PAM_PERM_DENIED, "daemon" },
		{ "sudo", "root", "daemon", 1, PAM_IGNORE, "daemon" },
		{ "sudo", "daemon", "root", 0, PAM_PERM_DENIED, "root" },
		/* sudo has made its real uid root's by then */
		{ "sudo", "root", "daemon", 0, PAM_IGNORE, "daemon" },
		{ "sudo", "root", NULL, 0, PAM_PERM_DENIED, "" },
		{ "su", "deploy", "daemon", 0, PAM_PERM_DENIED, "daemon" },
		{ "su", "deploy", "no-such", 0, PAM_PERM_DENIED, "no-such" },
		{ "su", "deploy", "a b", 0, PAM_PERM_DENIED, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = account_of(row[i].service, row[i].user);

		t.ruser = row[i].ruser;
		t.real_uid = row[i].real_uid;
		world_agent(&w, MOCK_ABSENT, 0);
		run(&t);
		if (out.rv != row[i].want)
			fail_msg("row %zu: %d", i, out.rv);
		assert_string_equal(
		    line_value(out.log[0], "caller"), row[i].caller);
	}
}

static void
skip_without_audit(void)
{
	if (!world_audit_works()) {
		print_message("no loginuid can be set here\n");
		skip();
	}
}

/* With an audit session the agent alone knows whether it is a registered one.
 * Agent: 'e' says exempt, 'a' allows, 'd' denies, '-' is gone, 's' is silent,
 * 'g' is garbage. */
static void
test_exempt_inside_a_session_asks_the_agent(void **state)
{
	static const struct {
		const char *service, *user;
		uid_t loginuid;
		char agent;
		int want;
	} row[] = {
		{ "su", "deploy", 0, 'e', PAM_IGNORE },
		{ "su", "deploy", 0, 'a', PAM_SUCCESS },
		{ "su", "deploy", 0, 'd', PAM_PERM_DENIED },
		{ "su", "deploy", 0, '-', PAM_IGNORE },
		{ "su", "deploy", 0, 'g', PAM_IGNORE },
		{ "su", "root", 1, 'd', PAM_PERM_DENIED },
		{ "su", "root", 1, '-', PAM_PERM_DENIED },
		{ "su", "root", 1, 'e', PAM_PERM_DENIED },
		{ "sudo", "root", 1, 'e', PAM_IGNORE },
		{ "sudo", "root", 1, 'd', PAM_PERM_DENIED },
		{ "sudo", "root", 1, '-', PAM_PERM_DENIED },
		{ "sudo", "root", 1, 'g', PAM_PERM_DENIED },
		{ "sudo", "daemon", 0, '-', PAM_PERM_DENIED },
		{ "sudo", "daemon", 0, 'e', PAM_PERM_DENIED },
		{ "cron", "daemon", 1, '-', PAM_PERM_DENIED },
		{ "cron", "daemon", 1, 'e', PAM_IGNORE },
		{ "cron", "daemon", 0, '-', PAM_IGNORE },
		/* sshd's logins come from the daemon */
		{ "sshd", "games", 1, '-', PAM_IGNORE },
		{ "sshd", "games", 1, 'd', PAM_IGNORE },
	};

	(void)state;
	skip_without_audit();
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = account_of(row[i].service, row[i].user);
		struct lb_door_reply r = world_reply(LB_PHASE_ACCOUNT,
		    row[i].agent == 'a' ? LB_VERDICT_ALLOW : LB_VERDICT_DENY);

		if (row[i].agent == 'e') {
			r.exempt = 1;
			code_set(&r, "exempt");
		}
		world_reply_set(&w, &r);
		if (row[i].agent == 'g')
			w.shared->reply_len--;
		world_agent(
		    &w, row[i].agent == '-' ? MOCK_ABSENT : MOCK_REPLY, 0);
		t.loginuid_set = true;
		t.loginuid = row[i].loginuid;
		run(&t);
		if (out.rv != row[i].want)
			fail_msg("row %zu: %d, %s", i, out.rv, out.log[0]);
		assert_int_equal(out.logged, 1);
		if (row[i].want == PAM_IGNORE && row[i].agent == 'g')
			assert_one_line("exempt", "agent_garbage");
		if (row[i].agent == 'e' && row[i].want == PAM_IGNORE) {
			assert_one_line("exempt", "exempt");
			world_agent_settle(&w, 1);
			assert_int_equal(w.shared->ask.exempt_rule, 1);
			assert_int_equal(w.shared->finals, 0);
		}
	}
}

/* --- configuration --- */

static void
conf_replace(const char *command)
{
	char text[512];

	unlink(w.conf);
	rmdir(w.conf);
	snprintf(text, sizeof(text), "cd %s && %s", w.dir, command);
	assert_int_equal(system(text), 0);
}

/* B28 */
static void
test_conf_bad_file_denies(void **state)
{
	static const struct {
		const char *make, *why;
	} row[] = {
		{ "true", "not found" },
		{ "mkfifo pam.conf", "" },
		{ "mkdir pam.conf", "" },
		{ "ln -s other pam.conf; : >other", "" },
		{ "mknod pam.conf c 1 3", "" },
		{ ": >pam.conf; chown 1 pam.conf", "" },
		{ ": >pam.conf; chmod 0664 pam.conf", "" },
		{ ": >pam.conf; chmod 0646 pam.conf", "" },
		{ "head -c 70000 /dev/zero | tr '\\0' '#' >pam.conf", "" },
		{ "printf 'exempt = login root\\r\\n' >pam.conf",
		    "pam.conf:1:" },
		{ "printf 'exempt = login root\\0\\n' >pam.conf",
		    "pam.conf:1:" },
		{ "printf '#\\nexempt = login ro' >pam.conf; printf 'x y\\n' "
		  ">>pam.conf",
		    "pam.conf:2:" },
		{ "printf '\\nexmpt = login root\\n' >pam.conf",
		    "pam.conf:2: unknown option 'exmpt'" },
		{ "printf 'exempt = login *\\n' >pam.conf", "pam.conf:1:" },
		{ "printf 'socket = /tmp/x\\n' >pam.conf", "pam.conf:1:" },
		{ "printf 'exempt = login root\\nexempt = login root\\n' "
		  ">pam.conf",
		    "pam.conf:2:" },
		{ "printf 'exempt = login \\033[2J\\n' >pam.conf",
		    "pam.conf:1:" },
		{ ": >pam.conf; chmod 0777 .", "" },
	};
	struct trial t = account_of("login", "root");
	struct trial managed = account_of("sshd", "deploy");

	(void)state;
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	for (size_t i = 0; i < COUNT(row); i++) {
		assert_control_allows(&managed);
		conf_replace(row[i].make);
		run(&t);
		if (out.rv != PAM_PERM_DENIED)
			fail_msg("%s: %d", row[i].make, out.rv);
		assert_one_line("deny", "config_error");
		assert_memory_equal(out.log[0], "<81>", 4);
		assert_in_range(out.elapsed_ms, 0, 1000);
		if (strstr(line_value(out.log[0], "why"), row[i].why) == NULL)
			fail_msg("%s: %s", row[i].make, out.log[0]);
		assert_non_null(strstr(line_value(out.log[0], "why"), w.conf));
		run(&managed);
		assert_int_equal(out.rv, PAM_PERM_DENIED);
		assert_one_line("deny", "config_error");
		conf_replace("chmod 0755 . && : >pam.conf");
	}
}

static void
test_conf_loose_parent_denies(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	char args[512];

	(void)state;
	conf_replace("mkdir deep && printf '#\\n' >deep/pam.conf && : "
		     ">pam.conf");
	t.bare = true;
	snprintf(args, sizeof(args), "conf=%s/deep/pam.conf socket=%s log=%s",
	    w.dir, w.socket, w.log);
	t.args = args;
	assert_control_allows(&t);
	conf_replace("chmod 0775 deep; : >pam.conf");
	assert_account_denied(&t, "config_error");
	conf_replace("chmod 0755 deep; chown 1 deep; : >pam.conf");
	assert_account_denied(&t, "config_error");
	conf_replace("chown 0 deep; : >pam.conf");
	assert_control_allows(&t);
}

/* A /dev of its own, in which /dev/log leads to this world's syslog. */
static void
dev_of_its_own(void *context)
{
	const struct world *world = context;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/dev", "tmpfs", 0, "size=64k") != 0 ||
	    symlink(world->log, "/dev/log") != 0)
		_exit(99);
}

static bool
namespaces_work(void)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0) {
		dev_of_its_own(&w);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status == 0;
}

/* B29 */
static void
test_arguments_unknown_or_repeated_deny(void **state)
{
	static const char *const bad[] = { "debug", "failmode=safe",
		"conf=relative", "conf", "agent_user=", "agent_user=a/b",
		"socket=/a socket=/a", "Conf=/a", "#" };
	struct trial t = account_of("login", "root");

	(void)state;
	if (!namespaces_work())
		skip();
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	t.before = dev_of_its_own;
	t.context = &w;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct trial mine = t;
		char args[512];

		snprintf(args, sizeof(args), "conf=%s %s", w.conf, bad[i]);
		mine.bare = true;
		mine.args = args;
		run(&mine);
		if (out.rv != PAM_PERM_DENIED)
			fail_msg("%s: %d", bad[i], out.rv);
		assert_one_line("deny", "config_error");
		assert_non_null(strstr(out.log[0], "module argument "));
	}
}

/* --- syslog --- */

/* A daemon that has stopped reading: its queue is full. */
static void
log_fill(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int n = 0;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", w.log);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
		assert_true(++n < 10000);
	close(fd);
}

static void
test_no_record_no_allow(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_control_allows(&t);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	world_log_close(&w);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_in_range(out.elapsed_ms, 900, 1000 + SLACK_MS);
	assert_int_equal(out.told, 3);
	assert_non_null(strstr(out.tell[0], "syslog"));
	world_agent_settle(&w, 1);
	assert_int_equal(w.shared->finals, 1);
	assert_int_equal(w.shared->final.verdict, LB_VERDICT_DENY);
	assert_int_equal(w.shared->final.logged, 0);
	assert_string_equal(w.shared->final.code, "no_record");
	world_log_open(&w);
	assert_control_allows(&t);
}

static void
test_syslog_full_denies_and_never_blocks(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	char drain[1][2048];

	(void)state;
	assert_control_allows(&t);
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	log_fill();
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_in_range(out.elapsed_ms, 900, 1000 + SLACK_MS);
	(void)world_log_drain(&w, drain, 1);
	assert_control_allows(&t);
}

static void
test_agent_silent_and_syslog_gone_still_in_time(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	assert_control_allows(&t);
	world_agent(&w, MOCK_SILENT, 0);
	world_log_close(&w);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	assert_in_range(out.elapsed_ms, 4500, DEADLINE_MS + SLACK_MS);
}

/* The daemon comes back within the second. */
static void
test_syslog_restarted_meanwhile_is_found_again(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char line[2048];
	pid_t pid;
	int status, fd;

	(void)state;
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	world_log_close(&w);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", w.log);
	pid = fork();
	if (pid == 0) {
		usleep(400 * 1000);
		fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
			_exit(1);
		alarm(5);
		_exit(recv(fd, line, sizeof(line), 0) > 0 ? 0 : 1);
	}
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* --- sessions --- */

static struct trial
session_of(const char *service, const char *user)
{
	struct trial t = account_of(service, user);

	t.entry = ENTRY_OPEN;
	t.ruser = "nobody"; /* who calls su and sudo */
	return t;
}

static void
test_session_opens_by_the_agents_word(void **state)
{
	struct trial t = session_of("sshd", "deploy");

	(void)state;
	t.auth_info = KEY_INFO;
	assert_control_allows(&t);
	assert_false(out.killed);
	assert_string_equal(line_value(out.log[0], "event"), "session.opened");
	assert_non_null(
	    strstr(out.log[0], "pam_lockbox(sshd:session): event="));
	world_agent_settle(&w, 1);
	assert_int_equal(w.shared->ask.phase, LB_PHASE_SESSION);
	assert_string_equal(w.shared->ask.auth_info, KEY_INFO);
	assert_int_equal(w.shared->final.verdict, LB_VERDICT_ALLOW);
}

static void
assert_session_refused(const struct trial *t, bool killed, const char *code)
{
	run(t);
	assert_int_equal(out.killed, killed);
	if (!killed)
		assert_int_equal(out.rv, PAM_SESSION_ERR);
	assert_one_line("deny", code);
	assert_string_equal(line_value(out.log[0], "event"), "session.refused");
}

static void
test_session_refused_ends_sshd_and_fails_elsewhere(void **state)
{
	static const struct {
		const char *service;
		bool killed;
	} row[] = { { "sshd", true }, { "sudo", false }, { "su", false },
		{ "login", false }, { "sshd-x", false } };
	struct lb_door_reply provisional =
	    world_reply(LB_PHASE_SESSION, LB_VERDICT_ALLOW);

	(void)state;
	provisional.provisional = 1;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = session_of(row[i].service, "deploy");

		assert_control_allows(&t);
		agent_says(LB_PHASE_SESSION, LB_VERDICT_DENY);
		assert_session_refused(&t, row[i].killed, "no_grant");
		world_agent_settle(&w, 1);
		assert_int_equal(w.shared->finals, 1);
		agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
		assert_session_refused(&t, row[i].killed, "agent_garbage");
		world_reply_set(&w, &provisional);
		assert_session_refused(&t, row[i].killed, "agent_garbage");
		world_agent(&w, MOCK_ABSENT, 0);
		assert_session_refused(&t, row[i].killed, "agent_unreachable");
		t.user = "a b";
		assert_session_refused(&t, row[i].killed, "login_invalid");
		t.user = "deploy";
		world_conf(&w, "unknown = 1\n");
		assert_session_refused(&t, row[i].killed, "config_error");
		world_conf(&w, RULES);
		agent_says(LB_PHASE_SESSION, LB_VERDICT_ALLOW);
		world_log_close(&w);
		run(&t);
		assert_int_equal(out.killed, row[i].killed);
		if (!row[i].killed)
			assert_int_equal(out.rv, PAM_SESSION_ERR);
		world_log_open(&w);
	}
}

static void
test_session_of_exempt_logins_is_silent(void **state)
{
	struct trial t = session_of("sshd", "games");

	(void)state;
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	assert_false(out.killed);
	assert_int_equal(out.logged, 0);
	skip_without_audit();
	t.loginuid_set = true;
	t.loginuid = 5;
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	assert_int_equal(out.logged, 0);
}

static void
test_close_session_tells_and_never_fails(void **state)
{
	static const enum mock mock[] = { MOCK_REPLY, MOCK_ABSENT, MOCK_SILENT,
		MOCK_DEAF, MOCK_CLOSE };
	struct trial t = session_of("sshd", "deploy");

	(void)state;
	t.entry = ENTRY_CLOSE;
	for (size_t i = 0; i < COUNT(mock); i++) {
		world_agent(&w, mock[i], 0);
		run(&t);
		assert_int_equal(out.rv, PAM_SUCCESS);
		assert_int_equal(out.logged, 0);
		assert_in_range(out.elapsed_ms, 0, 500 + SLACK_MS);
		if (mock[i] != MOCK_REPLY)
			continue;
		world_agent_settle(&w, 1);
		assert_int_equal(w.shared->asks, 1);
		assert_true(w.shared->ask_ok);
		assert_int_equal(w.shared->ask.phase, LB_PHASE_CLOSE);
		assert_int_equal(w.shared->finals, 0);
	}
	world_conf(&w, "unknown = 1\n");
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	world_conf(&w, RULES);
	t.user = "games";
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
}

/* --- authenticate, setcred, chauthtok --- */

static void
test_authenticate_only_repeats_sshd(void **state)
{
	static const struct {
		const char *service, *user, *info;
		int want;
	} row[] = {
		{ "sshd", "deploy", KEY_INFO, PAM_SUCCESS },
		{ "sshd", "deploy", "password\n" KEY_INFO, PAM_SUCCESS },
		{ "sshd", "deploy", SK_INFO " signature count = 7\n",
		    PAM_SUCCESS },
		{ "sshd", "deploy", SK_INFO " signature count = 7 \n",
		    PAM_AUTH_ERR },
		{ "sshd", "deploy", SK_INFO " signature count = \n",
		    PAM_AUTH_ERR },
		{ "sshd", "deploy", SK_INFO " count = 7\n", PAM_AUTH_ERR },
		{ "sshd", "deploy", NULL, PAM_AUTH_ERR },
		{ "sshd", "deploy", "password", PAM_AUTH_ERR },
		{ "sshd", "deploy", "keyboard-interactive/pam", PAM_AUTH_ERR },
		{ "sshd", "deploy", "hostbased ssh-ed25519 AAAA",
		    PAM_AUTH_ERR },
		{ "sshd", "a b", KEY_INFO, PAM_AUTH_ERR },
		{ "su", "deploy", KEY_INFO, PAM_AUTH_ERR },
		{ "login", "deploy", KEY_INFO, PAM_AUTH_ERR },
		{ "sudo", "deploy", KEY_INFO, PAM_AUTH_ERR },
		{ "lbxsshd", "deploy", KEY_INFO, PAM_AUTH_ERR },
		{ "sshd", "games", NULL, PAM_IGNORE },
		{ "login", "root", NULL, PAM_IGNORE },
	};

	(void)state;
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = account_of(row[i].service, row[i].user);

		t.entry = ENTRY_AUTH;
		t.ruser = "nobody";
		t.auth_info = row[i].info;
		run(&t);
		if (out.rv != row[i].want)
			fail_msg("row %zu: %d", i, out.rv);
		assert_int_equal(out.logged, 0);
		world_conf(&w, "broken\n");
		run(&t);
		assert_int_equal(out.rv, PAM_AUTH_ERR);
		world_conf(&w, RULES);
	}
	assert_int_equal(w.shared->asks, 0);
}

static void
test_authenticate_inside_a_session_is_not_exempt(void **state)
{
	struct trial t = account_of("login", "root");

	(void)state;
	skip_without_audit();
	t.entry = ENTRY_AUTH;
	run(&t);
	assert_int_equal(out.rv, PAM_IGNORE);
	t.loginuid_set = true;
	run(&t);
	assert_int_equal(out.rv, PAM_AUTH_ERR);
}

static void
test_setcred_and_chauthtok(void **state)
{
	static const char *const user[] = { "deploy", "games", "a b", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(user); i++) {
		struct trial t = account_of("sshd", user[i]);

		t.entry = ENTRY_SETCRED;
		run(&t);
		assert_int_equal(out.rv, PAM_SUCCESS);
		t.entry = ENTRY_CHAUTHTOK;
		run(&t);
		assert_int_equal(out.rv, PAM_PERM_DENIED);
	}
}

/* B01: no hook answers anything but these, whatever the world is like. */
static void
test_every_cell_of_hooks_and_worlds(void **state)
{
	static const char *const service[] = { "sshd", "su", "sudo", "login",
		"cron", "unknown" };
	static const char *const user[] = { "deploy", "games", "root", "",
		NULL };
	static const char *const conf[] = { RULES, "", "broken\n" };
	static const enum mock mock[] = { MOCK_REPLY, MOCK_ABSENT, MOCK_CLOSE };
	unsigned allows = 0, cells = 0;

	(void)state;
	for (size_t m = 0; m < COUNT(mock) * 2; m++)
		for (size_t c = 0; c < COUNT(conf); c++)
			for (size_t s = 0; s < COUNT(service); s++)
				for (size_t u = 0; u < COUNT(user); u++)
					for (int e = ENTRY_ACCOUNT;
					     e <= ENTRY_OPEN; e++) {
						enum lb_phase phase =
						    e == ENTRY_OPEN
						    ? LB_PHASE_SESSION
						    : LB_PHASE_ACCOUNT;
						uint32_t verdict = m % 2
						    ? LB_VERDICT_ALLOW
						    : LB_VERDICT_DENY;
						struct trial t = account_of(
						    service[s], user[u]);
						bool named = user[u] != NULL &&
						    user[u][0] != '\0';
						struct lb_door_reply r =
						    world_reply(phase, verdict);

						if (s == 0 && u == 0 &&
						    e == ENTRY_ACCOUNT) {
							world_conf(&w, conf[c]);
							world_agent(
							    &w, mock[m / 2], 0);
						}
						world_reply_set(&w, &r);
						t.entry = (enum entry)e;
						run(&t);
						cells++;
						if (out.rv == PAM_SUCCESS) {
							allows++;
							assert_int_equal(
							    out.logged, 1);
							assert_true(named &&
							    c != 2 &&
							    mock[m / 2] ==
								MOCK_REPLY &&
							    verdict ==
								LB_VERDICT_ALLOW);
							assert_string_equal(
							    line_value(
								out.log[0],
								"decision"),
							    "allow");
						} else if (out.rv ==
						    PAM_IGNORE) {
							assert_true(
							    named && c == 0);
						} else if (e == ENTRY_ACCOUNT) {
							assert_int_equal(out.rv,
							    PAM_PERM_DENIED);
							assert_one_line("deny",
							    line_value(
								out.log[0],
								"code"));
						} else if (s == 0) {
							assert_true(out.killed);
						} else {
							assert_int_equal(out.rv,
							    PAM_SESSION_ERR);
						}
					}
	assert_int_equal(cells, 6 * 3 * 6 * 5 * 2);
	assert_true(allows > 50);
}

/* --- stacks --- */

static void
test_stack_semantics(void **state)
{
	static const struct {
		const char *stack;
		char agent;
		const char *user;
		int want;
	} row[] = {
		{ "account requisite MODULE ARGS\n"
		  "account required pam_permit.so\n",
		    'a', "deploy", PAM_SUCCESS },
		{ "account requisite MODULE ARGS\n"
		  "account required pam_permit.so\n",
		    'd', "deploy", PAM_PERM_DENIED },
		/* an exempt login is what the others say it is */
		{ "account requisite MODULE ARGS\n"
		  "account required pam_permit.so\n",
		    'd', "games", PAM_SUCCESS },
		{ "account requisite MODULE ARGS\n"
		  "account required pam_deny.so\n",
		    'd', "games", PAM_AUTH_ERR },
		/* a grant never skips the modules after it */
		{ "account requisite MODULE ARGS\n"
		  "account required pam_deny.so\n",
		    'a', "deploy", PAM_AUTH_ERR },
		/* an expired password in Debian's own line: P22 */
		{ "account requisite MODULE ARGS\n"
		  "account [success=1 new_authtok_reqd=done default=ignore] "
		  "pam_debug.so acct=new_authtok_reqd\n"
		  "account requisite pam_deny.so\n"
		  "account required pam_permit.so\n",
		    'd', "deploy", PAM_PERM_DENIED },
		{ "account requisite MODULE ARGS\n"
		  "account [success=1 new_authtok_reqd=done default=ignore] "
		  "pam_debug.so acct=new_authtok_reqd\n"
		  "account requisite pam_deny.so\n"
		  "account required pam_permit.so\n",
		    'a', "deploy", PAM_NEW_AUTHTOK_REQD },
		/* the file is not there: B30 */
		{ "account requisite MODULE.gone ARGS\n"
		  "account required pam_permit.so\n",
		    'a', "deploy", PAM_MODULE_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct trial t = account_of("sshd", row[i].user);

		world_stack(&w, "sshd", row[i].stack);
		t.through_stack = true;
		agent_says(LB_PHASE_ACCOUNT,
		    row[i].agent == 'a' ? LB_VERDICT_ALLOW : LB_VERDICT_DENY);
		run(&t);
		if (out.rv != row[i].want)
			fail_msg("row %zu: %d", i, out.rv);
	}
}

static void
test_stack_hooks_by_name(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	world_stack(&w, "sshd",
	    "auth required MODULE ARGS\naccount required MODULE ARGS\n"
	    "session required MODULE ARGS\npassword required MODULE ARGS\n");
	t.through_stack = true;
	t.auth_info = KEY_INFO;
	t.entry = ENTRY_AUTH;
	run(&t);
	assert_int_equal(out.rv, PAM_SUCCESS);
	t.entry = ENTRY_ACCOUNT;
	assert_control_allows(&t);
	t.entry = ENTRY_OPEN;
	assert_control_allows(&t);
	t.entry = ENTRY_CHAUTHTOK;
	run(&t);
	assert_int_not_equal(out.rv, PAM_SUCCESS);
}

/* --- the stacks that are shipped --- */

/* libpam 1.5 looks for included files in /etc/pam.d whatever it was told: the
 * name becomes a path in this world. */
static void
example_add(const char *line, char *ret, size_t size)
{
	static const char *const word[] = { "pam_lockbox.so", "@include ",
		"include      " };
	size_t len = strlen(ret);

	for (size_t i = 0; i < COUNT(word); i++) {
		const char *at = strstr(line, word[i]);
		int before = at == NULL ? 0 : (int)(at - line);

		if (at == NULL)
			continue;
		if (i == 0)
			snprintf(ret + len, size - len, "%.*sMODULE ARGS\n",
			    before, line);
		else
			snprintf(ret + len, size - len, "%.*s%s%s/%s\n", before,
			    line, word[i], w.pamd, at + strlen(word[i]));
		return;
	}
	snprintf(ret + len, size - len, "%s\n", line);
}

static char *
example_read(const char *service)
{
	static char raw[8192], text[8192];
	char path[512], *save;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", EXAMPLES, service);
	f = fopen(path, "r");
	assert_non_null(f);
	len = fread(raw, 1, sizeof(raw) - 1, f);
	fclose(f);
	raw[len] = '\0';
	text[0] = '\0';
	for (char *line = strtok_r(raw, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] != '#')
			example_add(line, text, sizeof(text));
	return text;
}

static const char *const examples[] = { "sshd", "sudo", "sudo-i", "su", "su-l",
	"cron", "atd", "systemd-user", "login" };

static void
common_write(const char *unix_answer)
{
	char text[512];

	snprintf(text, sizeof(text),
	    "account [success=1 new_authtok_reqd=done default=ignore] "
	    "pam_debug.so acct=%s\naccount requisite pam_deny.so\n"
	    "account required pam_permit.so\n",
	    unix_answer);
	world_stack(&w, "common-account", text);
	world_stack(&w, "common-auth", "auth required pam_permit.so\n");
	world_stack(&w, "common-password", "password required pam_deny.so\n");
	world_stack(&w, "common-session", "session required pam_permit.so\n");
	world_stack(&w, "common-session-noninteractive",
	    "session required pam_permit.so\n");
}

/* B30, B31: a managed login under each file of conf/pam.d. */
static void
test_shipped_stacks_gate_every_service(void **state)
{
	static const struct {
		const char *unix_answer;
		char agent;
		int want;
	} row[] = {
		{ "success", 'a', PAM_SUCCESS },
		{ "success", 'd', PAM_PERM_DENIED },
		{ "success", '-', PAM_PERM_DENIED },
		{ "new_authtok_reqd", 'a', PAM_NEW_AUTHTOK_REQD },
		{ "new_authtok_reqd", 'd', PAM_PERM_DENIED },
		{ "acct_expired", 'd', PAM_PERM_DENIED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++)
		world_stack(&w, examples[i], example_read(examples[i]));
	for (size_t r = 0; r < COUNT(row); r++) {
		common_write(row[r].unix_answer);
		agent_says(LB_PHASE_ACCOUNT,
		    row[r].agent == 'a' ? LB_VERDICT_ALLOW : LB_VERDICT_DENY);
		if (row[r].agent == '-')
			world_agent_stop(&w);
		for (size_t i = 0; i < COUNT(examples); i++) {
			struct trial t = account_of(examples[i], "nobody");

			t.ruser = "nobody";
			t.through_stack = true;
			run(&t);
			if (out.rv != row[r].want || out.logged != 1)
				fail_msg("%s, row %zu: %d, %u lines",
				    examples[i], r, out.rv, out.logged);
			assert_non_null(strstr(out.log[0],
			    row[r].agent == 'a' ? "=\"allow\"" : "=\"deny\""));
		}
	}
}

/* Where the lines stand matters as much as that they stand there. */
static void
test_shipped_stacks_keep_the_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(examples); i++) {
		const char *text = example_read(examples[i]);
		const char *gate =
		    strstr(text, "account    requisite    MODULE");
		const char *nologin = strstr(text, "account    required");
		const char *common = strstr(text, "/common-account");

		if (strcmp(examples[i], "su-l") == 0) {
			assert_non_null(strstr(text, "/su\n"));
			assert_null(strstr(text, "MODULE"));
			continue;
		}
		assert_non_null(gate);
		assert_non_null(common);
		assert_true(gate < common);
		assert_true(nologin == NULL || gate < nologin);
		if (strcmp(examples[i], "sshd") == 0) {
			const char *line =
			    strstr(text, "session    requisite    MODULE");

			assert_non_null(line);
			assert_true(strstr(text, "pam_loginuid.so") < line);
			assert_true(line < strstr(text, "pam_env.so"));
			assert_true(line < strstr(text, "common-session"));
		} else {
			assert_null(strstr(text, "session    requisite"));
		}
	}
}

/* --- the process around us --- */

/* B16 */
static void
hostile_environment(void *context)
{
	static const char *const name[] = { "http_proxy", "https_proxy",
		"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
		"SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES",
		"CURL_HOME", "CURL_CA_BUNDLE", "HOME", "XDG_CONFIG_HOME",
		"XDG_RUNTIME_DIR", "XDG_DATA_HOME", "LD_PRELOAD",
		"LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG", "LD_BIND_NOW",
		"MALLOC_CHECK_", "MALLOC_PERTURB_", "GLIBC_TUNABLES",
		"RES_OPTIONS", "HOSTALIASES", "LOCALDOMAIN", "TZ", "TZDIR",
		"LC_ALL", "LC_CTYPE", "LANG", "LANGUAGE", "LOCPATH", "NLSPATH",
		"GCONV_PATH", "TMPDIR", "PATH", "IFS", "SSH_AUTH_INFO_0",
		"SSH_AUTH_SOCK", "SSH_CONNECTION", "LOCKBOX_CONF", "PAM_USER",
		"USER", "LOGNAME" };

	(void)context;
	for (size_t i = 0; i < COUNT(name); i++)
		setenv(name[i], "/tmp/../root/" KEY_INFO, 1);
}

static void
test_environment_changes_nothing(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	t.before = hostile_environment;
	assert_control_allows(&t);
	assert_string_equal(w.shared->ask.auth_info, "");
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_DENY);
	run(&t);
	assert_int_equal(out.rv, PAM_PERM_DENIED);
	t.entry = ENTRY_AUTH;
	run(&t);
	assert_int_equal(out.rv, PAM_AUTH_ERR);
}

/* B23: what the process is like, as text. */
static void
process_describe(char *ret, size_t size)
{
	char cwd[256] = "";
	struct itimerval timer;
	struct rlimit limit;
	struct sigaction act;
	sigset_t mask;
	size_t at = 0;
	mode_t um = umask(0);
	DIR *dir = opendir("/proc/self/fd");
	int fds = 0;

	umask(um);
	while (dir != NULL && readdir(dir) != NULL)
		fds++;
	closedir(dir);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s < 32; s++) {
		sigaction(s, NULL, &act);
		at += (size_t)snprintf(ret + at, size - at, "%d.%jx",
		    sigismember(&mask, s), (uintptr_t)act.sa_handler);
	}
	getitimer(ITIMER_REAL, &timer);
	for (int r = 0; r < RLIM_NLIMITS; r++) {
		getrlimit((__rlimit_resource_t)r, &limit);
		at += (size_t)snprintf(
		    ret + at, size - at, " %lu", (unsigned long)limit.rlim_cur);
	}
	(void)!getcwd(cwd, sizeof(cwd));
	at += (size_t)snprintf(ret + at, size - at,
	    " fds %d umask %o cwd %s ids %d %d %d timer %ld", fds, um, cwd,
	    getuid(), geteuid(), getegid(), (long)timer.it_value.tv_usec);
	for (char **e = environ; *e != NULL && at < size; e++)
		at += (size_t)snprintf(ret + at, size - at, "\n%s", *e);
}

static char state_before[32768], state_after[32768];

static void
host_before(void *note)
{
	(void)note;
	umask(037);
	signal(SIGUSR1, SIG_IGN);
	process_describe(state_before, sizeof(state_before));
}

static void
host_after(void *note)
{
	process_describe(state_after, sizeof(state_after));
	strcpy(
	    note, strcmp(state_before, state_after) == 0 ? "same" : "changed");
}

static void
test_host_process_is_left_as_it_was(void **state)
{
	static const enum entry entry[] = { ENTRY_AUTH, ENTRY_SETCRED,
		ENTRY_ACCOUNT, ENTRY_OPEN, ENTRY_CLOSE, ENTRY_CHAUTHTOK };
	static const enum mock mock[] = { MOCK_REPLY, MOCK_CLOSE, MOCK_ABSENT };

	(void)state;
	for (size_t m = 0; m < COUNT(mock); m++)
		for (size_t i = 0; i < COUNT(entry); i++) {
			struct trial t = account_of("su", "deploy");

			t.entry = entry[i];
			t.before = host_before;
			t.after = host_after;
			agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
			world_agent(&w, mock[m], 0);
			run(&t);
			assert_string_equal(out.note, "same");
		}
}

static volatile sig_atomic_t storms;

static void
storm_count(int sig)
{
	(void)sig;
	storms++;
}

static void
storm_begin(void *note)
{
	struct sigaction act = { .sa_handler = storm_count };
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };

	(void)note;
	sigaction(SIGALRM, &act, NULL); /* no SA_RESTART: everything EINTRs */
	setitimer(ITIMER_REAL, &every, NULL);
}

static void
storm_end(void *note)
{
	struct itimerval none = { 0 };

	setitimer(ITIMER_REAL, &none, NULL);
	sprintf(note, "%d", (int)storms);
}

/* B22 */
static void
test_signal_storm_changes_nothing(void **state)
{
	struct trial t = account_of("sshd", "deploy");

	(void)state;
	t.before = storm_begin;
	t.after = storm_end;
	w.shared->delay_ms = 500;
	assert_control_allows(&t);
	assert_true(atoi(out.note) > 100);
	world_agent(&w, MOCK_SILENT, 0);
	assert_account_denied(&t, "agent_timeout");
	assert_true(atoi(out.note) > 1000);
	world_agent(&w, MOCK_DEAF, 0);
	assert_account_denied(&t, "agent_timeout");
}

/* B41 */
static void
test_two_hundred_at_once(void **state)
{
	struct trial t = account_of("sshd", "deploy");
	struct world *world = &w;
	char(*lines)[2048] = calloc(400, 2048);
	pid_t pid[200];
	unsigned in = 0, logged = 0;

	(void)state;
	agent_says(LB_PHASE_ACCOUNT, LB_VERDICT_ALLOW);
	for (size_t i = 0; i < COUNT(pid); i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			struct outcome mine;

			world->log_fd = -1; /* the parent reads the lines */
			trial_run(world, &t, &mine);
			_exit(mine.rv == PAM_SUCCESS ? 0 : 1);
		}
		logged += world_log_drain(world, lines, 400);
	}
	for (size_t i = 0; i < COUNT(pid);) {
		int status;

		logged += world_log_drain(world, lines, 400);
		if (waitpid(pid[i], &status, WNOHANG) != pid[i]) {
			usleep(500);
			continue;
		}
		in += status == 0;
		i++;
	}
	logged += world_log_drain(world, lines, 400);
	free(lines);
	assert_int_equal(in, 200);
	assert_int_equal(logged, 200);
}

/* B25 */
static long
rss_kib(void)
{
	long size = 0, rss = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &rss), 2);
	fclose(f);
	return rss * 4;
}

static void
test_load_and_unload_leaves_nothing(void **state)
{
	long before = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		void *so = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
		int (*hook)(pam_handle_t *, int, int, const char **);

		assert_non_null(so);
		*(void **)&hook = dlsym(so, "pam_sm_setcred");
		assert_int_equal(hook(NULL, 0, 0, NULL), PAM_SUCCESS);
		assert_int_equal(dlclose(so), 0);
		assert_null(dlopen(module_path, RTLD_NOW | RTLD_NOLOAD));
		if (i == 100)
			before = rss_kib();
	}
	assert_true(rss_kib() - before <= LEAK_KIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_account_allow_is_recorded_and_confirmed),
		TEST(test_account_passes_its_own_pidfd),
		TEST(test_account_deny_tells_what_the_agent_says),
		TEST(test_account_silent_tells_nothing),
		TEST(test_account_allow_may_inform),
		TEST(test_account_agent_absent_denies_with_own_words),
		TEST(test_account_agent_slow_denies_in_time),
		TEST(test_account_agent_of_other_user_denies),
		TEST(test_account_reply_of_any_other_length_denies),
		TEST(test_account_reply_with_a_bit_flipped),
		TEST(test_account_reply_must_fit_the_ask),
		TEST(test_account_takes_key_only_under_sshd),
		TEST(test_account_reads_the_user_when_it_decides),
		TEST(test_account_missing_items),
		TEST(test_account_hostile_names_never_pass_as_exempt),
		TEST(test_exempt_outside_sessions_needs_no_agent),
		TEST(test_exempt_passes_without_syslog),
		TEST(test_exempt_caller_not_target),
		TEST(test_exempt_inside_a_session_asks_the_agent),
		TEST(test_conf_bad_file_denies),
		TEST(test_conf_loose_parent_denies),
		TEST(test_arguments_unknown_or_repeated_deny),
		TEST(test_no_record_no_allow),
		TEST(test_syslog_full_denies_and_never_blocks),
		TEST(test_agent_silent_and_syslog_gone_still_in_time),
		TEST(test_syslog_restarted_meanwhile_is_found_again),
		TEST(test_session_opens_by_the_agents_word),
		TEST(test_session_refused_ends_sshd_and_fails_elsewhere),
		TEST(test_session_of_exempt_logins_is_silent),
		TEST(test_close_session_tells_and_never_fails),
		TEST(test_authenticate_only_repeats_sshd),
		TEST(test_authenticate_inside_a_session_is_not_exempt),
		TEST(test_setcred_and_chauthtok),
		TEST(test_every_cell_of_hooks_and_worlds),
		TEST(test_stack_semantics),
		TEST(test_stack_hooks_by_name),
		TEST(test_shipped_stacks_gate_every_service),
		TEST(test_shipped_stacks_keep_the_order),
		TEST(test_environment_changes_nothing),
		TEST(test_host_process_is_left_as_it_was),
		TEST(test_signal_storm_changes_nothing),
		TEST(test_two_hundred_at_once),
		TEST(test_load_and_unload_leaves_nothing),
	};

	world_need_root();
	if (argc != 3) {
		fprintf(stderr, "usage: %s MODULE SWAP-USER-MODULE\n", argv[0]);
		return 2;
	}
	/* PAM takes a relative path to lie in its own directory. */
	module_path = realpath(argv[1], NULL);
	swap_path = realpath(argv[2], NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
