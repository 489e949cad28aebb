/* One packet to the agent, one back, one with what became of it. */
#ifndef PAM_LOCKBOX_ASK_H
#define PAM_LOCKBOX_ASK_H

#include <stdint.h>

#include "lockbox/door.h"
#include "lockbox/err.h"

#include "deadline.h"
#include "login.h"
#include "options.h"

/*
 * Write down what there is to ask. LB_ERR_FORMAT or LB_ERR_RANGE when PAM says
 * something that the agent would not take, such as a blank in PAM_RHOST.
 */
enum lb_err ask_fill(const struct login *l, enum lb_phase phase,
    bool exempt_rule, struct lb_door_ask *ret) LB_MUST_CHECK;

/*
 * Connect to opt->socket, look who listens there (root or opt->agent_user),
 * send the ask with a pidfd of this process and wait for the reply. A reply
 * that repeats another phase, says exempt unasked, or is provisional where
 * nothing follows, is no reply. Interrupted calls go on; descriptors are
 * close-on-exec and nothing is left open on error.
 *
 * ret_fd  the connection, for ask_final; the caller closes it
 *
 * LB_ERR_UNREACHABLE  no socket, nobody listens, or it closed without a reply
 * LB_ERR_TIMEOUT      the deadline passed
 * LB_ERR_UNTRUSTED    somebody else listens
 * LB_ERR_PEER         the reply is not one
 * LB_ERR_IO           a system call failed here: see errno
 */
enum lb_err ask_agent(const struct options *opt, const struct lb_door_ask *ask,
    const struct deadline *d, int *ret_fd,
    struct lb_door_reply *ret) LB_MUST_CHECK;

/* The same without a reply, for LB_PHASE_CLOSE. */
enum lb_err ask_tell(const struct options *opt, const struct lb_door_ask *ask,
    const struct deadline *d) LB_MUST_CHECK;

/*
 * Tell the agent what becomes of the login. Does not wait: the connection's
 * buffer is empty. A lost one is the agent's to notice.
 */
void ask_final(int fd, const struct lb_door_final *final);

#endif
