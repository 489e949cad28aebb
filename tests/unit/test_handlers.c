/*
 * The broker without a socket and with a clock of its own: what time does to
 * sessions, nonces, requests, grants and invitations, to the second.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "lockbox/clock.h"

#include "fixture_key.h"
#include "init.h"
#include "log.h"
#include "route.h"
#include "timers.h"

/* 2088-03-02T14:00:00Z: after what init wrote by the real clock. */
#define START INT64_C(3729074400)
#define HOUR  INT64_C(3600)

static int64_t now_at;

static int64_t
test_clock(void)
{
	return now_at;
}

struct somebody {
	const char *name;
	struct lb_signer *signer;
	char token[64];
};

struct house {
	char dir[48];
	struct app *app;
	struct somebody olga, avm, mia, anna, host;
	struct lb_buf trust;
	char trust_id[LB_SHA256_LEN + 1];
	const char *origin; /* of calls; or NULL */
	struct reply reply;
	json_t *json; /* of the last reply */
};

static void
public_of(const struct somebody *s, char ret[static LB_KEY_TEXT_MAX + 1])
{
	lb_sshkey_format(lb_signer_key(s->signer), ret);
}

/* One call; the status. */
static unsigned int
call_do(struct house *h, const char *method, const char *path,
    const struct somebody *who, const char *body, const char *idem)
{
	char bearer[80], allow[64];
	struct call call = { .body = body,
		.body_len = strlen(body),
		.address = "127.0.0.1",
		.idempotency_key = idem,
		.origin = h->origin,
		.query.limit = 50 };
	const struct route *r;

	r = route_find(method, path, call.arg, allow);
	assert_non_null(r);
	if (who != NULL && who->token[0] != '\0') {
		(void)snprintf(bearer, sizeof(bearer), "Bearer %s", who->token);
		call.authorization = bearer;
	}
	reply_clear(&h->reply);
	json_decref(h->json);
	h->json = NULL;
	route_run(h->app, r, &call, &h->reply);
	if (h->reply.type != NULL && strncmp(h->reply.type, "text/", 5) != 0)
		h->json =
		    json_loadb(h->reply.body.data, h->reply.body.len, 0, NULL);
	return h->reply.status;
}

static unsigned int
get(struct house *h, const char *path, const struct somebody *who)
{
	return call_do(h, "GET", path, who, "", NULL);
}

/* Takes o over. */
static unsigned int
post(struct house *h, const char *path, const struct somebody *who, json_t *o)
{
	char *text = json_dumps(o, 0);
	unsigned int status;

	assert_non_null(text);
	json_decref(o);
	status = call_do(h, "POST", path, who, text, NULL);
	free(text);
	return status;
}

static const char *
said(const struct house *h, const char *name)
{
	const char *s = json_string_value(json_object_get(h->json, name));

	return s != NULL ? s : "";
}

static char *
sign(const struct somebody *s, enum lb_ns ns, const char *text)
{
	struct lb_buf b = { 0 };

	assert_int_equal(
	    lb_signer_sign(s->signer, ns, text, strlen(text), &b), LB_OK);
	return b.data; /* freed with free() */
}

static json_t *
signed_json(
    const struct somebody *s, enum lb_ns ns, const char *text, bool with_text)
{
	char *armor = sign(s, ns, text);
	json_t *o = json_pack("{s:s}", "signature", armor);

	if (with_text)
		assert_int_equal(
		    json_object_set_new(o, "text", json_string(text)), 0);
	free(armor);
	return o;
}

static unsigned int
signin_with(struct house *h, struct somebody *s, const char *nonce)
{
	char text[512], time[LB_TIME_LEN + 1];

	lb_time_format(now_at, time);
	(void)snprintf(text, sizeof(text),
	    "lockbox-signin-v1\nbroker: support\nprincipal: %s\nnonce: %s\n"
	    "time: %s\n",
	    s->name, nonce, time);
	return post(
	    h, "/v1/signin", NULL, signed_json(s, LB_NS_SIGNIN, text, true));
}

static void
signin(struct house *h, struct somebody *s)
{
	char nonce[LB_NONCE_LEN + 1];

	assert_int_equal(post(h, "/v1/signin/nonce", NULL, json_object()), 200);
	(void)snprintf(nonce, sizeof(nonce), "%s", said(h, "nonce"));
	assert_int_equal(signin_with(h, s, nonce), 200);
	(void)snprintf(s->token, sizeof(s->token), "%s", said(h, "token"));
}

static void
somebody_new(struct somebody *s, const char *name)
{
	s->name = name;
	assert_int_equal(lb_signer_new(&s->signer), LB_OK);
}

static void
person(struct house *h, struct somebody *s, const char *role)
{
	char key[LB_KEY_TEXT_MAX + 1];

	public_of(s, key);
	assert_int_equal(post(h, "/v1/people", &h->olga,
			     json_pack("{s:s, s:[s], s:[s]}", "principal",
				 s->name, "roles", role, "keys", key)),
	    201);
	signin(h, s);
}

static void
tenant(struct house *h)
{
	char key[LB_KEY_TEXT_MAX + 1];
	struct lb_buf bundle = { 0 };
	char *armor;

	public_of(&h->anna, key);
	assert_int_equal(lb_buf_addf(&h->trust,
			     "lockbox-trust-v1\ntenant: acme\nserial: 1\n"
			     "good-until: 2088-06-01T00:00:00Z\nthreshold: 1\n"
			     "require: any\nlongest: 86400\nlease: 1800\n"
			     "offline: deny\n"
			     "broker: support namespaces=\"lockbox-answer-v1\" "
			     "%s\n"
			     "approver: anna namespaces=\"lockbox-approve-v1,"
			     "lockbox-deny-v1,lockbox-revoke-v1,"
			     "lockbox-trust-v1\" %s\n",
			     h->app->key_line, key),
	    LB_OK);
	lb_doc_id(h->trust.data, h->trust.len, h->trust_id);
	armor = sign(&h->anna, LB_NS_TRUST, h->trust.data);
	assert_int_equal(
	    lb_buf_addf(&bundle, "%s%s", h->trust.data, armor), LB_OK);
	free(armor);
	assert_int_equal(post(h, "/v1/tenants", &h->olga,
			     json_pack("{s:s}", "bundle", bundle.data)),
	    201);
	lb_buf_clear(&bundle);
}

static void
mac_hex(const uint8_t secret[static 16], const char *text, char *ret)
{
	crypto_auth_hmacsha256_state s;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	(void)crypto_auth_hmacsha256_init(&s, secret, 16);
	(void)crypto_auth_hmacsha256_update(
	    &s, (const uint8_t *)text, strlen(text));
	(void)crypto_auth_hmacsha256_final(&s, mac);
	lb_hex_encode(mac, sizeof(mac), ret);
}

/* 26 chars of Crockford's base32 to 128 bits. */
static void
secret_of(const char *code, uint8_t ret[static 16])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	const char *s = strrchr(code, '-') + 1;

	memset(ret, 0, 16);
	for (size_t bit = 0; bit < 128; bit++) {
		size_t v = (size_t)(strchr(digits, s[bit / 5]) - digits);

		if ((v >> (4 - bit % 5) & 1) != 0)
			ret[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
}

static void
invite(struct house *h, const char *name, char code[static 160])
{
	assert_int_equal(
	    post(h, "/v1/hosts", &h->olga,
		json_pack("{s:s, s:s}", "tenant", "acme", "name", name)),
	    201);
	(void)snprintf(code, 160, "%s", said(h, "code"));
}

static unsigned int
enrol(struct house *h, const struct somebody *s, const char *name,
    const char *code)
{
	const char *machine = "0123456789abcdef0123456789abcdef";
	char key[LB_KEY_TEXT_MAX + 1], keyid[17], mac[65], text[1024];
	uint8_t secret[16];

	public_of(s, key);
	(void)snprintf(keyid, sizeof(keyid), "%s", strchr(code, '-') + 1);
	secret_of(code, secret);
	(void)snprintf(text, sizeof(text),
	    "lockbox-enrol-v1\n%s\nacme\nsupport\n%s\n%s\n%s\n%s\n", name,
	    keyid, key, machine, machine);
	mac_hex(secret, text, mac);
	return post(h, "/v1/enrol", NULL,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "host", name,
		"tenant", "acme", "keyid", keyid, "key", key, "machine_id",
		machine, "nonce", machine, "mac", mac));
}

/* A new directory with a broker in it; init's words go nowhere. */
static void
broker_make(struct house *h)
{
	char pub[64], key[LB_KEY_TEXT_MAX + 1], path[96];
	struct init_options o = { .name = "support",
		.url = "https://127.0.0.1",
		.operator_name = "olga",
		.operator_key = pub,
		.listen = "127.0.0.1:0" };
	struct lb_conf_error e;
	struct config conf;
	int out = dup(STDOUT_FILENO), null = open("/dev/null", O_WRONLY);
	FILE *f;

	strcpy(h->dir, "/tmp/lockbox-handlers-XXXXXX");
	assert_non_null(mkdtemp(h->dir));
	(void)snprintf(pub, sizeof(pub), "%s/olga.pub", h->dir);
	public_of(&h->olga, key);
	f = fopen(pub, "we");
	assert_non_null(f);
	(void)fprintf(f, "%s a comment\n", key);
	assert_int_equal(fclose(f), 0);
	o.dir = h->dir;
	(void)fflush(stdout);
	(void)dup2(null, STDOUT_FILENO);
	assert_int_equal(init_run(&o), LB_OK);
	(void)fflush(stdout);
	(void)dup2(out, STDOUT_FILENO);
	(void)close(out);
	(void)close(null);
	(void)snprintf(path, sizeof(path), "%s/broker.conf", h->dir);
	assert_int_equal(config_load(path, &conf, &e), LB_OK);
	conf.rate_signin = conf.rate_request = conf.rate_decision =
	    conf.rate_enrol = 1000000;
	assert_int_equal(app_open(&conf, &h->app), LB_OK);
	h->app->clock = test_clock;
}

static int
setup(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	char code[160];

	now_at = START;
	somebody_new(&h->olga, "olga");
	somebody_new(&h->avm, "avm");
	somebody_new(&h->mia, "mia");
	somebody_new(&h->anna, "anna");
	somebody_new(&h->host, "db1");
	broker_make(h);
	signin(h, &h->olga);
	person(h, &h->avm, "engineer");
	person(h, &h->mia, "manager");
	tenant(h);
	signin(h, &h->anna);
	invite(h, "db1", code);
	assert_int_equal(enrol(h, &h->host, "db1", code), 201);
	*state = h;
	return 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;
	struct somebody *all[] = { &h->olga, &h->avm, &h->mia, &h->anna,
		&h->host };
	char command[80];

	app_close(h->app);
	for (size_t i = 0; i < 5; i++)
		lb_signer_free(all[i]->signer);
	lb_buf_clear(&h->trust);
	reply_clear(&h->reply);
	json_decref(h->json);
	(void)snprintf(command, sizeof(command), "rm -r '%s'", h->dir);
	assert_int_equal(system(command), 0);
	free(h);
	return 0;
}

/* A request of avm's; returns its text, freed with free(). */
static char *
request_text(struct house *h, const char *login, int64_t duration)
{
	static unsigned int count;
	char time[LB_TIME_LEN + 1], *text = malloc(2048);

	lb_time_format(now_at, time);
	(void)snprintf(text, 2048,
	    "lockbox-request-v1\nrequest: 01JNBWQ70000000000000%05u\n"
	    "tenant: acme\nbroker: support\nengineer: avm\n"
	    "engineer-key: %s\nhost: db1\nlogin: %s\nservice: sshd\n"
	    "duration: %lld\nreason-type: customer_initiated_support\n"
	    "reason: disk is full\nrequested: %s\n",
	    10000 + ++count % 10000, lb_signer_key(h->avm.signer)->fp, login,
	    (long long)duration, time);
	return text;
}

/* Ask for login; the request's id and text in ret. */
struct asked {
	char id[LB_ID_LEN + 1], path[128], *text;
};

static void
ask_for(struct house *h, const char *login, struct asked *ret)
{
	ret->text = request_text(h, login, 2 * HOUR);
	assert_int_equal(
	    post(h, "/v1/requests", &h->avm,
		signed_json(&h->avm, LB_NS_REQUEST, ret->text, true)),
	    201);
	(void)snprintf(ret->id, sizeof(ret->id), "%s", said(h, "id"));
	(void)snprintf(
	    ret->path, sizeof(ret->path), "/v1/requests/%s", ret->id);
}

static unsigned int
endorse(struct house *h, const struct asked *a)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/endorse", a->path);
	return post(
	    h, path, NULL, signed_json(&h->mia, LB_NS_ENDORSE, a->text, false));
}

static unsigned int
approve(struct house *h, const struct asked *a)
{
	char path[160], *text;
	unsigned int status;

	(void)snprintf(path, sizeof(path), "%s/draft", a->path);
	status = post(h, path, &h->anna, json_object());
	if (status != 200)
		return status;
	text = strdup(said(h, "text"));
	(void)snprintf(path, sizeof(path), "%s/approve", a->path);
	status = post(
	    h, path, NULL, signed_json(&h->anna, LB_NS_APPROVE, text, true));
	free(text);
	return status;
}

static const char *
state_of(struct house *h, const struct asked *a)
{
	assert_int_equal(get(h, a->path, &h->avm), 200);
	return said(h, "state");
}

/* db1's question about login, signed. */
static void
question(
    struct house *h, const char *login, int64_t asked_at, struct lb_buf *ret)
{
	char time[LB_TIME_LEN + 1], text[1024], *armor;

	lb_time_format(asked_at, time);
	(void)snprintf(text, sizeof(text),
	    "lockbox-question-v1\nhost: db1\ntenant: acme\nbroker: support\n"
	    "trust: %s\nnonce: 000102030405060708090a0b0c0d0e0f\nlogin: %s\n"
	    "service: sshd\nasked: %s\n",
	    h->trust_id, login, time);
	armor = sign(&h->host, LB_NS_QUESTION, text);
	assert_int_equal(lb_buf_addf(ret, "%s%s", text, armor), LB_OK);
	free(armor);
}

/* The answer in the last reply. */
static void
answer_read(const struct house *h, struct lb_answer *ret)
{
	struct lb_bundle *b = NULL;

	assert_int_equal(
	    lb_bundle_split(h->reply.body.data, h->reply.body.len, &b), LB_OK);
	assert_int_equal(
	    lb_answer_parse(b->part[0].doc.text, b->part[0].doc.len, ret),
	    LB_OK);
	lb_bundle_free(b);
}

/* db1 asks about login; the answer, or the refusal's status. */
static unsigned int
door(
    struct house *h, const char *login, int64_t asked_at, struct lb_answer *ret)
{
	struct lb_buf bundle = { 0 };
	unsigned int status;

	question(h, login, asked_at, &bundle);
	status = call_do(h, "POST", "/v1/ask", NULL, bundle.data, NULL);
	lb_buf_clear(&bundle);
	if (status == 200)
		answer_read(h, ret);
	return status;
}

/* db1 watches; false: it waits. late: it is woken from there. */
static bool
watch(struct house *h, const char *login, int64_t asked_at, struct waiter *x,
    bool late, struct lb_answer *ret)
{
	struct lb_buf bundle = { 0 };
	struct call call = { .address = "127.0.0.1", .late = late };
	const struct route *r;
	char allow[64];
	bool waits;

	question(h, login, asked_at, &bundle);
	call.body = bundle.data;
	call.body_len = bundle.len;
	call.waiter = x;
	r = route_find("POST", "/v1/watch", call.arg, allow);
	assert_non_null(r);
	reply_clear(&h->reply);
	route_run(h->app, r, &call, &h->reply);
	lb_buf_clear(&bundle);
	waits = h->reply.waits;
	h->reply.waits = false;
	if (!waits)
		answer_read(h, ret);
	return !waits;
}

static void
assert_door(
    struct house *h, const char *login, const char *verdict, const char *code)
{
	struct lb_answer a;

	assert_int_equal(door(h, login, now_at, &a), 200);
	assert_string_equal(a.code, code);
	assert_string_equal(a.verdict, verdict);
	assert_int_equal(a.answered, now_at);
}

static void
test_nobody_endorses_for_two_hours(void **state)
{
	struct house *h = *state;
	struct asked a;

	ask_for(h, "u1", &a);
	now_at = START + 2 * HOUR - 1;
	signin(h, &h->avm);
	assert_string_equal(state_of(h, &a), "pending_endorsement");
	assert_door(h, "u1", "pending", "pending_endorsement");
	now_at++;
	assert_string_equal(state_of(h, &a), "lapsed");
	assert_door(h, "u1", "deny", "lapsed");
	assert_int_equal(endorse(h, &a), 409);
	assert_string_equal(said(h, "code"), "wrong_state");
	free(a.text);
}

static void
test_twelve_hours_count_from_the_endorsement(void **state)
{
	struct house *h = *state;
	struct asked a;
	int64_t end;

	ask_for(h, "u1", &a);
	now_at = START + 2 * HOUR - 1;
	assert_int_equal(endorse(h, &a), 200);
	end = now_at + 12 * HOUR;
	now_at = end - 1;
	signin(h, &h->avm);
	signin(h, &h->anna);
	assert_string_equal(state_of(h, &a), "pending_approval");
	assert_int_equal(approve(h, &a), 200);
	assert_string_equal(said(h, "state"), "active");
	free(a.text);
	/* and one that nobody approves */
	ask_for(h, "u2", &a);
	assert_int_equal(endorse(h, &a), 200);
	now_at += 12 * HOUR;
	signin(h, &h->anna);
	assert_int_equal(approve(h, &a), 409);
	assert_string_equal(said(h, "code"), "wrong_state");
	assert_string_equal(said(h, "detail"), "lapsed");
	free(a.text);
}

static void
test_a_grant_ends_to_the_second(void **state)
{
	struct house *h = *state;
	struct asked a;

	ask_for(h, "u1", &a);
	assert_int_equal(endorse(h, &a), 200);
	assert_int_equal(approve(h, &a), 200);
	assert_door(h, "u1", "allow", "granted");
	now_at = START + 2 * HOUR - 1;
	assert_door(h, "u1", "allow", "granted");
	now_at++;
	assert_door(h, "u1", "deny", "expired");
	signin(h, &h->avm);
	assert_string_equal(state_of(h, &a), "expired");
	free(a.text);
}

/* Change something about avm in the roster. Takes o over. */
static void
avm_set(struct house *h, json_t *o)
{
	assert_int_equal(post(h, "/v1/people/avm", &h->olga, o), 200);
}

static json_t *
avm_keys(const struct somebody *s)
{
	char key[LB_KEY_TEXT_MAX + 1];

	public_of(s, key);
	return json_pack("{s:[s]}", "keys", key);
}

/* What an engineer who left had asked for, or was granted, is no way in. */
static void
test_who_left_the_roster_enters_nowhere(void **state)
{
	struct house *h = *state;
	struct somebody other;
	struct asked a, b, c;

	ask_for(h, "u1", &a);
	ask_for(h, "u2", &b);
	ask_for(h, "u3", &c);
	assert_int_equal(endorse(h, &a), 200);
	assert_int_equal(endorse(h, &b), 200);
	assert_int_equal(approve(h, &a), 200);
	assert_door(h, "u1", "allow", "granted");
	avm_set(h, json_pack("{s:b}", "active", 0));
	assert_int_equal(get(h, "/v1/whoami", &h->avm), 401);
	assert_door(h, "u1", "deny", "no_grant");
	assert_int_equal(approve(h, &b), 422);
	assert_string_equal(said(h, "code"), "would_not_pass");
	assert_int_equal(endorse(h, &c), 422);
	avm_set(h, json_pack("{s:b}", "active", 1));
	assert_door(h, "u1", "allow", "granted");
	/* a key that was lost */
	somebody_new(&other, "avm");
	avm_set(h, avm_keys(&other));
	assert_door(h, "u1", "deny", "no_grant");
	assert_int_equal(approve(h, &b), 422);
	avm_set(h, avm_keys(&h->avm));
	assert_door(h, "u1", "allow", "granted");
	assert_int_equal(approve(h, &b), 200);
	assert_int_equal(endorse(h, &c), 200);
	lb_signer_free(other.signer);
	free(a.text);
	free(b.text);
	free(c.text);
}

/* What a timer writes is what was judged already; and it stays so when the
 * clock goes back. */
static void
test_timers_write_down_what_time_did(void **state)
{
	struct house *h = *state;
	struct asked a, b;

	ask_for(h, "u1", &a);
	assert_int_equal(endorse(h, &a), 200);
	assert_int_equal(approve(h, &a), 200);
	ask_for(h, "u2", &b);
	timers_run(h->app);
	assert_string_equal(state_of(h, &a), "active");
	now_at = START + 2 * HOUR;
	timers_run(h->app);
	timers_purge(h->app);
	now_at = START + HOUR / 2;
	signin(h, &h->avm);
	assert_string_equal(state_of(h, &a), "expired");
	assert_string_equal(state_of(h, &b), "lapsed");
	assert_door(h, "u1", "deny", "expired");
	assert_int_equal(get(h, "/readyz", NULL), 503); /* before the record */
	now_at = START + 2 * HOUR;
	assert_int_equal(get(h, "/readyz", NULL), 200);
	free(a.text);
	free(b.text);
}

static void
test_a_lapsed_request_makes_room(void **state)
{
	struct house *h = *state;
	struct asked a, b;

	ask_for(h, "u1", &a);
	now_at = START + 2 * HOUR;
	signin(h, &h->avm);
	ask_for(h, "u1", &b); /* no timer ran in between */
	assert_string_equal(state_of(h, &a), "lapsed");
	assert_string_equal(state_of(h, &b), "pending_endorsement");
	free(a.text);
	free(b.text);
}

static void
test_sessions_end(void **state)
{
	struct house *h = *state;

	now_at = START + HOUR - 1;
	assert_int_equal(get(h, "/v1/whoami", &h->avm), 200);
	now_at++;
	assert_int_equal(get(h, "/v1/whoami", &h->avm), 401);
	assert_string_equal(said(h, "code"), "signin_needed");
}

static void
test_nonces_are_good_for_five_minutes_and_once(void **state)
{
	struct house *h = *state;
	char nonce[LB_NONCE_LEN + 1];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    post(h, "/v1/signin/nonce", NULL, json_object()), 200);
		(void)snprintf(nonce, sizeof(nonce), "%s", said(h, "nonce"));
		now_at += 299 + i;
		assert_int_equal(
		    signin_with(h, &h->avm, nonce), i == 0 ? 200 : 401);
	}
	assert_int_equal(post(h, "/v1/signin/nonce", NULL, json_object()), 200);
	(void)snprintf(nonce, sizeof(nonce), "%s", said(h, "nonce"));
	assert_int_equal(signin_with(h, &h->avm, nonce), 200);
	assert_int_equal(signin_with(h, &h->avm, nonce), 401);
	assert_string_equal(said(h, "code"), "nonce_over");
	/* purged when the session is over, and then too old anyway */
	now_at += HOUR + 600;
	timers_purge(h->app);
	assert_int_equal(signin_with(h, &h->avm, nonce), 401);
}

static void
test_questions_are_of_now(void **state)
{
	static const struct {
		int64_t off;
		const char *code;
	} row[] = { { 0, "no_grant" }, { -60, "no_grant" }, { 60, "no_grant" },
		{ -61, "clock_skew" }, { 61, "clock_skew" } };
	struct house *h = *state;
	struct lb_answer a;

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(door(h, "u1", now_at + row[i].off, &a), 200);
		assert_string_equal(a.code, row[i].code);
	}
}

/* Fresh when it comes, however old when it is answered; of this moment then. */
static void
test_watches_are_answered_as_things_are_then(void **state)
{
	struct house *h = *state;
	struct waiter x = { .fd = -1 };
	struct lb_answer a;
	struct asked q;

	ask_for(h, "u1", &q);
	assert_int_equal(endorse(h, &q), 200);
	assert_true(watch(h, "u1", START, &x, false, &a)); /* the first */
	assert_string_equal(a.code, "pending_approval");
	assert_false(watch(h, "u1", START - 60, &x, false, &a));
	assert_int_equal(wake_count(h->app->wake), 1);
	assert_int_equal(x.cause, 0);
	assert_int_equal(approve(h, &q), 200);
	assert_int_equal(x.cause, WAKE_NEWS);
	assert_false(wake_park(h->app->wake, &x));
	now_at += 50;
	assert_true(watch(h, "u1", START - 60, &x, true, &a));
	assert_string_equal(a.verdict, "allow");
	assert_string_equal(a.code, "granted");
	assert_int_equal(a.answered, START + 50);

	/* a clock that is off does not wait */
	assert_true(watch(h, "u1", now_at - 61, &x, false, &a));
	assert_string_equal(a.code, "clock_skew");
	assert_true(watch(h, "u1", now_at + 61, &x, false, &a));
	assert_string_equal(a.code, "clock_skew");

	/* without news it says so */
	assert_false(watch(h, "u1", now_at, &x, false, &a));
	wake_end(h->app->wake);
	assert_int_equal(x.cause, WAKE_END);
	now_at += 50;
	assert_true(watch(h, "u1", now_at - 50, &x, true, &a));
	assert_string_equal(a.verdict, "allow");
	assert_string_equal(a.code, "no_news");
	assert_int_equal(a.good_until, now_at + 1800);
	free(q.text);
}

static void
test_invitations_are_good_for_an_hour(void **state)
{
	struct house *h = *state;
	struct somebody other;
	char code[160];

	somebody_new(&other, "db2");
	invite(h, "db2", code);
	now_at = START + HOUR;
	assert_int_equal(enrol(h, &other, "db2", code), 401);
	now_at--;
	assert_int_equal(enrol(h, &other, "db2", code), 201);
	assert_int_equal(enrol(h, &other, "db2", code), 401);
	/* a key that another host has */
	signin(h, &h->olga);
	invite(h, "db3", code);
	assert_int_equal(enrol(h, &other, "db3", code), 401);
	assert_int_equal(enrol(h, &h->anna, "db3", code), 201);
	lb_signer_free(other.signer);
}

static void
test_trust_past_its_end_opens_nothing(void **state)
{
	struct house *h = *state;
	struct asked a;
	int64_t end;

	assert_int_equal(lb_time_parse("2088-06-01T00:00:00Z", &end), LB_OK);
	now_at = end - HOUR;
	signin(h, &h->avm);
	signin(h, &h->anna);
	ask_for(h, "u1", &a);
	assert_int_equal(endorse(h, &a), 200);
	assert_int_equal(approve(h, &a), 200);
	now_at = end - 1;
	assert_door(h, "u1", "allow", "granted");
	now_at = end;
	assert_door(h, "u1", "deny", "trust_expired");
	free(a.text);
}

static void
test_idempotency_keys_are_kept_a_day(void **state)
{
	struct house *h = *state;
	const char *body = "{\"tenant\":\"acme\",\"name\":\"db7\"}";
	char code[160];

	assert_int_equal(
	    call_do(h, "POST", "/v1/hosts", &h->olga, body, "k1"), 201);
	(void)snprintf(code, sizeof(code), "%s", said(h, "code"));
	now_at += 24 * HOUR;
	timers_purge(h->app);
	signin(h, &h->olga);
	assert_int_equal(
	    call_do(h, "POST", "/v1/hosts", &h->olga, body, "k1"), 201);
	assert_string_equal(said(h, "code"), code);
	now_at++;
	timers_purge(h->app);
	assert_int_equal(
	    call_do(h, "POST", "/v1/hosts", &h->olga, body, "k1"), 201);
	assert_string_not_equal(said(h, "code"), code);
}

/* Only the customer's keys approve, whoever is signed in. */
#define OWNS                                                                   \
	"namespaces=\"lockbox-approve-v1,lockbox-deny-v1,lockbox-revoke-v1,"   \
	"lockbox-trust-v1\""

/* A successor for two owners; anna's key is good for an hour more. */
static void
two_owners(struct house *h, const struct somebody *bert, int serial,
    const char *previous, struct lb_buf *ret)
{
	char a[LB_KEY_TEXT_MAX + 1], b[LB_KEY_TEXT_MAX + 1];

	public_of(&h->anna, a);
	public_of(bert, b);
	assert_int_equal(
	    lb_buf_addf(ret,
		"lockbox-trust-v1\ntenant: acme\nserial: %d\n"
		"previous: %s\n"
		"good-until: 2088-06-01T00:00:00Z\nthreshold: 2\n"
		"require: any\nlongest: 86400\nlease: 1800\n"
		"offline: deny\n"
		"broker: support namespaces=\"lockbox-answer-v1\" "
		"%s\n"
		"approver: anna " OWNS ",valid-before=\"20880302150000Z\" %s\n"
		"approver: bert " OWNS " %s\n",
		serial, previous, h->app->key_line, a, b),
	    LB_OK);
}

static unsigned int
propose(struct house *h, const struct somebody *owner, const char *text)
{
	return post(h, "/v1/tenants/acme/proposal", NULL,
	    signed_json(owner, LB_NS_TRUST, text, true));
}

/* How many signatures of the proposal count. */
static size_t
counted(struct house *h)
{
	assert_int_equal(get(h, "/v1/tenants/acme/proposal", &h->olga), 200);
	return json_array_size(json_object_get(h->json, "signatures"));
}

/* Owners' signatures are counted when they matter, not when they came. */
static void
test_a_proposal_counts_keys_in_their_dates(void **state)
{
	struct house *h = *state;
	struct lb_buf second = { 0 }, third = { 0 };
	char id[LB_SHA256_LEN + 1];
	struct somebody bert;

	somebody_new(&bert, "bert");
	two_owners(h, &bert, 2, h->trust_id, &second);
	assert_int_equal(propose(h, &h->anna, second.data), 201);
	assert_true(json_is_null(json_object_get(h->json, "proposal")));
	lb_doc_id(second.data, second.len, id);
	two_owners(h, &bert, 3, id, &third);
	assert_int_equal(propose(h, &h->anna, third.data), 201);
	now_at = START + HOUR - 1;
	signin(h, &h->olga);
	assert_int_equal(counted(h), 1);
	now_at = START + HOUR;
	assert_int_equal(counted(h), 0);
	assert_int_equal(propose(h, &h->anna, third.data), 422);
	assert_int_equal(propose(h, &bert, third.data), 200);
	assert_int_equal(counted(h), 1);
	/* Control: within her dates the two of them were enough. */
	now_at = START + HOUR - 1;
	assert_int_equal(counted(h), 2);
	assert_int_equal(propose(h, &bert, third.data), 200);
	assert_true(json_is_null(json_object_get(h->json, "proposal")));
	lb_signer_free(bert.signer);
	lb_buf_clear(&second);
	lb_buf_clear(&third);
}

static unsigned int
bring(struct house *h, const struct somebody *s, const char *code)
{
	char text[512], time[LB_TIME_LEN + 1], key[LB_KEY_TEXT_MAX + 1];
	char nonce[LB_NONCE_LEN + 1];
	json_t *o;

	assert_int_equal(post(h, "/v1/signin/nonce", NULL, json_object()), 200);
	(void)snprintf(nonce, sizeof(nonce), "%s", said(h, "nonce"));
	lb_time_format(now_at, time);
	(void)snprintf(text, sizeof(text),
	    "lockbox-signin-v1\nbroker: support\nprincipal: %s\nnonce: %s\n"
	    "time: %s\n",
	    s->name, nonce, time);
	public_of(s, key);
	o = signed_json(s, LB_NS_SIGNIN, text, true);
	assert_int_equal(json_object_set_new(o, "key", json_string(key)), 0);
	assert_int_equal(json_object_set_new(o, "label", json_string("k")), 0);
	return post(h, "/v1/invitations/accept", NULL,
	    json_pack("{s:s, s:s, s:s, s:o}", "tenant", "acme", "principal",
		s->name, "code", code, "candidate", o));
}

static void
ask_in(struct house *h, const struct somebody *s, char code[static 32])
{
	assert_int_equal(post(h, "/v1/tenants/acme/invitations", &h->olga,
			     json_pack("{s:s}", "principal", s->name)),
	    201);
	(void)snprintf(code, 32, "%s", said(h, "code"));
}

/* People's invitations, not hosts'. */
static void
test_invited_people_have_seven_days(void **state)
{
	struct house *h = *state;
	struct somebody bert, cleo;
	char code[2][32];

	somebody_new(&bert, "bert");
	somebody_new(&cleo, "cleo");
	ask_in(h, &bert, code[0]);
	ask_in(h, &cleo, code[1]);
	now_at = START + 7 * 24 * HOUR - 1;
	assert_int_equal(bring(h, &bert, code[0]), 201);
	now_at = START + 7 * 24 * HOUR;
	assert_int_equal(bring(h, &cleo, code[1]), 401);
	signin(h, &h->olga);
	assert_int_equal(get(h, "/v1/tenants/acme/invitations", &h->olga), 200);
	assert_string_equal(
	    json_string_value(json_object_get(
		json_array_get(json_object_get(h->json, "items"), 0), "state")),
	    "expired");
	/* A new code begins anew. */
	ask_in(h, &cleo, code[1]);
	assert_int_equal(bring(h, &cleo, code[1]), 201);
	lb_signer_free(bert.signer);
	lb_signer_free(cleo.signer);
}

static void
test_operators_cannot_approve(void **state)
{
	struct house *h = *state;
	struct asked a;
	char path[160], *text;

	ask_for(h, "u1", &a);
	assert_int_equal(endorse(h, &a), 200);
	(void)snprintf(path, sizeof(path), "%s/draft", a.path);
	assert_int_equal(post(h, path, &h->olga, json_object()), 200);
	text = strdup(said(h, "text"));
	(void)snprintf(path, sizeof(path), "%s/approve", a.path);
	for (struct somebody **s =
		 (struct somebody *[]){ &h->olga, &h->mia, &h->avm, NULL };
	     *s != NULL; s++)
		assert_int_equal(
		    post(h, path, &h->anna,
			signed_json(*s, LB_NS_APPROVE, text, true)),
		    404);
	assert_int_equal(post(h, path, &h->olga,
			     signed_json(&h->anna, LB_NS_APPROVE, text, true)),
	    200);
	free(text);
	free(a.text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What a passkey signs on the page at origin, as a body; with its text. */
static json_t *
passkey_json(struct house *h, const struct fx_key *k, const char *name,
    uint8_t flags, const char *origin)
{
	char text[512], time[LB_TIME_LEN + 1];
	struct lb_buf armor = { 0 };
	json_t *o;

	assert_int_equal(post(h, "/v1/signin/nonce", NULL, json_object()), 200);
	lb_time_format(now_at, time);
	(void)snprintf(text, sizeof(text),
	    "lockbox-signin-v1\nbroker: support\nprincipal: %s\nnonce: %s\n"
	    "time: %s\n",
	    name, said(h, "nonce"), time);
	fx_key_sign(k, lb_ns_name(LB_NS_SIGNIN), text, strlen(text), flags,
	    origin, &armor);
	o = json_pack("{s:s, s:s}", "text", text, "signature", armor.data);
	lb_buf_clear(&armor);
	return o;
}

/* A sign-in passkey lasts; each of its sessions ends like any other. */
static void
test_a_sign_in_passkey_and_its_sessions(void **state)
{
	const uint8_t verified = LB_SIG_TOUCH | LB_SIG_VERIFIED;
	const char *own = "https://127.0.0.1";
	struct house *h = *state;
	struct somebody phone = { .name = "anna" };
	char key[LB_KEY_TEXT_MAX + 1];
	struct fx_key k;
	json_t *o;

	if (!fx_has_p256())
		skip();
	fx_key_make(&k, FX_PASSKEY, "127.0.0.1");
	lb_sshkey_format(&k.pub, key);
	assert_int_equal(post(h, "/v1/signin", NULL,
			     passkey_json(h, &k, "anna", verified, own)),
	    401);
	o = passkey_json(h, &k, "anna", verified, own);
	assert_int_equal(json_object_set_new(o, "key", json_string(key)), 0);
	assert_int_equal(json_object_set_new(o, "label", json_string("x")), 0);
	assert_int_equal(post(h, "/v1/me/signin-keys", &h->anna, o), 201);
	now_at += 90 * 24 * HOUR;
	assert_int_equal(post(h, "/v1/signin", NULL,
			     passkey_json(h, &k, "anna", LB_SIG_TOUCH, own)),
	    401);
	assert_int_equal(
	    post(h, "/v1/signin", NULL,
		passkey_json(h, &k, "anna", verified, "https://127.0.0.2")),
	    401);
	assert_int_equal(post(h, "/v1/signin", NULL,
			     passkey_json(h, &k, "bert", verified, own)),
	    401);
	assert_int_equal(post(h, "/v1/signin", NULL,
			     passkey_json(h, &k, "anna", verified, own)),
	    200);
	(void)snprintf(
	    phone.token, sizeof(phone.token), "%s", said(h, "token"));
	now_at += HOUR - 1;
	assert_int_equal(get(h, "/v1/whoami", &phone), 200);
	assert_string_equal(said(h, "sign_in"), "signin_passkey");
	now_at += 1;
	assert_int_equal(get(h, "/v1/whoami", &phone), 401);
	fx_key_clear(&k);
}

/* Its signature, for the page with that code. */
static unsigned int
browser_confirm_by(struct house *h, const struct somebody *s, const char *code)
{
	char text[512], time[LB_TIME_LEN + 1];
	json_t *o;

	assert_int_equal(post(h, "/v1/signin/browser/look", NULL,
			     json_pack("{s:s}", "code", code)),
	    200);
	lb_time_format(now_at, time);
	(void)snprintf(text, sizeof(text),
	    "lockbox-signin-v1\nbroker: support\nprincipal: %s\nnonce: %s\n"
	    "time: %s\n",
	    s->name, said(h, "nonce"), time);
	o = signed_json(s, LB_NS_SIGNIN, text, true);
	assert_int_equal(json_object_set_new(o, "code", json_string(code)), 0);
	return post(h, "/v1/signin/browser/confirm", NULL, o);
}

static unsigned int
browser_poll_with(struct house *h, const char *secret)
{
	return post(h, "/v1/signin/browser/poll", NULL,
	    json_pack("{s:s}", "poll", secret));
}

static void
browser_open(struct house *h, char code[static 16], char secret[static 64])
{
	h->origin = "https://127.0.0.1";
	assert_int_equal(
	    post(h, "/v1/signin/browser", NULL, json_object()), 200);
	(void)snprintf(code, 16, "%s", said(h, "code"));
	(void)snprintf(secret, 64, "%s", said(h, "poll"));
}

/* A page may wait ten minutes, and as long for its session once confirmed. */
static void
test_browser_code_ends_to_the_second(void **state)
{
	struct house *h = *state;
	char code[16], secret[64];

	browser_open(h, code, secret);
	now_at += 599;
	assert_int_equal(browser_poll_with(h, secret), 202);
	assert_int_equal(browser_confirm_by(h, &h->anna, code), 200);
	assert_int_equal(browser_poll_with(h, secret), 200);
	assert_non_null(strstr(h->reply.set_cookie, "__Host-lockbox="));
	browser_open(h, code, secret);
	now_at += 600;
	assert_int_equal(browser_poll_with(h, secret), 410);
	assert_int_equal(post(h, "/v1/signin/browser/look", NULL,
			     json_pack("{s:s}", "code", code)),
	    410);
	browser_open(h, code, secret);
	now_at += 599;
	assert_int_equal(browser_confirm_by(h, &h->anna, code), 200);
	now_at += 1;
	assert_int_equal(browser_poll_with(h, secret), 410);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nobody_endorses_for_two_hours),
		TEST(test_twelve_hours_count_from_the_endorsement),
		TEST(test_a_grant_ends_to_the_second),
		TEST(test_who_left_the_roster_enters_nowhere),
		TEST(test_timers_write_down_what_time_did),
		TEST(test_a_lapsed_request_makes_room),
		TEST(test_sessions_end),
		TEST(test_nonces_are_good_for_five_minutes_and_once),
		TEST(test_a_sign_in_passkey_and_its_sessions),
		TEST(test_browser_code_ends_to_the_second),
		TEST(test_questions_are_of_now),
		TEST(test_watches_are_answered_as_things_are_then),
		TEST(test_invitations_are_good_for_an_hour),
		TEST(test_trust_past_its_end_opens_nothing),
		TEST(test_idempotency_keys_are_kept_a_day),
		TEST(test_a_proposal_counts_keys_in_their_dates),
		TEST(test_invited_people_have_seven_days),
		TEST(test_operators_cannot_approve),
	};

	log_init(0);
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
