/* Trust documents: what they say as a whole, and their chain. */
#include "lockbox/trust.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/sshsig.h"

#include "quorum.h"

#define PORT_MAX 65535

#define CLOSING (LB_NS_DENY | LB_NS_REVOKE)

/* What each kind of line may sign. */
static const unsigned int kind_namespaces[LB_KINDS] = {
	[LB_KIND_BROKER] = LB_NS_ANSWER,
	[LB_KIND_APPROVER] = LB_NS_APPROVE | CLOSING | LB_NS_TRUST,
	[LB_KIND_HOOK] = LB_NS_APPROVE | CLOSING,
	[LB_KIND_ENGINEER] = LB_NS_REQUEST,
	[LB_KIND_DELEGATE] = LB_NS_APPROVE | CLOSING,
};

/* A broker signs answers by itself: no device, and a broker's name. */
static bool
broker_fits(const struct lb_pinned *line)
{
	return lb_name_valid(line->principal) && !lb_sshkey_is_sk(&line->key);
}

static enum lb_err
lines_read(enum lb_kind kind, const char *text, size_t stride, size_t count,
    struct lb_pinned_list *ret)
{
	for (size_t i = 0; i < count; i++) {
		struct lb_pinned *line = &ret->item[i];
		enum lb_err r;

		if ((r = lb_pinned_parse(text + i * stride, line)) != LB_OK)
			return r;
		if ((line->namespaces & ~kind_namespaces[kind]) != 0)
			return LB_ERR_FORMAT;
		if (kind == LB_KIND_BROKER && !broker_fits(line))
			return LB_ERR_FORMAT;
	}
	ret->count = count;
	return LB_OK;
}

/* "https://HOST[:PORT]", lower case, no default port; ret_host is HOST. */
static enum lb_err
origin_read(const char *origin, char ret_host[LB_HOST_MAX + 1])
{
	static const char scheme[] = "https://";
	const char *host, *colon;
	int64_t port;
	size_t len;

	if (strncmp(origin, scheme, sizeof(scheme) - 1) != 0)
		return LB_ERR_FORMAT;
	host = origin + sizeof(scheme) - 1;
	len = strcspn(host, ":");
	colon = host + len;
	if (len > LB_HOST_MAX)
		return LB_ERR_RANGE;
	memcpy(ret_host, host, len);
	ret_host[len] = '\0';
	if (!lb_host_valid(ret_host))
		return LB_ERR_FORMAT;
	if (*colon == '\0')
		return LB_OK;
	if (lb_number_parse(colon + 1, 1, PORT_MAX, &port) != LB_OK ||
	    port == 443)
		return LB_ERR_FORMAT;
	return LB_OK;
}

/* WebAuthn: an origin may use its own host as RP-ID, or a parent of it. */
static bool
host_within(const char *host, const char *rp_id)
{
	size_t host_len = strlen(host), len = strlen(rp_id);

	if (host_len < len || strcmp(host + host_len - len, rp_id) != 0)
		return false;
	return host_len == len || host[host_len - len - 1] == '.';
}

/* "RP-ID ORIGIN" or "RP-ID ORIGIN broker". */
static enum lb_err
page_read(const char *text, struct lb_page *ret)
{
	size_t rp_len = strcspn(text, " "), origin_len;
	char host[LB_HOST_MAX + 1];
	const char *origin, *rest;
	enum lb_err r;

	if (text[rp_len] != ' ')
		return LB_ERR_FORMAT;
	origin = text + rp_len + 1;
	origin_len = strcspn(origin, " ");
	rest = origin + origin_len;
	if (rp_len > LB_APPLICATION_MAX || origin_len > LB_ORIGIN_MAX)
		return LB_ERR_RANGE;
	memcpy(ret->rp_id, text, rp_len);
	ret->rp_id[rp_len] = '\0';
	memcpy(ret->origin, origin, origin_len);
	ret->origin[origin_len] = '\0';
	ret->broker = strcmp(rest, " broker") == 0;
	if (!ret->broker && *rest != '\0')
		return LB_ERR_FORMAT;
	if ((r = origin_read(ret->origin, host)) != LB_OK)
		return r;
	/* So the RP-ID is a host name as well. */
	return host_within(host, ret->rp_id) ? LB_OK : LB_ERR_FORMAT;
}

/* An origin is served by the broker or it is not; it cannot be both. */
static bool
pages_agree(const struct lb_trust *t)
{
	for (size_t i = 0; i < t->page_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(t->page[i].origin, t->page[j].origin) == 0 &&
			    t->page[i].broker != t->page[j].broker)
				return false;
		}
	}
	return true;
}

static enum lb_err
pages_read(const struct lb_trust_paper *p, struct lb_trust *t)
{
	for (size_t i = 0; i < p->page.count; i++) {
		enum lb_err r;

		if ((r = page_read(p->page.item[i], &t->page[i])) != LB_OK)
			return r;
	}
	t->page_count = p->page.count;
	return pages_agree(t) ? LB_OK : LB_ERR_FORMAT;
}

static enum lb_err
require_read(const char *word, enum lb_require *ret)
{
	static const char *const words[] = {
		[LB_REQUIRE_ANY] = "any",
		[LB_REQUIRE_TOUCH] = "touch",
		[LB_REQUIRE_VERIFIED] = "verified",
	};

	for (int i = LB_REQUIRE_ANY; i <= LB_REQUIRE_VERIFIED; i++) {
		if (strcmp(word, words[i]) == 0) {
			*ret = (enum lb_require)i;
			return LB_OK;
		}
	}
	return LB_ERR_FORMAT;
}

/* Could this line ever speak in ns, dates aside? */
static bool
line_could(const struct lb_trust *t, enum lb_kind kind,
    const struct lb_pinned *line, enum lb_ns ns)
{
	if ((line->namespaces & (unsigned int)ns) == 0)
		return false;
	if (t->require != LB_REQUIRE_ANY && kind != LB_KIND_HOOK &&
	    !lb_sshkey_is_sk(&line->key))
		return false;
	return !lb_sshkey_is_passkey(&line->key) ||
	    lb_trust_page_admits(t, line->key.application, NULL, ns);
}

static bool
reachable(const struct lb_trust *t, enum lb_ns ns)
{
	static const enum lb_kind kinds[] = { LB_KIND_APPROVER, LB_KIND_HOOK };
	const struct lb_pinned *who[LB_QUORUM_MAX];
	struct lb_heard h = { 0 };

	for (size_t k = 0; k < 2; k++) {
		const struct lb_pinned_list *l = lb_trust_lines(t, kinds[k]);

		for (size_t i = 0; i < l->count; i++)
			h.line[kinds[k]][i] =
			    line_could(t, kinds[k], &l->item[i], ns);
	}
	return lb_heard_count(t, &h, who) >= t->threshold;
}

#define LINES_READ(kind, p, list, t)                                           \
	lines_read(kind, (p)->list.item[0], sizeof((p)->list.item[0]),         \
	    (p)->list.count, &(t)->list)

static enum lb_err
trust_fill(const struct lb_trust_paper *p, struct lb_trust *t)
{
	enum lb_err r;

	memcpy(t->tenant, p->tenant, sizeof(t->tenant));
	memcpy(t->previous, p->previous, sizeof(t->previous));
	t->serial = p->serial;
	t->good_until = p->good_until;
	t->threshold = (size_t)p->threshold;
	t->longest = p->longest;
	t->lease = p->lease;
	t->offline = strcmp(p->offline, "allow") == 0;
	t->delegate_until = p->delegate_until;
	if ((r = require_read(p->require, &t->require)) != LB_OK ||
	    (r = pages_read(p, t)) != LB_OK ||
	    (r = LINES_READ(LB_KIND_BROKER, p, broker, t)) != LB_OK ||
	    (r = LINES_READ(LB_KIND_APPROVER, p, approver, t)) != LB_OK ||
	    (r = LINES_READ(LB_KIND_HOOK, p, hook, t)) != LB_OK ||
	    (r = LINES_READ(LB_KIND_ENGINEER, p, engineer, t)) != LB_OK ||
	    (r = LINES_READ(LB_KIND_DELEGATE, p, delegate, t)) != LB_OK)
		return r;
	if (!reachable(t, LB_NS_APPROVE) || !reachable(t, LB_NS_TRUST))
		return LB_ERR_STATE;
	return LB_OK;
}

enum lb_err
lb_trust_parse(const char *text, size_t len, struct lb_trust **ret)
{
	struct lb_trust_paper *p = calloc(1, sizeof(*p));
	struct lb_trust *t = calloc(1, sizeof(*t));
	enum lb_err r = LB_ERR_MEMORY;

	if (p == NULL || t == NULL)
		goto out;
	if ((r = lb_trust_paper_parse(text, len, p)) != LB_OK ||
	    (r = trust_fill(p, t)) != LB_OK)
		goto out;
	lb_doc_id(text, len, t->id);
	*ret = t;
	t = NULL; /* handed over */
out:
	lb_trust_free(t);
	free(p);
	return r;
}

void
lb_trust_free(struct lb_trust *t)
{
	free(t);
}

/*
 * How many owners of t have signed the part; ret_who gets their lines, at most
 * LB_APPROVERS_MAX: a hook never signs trust.
 */
static size_t
owners_heard(const struct lb_trust *t, const struct lb_part *part, int64_t now,
    const struct lb_pinned **ret_who)
{
	const struct lb_pinned *who[LB_QUORUM_MAX];
	struct lb_heard h;
	size_t n;

	lb_heard_read(t, part, LB_NS_TRUST, now, &h);
	n = lb_heard_count(t, &h, who);
	assert(n <= LB_APPROVERS_MAX);
	memcpy(ret_who, who, n * sizeof(who[0]));
	return n;
}

const struct lb_pinned *
lb_trust_owner_signed(
    const struct lb_trust *t, const struct lb_part *part, size_t i, int64_t now)
{
	const struct lb_pinned *who[LB_APPROVERS_MAX];
	struct lb_part one = *part;

	assert(i < part->sig_count);
	one.sigs = &part->sigs[i];
	one.sig_count = 1;
	return owners_heard(t, &one, now, who) > 0 ? who[0] : NULL;
}

static bool
succeeds(const struct lb_trust *current, const struct lb_trust *next)
{
	return strcmp(next->tenant, current->tenant) == 0 &&
	    next->serial == current->serial + 1 &&
	    strcmp(next->previous, current->id) == 0;
}

/* The successor, if at least that many owners of the one before signed it. */
static enum lb_err
successor_read(const struct lb_trust *current, const struct lb_part *next,
    size_t least, size_t signers, struct lb_trust **ret)
{
	struct lb_trust *t = NULL;
	enum lb_err r;

	assert(least > 0);
	if (signers < least)
		return LB_ERR_SIGNATURE;
	if ((r = lb_trust_parse(next->doc.text, next->doc.len, &t)) != LB_OK)
		return r;
	if (!succeeds(current, t)) {
		lb_trust_free(t);
		return LB_ERR_STATE;
	}
	*ret = t;
	return LB_OK;
}

enum lb_err
lb_trust_follow(const struct lb_trust *current, const struct lb_part *next,
    int64_t now, struct lb_trust **ret)
{
	const struct lb_pinned *who[LB_APPROVERS_MAX];

	return successor_read(current, next, current->threshold,
	    owners_heard(current, next, now, who), ret);
}

enum lb_err
lb_trust_propose(const struct lb_trust *current, const struct lb_part *next,
    int64_t now, struct lb_trust_signers *ret_signers, struct lb_trust **ret)
{
	struct lb_trust_signers s;
	enum lb_err r;

	s.count = owners_heard(current, next, now, s.who);
	if ((r = successor_read(current, next, 1, s.count, ret)) == LB_OK)
		*ret_signers = s;
	return r;
}

enum lb_err
lb_trust_selfsigned(
    const struct lb_trust *t, const struct lb_part *part, int64_t now)
{
	const struct lb_pinned *who[LB_APPROVERS_MAX];

	if (strcmp(part->id, t->id) != 0)
		return LB_ERR_STATE;
	return owners_heard(t, part, now, who) >= t->threshold
	    ? LB_OK
	    : LB_ERR_SIGNATURE;
}
