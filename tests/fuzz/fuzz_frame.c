/*
 * What stands between agent and courier: heads of frames, refused or put back
 * as they were; and the agent's state file, as it is and with a checksum that
 * holds: refused, or written back with the same bytes.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/buf.h"
#include "lockbox/papers.h"

#include "frame.h"
#include "state.h"

static void
ask(const uint8_t head[static FRAME_ASK_HEAD])
{
	uint8_t again[FRAME_ASK_HEAD];
	struct frame_ask a = { 0 };
	size_t len = 0;

	if (frame_ask_get(head, &a, &len) != LB_OK) {
		assert(a.timeout_ms == 0 && len == 0);
		return;
	}
	assert(a.op >= FRAME_OP_ASK && a.op <= FRAME_OP_REPORT);
	assert(len <= FRAME_BODY_MAX);
	assert(a.timeout_ms >= 1 && a.timeout_ms <= FRAME_TIMEOUT_MS);
	frame_ask_put(&a, len, again);
	assert(memcmp(head, again, sizeof(again)) == 0);
}

static void
say(const uint8_t head[static FRAME_SAY_HEAD])
{
	enum frame_outcome outcome = FRAME_OK;
	uint8_t again[FRAME_SAY_HEAD];
	size_t len = 0;

	if (frame_say_get(head, &outcome, &len) != LB_OK) {
		assert(outcome == FRAME_OK && len == 0);
		return;
	}
	assert(len <= FRAME_BODY_MAX);
	assert(
	    (outcome == FRAME_OK) == (frame_outcome_code(outcome)[0] == '\0'));
	frame_say_put(outcome, len, again);
	assert(memcmp(head, again, sizeof(again)) == 0);
}

static void
state(const char *text, size_t len)
{
	struct lb_buf again = { .max = STATE_FILE_MAX };
	struct state st = { 0 };
	enum lb_err r;

	if (state_parse(text, len, &st) != LB_OK) {
		assert(st.session == NULL && st.kept == NULL);
		return;
	}
	for (size_t i = 0; i < st.session_count; i++) {
		assert(i == 0 || st.session[i - 1].sid < st.session[i].sid);
		assert(st.session[i].sid != UINT32_MAX);
		assert(st.session[i].rests.count > 0);
	}
	r = state_write(&st, &again);
	assert(r == LB_OK);
	assert(again.len == len && memcmp(again.data, text, len) == 0);
	(void)r;
	lb_buf_clear(&again);
	state_clear(&st);
}

/* The checksum is no secret: whoever writes the file can make one. */
static void
state_summed(const char *text, size_t len)
{
	struct lb_buf b = { .max = STATE_FILE_MAX + 128 };
	char sum[LB_SHA256_LEN + 1];

	lb_doc_id(text, len, sum);
	if (lb_buf_add(&b, text, len) == LB_OK &&
	    lb_buf_addf(&b, "sum: %s\n", sum) == LB_OK)
		state(b.data, b.len);
	lb_buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len >= FRAME_ASK_HEAD)
		ask(bytes);
	if (len >= FRAME_SAY_HEAD)
		say(bytes);
	state((const char *)bytes, len);
	state_summed((const char *)bytes, len);
	return 0;
}
