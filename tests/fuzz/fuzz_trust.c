/*
 * Trust documents, alone and as bundles: refused, or what was read keeps its
 * promises; a successor is one.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "lockbox/trust.h"

#define NOW INT64_C(1772460000)

#define CLOSING (LB_NS_DENY | LB_NS_REVOKE)

static void
check_lines(
    const struct lb_pinned_list *l, size_t most, unsigned int namespaces)
{
	assert(l->count <= most);
	for (size_t i = 0; i < l->count; i++) {
		const struct lb_pinned *p = &l->item[i];

		assert(lb_principal_valid(p->principal));
		assert(p->namespaces != 0);
		assert((p->namespaces & ~namespaces) == 0);
		assert(lb_keyfp_valid(p->key.fp));
	}
}

/* How many names or keys there are that could own: at least threshold. */
static void
check_owners(const struct lb_trust *t)
{
	size_t names = 0, keys = 0;

	for (size_t i = 0; i < t->approver.count; i++) {
		const struct lb_pinned *p = &t->approver.item[i];
		bool name = true, key = true;

		if ((p->namespaces & LB_NS_TRUST) == 0)
			continue;
		for (size_t j = 0; j < i; j++) {
			const struct lb_pinned *o = &t->approver.item[j];

			if ((o->namespaces & LB_NS_TRUST) == 0)
				continue;
			name = name && strcmp(o->principal, p->principal) != 0;
			key = key && strcmp(o->key.fp, p->key.fp) != 0;
		}
		names += name;
		keys += key;
	}
	assert(names >= t->threshold && keys >= t->threshold);
}

static void
check_trust(const struct lb_trust *t, const char *text, size_t len)
{
	char id[LB_SHA256_LEN + 1];

	lb_doc_id(text, len, id);
	assert(strcmp(t->id, id) == 0);
	assert(lb_name_valid(t->tenant));
	assert(t->serial >= 1 && (t->serial > 1) == (t->previous[0] != '\0'));
	assert(t->threshold >= 1 && t->threshold <= LB_THRESHOLD_MAX);
	assert(t->longest > 0 && t->longest <= LB_GRANT_SPAN_MAX);
	assert(t->lease >= LB_LEASE_MIN && t->lease <= LB_LEASE_MAX);
	assert((t->delegate.count > 0) == (t->delegate_until != 0));
	assert(t->broker.count >= 1 && t->page_count <= LB_PAGES_MAX);
	check_lines(&t->broker, LB_BROKERS_MAX, LB_NS_ANSWER);
	check_lines(&t->approver, LB_APPROVERS_MAX,
	    LB_NS_APPROVE | CLOSING | LB_NS_TRUST);
	check_lines(&t->hook, LB_HOOKS_MAX, LB_NS_APPROVE | CLOSING);
	check_lines(&t->engineer, LB_ENGINEERS_MAX, LB_NS_REQUEST);
	check_lines(&t->delegate, LB_DELEGATES_MAX, LB_NS_APPROVE | CLOSING);
	check_owners(t);
	for (size_t i = 0; i < t->page_count; i++) {
		assert(lb_host_valid(t->page[i].rp_id));
		assert(strncmp(t->page[i].origin, "https://", 8) == 0);
		assert(strstr(t->page[i].origin, t->page[i].rp_id) != NULL);
	}
}

static struct lb_trust *
parse(const char *text, size_t len)
{
	struct lb_trust *t = NULL;
	enum lb_err r = lb_trust_parse(text, len, &t);

	assert((t != NULL) == (r == LB_OK));
	if (t != NULL)
		check_trust(t, text, len);
	return t;
}

static void
check_follow(const struct lb_trust *t, const struct lb_part *part)
{
	struct lb_trust *next = NULL;
	enum lb_err r = lb_trust_follow(t, part, NOW, &next);

	assert((next != NULL) == (r == LB_OK));
	if (next == NULL)
		return;
	check_trust(next, part->doc.text, part->doc.len);
	assert(next->serial == t->serial + 1);
	assert(strcmp(next->previous, t->id) == 0);
	assert(strcmp(next->tenant, t->tenant) == 0);
	assert(part->sig_count >= t->threshold);
	lb_trust_free(next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	struct lb_bundle *b = NULL;
	struct lb_trust *t = parse(text, len);

	lb_trust_free(t);
	if (lb_bundle_split(text, len, &b) != LB_OK || b->count == 0)
		goto out;
	t = parse(b->part[0].doc.text, b->part[0].doc.len);
	for (size_t i = 0; t != NULL && i < b->count; i++) {
		check_follow(t, &b->part[i]);
		(void)lb_trust_closed_by(
		    t, &b->part[i], LB_NS_REVOKE, NOW, NULL);
	}
	lb_trust_free(t);
out:
	lb_bundle_free(b);
	return 0;
}
