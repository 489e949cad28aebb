/* One visit at the door: verdict, record, words for the user. */
#include "visit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "record.h"
#include "scope.h"
#include "tell.h"

static void
visit_refuse(struct visit *v, const char *code, const char *why)
{
	v->verdict = LB_VERDICT_DENY;
	snprintf(v->code, sizeof(v->code), "%s", code);
	snprintf(v->why, sizeof(v->why), "%s", why);
}

static void
visit_exempt(struct visit *v, const char *code)
{
	v->verdict = VISIT_EXEMPT;
	snprintf(v->code, sizeof(v->code), "%s", code);
}

/* No strerror: its text hangs on the locale. */
static const char *
error_phrase(enum lb_err r, int error)
{
	const char *name = NULL;

	if (r == LB_ERR_IO)
		name = strerrorname_np(error);
	return name != NULL ? name : lb_err_text(r);
}

/* "file:line: what", as people and editors know it. */
static void
refuse_conf(
    struct visit *v, enum lb_err r, int error, const struct lb_conf_error *ce)
{
	const char *what = ce->what;
	char why[VISIT_WHY_MAX + 1];

	if (what[0] == '\0')
		what = error_phrase(r, error);
	if (ce->line > 0)
		snprintf(why, sizeof(why), "%s:%zu: %s", v->opt.conf, ce->line,
		    what);
	else
		snprintf(why, sizeof(why), "%s: %s", v->opt.conf, what);
	visit_refuse(v, "config_error", why);
}

static void
refuse_options(struct visit *v, const struct lb_conf_error *ce)
{
	char why[VISIT_WHY_MAX + 1];

	snprintf(
	    why, sizeof(why), "module argument %zu: %s", ce->line, ce->what);
	visit_refuse(v, "config_error", why);
}

/*
 * Who is it, and does a rule name him? The name service is asked only when
 * there is a rule that could.
 */
static void
look_at_rules(struct visit *v, const struct scope *scope)
{
	struct subject subject = { 0 };

	if (!v->login.by_caller && !scope_names(scope, v->login.service))
		return;
	login_subject(&v->login, &subject);
	v->rule =
	    scope_exempts(scope, v->login.service, subject.name, subject.uid);
	if (v->login.by_caller)
		memcpy(v->caller, subject.name, sizeof(v->caller));
}

/*
 * Outside an audit session there is none that could be registered; and sshd's
 * logins come from the daemon, whoever started it.
 */
static bool
rule_decides(const struct visit *v)
{
	return v->rule &&
	    (v->login.by_sshd || v->login.sessionid == LOGIN_ID_UNSET);
}

static void
visit_start(struct visit *v, pam_handle_t *pamh, enum lb_phase phase)
{
	memset(v, 0, sizeof(*v));
	v->pamh = pamh;
	v->phase = phase;
	v->reply.sid = -1;
	v->fd = -1;
	options_default(&v->opt);
	login_read(pamh, &v->login);
	visit_refuse(v, "system_error", "");
}

void
visit_look(pam_handle_t *pamh, enum lb_phase phase, int argc, const char **argv,
    struct visit *v)
{
	struct lb_conf_error ce = { 0 };
	struct scope scope;
	enum lb_err r;

	visit_start(v, pamh, phase);
	if (deadline_start(LB_DOOR_TIMEOUT_MS, &v->deadline) != LB_OK) {
		visit_refuse(v, "system_error", "no clock");
		return;
	}
	if (options_load(argc, argv, &v->opt, &ce) != LB_OK) {
		refuse_options(v, &ce);
		return;
	}
	if (!login_valid(&v->login)) {
		visit_refuse(v, "login_invalid", "PAM_USER or PAM_SERVICE");
		return;
	}
	if ((r = scope_load(v->opt.conf, &scope, &ce)) != LB_OK) {
		refuse_conf(v, r, errno, &ce);
		return;
	}
	look_at_rules(v, &scope);
	v->ready = true;
	if (rule_decides(v))
		visit_exempt(v, "exempt");
}

/*
 * The agent could not be asked. A rule that names the login, and the loginuid
 * of root: that is the customer's root, whose console must work without the
 * agent. Any other exempt login waits for it, because a session that lockbox
 * let in may bear a shared name.
 */
static void
ask_failed(struct visit *v, enum lb_err r, int error)
{
	const char *code = "system_error", *why = error_phrase(r, error);

	if (r == LB_ERR_UNREACHABLE)
		code = "agent_unreachable";
	else if (r == LB_ERR_TIMEOUT)
		code = "agent_timeout";
	else if (r == LB_ERR_PEER)
		code = "agent_garbage";
	else if (r == LB_ERR_UNTRUSTED)
		code = "agent_untrusted";
	visit_refuse(v, code, why);
	if (v->rule && v->login.loginuid == 0)
		visit_exempt(v, code);
}

static void
reply_take(struct visit *v)
{
	memcpy(v->ref, v->reply.ref, sizeof(v->ref));
	if (v->reply.verdict == LB_VERDICT_ALLOW && !v->reply.exempt) {
		v->verdict = LB_VERDICT_ALLOW;
		snprintf(v->code, sizeof(v->code), "%s", v->reply.code);
		v->why[0] = '\0';
		return;
	}
	visit_refuse(v, v->reply.code, "");
	if (v->reply.exempt && v->rule)
		visit_exempt(v, v->reply.code);
}

void
visit_decide(pam_handle_t *pamh, enum lb_phase phase, int argc,
    const char **argv, struct visit *v)
{
	struct lb_door_ask ask;
	struct deadline d;
	enum lb_err r;

	visit_look(pamh, phase, argc, argv, v);
	if (!v->ready || v->verdict == VISIT_EXEMPT)
		return;
	if (ask_fill(&v->login, phase, v->rule, &ask) != LB_OK) {
		visit_refuse(v, "login_invalid",
		    "PAM_RUSER, PAM_RHOST, PAM_TTY or SSH_AUTH_INFO_0");
		return;
	}
	d = deadline_within(&v->deadline, LB_DOOR_ANSWER_MS);
	r = ask_agent(&v->opt, &ask, &d, &v->fd, &v->reply);
	if (r == LB_OK)
		reply_take(v);
	else
		ask_failed(v, r, errno);
}

static const char *
decision_word(const struct visit *v)
{
	if (v->verdict == LB_VERDICT_ALLOW)
		return "allow";
	return v->verdict == VISIT_EXEMPT ? "exempt" : "deny";
}

static const char *
event_word(const struct visit *v)
{
	if (v->phase == LB_PHASE_ACCOUNT)
		return "login.decision";
	return v->verdict == LB_VERDICT_ALLOW ? "session.opened"
					      : "session.refused";
}

static enum lb_err
line_write(const struct visit *v)
{
	struct record rec = {
		.ident = program_invocation_short_name,
		.pid = getpid(),
		.type = v->phase == LB_PHASE_ACCOUNT ? "account" : "session",
		.event = event_word(v),
		.decision = decision_word(v),
		.code = v->code,
		.ref = v->ref,
		.caller = v->caller,
		.why = v->why,
		.login = &v->login,
		.reply = &v->reply,
	};
	char line[RECORD_MAX];
	size_t len = record_line(&rec, line);

	return record_send(v->opt.log, line, len, &v->deadline);
}

static void
final_send(const struct visit *v, bool logged)
{
	struct lb_door_final f = { 0 };

	if (v->fd < 0)
		return;
	f.version = LB_DOOR_VERSION;
	f.phase = v->phase;
	f.verdict =
	    v->verdict == LB_VERDICT_ALLOW ? LB_VERDICT_ALLOW : LB_VERDICT_DENY;
	f.logged = logged;
	if (strcmp(v->code, v->reply.code) != 0)
		snprintf(f.code, sizeof(f.code), "%s", v->code);
	ask_final(v->fd, &f);
}

void
visit_record(struct visit *v)
{
	bool logged;

	if (v->verdict == VISIT_EXEMPT) {
		if (v->phase == LB_PHASE_ACCOUNT)
			(void)line_write(v); /* see the header */
		return;
	}
	if (v->ref[0] == '\0' && v->verdict != LB_VERDICT_ALLOW)
		record_ref(v->ref);
	logged = line_write(v) == LB_OK;
	if (!logged && v->verdict == LB_VERDICT_ALLOW)
		visit_refuse(v, "no_record", "");
	final_send(v, logged);
}

void
visit_tell(const struct visit *v, int flags)
{
	char lines[LB_TELL_LINES][LB_TELL_MAX + 1];
	bool allowed = v->verdict == LB_VERDICT_ALLOW;

	if (((unsigned int)flags & PAM_SILENT) != 0 ||
	    v->verdict == VISIT_EXEMPT)
		return;
	memcpy(lines, v->reply.tell, sizeof(lines));
	/* The agent's words belong to the agent's verdict. */
	if (!allowed &&
	    (lines[0][0] == '\0' || strcmp(v->code, v->reply.code) != 0))
		tell_words(v->code, v->ref, lines);
	tell_show(v->pamh, allowed ? PAM_TEXT_INFO : PAM_ERROR_MSG, lines);
}

void
visit_close(const struct visit *v)
{
	struct lb_door_ask ask;
	struct deadline d = deadline_within(&v->deadline, VISIT_CLOSE_MS);

	if (!v->ready || v->verdict == VISIT_EXEMPT ||
	    ask_fill(&v->login, LB_PHASE_CLOSE, v->rule, &ask) != LB_OK)
		return;
	/* The agent sees the processes end, told or not. */
	(void)!ask_tell(&v->opt, &ask, &d);
}

void
visit_clear(struct visit *v)
{
	if (v->fd >= 0)
		(void)close(v->fd);
	v->fd = -1;
}
