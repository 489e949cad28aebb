/* Follows a customer's trust documents from the broker or one's own copy. */
#include "pin.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "lockbox/clock.h"
#include "output.h"

#define CHAIN_MAX (4 * 1024 * 1024) /* bytes of all documents */

static enum lb_err
part_parse(const struct lb_part *part, struct lb_trust **ret)
{
	if (part->type != &lb_trust_type)
		return LB_ERR_FORMAT;
	return lb_trust_parse(part->doc.text, part->doc.len, ret);
}

/* The first document of a chain signs itself. */
static enum lb_err
first_take(const struct lb_part *part, int64_t now, struct lb_trust **ret)
{
	struct lb_trust *t = NULL;
	enum lb_err r;

	if ((r = part_parse(part, &t)) != LB_OK)
		return r;
	if (t->serial != 1)
		r = LB_ERR_STATE;
	else
		r = lb_trust_selfsigned(t, part, now);
	if (r == LB_OK)
		*ret = t;
	else
		lb_trust_free(t);
	return r;
}

/*
 * One document: the successor of *now, or one that came before it. The
 * document in force is replaced, never the pin itself.
 */
static enum lb_err
step(const struct lb_trust *now_in_force, const struct lb_part *part,
    int64_t now, struct lb_trust **ret_next)
{
	struct lb_trust *t = NULL;
	enum lb_err r;

	*ret_next = NULL;
	if (now_in_force == NULL)
		return first_take(part, now, ret_next);
	if ((r = part_parse(part, &t)) != LB_OK)
		return r;
	if (t->serial > now_in_force->serial)
		r = lb_trust_follow(now_in_force, part, now, ret_next);
	else if (t->serial == now_in_force->serial &&
	    strcmp(t->id, now_in_force->id) != 0)
		r = LB_ERR_CONFLICT;
	lb_trust_free(t);
	return r;
}

enum lb_err
pin_follow(const struct lb_trust *pin, const struct lb_bundle *bundle,
    int64_t now, struct lb_trust **ret)
{
	struct lb_trust *owned = NULL, *next;
	enum lb_err r = LB_OK;

	for (size_t i = 0; r == LB_OK && i < bundle->count; i++) {
		r = step(
		    owned != NULL ? owned : pin, &bundle->part[i], now, &next);
		if (r != LB_OK || next == NULL)
			continue;
		lb_trust_free(owned);
		owned = next;
	}
	if (r == LB_OK && owned == NULL)
		r = LB_ERR_MISSING; /* nothing beyond the pin */
	if (r == LB_OK)
		*ret = owned;
	else
		lb_trust_free(owned);
	return r;
}

/* The person's own copy, if it is of that tenant; its last document counts. */
static int
own_load(struct api *api, const char *tenant, struct lb_trust **ret)
{
	const char *path = api->settings.trust;
	struct lb_bundle *bundle = NULL;
	struct lb_buf text = { 0 };
	struct lb_trust *t = NULL;
	int rv = ENDING_DONE;
	enum lb_err r;

	if (path[0] == '\0')
		return ENDING_DONE;
	if ((r = files_read(path, LB_BUNDLE_MAX, &text)) != LB_OK ||
	    (r = lb_bundle_split(text.data, text.len, &bundle)) != LB_OK ||
	    (r = bundle->count > 0
		    ? part_parse(&bundle->part[bundle->count - 1], &t)
		    : LB_ERR_MISSING) != LB_OK)
		rv = out_fail(api->cli, ENDING_CONFIG,
		    "your own trust document '%s': %s", path, files_why(r));
	else if (strcmp(t->tenant, tenant) == 0) {
		*ret = t;
		t = NULL; /* handed over */
	}
	lb_trust_free(t);
	lb_bundle_free(bundle);
	lb_buf_clear(&text);
	return rv;
}

static int
follow_fail(struct api *api, enum lb_err r, const char *tenant)
{
	switch (r) {
	case LB_ERR_CONFLICT:
		return out_fail(api->cli, ENDING_FAILED,
		    "the broker shows another trust document of tenant %s than "
		    "your own copy: somebody is wrong, sign nothing",
		    tenant);
	case LB_ERR_SIGNATURE:
	case LB_ERR_STATE:
		return out_fail(api->cli, ENDING_FAILED,
		    "the broker's trust documents of tenant %s do not follow "
		    "from each other: sign nothing",
		    tenant);
	default:
		return out_fail(api->cli, ENDING_FAILED,
		    "the broker's trust documents of tenant %s: %s", tenant,
		    lb_err_text(r));
	}
}

/* Bytes of the first document of text, with its signatures. */
static size_t
piece_len(const char *text, size_t len)
{
	static const char magic[] = "\nlockbox-trust-v1\n";
	const char *next = memmem(text, len, magic, strlen(magic));

	return next != NULL ? (size_t)(next - text) + 1 : len;
}

/* The same as pin_follow, for a chain that is longer than one bundle. */
static enum lb_err
text_follow(const struct lb_trust *pin, const char *text, size_t len,
    struct lb_trust **ret)
{
	struct lb_trust *owned = NULL, *next;
	struct lb_bundle *bundle;
	enum lb_err r = LB_OK;

	while (r == LB_OK && len > 0) {
		size_t n = piece_len(text, len);

		if ((r = lb_bundle_split(text, n, &bundle)) != LB_OK)
			break;
		r = pin_follow(
		    owned != NULL ? owned : pin, bundle, lb_clock_now(), &next);
		lb_bundle_free(bundle);
		text += n;
		len -= n;
		if (r == LB_ERR_MISSING) {
			r = LB_OK; /* one from before the pin */
		} else if (r == LB_OK) {
			lb_trust_free(owned);
			owned = next;
		}
	}
	if (r == LB_OK && owned == NULL)
		r = LB_ERR_MISSING;
	if (r == LB_OK)
		*ret = owned;
	else
		lb_trust_free(owned);
	return r;
}

/*
 * The documents behind serial after. *ret stays NULL when there is nothing
 * beyond current.
 */
static int
page_follow(struct api *api, const char *tenant, int64_t after,
    const struct lb_trust *current, struct lb_trust **ret)
{
	struct lb_buf text = { 0 };
	enum lb_err r;
	int rv;

	rv = api_get_text(api, CHAIN_MAX, &text,
	    "/v1/tenants/%s/trust?after=%lld", tenant, (long long)after);
	if (rv == ENDING_DONE) {
		r = text_follow(current, text.data, text.len, ret);
		if (r == LB_OK && strcmp((*ret)->tenant, tenant) != 0) {
			lb_trust_free(*ret);
			*ret = NULL;
			r = LB_ERR_FORMAT;
		}
		if (r != LB_OK && (r != LB_ERR_MISSING || current == NULL))
			rv = follow_fail(api, r, tenant);
	}
	lb_buf_clear(&text);
	return rv;
}

int
pin_fetch(struct api *api, const char *tenant, struct lb_trust **ret,
    bool *ret_pinned)
{
	struct lb_trust *current = NULL, *next;
	int64_t after;
	bool pinned;
	int rv;

	if ((rv = own_load(api, tenant, &current)) != ENDING_DONE)
		return rv;
	pinned = current != NULL;
	/* From one's own serial on, so that a fork is seen. */
	after = pinned ? current->serial - 1 : 0;
	do {
		next = NULL;
		rv = page_follow(api, tenant, after, current, &next);
		if (next == NULL)
			break;
		lb_trust_free(current);
		current = next;
		after = current->serial;
	} while (rv == ENDING_DONE);
	if (rv == ENDING_DONE) {
		*ret = current;
		*ret_pinned = pinned;
	} else {
		lb_trust_free(current);
	}
	return rv;
}
