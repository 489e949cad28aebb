/* Rows of the outbox, as rows.h: structs without behaviour. */
#ifndef BROKER_OUTBOX_ROWS_H
#define BROKER_OUTBOX_ROWS_H

#include "notices.h"
#include "rows.h"

#define ROW_URL_MAX   1024 /* chars of a webhook's */
#define ROW_TYPES_MAX 512  /* chars of its list of kinds */
#define ROW_LINE_MAX  (LB_NAME_MAX + LB_PRINCIPAL_MAX + 16)

/* One thing that happened. */
struct notice_row {
	char id[LB_ID_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	enum notice_kind kind;
	char actor[LB_PRINCIPAL_MAX + 1]; /* may be empty */
	char request[LB_ID_LEN + 1];      /* may be empty */
	int64_t at;
	int64_t due_at; /* 0: its deliveries are made */
	int64_t ends_at;
	struct lb_buf data; /* owned; JSON, as webhooks get it */
};

enum channel { CHANNEL_MAIL = 1, CHANNEL_WEBHOOK };

enum delivery_state {
	DELIVERY_WAITING = 1,
	DELIVERY_SENT,
	DELIVERY_FAILED,  /* its time was over, or it never can */
	DELIVERY_DROPPED, /* needless, or nobody to send it to */
};
#define DELIVERY_STATES (DELIVERY_DROPPED + 1)

/* One telling of it. */
struct delivery_row {
	int64_t number; /* in the order of sending; the store gives it */
	char id[LB_ID_LEN + 1];
	char tenant[LB_NAME_MAX + 1];
	char notice[LB_ID_LEN + 1];
	enum notice_kind kind;
	char request[LB_ID_LEN + 1]; /* may be empty */
	enum channel channel;
	char receiver[LB_PRINCIPAL_MAX + 1]; /* a principal, or a webhook */
	char line[ROW_LINE_MAX + 1];         /* what goes one after the other */
	bool staff, gathers;
	enum delivery_state state;
	int64_t attempts;
	int64_t due_at, ends_at, created_at, done_at;
	char batch[LB_ID_LEN + 1];  /* the mail it is part of; may be empty */
	char code[LB_WORD_MAX + 1]; /* of the last attempt; may be empty */
	int64_t status;             /* of HTTP or SMTP in it; 0: none */
};

enum scheme { SCHEME_V1 = 1, SCHEME_V1A };

struct webhook_row {
	int64_t version;
	char tenant[LB_NAME_MAX + 1];
	char id[LB_ID_LEN + 1];
	char url[ROW_URL_MAX + 1];
	char types[ROW_TYPES_MAX + 1]; /* "a.b,c.d"; empty: all */
	enum scheme scheme;
	int64_t generation; /* of its key, 1.. */
	int64_t old_until;  /* the key before also signs until then */
	bool active;
	char why[LB_WORD_MAX + 1]; /* it is not; may be empty */
	char created_by[LB_PRINCIPAL_MAX + 1];
	int64_t created_at;
};

/* What the sender did, in one transaction; arrays are borrowed. */
struct outbox_change {
	const char *notice; /* its deliveries are made: those in add; or NULL */
	size_t add_count, set_count;
	const struct delivery_row *add, *set;
	/* Everything that waits in this line waits until then, at least. */
	const char *line; /* or NULL */
	int64_t quiet_until;
	/* This webhook is gone: not active any more, what waits is dropped. */
	const char *webhook; /* or NULL */
	int64_t now;
};

/* What waits and what failed, of both channels. */
struct outbox_counts {
	int64_t waiting[CHANNEL_WEBHOOK + 1], failed[CHANNEL_WEBHOOK + 1];
	int64_t oldest; /* of what waits and is due: when made; 0: none */
};

const char *channel_name(enum channel c);
const char *delivery_state_name(enum delivery_state s);
enum delivery_state delivery_state_find(const char *name); /* 0: none */
const char *scheme_name(enum scheme s);
enum scheme scheme_find(const char *name); /* 0: none */

#endif
