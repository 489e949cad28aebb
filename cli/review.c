/* Checks a request and its grant before a person signs. Pure. */
#include "review.h"

#include <stdio.h>
#include <string.h>

#define FAIL(review, error, ...)                                               \
	(snprintf((review)->what, REVIEW_WHAT_MAX, __VA_ARGS__), (error))

static bool
differs(const char *claimed, const char *found)
{
	return claimed == NULL || strcmp(claimed, found) != 0;
}

/* What the broker says stands beside the text must be what stands in it. */
static enum lb_err
claim_check(const struct review_claim *c, struct review *r)
{
	if (differs(c->sha256, r->request_id))
		return FAIL(r, LB_ERR_FORMAT,
		    "the request's text is not the one its sha256 names");
	if (differs(c->id, r->request.request))
		return FAIL(r, LB_ERR_FORMAT,
		    "the broker sent another request than was asked for");
	if (differs(c->code, r->code))
		return FAIL(r, LB_ERR_FORMAT,
		    "the broker shows another code than the request has (%s)",
		    r->code);
	if (differs(c->tenant, r->request.tenant))
		return FAIL(r, LB_ERR_FORMAT,
		    "the request is of tenant %s, not of the one shown",
		    r->request.tenant);
	return LB_OK;
}

/* Is the key a pinned one of the engineer, in its dates? */
static bool
engineer_pinned(const struct lb_trust *t, const struct lb_request *q,
    const struct lb_sshkey *key, int64_t now)
{
	for (size_t i = 0; i < t->engineer.count; i++) {
		const struct lb_pinned *p = &t->engineer.item[i];

		if (strcmp(p->principal, q->engineer) == 0 &&
		    (p->namespaces & LB_NS_REQUEST) != 0 &&
		    lb_pinned_in_dates(p, now) && lb_sshkey_equal(&p->key, key))
			return true;
	}
	return false;
}

static enum lb_err
engineer_check(const struct review_claim *c, const struct lb_trust *trust,
    int64_t now, struct review *r)
{
	struct lb_sshsig sig;
	enum lb_err e;

	if (c->signature == NULL || c->signature[0] == '\0')
		return FAIL(r, LB_ERR_SIGNATURE,
		    "the engineer's signature is not there");
	if ((e = lb_sshsig_parse(c->signature, strlen(c->signature), &sig)) !=
		LB_OK ||
	    (e = lb_sshsig_verify(
		 &sig, LB_NS_REQUEST, c->text, strlen(c->text))) != LB_OK)
		return FAIL(r, LB_ERR_SIGNATURE,
		    "the engineer's signature does not verify: %s",
		    lb_err_text(e));
	r->engineer = sig.key;
	if (trust == NULL || trust->engineer.count == 0)
		return LB_OK;
	if (!engineer_pinned(trust, &r->request, &sig.key, now))
		return FAIL(r, LB_ERR_FORBIDDEN,
		    "signed by key %s, which the trust document does not pin "
		    "for %.100s",
		    sig.key.fp, r->request.engineer);
	r->engineer_pinned = true;
	return LB_OK;
}

/*
 * Whose key it is, only the provider's roster says; that the signature is over
 * this very request, and no other hand of the engineer's, anybody can check.
 */
static enum lb_err
endorsement_check(const struct review_claim *c, struct review *r)
{
	struct lb_sshsig sig;
	enum lb_err e;

	if (c->endorser == NULL && c->endorsement == NULL)
		return LB_OK;
	if (c->endorser == NULL || !lb_principal_valid(c->endorser) ||
	    c->endorsement == NULL)
		return FAIL(r, LB_ERR_FORMAT,
		    "the endorsement lacks its signature or its name");
	if ((e = lb_sshsig_parse(
		 c->endorsement, strlen(c->endorsement), &sig)) != LB_OK ||
	    (e = lb_sshsig_verify(
		 &sig, LB_NS_ENDORSE, c->text, strlen(c->text))) != LB_OK)
		return FAIL(r, LB_ERR_SIGNATURE,
		    "the endorsement by %.100s does not verify: %s",
		    c->endorser, lb_err_text(e));
	if (strcmp(c->endorser, r->request.engineer) == 0 ||
	    lb_sshkey_equal(&sig.key, &r->engineer) ||
	    lb_keyfps_has(&r->request.engineer_key, sig.key.fp))
		return FAIL(r, LB_ERR_FORBIDDEN,
		    "the endorsement is the engineer's own");
	if ((e = lb_text_copy(r->endorser, sizeof(r->endorser), c->endorser)) !=
	    LB_OK)
		return e;
	r->endorser_key = sig.key;
	return LB_OK;
}

enum lb_err
review_request(const struct review_claim *claim, const struct lb_trust *trust,
    int64_t now, struct review *ret)
{
	struct review r = { 0 };
	enum lb_err e;

	if (claim->text == NULL)
		return FAIL(
		    ret, LB_ERR_FORMAT, "the request's text is missing");
	e = lb_request_parse(claim->text, strlen(claim->text), &r.request);
	if (e != LB_OK)
		return FAIL(ret, LB_ERR_FORMAT, "the request's text: %s",
		    lb_err_text(e));
	lb_doc_id(claim->text, strlen(claim->text), r.request_id);
	lb_request_code(r.request_id, r.code);
	if ((e = claim_check(claim, &r)) != LB_OK ||
	    (e = engineer_check(claim, trust, now, &r)) != LB_OK ||
	    (e = endorsement_check(claim, &r)) != LB_OK) {
		memcpy(ret->what, r.what, sizeof(r.what));
		return e;
	}
	if (trust != NULL && strcmp(trust->tenant, r.request.tenant) != 0)
		return FAIL(ret, LB_ERR_FORMAT,
		    "the request is of tenant %s, the trust document of %s",
		    r.request.tenant, trust->tenant);
	*ret = r;
	return LB_OK;
}

/* Names that a grant lists against those wanted; both are sorted. */
static bool
list_same(
    const char *a, size_t a_count, const char *b, size_t b_count, size_t size)
{
	if (a_count != b_count)
		return false;
	for (size_t i = 0; i < a_count; i++)
		if (strcmp(a + i * size, b + i * size) != 0)
			return false;
	return true;
}

#define SAME(a, b)                                                             \
	list_same((a)->item[0], (a)->count, (b)->item[0], (b)->count,          \
	    sizeof((a)->item[0]))

/* Exactly what was asked, or what the person narrowed it to. */
static enum lb_err
lists_check(
    struct review *r, const struct lb_grant *g, const struct review_narrow *n)
{
	const struct lb_request *q = &r->request;

	if (!SAME(&g->engineer_key, &q->engineer_key))
		return FAIL(r, LB_ERR_RANGE,
		    "the grant names other keys than the request");
	if (!SAME(&g->host, n->host.count > 0 ? &n->host : &q->host))
		return FAIL(r, LB_ERR_RANGE,
		    "the grant names other hosts than it should");
	if (!SAME(&g->login, n->login.count > 0 ? &n->login : &q->login))
		return FAIL(r, LB_ERR_RANGE,
		    "the grant names other logins than it should");
	if (!SAME(
		&g->service, n->service.count > 0 ? &n->service : &q->service))
		return FAIL(r, LB_ERR_RANGE,
		    "the grant names other services than it should");
	return LB_OK;
}

/* What an open draft must say of time. A fixed one is only shown. */
static enum lb_err
times_check(struct review *r, const struct lb_grant *g,
    const struct review_narrow *n, int64_t longest, int64_t now)
{
	int64_t span = n->duration != 0 ? n->duration : r->request.duration;
	int64_t from = n->not_before != 0 ? n->not_before : r->request.start;
	int64_t has = g->not_after - g->not_before;

	if (longest > 0 && span > longest)
		span = longest;
	if (has > span + REVIEW_EARLY)
		return FAIL(r, LB_ERR_RANGE,
		    "the grant lasts longer than it "
		    "should");
	if (has < span - REVIEW_EARLY)
		return FAIL(r, LB_ERR_RANGE,
		    "the grant is shorter than asked "
		    "for, and nobody shortened it");
	if (from < now)
		from = now;
	if (g->not_before > from + REVIEW_CLOCKS ||
	    g->not_before <
		from - REVIEW_EARLY - REVIEW_CLOCKS - REVIEW_DRAFT_GOOD)
		return FAIL(r, LB_ERR_RANGE,
		    "the grant begins at another time than it should");
	if (g->issued < now - REVIEW_DRAFT_GOOD - REVIEW_CLOCKS)
		return FAIL(r, LB_ERR_RANGE, "the draft is too old");
	return LB_OK;
}

enum lb_err
review_grant(struct review *r, const char *text, size_t len,
    const struct review_narrow *narrow, bool fixed, int64_t longest,
    int64_t now)
{
	struct lb_grant g;
	enum lb_err e;

	if ((e = lb_grant_parse(text, len, &g)) != LB_OK)
		return FAIL(
		    r, LB_ERR_FORMAT, "the grant's text: %s", lb_err_text(e));
	if (!lb_grant_within(&g, &r->request, r->request_id))
		return FAIL(r, LB_ERR_RANGE,
		    "the grant says more than the engineer asked for");
	if (g.issued > now + REVIEW_CLOCKS)
		return FAIL(r, LB_ERR_RANGE,
		    "the grant was issued in the future: are the clocks right");
	if (now >= g.not_after)
		return FAIL(r, LB_ERR_RANGE, "the grant is over already");
	if (longest > 0 && g.not_after - g.not_before > longest)
		return FAIL(r, LB_ERR_RANGE,
		    "the grant lasts longer than the trust document allows");
	if (!fixed &&
	    ((e = lists_check(r, &g, narrow)) != LB_OK ||
		(e = times_check(r, &g, narrow, longest, now)) != LB_OK))
		return e;
	r->grant = g;
	lb_doc_id(text, len, r->grant_id);
	return LB_OK;
}

/* The line of the list that lets the key sign so, or NULL. */
static const struct lb_pinned *
signer_line(const struct lb_pinned_list *l, const struct lb_sshkey *key,
    enum lb_ns ns, int64_t now)
{
	for (size_t i = 0; i < l->count; i++)
		if ((l->item[i].namespaces & ns) != 0 &&
		    lb_pinned_in_dates(&l->item[i], now) &&
		    lb_sshkey_equal(&l->item[i].key, key))
			return &l->item[i];
	return NULL;
}

/* Only approvals are bound by "require". */
static bool
shows_enough(const struct lb_trust *t, const struct lb_sshsig *sig)
{
	uint8_t need = 0;

	if (t->require == LB_REQUIRE_TOUCH)
		need = LB_SIG_TOUCH;
	else if (t->require == LB_REQUIRE_VERIFIED)
		need = LB_SIG_TOUCH | LB_SIG_VERIFIED;
	return (sig->flags & need) == need;
}

enum lb_err
review_signer(struct review *r, const struct lb_trust *trust,
    const struct lb_sshsig *sig, enum lb_ns ns, int64_t now)
{
	const struct lb_pinned *hook, *p;

	hook = signer_line(&trust->hook, &sig->key, ns, now);
	p = signer_line(&trust->approver, &sig->key, ns, now);
	if (p == NULL)
		p = hook;
	if (p == NULL && (ns != LB_NS_APPROVE || now < trust->delegate_until))
		p = signer_line(&trust->delegate, &sig->key, ns, now);
	if (p == NULL)
		return FAIL(r, LB_ERR_FORBIDDEN,
		    "key %s is none that tenant %s lets decide this now",
		    sig->key.fp, trust->tenant);
	if (ns != LB_NS_APPROVE)
		return LB_OK;
	if (strcmp(p->principal, r->grant.engineer) == 0 ||
	    lb_keyfps_has(&r->grant.engineer_key, sig->key.fp))
		return FAIL(r, LB_ERR_FORBIDDEN,
		    "nobody approves a request of their own");
	if (p != hook && !shows_enough(trust, sig))
		return FAIL(r, LB_ERR_FORBIDDEN,
		    "tenant %s wants keys that show %s: use a security key "
		    "that does",
		    trust->tenant,
		    trust->require == LB_REQUIRE_TOUCH ? "a touch"
						       : "a PIN or finger");
	return LB_OK;
}
