/*
 * Packets between the PAM module and the agent: who asks is checked by what
 * the kernel says, not by what stands in the packet.
 */
#ifndef LOCKBOX_AGENT_DOOR_H
#define LOCKBOX_AGENT_DOOR_H

#include <sys/types.h>

#include "lockbox/bundle.h"
#include "lockbox/door.h"
#include "lockbox/err.h"

/* One who knocked. */
struct door_peer {
	int fd;    /* the connection */
	int pidfd; /* what came with the ask; -1 before */
	pid_t pid; /* SO_PEERCRED's */
};

/*
 * Take one connection. ret is owned by the caller: see door_peer_close.
 *
 * LB_ERR_STATE      nobody waits
 * LB_ERR_FORBIDDEN  not root; the connection is closed already
 */
enum lb_err door_accept(int listen_fd, struct door_peer *ret) LB_MUST_CHECK;
void door_peer_close(struct door_peer *p);

/* What root says instead of an ask, without a descriptor: a bundle, an order,
 * or, all zero, nothing of the kind. */
struct door_word {
	struct lb_slice bundle; /* borrowed until the next packet */
	struct lb_door_order order;
};

/*
 * Receive the ask with its pidfd, which must be of the process that
 * connected and, but for LB_PHASE_CLOSE, still lives. Or root's word: then ret
 * is not written.
 *
 * LB_ERR_STATE      not there yet
 * LB_ERR_PEER       hung up, or its process has ended
 * LB_ERR_FORMAT     no such packet, or without exactly one descriptor
 * LB_ERR_FORBIDDEN  the descriptor is of another process, or no pidfd
 */
enum lb_err door_receive_ask(struct door_peer *p, struct lb_door_ask *ret,
    struct door_word *ret_word) LB_MUST_CHECK;

/* What came of root's word. LB_ERR_PEER: it is gone. */
enum lb_err door_reply_accepted(const struct door_peer *p,
    const struct lb_door_accepted *reply) LB_MUST_CHECK;
enum lb_err door_reply_session(const struct door_peer *p,
    const struct lb_door_session *reply) LB_MUST_CHECK;

/* The same, for the final verdict. */
enum lb_err door_receive_final(
    const struct door_peer *p, struct lb_door_final *ret) LB_MUST_CHECK;

/* LB_ERR_PEER: it is gone. */
enum lb_err door_reply(
    const struct door_peer *p, const struct lb_door_reply *reply) LB_MUST_CHECK;

#endif
