/*
 * One thing that happened, in words for a person. Pure: facts in, lines out.
 * It tells and asks; it holds no secret and no power.
 */
#ifndef BROKER_LETTER_H
#define BROKER_LETTER_H

#include "lockbox/buf.h"
#include "lockbox/trust.h"

#include "notices.h"

#define LETTER_FIELDS_MAX 16
#define LETTER_TITLE_MAX  256 /* chars */

struct letter_facts {
	enum notice_kind kind;
	const char *tenant, *actor;
	const struct request_row *request; /* or NULL */
	const struct lb_grant *grant;      /* or NULL */
	const struct lb_trust *trust;      /* in force; or NULL */
	const char *reason; /* of a denial or revocation; "" none */
	const char *url;    /* of the broker, no '/' behind it */
	int64_t now;
};

/* All zero is empty; cleared with letter_clear. */
struct letter {
	bool asks;                        /* the reader is to do something */
	char title[LETTER_TITLE_MAX + 1]; /* ASCII */
	char code[LB_CODE_LEN + 1];       /* may be empty */
	size_t count;
	struct {
		const char *label;
		struct lb_buf value; /* visible text */
	} field[LETTER_FIELDS_MAX];
	char closing[512];            /* ASCII sentences; may be empty */
	char link[512];               /* to look at it; may be empty */
	char page[LB_ORIGIN_MAX + 1]; /* the customer's own; may be empty */
};

enum lb_err letter_write(
    const struct letter_facts *f, struct letter *ret) LB_MUST_CHECK;
void letter_clear(struct letter *l);

#endif
