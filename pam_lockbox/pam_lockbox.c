/* The entry points: what libpam calls, in order, and what it is told. */
#include <signal.h>
#include <unistd.h>

#include <security/pam_modules.h>

#include "lockbox/err.h"

#include "visit.h"

/*
 * The only place where a verdict becomes a PAM code. Whatever is not exactly
 * one of the two words is refused.
 */
static int
pam_code(uint32_t verdict, int refused)
{
	int rv = refused;

	if (verdict == VISIT_EXEMPT)
		rv = PAM_IGNORE;
	else if (verdict == LB_VERDICT_ALLOW)
		rv = PAM_SUCCESS;
	return rv;
}

LB_EXPORT int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	int rv = PAM_PERM_DENIED;

	visit_decide(pamh, LB_PHASE_ACCOUNT, argc, argv, &v);
	visit_record(&v); /* no record, no allow */
	visit_tell(&v, flags);
	rv = pam_code(v.verdict, PAM_PERM_DENIED);
	visit_clear(&v);
	return rv;
}

/*
 * sshd goes on with a connection whose session was refused: forwards are
 * cut, but "ssh -N" stays. So a refusal ends the process, before sshd has
 * forked the user's.
 */
LB_EXPORT int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	int rv = PAM_SESSION_ERR;

	visit_decide(pamh, LB_PHASE_SESSION, argc, argv, &v);
	visit_record(&v); /* no record, no allow */
	visit_tell(&v, flags);
	rv = pam_code(v.verdict, PAM_SESSION_ERR);
	visit_clear(&v);
	if (rv == PAM_SESSION_ERR && v.login.by_sshd)
		(void)kill(getpid(), SIGKILL);
	return rv;
}

/* Never fails: nobody is kept from leaving. */
LB_EXPORT int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	int rv = PAM_SESSION_ERR;

	(void)flags;
	visit_look(pamh, LB_PHASE_CLOSE, argc, argv, &v);
	visit_close(&v);
	rv = pam_code(v.rule ? VISIT_EXEMPT : LB_VERDICT_ALLOW, rv);
	visit_clear(&v);
	return rv;
}

/*
 * Proves nothing itself and replaces no credential: it only repeats that sshd
 * has verified a public key already, for stacks where a second method follows.
 */
LB_EXPORT int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	struct visit v;
	int rv = PAM_AUTH_ERR;

	(void)flags;
	visit_look(pamh, LB_PHASE_ACCOUNT, argc, argv, &v);
	if (v.ready && v.verdict != VISIT_EXEMPT && login_key_proven(&v.login))
		v.verdict = LB_VERDICT_ALLOW;
	rv = pam_code(v.verdict, PAM_AUTH_ERR);
	visit_clear(&v);
	return rv;
}

/* There are no credentials to set. */
LB_EXPORT int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return pam_code(LB_VERDICT_ALLOW, PAM_CRED_ERR);
}

/*
 * lockbox has no passwords, so a "password" line that names it is a mistake.
 * It is defined all the same: a missing hook is PAM_MODULE_UNKNOWN, which
 * some stacks are told to ignore.
 */
LB_EXPORT int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
	(void)pamh;
	(void)flags;
	(void)argc;
	(void)argv;
	return PAM_PERM_DENIED;
}
