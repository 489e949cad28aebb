/* Which keys may be brought for signing into trust. */
#include "candidate.h"

#include <string.h>

static bool
pinned_in(const struct lb_pinned_list *l, const struct lb_sshkey *key)
{
	for (size_t i = 0; i < l->count; i++)
		if (lb_sshkey_equal(&l->item[i].key, key))
			return true;
	return false;
}

static bool
pinned(const struct lb_trust *t, const struct lb_sshkey *key)
{
	return pinned_in(&t->broker, key) || pinned_in(&t->approver, key) ||
	    pinned_in(&t->hook, key) || pinned_in(&t->engineer, key) ||
	    pinned_in(&t->delegate, key);
}

/* Is that a page where passkeys of that RP-ID may speak? */
static bool
page_pinned(const struct lb_trust *t, const char *rp_id, const char *origin)
{
	for (size_t i = 0; i < t->page_count; i++)
		if (strcmp(t->page[i].rp_id, rp_id) == 0 &&
		    strcmp(t->page[i].origin, origin) == 0)
			return true;
	return false;
}

const char *
candidate_refuses(const struct lb_trust *t, const struct lb_sshsig *sig)
{
	if (pinned(t, &sig->key))
		return "key_taken";
	if (lb_sshkey_is_passkey(&sig->key) &&
	    !page_pinned(t, sig->key.application, sig->origin))
		return "candidate_refused";
	return NULL;
}
