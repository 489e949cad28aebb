/*
 * Carries one question to the courier and its answer back, without ever
 * blocking: the caller polls. A connection per question; the courier keeps
 * the one to the broker.
 */
#ifndef LOCKBOX_AGENT_CARRIER_H
#define LOCKBOX_AGENT_CARRIER_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/err.h"

#include "frame.h"

struct carrier;

/*
 * Connect to the courier's socket and begin to send.
 *
 * path        of the courier's socket
 * timeout_ms  what the courier may take; 1..FRAME_TIMEOUT_MS
 * body        copied; body_len <= FRAME_BODY_MAX
 * ret         new, freed with carrier_free
 *
 * LB_ERR_UNREACHABLE  nobody listens there, or too many wait already
 */
enum lb_err carrier_new(const char *path, enum frame_op op, uint32_t timeout_ms,
    const char *body, size_t body_len, struct carrier **ret) LB_MUST_CHECK;

/* Give up, or let go after the end. Accepts NULL. */
void carrier_free(struct carrier *c);

/* What to poll: the descriptor, and EPOLLIN or EPOLLOUT. */
int carrier_fd(const struct carrier *c);
uint32_t carrier_events(const struct carrier *c);

/* Go as far as possible. LB_ERR_STATE: not done yet, poll again;
 * LB_ERR_PEER: the courier hung up or said nonsense. */
enum lb_err carrier_step(struct carrier *c) LB_MUST_CHECK;

/* After LB_OK: what came back, borrowed until carrier_free. The text ends in
 * a NUL that does not count; it may hold others. */
enum frame_outcome carrier_outcome(const struct carrier *c);
const char *carrier_text(const struct carrier *c, size_t *ret_len);

#endif
