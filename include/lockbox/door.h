/*
 * What pam_lockbox and lockbox-agent say to each other: one SOCK_SEQPACKET
 * packet each way, then one more with the final verdict. Same host, same
 * build: fixed structs, checked strictly. Needs only libc.
 * Source: design section 5, steps 1, 5 and 6.
 */
#ifndef LOCKBOX_DOOR_H
#define LOCKBOX_DOOR_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "lockbox/err.h"
#include "lockbox/text.h"
#include "lockbox/verdict.h"

#define LB_DOOR_VERSION    1u
#define LB_DOOR_SOCKET     "/run/lockbox/agent.sock"
#define LB_DOOR_TIMEOUT_MS 5000 /* all that the module may take */
#define LB_DOOR_ANSWER_MS                                                      \
	4000                   /* of these the agent's; the rest is for the
                                 * record */
#define LB_AUTH_INFO_MAX 16384 /* chars of SSH_AUTH_INFO_0 */
#define LB_TTY_MAX       64
#define LB_TELL_LINES    3
#define LB_TELL_MAX      200 /* chars of a line, printable ASCII */

enum lb_phase {
	LB_PHASE_ACCOUNT = 0x6131,
	LB_PHASE_SESSION = 0x7332, /* open_session: register */
	LB_PHASE_CLOSE = 0x6333,   /* close_session: tell, never gate */
};

/* Module to agent, with a pidfd of itself in SCM_RIGHTS. Strings are NUL-
 * terminated, the rest of their array is zero. */
struct lb_door_ask {
	uint32_t version;
	uint32_t phase;
	char service[LB_SERVICE_MAX + 1];
	char login[LB_LOGIN_MAX + 1]; /* PAM_USER */
	char ruser[LB_LOGIN_MAX + 1]; /* PAM_RUSER; may be empty */
	char rhost[LB_RHOST_MAX + 1]; /* PAM_RHOST; may be empty */
	char tty[LB_TTY_MAX + 1];
	/* 1: a rule of pam.conf exempts this login. Asked only when the
	 * process already has an audit session id: the agent alone knows
	 * whether that session is a registered one, in which nobody is
	 * exempt. It sets exempt in the reply only if this is 1. */
	uint8_t exempt_rule;
	uint8_t auth_info_known; /* 1 only under sshd and only where it can be
	                          * believed; else auth_info is empty */
	char auth_info[LB_AUTH_INFO_MAX + 1];
	uint8_t zero[3];
};

/* Agent to module. verdict is an enum lb_verdict: differs in many
 * bits, compared only with == LB_VERDICT_ALLOW. Strings as above. */
struct lb_door_reply {
	uint32_t version;
	uint32_t phase; /* repeats the ask's */
	uint32_t verdict;
	uint8_t provisional;
	uint8_t exempt; /* PAM_IGNORE: not a managed login; only if the ask
	                 * had exempt_rule, else the reply is refused */
	char code[48];  /* stable word */
	char ref[LB_CODE_LEN + 1]; /* reference shown and logged */
	char tenant[LB_NAME_MAX + 1];
	char host[LB_HOST_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1];
	char key[LB_KEYFP_LEN + 1];
	char request[LB_SHA256_LEN + 1];
	char grant[LB_SHA256_LEN + 1];
	int64_t sid;       /* audit session id; -1: none */
	int64_t not_after; /* 0: none */
	int64_t lease_end; /* 0: none */
	char tell[LB_TELL_LINES][LB_TELL_MAX + 1]; /* for the user */
	uint8_t zero[5];
};

/*
 * Module to agent: what really happens to the login. No reply. Sent after
 * each allow and deny (ACCOUNT and SESSION), on the same connection; not after
 * an exempt, nor for CLOSE, which has no reply either. Best effort: an agent
 * that finds the connection closed without it must take the login as refused.
 */
struct lb_door_final {
	uint32_t version;
	uint32_t phase;
	uint32_t verdict; /* LB_VERDICT_ALLOW only if PAM_SUCCESS is returned */
	uint8_t logged;   /* the decision line reached /dev/log */
	char code[48];    /* the module's own cause when it overrules */
	uint8_t zero[3];
};

/*
 * Root to agent, instead of an ask and without a descriptor: the head, then
 * the bytes of a signed bundle (1..LB_DOOR_BUNDLE_MAX). And what came of it;
 * then the connection ends.
 */
#define LB_DOOR_ACCEPT     0x6861u /* where an ask has its phase */
#define LB_DOOR_BUNDLE_MAX 131072  /* bytes */
struct lb_door_accept {
	uint32_t version;
	uint32_t phase;
};
struct lb_door_accepted {
	uint32_t version;
	uint32_t phase;
	uint32_t trusts;  /* trust documents that came into force */
	uint32_t kills;   /* denies and revokes that are kept now */
	uint32_t ended;   /* sessions that end because of them */
	uint32_t grants;  /* grants that are kept now, for when the broker is
	                  * away */
	uint32_t refused; /* grants that are not kept, though somebody signed
	                   * to approve them; why says why */
	char code[48];    /* "accepted", "nothing_new", or why not */
	char why[48];     /* empty when refused is 0 */
};

/*
 * Root to agent, in the same way: tell of the first session with an audit
 * session id above sid, or end the session sid. And what the agent knows of
 * it; then the connection ends.
 */
#define LB_DOOR_LIST 0x6c69u
#define LB_DOOR_END  0x656eu
struct lb_door_order {
	uint32_t version;
	uint32_t phase;
	int64_t sid; /* LB_DOOR_LIST: 0 begins */
};
struct lb_door_session {
	uint32_t version;
	uint32_t phase;
	int64_t sid;   /* 0: there is none, and all below code is zero */
	char code[48]; /* "session", "no_more"; "ending", "sid_unknown" */
	int64_t opened_at, ends_at, lease_end;
	char login[LB_LOGIN_MAX + 1]; /* "#UID" of a lost name */
	char service[LB_SERVICE_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1]; /* may be empty */
	char rhost[LB_RHOST_MAX + 1];        /* may be empty */
	char ref[LB_CODE_LEN + 1];           /* may be empty */
	char grant[LB_SHA256_LEN + 1];       /* it rests on; may be empty */
	char ending[48];                     /* why it ends just now, or "" */
	uint8_t offline; /* let in while the broker was away */
	uint8_t zero[7];
};

/*
 * Is this a well-formed packet: exact size, version, known phase and verdict,
 * flags 0 or 1, strings terminated, zero-padded and of their alphabet, every
 * other byte zero. LB_ERR_FORMAT if not. ret is written only on LB_OK.
 *
 * ask    service and login as in text.h; ruser, rhost and tty may be empty;
 *        tty is printable ASCII without blanks; auth_info printable ASCII and
 *        newlines, and empty unless auth_info_known
 * reply  code is [a-z_], not empty; the names and ids as in text.h, or empty;
 *        ref is XXXX-XXXX-XXXX in Crockford base32, or empty; sid -1 or a real
 *        audit session id; times 0 or LB_TIME_MIN..LB_TIME_MAX; tell printable
 *        ASCII, no empty line before a full one; exempt never together with
 *        LB_VERDICT_ALLOW, provisional only with it
 * final  code is [a-z_] or empty
 */
enum lb_err lb_door_ask_check(
    const void *bytes, size_t len, struct lb_door_ask *ret) LB_MUST_CHECK;
enum lb_err lb_door_reply_check(
    const void *bytes, size_t len, struct lb_door_reply *ret) LB_MUST_CHECK;
enum lb_err lb_door_final_check(
    const void *bytes, size_t len, struct lb_door_final *ret) LB_MUST_CHECK;
/* ret_text points into bytes. */
enum lb_err lb_door_accept_check(const void *bytes, size_t len,
    const char **ret_text, size_t *ret_len) LB_MUST_CHECK;
enum lb_err lb_door_accepted_check(
    const void *bytes, size_t len, struct lb_door_accepted *ret) LB_MUST_CHECK;
enum lb_err lb_door_order_check(
    const void *bytes, size_t len, struct lb_door_order *ret) LB_MUST_CHECK;
enum lb_err lb_door_session_check(
    const void *bytes, size_t len, struct lb_door_session *ret) LB_MUST_CHECK;

#endif
