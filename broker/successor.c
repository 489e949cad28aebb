/* Taking a trust document up. */
#include "successor.h"

#include <string.h>

#include "log.h"

bool
successor_names_us(const struct app *app, const struct lb_trust *t)
{
	for (size_t i = 0; i < t->broker.count; i++)
		if (strcmp(t->broker.item[i].principal, app->conf.name) == 0 &&
		    lb_sshkey_equal(
			&t->broker.item[i].key, lb_signer_key(app->signer)))
			return true;
	return false;
}

/*
 * Whose signature of the part is it, in whatever namespace: a line of by, if
 * it verifies; else NULL. Public keys are no secret, so a key alone says
 * nothing.
 */
static const struct lb_pinned *
signer(const struct lb_trust *by, const struct lb_part *part, size_t i)
{
	const struct lb_slice *armor = &part->sigs[i];
	const struct lb_pinned *line;
	struct lb_sshsig sig;
	enum lb_ns ns;

	if (lb_sshsig_parse(armor->text, armor->len, &sig) != LB_OK ||
	    (line = trust_line_of(by, sig.key.fp)) == NULL ||
	    (ns = lb_ns_find(sig.ns)) == 0 ||
	    lb_sshsig_verify(&sig, ns, part->doc.text, part->doc.len) != LB_OK)
		return NULL;
	return line;
}

const struct lb_pinned *
successor_signer(const struct lb_trust *by, const struct lb_part *part)
{
	const struct lb_pinned *line = NULL;

	for (size_t i = 0; line == NULL && i < part->sig_count; i++)
		line = signer(by, part, i);
	return line;
}

enum lb_err
successor_row(const struct lb_trust *t, const struct lb_trust *by,
    const struct lb_part *part, int64_t now, struct trust_row *ret)
{
	const struct lb_pinned *seen[LB_APPROVERS_MAX];
	size_t count = 0;
	enum lb_err r;

	memcpy(ret->tenant, t->tenant, sizeof(ret->tenant));
	memcpy(ret->sha256, t->id, sizeof(ret->sha256));
	ret->serial = t->serial;
	ret->doc = t;
	ret->added_at = now;
	if ((r = lb_buf_add(&ret->bundle, part->doc.text, part->doc.len)) !=
	    LB_OK)
		return r;
	for (size_t i = 0; i < part->sig_count; i++) {
		const struct lb_pinned *owner =
		    lb_trust_owner_signed(by, part, i, now);
		bool again = owner == NULL || count == LB_APPROVERS_MAX;

		for (size_t k = 0; k < count; k++)
			again |= seen[k] == owner;
		if (again)
			continue;
		seen[count++] = owner;
		if ((r = lb_buf_add(&ret->bundle, part->sigs[i].text,
			 part->sigs[i].len)) != LB_OK)
			return r;
	}
	return LB_OK;
}

enum lb_err
successor_refuse(
    struct reply *reply, const struct lb_trust *current, enum lb_err r)
{
	switch (r) {
	case LB_ERR_MEMORY:
		return r;
	case LB_ERR_SIGNATURE:
		return reply_refuse(reply, "trust_refused",
		    "too few owners of the one in force signed it");
	case LB_ERR_STATE:
		return reply_refuse(reply, "trust_serial",
		    "serial %lld is in force", (long long)current->serial);
	default:
		return reply_refuse(
		    reply, "trust_refused", "%s", lb_err_text(r));
	}
}

static enum lb_err
successor_store(struct app *app, const struct call *call,
    const struct held *held, const char *actor, const struct lb_trust *next,
    const struct lb_part *part, const struct proposal_row *proposal)
{
	struct trust_row row = { 0 };
	struct change c = { .trust = &row, .proposal_gone = proposal };
	enum lb_err r;

	if ((r = successor_row(next, held->trust, part, call->now, &row)) !=
	    LB_OK)
		goto out;
	call_event(app, call, &c, "trust.changed", actor, next->tenant);
	ROW_TEXT(change_event(&c)->detail, next->id);
	if ((r = call_commit(app, &c)) != LB_OK)
		goto out;
	if (!successor_names_us(app, next))
		LOG_WARN("trust of '%s' does not name this broker any more, "
			 "its hosts will not believe us",
		    next->tenant);
out:
	trust_row_clear(&row);
	return r;
}

enum lb_err
successor_take(struct app *app, const struct call *call, struct reply *reply,
    const struct held *held, const char *actor, const struct lb_part *part,
    const struct proposal_row *proposal)
{
	struct lb_trust *next = NULL;
	enum lb_err r;

	r = lb_trust_follow(held->trust, part, call->now, &next);
	if (r != LB_OK)
		return successor_refuse(reply, held->trust, r);
	r = successor_store(app, call, held, actor, next, part, proposal);
	lb_trust_free(next);
	return r;
}
