/*
 * Door packets. The first byte says which packet; '1' to '6': what follows
 * are changes to a good one, three bytes each (offset, offset, value); else
 * the rest is the packet itself. So seeds stay small, and fit any build.
 */
#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/door.h"

/* The largest packet, and a byte more. */
union packet {
	struct lb_door_ask ask;
	struct lb_door_reply reply;
	struct lb_door_final final;
	struct lb_door_accepted accepted;
	struct lb_door_order order;
	struct lb_door_session session;
	uint8_t bytes[sizeof(struct lb_door_ask) + 1];
};

/* A string with its NUL and nothing behind it, of bytes we may print. */
static void
check_string(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	assert(len < size);
	for (size_t i = 0; i < size; i++)
		assert(i < len ? s[i] == '\n' || (s[i] >= ' ' && s[i] <= '~')
			       : s[i] == '\0');
}

#define CHECK(field) check_string((field), sizeof(field))

static void
check_ask(const void *bytes, size_t len)
{
	struct lb_door_ask a, none;
	enum lb_err r;

	memset(&a, 0x5a, sizeof(a));
	memset(&none, 0x5a, sizeof(none));
	if ((r = lb_door_ask_check(bytes, len, &a)) != LB_OK) {
		assert(r == LB_ERR_FORMAT);
		assert(memcmp(&a, &none, sizeof(a)) == 0);
		return;
	}
	assert(len == sizeof(a) && memcmp(&a, bytes, len) == 0);
	assert(a.version == LB_DOOR_VERSION);
	CHECK(a.service);
	CHECK(a.login);
	CHECK(a.ruser);
	CHECK(a.rhost);
	CHECK(a.tty);
	CHECK(a.auth_info);
	assert(strpbrk(a.login, " \n/") == NULL && a.login[0] != '\0');
	assert(a.exempt_rule <= 1 && a.auth_info_known <= 1);
	assert(a.auth_info_known == 1 || a.auth_info[0] == '\0');
}

static void
check_reply(const void *bytes, size_t len)
{
	struct lb_door_reply p, none;
	enum lb_err r;

	memset(&p, 0x5a, sizeof(p));
	memset(&none, 0x5a, sizeof(none));
	if ((r = lb_door_reply_check(bytes, len, &p)) != LB_OK) {
		assert(r == LB_ERR_FORMAT);
		assert(memcmp(&p, &none, sizeof(p)) == 0);
		return;
	}
	assert(len == sizeof(p) && memcmp(&p, bytes, len) == 0);
	assert(p.verdict == LB_VERDICT_ALLOW || p.verdict == LB_VERDICT_DENY);
	assert(p.exempt == 0 || p.verdict != LB_VERDICT_ALLOW);
	CHECK(p.code);
	CHECK(p.ref);
	CHECK(p.tenant);
	CHECK(p.host);
	CHECK(p.engineer);
	CHECK(p.key);
	CHECK(p.request);
	CHECK(p.grant);
	for (size_t i = 0; i < LB_TELL_LINES; i++) {
		CHECK(p.tell[i]);
		assert(strchr(p.tell[i], '\n') == NULL);
	}
	assert(p.sid != UINT32_MAX && p.sid != 0 && p.sid >= -1);
}

static void
check_final(const void *bytes, size_t len)
{
	struct lb_door_final f, none;
	enum lb_err r;

	memset(&f, 0x5a, sizeof(f));
	memset(&none, 0x5a, sizeof(none));
	if ((r = lb_door_final_check(bytes, len, &f)) != LB_OK) {
		assert(r == LB_ERR_FORMAT);
		assert(memcmp(&f, &none, sizeof(f)) == 0);
		return;
	}
	assert(len == sizeof(f) && memcmp(&f, bytes, len) == 0);
	assert(f.verdict == LB_VERDICT_ALLOW || f.verdict == LB_VERDICT_DENY);
	assert(f.logged <= 1);
	CHECK(f.code);
}

static void
check_accepted(const void *bytes, size_t len)
{
	struct lb_door_accepted p, none;

	memset(&p, 0x5a, sizeof(p));
	memset(&none, 0x5a, sizeof(none));
	if (lb_door_accepted_check(bytes, len, &p) != LB_OK) {
		assert(memcmp(&p, &none, sizeof(p)) == 0);
		return;
	}
	assert(len == sizeof(p) && memcmp(&p, bytes, len) == 0);
	CHECK(p.code);
	CHECK(p.why);
	assert((p.refused > 0) == (p.why[0] != '\0'));
}

static void
check_order(const void *bytes, size_t len)
{
	struct lb_door_order o, none;

	memset(&o, 0x5a, sizeof(o));
	memset(&none, 0x5a, sizeof(none));
	if (lb_door_order_check(bytes, len, &o) != LB_OK) {
		assert(memcmp(&o, &none, sizeof(o)) == 0);
		return;
	}
	assert(len == sizeof(o) && memcmp(&o, bytes, len) == 0);
	assert(o.sid >= 0 && o.sid < UINT32_MAX);
	assert(o.phase == LB_DOOR_LIST || o.sid > 0);
}

static void
check_session(const void *bytes, size_t len)
{
	struct lb_door_session s, none;

	memset(&s, 0x5a, sizeof(s));
	memset(&none, 0x5a, sizeof(none));
	if (lb_door_session_check(bytes, len, &s) != LB_OK) {
		assert(memcmp(&s, &none, sizeof(s)) == 0);
		return;
	}
	assert(len == sizeof(s) && memcmp(&s, bytes, len) == 0);
	assert(s.sid >= 0 && s.sid < UINT32_MAX && s.offline <= 1);
	CHECK(s.code);
	CHECK(s.login);
	CHECK(s.service);
	CHECK(s.engineer);
	CHECK(s.rhost);
	CHECK(s.ref);
	CHECK(s.grant);
	CHECK(s.ending);
}

static void
check_all(const void *bytes, size_t len)
{
	check_ask(bytes, len);
	check_reply(bytes, len);
	check_final(bytes, len);
	check_accepted(bytes, len);
	check_order(bytes, len);
	check_session(bytes, len);
}

/* What root says, and what it hears; 0: another kind. */
static size_t
good_word(uint8_t kind, union packet *p)
{
	if (kind == '4') {
		p->accepted.phase = LB_DOOR_ACCEPT;
		p->accepted.refused = 1;
		(void)strcpy(p->accepted.code, "nothing_new");
		(void)strcpy(p->accepted.why, "grant_over");
		return sizeof(p->accepted);
	}
	p->order.phase = LB_DOOR_LIST;
	p->order.sid = 17; /* in both at one place */
	if (kind == '5')
		return sizeof(p->order);
	if (kind != '6')
		return 0;
	(void)strcpy(p->session.code, "session");
	p->session.opened_at = LB_TIME_MIN;
	(void)strcpy(p->session.login, "deploy");
	(void)strcpy(p->session.service, "sshd");
	(void)strcpy(p->session.engineer, "alice@example.com");
	return sizeof(p->session);
}

/* A good packet of a kind; returns its size. */
static size_t
good_packet(uint8_t kind, union packet *p)
{
	memset(p, 0, sizeof(*p));
	p->ask.version = LB_DOOR_VERSION;
	if (kind > '3')
		return good_word(kind, p);
	p->ask.phase = LB_PHASE_ACCOUNT;
	if (kind == '1') {
		(void)strcpy(p->ask.service, "sshd");
		(void)strcpy(p->ask.login, "deploy");
		(void)strcpy(p->ask.rhost, "192.0.2.7");
		p->ask.auth_info_known = 1;
		(void)strcpy(p->ask.auth_info, "publickey ssh-ed25519 AAAA\n");
		return sizeof(p->ask);
	}
	p->reply.verdict = LB_VERDICT_ALLOW; /* in both at one place */
	if (kind == '3') {
		(void)strcpy(p->final.code, "no_record");
		return sizeof(p->final);
	}
	(void)strcpy(p->reply.code, "grant_live");
	(void)strcpy(p->reply.ref, "0123-4567-89AB");
	(void)strcpy(p->reply.tenant, "acme");
	(void)strcpy(p->reply.host, "db1.acme.example");
	(void)strcpy(p->reply.engineer, "alice@example.com");
	p->reply.sid = 17;
	p->reply.not_after = LB_TIME_MIN;
	(void)strcpy(p->reply.tell[0], "until 16:00Z");
	return sizeof(p->reply);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static union packet p;
	size_t size;

	if (len == 0)
		return 0;
	if (bytes[0] < '1' || bytes[0] > '6') {
		check_all(bytes + 1, len - 1);
		return 0;
	}
	size = good_packet(bytes[0], &p);
	for (size_t i = 1; i + 3 <= len; i += 3)
		p.bytes[(size_t)(bytes[i] << 8 | bytes[i + 1]) % size] =
		    bytes[i + 2];
	check_all(&p, size);
	return 0;
}
