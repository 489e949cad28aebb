/* Who signed what: pinned lines, pages, dates, strength, and their number. */
#include "quorum.h"

#include <assert.h>
#include <string.h>

#include "lockbox/sshsig.h"

#include "match.h"

const struct lb_pinned_list *
lb_trust_lines(const struct lb_trust *t, enum lb_kind kind)
{
	switch (kind) {
	case LB_KIND_BROKER:
		return &t->broker;
	case LB_KIND_APPROVER:
		return &t->approver;
	case LB_KIND_HOOK:
		return &t->hook;
	case LB_KIND_ENGINEER:
		return &t->engineer;
	case LB_KIND_DELEGATE:
	case LB_KINDS:
		break;
	}
	return &t->delegate;
}

bool
lb_trust_page_admits(const struct lb_trust *t, const char *rp_id,
    const char *origin, enum lb_ns ns)
{
	for (size_t i = 0; i < t->page_count; i++) {
		const struct lb_page *p = &t->page[i];

		if (strcmp(p->rp_id, rp_id) != 0)
			continue;
		if (origin != NULL && strcmp(p->origin, origin) != 0)
			continue;
		if (ns == LB_NS_TRUST && p->broker)
			continue;
		return true;
	}
	return false;
}

/* "require" binds approvals and trust documents, hooks excepted. */
static bool
strong_enough(const struct lb_trust *t, enum lb_kind kind, enum lb_ns ns,
    const struct lb_sshsig *sig)
{
	uint8_t need = 0;

	if ((ns != LB_NS_APPROVE && ns != LB_NS_TRUST) || kind == LB_KIND_HOOK)
		return true;
	switch (t->require) {
	case LB_REQUIRE_ANY:
		return true;
	case LB_REQUIRE_TOUCH:
		need = LB_SIG_TOUCH;
		break;
	case LB_REQUIRE_VERIFIED:
		need = LB_SIG_TOUCH | LB_SIG_VERIFIED;
		break;
	default:
		return false;
	}
	return lb_sshkey_is_sk(&sig->key) && (sig->flags & need) == need;
}

/* A signature that verified, against one line that has its key. */
static bool
line_speaks(const struct lb_trust *t, enum lb_kind kind,
    const struct lb_pinned *line, enum lb_ns ns, const struct lb_sshsig *sig,
    int64_t now, enum lb_deaf *ret_why)
{
	*ret_why = LB_DEAF_SILENT;
	if ((line->namespaces & (unsigned int)ns) == 0)
		return false;
	*ret_why = LB_DEAF_DATES;
	if (!lb_pinned_in_dates(line, now))
		return false;
	*ret_why = LB_DEAF_PAGE;
	if (lb_sshkey_is_passkey(&line->key) &&
	    !lb_trust_page_admits(t, line->key.application, sig->origin, ns))
		return false;
	*ret_why = LB_DEAF_TOUCH;
	return strong_enough(t, kind, ns, sig);
}

static void
hear_kind(const struct lb_trust *t, enum lb_kind kind, enum lb_ns ns,
    const struct lb_sshsig *sig, int64_t now, struct lb_heard *h)
{
	const struct lb_pinned_list *l = lb_trust_lines(t, kind);

	for (size_t i = 0; i < l->count; i++) {
		enum lb_deaf why;

		if (!lb_sshkey_equal(&l->item[i].key, &sig->key))
			continue;
		if (line_speaks(t, kind, &l->item[i], ns, sig, now, &why))
			h->line[kind][i] = true;
		else if (why > h->why)
			h->why = why;
	}
}

static bool
key_pinned(const struct lb_trust *t, const struct lb_sshkey *key)
{
	for (int kind = 0; kind < LB_KINDS; kind++) {
		const struct lb_pinned_list *l =
		    lb_trust_lines(t, (enum lb_kind)kind);

		for (size_t i = 0; i < l->count; i++) {
			if (lb_sshkey_equal(&l->item[i].key, key))
				return true;
		}
	}
	return false;
}

static void
hear_sig(const struct lb_trust *t, const struct lb_part *part,
    const struct lb_slice *armor, enum lb_ns ns, int64_t now,
    struct lb_heard *h)
{
	struct lb_sshsig sig;

	/* Strangers' signatures are not worth the work of verifying. */
	if (lb_sshsig_parse(armor->text, armor->len, &sig) != LB_OK ||
	    strcmp(sig.ns, lb_ns_name(ns)) != 0 || !key_pinned(t, &sig.key))
		return;
	if (lb_sshsig_verify(&sig, ns, part->doc.text, part->doc.len) !=
	    LB_OK) {
		if (LB_DEAF_SIGNATURE > h->why)
			h->why = LB_DEAF_SIGNATURE;
		return;
	}
	for (int kind = 0; kind < LB_KINDS; kind++)
		hear_kind(t, (enum lb_kind)kind, ns, &sig, now, h);
}

void
lb_heard_read(const struct lb_trust *t, const struct lb_part *part,
    enum lb_ns ns, int64_t now, struct lb_heard *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < part->sig_count; i++)
		hear_sig(t, part, &part->sigs[i], ns, now, ret);
}

bool
lb_heard_any(const struct lb_heard *h, enum lb_kind kind)
{
	for (size_t i = 0; i < LB_APPROVERS_MAX; i++) {
		if (h->line[kind][i])
			return true;
	}
	return false;
}

static size_t
heard_lines(const struct lb_trust *t, const struct lb_heard *h,
    enum lb_kind kind, const struct lb_pinned **ret)
{
	const struct lb_pinned_list *l = lb_trust_lines(t, kind);
	size_t n = 0;

	for (size_t i = 0; i < l->count; i++) {
		if (h->line[kind][i])
			ret[n++] = &l->item[i];
	}
	return n;
}

size_t
lb_heard_count(const struct lb_trust *t, const struct lb_heard *h,
    const struct lb_pinned **ret_who)
{
	const struct lb_pinned *line[LB_QUORUM_MAX], *who[LB_QUORUM_MAX];
	size_t count = heard_lines(t, h, LB_KIND_APPROVER, line);
	size_t best = lb_match(line, count, ret_who);

	/* With each hook in turn: never two of them. */
	for (size_t i = 0; i < t->hook.count; i++) {
		size_t n;

		if (!h->line[LB_KIND_HOOK][i])
			continue;
		line[count] = &t->hook.item[i];
		n = lb_match(line, count + 1, who);
		if (n <= best)
			continue;
		best = n;
		memcpy(ret_who, who, n * sizeof(who[0]));
	}
	return best;
}

/* Does this key stand under the engineer's name anywhere? */
static bool
key_of_engineer(
    const struct lb_trust *t, const struct lb_sshkey *key, const char *engineer)
{
	for (int kind = LB_KIND_APPROVER; kind < LB_KINDS; kind++) {
		const struct lb_pinned_list *l =
		    lb_trust_lines(t, (enum lb_kind)kind);

		for (size_t i = 0; i < l->count; i++) {
			if (strcmp(l->item[i].principal, engineer) == 0 &&
			    lb_sshkey_equal(&l->item[i].key, key))
				return true;
		}
	}
	return false;
}

/* Nobody approves his own: by name, by login key, by another name's key. */
static void
drop_own(const struct lb_trust *t, struct lb_heard *h, enum lb_kind kind,
    const struct lb_grant *grant)
{
	const struct lb_pinned_list *l = lb_trust_lines(t, kind);

	for (size_t i = 0; i < l->count; i++) {
		const struct lb_sshkey *key = &l->item[i].key;

		if (!h->line[kind][i])
			continue;
		if (lb_keyfps_has(&grant->engineer_key, key->fp) ||
		    key_of_engineer(t, key, grant->engineer)) {
			h->line[kind][i] = false;
			h->why = LB_DEAF_OWN;
		}
	}
}

const char *
lb_heard_code(const struct lb_heard *h)
{
	static const char *const code[] = {
		[LB_DEAF_SILENT] = "approvals_missing",
		[LB_DEAF_SIGNATURE] = "approval_signature",
		[LB_DEAF_DATES] = "approval_dates",
		[LB_DEAF_PAGE] = "approval_page",
		[LB_DEAF_TOUCH] = "approval_touch",
		[LB_DEAF_DELEGATE_UNTIL] = "delegation_over",
		[LB_DEAF_OWN] = "approval_own",
	};

	return code[h->why];
}

static void
quorum_add(struct lb_quorum *q, const struct lb_pinned *line)
{
	size_t i = q->counted++;

	memcpy(q->who[i].principal, line->principal, sizeof(line->principal));
	memcpy(q->who[i].fp, line->key.fp, sizeof(line->key.fp));
}

void
lb_heard_approvals(const struct lb_trust *t, struct lb_heard *h,
    const struct lb_grant *grant, int64_t now, struct lb_quorum *ret)
{
	const struct lb_pinned *who[LB_QUORUM_MAX];
	size_t n;

	assert(t->threshold > 0);
	memset(ret, 0, sizeof(*ret));
	drop_own(t, h, LB_KIND_APPROVER, grant);
	drop_own(t, h, LB_KIND_HOOK, grant);
	drop_own(t, h, LB_KIND_DELEGATE, grant);
	n = lb_heard_count(t, h, who);
	ret->needed = t->threshold;
	if (n < t->threshold && lb_heard_any(h, LB_KIND_DELEGATE)) {
		if (now < t->delegate_until) {
			(void)heard_lines(t, h, LB_KIND_DELEGATE, who);
			n = ret->needed = 1; /* any one of them */
			ret->by_delegate = true;
		} else if (LB_DEAF_DELEGATE_UNTIL > h->why) {
			h->why = LB_DEAF_DELEGATE_UNTIL;
		}
	}
	for (size_t i = 0; i < n; i++)
		quorum_add(ret, who[i]);
	ret->reached = ret->counted >= ret->needed;
	if (!ret->reached)
		ret->code = lb_heard_code(h);
}

void
lb_trust_count_approvals(const struct lb_trust *t, const struct lb_part *part,
    const struct lb_grant *grant, int64_t now, struct lb_quorum *ret)
{
	struct lb_heard h;

	lb_heard_read(t, part, LB_NS_APPROVE, now, &h);
	lb_heard_approvals(t, &h, grant, now, ret);
}

bool
lb_trust_closed_by(const struct lb_trust *t, const struct lb_part *part,
    enum lb_ns ns, int64_t now, char ret_principal[LB_PRINCIPAL_MAX + 1])
{
	const struct lb_pinned *who[LB_APPROVERS_MAX];
	struct lb_heard h;

	lb_heard_read(t, part, ns, now, &h);
	for (int kind = LB_KIND_APPROVER; kind < LB_KINDS; kind++) {
		if (heard_lines(t, &h, (enum lb_kind)kind, who) == 0)
			continue;
		if (ret_principal != NULL)
			memcpy(ret_principal, who[0]->principal,
			    sizeof(who[0]->principal));
		return true;
	}
	return false;
}

/* Did a line of that kind and principal sign in ns? */
static bool
signed_by(const struct lb_trust *t, const struct lb_part *part,
    enum lb_kind kind, const char *principal, enum lb_ns ns, int64_t now)
{
	const struct lb_pinned_list *l = lb_trust_lines(t, kind);
	struct lb_heard h;

	lb_heard_read(t, part, ns, now, &h);
	for (size_t i = 0; i < l->count; i++) {
		if (h.line[kind][i] &&
		    strcmp(l->item[i].principal, principal) == 0)
			return true;
	}
	return false;
}

bool
lb_trust_request_signed(const struct lb_trust *t, const struct lb_part *part,
    const struct lb_request *request, int64_t now)
{
	return signed_by(
	    t, part, LB_KIND_ENGINEER, request->engineer, LB_NS_REQUEST, now);
}

bool
lb_trust_answer_signed(const struct lb_trust *t, const struct lb_part *part,
    const char *broker, int64_t now)
{
	return signed_by(t, part, LB_KIND_BROKER, broker, LB_NS_ANSWER, now);
}
