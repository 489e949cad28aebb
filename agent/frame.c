/* Heads of the frames between agent and courier. */
#include "frame.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lockbox/text.h"

#define STATUS "HTTP status "

static void
put_u32(uint8_t *ret, size_t v)
{
	ret[0] = (uint8_t)(v >> 24);
	ret[1] = (uint8_t)(v >> 16);
	ret[2] = (uint8_t)(v >> 8);
	ret[3] = (uint8_t)v;
}

static uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

void
frame_ask_put(const struct frame_ask *ask, size_t body_len,
    uint8_t ret[static FRAME_ASK_HEAD])
{
	assert(body_len <= FRAME_BODY_MAX);
	put_u32(ret, FRAME_ASK_HEAD - 4 + body_len);
	ret[4] = (uint8_t)ask->op;
	put_u32(ret + 5, ask->timeout_ms);
}

enum lb_err
frame_ask_get(const uint8_t head[static FRAME_ASK_HEAD], struct frame_ask *ret,
    size_t *ret_body_len)
{
	uint32_t len = get_u32(head), timeout_ms = get_u32(head + 5);

	if (len < FRAME_ASK_HEAD - 4 ||
	    len - (FRAME_ASK_HEAD - 4) > FRAME_BODY_MAX ||
	    head[4] < FRAME_OP_ASK || head[4] > FRAME_OP_REPORT ||
	    timeout_ms == 0 || timeout_ms > FRAME_TIMEOUT_MS)
		return LB_ERR_FORMAT;
	ret->op = (enum frame_op)head[4];
	ret->timeout_ms = timeout_ms;
	*ret_body_len = len - (FRAME_ASK_HEAD - 4);
	return LB_OK;
}

void
frame_say_put(enum frame_outcome outcome, size_t body_len,
    uint8_t ret[static FRAME_SAY_HEAD])
{
	assert(body_len <= FRAME_BODY_MAX);
	put_u32(ret, FRAME_SAY_HEAD - 4 + body_len);
	ret[4] = (uint8_t)outcome;
}

enum lb_err
frame_say_get(const uint8_t head[static FRAME_SAY_HEAD],
    enum frame_outcome *ret, size_t *ret_body_len)
{
	uint32_t len = get_u32(head);

	if (len < FRAME_SAY_HEAD - 4 ||
	    len - (FRAME_SAY_HEAD - 4) > FRAME_BODY_MAX ||
	    head[4] > FRAME_FAILED)
		return LB_ERR_FORMAT;
	if (head[4] != FRAME_OK && len - (FRAME_SAY_HEAD - 4) > FRAME_CAUSE_MAX)
		return LB_ERR_FORMAT;
	*ret = (enum frame_outcome)head[4];
	*ret_body_len = len - (FRAME_SAY_HEAD - 4);
	return LB_OK;
}

const char *
frame_outcome_code(enum frame_outcome outcome)
{
	switch (outcome) {
	case FRAME_OK:
		return "";
	case FRAME_UNREACHABLE:
		return "broker_unreachable";
	case FRAME_TIMEOUT:
		return "broker_timeout";
	case FRAME_TLS:
		return "broker_tls";
	case FRAME_GARBAGE:
		return "broker_garbage";
	case FRAME_REFUSED:
		return "broker_refused";
	case FRAME_TOO_LARGE:
		return "broker_too_large";
	case FRAME_BUSY:
		return "courier_busy";
	case FRAME_FAILED:
		return "broker_failed";
	}
	return "courier_garbage";
}

void
frame_refusal_put(
    long status, const char *code, char ret[static FRAME_CAUSE_MAX + 1])
{
	(void)snprintf(ret, FRAME_CAUSE_MAX + 1, STATUS "%ld%s%.*s", status,
	    code[0] != '\0' ? " " : "", FRAME_CODE_MAX, code);
}

enum lb_err
frame_refusal_get(const char *text, size_t len, long *ret_status,
    char ret_code[static FRAME_CODE_MAX + 1])
{
	const size_t n = sizeof(STATUS) - 1;
	char digits[4] = "";
	int64_t status;
	size_t rest;

	if (len < n + 3 || memcmp(text, STATUS, n) != 0)
		return LB_ERR_FORMAT;
	memcpy(digits, text + n, 3);
	if (lb_number_parse(digits, 100, 999, &status) != LB_OK)
		return LB_ERR_FORMAT;
	text += n + 3;
	rest = len - n - 3;
	if (rest > 0 &&
	    (text[0] != ' ' || rest < 2 || rest - 1 > FRAME_CODE_MAX ||
		strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_0123456789") <
		    rest - 1))
		return LB_ERR_FORMAT;
	*ret_status = (long)status;
	memcpy(ret_code, rest > 0 ? text + 1 : text, rest > 0 ? rest - 1 : 0);
	ret_code[rest > 0 ? rest - 1 : 0] = '\0';
	return LB_OK;
}
