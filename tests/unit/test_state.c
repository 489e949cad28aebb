/* The state file: it reads back, and nothing altered does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lockbox/file.h"

#include "state.h"

#define SET(array, s) assert_int_equal(lb_text_copy(array, sizeof(array), s), 0)

#define BOOT "8f9c2a44-0000-4000-8000-00000000000a"

static void
id_of(unsigned int n, char ret[LB_SHA256_LEN + 1])
{
	(void)snprintf(ret, LB_SHA256_LEN + 1, "sha256:%064x", n);
}

static void
key_of(unsigned int n, char ret[LB_KEYFP_LEN + 1])
{
	(void)snprintf(ret, LB_KEYFP_LEN + 1, "SHA256:%043u", n);
}

static void
add_kept(struct state *st, unsigned int n, const char *bundle)
{
	char id[LB_SHA256_LEN + 1];

	id_of(n, id);
	assert_int_equal(state_kept_add(st, id, bundle, strlen(bundle)), LB_OK);
}

/* A session that keeps grants 1 and 2 and rests on 1. */
static struct state_session
session(uint32_t sid)
{
	struct state_session s = { .sid = sid, .pid = 4711 };

	SET(s.login, "deploy");
	SET(s.service, "sshd");
	SET(s.engineer, "avm@provider.example");
	SET(s.rhost, "198.51.100.7");
	SET(s.ref, "0123-4567-89AB");
	key_of(1, s.keys.item[s.keys.count++]);
	key_of(2, s.keys.item[s.keys.count++]);
	id_of(1, s.rests.item[s.rests.count++]);
	id_of(1, s.keeps.item[s.keeps.count++]);
	id_of(2, s.keeps.item[s.keeps.count++]);
	s.opened_at = 1772460000;
	s.deadline = 1772467200;
	s.deadline_boot_ms = 123456789;
	s.lease_end = 1772461800;
	s.lease_end_boot_ms = 99000;
	s.final = true;
	return s;
}

static void
fill(struct state *st)
{
	struct state_session a = session(7), b = session(3);
	char id[LB_SHA256_LEN + 1];

	SET(st->boot_id, BOOT);
	st->floor = 1772460001;
	id_of(99, st->trust);
	st->trust_serial = 12;
	for (unsigned int n = 40; n < 43; n++) {
		id_of(n, id);
		assert_int_equal(lb_kills_add(&st->kills, id, 1772470000), 0);
	}
	for (int i = 0; i < 2; i++) {
		add_kept(st, 2, "lockbox-grant-v1\nsession: 5\nsum: x\n");
		add_kept(st, 1, "lockbox-grant-v1\n");
	}
	id_of(3, id); /* nobody's yet: root handed it over */
	assert_int_equal(
	    state_handed_add(st, id, "lockbox-grant-v1\n3\n", 19), LB_OK);
	a.offline = true;
	st->reports = 77;
	assert_int_equal(
	    lb_buf_adds(&st->tail, "session: 9\nsum: x\nno end"), LB_OK);
	b.rhost[0] = '\0';
	b.final = false;
	assert_int_equal(state_session_add(st, &a), LB_OK);
	assert_int_equal(state_session_add(st, &b), LB_OK);
}

static void
written(const struct state *st, struct lb_buf *ret)
{
	assert_int_equal(state_write(st, ret), LB_OK);
}

static void
test_state_round_trip(void **state)
{
	struct state st = { 0 }, back = { 0 };
	struct lb_buf one = { 0 }, two = { 0 };
	struct state_session want = session(7), *got;

	(void)state;
	fill(&st);
	written(&st, &one);
	assert_int_equal(state_parse(one.data, one.len, &back), LB_OK);
	assert_string_equal(back.boot_id, BOOT);
	assert_int_equal(back.floor, 1772460001);
	assert_string_equal(back.trust, st.trust);
	assert_int_equal(back.trust_serial, 12);
	assert_int_equal(back.kills.count, 3);
	assert_int_equal(back.reports, 77);
	assert_string_equal(back.tail.data, "session: 9\nsum: x\nno end");
	assert_int_equal(back.session_count, 2);
	want.offline = true;
	got = state_session_find(&back, 7);
	assert_non_null(got);
	assert_memory_equal(got, &want, sizeof(want));
	assert_false(state_session_find(&back, 3)->final);
	assert_string_equal(state_session_find(&back, 3)->rhost, "");
	assert_null(state_session_find(&back, 5));
	assert_int_equal(back.kept_count, 3);
	assert_false(back.kept[0].handed);
	assert_true(back.kept[2].handed);
	assert_int_equal(back.kept[2].refs, 1);
	assert_int_equal(back.kept[0].refs, 2);
	assert_string_equal(
	    back.kept[1].bundle, "lockbox-grant-v1\nsession: 5\nsum: x\n");
	written(&back, &two);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	lb_buf_clear(&one);
	lb_buf_clear(&two);
	state_clear(&st);
	state_clear(&back);
}

static void
test_state_empty(void **state)
{
	struct state st = { 0 }, back = { 0 };
	struct lb_buf text = { 0 };

	(void)state;
	written(&st, &text);
	assert_string_equal(text.data, STATE_EMPTY);
	assert_int_equal(state_parse(text.data, text.len, &back), LB_OK);
	assert_int_equal(back.session_count, 0);
	assert_int_equal(back.floor, 0);
	lb_buf_clear(&text);
	state_clear(&back);
}

static void
test_state_cut_anywhere(void **state)
{
	struct state st = { 0 }, back = { .floor = 5 };
	struct lb_buf text = { 0 };

	(void)state;
	fill(&st);
	written(&st, &text);
	for (size_t len = 0; len < text.len; len++) {
		assert_int_not_equal(state_parse(text.data, len, &back), LB_OK);
		assert_int_equal(back.floor, 5);
	}
	assert_int_equal(state_parse(text.data, text.len, &back), LB_OK);
	lb_buf_clear(&text);
	state_clear(&st);
	state_clear(&back);
}

static void
test_state_any_bit(void **state)
{
	struct state st = { 0 }, back = { 0 };
	struct lb_buf text = { 0 };

	(void)state;
	fill(&st);
	written(&st, &text);
	for (size_t i = 0; i < text.len * 8; i++) {
		text.data[i / 8] = (char)(text.data[i / 8] ^ (1 << (i % 8)));
		assert_int_not_equal(
		    state_parse(text.data, text.len, &back), LB_OK);
		text.data[i / 8] = (char)(text.data[i / 8] ^ (1 << (i % 8)));
	}
	assert_int_equal(state_parse(text.data, text.len, &back), LB_OK);
	lb_buf_clear(&text);
	state_clear(&st);
	state_clear(&back);
}

/* With a right sum: what stands there must be what we write. */
static enum lb_err
parse_summed(const char *body)
{
	struct lb_buf b = { 0 };
	struct state back = { 0 };
	char id[LB_SHA256_LEN + 1];
	enum lb_err r;

	lb_doc_id(body, strlen(body), id);
	assert_int_equal(lb_buf_addf(&b, "%ssum: %s\n", body, id), LB_OK);
	r = state_parse(b.data, b.len, &back);
	lb_buf_clear(&b);
	state_clear(&back);
	return r;
}

static void
test_state_lines(void **state)
{
#define HEAD "lockbox-state-v1\nboot: \nfloor: 0\ntrust: \nserial: 0\n"
#define ID                                                                     \
	"sha256:00000000000000000000000000000000"                              \
	"00000000000000000000000000000001"
#define GRANT  "grant: " ID " 2\na\n"
#define HANDED "handed: " ID " 2\na\n"
#define RESTS  "rests: " ID "\n"
#define KEEPS  "keeps: " ID "\n"
#define SESSION_UP_TO_FINAL                                                    \
	"session: 5\npid: 1\nlogin: a\nservice: sshd\nengineer: e\n"           \
	"rhost: \nref: r\nopened: 1\ndeadline: 1\nboottime: 1\n"               \
	"lease: 1\nleaseboot: 1\n"
	static const char *const bad[] = {
		"lockbox-state-v2\nboot: \nfloor: 0\ntrust: \nserial: 0\n",
		"lockbox-state-v1\nfloor: 0\nboot: \ntrust: \nserial: 0\n",
		HEAD "surprise: 1\n",
		HEAD "kill: " ID "\n",
		HEAD "kill: " ID " -1\n",
		HEAD "kill: " ID " 01\n",
		HEAD "kill: " ID " 1\nkill: " ID " 1\n",
		HEAD "kill: sha256:zz 1\n",
		HEAD "grant: " ID " 99\nshort\n",
		HEAD "grant: " ID " 0\n",
		HEAD "grant: " ID " 2\na\ngrant: " ID " 2\na\n",
		HEAD HANDED GRANT,
		HEAD GRANT HANDED,
		HEAD "handed: " ID " 99\nshort\n",
		HEAD GRANT SESSION_UP_TO_FINAL
		"final: 1\noffline: 0\n" RESTS KEEPS,
		HEAD GRANT SESSION_UP_TO_FINAL
		"final: 1\noffline: 2\n" RESTS KEEPS,
		HEAD SESSION_UP_TO_FINAL,
		HEAD SESSION_UP_TO_FINAL "final: 2\n",
		HEAD SESSION_UP_TO_FINAL "final: 1\nkeeps: " ID "\n",
		HEAD SESSION_UP_TO_FINAL "final: 1\n",
		HEAD GRANT SESSION_UP_TO_FINAL "final: 1\n" KEEPS,
		HEAD GRANT SESSION_UP_TO_FINAL "final: 1\n" RESTS,
		HEAD SESSION_UP_TO_FINAL "final: 1\n" RESTS KEEPS,
		HEAD GRANT SESSION_UP_TO_FINAL
		"final: 1\n" RESTS KEEPS SESSION_UP_TO_FINAL
		"final: 1\n" RESTS KEEPS,
	};
	static const char *const good[] = {
		HEAD,
		HEAD "kill: " ID " 1\n",
		HEAD GRANT,
		HEAD HANDED,
		HEAD GRANT SESSION_UP_TO_FINAL "final: 1\n" RESTS KEEPS,
		HEAD HANDED SESSION_UP_TO_FINAL
		"final: 1\noffline: 1\n" RESTS KEEPS,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(parse_summed(good[i]), LB_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(parse_summed(bad[i]), LB_OK);
}

static void
test_state_kept_counts_its_users(void **state)
{
	struct state st = { 0 };
	char id[LB_SHA256_LEN + 1];

	(void)state;
	fill(&st);
	id_of(1, id);
	state_session_drop(&st, 7);
	assert_non_null(state_kept_find(&st, id));
	state_session_drop(&st, 7); /* already gone */
	state_session_drop(&st, 3);
	assert_null(state_kept_find(&st, id));
	assert_int_equal(st.kept_count, 1); /* what root handed over */
	add_kept(&st, 1, "old");
	add_kept(&st, 1, "newer");
	assert_string_equal(state_kept_find(&st, id)->bundle, "newer");
	assert_int_equal(
	    state_kept_add(&st, "sha256:x", "b", 1), LB_ERR_FORMAT);
	assert_int_equal(state_kept_add(&st, id, "b", 0), LB_ERR_RANGE);
	state_clear(&st);
}

/* What root handed over stays without a session, and as he handed it over. */
static void
test_state_handed(void **state)
{
	struct state st = { 0 };
	char id[LB_SHA256_LEN + 1];

	(void)state;
	id_of(1, id);
	add_kept(&st, 1, "from the broker");
	assert_int_equal(state_handed_add(&st, id, "from root", 9), LB_OK);
	assert_string_equal(state_kept_find(&st, id)->bundle, "from root");
	add_kept(&st, 1, "from the broker again");
	assert_string_equal(state_kept_find(&st, id)->bundle, "from root");
	assert_int_equal(
	    state_handed_add(&st, id, "again", 5), LB_ERR_CONFLICT);
	state_kept_drop(&st, id);
	state_kept_drop(&st, id);
	assert_true(state_kept_find(&st, id)->handed);
	state_handed_drop(&st, id);
	assert_null(state_kept_find(&st, id));
	state_handed_drop(&st, id); /* not there */
	for (unsigned int n = 0; n < STATE_HANDED_MAX; n++) {
		id_of(n, id);
		assert_int_equal(state_handed_add(&st, id, "b", 1), LB_OK);
	}
	id_of(STATE_HANDED_MAX, id);
	assert_int_equal(state_handed_add(&st, id, "b", 1), LB_ERR_LIMIT);
	add_kept(&st, STATE_HANDED_MAX, "a broker's is none of these");
	state_clear(&st);
}

static void
test_state_session_twice(void **state)
{
	struct state st = { 0 };
	struct state_session s = session(9);

	(void)state;
	s.keeps.count = s.rests.count = 0;
	assert_int_equal(state_session_add(&st, &s), LB_OK);
	assert_int_equal(state_session_add(&st, &s), LB_ERR_CONFLICT);
	for (uint32_t sid = 10; sid < STATE_SESSIONS_MAX + 9; sid++) {
		s.sid = sid;
		assert_int_equal(state_session_add(&st, &s), LB_OK);
	}
	s.sid = 1;
	assert_int_equal(state_session_add(&st, &s), LB_ERR_LIMIT);
	state_session_drop(&st, 500);
	assert_int_equal(state_session_add(&st, &s), LB_OK);
	assert_int_equal(st.session[0].sid, 1);
	state_clear(&st);
}

static void
test_state_file(void **state)
{
	char dir[] = "/tmp/lockbox-state-XXXXXX", path[64];
	struct state st = { 0 }, back = { 0 };
	struct stat info;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/state", dir);
	fill(&st);
	assert_int_equal(state_load(path, geteuid(), &back), LB_ERR_MISSING);
	assert_int_equal(state_save(path, &st), LB_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(state_load(path, geteuid(), &back), LB_OK);
	assert_int_equal(back.session_count, 2);
	state_clear(&back);
	/* A write that fails leaves the old one as it was. */
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(state_load(path, geteuid(), &back), LB_ERR_UNTRUSTED);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(state_load(path, geteuid(), &back), LB_ERR_FORMAT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_not_equal(state_save(path, &st), LB_OK);
	state_clear(&st);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_round_trip),
		cmocka_unit_test(test_state_empty),
		cmocka_unit_test(test_state_cut_anywhere),
		cmocka_unit_test(test_state_any_bit),
		cmocka_unit_test(test_state_lines),
		cmocka_unit_test(test_state_kept_counts_its_users),
		cmocka_unit_test(test_state_handed),
		cmocka_unit_test(test_state_session_twice),
		cmocka_unit_test(test_state_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
