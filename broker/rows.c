/* Small things about rows that need no rules. */
#include "rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static const char *const state_names[STATES] = {
	[STATE_PENDING_ENDORSEMENT] = "pending_endorsement",
	[STATE_PENDING_APPROVAL] = "pending_approval",
	[STATE_SCHEDULED] = "scheduled",
	[STATE_ACTIVE] = "active",
	[STATE_EXPIRED] = "expired",
	[STATE_REVOKED] = "revoked",
	[STATE_RETURNED] = "returned",
	[STATE_DENIED] = "denied",
	[STATE_CANCELLED] = "cancelled",
	[STATE_LAPSED] = "lapsed",
};

const char *
row_state_name(enum state s)
{
	assert(s > 0 && s < STATES);
	return state_names[s];
}

enum state
row_state_find(const char *name)
{
	for (int s = 1; s < STATES; s++)
		if (strcmp(state_names[s], name) == 0)
			return (enum state)s;
	return 0;
}

static const char *const sign_in_names[] = {
	[SIGN_IN_SSH] = "ssh",
	[SIGN_IN_PASSKEY] = "signin_passkey",
	[SIGN_IN_PINNED] = "pinned_passkey",
};

const char *
row_sign_in_name(enum sign_in s)
{
	assert(s >= SIGN_IN_SSH && s <= SIGN_IN_PINNED);
	return sign_in_names[s];
}

enum sign_in
row_sign_in_find(const char *name)
{
	for (int s = SIGN_IN_SSH; s <= SIGN_IN_PINNED; s++)
		if (strcmp(sign_in_names[s], name) == 0)
			return (enum sign_in)s;
	return 0;
}

void
row_key_id(const char *key_fp, char ret[static ROW_KEY_ID_LEN + 1])
{
	uint8_t hash[ROW_KEY_ID_LEN / 2];

	(void)crypto_generichash(hash, sizeof(hash), (const uint8_t *)key_fp,
	    strlen(key_fp), NULL, 0);
	lb_hex_encode(hash, sizeof(hash), ret);
}

int64_t
request_row_due(const struct request_row *q)
{
	switch (q->state) {
	case STATE_PENDING_ENDORSEMENT:
	case STATE_PENDING_APPROVAL:
		return q->lapses_at;
	case STATE_SCHEDULED:
		return q->not_before;
	case STATE_ACTIVE:
		return q->not_after;
	default:
		return 0;
	}
}

bool
row_mail_valid(const char *s)
{
	const char *at = strchr(s, '@');
	size_t len = strlen(s);

	if (at == NULL || at == s || at[1] == '\0' || strchr(at + 1, '@'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr("<>\"(),:;\\", s[i]))
			return false;
	return len <= ROW_MAIL_MAX;
}

void
row_text(char *ret, size_t size, const char *s)
{
	size_t len = strlen(s);

	assert(len < size);
	memcpy(ret, s, len + 1);
}

void
trust_row_clear(struct trust_row *t)
{
	lb_buf_clear(&t->bundle);
}

void
grant_row_clear(struct grant_row *g)
{
	lb_buf_clear(&g->bundle);
	lb_buf_clear(&g->killing);
}

void
proposal_row_clear(struct proposal_row *p)
{
	lb_buf_clear(&p->text);
	free(p->signing);
	memset(p, 0, sizeof(*p));
}

enum lb_err
proposal_row_sign(struct proposal_row *p, const struct signing *s)
{
	void *grown;

	grown =
	    realloc(p->signing, (p->signing_count + 1) * sizeof(p->signing[0]));
	if (grown == NULL)
		return LB_ERR_MEMORY;
	p->signing = grown;
	p->signing[p->signing_count++] = *s;
	return LB_OK;
}
