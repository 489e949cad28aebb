/* The trust document in force, with what it says. */
#include "in_force.h"

#include <stdlib.h>
#include <string.h>

#include "lockbox/bundle.h"
#include "output.h"
#include "pin.h"

/* Read the paper out of text: the document that has this id, and no other. */
static enum lb_err
paper_find(
    const struct lb_buf *text, const char *id, struct lb_trust_paper *ret)
{
	struct lb_bundle *bundle = NULL;
	enum lb_err r;

	if ((r = lb_bundle_split(text->data, text->len, &bundle)) != LB_OK)
		return r;
	r = LB_ERR_MISSING;
	for (size_t i = 0; i < bundle->count; i++) {
		const struct lb_part *part = &bundle->part[i];

		if (part->type == &lb_trust_type && strcmp(part->id, id) == 0)
			r = lb_trust_paper_parse(
			    part->doc.text, part->doc.len, ret);
	}
	lb_bundle_free(bundle);
	return r;
}

static int
paper_fetch(struct api *api, const char *tenant, struct in_force *f)
{
	struct lb_buf text = { 0 };
	int rv;

	f->paper = calloc(1, sizeof(*f->paper));
	if (f->paper == NULL)
		return out_fail(api->cli, ENDING_FAILED, "out of memory");
	rv = api_get_text(api, LB_BUNDLE_MAX, &text,
	    "/v1/tenants/%s/trust?after=%lld", tenant,
	    (long long)f->trust->serial - 1);
	if (rv == ENDING_DONE &&
	    paper_find(&text, f->trust->id, f->paper) != LB_OK)
		rv = out_fail(api->cli, ENDING_UNAVAILABLE,
		    "the broker does not give the trust document in force");
	lb_buf_clear(&text);
	return rv;
}

int
in_force_fetch(struct api *api, const char *tenant, struct in_force *ret)
{
	int rv;

	if ((rv = pin_fetch(api, tenant, &ret->trust, &ret->pinned)) !=
		ENDING_DONE ||
	    (rv = paper_fetch(api, tenant, ret)) != ENDING_DONE)
		return rv;
	if (!ret->pinned)
		out_note(api->cli,
		    "the trust document in force is shown as the broker has "
		    "it: name your own copy with 'lockbox signin --trust FILE'");
	return ENDING_DONE;
}

void
in_force_clear(struct in_force *f)
{
	lb_trust_free(f->trust);
	free(f->paper);
	*f = (struct in_force){ 0 };
}
