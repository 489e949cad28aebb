/*
 * What agent and courier say to each other on their stream socket: one frame
 * each way, then the connection ends. Numbers are big-endian.
 *
 *   agent    u32 length, u8 op, u32 timeout_ms, body
 *   courier  u32 length, u8 outcome, body
 *
 * length counts what follows it. The body is opaque to the courier; an outcome
 * other than FRAME_OK has a short cause for the log as its body.
 */
#ifndef LOCKBOX_AGENT_FRAME_H
#define LOCKBOX_AGENT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "lockbox/bundle.h"
#include "lockbox/err.h"

#define FRAME_ASK_HEAD   9 /* bytes before an ask's body */
#define FRAME_SAY_HEAD   5 /* bytes before an outcome's body */
#define FRAME_BODY_MAX   LB_BUNDLE_MAX
#define FRAME_CAUSE_MAX  120   /* chars */
#define FRAME_CODE_MAX   47    /* chars */
#define FRAME_TIMEOUT_MS 60000 /* most that may be asked for */

/* Values are what stands on the wire. */
enum frame_op {
	FRAME_OP_ASK = 1,    /* POST /v1/ask */
	FRAME_OP_WATCH = 2,  /* POST /v1/watch */
	FRAME_OP_REPORT = 3, /* POST /v1/report, answered in JSON */
};

enum frame_outcome {
	FRAME_OK = 0,
	FRAME_UNREACHABLE = 1, /* no name, no route, refused */
	FRAME_TIMEOUT = 2,
	FRAME_TLS = 3,     /* not the certificate we want, or no TLS */
	FRAME_GARBAGE = 4, /* not HTTP, or 200 with the wrong type */
	FRAME_REFUSED = 5, /* another, but for 5xx: see frame_refusal_get */
	FRAME_TOO_LARGE = 6,
	FRAME_BUSY = 7, /* the courier has too much to do */
	FRAME_FAILED =
	    8, /* a status of 5xx: it is broken, or what is before it */
};

struct frame_ask {
	enum frame_op op;
	uint32_t timeout_ms;
};

/*
 * Heads. Putting asserts that body_len <= FRAME_BODY_MAX. Getting reads a
 * whole head and checks every field; ret_body_len is what must still follow.
 * LB_ERR_FORMAT: unknown op or outcome, a length out of range, a timeout of 0
 * or over FRAME_TIMEOUT_MS.
 */
void frame_ask_put(const struct frame_ask *ask, size_t body_len,
    uint8_t ret[static FRAME_ASK_HEAD]);
enum lb_err frame_ask_get(const uint8_t head[static FRAME_ASK_HEAD],
    struct frame_ask *ret, size_t *ret_body_len) LB_MUST_CHECK;
void frame_say_put(enum frame_outcome outcome, size_t body_len,
    uint8_t ret[static FRAME_SAY_HEAD]);
enum lb_err frame_say_get(const uint8_t head[static FRAME_SAY_HEAD],
    enum frame_outcome *ret, size_t *ret_body_len) LB_MUST_CHECK;

/* The stable code of an outcome, "broker_timeout"; "" for FRAME_OK. */
const char *frame_outcome_code(enum frame_outcome outcome);

/*
 * The body of FRAME_REFUSED: the status and the broker's own code, which is
 * "" if it gave none: somebody between answered. Getting asks for the whole
 * text in its one spelling.
 */
void frame_refusal_put(
    long status, const char *code, char ret[static FRAME_CAUSE_MAX + 1]);
enum lb_err frame_refusal_get(const char *text, size_t len, long *ret_status,
    char ret_code[static FRAME_CODE_MAX + 1]) LB_MUST_CHECK;

#endif
