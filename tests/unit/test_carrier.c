/* Carrying a question, byte by byte, and a courier that misbehaves. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "carrier.h"

struct stand {
	char dir[40], path[64];
	int listen_fd, peer;
	struct carrier *c;
};

static int
setup(void **state)
{
	static struct stand s;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memset(&s, 0, sizeof(s));
	(void)strcpy(s.dir, "/tmp/lockbox-carrier-XXXXXX");
	assert_non_null(mkdtemp(s.dir));
	(void)snprintf(s.path, sizeof(s.path), "%s/sock", s.dir);
	s.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)strcpy(sun.sun_path, s.path);
	assert_int_equal(
	    bind(s.listen_fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(s.listen_fd, 8), 0);
	s.peer = -1;
	*state = &s;
	return 0;
}

static int
teardown(void **state)
{
	struct stand *s = *state;

	carrier_free(s->c);
	if (s->peer >= 0)
		(void)close(s->peer);
	(void)close(s->listen_fd);
	(void)unlink(s->path);
	(void)rmdir(s->dir);
	return 0;
}

/* Connect, send, and have the courier read the whole ask. */
static void
begin(struct stand *s, const char *body)
{
	struct frame_ask ask;
	uint8_t head[FRAME_ASK_HEAD];
	char got[64] = "";
	size_t len;

	assert_int_equal(
	    carrier_new(s->path, FRAME_OP_ASK, 1234, body, strlen(body), &s->c),
	    LB_OK);
	assert_int_equal(carrier_events(s->c), EPOLLOUT);
	s->peer = accept(s->listen_fd, NULL, NULL);
	assert_true(s->peer >= 0);
	assert_int_equal(carrier_step(s->c), LB_ERR_STATE);
	assert_int_equal(carrier_events(s->c), EPOLLIN);
	assert_int_equal(
	    recv(s->peer, head, sizeof(head), MSG_WAITALL), sizeof(head));
	assert_int_equal(frame_ask_get(head, &ask, &len), LB_OK);
	assert_int_equal(ask.timeout_ms, 1234);
	assert_int_equal(len, strlen(body));
	assert_int_equal(recv(s->peer, got, len, MSG_WAITALL), len);
	assert_string_equal(got, body);
}

static void
test_carrier_byte_by_byte(void **state)
{
	struct stand *s = *state;
	uint8_t say[FRAME_SAY_HEAD + 6];
	const char *text;
	size_t len;

	begin(s, "a question");
	frame_say_put(FRAME_OK, 6, say);
	memcpy(say + FRAME_SAY_HEAD, "ans\0er", 6);
	for (size_t i = 0; i < sizeof(say); i++) {
		assert_int_equal(carrier_step(s->c), LB_ERR_STATE);
		assert_int_equal(send(s->peer, say + i, 1, 0), 1);
	}
	assert_int_equal(carrier_step(s->c), LB_OK);
	assert_int_equal(carrier_outcome(s->c), FRAME_OK);
	text = carrier_text(s->c, &len);
	assert_int_equal(len, 6);
	assert_memory_equal(text, "ans\0er", 7);
}

static void
test_carrier_outcome(void **state)
{
	struct stand *s = *state;
	uint8_t say[FRAME_SAY_HEAD];
	size_t len;

	begin(s, "a question");
	frame_say_put(FRAME_TLS, 0, say);
	assert_int_equal(send(s->peer, say, sizeof(say), 0), sizeof(say));
	assert_int_equal(carrier_step(s->c), LB_OK);
	assert_int_equal(carrier_outcome(s->c), FRAME_TLS);
	assert_string_equal(carrier_text(s->c, &len), "");
	assert_int_equal(len, 0);
}

static void
test_carrier_hang_up(void **state)
{
	uint8_t say[FRAME_SAY_HEAD + 3];

	frame_say_put(FRAME_OK, 9, say);
	for (size_t n = 0; n <= sizeof(say); n++) {
		struct stand *s = *state;

		begin(s, "a question");
		if (n > 0)
			assert_int_equal(send(s->peer, say, n, 0), n);
		assert_int_equal(close(s->peer), 0);
		s->peer = -1;
		assert_int_equal(carrier_step(s->c), LB_ERR_PEER);
		carrier_free(s->c);
		s->c = NULL;
	}
}

static void
test_carrier_nonsense(void **state)
{
	struct stand *s = *state;
	static const uint8_t bad[FRAME_SAY_HEAD] = { 0xff, 0, 0, 0, 0 };

	begin(s, "a question");
	assert_int_equal(send(s->peer, bad, sizeof(bad), 0), sizeof(bad));
	assert_int_equal(carrier_step(s->c), LB_ERR_PEER);
}

static void
test_carrier_nobody(void **state)
{
	struct stand *s = *state;
	struct carrier *c = NULL;
	char path[80];

	assert_int_equal(
	    carrier_new(s->path, FRAME_OP_ASK, 1, "q", 1, &c), LB_OK);
	carrier_free(c);
	c = NULL;
	(void)snprintf(path, sizeof(path), "%s2", s->path);
	assert_int_equal(
	    carrier_new(path, FRAME_OP_ASK, 1, "q", 1, &c), LB_ERR_UNREACHABLE);
	assert_null(c);
	assert_int_equal(
	    carrier_new(s->path, FRAME_OP_ASK, 0, "q", 1, &c), LB_ERR_RANGE);
	assert_int_equal(carrier_new(s->path, FRAME_OP_ASK,
			     FRAME_TIMEOUT_MS + 1, "q", 1, &c),
	    LB_ERR_RANGE);
	carrier_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_carrier_byte_by_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_carrier_outcome, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_carrier_hang_up, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_carrier_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_carrier_nobody, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
