/*
 * A small world for tests: people with keys, a trust document, a request, its
 * grant, a question and the broker's answer, which together open a door. Take
 * one with fx_new, change one thing in its structs or signature orders, seal
 * it, and ask. Anything that cannot be built aborts the test.
 *
 * The baseline: tenant "acme" trusts the broker "lockbox.example", where two
 * of carol, dave and erin must approve; hooks "ci" and "desk"; alice is an
 * engineer, who asked for two hours on db1 and db2 as alice or deploy through
 * sshd and sudo; carol and dave approved. The host is db1, the login alice,
 * the service sshd, the key alice's login key.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/bundle.h"
#include "lockbox/judge.h"
#include "lockbox/papers.h"
#include "lockbox/sshkey.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

#include "fixture_key.h"

#define FX_NOW         INT64_C(1772460000) /* 2026-03-02T14:00:00Z */
#define FX_GRANTS_MAX  3
#define FX_ORDERS_MAX  200
#define FX_PASSKEY_RP  "acme.example"
#define FX_PAGE_OWN    "https://approve.acme.example"
#define FX_PAGE_BROKER "https://lockbox.example:8443"
#define FX_BROKER_RP   "lockbox.example"

/* Everybody has a plain key, but for the last ones. */
enum fx_who {
	FX_HOST,
	FX_BROKER,
	FX_BROKER_NEXT, /* the same broker's new key; not pinned */
	FX_OTHER,       /* another broker; not pinned */
	FX_ALICE,       /* engineer: signs requests */
	FX_ALICE_LOGIN, /* what alice logs in with */
	FX_BOB_LOGIN,   /* another engineer's login key */
	FX_CAROL,
	FX_DAVE,
	FX_ERIN,
	FX_CI,      /* hook */
	FX_DESK,    /* hook */
	FX_MANAGER, /* not pinned: a delegate, if a test says so */
	FX_MALLORY, /* not pinned */
	FX_SK1,     /* FIDO keys in ssh; not pinned */
	FX_SK2,
	FX_P256_1, /* plain P-256; not pinned */
	FX_SK_P256_1,
	FX_PASS1, /* passkeys of FX_PASSKEY_RP; not pinned */
	FX_PASS2,
	FX_PASS_BROKER, /* passkey of FX_BROKER_RP; not pinned */
	FX_PEOPLE,
};

enum fx_doc {
	FX_TRUST,
	FX_REQUEST,
	FX_ANSWER,
	FX_QUESTION,
	FX_GRANT, /* and FX_GRANT + 1, FX_GRANT + 2 */
	FX_DOCS = FX_GRANT + FX_GRANTS_MAX,
};

/* "who signs doc in ns when the world is sealed" */
struct fx_order {
	enum fx_doc doc;
	enum fx_who who;
	enum lb_ns ns;
	uint8_t flags;      /* sk only */
	const char *origin; /* passkeys only */
	bool broken;        /* one bit of the signature is wrong */
};

/* What sealing wrote. */
struct fx_paper {
	struct lb_buf text, sigs;
	char id[LB_SHA256_LEN + 1];
};

struct fx {
	int64_t now, floor;
	const struct fx_key *key; /* by enum fx_who; the same in every world */

	/* Change these before fx_seal. Empty ids and lists are filled in:
	 * grant.request, question.trust, answer.question, answer.grant. */
	struct lb_trust_paper trust;
	struct lb_request request;
	size_t grant_count;
	struct lb_grant grant[FX_GRANTS_MAX];
	struct lb_question question;
	struct lb_answer answer;
	size_t order_count;
	struct fx_order order[FX_ORDERS_MAX];
	bool without[FX_DOCS]; /* leave it out of the bundle */
	struct lb_buf extra;   /* after the bundle's documents */
	/* Called with each written text before and after it is signed. */
	void (*before)(struct fx *f, enum fx_doc doc, struct lb_buf *text);
	void (*tamper)(struct fx *f, enum fx_doc doc, struct lb_buf *text);

	/* Made by fx_seal. */
	struct fx_paper paper[FX_DOCS];
	struct lb_trust *t;
	struct lb_buf bundle_text;
	struct lb_bundle *bundle;
	struct lb_kills kills; /* none; add some after sealing */
};

struct fx *fx_new(void);
void fx_free(struct fx *f); /* accepts NULL */

/* A line of the trust document. */
enum fx_list { FX_BROKERS, FX_APPROVERS, FX_HOOKS, FX_ENGINEERS, FX_DELEGATES };
#define FX_APPROVER_NS (LB_NS_APPROVE | LB_NS_DENY | LB_NS_REVOKE | LB_NS_TRUST)
#define FX_HOOK_NS     (LB_NS_APPROVE | LB_NS_DENY | LB_NS_REVOKE)

void fx_pin(struct fx *f, enum fx_list list, enum fx_who who,
    const char *principal, unsigned int namespaces);
void fx_pin_dated(struct fx *f, enum fx_list list, enum fx_who who,
    const char *principal, unsigned int namespaces, int64_t valid_after,
    int64_t valid_before);
/* Take every line of that principal away. */
void fx_unpin(struct fx *f, enum fx_list list, const char *principal);
/* "carol" gets another key for approving and owning; she signs with it. */
void fx_rekey(struct fx *f, const char *principal, enum fx_who old,
    enum fx_who new, uint8_t flags, const char *origin);
void fx_page(struct fx *f, const char *line);

void fx_order(struct fx *f, enum fx_doc doc, enum fx_who who, enum lb_ns ns);
/* The order of that person for that document; aborts when there is none. */
struct fx_order *fx_find(struct fx *f, enum fx_doc doc, enum fx_who who);
void fx_unorder(struct fx *f, enum fx_doc doc, enum fx_who who);

/* One more grant like the first, with the same approvals; returns it. */
struct lb_grant *fx_grant_more(struct fx *f);

/* Write, sign and bundle everything; may be called again after changes. */
void fx_seal(struct fx *f);

/* Only the trust document; what lb_trust_parse says of it. f->t on LB_OK. */
enum lb_err fx_seal_trust(struct fx *f);

void fx_judge(struct fx *f, struct lb_ruling *ret);
/* The first grant at the question's door, without the answer. */
struct lb_grant_case fx_grant_case(struct fx *f);
void fx_grant_judge(struct fx *f, struct lb_ruling *ret);

/* The part of a sealed document; the trust document is not in the bundle. */
const struct lb_part *fx_part(struct fx *f, enum fx_doc doc);

/* A trust document and its owners' signatures as a bundle of its own. */
struct lb_bundle *fx_trust_bundle(struct fx *f, struct lb_buf *ret_text);

/* Replace the only place of old in text by new, of any length. */
void fx_replace(struct lb_buf *text, const char *old, const char *new);

#endif
