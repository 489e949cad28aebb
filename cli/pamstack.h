/*
 * The PAM configuration of a service as libpam would run it: includes and
 * substacks followed, and what is wrong with our place in it. Pure: files come
 * through a callback. Source: pam.conf(5).
 */
#ifndef LOCKBOX_CLI_PAMSTACK_H
#define LOCKBOX_CLI_PAMSTACK_H

#include <stdbool.h>
#include <stddef.h>

#include "lockbox/buf.h"
#include "lockbox/err.h"

#define PAMSTACK_LINES_MAX 256
#define PAMSTACK_DEPTH_MAX 16 /* of includes */
#define PAMSTACK_WHAT_MAX  256
#define PAMSTACK_FILE_MAX  65536 /* bytes */

/* One line that runs a module. */
struct pam_line {
	char file[64];
	unsigned int number;
	char type[12]; /* account, auth, password, session */
	char control[160];
	char module[160]; /* as written */
	char args[256];
	bool silent;   /* "-account": a missing module is not logged */
	bool substack; /* reached through "substack" */
};

/* Large: keep it on the heap. */
struct pamstack {
	size_t count;
	struct pam_line line[PAMSTACK_LINES_MAX];
};

/*
 * The text of a file below pam.d, appended. LB_ERR_MISSING when there is none.
 */
typedef enum lb_err (*pamstack_read)(
    void *arg, const char *name, struct lb_buf *ret);

/*
 * Read a service's stack, in the order in which its modules run.
 *
 * ret       written only on LB_OK
 * ret_what  PAMSTACK_WHAT_MAX bytes: on error where and why
 *
 * LB_ERR_MISSING (the service's own file), LB_ERR_FORMAT (a line, or an include
 * that is not there), LB_ERR_RANGE (too long, too deep)
 */
enum lb_err pamstack_load(pamstack_read read, void *arg, const char *service,
    struct pamstack *ret, char *ret_what) LB_MUST_CHECK;

/* Our first line of that type, or NULL. */
const struct pam_line *pamstack_ours(
    const struct pamstack *s, const char *type);

/*
 * Why the account stack does not gate; NULL when our line is the first, is
 * requisite, and is no substack's.
 */
const char *pamstack_account_fault(const struct pamstack *s);

/*
 * Why a session under sshd would not be registered, or by a key that cannot be
 * believed: our line must be there, requisite or required, behind pam_loginuid
 * and before every pam_env. NULL when all is well.
 */
const char *pamstack_session_fault(const struct pamstack *s);

#endif
