/* Keeping grants that root hands over. */
#include "offline.h"

#include <string.h>

#include "lockbox/clock.h"
#include "lockbox/ns.h"
#include "lockbox/sshsig.h"

#include "journal.h"
#include "sessions.h"

static bool
keepable(const struct agent *a, const struct lb_bundle *b,
    const struct lb_part *part, char ret_code[static LB_WORD_MAX + 1])
{
	const struct lb_grant_case c = {
		.trust = agent_trust(a),
		.bundle = b,
		.part = part,
		.kills = &a->state.kills,
		.tenant = agent_tenant(a),
		.broker = a->conf.broker,
		.host = a->conf.host,
		.now = lb_clock_now(),
	};

	return lb_grant_keepable(&c, ret_code);
}

/* Did anybody mean to approve it? A grant that is there to be revoked was not
 * handed over to be kept. */
static bool
offered(const struct lb_part *part)
{
	struct lb_sshsig sig;

	for (size_t i = 0; i < part->sig_count; i++)
		if (lb_sshsig_parse(
			part->sigs[i].text, part->sigs[i].len, &sig) == LB_OK &&
		    strcmp(sig.ns, lb_ns_name(LB_NS_APPROVE)) == 0)
			return true;
	return false;
}

static enum lb_err
keep(
    struct agent *a, const struct lb_bundle *bundle, const struct lb_part *part)
{
	struct lb_buf text = { .max = LB_BUNDLE_MAX };
	static struct lb_grant grant; /* large; one thread */
	enum lb_err r;

	/* The approvers' signatures hold: it is parsed afterwards. */
	if ((r = lb_grant_parse(part->doc.text, part->doc.len, &grant)) ==
		LB_OK &&
	    (r = sessions_grant_text(bundle, part, &grant, &text)) == LB_OK)
		r = state_handed_add(&a->state, part->id, text.data, text.len);
	lb_buf_clear(&text);
	return r;
}

static void
refuse(struct lb_door_accepted *ret, const char *why)
{
	ret->refused++;
	memset(ret->why, 0, sizeof(ret->why));
	memcpy(ret->why, why, strlen(why));
}

static void
keep_part(struct agent *a, const struct lb_bundle *bundle,
    const struct lb_part *part, struct lb_door_accepted *ret)
{
	char code[LB_WORD_MAX + 1];
	enum lb_err r;

	if (!keepable(a, bundle, part, code)) {
		if (offered(part))
			refuse(ret, code);
		return;
	}
	r = keep(a, bundle, part);
	if (r == LB_OK) {
		ret->grants++;
		a->state_must = true;
	} else if (r != LB_ERR_CONFLICT) {
		journal_r(r, "keep grant '%s'", part->id);
		refuse(ret, r == LB_ERR_LIMIT ? "too_many" : "internal");
	}
}

void
offline_keep(struct agent *a, const struct lb_bundle *bundle,
    struct lb_door_accepted *ret)
{
	offline_tidy(a); /* what is over makes room */
	for (size_t i = 0; i < bundle->count; i++)
		if (bundle->part[i].type == &lb_grant_type)
			keep_part(a, bundle, &bundle->part[i], ret);
}

/* Issued later than now: the clock was set back, and may be set right. */
static bool
still_keepable(const struct agent *a, const struct state_kept *k)
{
	char code[LB_WORD_MAX + 1];
	struct lb_bundle *b = NULL;
	const struct lb_part *part;
	bool may = false;

	if (lb_bundle_split(k->bundle, k->bundle_len, &b) == LB_OK &&
	    (part = lb_bundle_find(b, k->id)) != NULL)
		may = keepable(a, b, part, code) ||
		    strcmp(code, "grant_not_yet") == 0;
	lb_bundle_free(b);
	return may;
}

void
offline_tidy(struct agent *a)
{
	char id[LB_SHA256_LEN + 1];
	size_t i = a->state.kept_count;

	if (agent_trust(a) == NULL)
		return;
	while (i-- > 0) { /* dropping moves those behind it */
		const struct state_kept *k = &a->state.kept[i];

		if (!k->handed || still_keepable(a, k))
			continue;
		memcpy(id, k->id, sizeof(id));
		state_handed_drop(&a->state, id);
		agent_state_soon(a, lb_clock_boottime_ms());
	}
}

bool
offline_possible(const struct agent *a)
{
	if (agent_trust(a) == NULL || !agent_trust(a)->offline)
		return false;
	for (size_t i = 0; i < a->state.kept_count; i++)
		if (a->state.kept[i].handed)
			return true;
	return false;
}
