/* Frames between agent and courier: every field, every bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "frame.h"

static void
test_frame_ask_round_trip(void **state)
{
	static const size_t lens[] = { 0, 1, 255, 256, 65536, FRAME_BODY_MAX };
	struct frame_ask ask = { FRAME_OP_ASK, 4321 };
	uint8_t head[FRAME_ASK_HEAD];
	struct frame_ask got;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		ask.op = (enum frame_op)(FRAME_OP_ASK + i % 3);
		frame_ask_put(&ask, lens[i], head);
		assert_int_equal(frame_ask_get(head, &got, &len), LB_OK);
		assert_int_equal(len, lens[i]);
		assert_int_equal(got.op, ask.op);
		assert_int_equal(got.timeout_ms, 4321);
	}
}

static void
test_frame_ask_refuses(void **state)
{
	static const uint8_t rows[][FRAME_ASK_HEAD] = {
		{ 0, 0, 0, 4, 1, 0, 0, 0, 1 },             /* too short */
		{ 0, 2, 0, 6, 1, 0, 0, 0, 1 },             /* too long */
		{ 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1 }, /* far too long */
		{ 0, 0, 0, 5, 0, 0, 0, 0, 1 },             /* no op */
		{ 0, 0, 0, 5, 4, 0, 0, 0, 1 },             /* unknown op */
		{ 0, 0, 0, 5, 1, 0, 0, 0, 0 },             /* no time */
		{ 0, 0, 0, 5, 1, 0, 0, 0xea, 0x61 },       /* 60001 ms */
	};
	static const uint8_t good[FRAME_ASK_HEAD] = { 0, 2, 0, 5, 1, 0, 0, 0xea,
		0x60 };
	struct frame_ask got = { 0 };
	size_t len = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
		    frame_ask_get(rows[i], &got, &len), LB_ERR_FORMAT);
		assert_int_equal(len, 7);
		assert_int_equal(got.timeout_ms, 0);
	}
	assert_int_equal(frame_ask_get(good, &got, &len), LB_OK);
	assert_int_equal(len, FRAME_BODY_MAX);
	assert_int_equal(got.timeout_ms, FRAME_TIMEOUT_MS);
}

static void
test_frame_say(void **state)
{
	uint8_t head[FRAME_SAY_HEAD];
	enum frame_outcome got;
	size_t len;

	(void)state;
	frame_say_put(FRAME_OK, FRAME_BODY_MAX, head);
	assert_int_equal(frame_say_get(head, &got, &len), LB_OK);
	assert_int_equal(got, FRAME_OK);
	assert_int_equal(len, FRAME_BODY_MAX);
	for (int o = FRAME_UNREACHABLE; o <= FRAME_FAILED; o++) {
		frame_say_put((enum frame_outcome)o, FRAME_CAUSE_MAX, head);
		assert_int_equal(frame_say_get(head, &got, &len), LB_OK);
		assert_int_equal(got, o);
		assert_true(strlen(frame_outcome_code(got)) > 0);
		frame_say_put((enum frame_outcome)o, FRAME_CAUSE_MAX + 1, head);
		assert_int_equal(
		    frame_say_get(head, &got, &len), LB_ERR_FORMAT);
	}
	frame_say_put(FRAME_OK, 0, head);
	head[4] = FRAME_FAILED + 1;
	assert_int_equal(frame_say_get(head, &got, &len), LB_ERR_FORMAT);
	head[4] = FRAME_OK;
	head[3] = 0; /* not even its outcome */
	assert_int_equal(frame_say_get(head, &got, &len), LB_ERR_FORMAT);
	head[0] = 0xff;
	assert_int_equal(frame_say_get(head, &got, &len), LB_ERR_FORMAT);
}

static void
assert_refusal(const char *text, long want, const char *want_code)
{
	char code[FRAME_CODE_MAX + 1] = "as it was";
	long status = 7;
	enum lb_err r;

	r = frame_refusal_get(text, strlen(text), &status, code);
	assert_int_equal(r, want > 0 ? LB_OK : LB_ERR_FORMAT);
	assert_int_equal(status, want > 0 ? want : 7);
	assert_string_equal(code, want > 0 ? want_code : "as it was");
}

static void
test_frame_refusal(void **state)
{
	static const char long_code[] =
	    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstu";
	char text[FRAME_CAUSE_MAX + 1];

	(void)state;
	frame_refusal_put(404, "not_found", text);
	assert_string_equal(text, "HTTP status 404 not_found");
	assert_refusal(text, 404, "not_found");
	frame_refusal_put(502, "", text);
	assert_refusal(text, 502, "");
	frame_refusal_put(400, long_code, text);
	assert_refusal(text, 400, long_code);
	assert_refusal("HTTP status 400 x", 400, "x");
	assert_refusal("", 0, "");
	assert_refusal("HTTP status ", 0, "");
	assert_refusal("HTTP status 40", 0, "");
	assert_refusal("HTTP status 099", 0, "");
	assert_refusal("HTTP status 4044", 0, "");
	assert_refusal("HTTP status 404 ", 0, "");
	assert_refusal("HTTP status 404  x", 0, "");
	assert_refusal("HTTP status 404 x y", 0, "");
	assert_refusal("HTTP status 404 X", 0, "");
	assert_refusal("HTTP status 404 "
		       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv",
	    0, "");
	assert_refusal("http status 404 x", 0, "");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_ask_round_trip),
		cmocka_unit_test(test_frame_ask_refuses),
		cmocka_unit_test(test_frame_say),
		cmocka_unit_test(test_frame_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
