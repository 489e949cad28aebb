/*
 * What the broker keeps, as the stores hand it over and the rules judge it.
 * Structs without behaviour. Documents are kept as the exact text that was
 * signed; what stands beside it is read from it again by store.c.
 */
#ifndef BROKER_ROWS_H
#define BROKER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockbox/buf.h"
#include "lockbox/papers.h"
#include "lockbox/sshkey.h"
#include "lockbox/sshsig.h"
#include "lockbox/trust.h"

#define ROW_PERSON_KEYS_MAX 8
#define ROW_MAIL_MAX        254 /* chars */
#define ROW_LANGUAGE_MAX    8   /* chars: "en" */
#define ROW_MACHINE_LEN     32  /* machine-id(5): lower-case hex */
#define ROW_SALT_LEN        32  /* hex of 128 bits */
#define ROW_TOKEN_HASH_LEN  64  /* hex of 256 bits */
#define ROW_IDEM_MAX        64  /* chars of an Idempotency-Key */
#define ROW_EVENTS_MAX      3   /* of one change */
#define ROW_ADDRESS_MAX     45  /* chars: of a numeric address */
#define ROW_AGENT_MAX       160 /* chars of what a browser calls itself */
#define ROW_LABEL_MAX       64  /* bytes of what somebody calls his key */
#define ROW_KEY_ID_LEN      32  /* hex of 128 bits */

/* What a provider's person may do; a set. */
enum role {
	ROLE_ENGINEER = 1 << 0,
	ROLE_MANAGER = 1 << 1,
	ROLE_OPERATOR = 1 << 2,
	ROLE_AUDITOR = 1 << 3,
	ROLE_APPROVER =
	    1 << 4, /* from a tenant's trust document, never stored */
};
#define ROLES_PROVIDER                                                         \
	(ROLE_ENGINEER | ROLE_MANAGER | ROLE_OPERATOR | ROLE_AUDITOR)

/* The state of a request; a grant shares its request's. */
enum state {
	STATE_PENDING_ENDORSEMENT = 1,
	STATE_PENDING_APPROVAL,
	STATE_SCHEDULED,
	STATE_ACTIVE,
	STATE_EXPIRED,
	STATE_REVOKED,
	STATE_RETURNED,
	STATE_DENIED,
	STATE_CANCELLED,
	STATE_LAPSED,
};
#define STATES (STATE_LAPSED + 1)

/* Who did something, and his signature if it carried one. at 0: nobody. */
struct deed {
	char principal[LB_PRINCIPAL_MAX + 1];
	char signature[LB_ARMOR_MAX + 1]; /* may be empty */
	char reason[LB_REASON_MAX + 1];   /* may be empty */
	int64_t at;
};

/*
 * version is 0 for a row that is not stored yet; otherwise the store accepts
 * a change only if nobody was faster.
 */
struct person_row {
	int64_t version;
	char principal[LB_PRINCIPAL_MAX + 1];
	unsigned int roles; /* set of enum role, of ROLES_PROVIDER */
	bool active;
	char mail[ROW_MAIL_MAX + 1]; /* may be empty */
	size_t key_count;
	struct lb_sshkey key[ROW_PERSON_KEYS_MAX];
};

struct tenant_row {
	int64_t version;
	char name[LB_NAME_MAX + 1];
	int64_t endorse_ttl, approve_ttl, grant_ttl; /* seconds */
	bool endorsement; /* must a manager endorse first */
	int64_t created_at;
};

/* A trust document with its owners' signatures, as a bundle of one part. */
struct trust_row {
	char tenant[LB_NAME_MAX + 1];
	int64_t serial;
	char sha256[LB_SHA256_LEN + 1];
	struct lb_buf bundle; /* owned */
	int64_t added_at;
	/* What it says, borrowed; NULL in a row that was read. */
	const struct lb_trust *doc;
};

/* An owner's signature of a proposal. */
struct signing {
	char key_fp[LB_KEYFP_LEN + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char signature[LB_ARMOR_MAX + 1];
	int64_t at;
};

/*
 * A successor of a tenant's trust that owners are still signing; each tenant
 * has one at most.
 */
struct proposal_row {
	int64_t version;
	char tenant[LB_NAME_MAX + 1];
	int64_t serial;
	char sha256[LB_SHA256_LEN + 1];
	char by[LB_PRINCIPAL_MAX + 1]; /* who proposed it */
	int64_t at;
	struct lb_buf text;      /* owned */
	size_t signing_count;    /* at least 1 */
	struct signing *signing; /* owned; in the order they came */
};

/* Where mail for somebody of a tenant's trust document goes. */
struct contact_row {
	int64_t version;
	char tenant[LB_NAME_MAX + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char mail[ROW_MAIL_MAX + 1]; /* empty: he gets none */
	bool links;                  /* may a mail to him hold a link */
	char language[ROW_LANGUAGE_MAX + 1];
};

/* Somebody was asked to bring a key. */
struct invitation_row {
	int64_t version;
	char id[LB_ID_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	bool owner; /* shall he sign trust documents */
	char invited_by[LB_PRINCIPAL_MAX + 1];
	int64_t invited_at, expires_at;
	char salt[ROW_SALT_LEN + 1]; /* of the code; empty: burnt */
	int64_t wrong_codes;
};

/* A key that somebody brought, for the owners to sign into trust. */
struct candidate_row {
	char id[LB_ID_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char key[LB_KEY_TEXT_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
	char label[ROW_LABEL_MAX + 1];
	char origin[LB_ORIGIN_MAX + 1]; /* a passkey's page; else empty */
	bool owner;
	char invited_by[LB_PRINCIPAL_MAX + 1];
	int64_t at;
};

struct host_row {
	int64_t version;
	char tenant[LB_NAME_MAX + 1];
	char name[LB_HOST_MAX + 1];
	bool enrolled;
	char salt[ROW_SALT_LEN + 1]; /* of the open invitation; may be empty */
	int64_t invited_until;
	int64_t wrong_macs;
	char key[LB_KEY_TEXT_MAX + 1]; /* empty until enrolled */
	char key_fp[LB_KEYFP_LEN + 1];
	char machine_id[ROW_MACHINE_LEN + 1];
	int64_t enrolled_at;
	int64_t last_seen_at;
};

struct request_row {
	int64_t version;
	char sha256[LB_SHA256_LEN + 1];
	char text[LB_DOC_TEXT_MAX + 1];
	size_t text_len;
	struct lb_request doc; /* read from text */
	char signature[LB_ARMOR_MAX + 1];
	enum state state;
	int64_t created_at;
	int64_t lapses_at;  /* while pending */
	int64_t not_before; /* of its grant, once there is one */
	int64_t not_after;
	char scope[LB_SHA256_LEN + 1]; /* hash of what is asked for */
	struct deed endorsement, denial;
	char draft[LB_DOC_TEXT_MAX + 1]; /* the fixed text; may be empty */
	size_t draft_len;
	char grant[LB_SHA256_LEN + 1]; /* empty until there is one */
};

struct approval_row {
	char tenant[LB_NAME_MAX + 1];
	char grant[LB_SHA256_LEN + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
	char signature[LB_ARMOR_MAX + 1];
	int64_t at;
};

/* A grant that reached its threshold. */
struct grant_row {
	int64_t version;
	char sha256[LB_SHA256_LEN + 1];
	struct lb_buf bundle; /* owned: grant, approvals, request, signature */
	size_t text_len;      /* the grant's text is the bundle's beginning */
	struct lb_grant doc;  /* read from it */
	char request_id[LB_ID_LEN + 1];
	enum state state;
	int64_t created_at;
	struct deed closing;   /* revoked, returned, stopped */
	struct lb_buf killing; /* owned: a bundle that ends it at the hosts */
};

/* What somebody signed in with. */
enum sign_in {
	SIGN_IN_SSH = 1, /* a key of the roster, or of a trust document */
	SIGN_IN_PASSKEY, /* a sign-in passkey: signin_key_row */
	SIGN_IN_PINNED,  /* a passkey that a trust document pins */
};

struct session_row {
	enum sign_in sign_in;
	char hash[ROW_TOKEN_HASH_LEN + 1];
	char principal[LB_PRINCIPAL_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
	char nonce[LB_NONCE_LEN + 1]; /* no two sessions share one */
	int64_t created_at, expires_at;
	bool ended;
};

/* A passkey that signs in at the broker's own page, and does nothing else. */
struct signin_key_row {
	char tenant[LB_NAME_MAX + 1]; /* empty: of the provider's own people */
	char principal[LB_PRINCIPAL_MAX + 1];
	struct lb_sshkey key;
	char label[ROW_LABEL_MAX + 1]; /* may be empty */
	int64_t created_at, used_at;   /* used_at 0: never */
};

/* A page that waits until somebody confirms its code. */
struct browser_row {
	int64_t version;
	char code_hash[ROW_TOKEN_HASH_LEN + 1];
	char poll_hash[ROW_TOKEN_HASH_LEN + 1];
	char nonce[LB_NONCE_LEN + 1]; /* to sign for this page alone */
	char address[ROW_ADDRESS_MAX + 1];
	char agent[ROW_AGENT_MAX + 1];
	int64_t created_at, expires_at;
	char principal[LB_PRINCIPAL_MAX + 1]; /* who confirmed it, or empty */
	char key_fp[LB_KEYFP_LEN + 1];
	bool over; /* its session was handed out */
};

/*
 * A session on a host, as the host reported it. (A session_row is a sign-in at
 * the broker.)
 */
struct stay_row {
	char id[LB_SHA256_LEN + 1]; /* of the report that opened it */
	char tenant[LB_NAME_MAX + 1];
	char host[LB_HOST_MAX + 1];
	int64_t session; /* audit session id, good for one boot */
	char login[LB_LOGIN_MAX + 1];
	char service[LB_SERVICE_MAX + 1];
	char rhost[LB_RHOST_MAX + 1];
	char engineer[LB_PRINCIPAL_MAX + 1]; /* may be empty */
	char grant[LB_SHA256_LEN + 1];       /* may be empty */
	int64_t opened_at;
	int64_t ends_at;  /* the grant's not-after; 0: not known */
	int64_t ended_at; /* 0: it lives */
	char cause[LB_WORD_MAX + 1];
};

/* What a report does to the stay of that host and audit session id. */
struct step {
	enum step_kind {
		STEP_OPENED = 1, /* a new one; an older one was lost */
		STEP_MOVED,      /* it rests on this grant now */
		STEP_ENDED,
	} kind;
	struct stay_row stay;
};

/* Reports of one enrolment, taken in together. */
struct intake_row {
	char tenant[LB_NAME_MAX + 1];
	char host[LB_HOST_MAX + 1];
	char key_fp[LB_KEYFP_LEN + 1];
	int64_t kept;     /* the highest sequence taken before; 0: none */
	int64_t sequence; /* the highest now */
	int64_t at;
	size_t step_count, event_count;
	const struct step *step;      /* borrowed */
	const struct lb_event *event; /* borrowed */
};

/* An Idempotency-Key and what came of it. */
struct idem_row {
	char principal[LB_PRINCIPAL_MAX + 1];
	char key[ROW_IDEM_MAX + 1];
	char body[LB_SHA256_LEN + 1];              /* of route and body */
	char arg[LB_SHA256_LEN + LB_HOST_MAX + 2]; /* what was made */
	int64_t at;
};

/* A record; the store gives the sequence and writes the text. */
struct event_row {
	int64_t number; /* in the order of the list it was read for */
	struct lb_event doc;
	char text[LB_DOC_TEXT_MAX + 1];
	size_t text_len;
};

/* "pending_approval", ...; 0 when there is no such state. */
const char *row_state_name(enum state s);
enum state row_state_find(const char *name);

/* "ssh", "signin_passkey", "pinned_passkey"; 0 when there is no such one. */
const char *row_sign_in_name(enum sign_in s);
enum sign_in row_sign_in_find(const char *name);

/* What a key is called in a path, where its fingerprint cannot stand. */
void row_key_id(const char *key_fp, char ret[static ROW_KEY_ID_LEN + 1]);

/* When time alone changes its stored state; 0: never. */
int64_t request_row_due(const struct request_row *q);

/* One at sign, no blanks or control characters: nothing of it is run. */
bool row_mail_valid(const char *s);

/* Copy into a char array; asserts that it fits: only for checked values. */
void row_text(char *ret, size_t size, const char *s);
#define ROW_TEXT(array, s) row_text(array, sizeof(array), s)

void trust_row_clear(struct trust_row *t);
void proposal_row_clear(struct proposal_row *p);

/* Add a signature, copied, behind the others. */
enum lb_err proposal_row_sign(
    struct proposal_row *p, const struct signing *s) LB_MUST_CHECK;
void grant_row_clear(struct grant_row *g);

#endif
