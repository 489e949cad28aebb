/* A small world for tests; see fixture.h. */
#include "fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define OK(call)                                                               \
	do {                                                                   \
		enum lb_err ok_ = (call);                                      \
		assert(ok_ == LB_OK);                                          \
		(void)ok_;                                                     \
	} while (0)

/* Add a string to a list that LB_LIST_OF made. */
#define LIST_ADD(list, s)                                                      \
	do {                                                                   \
		size_t at_ = (list)->count++;                                  \
		assert(at_ < sizeof((list)->item) / sizeof(*(list)->item));    \
		OK(lb_text_copy((list)->item[at_], sizeof(*(list)->item), s)); \
	} while (0)

#define SET(array, s) OK(lb_text_copy(array, sizeof(array), s))

static const struct lb_doc_type *
type_of(enum fx_doc doc)
{
	switch (doc) {
	case FX_TRUST:
		return &lb_trust_type;
	case FX_REQUEST:
		return &lb_request_type;
	case FX_ANSWER:
		return &lb_answer_type;
	case FX_QUESTION:
		return &lb_question_type;
	default:
		return &lb_grant_type;
	}
}

static void *
struct_of(struct fx *f, enum fx_doc doc)
{
	switch (doc) {
	case FX_TRUST:
		return &f->trust;
	case FX_REQUEST:
		return &f->request;
	case FX_ANSWER:
		return &f->answer;
	case FX_QUESTION:
		return &f->question;
	default:
		return &f->grant[doc - FX_GRANT];
	}
}

/* Everybody's keys: made once, for all worlds of a test program. */
static struct fx_key cast[FX_PEOPLE];

static void
make_keys(void)
{
	if (cast[0].signer != NULL)
		return;
	for (int i = 0; i < FX_SK1; i++)
		fx_key_make(&cast[i], FX_PLAIN, NULL);
	fx_key_make(&cast[FX_SK1], FX_SK, "ssh:");
	fx_key_make(&cast[FX_SK2], FX_SK, "ssh:second");
	if (!fx_has_p256())
		return;
	fx_key_make(&cast[FX_P256_1], FX_P256, NULL);
	fx_key_make(&cast[FX_SK_P256_1], FX_SK_P256, "ssh:");
	fx_key_make(&cast[FX_PASS1], FX_PASSKEY, FX_PASSKEY_RP);
	fx_key_make(&cast[FX_PASS2], FX_PASSKEY, FX_PASSKEY_RP);
	fx_key_make(&cast[FX_PASS_BROKER], FX_PASSKEY, FX_BROKER_RP);
}

static void
make_trust(struct fx *f)
{
	struct lb_trust_paper *t = &f->trust;

	SET(t->tenant, "acme");
	t->serial = 1;
	t->good_until = f->now + 90 * 86400;
	t->threshold = 2;
	SET(t->require, "any");
	t->longest = 4 * 3600;
	t->lease = 1800;
	SET(t->offline, "deny");
	fx_pin(f, FX_BROKERS, FX_BROKER, "lockbox.example", LB_NS_ANSWER);
	fx_pin(f, FX_APPROVERS, FX_CAROL, "carol@acme.example", FX_APPROVER_NS);
	fx_pin(f, FX_APPROVERS, FX_DAVE, "dave@acme.example", FX_APPROVER_NS);
	fx_pin(f, FX_APPROVERS, FX_ERIN, "erin@acme.example", FX_APPROVER_NS);
	fx_pin(f, FX_HOOKS, FX_CI, "ci", FX_HOOK_NS);
	fx_pin(f, FX_HOOKS, FX_DESK, "desk", FX_HOOK_NS);
	fx_pin(
	    f, FX_ENGINEERS, FX_ALICE, "alice@provider.example", LB_NS_REQUEST);
	fx_order(f, FX_TRUST, FX_CAROL, LB_NS_TRUST);
	fx_order(f, FX_TRUST, FX_DAVE, LB_NS_TRUST);
}

static void
make_request(struct fx *f)
{
	struct lb_request *r = &f->request;

	SET(r->request, "01JNBWQ7000000000000000000");
	SET(r->tenant, "acme");
	SET(r->broker, "lockbox.example");
	SET(r->engineer, "alice@provider.example");
	LIST_ADD(&r->engineer_key, f->key[FX_ALICE_LOGIN].pub.fp);
	LIST_ADD(&r->host, "db1.acme.example");
	LIST_ADD(&r->host, "db2.acme.example");
	LIST_ADD(&r->login, "alice");
	LIST_ADD(&r->login, "deploy");
	LIST_ADD(&r->service, "sshd");
	LIST_ADD(&r->service, "sudo");
	r->duration = 7200;
	SET(r->ticket, "ACME-4711");
	SET(r->reason_type, "customer_initiated_support");
	SET(r->reason, "restore last night's backup");
	r->requested = f->now - 600;
	fx_order(f, FX_REQUEST, FX_ALICE, LB_NS_REQUEST);
}

static void
make_grant(struct fx *f)
{
	const struct lb_request *r = &f->request;
	struct lb_grant *g = &f->grant[0];

	f->grant_count = 1;
	SET(g->tenant, r->tenant);
	SET(g->broker, r->broker);
	SET(g->engineer, r->engineer);
	g->engineer_key = r->engineer_key;
	g->host = r->host;
	g->login = r->login;
	g->service = r->service;
	g->issued = f->now - 300;
	g->not_before = g->issued - 60;
	g->not_after = g->not_before + 7200;
	SET(g->ticket, r->ticket);
	SET(g->reason_type, r->reason_type);
	SET(g->reason, r->reason);
	fx_order(f, FX_GRANT, FX_CAROL, LB_NS_APPROVE);
	fx_order(f, FX_GRANT, FX_DAVE, LB_NS_APPROVE);
}

static void
make_question(struct fx *f)
{
	struct lb_question *q = &f->question;

	SET(q->host, "db1.acme.example");
	SET(q->tenant, "acme");
	SET(q->broker, "lockbox.example");
	SET(q->nonce, "000102030405060708090a0b0c0d0e0f");
	SET(q->login, "alice");
	SET(q->service, "sshd");
	LIST_ADD(&q->engineer_key, f->key[FX_ALICE_LOGIN].pub.fp);
	SET(q->rhost, "192.0.2.7");
	q->asked = f->now;
	fx_order(f, FX_QUESTION, FX_HOST, LB_NS_QUESTION);
}

static void
make_answer(struct fx *f)
{
	SET(f->answer.verdict, "allow");
	SET(f->answer.code, "granted");
	f->answer.answered = f->now;
	f->answer.good_until = f->now + 3600;
	fx_order(f, FX_ANSWER, FX_BROKER, LB_NS_ANSWER);
}

struct fx *
fx_new(void)
{
	struct fx *f = calloc(1, sizeof(*f));

	assert(f != NULL);
	if (sodium_init() < 0)
		abort();
	f->now = FX_NOW;
	make_keys();
	f->key = cast;
	make_trust(f);
	make_request(f);
	make_grant(f);
	make_question(f);
	make_answer(f);
	return f;
}

static void
unseal(struct fx *f)
{
	for (int doc = 0; doc < FX_DOCS; doc++) {
		lb_buf_clear(&f->paper[doc].text);
		lb_buf_clear(&f->paper[doc].sigs);
	}
	lb_buf_clear(&f->bundle_text);
	lb_bundle_free(f->bundle);
	lb_trust_free(f->t);
	f->bundle = NULL;
	f->t = NULL;
}

void
fx_free(struct fx *f)
{
	if (f == NULL)
		return;
	unseal(f);
	lb_buf_clear(&f->extra);
	lb_kills_clear(&f->kills);
	free(f);
}

/* The five lists of lines have one shape. */
struct lines {
	size_t *count;
	char (*item)[LB_PINNED_MAX + 1];
	size_t max;
};

#define LINES(l)                                                               \
	((struct lines){                                                       \
	    &(l).count, (l).item, sizeof((l).item) / sizeof((l).item[0]) })

static struct lines
lines_of(struct fx *f, enum fx_list list)
{
	switch (list) {
	case FX_BROKERS:
		return LINES(f->trust.broker);
	case FX_APPROVERS:
		return LINES(f->trust.approver);
	case FX_HOOKS:
		return LINES(f->trust.hook);
	case FX_ENGINEERS:
		return LINES(f->trust.engineer);
	case FX_DELEGATES:
		break;
	}
	return LINES(f->trust.delegate);
}

void
fx_pin_dated(struct fx *f, enum fx_list list, enum fx_who who,
    const char *principal, unsigned int namespaces, int64_t valid_after,
    int64_t valid_before)
{
	struct lines l = lines_of(f, list);
	struct lb_pinned p = { .namespaces = namespaces,
		.valid_after = valid_after,
		.valid_before = valid_before,
		.key = f->key[who].pub };

	assert(*l.count < l.max);
	SET(p.principal, principal);
	OK(lb_pinned_format(&p, l.item[(*l.count)++]));
}

void
fx_pin(struct fx *f, enum fx_list list, enum fx_who who, const char *principal,
    unsigned int namespaces)
{
	fx_pin_dated(f, list, who, principal, namespaces, 0, 0);
}

void
fx_unpin(struct fx *f, enum fx_list list, const char *principal)
{
	struct lines l = lines_of(f, list);
	size_t n = 0, len = strlen(principal);

	for (size_t i = 0; i < *l.count; i++) {
		if (strncmp(l.item[i], principal, len) == 0 &&
		    l.item[i][len] == ' ')
			continue;
		memmove(l.item[n++], l.item[i], sizeof(l.item[0]));
	}
	assert(n < *l.count);
	*l.count = n;
}

void
fx_rekey(struct fx *f, const char *principal, enum fx_who old, enum fx_who new,
    uint8_t flags, const char *origin)
{
	fx_unpin(f, FX_APPROVERS, principal);
	fx_pin(f, FX_APPROVERS, new, principal, FX_APPROVER_NS);
	for (size_t i = 0; i < f->order_count; i++) {
		struct fx_order *o = &f->order[i];

		if (o->who != old)
			continue;
		o->who = new;
		o->flags = flags;
		o->origin = origin;
	}
}

void
fx_page(struct fx *f, const char *line)
{
	LIST_ADD(&f->trust.page, line);
}

void
fx_order(struct fx *f, enum fx_doc doc, enum fx_who who, enum lb_ns ns)
{
	assert(f->order_count < FX_ORDERS_MAX);
	f->order[f->order_count++] =
	    (struct fx_order){ .doc = doc, .who = who, .ns = ns };
}

struct fx_order *
fx_find(struct fx *f, enum fx_doc doc, enum fx_who who)
{
	for (size_t i = 0; i < f->order_count; i++) {
		if (f->order[i].doc == doc && f->order[i].who == who)
			return &f->order[i];
	}
	abort(); /* no such order */
}

void
fx_unorder(struct fx *f, enum fx_doc doc, enum fx_who who)
{
	*fx_find(f, doc, who) = f->order[f->order_count - 1];
	f->order_count--;
}

struct lb_grant *
fx_grant_more(struct fx *f)
{
	enum fx_doc doc = (enum fx_doc)(FX_GRANT + f->grant_count);
	struct lb_grant *g = &f->grant[f->grant_count];
	size_t n = f->order_count;

	assert(f->grant_count < FX_GRANTS_MAX);
	*g = f->grant[0];
	for (size_t i = 0; i < n; i++) {
		if (f->order[i].doc == FX_GRANT)
			fx_order(f, doc, f->order[i].who, f->order[i].ns);
	}
	f->grant_count++;
	return g;
}

/* Flip a bit in the middle of an armor, where the signature's bytes are. */
static void
break_armor(struct lb_buf *sigs, size_t from)
{
	static const char end[] = "-----END";
	char *p =
	    memmem(sigs->data + from, sigs->len - from, end, sizeof(end) - 1);

	assert(p != NULL);
	/* Some characters before the padding: well inside the last field of
	 * a plain signature. */
	p -= 12;
	*p = *p == 'A' ? 'B' : 'A';
}

static void
sign(struct fx *f, enum fx_doc doc)
{
	struct fx_paper *p = &f->paper[doc];

	for (size_t i = 0; i < f->order_count; i++) {
		const struct fx_order *o = &f->order[i];
		size_t from = p->sigs.len;

		if (o->doc != doc)
			continue;
		fx_key_sign(&f->key[o->who], lb_ns_name(o->ns), p->text.data,
		    p->text.len, o->flags, o->origin, &p->sigs);
		if (o->broken)
			break_armor(&p->sigs, from);
	}
}

/* A lying broker is not bound by what documents may say together. */
static void
write(struct fx *f, enum fx_doc doc)
{
	struct lb_doc_type any = *type_of(doc);
	struct fx_paper *p = &f->paper[doc];

	any.check = NULL;
	lb_doc_sort(&any, struct_of(f, doc));
	OK(lb_doc_write(&any, struct_of(f, doc), &p->text));
	if (f->before != NULL)
		f->before(f, doc, &p->text);
	sign(f, doc);
	if (f->tamper != NULL)
		f->tamper(f, doc, &p->text);
	lb_doc_id(p->text.data, p->text.len, p->id);
}

static void
bundle_add(struct fx *f, enum fx_doc doc)
{
	const struct fx_paper *p = &f->paper[doc];

	if (f->without[doc])
		return;
	OK(lb_buf_add(&f->bundle_text, p->text.data, p->text.len));
	if (p->sigs.len > 0)
		OK(lb_buf_add(&f->bundle_text, p->sigs.data, p->sigs.len));
}

static void
write_grants(struct fx *f, bool name_them)
{
	for (size_t i = 0; i < f->grant_count; i++) {
		enum fx_doc doc = (enum fx_doc)(FX_GRANT + i);
		struct lb_grant *g = &f->grant[i];
		bool filled = g->request[0] != '\0';

		if (!filled)
			SET(g->request, f->paper[FX_REQUEST].id);
		write(f, doc);
		if (!filled)
			g->request[0] = '\0';
		if (name_them)
			LIST_ADD(&f->answer.grant, f->paper[doc].id);
	}
}

/* Empty fields are filled for the writing and emptied again. */
static void
write_all(struct fx *f)
{
	bool trust_filled = f->question.trust[0] != '\0';
	bool question_filled = f->answer.question.host[0] != '\0';
	bool grants_filled = f->answer.grant.count > 0 ||
	    strcmp(f->answer.verdict, "allow") != 0;

	write(f, FX_REQUEST);
	write_grants(f, !grants_filled);
	if (!trust_filled)
		SET(f->question.trust, f->paper[FX_TRUST].id);
	write(f, FX_QUESTION);
	if (!question_filled)
		f->answer.question = f->question;
	write(f, FX_ANSWER);
	if (!trust_filled)
		f->question.trust[0] = '\0';
	if (!question_filled)
		memset(&f->answer.question, 0, sizeof(f->answer.question));
	if (!grants_filled)
		memset(&f->answer.grant, 0, sizeof(f->answer.grant));
}

enum lb_err
fx_seal_trust(struct fx *f)
{
	const struct fx_paper *t = &f->paper[FX_TRUST];

	unseal(f);
	write(f, FX_TRUST);
	return lb_trust_parse(t->text.data, t->text.len, &f->t);
}

void
fx_seal(struct fx *f)
{
	OK(fx_seal_trust(f));
	write_all(f);
	bundle_add(f, FX_ANSWER);
	bundle_add(f, FX_REQUEST);
	for (size_t i = 0; i < f->grant_count; i++)
		bundle_add(f, (enum fx_doc)(FX_GRANT + i));
	if (f->extra.len > 0)
		OK(lb_buf_add(&f->bundle_text, f->extra.data, f->extra.len));
	OK(lb_bundle_split(
	    f->bundle_text.data == NULL ? "" : f->bundle_text.data,
	    f->bundle_text.len, &f->bundle));
}

void
fx_judge(struct fx *f, struct lb_ruling *ret)
{
	const struct fx_paper *q = &f->paper[FX_QUESTION];
	struct lb_case c = { .trust = f->t,
		.question = q->text.data,
		.question_len = q->text.len,
		.bundle = f->bundle,
		.kills = &f->kills,
		.now = f->now,
		.floor = f->floor };

	memset(ret, 0xa5, sizeof(*ret));
	lb_judge(&c, ret);
}

struct lb_grant_case
fx_grant_case(struct fx *f)
{
	return (struct lb_grant_case){ .trust = f->t,
		.bundle = f->bundle,
		.part = fx_part(f, FX_GRANT),
		.kills = &f->kills,
		.tenant = f->question.tenant,
		.broker = f->question.broker,
		.host = f->question.host,
		.login = f->question.login,
		.service = f->question.service,
		.keys = &f->question.engineer_key,
		.now = f->now };
}

void
fx_grant_judge(struct fx *f, struct lb_ruling *ret)
{
	const struct lb_grant_case c = fx_grant_case(f);

	memset(ret, 0xa5, sizeof(*ret));
	lb_grant_judge(&c, ret);
}

const struct lb_part *
fx_part(struct fx *f, enum fx_doc doc)
{
	const struct lb_buf *text = &f->paper[doc].text;

	for (size_t i = 0; i < f->bundle->count; i++) {
		const struct lb_slice *s = &f->bundle->part[i].doc;

		if (s->len == text->len &&
		    memcmp(s->text, text->data, s->len) == 0)
			return &f->bundle->part[i];
	}
	abort(); /* the bundle was made of it */
}

struct lb_bundle *
fx_trust_bundle(struct fx *f, struct lb_buf *ret_text)
{
	const struct fx_paper *p = &f->paper[FX_TRUST];
	struct lb_bundle *b = NULL;

	OK(lb_buf_add(ret_text, p->text.data, p->text.len));
	if (p->sigs.len > 0)
		OK(lb_buf_add(ret_text, p->sigs.data, p->sigs.len));
	OK(lb_bundle_split(ret_text->data, ret_text->len, &b));
	return b;
}

void
fx_replace(struct lb_buf *text, const char *old, const char *new)
{
	char *p = memmem(text->data, text->len, old, strlen(old));
	struct lb_buf out = { 0 };
	size_t at, rest;

	assert(p != NULL);
	at = (size_t)(p - text->data);
	rest = at + strlen(old);
	OK(lb_buf_add(&out, text->data, at));
	OK(lb_buf_adds(&out, new));
	OK(lb_buf_add(&out, text->data + rest, text->len - rest));
	lb_buf_clear(text);
	*text = out;
}
