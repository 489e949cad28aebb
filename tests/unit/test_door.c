/* Door packets: the good one passes, every other byte is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lockbox/clock.h"
#include "lockbox/door.h"

#define ROWS(t) (sizeof(t) / sizeof((t)[0]))

static const char sha256[] = "sha256:00112233445566778899aabbccddeeff"
			     "00112233445566778899aabbccddeeff";
static const char keyfp[] =
    "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM";

static struct lb_door_ask
ask_sample(void)
{
	static struct lb_door_ask a;

	memset(&a, 0, sizeof(a));
	a.version = LB_DOOR_VERSION;
	a.phase = LB_PHASE_ACCOUNT;
	(void)strcpy(a.service, "sshd");
	(void)strcpy(a.login, "deploy");
	(void)strcpy(a.ruser, "alice");
	(void)strcpy(a.rhost, "192.0.2.7");
	(void)strcpy(a.tty, "ssh");
	a.auth_info_known = 1;
	(void)strcpy(a.auth_info, "publickey ssh-ed25519 AAAA+/==\n");
	return a;
}

static struct lb_door_reply
reply_sample(void)
{
	static struct lb_door_reply p;

	memset(&p, 0, sizeof(p));
	p.version = LB_DOOR_VERSION;
	p.phase = LB_PHASE_SESSION;
	p.verdict = LB_VERDICT_ALLOW;
	p.provisional = 1;
	(void)strcpy(p.code, "grant_live");
	(void)strcpy(p.ref, "0123-4567-89AB");
	(void)strcpy(p.tenant, "acme");
	(void)strcpy(p.host, "db1.acme.example");
	(void)strcpy(p.engineer, "alice@example.com");
	(void)strcpy(p.key, keyfp);
	(void)strcpy(p.request, sha256);
	(void)strcpy(p.grant, sha256);
	p.sid = 17;
	p.not_after = LB_TIME_MIN;
	p.lease_end = LB_TIME_MAX;
	(void)strcpy(p.tell[0], "acme lets you in until 16:00Z.");
	return p;
}

static struct lb_door_final
final_sample(void)
{
	struct lb_door_final f;

	memset(&f, 0, sizeof(f));
	f.version = LB_DOOR_VERSION;
	f.phase = LB_PHASE_ACCOUNT;
	f.verdict = LB_VERDICT_DENY;
	f.logged = 1;
	(void)strcpy(f.code, "syslog_failed");
	return f;
}

/* Check, and that ret is written wholly on LB_OK and not at all otherwise. */
static bool
ask_passes(const struct lb_door_ask *a)
{
	static struct lb_door_ask got, untouched;
	enum lb_err r;

	memset(&got, 0x5a, sizeof(got));
	memset(&untouched, 0x5a, sizeof(untouched));
	r = lb_door_ask_check(a, sizeof(*a), &got);
	assert_true(r == LB_OK || r == LB_ERR_FORMAT);
	assert_int_equal(
	    memcmp(&got, r == LB_OK ? a : &untouched, sizeof(got)), 0);
	return r == LB_OK;
}

static bool
reply_passes(const struct lb_door_reply *p)
{
	static struct lb_door_reply got, untouched;
	enum lb_err r;

	memset(&got, 0x5a, sizeof(got));
	memset(&untouched, 0x5a, sizeof(untouched));
	r = lb_door_reply_check(p, sizeof(*p), &got);
	assert_true(r == LB_OK || r == LB_ERR_FORMAT);
	assert_int_equal(
	    memcmp(&got, r == LB_OK ? p : &untouched, sizeof(got)), 0);
	return r == LB_OK;
}

static bool
final_passes(const struct lb_door_final *f)
{
	struct lb_door_final got, untouched;
	enum lb_err r;

	memset(&got, 0x5a, sizeof(got));
	memset(&untouched, 0x5a, sizeof(untouched));
	r = lb_door_final_check(f, sizeof(*f), &got);
	assert_true(r == LB_OK || r == LB_ERR_FORMAT);
	assert_int_equal(
	    memcmp(&got, r == LB_OK ? f : &untouched, sizeof(got)), 0);
	return r == LB_OK;
}

static void
test_door_samples_pass(void **state)
{
	struct lb_door_ask a = ask_sample();
	struct lb_door_reply p = reply_sample();
	struct lb_door_final f = final_sample();

	(void)state;
	assert_true(ask_passes(&a));
	assert_true(reply_passes(&p));
	assert_true(final_passes(&f));
}

static void
test_door_exact_size(void **state)
{
	static char bytes[sizeof(struct lb_door_ask) + 1];
	static struct lb_door_ask a, ret_a;
	struct lb_door_reply p = reply_sample(), ret_p;
	struct lb_door_final f = final_sample(), ret_f;

	(void)state;
	a = ask_sample();
	memcpy(bytes, &a, sizeof(a));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		assert_int_equal(lb_door_ask_check(bytes, len, &ret_a),
		    len == sizeof(a) ? LB_OK : LB_ERR_FORMAT);
	}
	memcpy(bytes, &p, sizeof(p));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		assert_int_equal(lb_door_reply_check(bytes, len, &ret_p),
		    len == sizeof(p) ? LB_OK : LB_ERR_FORMAT);
	}
	memcpy(bytes, &f, sizeof(f));
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		assert_int_equal(lb_door_final_check(bytes, len, &ret_f),
		    len == sizeof(f) ? LB_OK : LB_ERR_FORMAT);
	}
}

/*
 * Every byte of a packet that must be zero, made anything else, is refused:
 * the tails of strings, the zero fields. (One byte right behind a string
 * lengthens it, unless it is outside the alphabet.)
 */
#define ZERO_TAIL(s, field, passes)                                            \
	for (size_t i = strlen((s).field); i < sizeof((s).field); i++) {       \
		char was = (s).field[i];                                       \
                                                                               \
		(s).field[i] = i == strlen((s).field) ? '\x01' : 'a';          \
		assert_false(passes(&(s)));                                    \
		(s).field[i] = was;                                            \
		assert_true(i > 64 || passes(&(s)));                           \
	}

static void
test_door_tails_are_zero(void **state)
{
	static struct lb_door_ask a;
	struct lb_door_reply p = reply_sample();
	struct lb_door_final f = final_sample();

	(void)state;
	a = ask_sample();
	ZERO_TAIL(a, service, ask_passes);
	ZERO_TAIL(a, login, ask_passes);
	ZERO_TAIL(a, ruser, ask_passes);
	ZERO_TAIL(a, rhost, ask_passes);
	ZERO_TAIL(a, tty, ask_passes);
	ZERO_TAIL(a, auth_info, ask_passes);
	ZERO_TAIL(p, code, reply_passes);
	ZERO_TAIL(p, ref, reply_passes);
	ZERO_TAIL(p, tenant, reply_passes);
	ZERO_TAIL(p, host, reply_passes);
	ZERO_TAIL(p, engineer, reply_passes);
	ZERO_TAIL(p, key, reply_passes);
	ZERO_TAIL(p, request, reply_passes);
	ZERO_TAIL(p, grant, reply_passes);
	ZERO_TAIL(p, tell[0], reply_passes);
	ZERO_TAIL(p, tell[1], reply_passes);
	ZERO_TAIL(p, tell[2], reply_passes);
	ZERO_TAIL(f, code, final_passes);
}

static void
test_door_spare_bytes_are_zero(void **state)
{
	static struct lb_door_ask a;
	struct lb_door_reply p = reply_sample();
	struct lb_door_final f = final_sample();

	(void)state;
	a = ask_sample();
	for (size_t i = 0; i < sizeof(a.zero); i++) {
		a.zero[i] = 1;
		assert_false(ask_passes(&a));
		a.zero[i] = 0;
	}
	for (size_t i = 0; i < sizeof(p.zero); i++) {
		p.zero[i] = 1;
		assert_false(reply_passes(&p));
		p.zero[i] = 0;
	}
	for (size_t i = 0; i < sizeof(f.zero); i++) {
		f.zero[i] = 1;
		assert_false(final_passes(&f));
		f.zero[i] = 0;
	}
	assert_true(ask_passes(&a) && reply_passes(&p) && final_passes(&f));
}

/* None of version, phase and verdict survives a flipped bit. */
static void
test_door_every_bit_of_heads(void **state)
{
	static struct lb_door_ask a;
	struct lb_door_reply p = reply_sample();
	struct lb_door_final f = final_sample();

	(void)state;
	a = ask_sample();
	for (size_t i = 0; i < 12 * 8; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);

		((uint8_t *)&p)[i / 8] ^= bit;
		assert_false(reply_passes(&p));
		((uint8_t *)&p)[i / 8] ^= bit;
		((uint8_t *)&f)[i / 8] ^= bit;
		assert_false(final_passes(&f));
		((uint8_t *)&f)[i / 8] ^= bit;
		if (i >= 8 * 8)
			continue;
		((uint8_t *)&a)[i / 8] ^= bit;
		assert_false(ask_passes(&a));
		((uint8_t *)&a)[i / 8] ^= bit;
	}
}

/* How many one-byte changes of a packet still pass. */
static size_t
count_ask(struct lb_door_ask *a)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(*a); i++) {
		uint8_t *byte = (uint8_t *)a + i;
		uint8_t was = *byte;

		/* Far inside the long text of zeros one change will do. */
		bool deep = i > offsetof(struct lb_door_ask, auth_info) + 64 &&
		    i < sizeof(*a) - 8;

		for (int x = 1; x < (deep ? 2 : 256); x++) {
			struct lb_door_ask got;

			*byte = (uint8_t)(was ^ x);
			if (lb_door_ask_check(a, sizeof(*a), &got) == LB_OK)
				n++;
		}
		*byte = was;
	}
	return n;
}

static size_t
count_reply(struct lb_door_reply *p)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(*p); i++) {
		uint8_t *byte = (uint8_t *)p + i;
		uint8_t was = *byte;

		for (int x = 1; x < 256; x++) {
			struct lb_door_reply got;

			*byte = (uint8_t)(was ^ x);
			if (lb_door_reply_check(p, sizeof(*p), &got) == LB_OK)
				n++;
		}
		*byte = was;
	}
	return n;
}

/*
 * The numbers are sums of alphabets, counted by hand for packets with nothing
 * in them that could be left out; a check that is lost changes them.
 */
static void
test_door_every_byte_flip(void **state)
{
	static struct lb_door_ask a;
	static struct lb_door_reply p;

	(void)state;
	memset(&a, 0, sizeof(a));
	a.version = LB_DOOR_VERSION;
	a.phase = LB_PHASE_CLOSE;
	a.service[0] = 's';
	a.login[0] = 'd';
	assert_true(ask_passes(&a));
	assert_int_equal(count_ask(&a),
	    25 + 38 +     /* service: another letter, or a second one */
		52 + 65 + /* login */
		53 +      /* ruser */
		67 +      /* rhost */
		94 +      /* tty */
		1 + 1);   /* exempt_rule, auth_info_known */
	a.auth_info_known = 1;
	assert_int_equal(count_ask(&a),
	    25 + 38 + 52 + 65 + 53 + 67 + 94 + 1 + 1 + /* and back to 0 */
		96); /* auth_info: a first char */

	memset(&p, 0, sizeof(p));
	p.version = LB_DOOR_VERSION;
	p.phase = LB_PHASE_ACCOUNT;
	p.verdict = LB_VERDICT_DENY;
	p.code[0] = 'n';
	p.sid = -1;
	assert_true(reply_passes(&p));
	assert_int_equal(count_reply(&p),
	    1 +           /* exempt */
		26 + 27 + /* code */
		36 +      /* tenant */
		36 +      /* host */
		62 +      /* engineer */
		3 * 95 +  /* tell */
		2 * 188); /* times: their fourth byte, 0x39..0xf4 */
}

static void
test_door_flags_belong_together(void **state)
{
	static struct lb_door_ask a;
	struct lb_door_reply p = reply_sample();
	struct lb_door_final f = final_sample();

	(void)state;
	a = ask_sample();
	a.auth_info_known = 0;
	assert_false(ask_passes(&a));
	memset(a.auth_info, 0, sizeof(a.auth_info));
	assert_true(ask_passes(&a));
	a.auth_info_known = 2;
	assert_false(ask_passes(&a));
	a.auth_info_known = 1;
	a.exempt_rule = 1;
	assert_true(ask_passes(&a));
	a.exempt_rule = 2;
	assert_false(ask_passes(&a));

	p.exempt = 1;
	assert_false(reply_passes(&p));
	p.provisional = 0;
	assert_false(reply_passes(&p));
	p.verdict = LB_VERDICT_DENY;
	assert_true(reply_passes(&p));
	p.exempt = 2;
	assert_false(reply_passes(&p));
	p.exempt = 0;
	p.provisional = 1;
	assert_false(reply_passes(&p));

	f.logged = 0;
	assert_true(final_passes(&f));
	f.logged = 2;
	assert_false(final_passes(&f));
}

static void
test_door_ask_strings(void **state)
{
	static struct lb_door_ask a;

	(void)state;
	a = ask_sample();
	memset(a.service, 0, sizeof(a.service));
	assert_false(ask_passes(&a));
	a = ask_sample();
	memset(a.login, 0, sizeof(a.login));
	assert_false(ask_passes(&a));
	a = ask_sample();
	memset(a.ruser, 0, sizeof(a.ruser));
	memset(a.rhost, 0, sizeof(a.rhost));
	memset(a.tty, 0, sizeof(a.tty));
	assert_true(ask_passes(&a));

	/* As long as can be, and one more, which leaves no room for the NUL. */
	memset(a.auth_info, 'x', LB_AUTH_INFO_MAX);
	memset(a.tty, 'x', LB_TTY_MAX);
	memset(a.login, 'x', LB_LOGIN_MAX);
	assert_true(ask_passes(&a));
	a.auth_info[LB_AUTH_INFO_MAX] = 'x';
	assert_false(ask_passes(&a));
	a.auth_info[LB_AUTH_INFO_MAX] = '\0';
	a.tty[LB_TTY_MAX] = 'x';
	assert_false(ask_passes(&a));
	a.tty[LB_TTY_MAX] = '\0';
	a.login[LB_LOGIN_MAX] = 'x';
	assert_false(ask_passes(&a));
}

static void
test_door_reply_numbers(void **state)
{
	static const struct {
		int64_t sid;
		bool want;
	} sid[] = { { -2, false }, { -1, true }, { 0, false }, { 1, true },
		{ UINT32_MAX - INT64_C(1), true }, { UINT32_MAX, false },
		{ INT64_C(1) << 32, false }, { INT64_MAX, false },
		{ INT64_MIN, false } };
	static const struct {
		int64_t at;
		bool want;
	} time[] = { { 0, true }, { 1, false }, { -1, false },
		{ LB_TIME_MIN - 1, false }, { LB_TIME_MIN, true },
		{ LB_TIME_MAX, true }, { LB_TIME_MAX + 1, false },
		{ INT64_MAX, false }, { INT64_MIN, false } };
	struct lb_door_reply p;

	(void)state;
	for (size_t i = 0; i < ROWS(sid); i++) {
		p = reply_sample();
		p.sid = sid[i].sid;
		assert_int_equal(reply_passes(&p), sid[i].want);
	}
	for (size_t i = 0; i < ROWS(time); i++) {
		p = reply_sample();
		p.not_after = time[i].at;
		assert_int_equal(reply_passes(&p), time[i].want);
		p = reply_sample();
		p.lease_end = time[i].at;
		assert_int_equal(reply_passes(&p), time[i].want);
	}
}

static void
test_door_reply_strings(void **state)
{
	static const char *const refs[] = { "0123-4567-89A", "0123-4567-89ab",
		"0123456789ABCD", "0123-4567_89AB", "0123-4567-89AU",
		"-123-4567-89AB", "0123-456--89AB" };
	struct lb_door_reply p;

	(void)state;
	for (size_t i = 0; i < ROWS(refs); i++) {
		p = reply_sample();
		assert_true(reply_passes(&p));
		memset(p.ref, 0, sizeof(p.ref));
		assert_true(reply_passes(&p));
		(void)strcpy(p.ref, refs[i]);
		assert_false(reply_passes(&p));
	}
	p = reply_sample();
	(void)strcpy(p.code, "No_grant");
	assert_false(reply_passes(&p));
	p = reply_sample();
	memset(p.code, 0, sizeof(p.code));
	assert_false(reply_passes(&p));
	p = reply_sample();
	p.tell[2][0] = '\n';
	assert_false(reply_passes(&p));
	p = reply_sample();
	p.tell[1][0] = '\x1b';
	assert_false(reply_passes(&p));
	p = reply_sample();
	p.tell[1][0] = '\xc3';
	assert_false(reply_passes(&p));
}

static void
test_door_accept(void **state)
{
	static char
	    bytes[sizeof(struct lb_door_accept) + LB_DOOR_BUNDLE_MAX + 1];
	struct lb_door_accept head = { LB_DOOR_VERSION, LB_DOOR_ACCEPT };
	const char *text = NULL;
	size_t len = 9;

	(void)state;
	memcpy(bytes, &head, sizeof(head));
	assert_int_equal(
	    lb_door_accept_check(bytes, sizeof(head) + 1, &text, &len), LB_OK);
	assert_int_equal(len, 1);
	assert_ptr_equal(text, bytes + sizeof(head));
	assert_int_equal(
	    lb_door_accept_check(bytes, sizeof(bytes) - 1, &text, &len), LB_OK);
	assert_int_equal(len, LB_DOOR_BUNDLE_MAX);
	assert_int_equal(
	    lb_door_accept_check(bytes, sizeof(bytes), &text, &len),
	    LB_ERR_FORMAT);
	assert_int_equal(lb_door_accept_check(bytes, sizeof(head), &text, &len),
	    LB_ERR_FORMAT);
	head.phase = LB_PHASE_ACCOUNT;
	memcpy(bytes, &head, sizeof(head));
	assert_int_equal(
	    lb_door_accept_check(bytes, sizeof(head) + 1, &text, &len),
	    LB_ERR_FORMAT);
	head.phase = LB_DOOR_ACCEPT;
	head.version++;
	memcpy(bytes, &head, sizeof(head));
	assert_int_equal(
	    lb_door_accept_check(bytes, sizeof(head) + 1, &text, &len),
	    LB_ERR_FORMAT);
}

static void
test_door_accepted(void **state)
{
	struct lb_door_accepted p = { .version = LB_DOOR_VERSION,
		.phase = LB_DOOR_ACCEPT,
		.ended = 3,
		.refused = 1,
		.code = "accepted",
		.why = "grant_over" };
	struct lb_door_accepted got = { 0 };

	(void)state;
	assert_int_equal(lb_door_accepted_check(&p, sizeof(p), &got), LB_OK);
	assert_int_equal(got.ended, 3);
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p) - 1, &got), LB_ERR_FORMAT);
	p.refused = 0; /* then there is nothing to say why of */
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p), &got), LB_ERR_FORMAT);
	memset(p.why, 0, sizeof(p.why));
	assert_int_equal(lb_door_accepted_check(&p, sizeof(p), &got), LB_OK);
	p.refused = 1; /* and there is */
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p), &got), LB_ERR_FORMAT);
	p.refused = 0;
	p.code[20] = 'x'; /* behind the end */
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p), &got), LB_ERR_FORMAT);
	memset(p.code, 0, sizeof(p.code));
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p), &got), LB_ERR_FORMAT);
	memcpy(p.code, "Bad", 3);
	assert_int_equal(
	    lb_door_accepted_check(&p, sizeof(p), &got), LB_ERR_FORMAT);
}

static void
test_door_order(void **state)
{
	static const struct {
		uint32_t phase;
		int64_t sid;
		enum lb_err want;
	} row[] = {
		{ LB_DOOR_LIST, 0, LB_OK },
		{ LB_DOOR_LIST, 7, LB_OK },
		{ LB_DOOR_LIST, -1, LB_ERR_FORMAT },
		{ LB_DOOR_END, 7, LB_OK },
		{ LB_DOOR_END, 0, LB_ERR_FORMAT },
		{ LB_DOOR_END, -1, LB_ERR_FORMAT },
		{ LB_DOOR_END, INT64_C(4294967294), LB_OK },
		/* "not set" to the kernel: everybody else's */
		{ LB_DOOR_END, INT64_C(4294967295), LB_ERR_FORMAT },
		{ LB_DOOR_END, INT64_C(4294967303), LB_ERR_FORMAT },
		{ LB_DOOR_ACCEPT, 7, LB_ERR_FORMAT },
		{ LB_PHASE_CLOSE, 7, LB_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < ROWS(row); i++) {
		struct lb_door_order o = { LB_DOOR_VERSION, row[i].phase,
			row[i].sid };
		struct lb_door_order got;

		assert_int_equal(
		    lb_door_order_check(&o, sizeof(o), &got), row[i].want);
		assert_int_equal(lb_door_order_check(&o, sizeof(o) - 1, &got),
		    LB_ERR_FORMAT);
		o.version++;
		assert_int_equal(
		    lb_door_order_check(&o, sizeof(o), &got), LB_ERR_FORMAT);
	}
}

static struct lb_door_session
session_sample(void)
{
	return (struct lb_door_session){ .version = LB_DOOR_VERSION,
		.phase = LB_DOOR_LIST,
		.sid = 17,
		.code = "session",
		.opened_at = LB_TIME_MIN,
		.ends_at = LB_TIME_MAX,
		.login = "deploy",
		.service = "sshd",
		.engineer = "alice@example.com",
		.rhost = "192.0.2.7",
		.ref = "0123-4567-89AB",
		.ending = "expired",
		.offline = 1 };
}

static bool
session_passes(const struct lb_door_session *s)
{
	struct lb_door_session got;

	return lb_door_session_check(s, sizeof(*s), &got) == LB_OK;
}

static void
test_door_session(void **state)
{
	struct lb_door_session s = session_sample();

	(void)state;
	assert_true(session_passes(&s));
	for (size_t i = 0; i < sizeof(s.login); i++) { /* behind the end */
		s = session_sample();
		s.login[i] = i < strlen(s.login) ? ' ' : '\x1';
		assert_false(session_passes(&s));
	}
#define REFUSED(change)                                                        \
	do {                                                                   \
		s = session_sample();                                          \
		change;                                                        \
		assert_false(session_passes(&s));                              \
	} while (0)
	REFUSED(s.sid = -1);
	REFUSED(s.sid = UINT32_MAX);
	REFUSED(s.sid = 0); /* then there is nothing to tell */
	REFUSED(s.offline = 2);
	REFUSED(s.zero[6] = 1);
	REFUSED(s.opened_at = 1);
	REFUSED(s.code[0] = '\0');
	REFUSED(s.code[0] = 'S');
	REFUSED(s.grant[0] = 'x');
	REFUSED(s.ending[0] = '-');
	REFUSED(s.service[0] = '\0');
	REFUSED(s.phase = LB_DOOR_ACCEPT);
	REFUSED(s.version = 0);
#undef REFUSED
	s = (struct lb_door_session){ .version = LB_DOOR_VERSION,
		.phase = LB_DOOR_END,
		.code = "sid_unknown" };
	assert_true(session_passes(&s));
	s.lease_end = LB_TIME_MIN;
	assert_false(session_passes(&s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_door_samples_pass),
		cmocka_unit_test(test_door_exact_size),
		cmocka_unit_test(test_door_tails_are_zero),
		cmocka_unit_test(test_door_spare_bytes_are_zero),
		cmocka_unit_test(test_door_every_bit_of_heads),
		cmocka_unit_test(test_door_every_byte_flip),
		cmocka_unit_test(test_door_flags_belong_together),
		cmocka_unit_test(test_door_ask_strings),
		cmocka_unit_test(test_door_reply_numbers),
		cmocka_unit_test(test_door_reply_strings),
		cmocka_unit_test(test_door_accept),
		cmocka_unit_test(test_door_accepted),
		cmocka_unit_test(test_door_order),
		cmocka_unit_test(test_door_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
