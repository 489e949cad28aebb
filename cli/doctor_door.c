/* lockbox doctor: what sshd and PAM do with a login here. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "doctor.h"
#include "files.h"
#include "pamstack.h"

/* The module's own table of exempt rules. */
#include "scope.h"

#define SSHD          "/usr/sbin/sshd"
#define SSHD_DUMP_MAX 262144
#define PAM_CONF      "/etc/lockbox/pam.conf"
#define SID_UNSET     "4294967295"

/* Where a login can come in; sshd must be there, the others may be. */
static const char *const services[] = { "sshd", "sudo", "sudo-i", "su", "su-l",
	"login", "cron", "atd", "systemd-user", NULL };

const char *
doctor_sshd_value(
    const char *dump, const char *keyword, char *ret, size_t ret_size)
{
	size_t len = strlen(keyword);

	for (const char *s = dump; s != NULL && *s != '\0'; s++) {
		if (strncasecmp(s, keyword, len) == 0 && s[len] == ' ') {
			s += len + 1;
			(void)snprintf(
			    ret, ret_size, "%.*s", (int)strcspn(s, "\n"), s);
			return ret;
		}
		if ((s = strchr(s, '\n')) == NULL)
			break;
	}
	return NULL;
}

static bool
value_is(const char *dump, const char *keyword, const char *value)
{
	char has[256];

	return doctor_sshd_value(dump, keyword, has, sizeof(has)) != NULL &&
	    strcasecmp(has, value) == 0;
}

static void
sshd_judge(struct doctor *d, const char *dump)
{
	struct findings *f = d->findings;
	char value[256];

	if (value_is(dump, "usepam", "yes"))
		findings_add(f, "sshd", FINDING_OK, NULL,
		    "UsePAM yes: sshd asks PAM about every login");
	else
		findings_add(f, "sshd", FINDING_FAIL,
		    "set 'UsePAM yes' in /etc/ssh/sshd_config and reload sshd",
		    "UsePAM is not 'yes': sshd passes lockbox by");
	if (!value_is(dump, "pubkeyauthentication", "yes"))
		findings_add(f, "sshd", FINDING_FAIL,
		    "set 'PubkeyAuthentication yes': only keys can be held "
		    "against a grant",
		    "public keys are switched off: not supported");
	if (value_is(dump, "passwordauthentication", "yes"))
		findings_add(f, "sshd", FINDING_WARN,
		    "set 'PasswordAuthentication no'",
		    "password logins are offered: lockbox refuses them, for "
		    "want of a key");
	if (value_is(dump, "gssapiauthentication", "yes"))
		findings_add(f, "sshd", FINDING_WARN,
		    "set 'GSSAPIAuthentication no'",
		    "GSSAPI logins are offered: not supported, refused");
	if (doctor_sshd_value(
		dump, "trustedusercakeys", value, sizeof(value)) != NULL &&
	    strcmp(value, "none") != 0)
		findings_add(f, "sshd", FINDING_WARN,
		    "name long-lived keys in requests",
		    "certificates are accepted: they count by their inner key; "
		    "keys that change with each login are not supported");
	/* OpenSSH 9.8 and later can name another service. */
	if (doctor_sshd_value(dump, "pamservicename", value, sizeof(value)) !=
		NULL &&
	    strcmp(value, "sshd") != 0)
		findings_add(f, "sshd", FINDING_FAIL,
		    "remove PAMServiceName from sshd's configuration",
		    "sshd uses PAM service '%s': lockbox knows 'sshd' only",
		    value);
}

/*
 * "sshd -T"; with Match blocks it wants a connection to think of, and then a
 * root login from here is as good as any: UsePAM cannot stand in them.
 */
static enum lb_err
sshd_ask(const struct doctor *d, struct lb_buf *ret)
{
	char conf[PATH_MAX];
	const char *const plain[] = { SSHD, "-T", "-f", conf, NULL };
	const char *const match[] = { SSHD, "-T", "-f", conf, "-C",
		"user=root,host=localhost,addr=127.0.0.1,laddr=127.0.0.1,"
		"lport=22,rdomain=",
		NULL };
	int status = 0;
	enum lb_err r;

	doctor_path(d, "/etc/ssh/sshd_config", conf);
	r = child_run(plain, NULL, 0, true, ret, &status);
	if (r == LB_OK && status != 0) {
		lb_buf_clear(ret);
		r = child_run(match, NULL, 0, true, ret, &status);
	}
	return r == LB_OK && status != 0 ? LB_ERR_STATE : r;
}

void
doctor_sshd(struct doctor *d)
{
	struct lb_buf dump = { .max = SSHD_DUMP_MAX };
	enum lb_err r;

	if (d->sshd_dump != NULL)
		r = files_read(d->sshd_dump, SSHD_DUMP_MAX, &dump);
	else
		r = sshd_ask(d, &dump);
	if (r == LB_OK)
		sshd_judge(d, dump.data);
	else
		findings_add(d->findings, "sshd", FINDING_FAIL,
		    "run 'sshd -T' as root and mend what it complains of",
		    "what sshd does cannot be learnt: %s",
		    r == LB_ERR_STATE ? "'sshd -T' failed" : files_why(r));
	lb_buf_clear(&dump);
}

/* pamstack_read: administrators' files first, then the vendors'. */
static enum lb_err
pam_file_read(void *arg, const char *name, struct lb_buf *ret)
{
	static const char *const dirs[] = { "/etc/pam.d", "/usr/lib/pam.d" };
	const struct doctor *d = arg;
	char path[PATH_MAX], below[128];
	enum lb_err r = LB_ERR_MISSING;

	for (size_t i = 0; i < 2 && r == LB_ERR_MISSING; i++) {
		/* An include may be an absolute path. */
		if (name[0] == '/')
			(void)snprintf(below, sizeof(below), "%s", name);
		else
			(void)snprintf(
			    below, sizeof(below), "%s/%s", dirs[i], name);
		doctor_path(d, below, path);
		r = files_read(path, PAMSTACK_FILE_MAX, ret);
	}
	return r;
}

/* Is our module's file there at all? */
static bool
module_there(const struct doctor *d, const struct pam_line *l)
{
	static const char *const dirs[] = { "/lib/security", "/lib64/security",
		"/usr/lib/security", "/usr/lib64/security",
		"/lib/x86_64-linux-gnu/security",
		"/lib/aarch64-linux-gnu/security",
		"/usr/lib/x86_64-linux-gnu/security",
		"/usr/lib/aarch64-linux-gnu/security" };
	char path[PATH_MAX], below[300];

	if (l->module[0] == '/') {
		doctor_path(d, l->module, path);
		return access(path, R_OK) == 0;
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(
		    below, sizeof(below), "%s/%s", dirs[i], l->module);
		doctor_path(d, below, path);
		if (access(path, R_OK) == 0)
			return true;
	}
	return false;
}

/* One service; counts it when its door is guarded. */
static void
account_judge(struct doctor *d, const char *service, const struct pamstack *s,
    size_t *guarded)
{
	const char *fault = pamstack_account_fault(s);

	if (fault != NULL)
		findings_add(d->findings, "account", FINDING_FAIL,
		    "make 'account requisite pam_lockbox.so' the first account "
		    "line of /etc/pam.d's file (copied from /usr/lib/pam.d "
		    "if it lies there)",
		    "PAM service %s %s", service, fault);
	else if (!module_there(d, pamstack_ours(s, "account")))
		findings_add(d->findings, "account", FINDING_FAIL,
		    "install pam_lockbox.so: PAM refuses everybody without it",
		    "PAM service %s names a module that is not there", service);
	else
		(*guarded)++;
}

void
doctor_account(struct doctor *d)
{
	struct pamstack *s = calloc(1, sizeof(*s));
	char what[PAMSTACK_WHAT_MAX];
	size_t guarded = 0, before = d->findings->count;
	enum lb_err r;

	for (size_t i = 0; s != NULL && services[i] != NULL; i++) {
		r = pamstack_load(pam_file_read, d, services[i], s, what);
		if (r == LB_OK)
			account_judge(d, services[i], s, &guarded);
		else if (r != LB_ERR_MISSING)
			findings_add(d->findings, "account", FINDING_FAIL,
			    "mend it: PAM refuses everybody there", "%s", what);
		else if (strcmp(services[i], "sshd") == 0)
			findings_add(d->findings, "account", FINDING_FAIL,
			    "install openssh-server's /etc/pam.d/sshd",
			    "PAM service sshd has no file: PAM uses 'other'");
	}
	if (d->findings->count == before)
		findings_add(d->findings, "account", FINDING_OK, NULL,
		    "our line is the first and requisite in all %zu stacks "
		    "that are here",
		    guarded);
	free(s);
}

void
doctor_session(struct doctor *d)
{
	struct pamstack *s = calloc(1, sizeof(*s));
	char what[PAMSTACK_WHAT_MAX];
	const char *fault;

	if (s == NULL ||
	    pamstack_load(pam_file_read, d, "sshd", s, what) != LB_OK)
		findings_add(d->findings, "session", FINDING_FAIL,
		    "see 'account'", "PAM service sshd cannot be read");
	else if ((fault = pamstack_session_fault(s)) != NULL)
		findings_add(d->findings, "session", FINDING_FAIL,
		    "put 'session requisite pam_lockbox.so' behind pam_loginuid "
		    "and before pam_env in /etc/pam.d/sshd",
		    "PAM service sshd %s", fault);
	else
		findings_add(d->findings, "session", FINDING_OK, NULL,
		    "our session line stands behind pam_loginuid and before "
		    "pam_env");
	free(s);
}

static void
exempt_tell(struct doctor *d, const struct scope *scope)
{
	char rules[FINDING_TEXT_MAX - 64] = "";
	size_t at = 0;

	for (size_t i = 0; i < scope->count; i++) {
		const struct scope_rule *rule = &scope->rule[i];
		int n = snprintf(rules + at, sizeof(rules) - at, "%s%s %s",
		    i > 0 ? ", " : "", rule->service, rule->login);

		if (n < 0 || (size_t)n >= sizeof(rules) - at)
			break; /* cut: the file has them all */
		at += (size_t)n;
		if (strcmp(rule->service, "sshd") == 0)
			findings_add(d->findings, "exempt", FINDING_WARN,
			    "remove the rule unless that is meant",
			    "'%s' may come in by ssh without anybody's "
			    "approval",
			    rule->login);
	}
	findings_add(d->findings, "exempt", FINDING_OK, NULL,
	    "%zu exempt rules: %s", scope->count,
	    scope->count > 0 ? rules : "none");
}

void
doctor_exempt(struct doctor *d)
{
	struct scope *scope = calloc(1, sizeof(*scope));
	struct lb_conf_error error = { 0 };
	char path[PATH_MAX];
	enum lb_err r = LB_ERR_MEMORY;

	doctor_path(d, PAM_CONF, path);
	if (scope != NULL)
		r = scope_load(path, scope, &error);
	if (r == LB_OK)
		exempt_tell(d, scope);
	else
		findings_add(d->findings, "exempt", FINDING_FAIL,
		    "mend it: until then the module refuses everybody",
		    "%s:%zu: %s", PAM_CONF, error.line,
		    error.what[0] != '\0' ? error.what : lb_err_text(r));
	free(scope);
}

void
doctor_session_ids(struct doctor *d)
{
	struct lb_buf sid = { 0 };

	if (files_read("/proc/self/sessionid", 32, &sid) != LB_OK)
		findings_add(d->findings, "session_ids", FINDING_FAIL,
		    "use a kernel with audit, not a container without it",
		    "this kernel gives no audit session ids: sessions cannot "
		    "be told apart, nobody is let in");
	else if (strncmp(sid.data, SID_UNSET, strlen(SID_UNSET)) == 0)
		findings_add(d->findings, "session_ids", FINDING_WARN,
		    "look again from within an ssh login",
		    "the kernel knows audit session ids, but this session has "
		    "none: most containers cannot set them");
	else
		findings_add(d->findings, "session_ids", FINDING_OK, NULL,
		    "audit session ids are set");
	lb_buf_clear(&sid);
}
