/*
 * What the module reads from outside: its rules, its arguments, PAM's items;
 * and the line that comes of them. The input is the text of pam.conf, and at
 * the same time strings with NUL bytes between them.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "login.h"
#include "options.h"
#include "record.h"
#include "scope.h"

#define STRINGS 7

static void
check_scope(const uint8_t *bytes, size_t len)
{
	static struct scope s;
	struct lb_conf_error e = { 0 };

	if (scope_parse((const char *)bytes, len, &s, &e) != LB_OK) {
		assert(e.what[0] != '\0');
		return;
	}
	assert(s.count <= SCOPE_RULES_MAX);
	for (size_t i = 0; i < s.count; i++) {
		const struct scope_rule *r = &s.rule[i];

		assert(lb_service_valid(r->service));
		assert(lb_login_valid(r->login) ||
		    strcmp(r->login, "@system") == 0);
		assert(!scope_exempts(&s, r->service, "", 0));
		assert(scope_exempts(&s, r->service, r->login, 0));
	}
	assert(!scope_exempts(&s, "", "root", 0));
}

static void
check_options(const char *const *string)
{
	struct lb_conf_error e = { 0 };
	struct options opt;
	const char *argv[STRINGS];

	memcpy(argv, string, sizeof(argv));
	for (int argc = 0; argc <= STRINGS; argc++) {
		if (options_load(argc, argv, &opt, &e) != LB_OK) {
			assert(e.line >= 1 && e.line <= (size_t)argc);
			continue;
		}
		assert(argc <= 4);
		assert(opt.conf[0] == '/' && opt.socket[0] == '/' &&
		    opt.log[0] == '/');
		assert(lb_login_valid(opt.agent_user));
	}
}

/* All eighteen pairs, whatever stands in them, and nothing that ends the line. */
static void
check_line(const char *line, size_t len)
{
	const char *at = strstr(line, "): event=\"");
	size_t pairs = 0;

	assert(len == strlen(line) && len < RECORD_MAX - 1);
	for (size_t i = 0; i < len; i++)
		assert(line[i] >= ' ' && line[i] <= '~');
	assert(at != NULL);
	for (at += 2; *at == ' '; pairs++) {
		at += 1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
		assert(at[0] == '=' && at[1] == '"');
		for (at += 2; *at != '"'; at++) {
			assert(*at != '\0');
			at += *at == '\\';
		}
		at++;
	}
	assert(*at == '\0' && pairs == 18);
}

static void
check_login(const char *const *string)
{
	static struct lb_door_ask ask;
	struct lb_door_reply reply = { .sid = -1 };
	struct login l = { .service = string[0],
		.user = string[1],
		.rhost = string[2],
		.ruser = string[3],
		.tty = string[4],
		.auth_info = string[5],
		.by_sshd = true };
	struct record rec = { .ident = string[0],
		.pid = 1,
		.type = "account",
		.event = "login.decision",
		.decision = "deny",
		.code = "login_invalid",
		.ref = "",
		.caller = "",
		.why = string[6],
		.login = &l,
		.reply = &reply };
	char line[RECORD_MAX];

	if (ask_fill(&l, LB_PHASE_ACCOUNT, false, &ask) == LB_OK) {
		assert(login_valid(&l));
		assert(strcmp(ask.login, l.user) == 0);
		assert(ask.exempt_rule == 0);
	}
	if (login_key_proven(&l))
		assert(strstr(l.auth_info, "publickey ") != NULL);
	check_line(line, record_line(&rec, line));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	const char *string[STRINGS];
	size_t at = 0;

	assert(copy != NULL);
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	for (size_t i = 0; i < STRINGS; i++) {
		string[i] = copy + at;
		if (at < len)
			at += strlen(copy + at) + 1;
		if (at > len)
			at = len;
	}
	check_scope(bytes, len);
	check_options(string);
	check_login(string);
	free(copy);
	return 0;
}
