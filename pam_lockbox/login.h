/* What PAM, sshd and the kernel say about the login at hand. */
#ifndef PAM_LOCKBOX_LOGIN_H
#define PAM_LOCKBOX_LOGIN_H

#include <stdbool.h>
#include <stdint.h>

#include <security/pam_modules.h>

#include "lockbox/err.h"
#include "lockbox/text.h"

#define LOGIN_ID_UNSET   INT64_C(4294967295) /* the kernel's word for none */
#define LOGIN_ID_UNKNOWN INT64_C(-1)         /* could not be read */

/*
 * The strings are PAM's, unchecked, never NULL (absent: ""), and live until
 * the hook returns. They may hold anything: see login_valid.
 */
struct login {
	const char *service;
	const char *user;
	const char *ruser;
	const char *rhost;
	const char *tty;
	const char *auth_info; /* SSH_AUTH_INFO_0; "" but under sshd */
	bool by_sshd;          /* the service is exactly "sshd" */
	bool by_caller; /* su, su-l, sudo, sudo-i: somebody already on the host
			 * calls, and the login is about him, not the target */
	int64_t loginuid;  /* of this process, or LOGIN_ID_* */
	int64_t sessionid; /* audit session id, or LOGIN_ID_* */
};

/* Whom the scope rules are about. */
struct subject {
	char name[LB_LOGIN_MAX + 1]; /* "": nobody can say */
	int64_t uid;                 /* LOGIN_ID_UNKNOWN: nobody can say */
};

/*
 * Read PAM's items and /proc/self. Never fails: what cannot be had is empty
 * or LOGIN_ID_UNKNOWN, which deny further on. SSH_AUTH_INFO_0 is taken from
 * PAM's environment (never the process's) and only under sshd: elsewhere any
 * user could have set it.
 */
void login_read(pam_handle_t *pamh, struct login *ret);

/* Are service and user of their alphabet, so that one can decide on them? */
bool login_valid(const struct login *l);

/*
 * The login itself; under su and sudo the one that the process's loginuid
 * names, and when that is unset, the caller: the real uid's name, or PAM_RUSER
 * when the real uid is root's, as sudo makes it; under sudo PAM_RUSER alone.
 * Asks the name service.
 */
void login_subject(const struct login *l, struct subject *ret);

/* Does sshd say that a public key was proven: a line "publickey TYPE BLOB",
 * with sshd's count behind it if the key is on a security device? */
bool login_key_proven(const struct login *l);

#endif
